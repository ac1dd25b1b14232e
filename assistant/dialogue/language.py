"""Which of the three languages a text is in: naive Bayes over letter trigrams, learnt from our own sentences.

Method: Cavnar & Trenkle 1994 count the same n-grams; here they are weighed as probabilities with add-one smoothing.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import NamedTuple

from assistant.domain import LANGUAGES, Language

_LETTERS = re.compile(r"[^\W\d_]+")


class Guess(NamedTuple):
    """The likeliest language, and how sure: probability in 0..1."""

    language: Language
    probability: float


class LanguageGuesser:
    """Guesses among Finnish, Swedish and English from example sentences of each."""

    def __init__(self, examples: Mapping[Language, Iterable[str]]) -> None:
        self._counts = {language: Counter(_all_trigrams(texts)) for language, texts in examples.items()}
        self._totals = {language: sum(counts.values()) for language, counts in self._counts.items()}
        self._kinds = len(set().union(*self._counts.values())) + 1

    def guess(self, text: str, expected: Language) -> Guess:
        """The language of `text`; `expected` is taken where nothing in the text speaks for any of them."""
        trigrams = list(_trigrams(text))
        if not trigrams:
            return Guess(expected, 0.0)
        scores = {language: self._log_likelihood(language, trigrams) for language in LANGUAGES}
        scores[expected] += math.log(2)
        best = max(scores, key=lambda language: scores[language])
        share = sum(math.exp(min(score - scores[best], 0.0)) for score in scores.values())
        return Guess(best, 1 / share)

    def _log_likelihood(self, language: Language, trigrams: list[str]) -> float:
        counts, room = self._counts[language], self._totals[language] + self._kinds
        return sum(math.log((counts[trigram] + 1) / room) for trigram in trigrams)


def _all_trigrams(texts: Iterable[str]) -> Iterator[str]:
    for text in texts:
        yield from _trigrams(text)


def _trigrams(text: str) -> Iterator[str]:
    for word in _LETTERS.findall(text.lower()):
        padded = f" {word} "
        yield from (padded[index : index + 3] for index in range(len(padded) - 2))
