"""Whether a sentence that says back what a person wrote says just that.

A small model asked to paraphrase turns what others do into what the person does, gives reasons nobody gave, or mixes
the next question in; all in the person's own words, so that counting words does not notice. What the order of words
tells does: after exchanging the persons (I, you), words that follow each other have to do so in the message too.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise

ENOUGH = 0.7
"""Least share of a sentence's word pairs that stand in the message."""
REACH = 3
"""How many words on the second word of a pair may stand in the message: what is left out between them is no change."""
_WORD = re.compile(r"[^\W_]+(?:['’-][^\W_]+)*")
_STEM_LETTERS = 4
_NOTHING = ("", "")


@dataclass(frozen=True, slots=True)
class Mirror:
    """Of one language: `swap` turns the writer's words for themselves into those for the one spoken to; `frames` are
    beginnings that only announce what follows, as "you say that"; `empty` words may be added or left out.
    """

    swap: Mapping[str, str]
    frames: tuple[tuple[str, ...], ...]
    empty: frozenset[str]

    def share(self, sentence: str, said: str) -> float:
        """Share of the pairs of words that follow each other in `sentence` and do so in `said`, in 0..1.

        Words count by their first letters, so endings may change. 0 if the sentence begins in a way `said` nowhere
        goes: who does something is told by the first words.
        """
        swapped = self._stems(self.swap.get(word, word) for word in _words(said))
        theirs = {(word, after) for at, word in enumerate(swapped) for after in swapped[at + 1 : at + 1 + REACH]}
        pairs = list(pairwise(self._stems(self._unframed(_words(sentence)))))
        if next(iter(pairs), _NOTHING) not in theirs:
            return 0.0
        return sum(pair in theirs for pair in pairs) / len(pairs)

    def _stems(self, words: Iterable[str]) -> list[str]:
        return [word[:_STEM_LETTERS] for word in words if word not in self.empty]

    def framed(self, sentence: str) -> bool:
        """Whether the sentence says that it says back."""
        words = _words(sentence)
        return len(self._unframed(words)) < len(words)

    def _unframed(self, words: Sequence[str]) -> Sequence[str]:
        for frame in self.frames:
            if tuple(words[: len(frame)]) == frame:
                return words[len(frame) :]
        return words


def read_mirror(swap: str, frames: Sequence[str], empty: str) -> Mirror:
    """From the lines of a language's checks: `swap` as "i:you my:your", `empty` as words. Longer frames go first.

    Raises ValueError if `swap` is not of that form.
    """
    cut = sorted((tuple(_words(frame)) for frame in frames), key=len, reverse=True)
    pairs = dict(pair.split(":") for pair in swap.split())
    return Mirror(pairs, tuple(cut), frozenset(empty.split()))


def _words(text: str) -> list[str]:
    return [word.replace("’", "'") for word in _WORD.findall(text.casefold())]
