"""peili chat and peili analyse: the dialogue and the analysis without the page, for scripts and evaluations."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from typing import Annotated, Any, Literal

import typer

from assistant import app as composition
from assistant.commands.surroundings import language_or_none, surroundings
from assistant.dialogue.service import DialogueService
from assistant.domain import Finished, FlowId, Sentence, Sheet, Text
from assistant.errors import PeiliError

SheetFlow = Literal["goal", "questions", "reflection"]


def chat(
    flow: Annotated[FlowId, typer.Option()],
    lang: Annotated[str, typer.Option(help="fi, sv or en.")] = "en",
    model: Annotated[str | None, typer.Option(help="A model's id, or none.")] = None,
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Talk on standard input: one JSON object {"text": …}, or plain text, a line. Nothing is kept."""
    here = surroundings()
    language = language_or_none(lang) or here.language
    services = composition.build(here.settings, here.paths, chat_model=model)
    try:
        services.load()
        dialogue = services.throwaway_dialogue()
        conversation = dialogue.begin(flow, language)
        if not as_json:
            for turn in dialogue.turns(conversation.id):
                typer.echo(turn.text)
        for text in _texts():
            _answer(dialogue, conversation.id, text, as_json=as_json)
    finally:
        services.close()


def analyse(
    flow: SheetFlow,
    lang: Annotated[str, typer.Option(help="fi, sv, en or auto.")] = "auto",
    as_json: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Say what the sentences on standard input speak to, and what is missing."""
    here = surroundings()
    services = composition.build(here.settings, here.paths, chat_model="none")
    try:
        services.load()
        result = services.analyse(sys.stdin.read(), flow, language_or_none(lang))
    finally:
        services.close()
    sentences = [_sentence(flow, sentence) for sentence in result.sentences]
    if as_json:
        body: dict[str, Any] = {"language": result.language, "sentences": sentences}
        if flow != "questions":
            said = {label for sentence in result.sentences if not sentence.unsure for label in sentence.labels}
            body["missing"] = [label for label in services.tools.flows[flow].labels if label not in said]
        typer.echo(json.dumps(body, ensure_ascii=False))
        return
    for row in sentences:
        typer.echo(f"{', '.join(row.get('labels', [row.get('kind')]))}  {row['confidence']:.2f}  {row['text']}")


def _answer(dialogue: DialogueService, conversation_id: str, text: str, *, as_json: bool) -> None:
    for event in dialogue.reply(conversation_id, text):
        if isinstance(event, Text) and not as_json:
            typer.echo(event.text, nl=False)
        elif isinstance(event, Finished):
            sheet = dialogue.sheet(conversation_id)[0]
            typer.echo(json.dumps(_reply(event, sheet), ensure_ascii=False) if as_json else "")


def _reply(event: Finished, sheet: Sheet) -> dict[str, Any]:
    reply = event.reply
    timing = reply.timing
    return {
        "reply": reply.text,
        "language": reply.language,
        "voice": reply.voice,
        "citations": [{"id": item.card_id, "lang": item.language, "quote": item.quote} for item in reply.citations],
        "sheet": _sheet(sheet),
        "timing": {
            "first_text_ms": timing.first_text_ms,
            "total_ms": timing.total_ms,
            "prompt_tokens": timing.prompt_tokens,
            "prefilled_tokens": timing.prefilled_tokens,
            "generated_tokens": timing.generated_tokens,
        },
    }


def _sheet(sheet: Sheet) -> dict[str, Any]:
    """The actor's sentences by element; a question with its kind, alternatives and rank."""
    rows: dict[str, list[Any]] = {}
    for entry in sheet.entries:
        row: Any = entry.text
        if entry.kind is not None:
            row = {
                "text": entry.text,
                "kind": entry.kind,
                "alternatives": list(entry.alternatives),
                "rank": entry.rank,
            }
        rows.setdefault(entry.element, []).append(row)
    return rows


def _sentence(flow: FlowId, sentence: Sentence) -> dict[str, Any]:
    if flow == "questions":
        return {
            "text": sentence.text,
            "kind": sentence.labels[0] if sentence.labels else "other",
            "confidence": sentence.confidence,
            "alternatives": list(sentence.alternatives),
        }
    return {"text": sentence.text, "labels": list(sentence.labels), "confidence": sentence.confidence}


def _texts() -> Iterator[str]:
    for line in sys.stdin:
        text = line.strip()
        if not text:
            continue
        if text.startswith("{"):
            try:
                given = json.loads(text)
            except json.JSONDecodeError:
                raise PeiliError("line_not_json") from None
            if not isinstance(given.get("text"), str):
                raise PeiliError("line_not_json")
            text = given["text"]
        yield text
