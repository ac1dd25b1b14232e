"""A card as the pieces that can be shown, searched and cited, each standing verbatim in the card's text."""

from __future__ import annotations

import math
import re
from collections.abc import Iterator

from assistant.domain import Card, Passage, Section

MAX_WORDS = 90
"""The longest passage: what can be read at a glance beside a reply, and one reply's own limit (design.md 4)."""

_PROSE: tuple[Section, ...] = ("purpose", "when", "when_not", "example", "pitfalls")
_UNIT_END = re.compile(r"\n+|(?<=[.!?…])[”’)]*\s+")


def card_text(card: Card) -> str:
    """All text of a card that a person reads. A quotation is genuine if it is a substring of this."""
    prose = [card.sections[section] for section in _PROSE]
    return "\n\n".join(
        [card.title, card.summary, *prose, _steps(card), *(question.text for question in card.questions)]
    )


def passages(card: Card) -> tuple[Passage, ...]:
    """The card's passages in the order of the page: prose in pieces of at most MAX_WORDS, steps, single questions."""
    found: list[Passage] = []
    for section in ("purpose", "when", "when_not", "steps", "questions", "example", "pitfalls"):
        if section == "questions":
            pieces = [question.text for question in card.questions]
        else:
            pieces = _pieces(_steps(card) if section == "steps" else card.sections[section])
        found += [Passage(card.id, card.language, section, piece) for piece in pieces]
    return tuple(found)


def _steps(card: Card) -> str:
    return " ".join(step.text for step in card.steps)


def _pieces(text: str) -> list[str]:
    """`text` cut at line and sentence ends, into as few pieces as MAX_WORDS allows and of about equal length."""
    words = len(text.split())
    number = math.ceil(words / MAX_WORDS)
    while len(pieces := list(_cut(text, words / number))) > number:
        number += 1
    return pieces


def _cut(text: str, enough: float) -> Iterator[str]:
    start = end = 0
    for cut in [found.end() for found in _UNIT_END.finditer(text)] + [len(text)]:
        if end > start and (len(text[start:cut].split()) > MAX_WORDS or len(text[start:end].split()) >= enough):
            yield text[start:end].strip()
            start = end
        end = cut
    yield text[start:].strip()
