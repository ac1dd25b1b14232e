"""The fixed, human-written answers of the boundaries: prompts/<lang>/boundaries.toml with the contacts filled in.

No text and no line of code holds a number. `$emergency` becomes the country's emergency number, `$contacts` one line
for each service that suits the kind, the country and the language.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from string import Template

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.dialogue.boundary_cues import BOUNDARY_KINDS, BoundaryKind
from assistant.domain import Citation, Language
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.contacts import Contact, ContactKind, Contacts
from assistant.library.passages import card_text

TEXTS_FILE = "boundaries.toml"
PLACEHOLDERS = frozenset({"emergency", "contacts"})

_SERVICES: Mapping[BoundaryKind, tuple[ContactKind, ...]] = {
    "crisis": ("crisis",),
    "concern": ("crisis",),
    "violence": ("crisis",),
    "harassment": ("occupational_safety", "discrimination"),
    "distress": ("health",),
}
_FIRST_CLAUSE = re.compile(r"^.*?(?=[.;:](?:\s|$))", re.DOTALL)


@dataclass(frozen=True, slots=True)
class FixedAnswer:
    """What is said at one kind of boundary in one language: the wordings, used in turn, and the card behind them."""

    texts: tuple[str, ...]
    citation: Citation


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid")
    card: str
    quote: str = Field(min_length=1)
    texts: tuple[str, ...] = Field(min_length=2)


class _File(BaseModel):
    model_config = ConfigDict(extra="forbid")
    unconfirmed: str = Field(min_length=1)
    answers: dict[BoundaryKind, _Answer]


def load_answers(
    prompts: Path, language: Language, contacts: Contacts, library: Library, country: str
) -> Mapping[BoundaryKind, FixedAnswer]:
    """Every kind's answer in `language`, with the contacts of `country` (FI or SE).

    Raises LibraryError if the file cannot be used, a card is missing, or the country has no emergency number.
    """
    raw = _read(prompts / language / TEXTS_FILE)
    return {
        kind: FixedAnswer(
            tuple(_filled(text, kind, language, contacts, country, raw.unconfirmed) for text in answer.texts),
            _citation(answer, language, library),
        )
        for kind, answer in raw.answers.items()
    }


def _read(path: Path) -> _File:
    file = f"{path.parent.name}/{path.name}"
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        raw = _File.model_validate({"unconfirmed": table.pop("unconfirmed", ""), "answers": table})
    except (OSError, ValueError) as error:
        detail = str(error.errors()[0]["loc"]) if isinstance(error, ValidationError) else str(error)
        raise LibraryError("boundaries_unreadable", file=file, detail=detail) from error
    for kind in BOUNDARY_KINDS:
        if kind not in raw.answers or not all(_understood(text) for text in raw.answers[kind].texts):
            raise LibraryError("boundaries_unreadable", file=file, detail=kind)
    return raw


def _understood(text: str) -> bool:
    template = Template(text)
    return template.is_valid() and set(template.get_identifiers()) <= PLACEHOLDERS


def _citation(answer: _Answer, language: Language, library: Library) -> Citation:
    """The chosen sentence, or the card's summary if a coordinator has edited that sentence away."""
    card = library.card(answer.card, language)
    return Citation(card.id, language, answer.quote if answer.quote in card_text(card) else card.summary)


def _filled(
    text: str, kind: BoundaryKind, language: Language, contacts: Contacts, country: str, unconfirmed: str
) -> str:
    emergency = _of_country(contacts, ("emergency",), country)
    if not emergency or not emergency[0].number:
        raise LibraryError("library_file_field", file="contacts.toml", field=f"emergency {country}")
    services = _suiting(_of_country(contacts, _SERVICES.get(kind, ()), country), language) or emergency[:1]
    lines = "\n".join(_line(service, language, unconfirmed) for service in services)
    return Template(text.strip()).substitute(emergency=emergency[0].number, contacts=lines)


def _of_country(contacts: Contacts, kinds: tuple[ContactKind, ...], country: str) -> list[Contact]:
    return [contact for contact in contacts.of(*kinds, country=country) if contact.country == country] if kinds else []


def _suiting(services: Iterable[Contact], language: Language) -> list[Contact]:
    """The services to name, those that speak the language first.

    Besides those, only what is confirmed and either has no known languages or is always open: a line that may be shut
    is of no use in a language one does not speak.
    """
    speaking: list[Contact] = []
    others: list[Contact] = []
    for service in services:
        if language in service.languages:
            speaking.append(service)
        elif service.status == "read" and (not service.languages or service.always_open):
            others.append(service)
    return speaking + others


def _line(service: Contact, language: Language, unconfirmed: str) -> str:
    """One service on one line, with what its `hours` say first; an unconfirmed entry is called so."""
    if not service.number:
        return f"- {service.name[language]}"
    hours = service.hours[language]
    first = _FIRST_CLAUSE.match(hours)
    clause = first.group() if first else hours
    notes = [clause[:1].lower() + clause[1:]] + ([unconfirmed] if service.status == "unverified" else [])
    return f"- {service.name[language]}: {service.number} ({', '.join(notes)})"
