"""Cards told apart by two linear classifiers that learn from the library itself, each text an example of its card.

Nearness alone asks which text is most like a query; a classifier also learns which directions tell a card from its
neighbours. Over the vectors it is ridge regression on the cards (Hoerl and Kennard 1970, closed form), over character
n-grams multinomial naive Bayes on tf-idf weights (Rennie et al., ICML 2003), which is not disturbed by endings,
compounds and typing errors. Both are made from the cards when Peili starts, in seconds, so nothing is stored.

Questions of the cards are left out: a general question stands on many cards in nearly the same words.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import numpy.typing as npt

from assistant.library.cards import Library
from assistant.library.entries import entries

Row = npt.NDArray[np.float32]
_RIDGE = 1.0  # of 0.3, 1 and 3 the best on the tuning queries, by little
_SMOOTHING = 0.1  # of 0.01 and 0.1; complement naive Bayes was worse
_NGRAMS = (3, 5)


class VectorModel:
    """Scores of every card for a query's vector. `rows` (texts, dimension) belong to the cards named in `cards`."""

    def __init__(self, rows: Row, cards: Sequence[str]) -> None:
        from sklearn.linear_model import RidgeClassifier

        self._model = RidgeClassifier(alpha=_RIDGE).fit(rows, list(cards))

    def scores(self, vector: Sequence[float]) -> Mapping[str, float]:
        """About -1 for a card the query is not about, up to 1 for the one it is."""
        found = self._model.decision_function(np.asarray([vector], np.float32))[0]
        return _by_card(self._model.classes_, found)


class CharacterModel:
    """Scores of every card for what a person typed, by its runs of three to five characters within words."""

    def __init__(self, library: Library) -> None:
        from sklearn.feature_extraction.text import TfidfVectorizer
        from sklearn.naive_bayes import MultinomialNB

        learned = [entry for entry in entries(library) if entry.kind != "question"]
        self._terms = TfidfVectorizer(analyzer="char_wb", ngram_range=_NGRAMS, sublinear_tf=True, dtype=np.float32)
        rows = self._terms.fit_transform([entry.text for entry in learned])
        model = MultinomialNB(alpha=_SMOOTHING).fit(rows, [entry.card_id for entry in learned])
        self._cards = model.classes_
        self._prior = model.class_log_prior_.astype(np.float32)
        # A query has few n-grams: picking their rows is some twenty times as fast as the product over all of them.
        self._weights = np.ascontiguousarray(model.feature_log_prob_.T, np.float32)

    def scores(self, query: str) -> Mapping[str, float]:
        """Logarithms of probabilities, but for a constant."""
        found = self._terms.transform([query])
        return _by_card(self._cards, self._prior + found.data @ self._weights[found.indices])


def _by_card(cards: Sequence[str], scores: Sequence[float]) -> dict[str, float]:
    return {str(card): float(score) for card, score in zip(cards, scores, strict=True)}
