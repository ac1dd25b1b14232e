"""What the search is held against: the usual dense retrieval over cut-up cards, with any encoder."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np

from assistant.domain import LANGUAGES
from assistant.inference.embeddings import Encoder
from assistant.library.cards import Library
from assistant.library.passages import card_text

CHUNK_WORDS, OVERLAP_WORDS = 200, 40
"""A common setting for retrieval-augmented generation; a card is one or two chunks."""
_BATCH = 64


class Chunked:
    """Dense retrieval over chunks of whole cards in all languages; a card's score is that of its nearest chunk.

    `query` and `document` name the encoder's prompts, empty for an encoder without any.
    """

    def __init__(self, name: str, encoder: Encoder, query: str, document: str) -> None:
        self.name = name
        self._encoder = encoder
        self._query, self._document = query, document
        self._cards: list[str] = []
        self._rows = np.zeros((0, 1), np.float32)

    def read(self, library: Library, progress: Callable[[int, int], None]) -> None:
        """Encode the whole library."""
        texts: list[str] = []
        for language in LANGUAGES:
            for card in library.cards(language):
                pieces = list(chunks(card_text(card)))
                texts += pieces
                self._cards += [card.id] * len(pieces)
        rows = []
        for start in range(0, len(texts), _BATCH):
            rows.append(self._encoder.encode(texts[start : start + _BATCH], self._document))
            progress(min(start + _BATCH, len(texts)), len(texts))
        self._rows = np.vstack(rows)

    def ranked(self, text: str) -> list[str]:
        """Card ids, nearest first."""
        near = self._rows @ self._encoder.encode([text], self._query)[0]
        return list(dict.fromkeys(self._cards[row] for row in np.argsort(-near, kind="stable")))


def chunks(text: str) -> Iterator[str]:
    """`text` in pieces of CHUNK_WORDS words, each beginning OVERLAP_WORDS before the end of the one before."""
    words = text.split()
    for start in range(0, max(len(words) - OVERLAP_WORDS, 1), CHUNK_WORDS - OVERLAP_WORDS):
        yield " ".join(words[start : start + CHUNK_WORDS])
