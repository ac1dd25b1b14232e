"""Sentences of a text, with their place in it, in Finnish, Swedish and English."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import NamedTuple

_ABBREVIATIONS = frozenset(
    [
        *("esim", "mm", "jne", "ym", "yms", "ks", "vrt", "klo", "puh", "nro", "tms", "ts", "ao", "tod"),  # Finnish
        *("t.ex", "bl.a", "m.m", "d.v.s", "dvs", "osv", "o.s.v", "ca", "kl", "nr", "s.k", "fr.o.m", "t.o.m", "f.d"),
        *("m.fl", "bla", "tex"),  # Swedish, with the line before
        *("e.g", "i.e", "etc", "vs", "mr", "mrs", "ms", "dr", "prof", "approx", "dept"),  # English
        *("a.m", "p.m", "ph.d"),
    ]
)
_END = re.compile(r"[.!?…]+[\"”’')\]]*(?=\s|$)|\n+")
_BULLET = re.compile(r"^\s*[-*•–]\s+")
_NUMBER = re.compile(r"^[ \t]*\d{1,2}[.)][ \t]+", re.MULTILINE)
_LAST_WORD = re.compile(r"(\S+)$")


class Span(NamedTuple):
    """A sentence and where it stands: `text == whole[start:end]`."""

    text: str
    start: int
    end: int


def split(text: str) -> tuple[Span, ...]:
    """The sentences of `text`. A line end always ends a sentence; a full stop does unless it belongs to an
    abbreviation, a date, an ordinal, an initial or a pause in mid-sentence. List marks stay outside the spans; one
    number alone is a date ("3. kesäkuuta") and no list.
    """
    numbered = len(_NUMBER.findall(text)) > 1
    return tuple(span for start, end in _pieces(text) if (span := _trimmed(text, start, end, numbered)) is not None)


def _pieces(text: str) -> Iterator[tuple[int, int]]:
    start = 0
    for match in _END.finditer(text):
        if match.group()[0] in ".…" and not _ends_sentence(text, match.start(), match.end()):
            continue
        yield start, match.end()
        start = match.end()
    yield start, len(text)


def _ends_sentence(text: str, dot: int, after: int) -> bool:
    before = _LAST_WORD.search(text[:dot])
    word = before.group(1).lower().lstrip("(\"”'") if before else ""
    following = text[after:].lstrip(" \t")[:1]
    if text[dot:after].startswith(("..", "…")):  # a pause goes on in lower case
        return not following.islower()
    if word in _ABBREVIATIONS or (len(word) == 1 and word.isalpha()):
        return False
    if word[-1:].isdigit():  # "12.", "3.5.": an ordinal or date unless something new clearly begins
        opens_line = not text[text.rfind("\n", 0, dot) + 1 : dot].strip(" \t0123456789")
        return not following or following == "\n" or (following.isupper() and not opens_line)
    return True


def _trimmed(text: str, start: int, end: int, numbered: bool) -> Span | None:
    piece = text[start:end]
    bullet = _BULLET.match(piece) or (_NUMBER.match(piece) if numbered else None)
    start += bullet.end() if bullet else len(piece) - len(piece.lstrip())
    end = start + len(text[start:end].rstrip())
    return Span(text[start:end], start, end) if any(sign.isalnum() for sign in text[start:end]) else None
