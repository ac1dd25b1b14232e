"""Where to turn: the numbers that are shown are those of the checked file."""

from __future__ import annotations

import datetime
from pathlib import Path

import pytest

from assistant.domain import LANGUAGES
from assistant.errors import LibraryError
from assistant.library.contacts import load_contacts
from assistant.paths import PROJECT_ROOT

KNOWLEDGE = PROJECT_ROOT / "knowledge"


def test_the_shipped_contacts_can_be_shown_in_every_language() -> None:
    contacts = load_contacts(KNOWLEDGE)
    assert contacts.read_on <= datetime.date.today()
    for contact in contacts.all:
        assert all(contact.name[language] and contact.hours[language] for language in LANGUAGES)


@pytest.mark.parametrize("country", ["FI", "SE"])
def test_an_emergency_is_answered_with_the_own_countrys_numbers_first(country: str) -> None:
    found = load_contacts(KNOWLEDGE).of("emergency", "crisis", country=country)
    assert (found[0].number, found[0].country) == ("112", country)
    emergency = [contact for contact in found if contact.kind == "emergency"]
    assert list(found[: len(emergency)]) == emergency
    assert next(contact for contact in found if contact.kind == "crisis").country == country


def test_nothing_of_another_kind_is_shown() -> None:
    found = load_contacts(KNOWLEDGE).of("discrimination", country="SE")
    assert found
    assert {contact.kind for contact in found} == {"discrimination"}


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("schema = 1", "schema = 2", "schema"),
        ('read_on = "', 'read_on = "x', "read_on"),
        ('country = "FI"', 'country = "NO"', "contact[1].country"),
        ('kind = "emergency"', 'kind = "pizza"', "contact[1].kind"),
        ("always_open = true", 'always_open = "yes"', "contact[1].always_open"),
        ("languages = []", "languages = [1]", "contact[1].languages"),
        ('number = "112"', "number = 112", "contact[1].number"),
        ('sv = "Nödnumret"', 'sv = ""', "contact[1].name.sv"),
        ('id = "fi-mieli-fi"', 'id = "fi-112"', "id"),
    ],
)
def test_a_fault_in_the_file_is_named(tmp_path: Path, old: str, new: str, field: str) -> None:
    text = (KNOWLEDGE / "contacts.toml").read_text(encoding="utf-8")
    assert old in text
    (tmp_path / "contacts.toml").write_text(text.replace(old, new, 1), encoding="utf-8")
    with pytest.raises(LibraryError) as raised:
        load_contacts(tmp_path)
    assert raised.value.params == {"file": "contacts.toml", "field": field}
