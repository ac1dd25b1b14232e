"""Vectors that ship with Peili: those of the library's texts and of the exemplars, so that nobody's machine makes them.

Two cores encode about 17 short texts a second; the library and the exemplars are some fourteen thousand. A vector is
kept as one byte a number, its largest being 127; that turns it by less than a cosine of 0.9999. The file is a cache: a
text that is not in it, or an encoder with other weights, is encoded as ever. A test holds a sample of it against the
encoder itself.
"""

from __future__ import annotations

import hashlib
import zipfile
from collections.abc import Iterable
from pathlib import Path

import numpy as np
import numpy.typing as npt

Vectors = npt.NDArray[np.float32]
_KEY_BYTES = 12
_STEPS = 127


class KnownVectors:
    """L2-normalised vectors by prompt name and text. `weights` is the sha256 of the encoder they belong to."""

    def __init__(self, weights: str, keys: npt.NDArray[np.uint8], codes: npt.NDArray[np.int8]) -> None:
        """`keys` (n, 12) are the beginnings of sha256 digests, `codes` (n, dimension) the vectors times a scale."""
        self.weights = weights
        self.dimension = codes.shape[1]
        self._codes = codes
        self._rows = {key.tobytes(): row for row, key in enumerate(keys)}

    def __len__(self) -> int:
        return len(self._rows)

    def has(self, prompt: str, text: str) -> bool:
        """Whether this text's vector is known."""
        return _key(prompt, text) in self._rows

    def rows(self, prompt: str, texts: Iterable[str]) -> Vectors:
        """(texts, dimension), each L2-normalised. Raises KeyError for a text that is not known."""
        wanted = np.array([self._rows[_key(prompt, text)] for text in texts], np.intp)
        codes = self._codes[wanted].astype(np.float32)
        unit: Vectors = codes / np.linalg.norm(codes, axis=1, keepdims=True)
        return unit


def load_known(path: Path, weights: str) -> KnownVectors | None:
    """The vectors in `path`, or None if there are none that can be read and belong to these weights."""
    try:
        with np.load(path, allow_pickle=False) as stored:
            keys, codes = stored["keys"], stored["codes"]
            fits = str(stored["weights"]) == weights and keys.dtype == np.uint8 and codes.dtype == np.int8
            shaped = keys.ndim == codes.ndim == 2 and keys.shape == (len(codes), _KEY_BYTES)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return KnownVectors(weights, keys, codes) if fits and shaped else None


def save_known(path: Path, weights: str, texts: Iterable[tuple[str, str]], vectors: Vectors) -> None:
    """Write the `vectors` (n, dimension) of n pairs of prompt name and text to `path`, in one step."""
    named = sorted(zip((_key(*pair) for pair in texts), range(len(vectors)), strict=True))
    keys = np.array([np.frombuffer(key, np.uint8) for key, _ in named])
    wanted = vectors[[row for _, row in named]]
    codes = np.rint(wanted / np.abs(wanted).max(axis=1, keepdims=True) * _STEPS).astype(np.int8)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_suffix(".part.npz")
    np.savez(part, weights=np.array(weights), keys=keys, codes=codes)
    part.replace(path)


def _key(prompt: str, text: str) -> bytes:
    return hashlib.sha256(f"{prompt}\n{text}".encode()).digest()[:_KEY_BYTES]
