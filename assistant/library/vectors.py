"""The only face of Chroma: an embedded, local collection of texts with vectors that we make ourselves.

Chroma is a cache here and is treated with care: it never runs as a server, never embeds, and never opens a file that
was not checked first. Its own embedding function is always None, because the default one downloads a model and a
stored one names code to run (CVE-2026-45829).
"""

from __future__ import annotations

import hashlib
import json
import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from assistant.errors import LibraryError, PeiliError
from assistant.library.entries import Entry

if TYPE_CHECKING:
    from langchain_chroma import Chroma

_COLLECTION = "peili-cards"
_DATABASE = "chroma.sqlite3"
_HNSW = {"space": "cosine", "ef_construction": 200, "ef_search": 400, "max_neighbors": 32, "num_threads": 1}
"""Wide lists and one thread: at some thousand vectors the search is exact in practice, and the same every time."""


class DocumentEncoder(Protocol):
    """Makes the vectors of the library's own texts."""

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """One vector a text, normalised."""


class TextEncoder(DocumentEncoder, Protocol):
    """What a LangChain `Embeddings` offers."""

    def embed_query(self, text: str) -> list[float]:
        """The vector of what a person typed."""


class VectorStore:
    """One Chroma folder, open. Close it before the folder is moved or deleted."""

    def __init__(self, folder: Path, embeddings: DocumentEncoder | None = None) -> None:
        """Open the collection in `folder`, or make it; without `embeddings` nothing can be added.

        Raises LibraryError if Chroma cannot read what is there.
        """
        with _named_errors():
            import chromadb
            from chromadb.config import Settings
            from langchain_chroma import Chroma

            # Without `_env_file` Chroma would take settings from a .env file in whatever folder Peili was started in.
            settings = Settings(
                _env_file=None,
                anonymized_telemetry=False,
                allow_reset=False,
                chroma_api_impl="chromadb.api.rust.RustBindingsAPI",
            )
            self._client = chromadb.PersistentClient(path=str(folder), settings=settings)
            self._chroma: Chroma = Chroma(
                client=self._client,
                collection_name=_COLLECTION,
                embedding_function=embeddings,
                collection_configuration={"hnsw": dict(_HNSW)},
            )

    def close(self) -> None:
        """Let go of the files."""
        with _named_errors():
            self._client.close()

    def add(self, entries: Sequence[Entry]) -> None:
        """Embed and store. Raises LibraryError, or what the encoder raises."""
        with _named_errors():
            self._chroma.add_texts(
                [entry.text for entry in entries],
                metadatas=[
                    {"card_id": entry.card_id, "language": entry.language, "kind": entry.kind, "section": entry.section}
                    for entry in entries
                ],
                ids=[entry.id for entry in entries],
            )

    def texts(self) -> dict[str, str]:
        """Every stored text by the id of its entry."""
        with _named_errors():
            stored = self._chroma.get(include=["documents"])
            return dict(zip(stored["ids"], stored["documents"], strict=True))

    def vectors(self, ids: Sequence[str] | None = None) -> dict[str, list[float]]:
        """The stored texts of these entries, or of all, with their vectors."""
        with _named_errors():
            stored = self._chroma.get(ids if ids is None else list(ids), include=["documents", "embeddings"])
            vectors = ([float(value) for value in vector] for vector in stored["embeddings"])
            return dict(zip(stored["documents"], vectors, strict=True))

    def nearest(self, vector: Sequence[float], limit: int, **only: str) -> tuple[tuple[str, float], ...]:
        """The `limit` entries nearest to `vector` among those whose metadata equal `only`.

        Each is an entry's id with its cosine similarity; nearest first, equal ones in the order of their ids.
        """
        conditions = [{name: value} for name, value in only.items()]
        where = {"$and": conditions} if len(conditions) > 1 else (conditions[0] if conditions else None)
        with _named_errors():
            found = self._chroma.similarity_search_by_vector_with_relevance_scores(list(vector), k=limit, filter=where)
            # The collection's space is cosine: a distance of 0 to 2.
            near = [(str(document.id), 1.0 - float(distance)) for document, distance in found]
        return tuple(sorted(near, key=lambda item: (-item[1], item[0])))


def file_hashes(folder: Path) -> dict[str, str]:
    """sha256 of every file of the index that Chroma does not write again when it only opens it."""
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and not path.name.startswith(_DATABASE)
    }


def check_files(folder: Path, expected: Mapping[str, str]) -> None:
    """Look at an index without opening it: every file as it was built, the database whole, no embedding function.

    Raises LibraryError. Damaged vector files could otherwise crash the process inside Chroma's native code.
    """
    try:
        if not (folder / _DATABASE).is_file() or file_hashes(folder) != expected:
            raise LibraryError("index_damaged")
        with _read_only(folder / _DATABASE) as database:
            sound = database.execute("PRAGMA quick_check(1)").fetchall() == [("ok",)]
            configurations = database.execute("SELECT config_json_str, schema_str FROM collections").fetchall()
            parsed = [json.loads(text) for row in configurations for text in row if text]
    except (OSError, sqlite3.Error, ValueError) as error:
        raise LibraryError("index_damaged") from error
    if not sound or len(configurations) != 1 or any(_names_code(item) for item in parsed):
        raise LibraryError("index_damaged")


@contextmanager
def _read_only(path: Path) -> Iterator[sqlite3.Connection]:
    database = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True)
    try:
        yield database
    finally:
        database.close()


def _names_code(configuration: Any) -> bool:
    """Whether a collection's configuration asks for an embedding function; ours says `legacy` or `unknown`: none."""
    if isinstance(configuration, dict):
        function = configuration.get("embedding_function")
        if function is not None and function not in ({"type": "legacy"}, {"type": "unknown"}):
            return True
        return any(_names_code(value) for value in configuration.values())
    return isinstance(configuration, list) and any(_names_code(value) for value in configuration)


@contextmanager
def _named_errors() -> Iterator[None]:
    """Whatever Chroma raises becomes a LibraryError; a panic of its Rust part is no Exception, so it is named too."""
    try:
        yield
    except PeiliError:
        raise
    except Exception as error:
        raise LibraryError("index_failed", detail=type(error).__name__) from error
    except BaseException as error:
        if type(error).__name__ != "PanicException":
            raise
        raise LibraryError("index_failed", detail=type(error).__name__) from error
