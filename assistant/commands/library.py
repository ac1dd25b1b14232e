"""peili library: search, list, show, build, lint."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, get_args

import typer

from assistant import app as composition
from assistant.commands.embedding import keep_vectors
from assistant.commands.surroundings import language_or_none, surroundings
from assistant.domain import Language, Phase, Role, SearchResult
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.linting import explain, lint
from assistant.library.rendering import render
from assistant.wording import say

library = typer.Typer(no_args_is_help=True, help="The cards: find, read and check them.")


@library.command("search")
def search(  # one parameter an option
    query: Annotated[str, typer.Argument(help="What to look for; - reads one query, or JSON object, a line.")],
    lang: Annotated[str | None, typer.Option()] = None,
    role: Annotated[str | None, typer.Option()] = None,
    phase: Annotated[str | None, typer.Option()] = None,
    limit: Annotated[int, typer.Option(min=1, max=50)] = 5,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Find cards for what a person might type."""
    here = surroundings()
    services = composition.build(here.settings, here.paths, chat_model="none")
    try:
        services.load()
        asked = {"query": query, "lang": lang, "role": role, "phase": phase}
        for request in _requests(asked) if query == "-" else [asked]:
            result = services.search.find(
                str(request["query"]),
                language=language_or_none(request.get("lang")),
                role=_one_of(request.get("role"), Role),
                phase=_one_of(request.get("phase"), Phase),
                limit=limit,
            )
            if as_json or query == "-":
                typer.echo(json.dumps(_as_json(result), ensure_ascii=False))
            else:
                _print(result, here.language)
    finally:
        services.close()


@library.command("list")
def list_cards(
    lang: Annotated[str, typer.Option()] = "en", as_json: Annotated[bool, typer.Option("--json")] = False
) -> None:
    """Every card of a language."""
    here = surroundings()
    cards = Library.load(here.paths.knowledge).cards(language_or_none(lang) or here.language)
    rows = [{"id": card.id, "title": card.title, "type": card.type, "minutes": card.minutes} for card in cards]
    if as_json:
        typer.echo(json.dumps(rows, ensure_ascii=False))
        return
    for row in rows:
        typer.echo(f"{row['id']:8} {row['title']}")


@library.command("show")
def show_card(card_id: str, lang: Annotated[str, typer.Option()] = "en") -> None:
    """One card as Markdown."""
    here = surroundings()
    cards = Library.load(here.paths.knowledge)
    card = cards.card(card_id.upper(), language_or_none(lang) or here.language)
    typer.echo(render(card, cards.sources))


@library.command("build")
def build_index() -> None:
    """Make the search index anew from the cards and the encoder."""
    here = surroundings()
    services = composition.build(here.settings, here.paths, chat_model="none")
    try:
        services.build_index(here.counter("cli.indexing"))
    finally:
        services.close()


@library.command("embed")
def embed() -> None:
    """Make the vectors that ship with the cards and exemplars; to be run after either was changed."""
    here = surroundings()
    services = composition.build(here.settings, here.paths, chat_model="none")
    try:
        path = keep_vectors(services, here.counter("cli.embedding"))
    finally:
        services.close()
    here.tell("cli.embedded", file=str(path), size=round(path.stat().st_size / 1e6))


@library.command("lint")
def lint_cards() -> None:
    """Hold every card against the rules of knowledge/README.md."""
    here = surroundings()
    findings = lint(here.paths.knowledge)
    for finding in findings:
        typer.echo(explain(finding, here.language))
    if findings:
        raise LibraryError("cards_not_clean", count=len(findings))


def _requests(defaults: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for line in sys.stdin:
        text = line.strip()
        if not text:
            continue
        given: Any = None
        if text.startswith("{"):
            try:
                given = json.loads(text)
            except json.JSONDecodeError:
                raise LibraryError("query_not_json") from None
            if not isinstance(given.get("query"), str):
                raise LibraryError("query_not_json")
        yield {**defaults, **(given or {"query": text})}


def _one_of(value: Any, kind: Any) -> Any:
    if value is None or value in get_args(kind):
        return value
    raise typer.BadParameter(", ".join(get_args(kind)))


def _as_json(result: SearchResult) -> dict[str, Any]:
    hits = [
        {
            "id": hit.card_id,
            "lang": hit.language,
            "title": hit.title,
            "score": round(hit.score, 4),
            "passage": hit.passage.text,
        }
        for hit in result.hits
    ]
    return {"abstained": result.abstained, "results": hits}


def _print(result: SearchResult, language: Language) -> None:
    if result.abstained:
        typer.echo(say(language, "cli.nothing_fits"))
    for hit in result.hits:
        typer.echo(f"{hit.card_id:8} {hit.score:.2f}  {hit.title}\n         {hit.passage.text}\n")
