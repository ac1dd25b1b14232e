"""The numbers of the search rest on questions that were written for it and are kept apart from the cards."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_library import knowledge_in

from assistant.domain import LANGUAGES
from assistant.errors import LibraryError
from assistant.library.calibration import Case, measure, read_cases, threshold
from assistant.library.cards import Library
from assistant.library.search import LEXICAL_THRESHOLD, Search
from assistant.paths import PROJECT_ROOT

EVALS = PROJECT_ROOT / "tests" / "evals" / "retrieval"
LIBRARY = Library.load(PROJECT_ROOT / "knowledge")


def plainly(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@pytest.mark.parametrize("file", ["dev.tsv", "check.tsv"])
def test_the_questions_name_real_cards_and_are_not_taken_from_them(file: str) -> None:
    said = {plainly(text) for language in LANGUAGES for card in LIBRARY.cards(language) for text in card.says}
    cases = read_cases(EVALS / file)
    assert {case.card_id for case in cases if case.card_id} == set(LIBRARY.ids())
    assert not said & {plainly(case.query) for case in cases}
    assert all(sum(case.language == language for case in cases) > 10 for language in LANGUAGES)


def test_no_question_of_the_check_was_used_for_the_numbers() -> None:
    assert not {case.query for case in read_cases(EVALS / "dev.tsv")} & {
        case.query for case in read_cases(EVALS / "check.tsv")
    }


@pytest.mark.parametrize("file", ["dev.tsv", "check.tsv"])
def test_words_alone_find_most_and_are_silent_where_they_should_be(file: str) -> None:
    measures = measure(Search(LIBRARY), read_cases(EVALS / file))
    assert measures.first is not None and measures.first > 0.78
    assert measures.first_three is not None and measures.first_three > 0.9
    assert measures.abstained_right is not None and measures.abstained_right > 0.75
    assert measures.refused is not None and measures.refused > 0.8


def test_the_threshold_of_the_words_is_near_the_one_the_questions_ask_for() -> None:
    asked_for = threshold(Search(LIBRARY), read_cases(EVALS / "dev.tsv"))
    assert abs(LEXICAL_THRESHOLD - asked_for) < 0.03


def test_shares_are_counted_as_they_are_named(tmp_path: Path) -> None:
    search = Search(Library.load(knowledge_in(tmp_path)))
    measures = measure(
        search,
        [
            Case("ACT-10", "en", "writing a goal"),
            Case("KIC-04", "en", "writing a goal"),
            Case("KIC-04", "en", "pancakes"),
            Case(None, "en", "pizza"),
            Case(None, "en", "shared ground rules"),
        ],
    )
    assert (measures.questions, measures.out_of_scope) == (3, 2)
    assert measures.first == pytest.approx(1 / 3)
    assert measures.first_three == pytest.approx(2 / 3)
    assert measures.abstained_right == pytest.approx(1 / 2)
    assert measures.refused == pytest.approx(1 / 2)
    assert measure(search, []).first is None


def test_the_threshold_parts_questions_from_the_rest(tmp_path: Path) -> None:
    search = Search(Library.load(knowledge_in(tmp_path)))
    cases = [
        Case("ACT-10", "en", "writing a goal"),
        Case("KIC-04", "en", "ground rules"),
        Case(None, "en", "a goal of football"),
        Case(None, "en", "pizza"),
    ]
    found = threshold(search, cases)
    assert search.evidence("a goal of football", "en") < found < search.evidence("ground rules", "en")


@pytest.mark.parametrize(
    "content", ["", "id\tquery\n", "id\tlanguage\tquery\nACT-10\tde\tx\n", "id\tlanguage\tquery\nx\n"]
)
def test_a_line_that_is_no_question_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "cases.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(LibraryError) as raised:
        read_cases(tmp_path / "cases.tsv")
    assert raised.value.params["file"] == "cases.tsv"
