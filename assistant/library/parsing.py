"""One card file: TOML front matter between two `+++` lines, then five headings (format: knowledge/README.md)."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

from assistant.domain import CARD_TYPES, PHASES, ROLES, Card, CardQuestion, Language, Section, Step
from assistant.errors import LibraryError

HEADINGS: Mapping[Language, Mapping[str, Section]] = {
    "fi": {
        "Tarkoitus": "purpose",
        "Milloin": "when",
        "Milloin ei": "when_not",
        "Esimerkki": "example",
        "Sudenkuopat": "pitfalls",
    },
    "sv": {"Syfte": "purpose", "När": "when", "När inte": "when_not", "Exempel": "example", "Fallgropar": "pitfalls"},
    "en": {
        "Purpose": "purpose",
        "When to use": "when",
        "When not": "when_not",
        "Example": "example",
        "Pitfalls": "pitfalls",
    },
}
"""The headings of a card's body in their order, and the section each one opens."""

_FENCE = "+++"
_TOML_LINE = re.compile(r"at line (\d+)")


def parse_card(text: str, language: Language, file: str) -> Card:
    """The card that `text` holds; `file` (as `fi/ACT-10.md`) names it in errors and gives the id it must have.

    Lines that belong to one paragraph or list item are joined with a space, so a section's text is free of hard wraps:
    blocks are parted by an empty line, list items by a newline. Raises LibraryError if the format is not kept.
    """
    lines = text.splitlines()
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE][:2]
    if len(fences) != 2 or fences[0] != 0:
        raise LibraryError("card_front_matter", file=file)
    fields = _Fields(_front_matter(lines[1 : fences[1]], file), file)
    identifier = fields.text("id")
    if identifier != PurePosixPath(file).stem:
        raise LibraryError("card_field", file=file, field="id")
    return Card(
        id=identifier,
        language=language,
        title=fields.text("title"),
        audience=fields.choices("audience", ROLES),
        phase=fields.choices("phase", PHASES),
        type=fields.choice("type", CARD_TYPES),
        minutes=fields.number("minutes"),
        summary=fields.text("summary"),
        aliases=fields.texts("aliases"),
        says=fields.texts("says"),
        steps=tuple(Step(step.text("text"), step.number("minutes")) for step in fields.tables("steps")),
        questions=tuple(
            CardQuestion(question.text("text"), question.text("for") if "for" in question else None)
            for question in fields.tables("questions")
        ),
        related=fields.texts("related"),
        sources=fields.texts("sources"),
        sections=_sections(lines, fences[1] + 1, language, file),
    )


def _front_matter(lines: list[str], file: str) -> dict[str, Any]:
    try:
        return tomllib.loads("\n".join(lines))
    except tomllib.TOMLDecodeError as error:
        found = _TOML_LINE.search(str(error))
        line = int(found.group(1)) + 1 if found else len(lines) + 1  # the opening fence is line 1 of the file
        raise LibraryError("card_toml", file=file, line=line, detail=str(error)) from error


class _Fields:
    """The front matter of one card, or one table in it, read field by field with its type checked."""

    def __init__(self, raw: Mapping[str, Any], file: str, within: str = "") -> None:
        self._raw = raw
        self._file = file
        self._within = within

    def __contains__(self, name: str) -> bool:
        return name in self._raw

    def text(self, name: str) -> str:
        value = self._raw.get(name)
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(name)
        return " ".join(value.split())

    def number(self, name: str) -> int:
        value = self._raw.get(name)
        if type(value) is not int or value < 0:
            raise self._wrong(name)
        return value

    def texts(self, name: str) -> tuple[str, ...]:
        values = self._raw.get(name)
        if not isinstance(values, list) or not all(isinstance(value, str) and value.strip() for value in values):
            raise self._wrong(name)
        return tuple(" ".join(value.split()) for value in values)

    def choice(self, name: str, allowed: tuple[Any, ...]) -> Any:
        value = self.text(name)
        if value not in allowed:
            raise self._wrong(name)
        return value

    def choices(self, name: str, allowed: tuple[Any, ...]) -> tuple[Any, ...]:
        values = self.texts(name)
        if not values or any(value not in allowed for value in values):
            raise self._wrong(name)
        return values

    def tables(self, name: str) -> tuple[_Fields, ...]:
        tables = self._raw.get(name, [])
        if not isinstance(tables, list) or not all(isinstance(table, dict) for table in tables):
            raise self._wrong(name)
        return tuple(_Fields(table, self._file, f"{name}[{at}].") for at, table in enumerate(tables, start=1))

    def _wrong(self, name: str) -> LibraryError:
        return LibraryError("card_field", file=self._file, field=self._within + name)


def _sections(lines: list[str], start: int, language: Language, file: str) -> dict[Section, str]:
    expected = list(HEADINGS[language].items())
    bodies: dict[Section, list[str]] = {}
    body: list[str] = []
    for number, line in enumerate(lines[start:], start=start + 1):
        if line.startswith("## "):
            if len(bodies) == len(expected) or line[3:].strip() != expected[len(bodies)][0]:
                heading = expected[len(bodies)][0] if len(bodies) < len(expected) else line[3:].strip()
                raise LibraryError("card_heading", file=file, line=number, heading=heading)
            body = bodies[expected[len(bodies)][1]] = []
        elif line.strip() and not bodies:
            raise LibraryError("card_heading", file=file, line=number, heading=expected[0][0])
        else:
            body.append(line)
    if len(bodies) < len(expected):
        raise LibraryError("card_heading", file=file, line=len(lines), heading=expected[len(bodies)][0])
    sections = {section: _unwrapped(body) for section, body in bodies.items()}
    for heading, section in expected:
        if not sections[section]:
            raise LibraryError("card_section_empty", file=file, heading=heading)
    return sections


def _unwrapped(lines: list[str]) -> str:
    blocks: list[list[str]] = [[]]
    for line in lines:
        piece = line.strip()
        if not piece:
            blocks.append([])
        elif piece.startswith("- ") or not blocks[-1]:
            blocks[-1].append(piece)
        else:
            blocks[-1][-1] += f" {piece}"
    return "\n\n".join("\n".join(block) for block in blocks if block)
