"""What is answered with fixed, human-written words before anything else looks at the message.

The cues (`boundary_cues`) decide, without a model; the texts stand in `prompts/<lang>/boundaries.toml`, the numbers in
`knowledge/contacts.toml`. The rules they follow: threats to life first; one calm, direct question; never a promise of
secrecy; the same block never twice running.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from string import Template

from assistant.dialogue.boundary_cues import BOUNDARY_KINDS, BoundaryKind, Cues, load_cues
from assistant.domain import LANGUAGES, Citation, Language
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.contacts import Contact, ContactKind, Contacts

_CARD: Mapping[BoundaryKind, str] = {
    "danger": "SAF-02",
    "crisis": "SAF-02",
    "concern": "SAF-02",
    "violence": "SAF-02",
    "distress": "SAF-02",
}
_OTHER_CARD = "SAF-01"

Texts = Mapping[BoundaryKind, tuple[str, ...]]


@dataclass(frozen=True, slots=True)
class BoundaryReply:
    """A fixed answer, and the card it rests on."""

    kind: BoundaryKind
    text: str
    citations: tuple[Citation, ...]


class Boundaries:
    """Looks at every message before the flow does. `country` is whose contacts are given (FI or SE)."""

    def __init__(
        self, cues: Cues, texts: Mapping[Language, Texts], contacts: Contacts, library: Library, country: str
    ) -> None:
        self._cues = cues
        self._texts = texts
        self._contacts = contacts
        self._library = library
        self._country = country

    def check(
        self, text: str, language: Language, *, recent: Sequence[str] = (), answering: bool = False
    ) -> BoundaryReply | None:
        """The fixed answer to `text` in `language`, or None if the flow may go on.

        `recent` are the kinds that were answered in this conversation, oldest first; `answering` says that Peili's last
        message was such an answer, so that a bare "yes" is understood.
        """
        earlier = [kind for kind in BOUNDARY_KINDS if kind in recent]
        last = next((kind for kind in BOUNDARY_KINDS if answering and recent and kind == recent[-1]), None)
        found = self._cues.kinds(text, earlier, last)
        kind = next((kind for kind in BOUNDARY_KINDS if kind in found), None)
        if kind is None:
            return None
        variants = self._texts[language][kind]
        chosen = variants[list(recent).count(kind) % len(variants)]
        card = self._library.card(_CARD.get(kind, _OTHER_CARD), language)
        citation = Citation(card.id, language, card.summary)
        return BoundaryReply(kind, Template(chosen).substitute(self._numbers(language)), (citation,))

    def _numbers(self, language: Language) -> Mapping[str, str]:
        return {
            "emergency": self._number("emergency", language),
            "crisis": self._number("crisis", language),
            "health": self._number("health", language),
        }

    def _number(self, kind: ContactKind, language: Language) -> str:
        """Name and number of the service that suits best: of this country, in this language, known from more than one
        weak source; the first of the kind where none is all that.
        """
        known = [contact for contact in self._contacts.of(kind, country=self._country) if contact.number]

        def fitness(contact: Contact) -> tuple[bool, bool, bool]:
            speaks = not contact.languages or language in contact.languages
            return contact.country != self._country, not speaks, contact.status != "read"

        best = min(known, key=fitness)
        return best.number if kind == "emergency" else f"{best.name[language]} {best.number}"


def load_boundaries(knowledge: Path, prompts: Path, contacts: Contacts, library: Library, country: str) -> Boundaries:
    """The boundaries with cues and texts of every language. Raises LibraryError naming a file that cannot be used."""
    texts = {language: _texts(prompts / language / "boundaries.toml") for language in LANGUAGES}
    return Boundaries(load_cues(knowledge), texts, contacts, library, country)


def _texts(path: Path) -> Texts:
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
        return {kind: tuple(raw[kind]) for kind in BOUNDARY_KINDS}
    except (OSError, tomllib.TOMLDecodeError, KeyError) as error:
        raise LibraryError("prompt_unreadable", file=f"{path.parent.name}/{path.name}") from error
