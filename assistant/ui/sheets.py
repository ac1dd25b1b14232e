"""A sheet as fields on the page and back: pure functions. A field holds one entry a line."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from itertools import count

from assistant.domain import Entry, Sheet

QUESTION = "question"
OTHER = "other"
TOP = 3


def field_labels(sheet: Sheet, elements: Sequence[str]) -> tuple[str, ...]:
    """The elements shown as fields: the flow's, and any other that holds something. Questions have rows."""
    others = dict.fromkeys(entry.element for entry in sheet.entries if entry.element not in elements)
    return tuple(label for label in (*elements, *others) if label != QUESTION)


def field_text(sheet: Sheet, element: str) -> str:
    """What stands in the field of an element."""
    return "\n".join(" ".join(entry.text.split()) for entry in sheet.under(element))


def with_field(sheet: Sheet, element: str, text: str) -> Sheet:
    """The sheet with a field as the person left it: a line that stood there keeps where it came from."""
    left = list(sheet.under(element))
    entries = []
    for line in (" ".join(line.split()) for line in text.split("\n")):
        if line:
            same = next((entry for entry in left if " ".join(entry.text.split()) == line), None)
            if same is not None:
                left.remove(same)
            entries.append(same or Entry(element, line))
    return _with_element(sheet, element, entries)


def with_lines_added(sheet: Sheet, element: str, text: str) -> Sheet:
    """The sheet with those lines of `text` under `element` that do not stand there yet."""
    return with_field(sheet, element, "\n".join([field_text(sheet, element), *_missing(sheet, element, text)]))


def _missing(sheet: Sheet, element: str, text: str) -> list[str]:
    known = field_text(sheet, element).split("\n")
    return [line for line in (" ".join(line.split()) for line in text.split("\n")) if line not in known]


def questions(sheet: Sheet) -> tuple[Entry, ...]:
    """The questions in the order they were asked."""
    return sheet.under(QUESTION)


def with_question(sheet: Sheet, place: int, text: str) -> Sheet:
    """The sheet with one question in other words; its kind is not known then. An empty text takes it off."""
    entries = list(questions(sheet))
    line = " ".join(text.split())
    if place >= len(entries):
        entries += [Entry(QUESTION, line)] if line else []
    elif not line:
        del entries[place]
    elif line != entries[place].text:
        entries[place] = Entry(QUESTION, line, rank=entries[place].rank)
    return _with_element(sheet, QUESTION, _ranked_anew(entries))


def with_alternative(sheet: Sheet, place: int, chosen: str) -> Sheet:
    """The sheet with a question replaced by the open one the person chose."""
    entries = list(questions(sheet))
    old = entries[place]
    entries[place] = replace(old, text=chosen, kind="open", alternatives=())
    return _with_element(sheet, QUESTION, entries)


def with_top(sheet: Sheet, places: Sequence[int]) -> Sheet:
    """The sheet with these questions as the most important ones, the first first; at most three count."""
    ranks = {place: rank for rank, place in enumerate(places[:TOP], start=1)}
    entries = [replace(entry, rank=ranks.get(place)) for place, entry in enumerate(questions(sheet))]
    return _with_element(sheet, QUESTION, entries)


def top(sheet: Sheet) -> tuple[int, ...]:
    """The places of the most important questions, the first first."""
    ranked = [(entry.rank, place) for place, entry in enumerate(questions(sheet)) if entry.rank]
    return tuple(place for _, place in sorted(ranked))


def _ranked_anew(entries: list[Entry]) -> list[Entry]:
    """The same entries with ranks 1, 2, … again after one was taken off."""
    rank = count(1)
    new = {id(entry): next(rank) for entry in sorted(entries, key=lambda entry: entry.rank or TOP + 1) if entry.rank}
    return [replace(entry, rank=new.get(id(entry))) for entry in entries]


def _with_element(sheet: Sheet, element: str, entries: Sequence[Entry]) -> Sheet:
    """The sheet with these entries in the place of those of `element`, at the end if there were none."""
    kept: list[Entry] = []
    placed = False
    for entry in sheet.entries:
        if entry.element != element:
            kept.append(entry)
        elif not placed:
            kept += entries
            placed = True
    return replace(sheet, entries=tuple(kept if placed else [*kept, *entries]))
