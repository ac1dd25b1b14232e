"""Storing the sheet: each change as it is typed, never over what another tab stored meanwhile.

The handlers run one at a time, so a tab never meets its own earlier change as somebody else's.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import gradio as gr

from assistant.domain import Sheet
from assistant.errors import Conflict, PeiliError
from assistant.ui import sheets, view
from assistant.ui.pages.parts import Room, Updates
from assistant.ui.pages.sheet import question_label, sheet_shown
from assistant.ui.sessions import Login

Handler = Callable[..., Updates]


@dataclass(frozen=True, slots=True)
class _At:
    """Whose sheet, of which conversation, on which page."""

    login: Login
    conversation: str
    page: str

    @property
    def shown(self) -> bool:
        """Whether the page still shows it: if not, what is stored must not appear among another sheet's fields."""
        return self.login.shows(self.page, self.conversation)


def wire_sheet(room: Room) -> None:
    """Bind what the fields do."""
    saving, page = _Saving(room), room.page

    def on(events: list[Any], handler: Handler, *inputs: Any) -> None:
        room.bind(events, handler, [page.conversation, *inputs], page.all, again="always_last", in_turn="sheet")

    for place, field in enumerate(page.sheet.fields):
        on([field.input], saving.field(place), field)
    for place, row in enumerate(page.sheet.questions):
        on([row.text.input], saving.question(place), row.text)
        on([row.text.blur], saving.left_question(place), row.text)
        on([row.open_ones.input], saving.alternative(place), row.open_ones)
    on([page.sheet.top.input], saving.top, page.sheet.top)
    texts = [*page.sheet.fields, *(row.text for row in page.sheet.questions)]
    on([page.sheet.add_mine.click], saving.add_mine, *texts)
    on([page.sheet.take_theirs.click], saving.take_theirs)


class _Saving:
    """The handlers: each makes the new sheet from the stored one and stores it if nobody else did meanwhile."""

    def __init__(self, room: Room) -> None:
        self._room = room

    def field(self, place: int) -> Handler:
        """What stores the field at `place` while the person types there."""

        def save(conversation_id: str, text: str, request: gr.Request) -> Updates:
            at = self._at(conversation_id, request)

            def change(sheet: Sheet) -> Sheet:
                return sheets.with_field(sheet, self._label(at, sheet, place), text)

            return self._stored(at, change, typed_in=self._room.page.sheet.fields[place])

        return save

    def question(self, place: int) -> Handler:
        """What stores the question at `place` while the person types; an emptied one is kept until they leave it."""

        def save(conversation_id: str, text: str, request: gr.Request) -> Updates:
            if not text.strip():
                return {}
            at, field = self._at(conversation_id, request), self._room.page.sheet.questions[place].text
            return self._stored(at, lambda sheet: sheets.with_question(sheet, place, text), typed_in=field)

        return save

    def left_question(self, place: int) -> Handler:
        """What takes a question off that was left empty."""

        def leave(conversation_id: str, text: str, request: gr.Request) -> Updates:
            if text.strip():
                return {}
            return self._stored(
                self._at(conversation_id, request), lambda sheet: sheets.with_question(sheet, place, "")
            )

        return leave

    def alternative(self, place: int) -> Handler:
        """What puts the open question that was chosen in the place of the one at `place`."""

        def save(conversation_id: str, chosen: str | None, request: gr.Request) -> Updates:
            if not chosen:
                return {}
            return self._stored(
                self._at(conversation_id, request), lambda sheet: sheets.with_alternative(sheet, place, chosen)
            )

        return save

    def top(self, conversation_id: str, chosen: list[int], request: gr.Request) -> Updates:
        """Store the most important questions, in the order they were chosen."""
        at = self._at(conversation_id, request)
        parts = self._room.page.sheet
        if len(chosen) <= sheets.TOP:
            return self._stored(at, lambda sheet: sheets.with_top(sheet, chosen), typed_in=parts.top)
        updates = self._stored(at, lambda sheet: sheets.with_top(sheet, chosen))
        return {**updates, parts.saved: self._room.say("sheet.top_three_only")}

    def take_theirs(self, conversation_id: str, request: gr.Request) -> Updates:
        """Show the sheet as it is stored."""
        return self._shown_as_stored(self._at(conversation_id, request))

    def add_mine(self, conversation_id: str, request: gr.Request, *texts: str | None) -> Updates:
        """Store what stands only in this tab's fields beside what another tab stored."""
        at, fields = self._at(conversation_id, request), len(self._room.page.sheet.fields)

        def change(sheet: Sheet) -> Sheet:
            labels = [self._label(at, sheet, place) for place in range(fields)]
            for label, text in zip(labels, texts[:fields], strict=True):
                sheet = sheets.with_lines_added(sheet, label, text or "")
            return sheets.with_lines_added(sheet, sheets.QUESTION, "\n".join(text or "" for text in texts[fields:]))

        theirs = self._shown_as_stored(at)
        return {**theirs, **self._stored(at, change)}

    def _at(self, conversation_id: str, request: gr.Request) -> _At:
        return _At(self._room.login(request), conversation_id, request.session_hash)

    def _label(self, at: _At, sheet: Sheet, place: int) -> str:
        labels = sheets.field_labels(sheet, at.login.dialogue.elements(sheet.flow))
        return labels[place] if place < len(labels) else sheets.OTHER

    def _shown_as_stored(self, at: _At) -> Updates:
        try:
            sheet, revision = at.login.dialogue.sheet(at.conversation)
        except PeiliError as error:
            return self._told(error)
        at.login.note_revision(at.page, at.conversation, revision)
        return sheet_shown(self._room, at.login, sheet)

    def _stored(self, at: _At, change: Callable[[Sheet], Sheet], *, typed_in: Any = None) -> Updates:
        """Store the changed sheet and show what else changed; what the person is at, `typed_in`, stays as it is."""
        dialogue, revision = at.login.dialogue, at.login.revision(at.page, at.conversation)
        try:
            before, _ = dialogue.sheet(at.conversation)
            after = change(before)
            stored = dialogue.save_sheet(at.conversation, after, revision)
        except Conflict:
            return self._conflict(at)
        except PeiliError as error:
            return self._told(error)
        at.login.note_revision(at.page, at.conversation, stored)
        if not at.shown:
            return {}
        updates = dict(sheet_shown(self._room, at.login, after, before=before))
        if typed_in in updates:
            updates[typed_in] = self._label_only(typed_in, after)
        return {**updates, self._room.page.sheet.saved: self._room.say("sheet.saved")}

    def _label_only(self, typed_in: Any, sheet: Sheet) -> object:
        texts = [row.text for row in self._room.page.sheet.questions]
        if typed_in not in texts:
            return gr.skip()
        place = texts.index(typed_in)
        return gr.update(label=question_label(self._room, place, sheets.questions(sheet)[place]))

    def _conflict(self, at: _At) -> Updates:
        if not at.shown:
            return {}
        parts = self._room.page.sheet
        sheet, _ = at.login.dialogue.sheet(at.conversation)
        lines = [f"- {view.plain(entry.text)}" for entry in sheet.entries]
        told = "\n".join([self._room.say("sheet.conflict"), "", *lines])
        return {parts.theirs: gr.update(visible=True, value=told), parts.saved: ""}

    def _told(self, error: PeiliError) -> Updates:
        return {self._room.page.sheet.saved: view.notice(self._room.language, error)}
