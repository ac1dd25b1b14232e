"""What is shown, made from the domain's values: pure functions, no widget and no storage.

Text from a person or a model is shown as typed: whatever Markdown or HTML would make of it is encoded first, so nothing
in it becomes a link, a picture or a tag.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from babel.dates import format_date, format_time

from assistant.domain import Citation, Conversation, FlowId, Hit, Language, Turn
from assistant.errors import PeiliError
from assistant.library.cards import Library
from assistant.library.rendering import render
from assistant.ui.ports import Progress
from assistant.wording import explain, say

TEXT_LIMIT_BYTES = 16 * 1024

_BABEL: Mapping[Language, str] = {"fi": "fi_FI", "sv": "sv_FI", "en": "en_GB"}
_MEANS_SOMETHING = re.compile(r"[^\w\s,;?%§€”“„’‘–—…•]|_")
_LINE_START = re.compile(r"^[ \t]+", re.MULTILINE)
_HEADING = re.compile(r"^(#+ )", re.MULTILINE)


def plain(text: str) -> str:
    """`text` as Markdown that shows exactly `text`."""
    shown = _MEANS_SOMETHING.sub(lambda found: f"&#{ord(found.group(0))};", text)
    return _LINE_START.sub(lambda found: "&nbsp;" * len(found.group(0)), shown)


def messages(language: Language, turns: Iterable[Turn]) -> list[dict[str, str]]:
    """The turns as a chat shows them, each reply with the voice it was said in."""
    return [message(language, turn) for turn in turns]


def message(language: Language, turn: Turn) -> dict[str, str]:
    """One turn as a chat shows it."""
    if turn.speaker == "actor":
        return {"role": "user", "content": _said_by(say(language, "talk.you"), turn.text)}
    notes = [say(language, f"voice.{turn.voice}")] if turn.voice and turn.text else []
    if turn.state in {"stopped", "interrupted"}:
        notes.append(say(language, f"state.{turn.state}"))
    note = f'\n\n<span class="voice voice-{turn.voice}">{" · ".join(notes)}</span>' if notes else ""
    return {"role": "assistant", "content": _said_by("Peili", turn.text) + note}


def _said_by(who: str, text: str) -> str:
    """The text behind its speaker's name, which only a screen reader tells: the eye sees the sides of the chat."""
    return f'<span class="who">{who}:</span> {plain(text)}'


def conversation_choices(
    language: Language, conversations: Iterable[Conversation], now: datetime
) -> list[tuple[str, str]]:
    """(what is shown, id) of each conversation: its title, and below it the flow and the day."""
    return [
        (f"{title(language, item)}\n{flow_name(language, item.flow)} · {day(language, item.changed, now)}", item.id)
        for item in conversations
    ]


def title(language: Language, conversation: Conversation) -> str:
    """A conversation's title; one in which nothing has been said yet has none of its own."""
    return conversation.title or say(language, "talk.untitled")


def flow_name(language: Language, flow: FlowId) -> str:
    """What a flow is called in a list."""
    return say(language, f"flow.{flow}.name")


def day(language: Language, seconds: float, now: datetime) -> str:
    """The time of day for today, else the date, as one writes them in `language`. `now` carries the time zone."""
    then = datetime.fromtimestamp(seconds, now.tzinfo)
    if then.date() == now.date():
        return format_time(then, "short", tzinfo=now.tzinfo, locale=_BABEL[language])
    return format_date(then, "medium", locale=_BABEL[language])


def cited(hits: Iterable[Hit]) -> tuple[Citation, ...]:
    """Cards that were found, with the passage that was found in each."""
    return tuple(Citation(hit.card_id, hit.language, hit.passage.text) for hit in hits)


def sources_after(citations: Sequence[Citation], found: Iterable[Citation]) -> tuple[Citation, ...]:
    """What a reply rests on first, then what else was found, each card once."""
    known = {citation.card_id for citation in citations}
    return (*citations, *(citation for citation in found if citation.card_id not in known))


def source_choices(library: Library, sources: Iterable[Citation]) -> list[tuple[str, str]]:
    """(what is shown, card id) of each source."""
    choices = []
    for source in sources:
        card = library.nearest_card(source.card_id, source.language)
        choices.append((f"{card.title}\n{card.summary}", card.id))
    return choices


def card_text(library: Library, source: Citation) -> str:
    """The whole card as Markdown, the cited passage marked, its headings below those of the page."""

    def marked(text: str) -> str:
        return f"<mark>{text}</mark>"

    card = library.nearest_card(source.card_id, source.language)
    return _HEADING.sub(r"#\1", render(card, library.sources, quote=source.quote, mark=marked))


def progress_line(language: Language, parts: Iterable[Progress]) -> str:
    """What is ready, what still starts and what failed; empty when everything is ready."""
    shown = [part for part in parts if part.state != "ready" and (part.part, part.state) != ("index", "off")]
    if not shown:
        return ""
    told = [_part_line(language, part) for part in shown]
    hint = "progress.meanwhile" if any(part.state == "starting" for part in shown) else "progress.without"
    return " ".join((" · ".join(told) + ".", say(language, hint)))


def _part_line(language: Language, part: Progress) -> str:
    name = say(language, f"progress.{part.part}")
    if part.state == "starting" and part.total:
        return say(language, "progress.counted", part=name, done=part.done, total=part.total)
    return say(language, f"progress.{part.state}", part=name)


def too_long(language: Language, text: str) -> str:
    """What to tell about a text that may not be sent, empty if it may."""
    size = len(text.encode("utf-8", "surrogatepass"))
    if size <= TEXT_LIMIT_BYTES:
        return ""
    return trouble(say(language, "talk.too_long", limit=TEXT_LIMIT_BYTES // 1024, size=-(-size // 1024)))


def notice(language: Language, error: PeiliError) -> str:
    """An error where it is told: what happened, why, what to do."""
    return trouble(explain(language, error))


def trouble(text: str) -> str:
    """A text that tells of something in the way, to be seen as such."""
    return f'<span class="trouble">{plain(text)}</span>'
