"""Cecilia looks back on a meeting in Swedish."""

from __future__ import annotations

from fakes.dialogue import Talk, card_questions

EVENT = "Vi pratade om mitt projekt på mötet."
FEELING = "Jag kände mig nervös först men sedan lättad."
INSIGHT = "Jag insåg att jag alltid väntar för länge."
STEP = "Jag ska boka ett möte nästa vecka."
BEHIND = "För att jag är rädd att göra fel."


def test_a_whole_conversation() -> None:
    talk = Talk("reflection", "sv")
    assert talk.turns[0].text in card_questions("reflection.event", "sv")

    assert talk.say(EVENT).asks("reflection.feeling")
    assert talk.say(FEELING).asks("reflection.insight")
    assert talk.say(INSIGHT).asks("reflection.next_step")
    assert talk.say(STEP).asks("reflection.deeper"), "one level deeper is offered once"
    shown = talk.say(BEHIND)
    assert "?" not in shown.text

    assert [(entry.element, entry.text) for entry in talk.sheet.entries] == [
        ("event", EVENT),
        ("feeling", FEELING),
        ("insight", INSIGHT),
        ("next_step", STEP),
        ("deeper", BEHIND),
    ]
    assert {turn.language for turn in talk.turns} == {"sv"}


def test_who_does_not_want_to_go_deeper_is_shown_the_whole_sheet() -> None:
    talk = Talk("reflection", "sv")
    for text in (EVENT, FEELING, INSIGHT, STEP):
        talk.say(text)
    assert talk.say("Nej tack").text.count("?") == 0
    assert talk.under("deeper") == []


def test_a_short_feeling_is_an_answer() -> None:
    talk = Talk("reflection", "sv")
    talk.say(EVENT)
    talk.say("Bra.")
    assert talk.under("feeling") == ["Bra."]


def test_an_order_of_ones_own_is_fine() -> None:
    talk = Talk("reflection", "sv")
    assert talk.say(f"{STEP} {INSIGHT}").asks("reflection.event")
    assert talk.say("Va?").asks("reflection.event")
    assert talk.say("Hoppa över den här frågan").asks("reflection.feeling")
    assert talk.say(FEELING).asks("reflection.deeper")


def test_a_conversation_that_changes_language_is_carried_on_in_the_new_one_even_by_short_answers() -> None:
    talk = Talk("reflection", "sv")
    english = talk.say("We talked about my project at the meeting yesterday.")
    assert english.reply.language == "en"
    assert english.asks("reflection.feeling")
    short = talk.say("Nervous")
    assert (short.reply.language, short.asks("reflection.insight")) == ("en", True)
    finnish = talk.say("Huomasin, että odotan aina liian kauan ennen kuin puhun.")
    assert finnish.asks("reflection.next_step")
    assert finnish.reply.language == "fi"
    assert talk.under("feeling") == ["Nervous"]
