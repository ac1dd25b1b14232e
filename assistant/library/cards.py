"""The cards of a knowledge folder, read once and held in memory."""

from __future__ import annotations

import hashlib
import json
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

from assistant.domain import LANGUAGES, Card, CardQuestion, Language
from assistant.errors import LibraryError
from assistant.library.parsing import parse_card

SOURCES_FILE = "sources.toml"


@dataclass(frozen=True, slots=True)
class Library:
    """Every card in every language it is written in.

    `sources` maps a credit key to the line that names the source. `hashes` maps a file, as `fi/ACT-10.md`, to the
    sha256 of its bytes; `version` is one sha256 over all of them and the sources.
    """

    _cards: Mapping[tuple[Language, str], Card]
    sources: Mapping[str, str]
    hashes: Mapping[str, str]
    version: str

    @classmethod
    def load(cls, knowledge: Path) -> Library:
        """Read every card under `knowledge`. Raises LibraryError at the first file that is not a card."""
        cards: dict[tuple[Language, str], Card] = {}
        hashes: dict[str, str] = {}
        for file, language in card_files(knowledge):
            raw = read_bytes(knowledge / file, file)
            card = parse_card(_decoded(raw, file), language, file)
            cards[language, card.id] = card
            hashes[file] = hashlib.sha256(raw).hexdigest()
        if not cards:
            raise LibraryError("library_empty", folder=str(knowledge))
        sources = read_sources(knowledge)
        fingerprint = json.dumps([sorted(hashes.items()), sorted(sources.items())])
        version = hashlib.sha256(fingerprint.encode()).hexdigest()
        return cls(MappingProxyType(cards), MappingProxyType(sources), MappingProxyType(hashes), version)

    def card(self, card_id: str, language: Language) -> Card:
        """One card. Raises LibraryError if it does not exist in this language."""
        try:
            return self._cards[language, card_id]
        except KeyError:
            raise LibraryError("card_unknown", card=card_id, lang=language) from None

    def nearest_card(self, card_id: str, language: Language) -> Card:
        """The card in `language`, or in another one if it is not written in that. Raises LibraryError if in none."""
        order = (language, *(other for other in LANGUAGES if other != language))
        available = next((other for other in order if (other, card_id) in self._cards), language)
        return self.card(card_id, available)

    def cards(self, language: Language) -> tuple[Card, ...]:
        """The cards of one language in the order of their ids."""
        return tuple(self._cards[key] for key in sorted(self._cards) if key[0] == language)

    def ids(self) -> tuple[str, ...]:
        """The ids of all cards, whatever language they are written in, sorted."""
        return tuple(sorted({card_id for _, card_id in self._cards}))

    def questions_for(self, element: str, language: Language) -> tuple[tuple[Card, CardQuestion], ...]:
        """The questions that ask for a flow element (as `goal.why`), card by card in the order of the ids."""
        return tuple(
            (card, question)
            for card in self.cards(language)
            for question in card.questions
            if question.element == element
        )


def card_files(knowledge: Path) -> Iterator[tuple[str, Language]]:
    """The card files under `knowledge`, as `fi/ACT-10.md`, with their language, sorted by name."""
    for language in LANGUAGES:
        for path in sorted((knowledge / language).glob("*.md")):
            yield f"{language}/{path.name}", language


def read_card(knowledge: Path, file: str, language: Language) -> Card:
    """The card in one file under `knowledge`. Raises LibraryError."""
    return parse_card(_decoded(read_bytes(knowledge / file, file), file), language, file)


def read_sources(knowledge: Path) -> dict[str, str]:
    """The credit keys of sources.toml with the title of each source. Raises LibraryError."""
    tables = read_toml(knowledge / SOURCES_FILE)
    titles = {key: table.get("title") if isinstance(table, dict) else None for key, table in tables.items()}
    for key, title in titles.items():
        if not isinstance(title, str) or not title.strip():
            raise LibraryError("library_file_field", file=SOURCES_FILE, field=f"{key}.title")
    return {key: str(title) for key, title in titles.items()}


def read_toml(path: Path) -> dict[str, Any]:
    """A TOML file that stands directly in the knowledge folder. Raises LibraryError."""
    try:
        return tomllib.loads(_decoded(read_bytes(path, path.name), path.name))
    except tomllib.TOMLDecodeError as error:
        raise LibraryError("library_file_toml", file=path.name, detail=str(error)) from error


def read_bytes(path: Path, file: str) -> bytes:
    """The bytes of a file of the library; `file` names it in the LibraryError raised if it cannot be read."""
    try:
        return path.read_bytes()
    except OSError as error:
        raise LibraryError("library_file_unreadable", file=file, detail=error.strerror or "") from error


def _decoded(raw: bytes, file: str) -> str:
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError as error:
        raise LibraryError("library_file_not_utf8", file=file, line=raw[: error.start].count(b"\n") + 1) from error
