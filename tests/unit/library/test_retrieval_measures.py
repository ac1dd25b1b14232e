"""The numbers of the search rest on queries that were written for it and are kept apart from the cards."""

from __future__ import annotations

import math
from collections import Counter
from pathlib import Path

import pytest

from assistant.bench.judging import (
    MEASURES,
    Answer,
    Query,
    abstention_precision,
    abstention_recall,
    answer,
    ndcg,
    read_queries,
    recall,
    refused,
    threshold,
)
from assistant.domain import LANGUAGES
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.search import LEXICAL_THRESHOLD, Search
from assistant.paths import PROJECT_ROOT

EVALS = PROJECT_ROOT / "tests" / "evals" / "retrieval"
FILES = ("tuning.tsv", "eval.tsv")
LIBRARY = Library.load(PROJECT_ROOT / "knowledge")
GOAL = Query("ACT-10", "en", "writing a goal", "plain")
PIZZA = Query(None, "en", "pizza", "outside")


def plainly(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


@pytest.mark.parametrize("file", FILES)
def test_the_queries_ask_for_every_card_in_every_language_and_are_not_taken_from_the_cards(file: str) -> None:
    said = {plainly(text) for language in LANGUAGES for card in LIBRARY.cards(language) for text in card.says}
    queries = read_queries(EVALS / file)
    asked = {(query.card_id, query.language) for query in queries if query.card_id}
    assert asked == {(card_id, language) for card_id in LIBRARY.ids() for language in LANGUAGES}
    assert [query.text for query in queries if plainly(query.text) in said] == []
    assert len({plainly(query.text) for query in queries}) == len(queries)


def test_there_is_enough_of_every_kind_in_the_evaluation() -> None:
    queries = read_queries(EVALS / "eval.tsv")
    kinds = Counter(query.kind for query in queries)
    assert len(queries) >= 360
    assert kinds["outside"] >= 40
    assert kinds["mixed"] >= 60
    assert kinds["typo"] >= 30
    assert kinds["short"] >= 30
    assert all(len(query.text.split()) <= 2 for query in queries if query.kind == "short")


def test_no_query_of_the_evaluation_was_used_for_the_numbers() -> None:
    used, kept = ({plainly(query.text) for query in read_queries(EVALS / file)} for file in FILES)
    assert not used & kept


def test_the_threshold_of_the_words_is_near_the_one_the_tuning_queries_ask_for() -> None:
    search = Search(LIBRARY)
    asked_for = threshold(lambda query: search.evidence(query.text, query.language), read_queries(EVALS / "tuning.tsv"))
    assert abs(LEXICAL_THRESHOLD - asked_for) < 0.03


def test_a_share_is_what_it_is_called() -> None:
    answers = [
        answer(GOAL, ["ACT-10", "ACT-11"]),
        answer(GOAL, ["ACT-11", "KIC-04", "ACT-10"]),
        answer(GOAL, ["ACT-11"], abstained=True),
        answer(GOAL, ["A", "B", "C", "D", "E", "ACT-10"]),
        answer(PIZZA, ["ACT-10"], abstained=True),
        answer(PIZZA, ["ACT-10"]),
    ]
    values = {name: share.value for name, found in MEASURES.items() if (share := found(answers))}
    assert values["recall_at_1"] == pytest.approx(1 / 4)
    assert values["recall_at_3"] == pytest.approx(2 / 4)
    assert values["ndcg_at_5"] == pytest.approx((1 + 1 / math.log2(4)) / 4)
    assert values["abstention_precision"] == pytest.approx(1 / 2)
    assert values["abstention_recall"] == pytest.approx(1 / 2)
    assert values["refused"] == pytest.approx(1 / 4)


def test_where_there_is_nothing_to_count_there_is_no_share() -> None:
    only_pizza = [answer(PIZZA, [])]
    assert recall(only_pizza, 1) is ndcg(only_pizza) is refused(only_pizza) is None
    assert abstention_precision(only_pizza) is None
    assert abstention_recall([answer(GOAL, [])]) is None


def test_an_interval_holds_the_share_and_narrows_with_more_answers() -> None:
    few = [Answer(GOAL, place, False) for place in (1, 0, 1, 1)]
    wide, narrow = recall(few, 1), recall(few * 50, 1)
    assert wide is not None
    assert narrow is not None
    assert wide.low <= wide.value == narrow.value <= wide.high
    assert narrow.high - narrow.low < (wide.high - wide.low) / 2
    assert (wide.n, narrow.n) == (4, 200)
    assert recall(few, 1) == wide, "the same answers have the same interval"


def test_the_threshold_parts_what_has_an_answer_from_the_rest() -> None:
    evidence = {"writing a goal": 0.9, "ground rules": 0.7, "a goal of football": 0.4, "pizza": 0.1}
    queries = [
        GOAL,
        Query("KIC-04", "en", "ground rules", "plain"),
        Query(None, "en", "a goal of football", "outside"),
        PIZZA,
    ]
    assert threshold(lambda query: evidence[query.text], queries) == pytest.approx(0.55)


@pytest.mark.parametrize(
    "content",
    [
        "",
        "id\tlanguage\tquery\n",
        "id\tlanguage\tquery\tkind\nACT-10\tde\tx\tplain\n",
        "id\tlanguage\tquery\tkind\nx\n",
        "id\tlanguage\tquery\tkind\nNONE\ten\tx\tplain\n",
        "id\tlanguage\tquery\tkind\nACT-10\ten\tx\toutside\n",
        "id\tlanguage\tquery\tkind\nACT-10\ten\tx\tlong\n",
    ],
)
def test_a_line_that_is_no_query_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / "queries.tsv").write_text(content, encoding="utf-8")
    with pytest.raises(LibraryError) as raised:
        read_queries(tmp_path / "queries.tsv")
    assert raised.value.params["file"] == "queries.tsv"
