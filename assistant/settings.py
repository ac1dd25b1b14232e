"""Settings of the workstation: one typed, frozen object. A bad value is a message, never a crash."""

from __future__ import annotations

import os
import tomllib
from dataclasses import dataclass, fields, replace
from pathlib import Path

from assistant.domain import LANGUAGES, Language

DEFAULT_CHAT_MODEL = "qwen2.5-coder-1.5b-q4km"
DEFAULT_ENCODER = "embeddinggemma-300m"


@dataclass(frozen=True, slots=True)
class Settings:
    """What can be set, with its default.

    language: of the page before a person has chosen. chat_model: id in the catalogue, or `none`. encoder: id in the
    catalogue. country: whose contacts are shown first (FI or SE). lock_after_minutes: idle time until a vault locks,
    1 to 60. threads: of each worker, 0 for the number of processors.
    """

    language: Language = "en"
    chat_model: str = DEFAULT_CHAT_MODEL
    encoder: str = DEFAULT_ENCODER
    country: str = "FI"
    lock_after_minutes: int = 10
    threads: int = 0

    def worker_threads(self) -> int:
        """Threads for one worker."""
        return self.threads or os.cpu_count() or 2


@dataclass(frozen=True, slots=True)
class SettingProblem:
    """A setting that could not be used; its default holds instead."""

    name: str
    value: str


def load(path: Path) -> tuple[Settings, tuple[SettingProblem, ...]]:
    """The settings in `path` (TOML; none is fine) and what in it could not be used."""
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return Settings(), ()
    except (tomllib.TOMLDecodeError, UnicodeDecodeError):
        return Settings(), (SettingProblem(path.name, ""),)
    known = {item.name for item in fields(Settings)}
    settings, problems = Settings(), []
    for name, value in raw.items():
        changed = replace(settings, **{name: value}) if name in known else None
        if changed is not None and _valid(changed):
            settings = changed
        else:
            problems.append(SettingProblem(name, str(value)))
    return settings, tuple(problems)


def save(path: Path, settings: Settings) -> None:
    """Write every setting to `path`."""
    lines = []
    for item in fields(Settings):
        value = getattr(settings, item.name)
        lines.append(f"{item.name} = {value if isinstance(value, int) else _quoted(value)}")
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_suffix(".part")
    temporary.write_text("\n".join(lines) + "\n", encoding="utf-8")
    temporary.replace(path)


def _quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _valid(settings: Settings) -> bool:
    return (
        all(isinstance(getattr(settings, name), str) for name in ("language", "chat_model", "encoder", "country"))
        and all(type(getattr(settings, name)) is int for name in ("lock_after_minutes", "threads"))
        and settings.language in LANGUAGES
        and settings.country in {"FI", "SE"}
        and 1 <= settings.lock_after_minutes <= 60
        and 0 <= settings.threads <= 64
    )
