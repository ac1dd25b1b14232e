"""How well the search finds and how well it knows when to be silent, on questions with a known answer.

A file of such questions (tests/evals/retrieval/dev.tsv) has a line each: card id or NONE, language and query, tab
between, with a heading line. The numbers in search.py come from `threshold` and `measure` on that file.
"""

from __future__ import annotations

import csv
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import get_args

from assistant.domain import Language
from assistant.errors import LibraryError
from assistant.library.search import Search

_OUT_OF_SCOPE = "NONE"


@dataclass(frozen=True, slots=True)
class Case:
    """A query and the card that answers it; None if nothing in the library does."""

    card_id: str | None
    language: Language
    query: str


@dataclass(frozen=True, slots=True)
class Measures:
    """Shares of 0..1; None where there was nothing to count.

    `first` and `first_three`: questions whose card stands there, whether the search abstained or not. `abstained_right`
    (precision): abstentions that were out of scope; `refused` (recall): what was out of scope and was abstained from.
    """

    questions: int
    out_of_scope: int
    first: float | None
    first_three: float | None
    abstained_right: float | None
    refused: float | None


def read_cases(path: Path) -> tuple[Case, ...]:
    """The cases in a file. Raises LibraryError if a line is not one."""
    with path.open(encoding="utf-8", newline="") as source:
        rows = list(csv.reader(source, delimiter="\t", quoting=csv.QUOTE_NONE))
    if not rows or rows[0] != ["id", "language", "query"]:
        raise LibraryError("library_file_field", file=path.name, field="id, language, query")
    for number, row in enumerate(rows[1:], start=2):
        if len(row) != 3 or row[1] not in get_args(Language) or not row[2].strip():
            raise LibraryError("library_file_field", file=path.name, field=str(number))
    return tuple(
        Case(None if card_id == _OUT_OF_SCOPE else card_id, language, query)  # type: ignore[arg-type]  # checked above
        for card_id, language, query in rows[1:]
    )


def measure(search: Search, cases: Iterable[Case]) -> Measures:
    """Ask every case in its language."""
    places: list[int] = []
    abstentions: list[bool] = []
    refusals: list[bool] = []
    for case in cases:
        result = search.find(case.query, language=case.language, limit=3)
        if case.card_id is None:
            refusals.append(result.abstained)
        else:
            ids = [hit.card_id for hit in result.hits]
            places.append(ids.index(case.card_id) + 1 if case.card_id in ids else 0)
        if result.abstained:
            abstentions.append(case.card_id is None)
    return Measures(
        questions=len(places),
        out_of_scope=len(refusals),
        first=_share([place == 1 for place in places]),
        first_three=_share([place > 0 for place in places]),
        abstained_right=_share(abstentions),
        refused=_share(refusals),
    )


def threshold(search: Search, cases: Iterable[Case]) -> float:
    """The evidence that best parts the questions from what is out of scope, by balanced accuracy.

    It lies half-way between two cases, where there is a choice in the middle of the widest gap. Both sorts of case
    have to be there.
    """
    inside: list[float] = []
    outside: list[float] = []
    for case in cases:
        (outside if case.card_id is None else inside).append(search.evidence(case.query, case.language))
    values = sorted({*inside, *outside})

    def merit(gap: tuple[float, float]) -> tuple[float, float]:
        kept = sum(value > gap[0] for value in inside) / len(inside)
        refused = sum(value <= gap[0] for value in outside) / len(outside)
        return kept + refused, gap[1] - gap[0]

    low, high = max(pairwise(values), key=merit)
    return (low + high) / 2


def _share(found: Sequence[bool]) -> float | None:
    return sum(found) / len(found) if found else None
