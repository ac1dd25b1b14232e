"""Where to turn: the phone numbers and services of knowledge/contacts.toml, with the date they were last checked."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any, Literal, get_args

from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError
from assistant.library.cards import read_toml

CONTACTS_FILE = "contacts.toml"
SCHEMA = 1

ContactKind = Literal["emergency", "crisis", "health", "occupational_safety", "discrimination"]
ContactStatus = Literal["read", "unverified"]


@dataclass(frozen=True, slots=True)
class Contact:
    """One service. `number` is empty where none was found; `name` and `hours` are there in every language.

    `country` is FI or SE. `languages` are those it answers in, empty where that is not known. `status` is
    `unverified` where the entry rests on one weak source and has to be shown as unconfirmed.
    """

    id: str
    country: str
    kind: ContactKind
    number: str
    url: str
    languages: tuple[str, ...]
    always_open: bool
    status: ContactStatus
    name: Mapping[Language, str]
    hours: Mapping[Language, str]


@dataclass(frozen=True, slots=True)
class Contacts:
    """Every contact in the order of the file, and the day on which they were last checked."""

    read_on: datetime.date
    all: tuple[Contact, ...]

    def of(self, *kinds: ContactKind, country: str) -> tuple[Contact, ...]:
        """The contacts of these kinds: kind by kind as asked, and within a kind those of `country` first."""
        chosen = [contact for contact in self.all if contact.kind in kinds]
        return tuple(sorted(chosen, key=lambda contact: (kinds.index(contact.kind), contact.country != country)))


def load_contacts(knowledge: Path) -> Contacts:
    """Read contacts.toml. Raises LibraryError if it is missing or a field of it is not what the file's head says."""
    raw = read_toml(knowledge / CONTACTS_FILE)
    if raw.get("schema") != SCHEMA:
        raise _wrong("schema")
    read_on = raw.get("read_on")
    try:
        day = datetime.date.fromisoformat(read_on if isinstance(read_on, str) else "")
    except ValueError:
        raise _wrong("read_on") from None
    tables = raw.get("contact")
    if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
        raise _wrong("contact")
    found = tuple(_contact(table, f"contact[{number}].") for number, table in enumerate(tables, start=1))
    if len({contact.id for contact in found}) < len(found):
        raise _wrong("id")
    return Contacts(day, found)


def _contact(table: Mapping[str, Any], at: str) -> Contact:
    languages = table.get("languages")
    if not isinstance(languages, list) or not all(isinstance(language, str) for language in languages):
        raise _wrong(f"{at}languages")
    if not isinstance(table.get("always_open"), bool):
        raise _wrong(f"{at}always_open")
    return Contact(
        id=_chosen(table, "id", at),
        country=_chosen(table, "country", at, ("FI", "SE")),
        kind=_chosen(table, "kind", at, get_args(ContactKind)),
        number=_text(table, "number", at),
        url=_text(table, "url", at),
        languages=tuple(languages),
        always_open=table["always_open"],
        status=_chosen(table, "status", at, get_args(ContactStatus)),
        name=_in_every_language(table, "name", at),
        hours=_in_every_language(table, "hours", at),
    )


def _text(table: Mapping[str, Any], name: str, at: str) -> str:
    value = table.get(name)
    if not isinstance(value, str):
        raise _wrong(at + name)
    return value


def _chosen(table: Mapping[str, Any], name: str, at: str, allowed: tuple[str, ...] = ()) -> Any:
    value = _text(table, name, at)
    if not value or (allowed and value not in allowed):
        raise _wrong(at + name)
    return value


def _in_every_language(table: Mapping[str, Any], name: str, at: str) -> Mapping[Language, str]:
    values = table.get(name)
    if not isinstance(values, dict):
        raise _wrong(at + name)
    return MappingProxyType({language: _chosen(values, language, f"{at}{name}.") for language in LANGUAGES})


def _wrong(field: str) -> LibraryError:
    return LibraryError("library_file_field", file=CONTACTS_FILE, field=field)
