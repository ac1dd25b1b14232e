"""A whole Peili without models for the page's tests: real vaults and cards, and a dialogue that follows a script."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from assistant.domain import (
    Citation,
    Conversation,
    Entry,
    Finished,
    FlowId,
    Hit,
    Language,
    Notice,
    Passage,
    Reply,
    ReplyEvent,
    Sheet,
    SheetChanged,
    Sources,
    Text,
    Turn,
    Voice,
    Waiting,
)
from assistant.errors import PeiliError
from assistant.library.cards import Library
from assistant.paths import Paths
from assistant.settings import Settings
from assistant.vault.keys import Cost
from assistant.vault.registry import OpenVault, Vaults
from assistant.vault.repository import Repository

CHEAP = Cost(m=19 * 1024, t=1, p=1)

ELEMENTS: dict[FlowId, tuple[str, ...]] = {
    "goal": ("what", "why", "evidence", "first_step", "by_when", "support"),
    "questions": ("theme", "question"),
    "reflection": ("event", "feeling", "insight", "next_step", "deeper"),
    "lookup": (),
}
_ASKED: dict[FlowId, str] = {
    "goal": "goal.what",
    "questions": "questions.theme",
    "reflection": "reflection.event",
    "lookup": "goal.support",
}


@dataclass(frozen=True)
class Part:
    """How far a part is, as the app tells it."""

    part: Literal["index", "encoder", "chat"]
    state: Literal["off", "starting", "ready", "failed"]
    done: int = 0
    total: int = 0


_OFF = (Part("encoder", "off"), Part("index", "off"), Part("chat", "off"))


@dataclass
class Script:
    """What the dialogue does with one turn. `entries` are put on the sheet, `refused` is raised before all else."""

    sentences: tuple[str, ...] = ("Thank you.", "What makes this important right now?")
    voice: Voice = "curated"
    cards: tuple[str, ...] = ("ACT-10", "ACT-02")
    entries: tuple[Entry, ...] = ()
    notice: Notice | None = None
    waiting: int = 0
    refused: PeiliError | None = None
    broken: bool = False


@dataclass
class Stage:
    """What a test says about replies: the scripts in turn, and `between`, called before each sentence."""

    scripts: deque[Script] = field(default_factory=deque)
    between: Callable[[], None] = lambda: None

    def next(self, text: str, flow: FlowId) -> Script:
        """The next script; without one the actor's words go under the first element that is asked for."""
        if self.scripts:
            return self.scripts.popleft()
        elements = ELEMENTS[flow]
        return Script(entries=(Entry(elements[0], text),) if elements else ())


class ScriptedDialogue:
    """One person's conversations, kept in their real vault."""

    def __init__(self, repository: Repository, library: Library, stage: Stage) -> None:
        self._repository = repository
        self._library = library
        self._stage = stage
        self.stopped = threading.Event()

    def begin(self, flow: FlowId, language: Language) -> Conversation:
        conversation = self._repository.create(flow, language)
        _, question = self._library.questions_for(_ASKED[flow], language)[0]
        self._repository.append_turn(
            conversation.id, speaker="peili", text=question.text, language=language, voice="curated"
        )
        return self._repository.get(conversation.id)

    def reply(self, conversation_id: str, text: str) -> Iterator[ReplyEvent]:
        self.stopped.clear()
        conversation = self._repository.get(conversation_id)
        language = conversation.language
        script = self._stage.next(text, conversation.flow)
        if script.refused is not None:
            raise script.refused
        actor = self._repository.append_turn(conversation_id, speaker="actor", text=text, language=language)
        if script.broken:
            raise RuntimeError("not foreseen")
        if script.waiting:
            yield Waiting(script.waiting)
        if script.entries:
            yield SheetChanged(self._noted(conversation_id, script.entries, actor.sequence))
        hits = tuple(self._hit(card, language) for card in script.cards)
        yield Sources(hits)
        if script.notice:
            yield script.notice
        citations = tuple(Citation(hit.card_id, hit.language, hit.passage.text) for hit in hits[:1])
        said = ""
        for sentence in script.sentences:
            self._stage.between()
            if self.stopped.is_set():
                break
            piece = f" {sentence}" if said else sentence
            said += piece
            yield Text(piece, script.voice)
        state: Literal["stopped", "complete"] = "stopped" if self.stopped.is_set() else "complete"
        with suppress(PeiliError):  # the vault may have been locked meanwhile
            self._repository.append_turn(
                conversation_id,
                speaker="peili",
                text=said,
                language=language,
                state=state,
                voice=script.voice,
                citations=citations,
            )
        yield Finished(Reply(said, language, script.voice, state, citations))

    def stop(self, conversation_id: str) -> None:
        self.stopped.set()

    def conversations(self) -> tuple[Conversation, ...]:
        return self._repository.list()

    def conversation(self, conversation_id: str) -> Conversation:
        return self._repository.get(conversation_id)

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        return self._repository.turns(conversation_id)

    def sheet(self, conversation_id: str) -> tuple[Sheet, int]:
        return self._repository.sheet(conversation_id)

    def save_sheet(self, conversation_id: str, sheet: Sheet, expected_revision: int) -> int:
        return self._repository.save_sheet(conversation_id, sheet, expected_revision)

    def delete(self, conversation_id: str) -> None:
        self._repository.delete(conversation_id)

    def elements(self, flow: FlowId) -> tuple[str, ...]:
        return ELEMENTS[flow]

    def _noted(self, conversation_id: str, entries: tuple[Entry, ...], turn: int) -> Sheet:
        sheet, revision = self._repository.sheet(conversation_id)
        from_turn = tuple(
            Entry(entry.element, entry.text, turn, entry.kind, entry.alternatives, entry.rank) for entry in entries
        )
        changed = sheet.with_entries(from_turn)
        self._repository.save_sheet(conversation_id, changed, revision)
        return changed

    def _hit(self, card_id: str, language: Language) -> Hit:
        card = self._library.card(card_id, language)
        purpose = card.sections["purpose"].split("\n\n")[0]
        return Hit(card_id, language, card.title, 0.8, Passage(card_id, language, "purpose", purpose))


class ScriptedServices:
    """What `assistant.app.Services` offers the page."""

    def __init__(self, home: Path, settings: Settings | None = None, stage: Stage | None = None) -> None:
        self.paths = Paths(home)
        self.settings = settings or Settings()
        self.library = Library.load(self.paths.knowledge)
        self.vaults = Vaults(self.paths.vaults, cost=CHEAP)
        self.stage = stage or Stage()
        self.parts: tuple[Part, ...] = _OFF
        self.warmed = threading.Event()
        self.locked: list[str] = []

    def starts_anew(self) -> None:
        """Forget every script: replies are the ordinary ones again."""
        self.stage.scripts.clear()
        self.stage.between = lambda: None
        self.parts = _OFF

    def warm(self) -> None:
        self.warmed.set()

    def progress(self) -> tuple[Part, ...]:
        return self.parts

    def dialogue(self, vault: OpenVault) -> ScriptedDialogue:
        return ScriptedDialogue(vault.repository, self.library, self.stage)

    def lock(self, vault: OpenVault) -> None:
        vault.lock()
        self.locked.append(vault.vault_id)
