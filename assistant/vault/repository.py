"""What a person keeps in their vault: conversations, turns, sheets, where the guide stands, and settings.

Whatever a method stores is on the disk when it returns. Every method raises VaultError (`database` lists the keys), and
`conversation_missing` for a conversation or turn that is not there (any more).
"""

from __future__ import annotations

import json
import time
import uuid
from dataclasses import asdict, replace
from typing import TYPE_CHECKING

from assistant.domain import Citation, Conversation, Entry, FlowId, Language, Sheet, Speaker, Turn, TurnState, Voice
from assistant.errors import Conflict, VaultError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from assistant.vault.database import Database, Row

TITLE_MAX_CHARACTERS = 60

_CONVERSATION = "SELECT id, flow, language, title, created, changed, revision FROM conversation"
_TURN = "SELECT sequence, speaker, text, language, state, voice, citations, prompt FROM turn"
_ENTRY = "SELECT element, text, turn, kind, alternatives, rank FROM entry"


class Repository:
    """The content of one open vault; safe to use from several threads. `clock` gives UTC seconds."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.time) -> None:
        """Replies that were being written when Peili last stopped become `interrupted`."""
        self._database = database
        self._clock = clock
        with database.transaction():
            database.rows("UPDATE turn SET state = 'interrupted' WHERE state = 'streaming'")

    def create(self, flow: FlowId, language: Language, title: str = "") -> Conversation:
        """A new conversation; without a `title` the first words the actor writes become its title."""
        now = self._clock()
        conversation = Conversation(uuid.uuid4().hex, flow, language, shortened(title), created=now, changed=now)
        with self._database.transaction():
            self._database.rows(
                "INSERT INTO conversation (id, flow, language, title, named, created, changed, place)"
                " SELECT ?, ?, ?, ?, ?, ?, ?, coalesce(max(place), 0) + 1 FROM conversation",
                *(conversation.id, flow, language, conversation.title, bool(conversation.title), now, now),
            )
        return conversation

    def list(self) -> tuple[Conversation, ...]:
        """Every conversation, the one changed last first."""
        return tuple(Conversation(*row) for row in self._database.rows(f"{_CONVERSATION} ORDER BY place DESC"))

    def get(self, conversation_id: str) -> Conversation:
        """One conversation's head."""
        rows = self._database.rows(f"{_CONVERSATION} WHERE id = ?", conversation_id)
        if not rows:
            raise VaultError("conversation_missing")
        return Conversation(*rows[0])

    def rename(self, conversation_id: str, title: str) -> Conversation:
        """Give it a title; with an empty one the first words the actor wrote are its title again."""
        with self._database.transaction():
            self.get(conversation_id)
            new = shortened(title)
            self._database.rows(
                "UPDATE conversation SET title = ?, named = ? WHERE id = ?", new, bool(new), conversation_id
            )
            self._touch(conversation_id)
            self._title_by_rule(conversation_id)
            return self.get(conversation_id)

    def delete(self, conversation_id: str) -> None:
        """Delete it with its turns and sheet, and erase what the file still holds of them."""
        with self._database.transaction():
            self.get(conversation_id)
            self._database.rows("DELETE FROM conversation WHERE id = ?", conversation_id)
        self._database.erase_traces()

    def append_turn(  # noqa: PLR0913 - the fields of a Turn
        self,
        conversation_id: str,
        *,
        speaker: Speaker,
        text: str,
        language: Language,
        state: TurnState = "complete",
        voice: Voice | None = None,
        citations: tuple[Citation, ...] = (),
        prompt: str = "",
    ) -> Turn:
        """Put a turn behind the others; it has its sequence number when this returns."""
        with self._database.transaction():
            self._touch(conversation_id)
            last = self._database.rows(
                "SELECT coalesce(max(sequence), 0) FROM turn WHERE conversation_id = ?", conversation_id
            )
            turn = Turn(last[0][0] + 1, speaker, text, language, state, voice, citations, prompt)
            self._database.rows(
                "INSERT INTO turn (conversation_id, sequence, speaker, text, language, state, voice, citations, prompt)"
                " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                *(conversation_id, turn.sequence, speaker, text, language, state, voice, _json(citations), prompt),
            )
            self._title_by_rule(conversation_id)
        return turn

    def update_turn(
        self,
        conversation_id: str,
        sequence: int,
        *,
        text: str,
        state: TurnState,
        voice: Voice | None,
        citations: tuple[Citation, ...],
    ) -> Turn:
        """Replace what a turn says; all four are stored as given."""
        with self._database.transaction():
            self._touch(conversation_id)
            stored = self._turns(conversation_id, sequence, sequence)
            if not stored:
                raise VaultError("conversation_missing")
            self._database.rows(
                "UPDATE turn SET text = ?, state = ?, voice = ?, citations = ?"
                " WHERE conversation_id = ? AND sequence = ?",
                *(text, state, voice, _json(citations), conversation_id, sequence),
            )
        return replace(stored[0], text=text, state=state, voice=voice, citations=citations)

    def turns(self, conversation_id: str) -> tuple[Turn, ...]:
        """All turns, oldest first."""
        self.get(conversation_id)
        return self._turns(conversation_id, 1, 2**62)

    def sheet(self, conversation_id: str) -> tuple[Sheet, int]:
        """The sheet and its revision, which `save_sheet` wants back; an empty sheet has revision 0."""
        with self._database.transaction():
            flow = self.get(conversation_id).flow
            rows = self._database.rows(f"{_ENTRY} WHERE conversation_id = ? ORDER BY position", conversation_id)
            return Sheet(flow, tuple(_entry(row) for row in rows)), self._sheet_revision(conversation_id)

    def save_sheet(self, conversation_id: str, sheet: Sheet, expected_revision: int) -> int:
        """Replace the sheet's entries; the new revision.

        Raises Conflict if the sheet was changed since `expected_revision`; then nothing is stored.
        """
        with self._database.transaction():
            self._touch(conversation_id)
            if self._sheet_revision(conversation_id) != expected_revision:
                raise Conflict("sheet_changed_elsewhere")
            self._database.rows("DELETE FROM entry WHERE conversation_id = ?", conversation_id)
            for position, entry in enumerate(sheet.entries):
                alternatives = json.dumps(entry.alternatives, ensure_ascii=False)
                self._database.rows(
                    "INSERT INTO entry (conversation_id, position, element, text, turn, kind, alternatives, rank)"
                    " VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
                    *(conversation_id, position, entry.element, entry.text),
                    *(entry.turn, entry.kind, alternatives, entry.rank),
                )
            self._database.rows(
                "UPDATE conversation SET sheet_revision = sheet_revision + 1 WHERE id = ?", conversation_id
            )
        return expected_revision + 1

    def guide(self, conversation_id: str) -> str | None:
        """Where the guide stands in this conversation, as `save_guide` was given it."""
        rows = self._database.rows("SELECT guide FROM conversation WHERE id = ?", conversation_id)
        if not rows:
            raise VaultError("conversation_missing")
        stored: str | None = rows[0][0]
        return stored

    def save_guide(self, conversation_id: str, state: str) -> None:
        """Keep where the guide stands (JSON of the guide's own making); it is no change the person made."""
        with self._database.transaction():
            self.get(conversation_id)
            self._database.rows("UPDATE conversation SET guide = ? WHERE id = ?", state, conversation_id)

    def setting(self, name: str) -> str | None:
        """One of the person's own settings (language, …), None if it was never set."""
        rows = self._database.rows("SELECT value FROM setting WHERE name = ?", name)
        return str(rows[0][0]) if rows else None

    def set_setting(self, name: str, value: str) -> None:
        """Keep one of the person's own settings."""
        with self._database.transaction():
            self._database.rows(
                "INSERT INTO setting (name, value) VALUES (?, ?) ON CONFLICT DO UPDATE SET value = excluded.value",
                *(name, value),
            )

    def _turns(self, conversation_id: str, first: int, last: int) -> tuple[Turn, ...]:
        rows = self._database.rows(
            f"{_TURN} WHERE conversation_id = ? AND sequence BETWEEN ? AND ? ORDER BY sequence",
            *(conversation_id, first, last),
        )
        return tuple(_turn(row) for row in rows)

    def _sheet_revision(self, conversation_id: str) -> int:
        return int(self._database.rows("SELECT sheet_revision FROM conversation WHERE id = ?", conversation_id)[0][0])

    def _touch(self, conversation_id: str) -> None:
        """Note a change of the conversation. Raises VaultError `conversation_missing`."""
        self.get(conversation_id)
        self._database.rows(
            "UPDATE conversation SET changed = ?, revision = revision + 1,"
            " place = (SELECT max(place) + 1 FROM conversation) WHERE id = ?",
            *(self._clock(), conversation_id),
        )

    def _title_by_rule(self, conversation_id: str) -> None:
        """Unless the person named it: the first words of the actor's first turn."""
        rows = self._database.rows(
            "SELECT text FROM turn JOIN conversation ON conversation.id = conversation_id"
            " WHERE conversation_id = ? AND NOT named AND title = '' AND speaker = 'actor' ORDER BY sequence LIMIT 1",
            conversation_id,
        )
        if rows:
            self._database.rows(
                "UPDATE conversation SET title = ? WHERE id = ?", shortened(rows[0][0]), conversation_id
            )


def shortened(text: str) -> str:
    """The first words of `text` on one line, at most 60 characters; `…` stands for what was left out."""
    words = text.split()
    title = " ".join(words)
    if len(title) <= TITLE_MAX_CHARACTERS:
        return title
    while words and len(" ".join(words)) >= TITLE_MAX_CHARACTERS:
        words.pop()
    return (" ".join(words) or title[: TITLE_MAX_CHARACTERS - 1]) + "…"


def _json(citations: Iterable[Citation]) -> str:
    return json.dumps([asdict(citation) for citation in citations], ensure_ascii=False)


def _turn(row: Row) -> Turn:
    sequence, speaker, text, language, state, voice, citations, prompt = row
    cited = tuple(Citation(**item) for item in json.loads(citations))
    return Turn(sequence, speaker, text, language, state, voice, cited, prompt)


def _entry(row: Row) -> Entry:
    element, text, turn, kind, alternatives, rank = row
    return Entry(element, text, turn, kind, tuple(json.loads(alternatives)), rank)
