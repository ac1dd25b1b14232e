"""Where a command runs: paths, settings, language; and how it tells progress and problems."""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

import typer

from assistant import isolation
from assistant import settings as settings_module
from assistant.domain import LANGUAGES, Language
from assistant.paths import Paths
from assistant.settings import Settings
from assistant.wording import say


@dataclass(frozen=True, slots=True)
class Surroundings:
    """The workstation as a command finds it."""

    paths: Paths
    settings: Settings

    @property
    def language(self) -> Language:
        """The language in which the command speaks."""
        return self.settings.language

    def tell(self, key: str, **params: object) -> None:
        """A line for the person, on standard error: standard output carries results only."""
        typer.echo(say(self.language, key, **params), err=True)

    def counter(self, key: str) -> Callable[[int, int], None]:
        """A progress line: it counts in place on a terminal, and tells every tenth part elsewhere."""
        terminal, told = sys.stderr.isatty(), [-1]

        def count(done: int, total: int) -> None:
            tenth = done * 10 // max(total, 1)
            if terminal or tenth != told[0]:
                told[0] = tenth
                line = say(self.language, key, done=done, total=total)
                typer.echo(f"\r{line}" if terminal else line, err=True, nl=not terminal or done == total)

        return count


def surroundings() -> Surroundings:
    """Read paths and settings; settings that cannot be used are told, and their defaults hold.

    To be called before a library is imported that writes files where it likes.
    """
    paths = Paths.from_environment()
    isolation.keep_temporary_files_in(paths.runtime)
    settings, problems = settings_module.load(paths.settings_file)
    here = Surroundings(paths, settings)
    for problem in problems:
        here.tell("cli.setting_ignored", name=problem.name, value=problem.value)
    return here


def language_or_none(value: str | None) -> Language | None:
    """A `--lang` value; `auto` and nothing mean: see for yourself. Raises typer.BadParameter."""
    if value in (None, "auto"):
        return None
    for language in LANGUAGES:
        if value == language:
            return language
    raise typer.BadParameter("fi, sv, en, auto")
