"""Finding the cards for what a person typed, or saying that nothing in the library fits.

Two legs look at every card: the dense one (vectors in all three languages) and the lexical one (words, and once they
are learned, runs of characters). A card's scores are brought to one scale by their mean and deviation over all cards
and added with fixed weights; that was better than fusing ranks (reciprocal rank fusion, Cormack, Clarke and Büttcher,
SIGIR 2009), which forgets by how much the first one leads.

The numbers below were chosen on tests/evals/retrieval/tuning.tsv (435 queries with an answer, 115 without) with
EmbeddingGemma-300m, and on nothing else. In brackets: recall at 1 and 3 there. Nearest texts with fused ranks, as it
was before: 0.74 and 0.89. `peili bench retrieval` measures on the other half; docs/retrieval.md has the figures.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, pstdev

from assistant.domain import LANGUAGES, Card, Hit, Language, Passage, Phase, Role, SearchResult
from assistant.errors import Cancelled, LibraryError, PeiliError
from assistant.library.cards import Library
from assistant.library.index import OpenIndex
from assistant.library.learned import CharacterModel
from assistant.library.lexical import Lexical, Match

DENSE, CHARACTERS, WORDS = 1.0, 0.6, 0.3
"""Weights of the parts (all 0.86, 0.95; dense alone 0.76, 0.92; words and characters 0.77, 0.88). Halves and doubles of
them lose 0.01 at most."""
NEAREST_PER_CARD = 3
"""A card's nearness, of which the evidence is made, is the mean of its nearest three vectors, of any language."""
NEIGHBOURS = 100
"""Vectors looked at; a card with fewer than three among them counts the last one's similarity for the rest."""
EVIDENCE_THRESHOLD = 0.46
EVIDENCE_OF_WORDS = 0.2
"""Least evidence, nearness + EVIDENCE_OF_WORDS x coverage, of the best card: of the queries with an answer 95 % are
kept, of the others 87 % refused."""
LEXICAL_THRESHOLD = 0.291
"""Least coverage (`lexical.Match`) of the best card. Where the dense leg is missing, the search abstains below it."""
OTHER_ROLE, OTHER_PHASE = 0.2, 0.1
"""What a card for another role or phase loses of its score, in deviations: enough to turn near ties, no more."""
MOST_CHARACTERS = 1000
"""What is read of a query: some 250 tokens, well under a second to encode."""


@dataclass(frozen=True, slots=True)
class _Dense:
    """What the dense leg found: the query's vector, what the vectors' classifier makes of each card, how near each card
    is, and the language of the nearest text.
    """

    index: OpenIndex
    vector: Sequence[float]
    learned: Mapping[str, float]
    near: Mapping[str, float]
    language: Language


@dataclass(frozen=True, slots=True)
class _Look:
    """What both legs saw for one query, and the language that matched best."""

    query: str
    language: Language
    words: Mapping[str, Match]
    characters: Mapping[str, float]
    dense: _Dense | None

    def score(self, card_id: str) -> float:
        """What a hit's score is."""
        score = self.dense.near[card_id] if self.dense else self._coverage(card_id)
        return min(1.0, max(0.0, score))

    def coverage(self) -> float:
        """How much of the query the words of the best card account for."""
        return max((match.coverage for match in self.words.values()), default=0.0)

    def evidence(self) -> float:
        """How much speaks for it that the library has something."""
        if self.dense is None:
            return self.coverage()
        return max(near + EVIDENCE_OF_WORDS * self._coverage(card_id) for card_id, near in self.dense.near.items())

    def lexical(self) -> tuple[tuple[float, Mapping[str, float]], ...]:
        """The parts of the lexical leg that found something, with their weights."""
        words = {card_id: match.order for card_id, match in self.words.items()}
        return tuple((weight, part) for weight, part in ((CHARACTERS, self.characters), (WORDS, words)) if part)

    def parts(self) -> tuple[tuple[float, Mapping[str, float]], ...]:
        """The parts of both legs."""
        return (*(((DENSE, self.dense.learned),) if self.dense else ()), *self.lexical())

    def abstains(self) -> bool:
        return self.evidence() < (EVIDENCE_THRESHOLD if self.dense else LEXICAL_THRESHOLD)

    def _coverage(self, card_id: str) -> float:
        return self.words[card_id].coverage if card_id in self.words else 0.0


class Search:
    """Answers a query from the library.

    `dense` gives the open index, or None while the encoder is absent or warming up; it is asked anew for every query.
    """

    def __init__(self, library: Library, dense: Callable[[], OpenIndex | None] = lambda: None) -> None:
        self._library = library
        self._lexical = Lexical(library)
        self._dense = dense
        self._characters: CharacterModel | None = None

    def learn(self) -> None:
        """Learn the cards' runs of characters, which takes some seconds; until then the lexical leg has words alone."""
        self._characters = CharacterModel(self._library)

    def find(
        self,
        query: str,
        *,
        language: Language | None = None,
        role: Role | None = None,
        phase: Phase | None = None,
        limit: int = 5,
    ) -> SearchResult:
        """The cards nearest to `query`, best first, at most `limit`, each in `language` where it is written in that.

        Without `language` they are shown in the language in which the library matched best. `legs` says which legs
        took part. A hit's score is its dense score (about the cosine of its nearest texts), or its coverage by words
        where the dense leg is missing; the order follows both legs, so scores need not fall from hit to hit. A query
        without a letter or digit abstains with no hits. Same library, index and query: same answer.
        """
        look = self._look(query, language)
        if look is None or limit < 1:
            return SearchResult(abstained=True, hits=(), legs=())
        fused = self._ranking(look.parts(), role, phase)
        cards = [self._library.nearest_card(card_id, language or look.language) for card_id in fused[:limit]]
        hits = tuple(
            Hit(card.id, card.language, card.title, look.score(card.id), self._passage(look, card)) for card in cards
        )
        return SearchResult(look.abstains(), hits, ("dense", "lexical") if look.dense else ("lexical",))

    def rankings(self, query: str, language: Language | None = None) -> Mapping[str, Sequence[str]]:
        """The cards of each leg that takes part, best first: what the fusion is made of, to be measured."""
        look = self._look(query, language)
        if look is None:
            return {}
        ranked: dict[str, Sequence[str]] = {"lexical": self._ranking(look.lexical())}
        if look.dense is not None:
            ranked["dense"] = self._ranking([(DENSE, look.dense.learned)])
        return ranked

    def evidence(self, query: str, language: Language | None = None) -> float:
        """How much speaks for it that the library has something for `query`: what the thresholds are held against."""
        look = self._look(query, language)
        return look.evidence() if look else 0.0

    def _look(self, query: str, language: Language | None) -> _Look | None:
        asked = " ".join(unicodedata.normalize("NFC", query[:MOST_CHARACTERS]).split())
        if not any(character.isalnum() for character in asked):
            return None
        words = self._lexical.matches(asked, language)
        characters = self._characters.scores(asked) if self._characters else {}
        dense = self._dense_leg(asked)
        if dense is not None:
            nearest = dense.language
        else:
            best = max(words.values(), key=lambda match: match.order, default=None)
            nearest = best.language if best else LANGUAGES[0]
        return _Look(asked, nearest, words, characters, dense)

    def _dense_leg(self, query: str) -> _Dense | None:
        """The dense leg, or None where it cannot answer now: the words alone then carry the search."""
        try:
            index = self._dense()
            if index is None:
                return None
            vector = index.vector(query)
            neighbours = index.nearest(vector, NEIGHBOURS)
        except Cancelled:
            raise
        except PeiliError:
            return None
        if not neighbours:
            return None
        near: dict[str, list[float]] = {card_id: [] for card_id in self._library.ids()}
        for neighbour in neighbours:
            near[neighbour.entry.card_id].append(neighbour.similarity)
        rest = [neighbours[-1].similarity] * NEAREST_PER_CARD
        nearness = {card_id: fmean([*found, *rest][:NEAREST_PER_CARD]) for card_id, found in near.items()}
        return _Dense(index, vector, index.card_scores(vector), nearness, neighbours[0].entry.language)

    def _ranking(
        self,
        parts: Sequence[tuple[float, Mapping[str, float]]],
        role: Role | None = None,
        phase: Phase | None = None,
    ) -> list[str]:
        """The cards that some part knows, best first, after the priors of role and phase; equal ones by their ids."""
        scores = {card_id: 0.0 for _, part in parts for card_id in part}
        for weight, part in parts:
            standardised = _standardised(part, self._library.ids())
            scores = {card_id: score + weight * standardised[card_id] for card_id, score in scores.items()}

        def after_priors(card_id: str) -> float:
            card = self._library.nearest_card(card_id, LANGUAGES[0])
            other_role = role is not None and role not in card.audience
            other_phase = phase not in (None, "any") and not {phase, "any"}.intersection(card.phase)
            return scores[card_id] - OTHER_ROLE * other_role - OTHER_PHASE * other_phase

        return sorted(scores, key=lambda card_id: (-after_priors(card_id), card_id))

    def _passage(self, look: _Look, card: Card) -> Passage:
        """The passage of the card that is nearest to the query, by the dense leg where it took part."""
        if look.dense is not None:
            try:
                return look.dense.index.best_passage(look.dense.vector, card)
            except LibraryError:
                pass  # the index went away since the query began; the words choose
        return self._lexical.best_passage(card, look.query)


def _standardised(scores: Mapping[str, float], cards: Sequence[str]) -> dict[str, float]:
    """Scores in deviations from their mean over all cards; a card without one has 0 before that. Equal ones are 0."""
    every = {card_id: scores.get(card_id, 0.0) for card_id in cards}
    mean, deviation = fmean(every.values()), pstdev(every.values())
    return {card_id: (score - mean) / deviation if deviation else 0.0 for card_id, score in every.items()}
