"""What a sentence says: one logistic regression a label over encoder vectors and cue words.

The features of a sentence are its vector (the encoder's own classification prompt, L2-normalised), one number for each
label whose cue words it holds, and its length. Weights are a cache: they are trained from the exemplars on the machine
and kept with a digest of what they were made from.
"""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from assistant.dialogue.exemplars import LABELS, Exemplar, Teaching
from assistant.domain import FlowId, Language
from assistant.paths import private_folder

Matrix = npt.NDArray[np.float32]
CUE_WEIGHT = 0.5
PROMPT = "Classification"
"""The encoder's prompt for sentences that are told apart."""
_STRENGTH = 12.0  # inverse regularisation; best of 1, 3, 6, 12, 24 in cross-validation grouped by sentence family


class SentenceEncoder(Protocol):
    """What this module needs of the encoder."""

    name: str

    def encode(self, texts: Sequence[str], prompt: str, *, progress: Callable[[int], None] | None = None) -> Matrix:
        """Rows (len(texts), dimension), L2-normalised."""


@dataclass(frozen=True, slots=True)
class Weights:
    """Of one flow: `coefficients` (labels, features) and `intercepts` (labels,)."""

    coefficients: Matrix
    intercepts: Matrix

    def probabilities(self, features: Matrix) -> Matrix:
        """(sentences, labels) in 0..1, each label on its own: a sentence may say several things."""
        logits = features @ self.coefficients.T + self.intercepts
        result: Matrix = 1.0 / (1.0 + np.exp(-logits))
        return result


def features(teaching: Teaching, flow: FlowId, texts: Sequence[tuple[Language, str]], vectors: Matrix) -> Matrix:
    """(sentences, dimension + labels + 1): vectors, cues, and length in words over ten."""
    extra = [
        [*(CUE_WEIGHT * hit for hit in teaching.cue_hits(flow, language, text)), min(len(text.split()), 40) / 40]
        for language, text in texts
    ]
    return np.hstack([vectors, np.array(extra, np.float32).reshape(len(texts), -1)]).astype(np.float32)


def fit(flow: FlowId, exemplars: Sequence[Exemplar], rows: Matrix) -> Weights:
    """Train one flow's labels on `rows` (exemplars, features)."""
    from sklearn.linear_model import LogisticRegression

    coefficients, intercepts = [], []
    for label in LABELS[flow]:
        truth = [label in exemplar.labels for exemplar in exemplars]
        model = LogisticRegression(C=_STRENGTH, max_iter=2000, class_weight="balanced").fit(rows, truth)
        coefficients.append(model.coef_[0])
        intercepts.append(model.intercept_[0])
    return Weights(np.array(coefficients, np.float32), np.array(intercepts, np.float32))


def train(
    teaching: Teaching, encoder: SentenceEncoder, folder: Path, progress: Callable[[int, int], None]
) -> Mapping[FlowId, Weights]:
    """Train every flow and keep the weights in `folder`; `progress` is told sentences done and of how many."""
    total = sum(len(items) for items in teaching.exemplars.values())
    done, weights = 0, {}
    for flow, exemplars in teaching.exemplars.items():
        texts = [item.text for item in exemplars]
        vectors = encoder.encode(texts, PROMPT, progress=_from(done, total, progress))
        rows = features(teaching, flow, [(item.language, item.text) for item in exemplars], vectors)
        weights[flow] = fit(flow, exemplars, rows)
        done += len(exemplars)
    _save(folder, weights, _origin(teaching, encoder.name))
    return weights


def _from(before: int, total: int, progress: Callable[[int, int], None]) -> Callable[[int], None]:
    return lambda count: progress(before + count, total)


def load(teaching: Teaching, encoder_name: str, folder: Path) -> Mapping[FlowId, Weights] | None:
    """The weights in `folder`, or None if there are none, they are damaged, or were made from something else."""
    try:
        manifest = json.loads((folder / "manifest.json").read_text(encoding="utf-8"))
        if manifest != _origin(teaching, encoder_name):
            return None
        with np.load(folder / "weights.npz", allow_pickle=False) as stored:
            return {flow: Weights(stored[f"{flow}_coefficients"], stored[f"{flow}_intercepts"]) for flow in LABELS}
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None


def _origin(teaching: Teaching, encoder_name: str) -> dict[str, object]:
    return {"schema": 1, "encoder": encoder_name, "teaching": teaching.digest, "strength": _STRENGTH}


def _save(folder: Path, weights: Mapping[FlowId, Weights], origin: Mapping[str, object]) -> None:
    private_folder(folder)
    (folder / "manifest.json").unlink(missing_ok=True)
    arrays: dict[str, Any] = {}
    for flow, item in weights.items():
        arrays[f"{flow}_coefficients"], arrays[f"{flow}_intercepts"] = item.coefficients, item.intercepts
    np.savez(folder / "weights.npz", **arrays)
    (folder / "manifest.json").write_text(json.dumps(dict(origin)), encoding="utf-8")
