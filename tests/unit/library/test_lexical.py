"""The words of a card are found in their inflected forms, in the asked language first."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from small_library import knowledge_in

from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.lexical import OTHER_LANGUAGE, Lexical
from assistant.library.passages import passages
from assistant.paths import PROJECT_ROOT


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library.load(knowledge_in(tmp_path))


@pytest.mark.parametrize(
    ("language", "query", "card_id"),
    [
        ("fi", "miten kirjoitan tavoitteeni", "ACT-10"),
        ("fi", "YHTEISISTÄ PELISÄÄNNÖISTÄ", "KIC-04"),
        ("sv", "mina målen formulerade", "ACT-10"),
        ("sv", "spelreglerna", "KIC-04"),
        ("en", "I wrote goals", "ACT-10"),
        ("en", "what rule is shared?", "KIC-04"),
    ],
)
def test_a_card_is_found_by_other_forms_of_its_words(
    library: Library, language: Language, query: str, card_id: str
) -> None:
    matches = Lexical(library).matches(query, language)
    assert max(matches, key=lambda found: matches[found].order) == card_id
    assert matches[card_id].language == language


def test_a_match_in_another_language_counts_less(library: Library) -> None:
    lexical = Lexical(library)
    own = lexical.matches("pelisäännöt", "fi")["KIC-04"]
    other = lexical.matches("pelisäännöt", "en")["KIC-04"]
    assert (own.language, other.language) == ("fi", "fi")
    assert other.order == pytest.approx(own.order * OTHER_LANGUAGE)
    assert other.coverage == pytest.approx(own.coverage * OTHER_LANGUAGE)
    assert lexical.matches("pelisäännöt", None)["KIC-04"] == own


def test_words_that_no_card_has_find_nothing_and_lower_what_is_found(library: Library) -> None:
    lexical = Lexical(library)
    assert lexical.matches("weather tomorrow", "en") == {}
    alone = lexical.matches("goal", "en")["ACT-10"]
    among = lexical.matches("goal of yesterday's football match", "en")["ACT-10"]
    assert 0 < among.order < alone.order / 2 < 1
    assert 0 < among.coverage < alone.coverage / 2 < 1


def test_the_passage_with_the_rarest_shared_words_is_chosen_and_else_the_first() -> None:
    library = Library.load(PROJECT_ROOT / "knowledge")
    lexical = Lexical(library)
    for language in LANGUAGES:
        card = library.card("ACT-10", language)
        for passage in passages(card):
            if passage.section != "questions":
                assert lexical.best_passage(card, passage.text) == passage
        assert lexical.best_passage(card, "xyzzy") == passages(card)[0]


def test_many_people_can_ask_at_once(library: Library) -> None:
    lexical = Lexical(library)
    queries = [f"kirjoitan tavoitteen {number} pelisäännöistä{number}" for number in range(200)]
    alone = [Lexical(library).matches(query, "fi") for query in queries[:20]]
    with ThreadPoolExecutor(8) as people:
        together = list(people.map(lambda query: lexical.matches(query, "fi"), queries))
    assert together[:20] == alone
