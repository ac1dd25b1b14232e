"""Aino puts her goal into words in Finnish, without a model: Peili asks, she writes, her words gather on the sheet."""

from __future__ import annotations

from fakes.dialogue import Heard, Talk, card_questions, library

from assistant.domain import Finished, SheetChanged, Sources, Text
from assistant.library.passages import card_text

WISH = "Haluan oppia pitämään puoleni palavereissa."
REASON = "Se on tärkeää, koska muut puhuvat päälleni."
HELP = "Toivon, että mentori kuuntelee minua."


def assert_good_reply(heard: Heard) -> None:
    """What holds for every reply to Aino."""
    reply = heard.reply
    assert (reply.language, reply.voice, reply.state) == ("fi", "curated", "complete")
    assert reply.text == heard.text
    assert len(reply.text.split()) <= 90
    for citation in reply.citations:
        assert citation.quote in card_text(library().card(citation.card_id, citation.language))


def test_a_whole_conversation() -> None:
    talk = Talk("goal", "fi")
    opening = talk.turns[0]
    assert opening.text in card_questions("goal.what", "fi")

    greeted = talk.say("Hei!")
    assert greeted.text.endswith(opening.text), "a greeting is answered with the question that stands"
    assert talk.sheet.entries == ()

    wished = talk.say(f"{WISH} {REASON} {HELP}")
    assert wished.asks("goal.evidence"), "what she said in passing is not asked for"
    assert (talk.under("what"), talk.under("why"), talk.under("support")) == ([WISH], [REASON], [HELP])

    explained = talk.say("Mitä tarkoitat?")
    assert explained.asks("goal.evidence")
    assert "merkkiä" in explained.text
    assert not explained.sheet_changed

    noticed = talk.say("Huomaan sen siitä, että saan puhua loppuun.")
    assert noticed.asks("goal.first_step")
    assert "”Huomaan sen siitä, että saan puhua loppuun”" in noticed.text

    unsure = talk.say("En tiedä…")
    assert unsure.asks("goal.first_step")
    first_step = [heard.text.rsplit(". ", 1)[-1] for heard in (noticed, unsure)]
    assert first_step[0] != first_step[1], "asked another way, not once more"

    passed = talk.say("en mä tiedä")
    assert passed.asks("goal.by_when")

    shown = talk.say("Kesään mennessä")
    assert "?" not in shown.text
    assert talk.under("by_when") == ["Kesään mennessä"]
    assert talk.service.missing("goal", talk.sheet) == ("first_step",)

    back = talk.say("takaisin")
    assert back.asks("goal.by_when")
    again = talk.say("takaisin")
    assert again.asks("goal.first_step"), "what was passed over can be come back to"
    done = talk.say("Varaan huomenna ajan mentorille.")
    assert "?" not in done.text, "the sheet was shown before, so nothing more is asked"
    assert talk.under("first_step") == ["Varaan huomenna ajan mentorille."]
    assert talk.service.missing("goal", talk.sheet) == ()

    thanked = talk.say("Kiitos!")
    assert "?" not in thanked.text
    for heard in (greeted, wished, explained, noticed, unsure, passed, shown, back, again, done, thanked):
        assert_good_reply(heard)


def test_everything_on_the_sheet_is_a_sentence_of_hers_from_the_turn_it_names() -> None:
    talk = Talk("goal", "fi")
    for text in (
        f"{WISH} {REASON} {HELP}",
        "Huomaan sen siitä, että muut kuuntelevat.",
        "Kesään mennessä, viimeistään.",
    ):
        talk.say(text)
    said = {turn.sequence: turn.text for turn in talk.turns if turn.speaker == "actor"}
    assert len(talk.sheet.entries) >= 5
    for entry in talk.sheet.entries:
        assert entry.turn is not None
        assert entry.text in said[entry.turn]


def test_nothing_is_asked_in_the_same_words_twice() -> None:
    talk = Talk("goal", "fi")
    for text in ("En tiedä", "ohita", "En tiedä", "ohita", "en tiedä", "ohita", "Mitä tarkoitat?", "En tiedä"):
        talk.say(text)
    asked = [
        question
        for turn in talk.turns
        if turn.speaker == "peili"
        for element in ("what", "why", "evidence", "first_step", "by_when", "support")
        for question in card_questions(f"goal.{element}", "fi")
        if turn.text.endswith(question)
    ]
    assert len(asked) >= 7
    assert len(set(asked)) == len(asked)


def test_a_question_of_hers_is_answered_from_the_library_and_the_conversation_goes_on() -> None:
    talk = Talk("goal", "fi")
    talk.say(f"{WISH} {REASON}")
    before = talk.sheet
    heard = talk.say("Mitä SMART-tavoite tarkoittaa?")
    assert heard.reply.citations[0].card_id == "ACT-11"
    assert heard.sources[0].card_id == "ACT-11"
    assert talk.sheet == before
    assert_good_reply(heard)
    assert talk.say("Huomaan sen siitä, että muut kuuntelevat.").asks("goal.first_step")


def test_events_come_in_the_order_the_page_needs_them() -> None:
    heard = Talk("goal", "fi").say(WISH)
    kinds = [type(event) for event in heard.events]
    assert kinds == [SheetChanged, Sources, Text, Text, Finished]


def test_sources_are_shown_for_what_she_writes_but_not_for_a_thank_you() -> None:
    talk = Talk("goal", "fi")
    heard = talk.say(WISH)
    assert 1 <= len(heard.sources) <= 3
    assert heard.sources[0].card_id == heard.reply.citations[0].card_id
    talk.say("valmis")
    assert talk.say("Kiitos!").sources == ()


def test_a_sentence_of_which_peili_is_not_sure_is_asked_about_and_goes_where_she_says() -> None:
    talk = Talk("goal", "fi")
    talk.say(WISH)
    talk.say("valmis")
    heard = talk.say("Hiljainen huone.")
    assert "”Hiljainen huone”" in heard.text
    assert heard.text.count("?") == 1
    asked_in = [turn.sequence for turn in talk.turns if turn.speaker == "actor"][-1]
    talk.say("jälkimmäinen")
    (entry,) = [entry for entry in talk.sheet.entries if entry.text == "Hiljainen huone."]
    assert entry.turn == asked_in
    assert entry.element != "what"


def test_a_sentence_that_fits_neither_is_left_off_the_sheet() -> None:
    talk = Talk("goal", "fi")
    talk.say(WISH)
    talk.say("valmis")
    talk.say("Hiljainen huone.")
    heard = talk.say("ei kumpaankaan")
    assert "?" not in heard.text
    assert "Hiljainen huone." not in [entry.text for entry in talk.sheet.entries]
