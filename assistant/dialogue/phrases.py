"""The words around the cards' questions: `prompts/<lang>/phrases.toml` and `intents.toml`, read once and checked."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from string import Template

from assistant.dialogue.guide import Intent
from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError

INTENTS: tuple[Intent, ...] = ("skip", "unsure", "back", "explain", "show", "courtesy")
_MAX_INTENT_WORDS = 8
_EDGES = re.compile(r"^\W+|\W+$")


class Phrases:
    """Every curated phrase of one language. The same key and count always give the same variant."""

    def __init__(self, raw: Mapping[str, Mapping[str, str | list[str]]]) -> None:
        self._raw = raw

    def say(self, key: str, count: int = 0, **values: str) -> str:
        """Variant number `count` (going round) of `say.<key>`, with its `$names` filled."""
        variants = self._raw["say"][key]
        text = variants if isinstance(variants, str) else variants[count % len(variants)]
        return Template(text).substitute(values)

    def alternatives(self, kind: str) -> tuple[str, ...]:
        """Open questions to choose from in place of a closed or leading one."""
        return tuple(self._raw["alternatives"][kind])

    def element(self, name: str) -> str:
        """What an element (as `goal.why`) is called in running text."""
        return str(self._raw["elements"][name])

    def meaning(self, name: str) -> str:
        """What an element asks for, to stand behind a colon."""
        return str(self._raw["meaning"][name])

    def keys(self) -> frozenset[str]:
        """Every key with the names its text wants, for comparing languages."""
        found = set()
        for group, entries in self._raw.items():
            for key, value in entries.items():
                for text in [value] if isinstance(value, str) else value:
                    found.add(f"{group}.{key}:{sorted(set(Template(text).get_identifiers()))}")
        return frozenset(found)


class Intents:
    """Recognises short messages that steer the conversation, in any of the three languages."""

    def __init__(self, patterns: Mapping[Intent, tuple[re.Pattern[str], ...]]) -> None:
        self._patterns = patterns

    def find(self, text: str) -> Intent | None:
        """What the message wants, or None if it is not such a message."""
        bare = _EDGES.sub("", " ".join(text.replace("’", "'").replace(",", " ").split())).lower()
        if not bare:
            return "explain" if "?" in text else None
        if len(bare.split()) > _MAX_INTENT_WORDS:
            return None
        for intent, patterns in self._patterns.items():
            if any(pattern.fullmatch(bare) for pattern in patterns):
                return intent
        return None


def load_phrases(prompts: Path) -> Mapping[Language, Phrases]:
    """The phrases of every language; LibraryError if a file cannot be read."""
    return {language: Phrases(_read(prompts / language / "phrases.toml")) for language in LANGUAGES}


def load_intents(prompts: Path) -> Intents:
    """The intents of all languages together; LibraryError if a file cannot be read."""
    raw = [_read(prompts / language / "intents.toml") for language in LANGUAGES]
    return Intents(
        {intent: tuple(re.compile(pattern) for file in raw for pattern in file[intent]) for intent in INTENTS}
    )


def _read(path: Path) -> Mapping[str, Mapping[str, str | list[str]]]:
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError) as error:
        raise LibraryError("prompt_unreadable", file=f"{path.parent.name}/{path.name}") from error
