"""The lexical leg of the search: BM25 over the cards' words, stemmed for Finnish, Swedish and English.

BM25 as in Robertson and Zaragoza, "The Probabilistic Relevance Framework: BM25 and Beyond" (2009), with weighted
fields as their section 3.6 has it: a field's weight multiplies its term frequencies. K1 is at the top of the usual
1.2 to 2.0 (Manning, Raghavan and Schütze, "Introduction to Information Retrieval", 2008, section 11.4.3), B as usual.
"""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from threading import Lock

from assistant.domain import LANGUAGES, Card, Language, Passage
from assistant.library.cards import Library
from assistant.library.passages import passages

K1 = 2.0
B = 0.75
OTHER_LANGUAGE = 0.5
"""What a match in another language than the asked one is worth."""

_NAMES_AND_SAYS, _BODY = 2, 1
_STEMMERS: Mapping[Language, str] = {"fi": "finnish", "sv": "swedish", "en": "english"}
_WORD = re.compile(r"\w+")


class Stems:
    """The stems of a text's words. A Snowball stemmer keeps state while it works, so one text goes at a time."""

    def __init__(self) -> None:
        import snowballstemmer

        self._stemmers = {language: snowballstemmer.stemmer(name) for language, name in _STEMMERS.items()}
        self._known: dict[tuple[Language, str], str] = {}
        self._lock = Lock()

    def of(self, text: str, language: Language) -> list[str]:
        """Every word of `text` in its order, in lower case and stemmed."""
        with self._lock:
            return [self._stem(word, language) for word in _WORD.findall(text.casefold())]

    def _stem(self, word: str, language: Language) -> str:
        key = (language, word)
        if key not in self._known:
            self._known[key] = self._stemmers[language].stemWord(word)
        return self._known[key]


@dataclass(frozen=True, slots=True)
class _Documents:
    """The cards of one language: weighted term frequencies a card, and in how many of `pieces` texts a term occurs."""

    terms: Mapping[str, Counter[str]]
    lengths: Mapping[str, int]
    spread: Counter[str]
    pieces: int

    def rarity(self, term: str) -> float:
        """Inverse document frequency. A title, an alias, a passage count as one document each, so that small words
        weigh little even in a library of few cards."""
        return math.log(1 + (self.pieces - self.spread[term] + 0.5) / (self.spread[term] + 0.5))


@dataclass(frozen=True, slots=True)
class Match:
    """How well a card answers a query by its words, in the language in which it does so best.

    `order` is what cards are ranked by: BM25 as a share of the most this query could get. `coverage`, in 0..1, is the
    same with the rarity of each word squared, as in a cosine of tf-idf vectors: small words then prove nothing, so it
    tells better whether the library has something at all.
    """

    order: float
    coverage: float
    language: Language


class Lexical:
    """Finds cards by their words. Built in memory from the library; takes well under a second."""

    def __init__(self, library: Library) -> None:
        self._stems = Stems()
        self._passages = {
            (card.language, card.id): passages(card) for language in LANGUAGES for card in library.cards(language)
        }
        self._documents = {
            language: self._read(library.cards(language), language) for language in LANGUAGES if library.cards(language)
        }

    def matches(self, query: str, language: Language | None) -> dict[str, Match]:
        """Every card that shares a word with the query.

        With `language`, a match in another one counts OTHER_LANGUAGE of its worth.
        """
        best: dict[str, Match] = {}
        for own, documents in self._documents.items():
            worth = 1.0 if language in (None, own) else OTHER_LANGUAGE
            for card_id, order, coverage in self._bm25(documents, self._stems.of(query, own)):
                match = Match(order * worth, coverage * worth, own)
                if card_id not in best or match.order > best[card_id].order:
                    best[card_id] = match
        return best

    def best_passage(self, card: Card, query: str) -> Passage:
        """The passage of `card` that shares most with the query; the first one if none shares a word."""
        documents = self._documents[card.language]
        wanted = set(self._stems.of(query, card.language))

        def shared(passage: Passage) -> float:
            return sum(
                documents.rarity(term) for term in wanted.intersection(self._stems.of(passage.text, card.language))
            )

        return max((item for item in self._passages[card.language, card.id] if item.section != "questions"), key=shared)

    def _read(self, cards: Iterable[Card], language: Language) -> _Documents:
        terms: dict[str, Counter[str]] = {}
        spread: Counter[str] = Counter()
        pieces = 0
        for card in cards:
            terms[card.id] = Counter()
            for text, weight in self._weighted(card):
                stems = self._stems.of(text, language)
                pieces += 1
                spread.update(set(stems))
                for stem in stems:
                    terms[card.id][stem] += weight
        return _Documents(terms, {card_id: own.total() for card_id, own in terms.items()}, spread, pieces)

    def _weighted(self, card: Card) -> Iterator[tuple[str, int]]:
        yield from ((text, _NAMES_AND_SAYS) for text in (card.title, card.summary, *card.aliases, *card.says))
        yield from ((passage.text, _BODY) for passage in self._passages[card.language, card.id])

    def _bm25(self, documents: _Documents, query: list[str]) -> Iterator[tuple[str, float, float]]:
        rarity = {term: documents.rarity(term) for term in dict.fromkeys(query)}
        usual = sum(documents.lengths.values()) / len(documents.lengths)
        for card_id, terms in documents.terms.items():
            damping = K1 * (1 - B + B * documents.lengths[card_id] / usual)
            # Without BM25's constant factor of K1 + 1, a term's part grows from 0 towards its rarity.
            parts = {term: terms[term] / (terms[term] + damping) for term in rarity if terms[term]}
            if parts:
                yield card_id, _share(parts, rarity, 1), _share(parts, rarity, 2)


def _share(parts: Mapping[str, float], rarity: Mapping[str, float], power: int) -> float:
    most = sum(weight**power for weight in rarity.values())
    return sum(part * rarity[term] ** power for term, part in parts.items()) / most
