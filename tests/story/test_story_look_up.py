"""Somebody looks something up: a card that fits with its words, or an honest 'nothing'."""

from __future__ import annotations

import pytest
from fakes.dialogue import Talk, library

from assistant.domain import Language
from assistant.library.passages import card_text


@pytest.mark.parametrize(
    ("language", "query", "card_id"),
    [
        ("fi", "Omat pelisäännöt", "KIC-04"),
        ("sv", "Hur kommer vi överens om spelregler?", "KIC-04"),
        ("en", "we need ground rules for our mentoring", "KIC-04"),
        ("fi", "SMART-tavoite", "ACT-11"),
        ("en", "open and closed questions", "DUR-03"),
    ],
)
def test_a_card_that_fits_is_shown_first_and_quoted_word_for_word(language: Language, query: str, card_id: str) -> None:
    talk = Talk("lookup", language)
    assert talk.turns == (), "a conversation with the library begins with the person"
    heard = talk.say(query)
    card = library().card(card_id, language)
    assert heard.sources[0].card_id == card_id
    assert card.title in heard.text
    (citation,) = heard.reply.citations
    assert (citation.card_id, citation.language) == (card_id, language)
    assert citation.quote in card_text(card)
    assert heard.reply.voice == "curated"
    assert len(heard.text.split()) <= 90
    assert talk.sheet.entries == ()


@pytest.mark.parametrize(
    ("language", "query"),
    [
        ("fi", "Miten vaihdan polkupyörän ketjun?"),
        ("sv", "Vad kostar en liter mjölk?"),
        ("en", "who won the ice hockey world championship"),
        ("en", "xyzzy"),
        ("fi", "???"),
    ],
)
def test_where_the_library_has_nothing_it_says_so_and_cites_nothing(language: Language, query: str) -> None:
    heard = Talk("lookup", language).say(query)
    assert heard.reply.citations == ()
    assert any(word in heard.text for word in ("ei ole tästä mitään", "inget om detta", "nothing on this"))


def test_each_question_is_answered_in_the_language_it_was_asked_in() -> None:
    talk = Talk("lookup", "fi")
    assert talk.say("How do we agree on ground rules?").reply.language == "en"
    assert talk.say("Miten sovimme yhteisistä pelisäännöistä?").reply.language == "fi"
    assert talk.say("Hur kommer vi överens om spelregler?").reply.language == "sv"
    assert {turn.language for turn in talk.turns[-2:]} == {"sv"}


def test_words_that_steer_elsewhere_are_a_query_like_any_other_here() -> None:
    heard = Talk("lookup", "en").say("back")
    assert heard.reply.text
    assert heard.reply.state == "complete"
