"""Finding the cards for what a person typed, or saying that nothing in the library fits.

Two legs look at every card: the dense one (vectors in all three languages) and the lexical one (words). Their rankings
are fused by reciprocal rank (Cormack, Clarke and Büttcher, SIGIR 2009) with their usual k of 60.

The numbers below were chosen on tests/evals/retrieval/dev.tsv (133 questions, 82 queries out of scope) with
EmbeddingGemma-300m, and on nothing else; `calibration.py` measures them. In brackets: recall at 1 there. On check.tsv,
which was not looked at before: recall at 1 0.91, at 3 0.97; abstention precision 0.94, recall 0.94.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean

from assistant.domain import LANGUAGES, Card, Hit, Language, Passage, Phase, Role, SearchResult
from assistant.errors import Cancelled, LibraryError, PeiliError
from assistant.library.cards import Library
from assistant.library.index import OpenIndex
from assistant.library.lexical import Lexical, Match

FUSION_K = 60
"""Both legs weigh the same (0.93; dense alone 0.87, lexical alone 0.82). Weights of up to 3 to 1 gain nothing."""
NEAREST_PER_CARD = 3
"""A card's dense score is the mean of its nearest three vectors, of any language (0.87; the nearest alone 0.81)."""
NEIGHBOURS = 100
"""Vectors looked at; a card with fewer than three among them counts the last one's similarity for the rest."""
EVIDENCE_THRESHOLD = 0.47
EVIDENCE_OF_WORDS = 0.2
"""Least evidence, dense score + EVIDENCE_OF_WORDS x coverage, of the best card: of the questions 98 % are kept, of the
others 97 % refused."""
LEXICAL_THRESHOLD = 0.27
"""Least coverage (`lexical.Match`) of the best card. Where the dense leg is missing, the search abstains below it (89 %
kept, 93 % refused). Beside the dense leg, words below it have no vote: a chance match would outweigh a rare word that
only the dense leg understands (0.93; with a vote for every match 0.90)."""
OTHER_ROLE, OTHER_PHASE = 0.02, 0.01
"""What a card for another role or phase loses of its score in a leg: enough to turn near ties, no more."""
MOST_CHARACTERS = 1000
"""What is read of a query: some 250 tokens, well under a second to encode."""


@dataclass(frozen=True, slots=True)
class _Dense:
    """What the dense leg found: the query's vector, each card's score, and the language of the nearest text."""

    index: OpenIndex
    vector: Sequence[float]
    scores: Mapping[str, float]
    language: Language


@dataclass(frozen=True, slots=True)
class _Look:
    """What both legs saw for one query, and the language that matched best."""

    query: str
    language: Language
    words: Mapping[str, Match]
    dense: _Dense | None

    def score(self, card_id: str) -> float:
        """What a hit's score is."""
        score = self.dense.scores[card_id] if self.dense else self.words[card_id].coverage
        return min(1.0, max(0.0, score))

    def coverage(self) -> float:
        """How much of the query the words of the best card account for."""
        return max((match.coverage for match in self.words.values()), default=0.0)

    def evidence(self) -> float:
        """How much speaks for it that the library has something."""
        if self.dense is None:
            return self.coverage()

        def by_words(card_id: str) -> float:
            return self.words[card_id].coverage if card_id in self.words else 0.0

        return max(score + EVIDENCE_OF_WORDS * by_words(card_id) for card_id, score in self.dense.scores.items())

    def votes(self) -> tuple[Mapping[str, float], ...]:
        """The legs whose order counts."""
        words = {card_id: match.order for card_id, match in self.words.items()}
        if self.dense is None:
            return (words,)
        return (self.dense.scores, words) if self.coverage() >= LEXICAL_THRESHOLD else (self.dense.scores,)

    def abstains(self) -> bool:
        return self.evidence() < (EVIDENCE_THRESHOLD if self.dense else LEXICAL_THRESHOLD)


class Search:
    """Answers a query from the library.

    `dense` gives the open index, or None while the encoder is absent or warming up; it is asked anew for every query.
    """

    def __init__(self, library: Library, dense: Callable[[], OpenIndex | None] = lambda: None) -> None:
        self._library = library
        self._lexical = Lexical(library)
        self._dense = dense

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
        fused = _fused([self._ranking(scores, role, phase) for scores in look.votes()])
        cards = [self._library.nearest_card(card_id, language or look.language) for card_id in fused[:limit]]
        hits = tuple(
            Hit(card.id, card.language, card.title, look.score(card.id), self._passage(look, card)) for card in cards
        )
        return SearchResult(look.abstains(), hits, ("dense", "lexical") if look.dense else ("lexical",))

    def evidence(self, query: str, language: Language | None = None) -> float:
        """How much speaks for it that the library has something for `query`: what the thresholds are held against."""
        look = self._look(query, language)
        return look.evidence() if look else 0.0

    def _look(self, query: str, language: Language | None) -> _Look | None:
        asked = " ".join(unicodedata.normalize("NFC", query[:MOST_CHARACTERS]).split())
        if not any(character.isalnum() for character in asked):
            return None
        words = self._lexical.matches(asked, language)
        dense = self._dense_leg(asked)
        if dense is not None:
            nearest = dense.language
        else:
            best = max(words.values(), key=lambda match: match.order, default=None)
            nearest = best.language if best else LANGUAGES[0]
        return _Look(asked, nearest, words, dense)

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
        scores = {card_id: fmean([*found, *rest][:NEAREST_PER_CARD]) for card_id, found in near.items()}
        return _Dense(index, vector, scores, neighbours[0].entry.language)

    def _ranking(self, scores: Mapping[str, float], role: Role | None, phase: Phase | None) -> list[str]:
        """The cards of one leg, best first, after the priors of role and phase; equal ones by their ids."""

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


def _fused(rankings: Sequence[Sequence[str]]) -> list[str]:
    fused: dict[str, float] = {}
    for ranking in rankings:
        for place, card_id in enumerate(ranking, start=1):
            fused[card_id] = fused.get(card_id, 0.0) + 1 / (FUSION_K + place)
    return sorted(fused, key=lambda card_id: (-fused[card_id], card_id))
