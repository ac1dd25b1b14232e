"""The index of the library under PEILI_HOME/library: built beside, verified, and swapped in with its manifest.

The folder holds `manifest.json` and the one `index-…` folder that the manifest names. Putting the new manifest in
place is the swap; a build that was cut short leaves a folder nobody names, which the next build removes.
"""

from __future__ import annotations

import secrets
import shutil
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from assistant.domain import Card, Passage
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.entries import Entry, entries
from assistant.library.learned import Row, VectorModel
from assistant.library.manifest import Encoder, Manifest, chroma_version, fingerprint, read_manifest, write_manifest
from assistant.library.passages import passages
from assistant.library.vectors import (
    DocumentEncoder,
    TextEncoder,
    VectorStore,
    check_files,
    file_hashes,
)
from assistant.paths import private_folder

_BATCH = 32
_SAME = 0.999
"""Cosine similarity from which a vector counts as found again; float32 and rounding cost far less."""


@dataclass(frozen=True, slots=True)
class Neighbour:
    """An entry near a query, and its cosine similarity."""

    entry: Entry
    similarity: float


class OpenIndex:
    """A verified index that answers. Raises LibraryError (or the encoder's errors) when it cannot.

    Chroma is trusted with nearness alone: the entries and passages it points to are taken from the library.
    """

    def __init__(self, store: VectorStore, library: Library, embeddings: TextEncoder) -> None:
        self._store = store
        self._entries = {entry.id: entry for entry in entries(library)}
        self._embeddings = embeddings
        learned = [entry for entry in self._entries.values() if entry.kind != "question"]
        vectors = store.vectors([entry.id for entry in learned])
        rows = np.array([vectors[entry.text] for entry in learned], np.float32)
        self._model = VectorModel(rows, [entry.card_id for entry in learned])
        self._passages: dict[tuple[str, str], list[tuple[Entry, Row]]] = {}
        for entry, row in zip(learned, rows, strict=True):
            if entry.kind == "passage":
                self._passages.setdefault((entry.card_id, entry.language), []).append((entry, row.copy()))

    def vector(self, query: str) -> Sequence[float]:
        """The vector of what a person typed."""
        return self._embeddings.embed_query(query)

    def nearest(self, vector: Sequence[float], limit: int) -> tuple[Neighbour, ...]:
        """The nearest entries of any kind and language, nearest first."""
        return tuple(Neighbour(self._entries[found], near) for found, near in self._store.nearest(vector, limit))

    def card_scores(self, vector: Sequence[float]) -> Mapping[str, float]:
        """How well each card answers a query with this vector."""
        return self._model.scores(vector)

    def best_passage(self, vector: Sequence[float], card: Card) -> Passage:
        """The passage of this card, in its language, that is nearest to `vector`: prose or steps, not a question."""
        wanted = np.asarray(vector, np.float32)
        entry, _ = max(self._passages[card.id, card.language], key=lambda known: float(known[1] @ wanted))
        return passages(card)[entry.number]

    def close(self) -> None:
        """Let go of the files."""
        self._store.close()


class LibraryIndex:
    """The index that belongs to one library and one encoder. `folder` is PEILI_HOME/library."""

    def __init__(self, folder: Path, library: Library, encoder: Encoder) -> None:
        self._folder = folder
        self._library = library
        self._encoder = encoder

    def is_current(self) -> bool:
        """Whether the index on disk fits library and encoder and its files are as they were built."""
        try:
            self._checked_manifest()
        except LibraryError:
            return False
        return True

    def open(self, embeddings: TextEncoder) -> OpenIndex:
        """The index, ready to answer; does not encode anything yet.

        Raises LibraryError: `index_missing`, `index_outdated` (other cards, encoder or version) or `index_damaged`;
        for each of them `build` makes a new one.
        """
        manifest = self._checked_manifest()
        store = VectorStore(self._folder / manifest.folder, embeddings)
        try:
            self._verify(store)
        except LibraryError:
            store.close()
            raise
        return OpenIndex(store, self._library, embeddings)

    def build(self, embeddings: TextEncoder, progress: Callable[[int, int], None] = lambda done, total: None) -> None:
        """Make the index anew. `progress` hears how many of how many texts are done.

        Vectors of texts that the index in place already holds from the same encoder are used again. Raises
        LibraryError: `index_busy` if another process builds, `index_failed`, `encoder_dimension`; and what the
        encoder raises. Whatever goes wrong, the index that was in place stays.
        """
        try:
            private_folder(self._folder)
            with self._only_writer():
                self._remove_all_but(self._named_folder())
                name = f"index-{secrets.token_hex(8)}"
                try:
                    self._write(private_folder(self._folder / name), self._remembering(embeddings), progress)
                    self._swap_in(name)
                finally:
                    self._remove_all_but(self._named_folder())
        except OSError as error:
            raise LibraryError("index_failed", detail=error.strerror or type(error).__name__) from error

    def _write(self, folder: Path, embeddings: DocumentEncoder, progress: Callable[[int, int], None]) -> None:
        wanted = list(entries(self._library))
        store = VectorStore(folder, embeddings)
        try:
            for start in range(0, len(wanted), _BATCH):
                store.add(wanted[start : start + _BATCH])
                progress(min(start + _BATCH, len(wanted)), len(wanted))
            self._verify(store)
        finally:
            store.close()

    def _swap_in(self, name: str) -> None:
        files = file_hashes(self._folder / name)
        cards = dict(self._library.hashes)
        texts = fingerprint(self._library)
        write_manifest(self._folder, Manifest(self._encoder, cards, texts, name, files, chroma=chroma_version()))

    def _checked_manifest(self) -> Manifest:
        manifest = read_manifest(self._folder)
        if not manifest.fits(self._library, self._encoder):
            raise LibraryError("index_outdated")
        check_files(self._folder / manifest.folder, manifest.files)
        return manifest

    def _verify(self, store: VectorStore) -> None:
        """Every entry is there with its own text, and a stored vector finds itself first."""
        wanted = {entry.id: entry.text for entry in entries(self._library)}
        probe = next(reversed(wanted))
        if store.texts() != wanted:
            raise LibraryError("index_damaged")
        vector = store.vectors([probe])[wanted[probe]]
        found = store.nearest(vector, 1)
        if not found or found[0][1] < _SAME:
            raise LibraryError("index_damaged")

    def _remembering(self, embeddings: TextEncoder) -> _Remembering:
        """The encoder with the vectors that the index in place already holds, if that can be read."""
        try:
            manifest = read_manifest(self._folder)
            if not manifest.fits_encoder(self._encoder):
                return _Remembering(embeddings, {}, self._encoder.dimension)
            check_files(self._folder / manifest.folder, manifest.files)
            store = VectorStore(self._folder / manifest.folder)
            try:
                return _Remembering(embeddings, store.vectors(), self._encoder.dimension)
            finally:
                store.close()
        except LibraryError:
            return _Remembering(embeddings, {}, self._encoder.dimension)

    def _named_folder(self) -> str | None:
        try:
            return read_manifest(self._folder).folder
        except LibraryError:
            return None

    def _remove_all_but(self, kept: str | None) -> None:
        for folder in self._folder.glob("index-*"):
            if folder.name != kept:
                shutil.rmtree(folder, ignore_errors=True)

    @contextmanager
    def _only_writer(self) -> Iterator[None]:
        """One process builds at a time. SQLite's lock works on every platform and dies with its process."""
        lock = sqlite3.connect(self._folder / "build.lock", timeout=0, isolation_level=None)
        try:
            try:
                lock.execute("BEGIN EXCLUSIVE")
            except sqlite3.Error as error:
                raise LibraryError("index_busy") from error
            yield
        finally:
            lock.close()


class _Remembering:
    """An encoder that encodes only texts whose vectors are not known yet, and holds all to one length."""

    def __init__(self, encoder: DocumentEncoder, known: Mapping[str, list[float]], dimension: int) -> None:
        self._encoder = encoder
        self._known = known
        self._dimension = dimension

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        new = [text for text in texts if text not in self._known]
        made = dict(zip(new, self._encoder.embed_documents(new), strict=True)) if new else {}
        vectors = [self._known[text] if text in self._known else made[text] for text in texts]
        wrong = next((len(vector) for vector in vectors if len(vector) != self._dimension), None)
        if wrong is not None:
            raise LibraryError("encoder_dimension", expected=self._dimension, found=wrong)
        return vectors
