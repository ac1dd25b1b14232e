"""A person's conversations: begin, reply, stop, read, mend, delete. What the page and the command line call."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from assistant.dialogue.composer import Situation
from assistant.dialogue.guide import GuideState, Said, advance
from assistant.dialogue.replying import ReplyRun, Toolbox, language_of
from assistant.dialogue.state import read_standing
from assistant.dialogue.voice import exchanges
from assistant.domain import (
    Conversation,
    Entry,
    FlowId,
    Language,
    ReplyEvent,
    Sentence,
    Sheet,
    Turn,
)
from assistant.errors import PeiliError
from assistant.vault.repository import Repository

MAX_TURN_BYTES = 16_384


class DialogueService:
    """The conversations of one person, in their open vault. `person` names them to the models' queue.

    Safe to use from several threads; a conversation has one reply at a time.
    """

    def __init__(self, tools: Toolbox, repository: Repository, person: str) -> None:
        self._tools = tools
        self._repository = repository
        self._person = person
        self._running: set[str] = set()
        self._unwanted: set[str] = set()  # those of them whose reply the person stopped
        self._lock = threading.Lock()

    def begin(self, flow: FlowId, language: Language) -> Conversation:
        """A new conversation, with Peili's opening question as its first turn."""
        conversation = self._repository.create(flow, language)
        opening = self._tools.composer.opening(self._situation(conversation, Sheet(flow)))
        if opening.text:
            self._repository.append_turn(
                conversation.id,
                speaker="peili",
                text=opening.text,
                language=language,
                voice="curated",
                citations=opening.citations,
            )
        self.prepare(conversation.id)
        return self._repository.get(conversation.id)

    def reply(self, conversation_id: str, text: str) -> Iterator[ReplyEvent]:
        """Take the actor's turn and yield the reply's events, ending with Finished.

        The turn is stored before the first event. Raises PeiliError: `turn_empty`, `turn_too_big`, `reply_running`, and
        VaultError where the vault cannot be written; then the turn was not taken and the person still has the text.
        """
        words = text.strip()
        if not words:
            raise PeiliError("turn_empty")
        if len(words.encode()) > MAX_TURN_BYTES:
            raise PeiliError("turn_too_big", limit=MAX_TURN_BYTES // 1024)
        with self._one_reply(conversation_id) as stopped:
            conversation = self._repository.get(conversation_id)
            yield from ReplyRun(self._tools, self._repository, self._person, conversation, stopped).run(words)
        with suppress(PeiliError):  # the reply is stored; a vault locked meanwhile is no fault of it
            self.prepare(conversation_id)

    def stop(self, conversation_id: str) -> None:
        """Stop the reply that runs in a conversation; what was shown of it stays."""
        with self._lock:
            if conversation_id not in self._running:
                return
            self._unwanted.add(conversation_id)
        if self._tools.voice is not None:
            self._tools.voice.stop(self._session(conversation_id))

    def prepare(self, conversation_id: str) -> None:
        """Let the model read ahead, while the person reads and types, what the next turn most likely needs."""
        voice = self._tools.voice
        if voice is None:
            return
        conversation, turns = self._repository.get(conversation_id), self._repository.turns(conversation_id)
        language = language_of(conversation, turns)
        if not voice.speaks(language):
            return
        block = self._likely_block(replace(conversation, language=language))
        messages = voice.messages(conversation.flow, language, exchanges(turns), block, None)
        voice.prepare(messages, self._session(conversation_id))

    def conversations(self) -> tuple[Conversation, ...]:
        """All of them, the one changed last first."""
        return self._repository.list()

    def conversation(self, conversation_id: str) -> Conversation:
        """One conversation's head."""
        return self._repository.get(conversation_id)

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """A conversation's turns, oldest first."""
        return self._repository.turns(conversation_id)

    def sheet(self, conversation_id: str) -> tuple[Sheet, int]:
        """A conversation's sheet and its revision."""
        return self._repository.sheet(conversation_id)

    def save_sheet(self, conversation_id: str, sheet: Sheet, expected_revision: int) -> int:
        """Keep the sheet as the person mended it; the new revision. Raises Conflict if it changed meanwhile."""
        kept = tuple(entry for entry in sheet.entries if entry.text.strip())
        return self._repository.save_sheet(conversation_id, replace(sheet, entries=kept), expected_revision)

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation for good."""
        self.stop(conversation_id)
        self._repository.delete(conversation_id)
        if self._tools.voice is not None:
            self._tools.voice.forget(self._session(conversation_id))

    def elements(self, flow: FlowId) -> tuple[str, ...]:
        """The labels of a flow's sheet, in order."""
        return self._tools.flows[flow].labels

    def missing(self, flow: FlowId, sheet: Sheet) -> tuple[str, ...]:
        """The labels of what a sheet does not hold yet."""
        return tuple(label for label in self.elements(flow) if not sheet.under(label))

    def _likely_block(self, conversation: Conversation) -> str:
        """The workbook's block of the next turn if the person answers what was asked."""
        voice, flow = self._tools.voice, self._tools.flows[conversation.flow]
        if voice is None or not flow.elements or flow.id == "questions":
            return ""
        state: GuideState = read_standing(self._repository.guide(conversation.id), flow).guide
        sheet = self._repository.sheet(conversation.id)[0]
        if state.awaiting:
            sheet = sheet.with_entries((Entry(state.awaiting, "…"),))
        move, _ = advance(flow, state, Said(noted=(Sentence("…", 0, 1),)), sheet)
        if move.kind != "ask":
            return ""
        draft = self._tools.composer.draft(move, self._situation(conversation, sheet))
        return voice.prompts(conversation.language).question_block(draft.question)

    def _situation(self, conversation: Conversation, sheet: Sheet) -> Situation:
        flow = self._tools.flows[conversation.flow]
        return Situation(conversation.id, flow, conversation.language, sheet, count=0)

    def _session(self, conversation_id: str) -> str:
        return f"{self._person}/{conversation_id}"

    @contextmanager
    def _one_reply(self, conversation_id: str) -> Iterator[Callable[[], bool]]:
        with self._lock:
            if conversation_id in self._running:
                raise PeiliError("reply_running")
            self._running.add(conversation_id)
        try:
            yield lambda: conversation_id in self._unwanted
        finally:
            with self._lock:
                self._running.discard(conversation_id)
                self._unwanted.discard(conversation_id)
