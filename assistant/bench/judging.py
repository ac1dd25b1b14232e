"""How well a search finds and how well it knows when to be silent, on queries with a known answer.

A file of such queries (tests/evals/retrieval/) has a line each: card id or NONE, the language the app is set to, the
query and its kind, tab between, with a heading line. `eval.tsv` is never used for a choice; `tuning.tsv` is.

Measures: recall at 1 and 3 and nDCG at 5 over the queries that have an answer (Järvelin and Kekäläinen 2002; with one
right card the gain is 1 / log2(1 + place)); precision and recall of abstaining; and the share of answerable queries
that were refused. Intervals are 95 % percentile bootstraps (Efron 1979) over queries.
"""

from __future__ import annotations

import csv
import math
import random
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Literal, NamedTuple, get_args

from assistant.domain import Language
from assistant.errors import LibraryError

Kind = Literal["plain", "typo", "short", "mixed", "outside"]
_HEADING = ["id", "language", "query", "kind"]
_OUT_OF_SCOPE = "NONE"
_DEEP = 5
_RESAMPLES = 1000
_SEED = 20261122


@dataclass(frozen=True, slots=True)
class Query:
    """What a person typed with the app set to `language`, and the card that answers it; None if nothing does."""

    card_id: str | None
    language: Language
    text: str
    kind: Kind


@dataclass(frozen=True, slots=True)
class Answer:
    """What a system made of a query: the right card's place among the first five (0: not there), and abstention."""

    query: Query
    place: int
    abstained: bool


class Share(NamedTuple):
    """A mean of n values in 0..1 with its 95 % interval."""

    value: float
    low: float
    high: float
    n: int


def read_queries(path: Path) -> tuple[Query, ...]:
    """The queries in a file. Raises LibraryError if a line is not one."""
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != _HEADING:
        raise LibraryError("library_file_field", file=path.name, field=", ".join(_HEADING))
    for number, row in enumerate(rows[1:], start=2):
        if not _is_query(row):
            raise LibraryError("library_file_field", file=path.name, field=str(number))
    return tuple(
        Query(None if card_id == _OUT_OF_SCOPE else card_id, language, query, kind)  # type: ignore[arg-type]  # checked
        for card_id, language, query, kind in rows[1:]
    )


def _is_query(row: Sequence[str]) -> bool:
    return (
        len(row) == len(_HEADING)
        and row[1] in get_args(Language)
        and bool(row[2].strip())
        and row[3] in get_args(Kind)
        and (row[0] == _OUT_OF_SCOPE) == (row[3] == "outside")
    )


def answer(query: Query, ranked: Sequence[str], abstained: bool = False) -> Answer:
    """The answer of a system that ranked the cards so."""
    first = list(ranked[:_DEEP])
    return Answer(query, first.index(query.card_id) + 1 if query.card_id in first else 0, abstained)


def recall(answers: Iterable[Answer], within: int) -> Share | None:
    """Share of the answerable queries whose card is among the first `within`."""
    return _share([float(0 < item.place <= within) for item in answers if item.query.card_id])


def ndcg(answers: Iterable[Answer]) -> Share | None:
    """Mean nDCG at 5 of the answerable queries."""
    return _share([1 / math.log2(1 + item.place) if item.place else 0.0 for item in answers if item.query.card_id])


def abstention_precision(answers: Iterable[Answer]) -> Share | None:
    """Share of the abstentions that were right."""
    return _share([float(item.query.card_id is None) for item in answers if item.abstained])


def abstention_recall(answers: Iterable[Answer]) -> Share | None:
    """Share of what is out of scope that was abstained from."""
    return _share([float(item.abstained) for item in answers if item.query.card_id is None])


def refused(answers: Iterable[Answer]) -> Share | None:
    """Share of the answerable queries that were abstained from."""
    return _share([float(item.abstained) for item in answers if item.query.card_id])


def threshold(evidence: Callable[[Query], float], queries: Iterable[Query]) -> float:
    """The evidence that best parts what has an answer from what has none, by balanced accuracy.

    It lies half-way between two queries, where there is a choice in the middle of the widest gap. Both sorts of query
    have to be there.
    """
    inside: list[float] = []
    outside: list[float] = []
    for query in queries:
        (outside if query.card_id is None else inside).append(evidence(query))
    values = sorted({*inside, *outside})

    def merit(gap: tuple[float, float]) -> tuple[float, float]:
        kept = sum(value > gap[0] for value in inside) / len(inside)
        out = sum(value <= gap[0] for value in outside) / len(outside)
        return kept + out, gap[1] - gap[0]

    low, high = max(pairwise(values), key=merit)
    return (low + high) / 2


Measure = Callable[[Iterable[Answer]], Share | None]
MEASURES: dict[str, Measure] = {
    "recall_at_1": lambda answers: recall(answers, 1),
    "recall_at_3": lambda answers: recall(answers, 3),
    "ndcg_at_5": ndcg,
    "abstention_precision": abstention_precision,
    "abstention_recall": abstention_recall,
    "refused": refused,
}


def _share(values: Sequence[float]) -> Share | None:
    if not values:
        return None
    drawn = random.Random(_SEED)  # noqa: S311  # the same interval for the same values, every time
    means = sorted(sum(drawn.choices(values, k=len(values))) / len(values) for _ in range(_RESAMPLES))
    low, high = means[round(0.025 * _RESAMPLES)], means[round(0.975 * _RESAMPLES) - 1]
    return Share(sum(values) / len(values), low, high, len(values))
