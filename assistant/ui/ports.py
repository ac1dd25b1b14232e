"""What the page needs from the rest of Peili, stated where it is needed; `assistant.app.Services` offers it."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, Protocol

from assistant.domain import Conversation, FlowId, Language, ReplyEvent, Sheet, Turn
from assistant.library.cards import Library
from assistant.paths import Paths
from assistant.settings import Settings
from assistant.vault.registry import OpenVault, Vaults


class Progress(Protocol):
    """How far a part of Peili is that takes its time to start; `done` of `total` steps, `total` 0 if not known."""

    @property
    def part(self) -> Literal["index", "encoder", "chat"]: ...  # noqa: D102 - fields, told above

    @property
    def state(self) -> Literal["off", "starting", "ready", "failed"]: ...  # noqa: D102

    @property
    def done(self) -> int: ...  # noqa: D102

    @property
    def total(self) -> int: ...  # noqa: D102


class Dialogue(Protocol):
    """One person's conversations. Every method raises PeiliError where something foreseeable is in the way."""

    def begin(self, flow: FlowId, language: Language) -> Conversation:
        """A new conversation, with Peili's opening turn stored."""

    def reply(self, conversation_id: str, text: str) -> Iterator[ReplyEvent]:
        """Store the actor's turn, then say what happens until `Finished`."""

    def stop(self, conversation_id: str) -> None:
        """End the reply that is being written, if there is one."""

    def conversations(self) -> tuple[Conversation, ...]:
        """Every conversation, newest first."""

    def conversation(self, conversation_id: str) -> Conversation:
        """One conversation's head."""

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """All turns, oldest first."""

    def sheet(self, conversation_id: str) -> tuple[Sheet, int]:
        """The sheet and its revision."""

    def save_sheet(self, conversation_id: str, sheet: Sheet, expected_revision: int) -> int:
        """Replace the sheet; its new revision. Raises Conflict if it was changed since `expected_revision`."""

    def delete(self, conversation_id: str) -> None:
        """Delete a conversation for good."""

    def elements(self, flow: FlowId) -> tuple[str, ...]:
        """The labels of the flow's sheet, in order."""


class Services(Protocol):
    """Everything that was put together at the start."""

    @property
    def paths(self) -> Paths: ...  # noqa: D102 - fields

    @property
    def settings(self) -> Settings: ...  # noqa: D102

    @property
    def library(self) -> Library: ...  # noqa: D102

    @property
    def vaults(self) -> Vaults: ...  # noqa: D102

    def warm(self) -> None:
        """Start loading models and index behind the scenes; returns at once."""

    def progress(self) -> tuple[Progress, ...]:
        """How far each part is."""

    def dialogue(self, vault: OpenVault) -> Dialogue:
        """The conversations of the person whose vault this is."""

    def lock(self, vault: OpenVault) -> None:
        """Close a vault and drop what the models remember of it."""
