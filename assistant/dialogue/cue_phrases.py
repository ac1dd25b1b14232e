"""Phrases matched word by word: the syntax of the boundaries' cues, and a text as they see it.

A phrase is words with these marks:

    word        this word                       word*   a word that begins so (inflected forms)
    word~       this word with one letter wrong, left out, added or two swapped (the first two letters must be right)
    a|b|c       any of these, each with its own mark
    <name>      any word of that list under [sets] of the same file
    ##          a number of two digits or more
    _  _3       up to two (up to three, …) other words may stand here
    ^           first in a phrase: the message begins here
    $           last in a phrase, alone or among others as in `more|$`: the message or the clause ends here
                (punctuation, or a word such as "and", "mutta", "och" follows)

Text and phrases are folded the same way: case and diacritics are dropped, apostrophes vanish, other signs part words,
and a letter written three times or more stands once. So `hyppaan`, `sjalvmord` and `diiie` are found.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Collection, Mapping
from dataclasses import dataclass

_DEFAULT_GAP = 2
_CONJUNCTIONS = frozenset(
    {"and", "but", "so", "because", "ja", "mutta", "enka", "eika", "koska", "vaan", "och", "men"}  # folded
)
_CLAUSE_END = re.compile(r"[.!?,;:…\n()]")
_GAP = re.compile(r"_(\d*)")
_STRETCHED = re.compile(r"([^\W\d_])\1{2,}")
_NUMBER = "##"
_SET = re.compile(r"<\w+>")
_OPTION = re.compile(r"([^\W_]+)([*~]?)")


@dataclass(frozen=True, slots=True)
class Words:
    """A folded text: its words, the positions at which a sign stands, and those at which a clause ends (signs too)."""

    all: tuple[str, ...]
    signs: frozenset[int]
    ends: frozenset[int]


def fold(text: str) -> Words:
    """The words of `text` as phrases see them."""
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
    """One place of a phrase: the words, beginnings and easily misspelt words that may stand there.

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

    def first_letters(self) -> frozenset[str]:
        """What to look the step up by: a whole word, or two letters and a star."""
        return self.words | {f"{part[:2]}*" for part in (*self.beginnings, *self.slips)}


@dataclass(frozen=True, slots=True)
class Phrase:
    """A phrase to look for. Built by `parse_phrase`.

    `own`: for a phrase that hides others, the writer's words for themself, over which no gap passes; else None.
    """

    steps: tuple[_Step, ...]
    at_start: bool = False
    own: frozenset[str] | None = None

    def end(self, words: Words, start: int) -> int | None:
        """The position behind the phrase if it begins at `start`, else None."""
        if self.at_start and start:
            return None
        return self._end(words, start, 0)

    def _end(self, words: Words, at: int, step: int) -> int | None:
        if step == len(self.steps):
            return at
        wanted = self.steps[step]
        for position in range(at, min(at + wanted.gap, len(words.all)) + 1):
            if wanted.or_end and position in words.ends:
                return position
            if position == len(words.all) or (self.own is not None and step and position in words.signs):
                return None
            if wanted.fits(words.all[position]):
                end = self._end(words, position + 1, step + 1)
                if end is not None:
                    return end
            if self.own is not None and words.all[position] in self.own:
                return None
        return None


def parse_phrase(
    text: str, sets: Mapping[str, Collection[str]] | None = None, own: Collection[str] | None = None
) -> Phrase:
    """The phrase that `text` describes; for `own` see Phrase. Raises ValueError if it breaks this module's rules."""
    named = {f"<{name}>": "|".join(words) for name, words in (sets or {}).items()}
    parts = _SET.sub(lambda found: named.get(found.group(), found.group()), text).split()
    at_start = parts[:1] == ["^"]
    steps: list[_Step] = []
    gap = 0
    for part in parts[at_start:]:
        if found := _GAP.fullmatch(part):
            gap = int(found.group(1) or _DEFAULT_GAP)
            continue
        steps.append(_step(part, gap, text))
        gap = 0
    if not steps or not steps[0].first_letters() or steps[0].gap or gap or any(step.or_end for step in steps[:-1]):
        raise ValueError(text)
    folded = None if own is None else frozenset(word for part in own for word in fold(part).all)
    return Phrase(tuple(steps), at_start, folded)


def _step(part: str, gap: int, phrase: str) -> _Step:
    options: dict[str, list[str]] = {"": [], "*": [], "~": []}
    for option in part.split("|"):
        if option == _NUMBER:
            options[""].append(option)
        elif found := _OPTION.fullmatch(option):
            options[found.group(2)].extend(fold(found.group(1)).all)
        elif option != "$":
            raise ValueError(phrase)
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
