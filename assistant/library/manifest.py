"""The index's manifest: what it was built from and by what, so that anything else is noticed."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.entries import entries

MANIFEST_FILE = "manifest.json"
SCHEMA = 1
"""Raise it when the way the texts are stored (vectors.py) changes."""

_FOLDER = re.compile(r"index-[0-9a-f]{16}")
_MOST_BYTES = 1_000_000


@dataclass(frozen=True, slots=True)
class Encoder:
    """What made the vectors: the model's catalogue id, sha256 of its weights, vector length and its two prompts."""

    id: str
    sha256: str
    dimension: int
    query_prompt: str
    document_prompt: str


@dataclass(frozen=True, slots=True)
class Manifest:
    """`cards` holds the sha256 of every card file, `texts` one over all that is searched in them (entries.py).

    `folder` is the index's own folder beside the manifest, `files` the sha256 of what is in it.
    """

    encoder: Encoder
    cards: Mapping[str, str]
    texts: str
    folder: str
    files: Mapping[str, str]
    schema: int = SCHEMA
    chroma: str = ""

    def fits(self, library: Library, encoder: Encoder) -> bool:
        """Whether an index built now from this library with this encoder would be the same."""
        same_cards = self.cards == library.hashes and self.texts == fingerprint(library)
        return same_cards and self.fits_encoder(encoder)

    def fits_encoder(self, encoder: Encoder) -> bool:
        """Whether the vectors are those that this encoder would make, in the form this version of Peili reads."""
        return self.encoder == encoder and self.schema == SCHEMA and self.chroma == chroma_version()


def fingerprint(library: Library) -> str:
    """sha256 over every searched text and its place: it changes with the cards and with the way they are cut."""
    places = [[entry.id, entry.section, entry.text] for entry in entries(library)]
    return hashlib.sha256(json.dumps(places).encode()).hexdigest()


def chroma_version() -> str:
    """The installed version of Chroma."""
    return version("chromadb")


def read_manifest(folder: Path) -> Manifest:
    """The manifest under `folder`. Raises LibraryError if there is none or it is not one."""
    path = folder / MANIFEST_FILE
    try:
        if path.stat().st_size > _MOST_BYTES:
            raise LibraryError("index_damaged")
        raw = json.loads(path.read_text(encoding="utf-8"))
        manifest = Manifest(**{**raw, "encoder": Encoder(**raw["encoder"])})
    except FileNotFoundError:
        raise LibraryError("index_missing") from None
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LibraryError("index_damaged") from error
    if not _is_sound(manifest):
        raise LibraryError("index_damaged")
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Put the manifest in place in one step: from here on it is this index that is used."""
    part = folder / f"{MANIFEST_FILE}.part"
    part.write_text(json.dumps(asdict(manifest), indent=1, sort_keys=True) + "\n", encoding="utf-8")
    part.replace(folder / MANIFEST_FILE)


def _is_sound(manifest: Manifest) -> bool:
    def maps_texts(value: Any) -> bool:
        return isinstance(value, dict) and all(isinstance(item, str) for item in value.values())

    return (
        isinstance(manifest.folder, str)
        and _FOLDER.fullmatch(manifest.folder) is not None
        and maps_texts(manifest.cards)
        and maps_texts(manifest.files)
    )
