"""Ben prepares questions for his mentor in English: open ones are welcomed, others get open ones to choose from."""

from __future__ import annotations

from fakes.dialogue import Talk

from assistant.domain import Entry


def questions(talk: Talk) -> list[tuple[str, str | None]]:
    return [(entry.text, entry.kind) for entry in talk.sheet.under("question")]


def test_a_whole_conversation() -> None:
    talk = Talk("questions", "en")
    assert talk.turns[0].text.count("?") == 1

    assert talk.say("Hi there").sheet_changed is False

    theme = talk.say("Giving feedback to senior colleagues")
    assert talk.under("theme") == ["Giving feedback to senior colleagues"]
    assert theme.asks("questions.question")

    closed = talk.say("Do you like giving feedback?")
    assert "“Do you like giving feedback”" in closed.text
    assert closed.text.count("?") == 1
    (entry,) = talk.sheet.under("question")
    assert (entry.kind, len(entry.alternatives)) == ("closed", 3)
    assert all(alternative.endswith("?") for alternative in entry.alternatives)

    chosen = talk.say("the second one")
    assert questions(talk) == [(entry.alternatives[1], "open")]
    assert chosen.sheet_changed
    assert chosen.text.count("?") == 1

    opened = talk.say("How did you learn to give feedback?")
    assert questions(talk)[1] == ("How did you learn to give feedback?", "open")
    assert opened.text.count("?") == 1

    leading = talk.say("Don't you think feedback is always good?")
    assert "“Don't you think feedback is always good”" in leading.text
    assert questions(talk)[2] == ("Don't you think feedback is always good?", "leading")

    kept = talk.say("I keep it as it is")
    assert "?" not in kept.text, "three questions are together, so they are shown"
    assert len(questions(talk)) == 3

    more = talk.say("What would you have done in my place?")
    assert "?" not in more.text
    assert questions(talk)[3] == ("What would you have done in my place?", "open")
    assert {turn.language for turn in talk.turns} == {"en"}
    assert all(len(turn.text.split()) <= 90 for turn in talk.turns)


def test_several_questions_in_one_message_are_all_kept() -> None:
    talk = Talk("questions", "en")
    talk.say("My next step at work. How did you choose yours? What would you do again? Which step was hardest?")
    assert talk.under("theme") == ["My next step at work."]
    assert [text for text, _ in questions(talk)] == [
        "How did you choose yours?",
        "What would you do again?",
        "Which step was hardest?",
    ]


def test_a_question_that_is_on_the_sheet_already_is_not_kept_twice() -> None:
    talk = Talk("questions", "en")
    talk.say("Feedback")
    talk.say("How did you learn to give feedback?")
    talk.say("How did you learn to give feedback?")
    assert questions(talk) == [("How did you learn to give feedback?", "open")]


def test_choosing_a_question_that_was_taken_off_the_sheet_meanwhile_brings_nothing_back() -> None:
    talk = Talk("questions", "en")
    talk.say("Feedback")
    talk.say("Do you like giving feedback?")
    sheet, revision = talk.service.sheet(talk.id)
    talk.service.save_sheet(talk.id, type(sheet)("questions", (Entry("theme", "Feedback"),)), revision)
    talk.say("the first")
    assert questions(talk) == []


def test_a_top_three_chosen_on_the_sheet_stays_when_the_conversation_goes_on() -> None:
    talk = Talk("questions", "en")
    talk.say("Feedback")
    talk.say("How did you learn to give feedback?")
    sheet, revision = talk.service.sheet(talk.id)
    ranked = tuple(Entry(e.element, e.text, e.turn, e.kind, e.alternatives, 1) for e in sheet.under("question"))
    talk.service.save_sheet(talk.id, type(sheet)("questions", (*sheet.under("theme"), *ranked)), revision)
    talk.say("What surprised you?")
    assert [(entry.text, entry.rank) for entry in talk.sheet.under("question")] == [
        ("How did you learn to give feedback?", 1),
        ("What surprised you?", None),
    ]
