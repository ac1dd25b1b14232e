"""Cues of the boundaries: phrases that say a message needs a fixed answer, found without a model.

The cues stand in `knowledge/boundaries/<lang>.toml`; cue_phrases.py explains their syntax. A cue does not count where
it overlaps an `unless` phrase of its group or an `idioms` phrase of any language: an idiom hides only itself, never the
rest of the message. A group with `instead_of` takes the place of the kinds it names where their cues overlap its own
("she wants to die" is a concern, not the writer's own crisis); the message stays noticed. The gaps of all these hiding
phrases pass over no punctuation and no word the writer uses of themself (`own`), so that in "he left me, I want to
die" nothing is hidden.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

from assistant.dialogue.cue_phrases import Phrase, Words, fold, parse_phrase
from assistant.domain import LANGUAGES
from assistant.errors import LibraryError

BoundaryKind = Literal[
    "danger",
    "crisis",
    "violence",
    "concern",
    "harassment",
    "others_text",
    "distress",
    "health_legal",
    "abilities",
]
"""What a message may need instead of the flow, the most pressing first."""

BOUNDARY_KINDS: tuple[BoundaryKind, ...] = get_args(BoundaryKind)
CUES_FOLDER = "boundaries"

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Group:
    """Cues of one kind that share their exceptions.

    `instead_of`: kinds whose cues do not count where they overlap a cue of this group. `after`: they count only if one
    of these kinds came up earlier in the conversation. `answering`: only if Peili's last message was of one of these
    kinds, so that the text is likely to answer its question.
    """

    kind: BoundaryKind
    any: tuple[Phrase, ...]
    unless: tuple[Phrase, ...] = ()
    instead_of: frozenset[BoundaryKind] = frozenset()
    after: frozenset[BoundaryKind] = frozenset()
    answering: frozenset[BoundaryKind] = frozenset()

    def counts(self, recent: Collection[BoundaryKind], answering: BoundaryKind | None) -> bool:
        """Whether the conversation so far lets these cues count."""
        earlier = not self.after or not self.after.isdisjoint(recent)
        return earlier and (not self.answering or answering in self.answering)


class Cues:
    """The cues of all languages together: people change language under stress."""

    def __init__(self, groups: Iterable[Group], idioms: Iterable[Phrase] = ()) -> None:
        self._groups = tuple(groups)
        self._index: Mapping[str, list[tuple[int, bool, Phrase]]] = defaultdict(list)
        for number, group in enumerate(self._groups):
            self._add(number, True, group.any)
            self._add(number, False, group.unless)
        self._add(len(self._groups), False, tuple(idioms))

    def kinds(
        self, text: str, recent: Collection[BoundaryKind] = (), answering: BoundaryKind | None = None
    ) -> frozenset[BoundaryKind]:
        """Every kind that has a cue in `text`; see Group for what `recent` and `answering` do."""
        hits, hidden = self._spans(fold(text))
        idioms = hidden[len(self._groups)]
        counted = [
            (group, [hit for hit in hits[number] if not _overlaps(hit, (*idioms, *hidden[number]))])
            for number, group in enumerate(self._groups)
            if hits[number] and group.counts(recent, answering)
        ]
        taken = [(kind, hit) for group, found in counted for kind in group.instead_of for hit in found]
        return frozenset(
            group.kind
            for group, found in counted
            if any(not _overlaps(hit, (other for kind, other in taken if kind == group.kind)) for hit in found)
        )

    def _add(self, number: int, wanted: bool, cues: Iterable[Phrase]) -> None:
        for cue in cues:
            for letters in cue.steps[0].first_letters():
                self._index[letters].append((number, wanted, cue))

    def _spans(self, words: Words) -> tuple[Mapping[int, list[Span]], Mapping[int, list[Span]]]:
        hits: Mapping[int, list[Span]] = defaultdict(list)
        hidden: Mapping[int, list[Span]] = defaultdict(list)
        for start, word in enumerate(words.all):
            for number, wanted, cue in (*self._index.get(word, ()), *self._index.get(f"{word[:2]}*", ())):
                end = cue.end(words, start)
                if end is not None:
                    (hits if wanted else hidden)[number].append((start, end))
        return hits, hidden


def _overlaps(span: Span, others: Iterable[Span]) -> bool:
    return any(span[0] < end and start < span[1] for start, end in others)


class _GroupFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: BoundaryKind
    any: tuple[str, ...]
    unless: tuple[str, ...] = ()
    instead_of: frozenset[BoundaryKind] = frozenset()
    after: frozenset[BoundaryKind] = frozenset()
    answering: frozenset[BoundaryKind] = frozenset()


class _CuesFile(BaseModel):
    model_config = ConfigDict(extra="forbid")
    own: tuple[str, ...]
    sets: dict[str, tuple[str, ...]] = {}
    idioms: tuple[str, ...]
    group: tuple[_GroupFile, ...]


def load_cues(knowledge: Path) -> Cues:
    """The cues of every language under `knowledge`. Raises LibraryError naming the file that cannot be used."""
    groups: list[Group] = []
    idioms: list[Phrase] = []
    for language in LANGUAGES:
        file = f"{CUES_FOLDER}/{language}.toml"
        try:
            raw = _CuesFile.model_validate(tomllib.loads((knowledge / file).read_text(encoding="utf-8")))
            idioms += (parse_phrase(idiom, raw.sets, raw.own) for idiom in raw.idioms)
            groups += (_group(group, raw) for group in raw.group)
        except (OSError, ValueError) as error:
            detail = str(error.errors()[0]["loc"]) if isinstance(error, ValidationError) else str(error)
            raise LibraryError("boundaries_unreadable", file=file, detail=detail) from error
    return Cues(groups, idioms)


def _group(raw: _GroupFile, file: _CuesFile) -> Group:
    cues = tuple(parse_phrase(cue, file.sets, file.own if raw.instead_of else None) for cue in raw.any)
    unless = tuple(parse_phrase(cue, file.sets, file.own) for cue in raw.unless)
    return Group(raw.kind, cues, unless, raw.instead_of, raw.after, raw.answering)
