"""What a turn says: its language, its sentences, and the elements of the sheet that each of them speaks to.

Nothing here decides what is asked next, and nothing is written: see `guide` and `noting`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from assistant.dialogue.classifier import SentenceEncoder, Weights, features
from assistant.dialogue.exemplars import LABELS, Teaching
from assistant.dialogue.language import LanguageGuesser
from assistant.dialogue.sentences import Span, split
from assistant.domain import FlowId, Language, Reading, Sentence
from assistant.errors import PeiliError

SURE = 0.5  # below this probability the person is asked instead
_SWITCH_WORDS = 4
_SWITCH_PROBABILITY = 0.97
_AWAITED_LOGIT = 1.2  # an answer right after a question is likelier to be what was asked for
_CUE_PROBABILITY = 0.65  # cues alone give one label only
_NO_CUE_PROBABILITY = 0.15
_ALSO = 0.7  # for a further label of the same sentence; best of 0.5 to 0.95 in cross-validation grouped by family
_MAX_LABELS = 3


@dataclass(slots=True)
class Analysis:
    """Reads turns. Without `weights` (not trained yet, or no encoder) the cue words alone speak."""

    teaching: Teaching
    guesser: LanguageGuesser
    encoder: SentenceEncoder | None = None
    weights: Mapping[FlowId, Weights] | None = None

    def language(self, text: str, expected: Language) -> Language:
        """The language to answer in: `expected`, unless the text is long enough and clearly in another one."""
        guess = self.guesser.guess(text, expected)
        clear = len(text.split()) >= _SWITCH_WORDS and guess.probability >= _SWITCH_PROBABILITY
        return guess.language if clear else expected

    def read(self, text: str, flow: FlowId, expected: Language, awaited: str | None = None) -> Reading:
        """The reading of one turn. `awaited` is the label that the last question asked for."""
        language = self.language(text, expected)
        spans = split(text)
        if not spans or flow not in LABELS:
            return Reading(language, tuple(Sentence(*span) for span in spans))
        probabilities = self._probabilities(flow, language, spans)
        labels = LABELS[flow]
        if awaited in labels:
            index = labels.index(awaited)
            column = np.clip(probabilities[:, index], 1e-6, 1 - 1e-6)
            probabilities[:, index] = 1 / (1 + np.exp(-(np.log(column / (1 - column)) + _AWAITED_LOGIT)))
        return Reading(
            language, tuple(_labelled(flow, span, row) for span, row in zip(spans, probabilities, strict=True))
        )

    def _probabilities(self, flow: FlowId, language: Language, spans: tuple[Span, ...]) -> npt.NDArray[np.float64]:
        texts = [(language, span.text) for span in spans]
        if self.encoder is not None and self.weights is not None:
            try:
                vectors = self.encoder.encode([span.text for span in spans], "Classification")
                rows = features(self.teaching, flow, texts, vectors)
                return self.weights[flow].probabilities(rows).astype(np.float64)
            except PeiliError:
                pass  # the encoder stopped: the cues carry on, the page tells its state
        hits = np.array([self.teaching.cue_hits(flow, language, span.text) for span in spans])
        return np.where(hits, _CUE_PROBABILITY, _NO_CUE_PROBABILITY)


def _labelled(flow: FlowId, span: Span, row: npt.NDArray[np.float64]) -> Sentence:
    """A sentence with every label that is likely enough; one label only where labels exclude each other."""
    labels = LABELS[flow]
    order = [int(index) for index in np.argsort(-row, kind="stable")]
    best = order[0]
    confidence = float(row[best])
    if flow == "questions" or labels[best] == "other":
        chosen = [best]
    else:
        further = [index for index in order[1:] if row[index] >= _ALSO and labels[index] != "other"]
        chosen = [best, *further][:_MAX_LABELS]
    unsure = confidence < SURE
    if unsure:
        chosen = [index for index in order if labels[index] != "other"][:2]
    return Sentence(*span, tuple(labels[index] for index in chosen), round(confidence, 3), unsure)
