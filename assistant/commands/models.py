"""peili models: list, fetch, verify, add, use."""

from __future__ import annotations

import json
import sys
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from assistant import settings as settings_module
from assistant.commands.surroundings import Surroundings, surroundings
from assistant.domain import LANGUAGES, Language
from assistant.errors import ModelError
from assistant.inference import adding
from assistant.inference.catalogue import Catalogue, Entry, installed, languages_with_voice, verify
from assistant.inference.fetching import Step, fetch
from assistant.inference.sources import usual_sources
from assistant.wording import say

models = typer.Typer(no_args_is_help=True, help="The local models: what there is, what is here, what is used.")
_MEGABYTE = 1_000_000


def catalogue(here: Surroundings) -> Catalogue:
    """Peili's own catalogue and the models added on this workstation."""
    return Catalogue.load(here.paths.catalogue, added=adding.added_file(here.paths.models))


@models.command("list")
def list_models(as_json: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Every model, whether it is here, and which one is used."""
    here = surroundings()
    used = {here.settings.chat_model, here.settings.encoder}
    rows = [
        {
            "id": entry.id,
            "name": entry.name,
            "role": entry.role,
            "size_mb": round(entry.size / _MEGABYTE),
            "min_ram_gib": entry.min_ram_gib,
            "voice": sorted(languages_with_voice(entry)),
            "installed": installed(here.paths.models, entry),
            "used": entry.id in used,
        }
        for entry in catalogue(here).entries
    ]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        mark = "*" if row["used"] else " "
        state = say(here.language, "cli.installed" if row["installed"] else "cli.not_installed")
        voice = ",".join(str(language) for language in languages_with_voice(catalogue(here).entry(str(row["id"]))))
        typer.echo(f"{mark} {row['id']:32} {row['role']:8} {row['size_mb']:>6} MB  {voice or '-':8} {state}")


@models.command("fetch")
def fetch_models(
    model_ids: Annotated[list[str] | None, typer.Argument()] = None,
    folder: Annotated[Path | None, typer.Option("--from", help="A folder or bundle that holds the files.")] = None,
) -> None:
    """Fetch models and verify them; without an id, those that are used. May be interrupted and run again."""
    here = surroundings()
    fetch_entries(here, model_ids or [here.settings.encoder, here.settings.chat_model], folder)


@models.command("verify")
def verify_models(model_ids: Annotated[list[str] | None, typer.Argument()] = None) -> None:
    """Hash every file of the models that are here and compare with the catalogue."""
    here = surroundings()
    known = catalogue(here)
    entries = [known.entry(model_id) for model_id in model_ids or []] or [
        entry for entry in known.entries if entry.folder(here.paths.models).exists()
    ]
    for entry in entries:
        states = verify(here.paths.models, entry)
        for name, state in sorted(states.items()):
            typer.echo(f"{entry.id}  {name}  {state}")
        wrong = sorted(name for name, state in states.items() if state != "ok")
        if wrong:
            raise ModelError(f"model_{states[wrong[0]]}", model=entry.id, name=wrong[0])


@models.command("add")
def add_model(
    path: Path,
    title: Annotated[str, typer.Option(help="What the model is called.")] = "",
    template: Annotated[
        str, typer.Option(help="Its chat template: chatml, chatml-nothink, mistral, gemma3, gemma4.")
    ] = "chatml",
    voice: Annotated[list[str] | None, typer.Option(help="A language it may word replies in; may be repeated.")] = None,
) -> None:
    """Add a GGUF file of your own as a chat model."""
    here = surroundings()
    languages: frozenset[Language] = frozenset(language for language in LANGUAGES if language in (voice or []))
    entry = adding.add(path, here.paths.models, catalogue(here), chat_template=template, voice=languages, name=title)
    here.tell("cli.model_added", model=entry.id)


@models.command("use")
def use_model(model_id: Annotated[str, typer.Argument(help="An id of `models list`, or none.")]) -> None:
    """Choose the chat model or the encoder; `none` instead of a chat model for the curated voice alone."""
    here = surroundings()
    entry = catalogue(here).entry(model_id) if model_id != "none" else None
    if entry is not None and not installed(here.paths.models, entry):
        raise ModelError("model_missing", model=model_id)
    if entry is not None and entry.role == "encoder":
        changed = replace(here.settings, encoder=model_id)
    else:
        changed = replace(here.settings, chat_model=model_id)
    settings_module.save(here.paths.settings_file, changed)
    here.tell("cli.model_used", model=model_id)


def fetch_entries(here: Surroundings, model_ids: list[str], folder: Path | None) -> None:
    """Fetch the models that are not here yet, telling what happens."""
    known = catalogue(here)
    for entry in (known.entry(model_id) for model_id in model_ids if model_id != "none"):
        if installed(here.paths.models, entry):
            continue
        here.tell("cli.fetching", name=entry.name, size=round(entry.size / _MEGABYTE))
        if entry.terms:
            here.tell(f"cli.terms_{entry.terms}")
        sources = usual_sources([folder] if folder else ())
        fetch(entry, here.paths.models, sources, progress=_Progress(here, entry).tell)


class _Progress:
    """Tells a fetch's bytes: in place on a terminal, every tenth part elsewhere."""

    def __init__(self, here: Surroundings, entry: Entry) -> None:
        self._here = here
        self._entry = entry
        self._told: tuple[Step, int] | None = None

    def tell(self, done: int, total: int, step: Step) -> None:
        """Bytes done of `total` in this step."""
        share = done * 100 // max(total, 1)
        terminal = sys.stderr.isatty()
        point: tuple[Step, int] = (step, share if terminal else share // 10)
        if point == self._told:
            return
        self._told = point
        text = say(
            self._here.language,
            f"cli.step_{step}",
            name=self._entry.name,
            done=done // _MEGABYTE,
            total=total // _MEGABYTE,
        )
        typer.echo(f"\r{text}" if terminal else text, err=True, nl=not terminal or done >= total)
