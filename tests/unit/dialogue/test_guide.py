"""What Peili asks next. Every conversation of up to six messages over a small flow is walked through, move by move."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import cache
from typing import NamedTuple

import pytest
from fakes.dialogue import PROMPTS

from assistant.dialogue.flows import Element, Flow, load_flows
from assistant.dialogue.guide import GuideState, Intent, Move, Said, advance, missing
from assistant.domain import Entry, FlowId, Sentence, Sheet

FLOWS = load_flows(PROMPTS / "flows")
GOAL = FLOWS["goal"]
SMALL = Flow(
    "goal",
    (),
    (Element("what", "goal.what"), Element("why", "goal.why", least=2), Element("support", "goal.support", True)),
    "what",
    None,
    None,
)
MESSAGES = 6


class Step(NamedTuple):
    """One message in a walk: where the conversation stood, what came, and what Peili did."""

    state: GuideState
    said: Said
    sheet: Sheet
    move: Move
    after: GuideState


Message = Callable[[GuideState, Sheet], tuple[Said, Sheet]]


def sentence(*labels: str) -> Sentence:
    return Sentence("Jotain.", 0, 7, labels, 0.9)


def answer(*labels: str) -> Message:
    """A message that says something about these elements."""

    def message(state: GuideState, sheet: Sheet) -> tuple[Said, Sheet]:
        number = len(sheet.entries)
        entries = tuple(Entry(label, f"sentence {number}", number) for label in labels)
        return Said(noted=(sentence(*labels),)), sheet.with_entries(entries)

    return message


def wish(intent: Intent) -> Message:
    return lambda state, sheet: (Said(intent), sheet)


def direct(state: GuideState, sheet: Sheet) -> tuple[Said, Sheet]:
    """An answer to what was asked, whatever that is."""
    return answer(state.awaiting or "what")(state, sheet)


def nothing(state: GuideState, sheet: Sheet) -> tuple[Said, Sheet]:
    return Said(), sheet


def unclear(state: GuideState, sheet: Sheet) -> tuple[Said, Sheet]:
    return Said(guess=sentence("what", "why")), sheet


def by_hand(state: GuideState, sheet: Sheet) -> tuple[Said, Sheet]:
    """The person filled in on the sheet what was asked, then wrote something that says nothing."""
    return Said(), answer(state.awaiting or "what")(state, sheet)[1]


STEERING: tuple[Intent, ...] = ("skip", "unsure", "back", "explain", "show", "courtesy", "question")
EVERYTHING: tuple[Message, ...] = (
    direct,
    answer("why"),
    answer("what", "support"),
    nothing,
    unclear,
    by_hand,
    *(wish(intent) for intent in STEERING),
)
ONWARD: tuple[Message, ...] = (direct, nothing, by_hand, wish("skip"), wish("unsure"))


@cache
def walked() -> tuple[Step, ...]:
    """Every step of every conversation of MESSAGES messages; the same standing is walked on from only once."""
    start = (GuideState.start(SMALL), Sheet("goal"))
    steps: list[Step] = []
    seen, edge = {start}, [start]
    for _ in range(MESSAGES):
        ahead = []
        for state, sheet in edge:
            for message in EVERYTHING:
                said, held = message(state, sheet)
                move, after = advance(SMALL, state, said, held)
                steps.append(Step(state, said, held, move, after))
                if (after, held) not in seen and len(held.entries) <= 4:
                    seen.add((after, held))
                    ahead.append((after, held))
        edge = ahead
    return tuple(steps)


def new_questions() -> Iterator[tuple[Step, Element]]:
    """The steps in which Peili goes on to ask for something."""
    for step in walked():
        if step.move.kind == "ask" and step.after != step.state:
            assert step.move.element is not None
            yield step, step.move.element


def test_the_walk_is_wide() -> None:
    assert len(walked()) > 10_000
    assert {step.move.kind for step in walked()} == {"ask", "again", "explain", "confirm", "show", "look_up", "settle"}


def test_nothing_is_asked_that_the_sheet_holds() -> None:
    for step, element in new_questions():
        assert len(step.sheet.under(element.label)) < element.least


def test_what_was_passed_over_is_not_asked_again_unless_the_person_goes_back() -> None:
    for step, element in new_questions():
        assert element.label not in step.state.skipped
    for step in walked():
        if step.said.intent != "back":
            assert step.state.skipped <= step.after.skipped


def test_what_is_optional_is_asked_for_once() -> None:
    for step, element in new_questions():
        assert not (element.optional and element.label in step.state.asked)


def test_the_same_message_in_the_same_place_gives_the_same_move() -> None:
    for step in walked():
        assert advance(SMALL, step.state, step.said, step.sheet) == (step.move, step.after)


def test_a_question_stands_until_it_is_answered_and_is_counted() -> None:
    for step in walked():
        if step.move.kind in {"ask", "again", "explain"} and step.after != step.state:
            assert step.move.element is not None
            label = step.move.element.label
            assert step.after.awaiting == label
            assert step.after.asked == (*step.state.asked, label)
            assert step.move.times_asked == step.state.asked.count(label)
        elif step.move.kind in {"show", "settle"}:
            assert step.after.awaiting is None
        else:
            assert step.after.awaiting == step.state.awaiting


def test_the_sheet_is_shown_once_of_its_own_accord_and_whenever_the_person_asks() -> None:
    for step in walked():
        if step.move.kind == "show" and step.said.intent != "show":
            assert not step.state.shown
        if step.said.intent == "show":
            assert step.move.kind == "show"
        assert step.after.shown >= step.state.shown


def test_a_question_to_the_library_leaves_the_conversation_where_it_was() -> None:
    for step in walked():
        if step.said.intent == "question":
            assert step.move.kind == "look_up"
            assert step.after == step.state
            if step.move.element is not None:
                assert step.move.element.label == step.state.awaiting
                assert step.move.element in missing(SMALL, step.sheet)
                assert step.move.times_asked == step.state.asked.count(step.move.element.label) - 1


def test_a_courtesy_moves_nothing_and_the_same_question_stands() -> None:
    for step in walked():
        if step.said.intent == "courtesy" and step.move.kind == "ask" and step.after == step.state:
            assert step.move.element is not None
            assert step.move.times_asked == step.state.asked.count(step.move.element.label) - 1


def longest_way(state: GuideState, sheet: Sheet, so_far: int = 0) -> int:
    """The most messages until the sheet is shown, by a person who answers, fills in, passes over or says nothing."""
    assert so_far <= 12, "this conversation does not come to an end"
    longest = 0
    for message in ONWARD:
        said, held = message(state, sheet)
        move, after = advance(SMALL, state, said, held)
        rest = 0 if move.kind in {"show", "settle"} else longest_way(after, held, so_far + 1)
        longest = max(longest, 1 + rest)
    return longest


def test_every_conversation_comes_to_its_sheet() -> None:
    assert longest_way(GuideState.start(SMALL), Sheet("goal")) <= 9


@pytest.mark.parametrize("flow_id", ["goal", "questions", "reflection"])
@pytest.mark.parametrize("message", [direct, nothing, wish("skip"), wish("unsure")])
def test_every_flow_comes_to_its_sheet(flow_id: FlowId, message: Message) -> None:
    flow = FLOWS[flow_id]
    state, sheet = GuideState.start(flow), Sheet(flow_id)
    kinds = []
    for _ in range(20):
        said, sheet = message(state, sheet)
        move, state = advance(flow, state, said, sheet)
        kinds.append(move.kind)
        if move.kind == "show":
            break
    assert kinds[-1] == "show"


def conversation(*messages: Message) -> tuple[list[tuple[str, str | None]], GuideState]:
    """What Peili does with these messages in the goal flow: kinds of move and elements asked for."""
    state, sheet = GuideState.start(GOAL), Sheet("goal")
    moves: list[tuple[str, str | None]] = []
    for message in messages:
        said, sheet = message(state, sheet)
        move, state = advance(GOAL, state, said, sheet)
        moves.append((move.kind, move.element.label if move.element else None))
    return moves, state


def test_several_things_in_one_message_are_not_asked_for_again() -> None:
    moves, _ = conversation(answer("what", "why", "by_when"), direct, direct, direct)
    assert moves == [("ask", "evidence"), ("ask", "first_step"), ("ask", "support"), ("show", None)]


def test_who_does_not_know_is_asked_another_way_and_then_left_in_peace() -> None:
    moves, state = conversation(direct, wish("unsure"), wish("unsure"))
    assert moves == [("ask", "why"), ("again", "why"), ("ask", "evidence")]
    assert state.skipped == {"why"}


def test_going_back_goes_back_step_by_step_and_stops_at_the_beginning() -> None:
    moves, _ = conversation(direct, direct, direct, *[wish("back")] * 4)
    assert [element for _, element in moves] == ["why", "evidence", "first_step", "evidence", "why", "what", "what"]


def test_what_was_passed_over_can_be_come_back_to() -> None:
    moves, state = conversation(direct, wish("skip"), wish("back"), direct)
    assert moves == [("ask", "why"), ("ask", "evidence"), ("again", "why"), ("ask", "evidence")]
    assert state.skipped == frozenset()


def test_who_says_it_is_enough_is_shown_the_sheet_and_a_thank_you_brings_no_new_question() -> None:
    moves, _ = conversation(direct, wish("show"), wish("courtesy"), nothing, wish("skip"), wish("unsure"))
    assert moves == [("ask", "why"), ("show", None), *[("settle", None)] * 4]


def test_who_goes_on_after_the_sheet_was_shown_is_asked_on() -> None:
    moves, _ = conversation(direct, wish("show"), answer("why"))
    assert moves[-1] == ("ask", "evidence")


def test_a_weak_question_is_answered_with_open_ones_before_anything_else_is_asked() -> None:
    flow = FLOWS["questions"]
    weak = sentence("closed")
    state = GuideState(asked=("theme", "question"), awaiting="question")
    move, after = advance(flow, state, Said(noted=(weak,), weak_question=weak), Sheet("questions"))
    assert (move.kind, move.sentence, after) == ("offer_open", weak, state)


def test_in_look_up_everything_is_a_question() -> None:
    move, state = advance(FLOWS["lookup"], GuideState.start(FLOWS["lookup"]), Said(), Sheet("lookup"))
    assert (move.kind, move.element, state) == ("look_up", None, GuideState())
