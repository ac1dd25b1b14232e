"""The live sheet: the person's own words in fields they can change (`saving` stores what they do there)."""

from __future__ import annotations

import gradio as gr

from assistant.domain import Entry, Language, Sheet
from assistant.ui import sheets
from assistant.ui.pages.parts import HIDDEN, QuestionRow, Room, SheetPanel, Updates, seen
from assistant.ui.sessions import Login
from assistant.wording import say

_FIELDS = 8
_QUESTIONS = 12


def build_sheet(language: Language) -> SheetPanel:
    """The components, inside the tabs they are called in."""
    with gr.Tab(say(language, "sheet.tab"), id="sheet", render_children=True):
        empty = gr.Markdown(say(language, "sheet.empty"), elem_classes="quiet")
        fields = tuple(_field("sheet-field") for _ in range(_FIELDS))
        questions = tuple(_question_row() for _ in range(_QUESTIONS))
        top = gr.CheckboxGroup(
            [], label=say(language, "sheet.top"), info=say(language, "sheet.top_info"), visible=HIDDEN, elem_id="top"
        )
        saved = gr.Markdown("", elem_id="sheet-saved", elem_classes="quiet")
        with gr.Column(elem_id="sheet-conflict", elem_classes="part"):
            theirs = gr.Markdown("", visible=HIDDEN, elem_classes="head")
            with gr.Row():
                add_mine = gr.Button(say(language, "sheet.add_mine"), size="sm")
                take_theirs = gr.Button(say(language, "sheet.take_theirs"), size="sm")
    return SheetPanel(empty, fields, questions, top, saved, theirs, add_mine, take_theirs)


def _field(kind: str) -> gr.Textbox:
    attributes = gr.InputHTMLAttributes(autocomplete="off")
    return gr.Textbox(
        lines=2, max_lines=12, visible=HIDDEN, interactive=True, elem_classes=kind, html_attributes=attributes
    )


def _question_row() -> QuestionRow:
    text = _field("sheet-question")
    return QuestionRow(text, gr.Radio([], visible=HIDDEN, interactive=True, elem_classes="open-ones"))


def sheet_shown(room: Room, login: Login, sheet: Sheet, *, before: Sheet | None = None) -> Updates:
    """The sheet in its fields. With `before`, the sheet shown until now, only what differs is touched."""
    parts, elements = room.page.sheet, login.dialogue.elements(sheet.flow)
    labels = sheets.field_labels(sheet, elements)
    old_labels = sheets.field_labels(before, elements) if before else ()
    updates: dict[object, object] = {parts.saved: "", parts.theirs: gr.update(visible=HIDDEN)}
    if before is None or bool(before.entries) != bool(sheet.entries):
        text = room.say("sheet.none_in_lookup" if sheet.flow == "lookup" else "sheet.empty")
        updates[parts.empty] = gr.update(visible=seen(not sheet.entries), value=text)
    for place, field in enumerate(parts.fields):
        label, old = (all_of[place] if place < len(all_of) else None for all_of in (labels, old_labels))
        if before is None or label != old:
            updates[field] = _shown_field(room, sheet, label)
        elif label is not None and before.under(label) != sheet.under(label):
            updates[field] = sheets.field_text(sheet, label)
    if sheet.flow == "questions":
        return {**updates, **_questions_shown(room, sheet, before)}
    return {**updates, **(_no_questions(room) if before is None else {})}


def sheet_cleared(room: Room) -> Updates:
    """No word left in any field."""
    parts = room.page.sheet
    texts = [*parts.fields, *(row.text for row in parts.questions), parts.theirs]
    choices = [*(row.open_ones for row in parts.questions), parts.top]
    return {
        **{text: gr.update(value="", visible=HIDDEN) for text in texts},
        **{choice: gr.update(choices=[], visible=HIDDEN) for choice in choices},
        parts.saved: "",
    }


def _shown_field(room: Room, sheet: Sheet, label: str | None) -> object:
    if label is None:
        return gr.update(visible=HIDDEN, value="")
    return gr.update(
        visible=True,
        label=room.say("element.other" if label == sheets.OTHER else f"element.{sheet.flow}.{label}"),
        value=sheets.field_text(sheet, label),
        placeholder=room.say("sheet.placeholder"),
    )


def _no_questions(room: Room) -> Updates:
    parts = room.page.sheet
    rows = [component for row in parts.questions for component in row]
    return {component: gr.update(visible=HIDDEN) for component in (*rows, parts.top)}


def _questions_shown(room: Room, sheet: Sheet, before: Sheet | None) -> Updates:
    """One row a question and an empty one to add to."""
    parts, entries = room.page.sheet, sheets.questions(sheet)
    old = sheets.questions(before) if before else None
    updates: dict[object, object] = {}
    for place, row in enumerate(parts.questions):
        if old is None or _in_row(old, place) != _in_row(entries, place):
            updates |= _question_shown(room, row, place, entries)
    choices = [(entry.text, place) for place, entry in enumerate(entries[: len(parts.questions)])]
    chosen = [place for place in sheets.top(sheet) if place < len(choices)]
    updates[parts.top] = gr.update(choices=choices, value=chosen, visible=seen(len(entries) > 1))
    return updates


def _in_row(entries: tuple[Entry, ...], place: int) -> Entry | bool:
    """What a row shows: a question, the invitation to add one (True), or nothing (False)."""
    return entries[place] if place < len(entries) else place == len(entries)


def _question_shown(room: Room, row: QuestionRow, place: int, entries: tuple[Entry, ...]) -> Updates:
    shown = _in_row(entries, place)
    if isinstance(shown, bool):
        label, placeholder = room.say("sheet.question_new"), room.say("sheet.question_placeholder")
        return {
            row.text: gr.update(visible=seen(shown), value="", label=label, placeholder=placeholder),
            row.open_ones: gr.update(visible=HIDDEN),
        }
    offered = shown.kind in {"closed", "leading"} and bool(shown.alternatives)
    return {
        row.text: gr.update(visible=True, value=shown.text, label=question_label(room, place, shown), placeholder=""),
        row.open_ones: gr.update(
            visible=seen(offered),
            choices=[(text, text) for text in shown.alternatives],
            value=None,
            label=room.say("sheet.alternatives"),
        ),
    }


def question_label(room: Room, place: int, entry: Entry) -> str:
    """The number of a question and, where it is known, what kind it is."""
    number = room.say("sheet.question", number=place + 1)
    return f"{number} · {room.say(f'kind.{entry.kind}')}" if entry.kind else number
