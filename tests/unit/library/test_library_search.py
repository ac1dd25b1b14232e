"""What a person types finds the card they need, in their language, or a plain 'nothing fits'."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from small_library import ENCODER, NGramEncoder, change, index_in, knowledge_in

from assistant.domain import LANGUAGES, Language, SearchResult
from assistant.errors import Cancelled, LibraryError, WorkerError
from assistant.library.cards import Library
from assistant.library.index import LibraryIndex, OpenIndex
from assistant.library.passages import card_text
from assistant.library.search import Search
from assistant.paths import PROJECT_ROOT

LIBRARY = Library.load(PROJECT_ROOT / "knowledge")
DIMENSION = 768


@pytest.fixture(scope="module")
def opened(tmp_path_factory: pytest.TempPathFactory) -> Iterator[OpenIndex]:
    """The shipped cards in a real index, with vectors from letter triples, as long as real ones."""
    identity, encoder = replace(ENCODER, dimension=DIMENSION), NGramEncoder(DIMENSION)
    index = LibraryIndex(tmp_path_factory.mktemp("home") / "library", LIBRARY, identity)
    index.build(encoder)
    found = index.open(encoder)
    yield found
    found.close()


@pytest.fixture(scope="module", params=["both legs", "words alone"])
def search(request: pytest.FixtureRequest, opened: OpenIndex) -> Search:
    made = Search(LIBRARY, (lambda: opened) if request.param == "both legs" else (lambda: None))
    made.learn()
    return made


def ids(result: SearchResult) -> list[str]:
    return [hit.card_id for hit in result.hits]


@pytest.mark.parametrize(
    ("language", "query", "card_id"),
    [
        ("fi", "Haluan sanoittaa tavoitteeni", "ACT-10"),
        ("fi", "miten sovitaan yhteiset pelisäännöt", "KIC-04"),
        ("sv", "öppna och slutna frågor", "DUR-03"),
        ("sv", "jag orkar inte leva längre", "SAF-02"),
        ("en", "the GROW model", "MEN-02"),
        ("en", "what so what now what", "REF-01"),
    ],
)
def test_the_card_that_helps_comes_first(search: Search, language: Language, query: str, card_id: str) -> None:
    result = search.find(query, language=language)
    assert not result.abstained
    assert ids(result)[0] == card_id


def test_the_weather_is_not_in_the_library() -> None:
    assert Search(LIBRARY).find("What will the weather be tomorrow?", language="en").abstained


def test_everything_a_person_says_finds_its_own_card(search: Search) -> None:
    said = [(card, text) for language in LANGUAGES for card in LIBRARY.cards(language) for text in card.says]
    found = [search.find(text, language=card.language, limit=1).hits[0].card_id == card.id for card, text in said]
    stand_in = "dense" in search.find("tavoite").legs  # letter triples in the place of the encoder's vectors
    assert sum(found) / len(found) > (0.95 if stand_in else 0.97)


@pytest.mark.parametrize("language", LANGUAGES)
def test_cards_are_shown_in_the_asked_language_whatever_the_query_was_in(search: Search, language: Language) -> None:
    for query in ("Haluan sanoittaa tavoitteeni", "Hur formulerar jag ett mål?", "How do I write a goal?"):
        result = search.find(query, language=language)
        assert {hit.language for hit in result.hits} == {language}
        assert "ACT-10" in ids(result)[:3]


def test_without_an_asked_language_the_answer_is_in_the_querys_own(search: Search) -> None:
    for query, language in (
        ("yhteiset pelisäännöt", "fi"),
        ("våra gemensamma spelregler", "sv"),
        ("ground rules", "en"),
    ):
        assert {hit.language for hit in search.find(query).hits} == {language}


def test_each_hit_carries_a_passage_that_stands_in_its_card(search: Search) -> None:
    for query in ("tavoite", "miten kysyn mentorilta", "I am stuck", "vad är mentorskap"):
        for hit in search.find(query, limit=10).hits:
            card = LIBRARY.card(hit.card_id, hit.language)
            assert hit.passage.text in card_text(card)
            assert (hit.passage.card_id, hit.passage.language) == (hit.card_id, hit.language)
            assert hit.title == card.title
            assert 0 <= hit.score <= 1


def test_no_card_is_shown_twice_and_no_more_than_asked(search: Search) -> None:
    for limit in (1, 3, 50):
        found = ids(search.find("tavoite ja kysymys", language="fi", limit=limit))
        assert len(found) <= limit
        assert len(set(found)) == len(found)
    assert search.find("tavoite", limit=0).hits == ()


def test_the_same_question_has_the_same_answer(search: Search) -> None:
    assert search.find("Miten valmistaudun?", language="fi") == search.find("Miten valmistaudun?", language="fi")


def test_blanks_and_capitals_and_the_way_a_letter_is_written_make_no_difference(search: Search) -> None:
    plain = search.find("pelisäännöt", language="fi")
    assert search.find("  Pelisa\u0308a\u0308nno\u0308t \n", language="fi") == plain


@pytest.mark.parametrize("query", ["", "   \n\t", "???", "…", "🙂"])
def test_nothing_said_finds_nothing(search: Search, query: str) -> None:
    assert search.find(query) == SearchResult(abstained=True, hits=(), legs=())


def test_a_very_long_text_is_answered_by_its_beginning(search: Search) -> None:
    text = "Miten sovimme yhteisistä pelisäännöistä? " * 400
    assert len(text) > 16_000
    assert ids(search.find(text, language="fi"))[0] == "KIC-04"
    assert search.find("ä" * 16_384, language="fi").abstained


def test_what_came_closest_is_kept_when_nothing_fits(opened: OpenIndex) -> None:
    result = Search(LIBRARY, lambda: opened).find("zzzz qqqq xxxx", language="en")
    assert result.abstained
    assert len(result.hits) == 5


def test_the_legs_that_took_part_are_told(opened: OpenIndex) -> None:
    assert Search(LIBRARY, lambda: opened).find("tavoite").legs == ("dense", "lexical")
    assert Search(LIBRARY).find("tavoite").legs == ("lexical",)


class FailingEncoder(NGramEncoder):
    """An encoder whose worker stops as soon as somebody asks something."""

    def __init__(self, error: Exception) -> None:
        super().__init__()
        self.error = error

    def embed_query(self, text: str) -> list[float]:
        raise self.error


@pytest.mark.parametrize("error", [WorkerError("worker_died"), LibraryError("index_failed", detail="x")])
def test_an_encoder_that_fails_leaves_the_words(tmp_path: Path, error: Exception) -> None:
    knowledge = knowledge_in(tmp_path / "knowledge")
    index = index_in(tmp_path, knowledge)
    index.build(NGramEncoder())
    opened = index.open(FailingEncoder(error))
    result = Search(Library.load(knowledge), lambda: opened).find("pelisäännöistä", language="fi")
    assert result.legs == ("lexical",)
    assert ids(result)[0] == "KIC-04"
    opened.close()


def test_a_person_who_stops_the_reply_stops_the_search(tmp_path: Path) -> None:
    index = index_in(tmp_path, knowledge_in(tmp_path / "knowledge"))
    index.build(NGramEncoder())
    opened = index.open(FailingEncoder(Cancelled()))
    with pytest.raises(Cancelled):
        Search(LIBRARY, lambda: opened).find("tavoite")
    opened.close()


def test_an_index_that_goes_away_while_open_leaves_the_words(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path / "knowledge")
    index = index_in(tmp_path, knowledge)
    index.build(NGramEncoder())
    opened = index.open(NGramEncoder())
    opened.close()
    shutil.rmtree(tmp_path / "library")
    result = Search(Library.load(knowledge), lambda: opened).find("ground rules", language="en")
    assert (result.legs, ids(result)[0]) == (("lexical",), "KIC-04")


def twins(folder: Path) -> Library:
    """A library in which KIC-04 says word for word what ACT-10 says, but to mentors and in another phase."""
    knowledge = knowledge_in(folder)
    for language in LANGUAGES:
        shutil.copy(knowledge / language / "ACT-10.md", knowledge / language / "KIC-04.md")
        change(knowledge / language / "KIC-04.md", 'id = "ACT-10"', 'id = "KIC-04"')
        change(knowledge / language / "KIC-04.md", '["actor"]', '["mentor"]')
        change(knowledge / language / "KIC-04.md", '["before"]', '["closing"]')
    return Library.load(knowledge)


def test_role_and_phase_turn_what_is_otherwise_equal_and_hide_nothing(tmp_path: Path) -> None:
    search = Search(twins(tmp_path))
    assert ids(search.find("writing a goal")) == ["ACT-10", "KIC-04"]
    assert ids(search.find("writing a goal", role="actor")) == ["ACT-10", "KIC-04"]
    assert ids(search.find("writing a goal", role="mentor")) == ["KIC-04", "ACT-10"]
    assert ids(search.find("writing a goal", phase="closing")) == ["KIC-04", "ACT-10"]
    assert ids(search.find("writing a goal", phase="any")) == ["ACT-10", "KIC-04"]


def test_a_role_does_not_outweigh_what_was_asked(search: Search) -> None:
    assert ids(search.find("GROW", language="en", role="actor"))[0] == "MEN-02"


def test_a_card_that_is_not_written_in_the_asked_language_is_shown_in_another(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path / "knowledge")
    (knowledge / "sv" / "KIC-04.md").unlink()
    (knowledge / "en" / "KIC-04.md").unlink()
    hit = Search(Library.load(knowledge)).find("yhteiset pelisäännöt", language="sv").hits[0]
    assert (hit.card_id, hit.language) == ("KIC-04", "fi")
