"""A whole card as plain Markdown for a page."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from assistant import wording
from assistant.domain import Card, Section
from assistant.library.parsing import HEADINGS

_MARKDOWN = re.compile(r"([\\`*_\[\]<>#|~])")
_BEFORE_STEPS: tuple[Section, ...] = ("purpose", "when", "when_not")
_AFTER_QUESTIONS: tuple[Section, ...] = ("example", "pitfalls")


def bold(text: str) -> str:
    """Markdown's strong emphasis: the default mark of a quotation."""
    return f"**{text}**"


def render(card: Card, sources: Mapping[str, str], *, quote: str = "", mark: Callable[[str], str] = bold) -> str:
    """The card with its title, minutes, sections, numbered steps, questions and credits, in the card's language.

    Every text stands as typed: characters that mean something in Markdown are escaped. Where `quote` (a piece of
    `passages.card_text`) stands, it is put through `mark`; a quotation over several lines is marked line by line.
    `sources` maps a credit key to a title.
    """
    shown = _Marker(quote, mark).shown
    headings = {section: heading for heading, section in HEADINGS[card.language].items()}
    facts = wording.say(card.language, "library.minutes", minutes=card.minutes) if card.minutes else ""
    parts = [f"# {shown(card.title)}", shown(card.summary), facts]

    def prose(section: Section) -> str:
        return f"## {headings[section]}\n\n{shown(card.sections[section])}"

    parts += [prose(section) for section in _BEFORE_STEPS]
    if card.steps:
        lines = [f"{number}. {shown(step.text)}{_minutes(step.minutes)}" for number, step in enumerate(card.steps, 1)]
        parts.append("\n".join([f"## {wording.say(card.language, 'library.steps')}\n", *lines]))
    if card.questions:
        lines = [f"- {shown(question.text)}" for question in card.questions]
        parts.append("\n".join([f"## {wording.say(card.language, 'library.questions')}\n", *lines]))
    parts += [prose(section) for section in _AFTER_QUESTIONS]
    if card.sources:
        credits = "; ".join(_escaped(sources.get(key, key)) for key in card.sources)
        parts.append(wording.say(card.language, "library.credits", sources=credits))
    return "\n\n".join(part for part in parts if part) + "\n"


def _minutes(minutes: int) -> str:
    return f" ({minutes} min)" if minutes else ""


def _escaped(text: str) -> str:
    return _MARKDOWN.sub(r"\\\1", text)


class _Marker:
    """Shows a text line by line, with what the quotation covers of each line marked."""

    def __init__(self, quote: str, mark: Callable[[str], str]) -> None:
        self._quoted = [line.removeprefix("- ").strip() for line in quote.splitlines() if line.strip()]
        self._mark = mark

    def shown(self, text: str) -> str:
        return "\n".join(self._line(line) for line in text.split("\n"))

    def _line(self, line: str) -> str:
        bullet = "- " if line.startswith("- ") else ""
        words = line.removeprefix(bullet)
        for quoted in self._quoted:
            if quoted in words:
                before, after = words.split(quoted, 1)
                return f"{bullet}{_escaped(before)}{self._mark(_escaped(quoted))}{_escaped(after)}"
            if words and words in quoted:
                return bullet + self._mark(_escaped(words))
        return bullet + _escaped(words)
