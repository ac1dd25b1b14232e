"""What of a message goes on the sheet: the person's own sentences, under what they say or what was asked."""

from __future__ import annotations

import pytest
from fakes.dialogue import PROMPTS

from assistant.dialogue.flows import load_flows
from assistant.dialogue.guide import GuideState, Intent, Said
from assistant.dialogue.noting import answer_pending, choose_open, note, with_alternatives, with_open
from assistant.dialogue.phrases import load_phrases
from assistant.domain import Entry, FlowId, Language, Reading, Sentence, Sheet

FLOWS = load_flows(PROMPTS / "flows")
PHRASES = load_phrases(PROMPTS)
OPEN_ONES: tuple[str, ...] = (
    "How do you see this?",
    "What speaks for it, and what against?",
    "What have I perhaps not seen yet?",
)


def said(text: str, *labels: str, confidence: float = 0.9, unsure: bool = False) -> Sentence:
    return Sentence(text, 0, len(text), labels, confidence, unsure)


def guess(text: str, *labels: str) -> Sentence:
    """A sentence whose labels are only the best guesses."""
    return said(text, *labels, confidence=0.3, unsure=True)


def noted(
    *sentences: Sentence, asked: str | None = "what", flow: FlowId = "goal", sheet: Sheet | None = None
) -> tuple[Said, dict[str, list[str]]]:
    """What a message with these sentences amounts to, and what the sheet then holds by element."""
    state = GuideState(asked=(asked,) if asked else (), awaiting=asked)
    amounts_to, held = note(FLOWS[flow], state, Reading("en", sentences), None, sheet or Sheet(flow), 7)
    by_element: dict[str, list[str]] = {}
    for entry in held.entries:
        by_element.setdefault(entry.element, []).append(entry.text)
    return amounts_to, by_element


def test_several_things_in_one_message_go_each_to_their_place() -> None:
    amounts_to, held = noted(
        said("I want to lead meetings because mine drag on.", "what", "why"),
        said("By June.", "by_when"),
        said("Nice weather today.", "other"),
    )
    assert held == {
        "what": ["I want to lead meetings because mine drag on."],
        "why": ["I want to lead meetings because mine drag on."],
        "by_when": ["By June."],
    }
    assert [sentence.text for sentence in amounts_to.noted] == [
        "I want to lead meetings because mine drag on.",
        "By June.",
    ]


def test_an_entry_knows_the_turn_it_came_from() -> None:
    state = GuideState(awaiting="what")
    _, sheet = note(FLOWS["goal"], state, Reading("en", (said("To lead.", "what"),)), None, Sheet("goal"), 7)
    assert sheet.entries == (Entry("what", "To lead.", 7),)


@pytest.mark.parametrize(
    "sentence",
    [
        guess("Kesään mennessä", "what", "why"),
        said("Routine.", "other", confidence=0.6),
        guess("rohkeus", "support", "why"),
    ],
)
def test_a_short_direct_answer_goes_under_what_was_asked(sentence: Sentence) -> None:
    _, held = noted(sentence, asked="by_when")
    assert held == {"by_when": [sentence.text]}


def test_what_is_clearly_no_answer_stays_off_the_sheet() -> None:
    amounts_to, held = noted(said("My bus was late again.", "other", confidence=0.95), asked="why")
    assert (amounts_to, held) == (Said(), {})


def test_an_unclear_sentence_among_others_goes_under_what_was_asked_only_if_it_may_be_that() -> None:
    sure = said("I want to lead.", "what")
    assert noted(sure, guess("Finally.", "why", "what"), asked="why")[1] == {
        "what": ["I want to lead."],
        "why": ["Finally."],
    }
    assert noted(sure, guess("Finally.", "support", "what"), asked="why")[1] == {"what": ["I want to lead."]}


def test_a_sentence_with_no_place_is_asked_about() -> None:
    unclear = guess("Budget talks.", "what", "support")
    amounts_to, held = noted(unclear, asked=None)
    assert (amounts_to, held) == (Said(guess=unclear), {})


def test_a_question_in_the_middle_is_answered_not_noted() -> None:
    amounts_to, held = noted(said("What is a good goal like?", "what"), asked="what")
    assert (amounts_to, held) == (Said("question"), {})
    assert noted(guess("Like what?", "what", "why"))[0] == Said("question")
    amounts_to, held = noted(said("I want to lead.", "what"), said("What is a good goal like?", "what"))
    assert held == {"what": ["I want to lead."]}


def test_a_wish_for_help_may_be_said_as_a_question() -> None:
    _, held = noted(said("Could my mentor read my first draft?", "support"), asked="first_step")
    assert held == {"support": ["Could my mentor read my first draft?"]}


@pytest.mark.parametrize("intent", ["skip", "unsure", "back", "explain", "show", "courtesy"])
def test_a_steering_message_leaves_the_sheet_alone(intent: Intent) -> None:
    reading = Reading("en", (said("I want to lead.", "what"),))
    sheet = Sheet("goal", (Entry("why", "It matters."),))
    assert note(FLOWS["goal"], GuideState(), reading, intent, sheet, 3) == (Said(intent), sheet)


def test_a_message_without_a_sentence_and_one_in_look_up_leave_the_sheet_alone() -> None:
    assert noted() == (Said(), {})
    assert noted(said("Ground rules"), asked=None, flow="lookup") == (Said(), {})


def test_what_stands_on_the_sheet_already_is_not_put_there_twice() -> None:
    sheet = Sheet("goal", (Entry("what", "I want to lead.", 3),))
    amounts_to, held = noted(said("I want to lead.", "what"), sheet=sheet)
    assert held == {"what": ["I want to lead."]}
    assert amounts_to.noted != ()


def test_what_lies_behind_goes_there_though_it_reads_like_a_feeling() -> None:
    """No exemplar teaches `deeper`, so what answers it always looks like something else."""
    for sentence in (said("I was afraid to be wrong.", "feeling", "insight"), guess("Old habit.", "event", "feeling")):
        assert noted(sentence, asked="deeper", flow="reflection")[1] == {"deeper": [sentence.text]}
    assert noted(said("Why do you ask?", "other"), asked="deeper", flow="reflection")[0] == Said("question")


def test_questions_to_the_mentor_keep_their_kind_and_a_weak_one_is_pointed_out() -> None:
    reading = Reading("en", (said("How did you learn it?", "open"), said("Do you like it?", "closed")))
    state = GuideState(asked=("theme", "question"), awaiting="question")
    sheet = Sheet("questions", (Entry("theme", "Feedback"),))
    amounts_to, held = note(
        FLOWS["questions"], state, with_alternatives(reading, {"closed": OPEN_ONES}), None, sheet, 5
    )
    assert held.under("question") == (
        Entry("question", "How did you learn it?", 5, "open"),
        Entry("question", "Do you like it?", 5, "closed", OPEN_ONES),
    )
    assert amounts_to.weak_question is not None
    assert amounts_to.weak_question.text == "Do you like it?"


def test_what_is_no_question_becomes_the_theme_until_there_is_one() -> None:
    assert noted(guess("Giving feedback", "open", "closed"), asked="theme", flow="questions")[1] == {
        "theme": ["Giving feedback"]
    }
    assert noted(said("My manager is new.", "other"), asked="question", flow="questions")[1] == {
        "theme": ["My manager is new."]
    }
    sheet = Sheet("questions", (Entry("theme", "Feedback"),))
    assert noted(said("My manager is new.", "other"), asked="question", flow="questions", sheet=sheet)[1] == {
        "theme": ["Feedback"]
    }


def test_a_question_of_unclear_kind_is_kept_without_a_verdict() -> None:
    unclear = guess("Feedback, how and when?", "closed", "open")
    amounts_to, held = noted(unclear, asked="question", flow="questions")
    assert held == {"question": ["Feedback, how and when?"]}
    assert amounts_to.weak_question is None


def test_a_question_to_peili_among_the_questions_is_looked_up() -> None:
    amounts_to, held = noted(said("What should I write here?", "other"), asked="theme", flow="questions")
    assert (amounts_to, held) == (Said("question"), {})


@pytest.mark.parametrize(
    ("language", "offered", "answer", "chosen"),
    [
        ("en", ("what", "first_step"), "the first step", ["first_step"]),
        ("en", ("what", "first_step"), "the first one", ["what"]),
        ("en", ("first_step", "what"), "The second.", ["what"]),
        ("en", ("why", "by_when"), "more about why it matters", ["why"]),
        ("en", ("why", "by_when"), "time", ["by_when"]),
        ("en", ("why", "by_when"), "Both!", ["why", "by_when"]),
        ("en", ("why", "by_when"), "neither", []),
        ("fi", ("what", "by_when"), "ajankohtaan", ["by_when"]),
        ("fi", ("what", "by_when"), "siihen mitä haluan", ["what"]),
        ("fi", ("what", "first_step"), "ensimmäiseen askeleeseen", ["first_step"]),
        ("fi", ("what", "first_step"), "ensimmäiseen", ["what"]),
        ("fi", ("why", "support"), "tukeen", ["support"]),
        ("fi", ("why", "support"), "jälkimmäinen", ["support"]),
        ("fi", ("why", "support"), "molempiin", ["why", "support"]),
        ("fi", ("why", "support"), "Ei kumpaankaan", []),
        ("sv", ("what", "first_step"), "det första steget", ["first_step"]),
        ("sv", ("what", "by_when"), "tidpunkten", ["by_when"]),
        ("sv", ("what", "by_when"), "den andra", ["by_when"]),
        ("sv", ("what", "by_when"), "båda", ["what", "by_when"]),
    ],
)
def test_who_is_asked_where_a_sentence_belongs_answers_by_name_or_place(
    language: Language, offered: tuple[str, str], answer: str, chosen: list[str]
) -> None:
    names = {label: PHRASES[language].element(f"goal.{label}") for label in offered}
    labels = answer_pending(names, answer)
    assert labels is not None
    assert list(labels) == chosen


@pytest.mark.parametrize(
    ("language", "message"),
    [
        ("en", "First I want to tell you what happened at work yesterday."),
        ("en", "By the end of August."),
        ("fi", "Se toinen asia oli, että mentori voisi kuunnella minua enemmän."),
        ("sv", "De andra i teamet vill att jag ska säga vad jag tänker."),
        ("fi", "En tiedä"),
        ("en", "I need support for that"),
        ("en", "👍"),
    ],
)
def test_a_message_that_is_no_such_answer_is_read_as_any_other(language: Language, message: str) -> None:
    names = {label: PHRASES[language].element(f"goal.{label}") for label in ("why", "first_step")}
    assert answer_pending(names, message) is None


@pytest.mark.parametrize(
    ("answer", "chosen"),
    [
        ("the second one", OPEN_ONES[1]),
        ("ensimmäisen", OPEN_ONES[0]),
        ("3", OPEN_ONES[2]),
        ("den tredje", OPEN_ONES[2]),
        ("how do you see this", OPEN_ONES[0]),
        ("What else could I ask?", None),
        ("The first thing I would like to ask is how you began.", None),
    ],
)
def test_an_open_question_is_chosen_by_its_place_or_by_its_words(answer: str, chosen: str | None) -> None:
    assert choose_open(OPEN_ONES, answer) == chosen


def test_the_chosen_open_question_takes_the_place_of_the_weak_one() -> None:
    weak = Entry("question", "Do you like it?", 5, "closed", OPEN_ONES, 2)
    other = Entry("question", "How did you begin?", 5, "open")
    sheet = with_open(Sheet("questions", (weak, other)), "Do you like it?", OPEN_ONES[0])
    assert sheet.entries == (Entry("question", OPEN_ONES[0], 5, "open", (), 2), other)
