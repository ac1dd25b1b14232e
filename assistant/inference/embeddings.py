"""The encoder as the app sees it: rows of numbers for texts, and its LangChain face."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from langchain_core.embeddings import Embeddings

from assistant.inference.known import KnownVectors, Vectors
from assistant.inference.worker import Worker, WorkerState

_SILENCE_S = 300.0


class Encoder:
    """One encoder in its worker. Rows are L2-normalised, so a dot product is the cosine. `known` are not made anew."""

    def __init__(self, worker: Worker, *, name: str, known: KnownVectors | None = None) -> None:
        self.name = name
        self._worker = worker
        self._known = known

    @property
    def state(self) -> WorkerState:
        """Whether the encoder is off, loading, ready, or cannot be loaded."""
        return self._worker.state

    @property
    def pid(self) -> int | None:
        """The worker's process id, if it runs."""
        return self._worker.pid

    @property
    def dimension(self) -> int:
        """Numbers a row; known once it is ready."""
        return int(self._worker.about["dimension"])

    def warm(self) -> None:
        """Load the encoder now; raises as `Worker.start`."""
        self._worker.start()

    def encode(self, texts: Sequence[str], prompt: str, *, progress: Callable[[int], None] | None = None) -> Vectors:
        """Rows (len(texts), dimension), float32. `prompt` is one of the encoder's own: `query`, `document`,
        `Classification`, by what the texts are to be used for.

        Raises WorkerError or ModelError as `Worker.stream`.
        """
        known = self._known
        if known is None:
            return self._made(texts, prompt, progress)
        there = [known.has(prompt, text) for text in texts]
        before = sum(there)
        new = [text for text, has in zip(texts, there, strict=True) if not has]
        made = self._made(new, prompt, progress and (lambda done: progress(before + done))) if new else None
        rows = np.empty((len(texts), known.dimension), np.float32)
        rows[there] = known.rows(prompt, (text for text, has in zip(texts, there, strict=True) if has))
        if made is not None:
            rows[np.logical_not(there)] = made
        elif progress is not None:
            progress(before)
        return rows

    def _made(self, texts: Sequence[str], prompt: str, progress: Callable[[int], None] | None) -> Vectors:
        payload = b""
        for message in self._worker.stream("encode", {"texts": list(texts), "prompt": prompt}, silence_s=_SILENCE_S):
            if message.body["event"] == "encoded" and progress is not None:
                progress(message.body["done"])
            payload = message.payload or payload
        return np.frombuffer(payload, np.float32).reshape(len(texts), self.dimension)

    def close(self) -> None:
        """End the worker."""
        self._worker.stop()


class LocalEmbeddings(Embeddings):
    """LangChain embeddings over the encoder, with its query and document prompts."""

    def __init__(self, encoder: Encoder) -> None:
        self._encoder = encoder

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, as something to be found."""
        rows: list[list[float]] = self._encoder.encode(texts, "document").tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """The vector of a text that looks for something."""
        row: list[float] = self._encoder.encode([text], "query")[0].tolist()
        return row
