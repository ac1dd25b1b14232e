"""Cues of the boundaries: phrases that say a message needs a fixed answer, matched word by word without a model.

The cues stand in `knowledge/boundaries/<lang>.toml`. A cue is a phrase of words with these marks:

    word        this word                       word*   a word that begins so (inflected forms)
    word~       this word with one letter wrong, left out, added or two swapped (the first two letters must be right)
    a|b|c       any of these, each with its own mark
    <name>      any word of that list under [sets] of the same file
    ##          a number of two digits or more
    _  _3       up to two (up to three, …) other words may stand here
    ^           first in a cue: the message begins here
    $           last in a cue, alone or among others as in `more|$`: the message or the clause ends here (punctuation, or
                a word such as "and", "mutta", "och" follows)

Text and cues are folded the same way: case and diacritics are dropped, apostrophes vanish, other signs part words, and a
letter written three times or more stands once. So `hyppaan`, `sjalvmord` and `diiie` are found.

A cue does not count where it overlaps an `unless` phrase of its group or an `idioms` phrase of any language: an idiom
hides only itself, never the rest of the message. A group with `instead_of` takes the place of the kinds it names where
their cues overlap its own ("she wants to die" is a concern, not the writer's own crisis); the message stays noticed.
The gaps of all these hiding phrases pass over no punctuation and no word the writer uses of themself, so that in "he
left me, I want to die" nothing is hidden.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, get_args

from pydantic import BaseModel, ConfigDict, ValidationError

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

_DEFAULT_GAP = 2
_CONJUNCTIONS = frozenset(
    {"and", "but", "so", "because", "ja", "mutta", "enka", "eika", "koska", "vaan", "och", "men"}  # folded
)
_CLAUSE_END = re.compile(r"[.!?,;:…\n()]")
_GAP = re.compile(r"_(\d*)")
_OWN_WORDS = frozenset(  # folded, spoken forms included
    [
        "i",
        "im",
        "ive",
        "id",
        "ill",
        "me",
        "my",
        "mine",
        "myself",
        "mina",
        "ma",
        "mie",
        "mun",
        "minun",
        "mua",
        "minua",
        "mulla",
        "minulla",
        "mulle",
        "minulle",
        "mut",
        "minut",
        "musta",
        "minusta",
        "jag",
        "mig",
        "mej",
        "min",
        "mitt",
        "mina",
    ]
)
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_NUMBER = "##"
_SET = re.compile(r"<\w+>")
_OPTION = re.compile(r"([^\W_]+)([*~]?)")

Span = tuple[int, int]


@dataclass(frozen=True, slots=True)
class Words:
    """A folded text: its words, the positions at which a sign stands, and those at which a clause ends (signs too)."""

    all: tuple[str, ...]
    signs: frozenset[int]
    ends: frozenset[int]


def fold(text: str) -> Words:
    """The words of `text` as cues see them."""
    plain = unicodedata.normalize("NFKC", text).casefold()
    decomposed = unicodedata.normalize("NFD", plain.replace("…", "\N{SPACE}…\N{SPACE}"))
    kept = "".join(sign for sign in decomposed if unicodedata.category(sign) not in {"Mn", "Cf"} and sign not in "'’`´")
    words: list[str] = []
    signs: set[int] = set()
    for piece in re.findall(r"[^\W_]+|[^\w\s]|\n", _STRETCHED.sub(r"\1", kept)):
        if piece[0].isalnum():
            words.append(_NUMBER if re.fullmatch(r"\d{2,}", piece) else piece)
        elif _CLAUSE_END.match(piece):
            signs.add(len(words))
    joined = {at for at, word in enumerate(words) if word in _CONJUNCTIONS}
    return Words(tuple(words), frozenset(signs), frozenset({*signs, *joined, len(words)}))


@dataclass(frozen=True, slots=True)
class _Step:
    """One place of a cue: the words, beginnings and easily misspelt words that may stand there.

    `gap`: how many other words may stand before it. `or_end`: instead of a word, the clause may end there.
    """

    words: frozenset[str]
    beginnings: tuple[str, ...]
    slips: tuple[str, ...]
    gap: int = 0
    or_end: bool = False

    def fits(self, word: str) -> bool:
        return (
            word in self.words
            or word.startswith(self.beginnings)
            or any(_one_slip(word, wanted) for wanted in self.slips)
        )

    def keys(self) -> frozenset[str]:
        """What to look the step up by: a whole word, or two letters and a star."""
        return self.words | {f"{part[:2]}*" for part in (*self.beginnings, *self.slips)}


@dataclass(frozen=True, slots=True)
class Cue:
    """A phrase to look for. Built by `parse_cue`."""

    steps: tuple[_Step, ...]
    at_start: bool = False

    def end(self, words: Words, start: int, hiding: bool = False) -> int | None:
        """The position behind the phrase if it begins at `start`, else None. `hiding`: its gaps are narrow (see above)."""
        if self.at_start and start:
            return None
        return self._end(words, start, 0, hiding)

    def _end(self, words: Words, at: int, step: int, hiding: bool) -> int | None:
        if step == len(self.steps):
            return at
        wanted = self.steps[step]
        for position in range(at, min(at + wanted.gap, len(words.all)) + 1):
            if wanted.or_end and position in words.ends:
                return position
            if position == len(words.all) or (hiding and step and position in words.signs):
                return None
            if wanted.fits(words.all[position]):
                end = self._end(words, position + 1, step + 1, hiding)
                if end is not None:
                    return end
            if hiding and words.all[position] in _OWN_WORDS:
                return None
        return None


def parse_cue(text: str, sets: Mapping[str, Collection[str]] | None = None) -> Cue:
    """The cue that `text` describes. Raises ValueError if it breaks the rules at the head of this module."""
    named = {f"<{name}>": "|".join(words) for name, words in (sets or {}).items()}
    parts = _SET.sub(lambda found: named.get(found.group(), ""), text).split()
    at_start = parts[:1] == ["^"]
    steps: list[_Step] = []
    gap = 0
    for part in parts[at_start:]:
        if found := _GAP.fullmatch(part):
            gap = int(found.group(1) or _DEFAULT_GAP)
            continue
        steps.append(_step(part, gap, text))
        gap = 0
    if not steps or not steps[0].keys() or steps[0].gap or gap or any(step.or_end for step in steps[:-1]):
        raise ValueError(text)
    return Cue(tuple(steps), at_start)


def _step(part: str, gap: int, cue: str) -> _Step:
    options: dict[str, list[str]] = {"": [], "*": [], "~": []}
    for option in part.split("|"):
        if option == _NUMBER:
            options[""].append(option)
        elif found := _OPTION.fullmatch(option):
            options[found.group(2)].extend(fold(found.group(1)).all)
        elif option != "$":
            raise ValueError(cue)
    return _Step(frozenset(options[""]), tuple(options["*"]), tuple(options["~"]), gap, "$" in part.split("|"))


def _one_slip(word: str, option: str) -> bool:
    """Whether one letter changed, left out or added, or two neighbours swapped, turn `option` into `word`."""
    if abs(len(word) - len(option)) > 1:
        return False
    shorter = min(len(word), len(option))
    head = next((at for at in range(shorter) if word[at] != option[at]), shorter)
    rest, wanted = word[head:], option[head:]
    swapped = wanted[1:2] + wanted[:1] + wanted[2:]
    return rest[1:] == wanted[1:] or rest[1:] == wanted or rest == wanted[1:] or rest == swapped


@dataclass(frozen=True, slots=True)
class Group:
    """Cues of one kind that share their exceptions.

    `instead_of`: kinds whose cues do not count where they overlap a cue of this group. `after`: they count only if one of these kinds came up earlier in the conversation. `answering`: only if Peili's
    last message was of one of these kinds, so that the text is likely to answer its question.
    """

    kind: BoundaryKind
    any: tuple[Cue, ...]
    unless: tuple[Cue, ...] = ()
    instead_of: frozenset[BoundaryKind] = frozenset()
    after: frozenset[BoundaryKind] = frozenset()
    answering: frozenset[BoundaryKind] = frozenset()

    def counts(self, recent: Collection[BoundaryKind], answering: BoundaryKind | None) -> bool:
        """Whether the conversation so far lets these cues count."""
        earlier = not self.after or not self.after.isdisjoint(recent)
        return earlier and (not self.answering or answering in self.answering)


class Cues:
    """The cues of all languages together: people change language under stress."""

    def __init__(self, groups: Iterable[Group], idioms: Iterable[Cue] = ()) -> None:
        self._groups = tuple(groups)
        self._index: Mapping[str, list[tuple[int, bool, Cue]]] = defaultdict(list)
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

    def _add(self, number: int, wanted: bool, cues: Iterable[Cue]) -> None:
        for cue in cues:
            for key in cue.steps[0].keys():
                self._index[key].append((number, wanted, cue))

    def _spans(self, words: Words) -> tuple[Mapping[int, list[Span]], Mapping[int, list[Span]]]:
        hits: Mapping[int, list[Span]] = defaultdict(list)
        hidden: Mapping[int, list[Span]] = defaultdict(list)
        for start, word in enumerate(words.all):
            for number, wanted, cue in (*self._index.get(word, ()), *self._index.get(f"{word[:2]}*", ())):
                narrow = not wanted or bool(self._groups[number].instead_of)
                end = cue.end(words, start, hiding=narrow)
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
    sets: dict[str, tuple[str, ...]] = {}
    idioms: tuple[str, ...]
    group: tuple[_GroupFile, ...]


def load_cues(knowledge: Path) -> Cues:
    """The cues of every language under `knowledge`. Raises LibraryError naming the file that cannot be used."""
    groups: list[Group] = []
    idioms: list[Cue] = []
    for language in LANGUAGES:
        file = f"{CUES_FOLDER}/{language}.toml"
        try:
            raw = _CuesFile.model_validate(tomllib.loads((knowledge / file).read_text(encoding="utf-8")))
            idioms += (parse_cue(idiom, raw.sets) for idiom in raw.idioms)
            groups += (_group(group, raw.sets) for group in raw.group)
        except (OSError, ValueError) as error:
            detail = str(error.errors()[0]["loc"]) if isinstance(error, ValidationError) else str(error)
            raise LibraryError("boundaries_unreadable", file=file, detail=detail) from error
    return Cues(groups, idioms)


def _group(raw: _GroupFile, sets: Mapping[str, Collection[str]]) -> Group:
    cues = tuple(parse_cue(cue, sets) for cue in raw.any)
    unless = tuple(parse_cue(cue, sets) for cue in raw.unless)
    return Group(raw.kind, cues, unless, raw.instead_of, raw.after, raw.answering)
