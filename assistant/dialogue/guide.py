"""What to do next: a pure state machine over a flow. It holds no text and calls nothing.

`advance` takes the flow, where the conversation stands, what the actor's turn said and what the sheet holds, and
returns the move and where the conversation stands then. The same input always gives the same move, so a likely next
move can be worked out while the person still types.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from typing import Literal

from assistant.dialogue.flows import Element, Flow
from assistant.domain import Sentence, Sheet

Intent = Literal["skip", "unsure", "back", "explain", "show", "courtesy", "question"]
MoveKind = Literal["ask", "again", "explain", "confirm", "show", "look_up", "settle", "offer_open"]
_MOST_UNSURE = 2  # so often a question is put to somebody who does not know
_MOST_ASKED = 3  # so often to somebody whose answers give nothing; then it is left open


@dataclass(frozen=True, slots=True)
class Said:
    """What the actor's newest turn amounts to: an intent of their own, or sentences that now stand on the sheet.

    `guess` is a sentence whose label is not sure enough to put it anywhere, with the labels it may have.
    """

    intent: Intent | None = None
    noted: tuple[Sentence, ...] = ()
    guess: Sentence | None = None
    weak_question: Sentence | None = None


@dataclass(frozen=True, slots=True)
class Move:
    """What Peili does. `element` is what it asks for, if it asks; `times_asked` how often that was asked before."""

    kind: MoveKind
    element: Element | None = None
    times_asked: int = 0
    noted: tuple[Sentence, ...] = ()
    sentence: Sentence | None = None
    intent: Intent | None = None


@dataclass(frozen=True, slots=True)
class GuideState:
    """Where a conversation stands: what was asked (oldest first), what the person passed over, what was shown."""

    asked: tuple[str, ...] = ()
    skipped: frozenset[str] = field(default_factory=frozenset)
    shown: bool = False
    awaiting: str | None = None

    @classmethod
    def start(cls, flow: Flow) -> GuideState:
        """The state of a conversation that has just begun: its opening question stands."""
        return cls(asked=(flow.opening,) if flow.opening else (), awaiting=flow.opening)


def advance(flow: Flow, state: GuideState, said: Said, sheet: Sheet) -> tuple[Move, GuideState]:
    """The next move and the state after it. `sheet` already holds what `said` noted."""
    if not flow.elements or said.intent == "question":
        element = next((item for item in missing(flow, sheet) if item.label == state.awaiting), None)
        times = _times(state, element.label) - 1 if element else 0
        return Move("look_up", element, times, intent=said.intent), state
    if said.intent == "back":
        return _back(flow, state)
    if said.intent == "show":
        return Move("show", noted=said.noted, intent="show"), replace(state, shown=True, awaiting=None)
    if said.intent is not None and state.awaiting:
        return _steered(flow, flow.element(state.awaiting), state, said, sheet)
    if said.guess is not None and not said.noted:
        return Move("confirm", sentence=said.guess), state
    if said.weak_question is not None:
        return Move("offer_open", noted=said.noted, sentence=said.weak_question), state
    if state.shown and not state.awaiting and not said.noted:
        return Move("settle", intent=said.intent), state
    return _ask_or_show(flow, state, said, sheet)


def missing(flow: Flow, sheet: Sheet, skipped: Iterable[str] = ()) -> tuple[Element, ...]:
    """The elements still to be asked for, in the flow's order; those passed over are left out."""
    passed = set(skipped)
    return tuple(
        element
        for element in flow.elements
        if element.label not in passed and len(sheet.under(element.label)) < element.least
    )


def _steered(flow: Flow, element: Element, state: GuideState, said: Said, sheet: Sheet) -> tuple[Move, GuideState]:
    """What follows when the person answers the question for `element` with a wish instead."""
    times = _times(state, element.label)
    if said.intent == "explain":
        return Move("explain", element, times), _asking(state, element.label)
    if element not in missing(flow, sheet):  # the person filled it in by hand meanwhile
        return _ask_or_show(flow, state, said, sheet)
    if said.intent == "unsure" and times < _MOST_UNSURE:
        return Move("again", element, times, intent="unsure"), _asking(state, element.label)
    if said.intent == "courtesy":
        return Move("ask", element, times - 1, intent="courtesy"), state
    return _ask_or_show(flow, replace(state, skipped=state.skipped | {element.label}), said, sheet)


def _ask_or_show(flow: Flow, state: GuideState, said: Said, sheet: Sheet) -> tuple[Move, GuideState]:
    if state.awaiting and not said.noted and _times(state, state.awaiting) >= _MOST_ASKED:
        state = replace(state, skipped=state.skipped | {state.awaiting})
    open_elements = [
        element
        for element in missing(flow, sheet, state.skipped)
        if not (element.optional and _times(state, element.label))
    ]
    if open_elements and not (state.shown and open_elements[0].optional):
        element = open_elements[0]
        move = Move("ask", element, _times(state, element.label), noted=said.noted, intent=said.intent)
        return move, _asking(state, element.label)
    kind: MoveKind = "settle" if state.shown else "show"
    return Move(kind, noted=said.noted, intent=said.intent), replace(state, shown=True, awaiting=None)


def _back(flow: Flow, state: GuideState) -> tuple[Move, GuideState]:
    """Ask again for what was first asked before what is asked now, step by step up to the opening."""
    order = list(dict.fromkeys(state.asked)) or [flow.elements[0].label]
    place = order.index(state.awaiting) if state.awaiting in order else len(order)
    label = order[max(place - 1, 0)]
    element = flow.element(label)
    state = replace(state, skipped=state.skipped - {label})
    return Move("again", element, _times(state, label), intent="back"), _asking(state, label)


def _times(state: GuideState, label: str) -> int:
    return state.asked.count(label)


def _asking(state: GuideState, label: str) -> GuideState:
    return replace(state, asked=(*state.asked, label), awaiting=label)
