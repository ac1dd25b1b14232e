"""One reply as it comes: the service's events become what the page shows.

A reply belongs to the conversation it was asked in. If the person opens another one meanwhile, it goes on unseen, is
stored, and is there when they come back.
"""

from __future__ import annotations

import logging
from collections.abc import Generator, Iterator

import gradio as gr

from assistant.domain import Citation, Finished, Notice, ReplyEvent, Sheet, SheetChanged, Sources, Text, Turn, Waiting
from assistant.errors import PeiliError
from assistant.ui import view
from assistant.ui.pages.opening import heading, listed, writing
from assistant.ui.pages.parts import Room, Updates
from assistant.ui.pages.sheet import sheet_shown
from assistant.ui.pages.sources import sources_shown
from assistant.ui.sessions import Login

_LOG = logging.getLogger(__name__)


class Answering:
    """The reply to one turn, shown in the page `page_id` as long as that page shows this conversation."""

    def __init__(self, room: Room, login: Login, conversation_id: str, page_id: str) -> None:
        self._room = room
        self._login = login
        self._id = conversation_id
        self._page_id = page_id
        self._turns: tuple[Turn, ...] = ()
        self._sheets: list[Sheet] = []
        self._found: tuple[Citation, ...] = ()
        self._told = ""

    def run(self, text: str) -> Iterator[Updates]:
        """Everything to show, step after step. The box is emptied at once, and filled again if nothing was stored."""
        dialogue, talk = self._login.dialogue, self._room.page.talk
        if self._login.is_replying(self._id):
            yield {talk.status: self._room.say("talk.one_at_a_time")}
            return
        try:
            conversation, before = dialogue.conversation(self._id), dialogue.turns(self._id)
            self._sheets = [dialogue.sheet(self._id)[0]]
        except PeiliError as error:
            yield {talk.status: view.notice(self._room.language, error)}
            return
        with self._login.replying(self._id):
            self._turns = (*before, Turn(len(before) + 1, "actor", text, conversation.language))
            yield self._begun()
            problem = yield from self._events(text)
        if self._visible:
            yield self._ended(text, before, problem)

    @property
    def _visible(self) -> bool:
        return self._login.shows(self._page_id, self._id)

    def _events(self, text: str) -> Generator[Updates, None, str]:
        """Show the reply's events. Returns what was in the way, in words, or nothing."""
        try:
            for event in self._login.dialogue.reply(self._id, text):
                update = self._update(event)
                if self._visible:
                    yield update
        except PeiliError as error:
            return view.notice(self._room.language, error)
        except Exception as error:
            _LOG.error("a reply failed: %s", type(error).__name__)
            return view.trouble(self._room.say("page.broken"))
        return ""

    def _begun(self) -> Updates:
        """The turn in the chat and the box empty."""
        talk = self._room.page.talk
        return {
            talk.chat: view.messages(self._room.language, self._turns),
            talk.box: "",
            talk.status: self._room.say("talk.reading"),
            **writing(self._room, replying=True),
        }

    def _update(self, event: ReplyEvent) -> Updates:
        page = self._room.page
        match event:
            case Text():
                last = self._turns[-1]
                said = last.text if last.speaker == "peili" else ""
                reply = Turn(0, "peili", said + event.text, last.language, "streaming", event.voice)
                self._turns = (*(turn for turn in self._turns if turn.sequence), reply)
                return {page.talk.chat: view.messages(self._room.language, self._turns), page.talk.status: self._told}
            case Sources():
                self._found = view.cited(event.hits)
                return self._sources((), self._room.say("talk.writing"))
            case SheetChanged():
                return self._sheet_changed()
            case Waiting():
                return {page.talk.status: self._room.say("talk.waiting", place=event.place)}
            case Notice():
                self._told = view.plain(self._room.say(event.key, **event.params))
                return {page.talk.status: self._told}
            case Finished():
                return self._sources(event.reply.citations, self._told)

    def _sources(self, citations: tuple[Citation, ...], status: str) -> Updates:
        """The cards, those the reply rests on first; a card that is open stays open if they are the same."""
        sources = view.sources_after(citations, self._found)
        same = self._login.sources.get(self._id) == sources
        self._login.sources[self._id] = sources
        return {self._room.page.talk.status: status, **sources_shown(self._room, sources, same=same)}

    def _sheet_changed(self) -> Updates:
        sheet, revision = self._login.dialogue.sheet(self._id)
        self._sheets.append(sheet)
        self._login.note_revision(self._page_id, self._id, revision)
        return sheet_shown(self._room, self._login, sheet, before=self._sheets[0])

    def _sheet_again(self) -> Updates:
        """What was put on the sheet, once more: a page that was still being built may have missed it.

        Not if the person has been at the sheet since: then the page has it, and they may be typing there.
        """
        if self._login.dialogue.sheet(self._id)[0] != self._sheets[-1]:
            return {}
        return sheet_shown(self._room, self._login, self._sheets[-1], before=self._sheets[0])

    def _ended(self, text: str, before: tuple[Turn, ...], problem: str) -> Updates:
        """What is stored now; a text that was not taken is back in the box."""
        talk, dialogue = self._room.page.talk, self._login.dialogue
        updates = {**writing(self._room, replying=False), talk.status: problem or self._told}
        try:
            turns, conversation = dialogue.turns(self._id), dialogue.conversation(self._id)
            updates |= {**listed(self._room, self._login, self._id), **self._sheet_again()}
            updates[talk.heading] = heading(self._room, conversation)
        except PeiliError as error:  # the vault was locked, or the conversation deleted in another tab
            return {**updates, talk.status: view.notice(self._room.language, error)}
        if len(turns) == len(before):
            updates[talk.box] = text
        return {**updates, talk.chat: view.messages(self._room.language, turns)}


def reply_in(room: Room, login: Login, conversation_id: str, text: str, request: gr.Request) -> Iterator[Updates]:
    """Answer `text`, unless there is nothing to answer or it is too long to be sent."""
    if not conversation_id or not text.strip():
        return
    if told := view.too_long(room.language, text):
        yield {room.page.talk.status: told}
        return
    yield from Answering(room, login, conversation_id, request.session_hash).run(text)
