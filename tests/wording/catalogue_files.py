"""The catalogues as they lie on the disk: one file an area and language."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

from babel.messages.pofile import read_po

from assistant.domain import LANGUAGES, Language
from assistant.paths import PROJECT_ROOT

LOCALES = PROJECT_ROOT / "assistant" / "locales"


def areas(language: Language) -> dict[str, Path]:
    """The files of a language by the name of their area."""
    return {path.stem: path for path in sorted((LOCALES / language / "LC_MESSAGES").glob("*.po"))}


@cache
def area_texts(language: Language, area: str) -> dict[str, str]:
    """The texts of one area by key."""
    with areas(language)[area].open("rb") as source:
        return {str(message.id): str(message.string) for message in read_po(source, locale=language) if message.id}


def texts(language: Language) -> dict[str, str]:
    """The texts of all areas by key."""
    return {key: text for area in areas(language) for key, text in area_texts(language, area).items()}


def written_keys(path: Path) -> list[str]:
    """The keys of a file as they are written, repetitions and all."""
    return re.findall(r'(?m)^msgid "(.+)"$', path.read_text(encoding="utf-8"))


def placeholders(text: str) -> set[str]:
    """The names between braces."""
    return set(re.findall(r"\{(\w*)\}", text))


def all_keys() -> set[str]:
    """The keys of the English catalogue, which the others are held to."""
    assert set(LANGUAGES) == {path.name for path in LOCALES.iterdir() if path.is_dir()}
    return set(texts("en"))
