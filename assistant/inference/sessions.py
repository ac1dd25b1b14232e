"""What is already in the model's memory, and what of it the next prompt can use.

A prompt begins with a fixed part that holds no private word; its state is kept on disk, keyed by model, library and
text. Behind it a conversation only grows. The conversation that is live in the KV cache is reused token by token; one
that was left is kept as a snapshot in memory, oldest dropped first. Measured costs: design notes in docs/architecture.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple, Protocol

from assistant.errors import Cancelled, ModelError
from assistant.inference.templates import Segment

CHUNK = 64  # tokens evaluated at once: as fast as larger pieces on two cores, and under a second of work
MAX_STATES = 24
_KEEP_SHARE = 0.6  # of the context that is kept when old turns have to go: they go rarely, and many at once
_MEMO_TEXTS = 512


class LiveSequence(Protocol):
    """What this module needs of the engine."""

    context: int

    def tokens(self, text: str, *, control: bool) -> list[int]:
        """The tokens of a text."""

    def evaluate(self, tokens: Sequence[int], position: int) -> None:
        """Put tokens behind a position."""

    def roll_back(self, position: int) -> bool:
        """Forget from a position on."""

    def snapshot(self) -> bytearray:
        """The live state."""

    def restore(self, state: bytearray) -> bool:
        """Make a state live."""

    def save(self, path: Path, tokens: Sequence[int]) -> None:
        """Keep the live state in a file."""

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        """Make a state in a file live."""


@dataclass(frozen=True, slots=True)
class Prompt:
    """A request's prompt: the session it belongs to and its groups of segments (fixed part, then one a turn)."""

    session: str
    groups: tuple[tuple[Segment, ...], ...]

    @classmethod
    def from_request(cls, request: Mapping[str, Any]) -> Prompt:
        """Read a prompt off the pipe."""
        return cls(
            request["session"],
            tuple(tuple(Segment(text, control) for text, control in group) for group in request["groups"]),
        )


class Cost(NamedTuple):
    """Tokens of a prompt, and how many of them had to be evaluated for it."""

    prompt: int
    prefilled: int


@dataclass(slots=True)
class _Session:
    dropped: int = 0
    tokens: list[int] = field(default_factory=list)
    state: bytearray = field(default_factory=bytearray)
    spoken: dict[str, list[int]] = field(default_factory=dict)


class Sessions:
    """The conversations a worker holds. `key` names model, library and context size in the files under `states`."""

    def __init__(self, engine: LiveSequence, *, states: Path, key: str, snapshot_bytes: int) -> None:
        self._engine = engine
        self._states = states
        self._key = key
        self._snapshot_bytes = snapshot_bytes
        self._sessions: OrderedDict[str, _Session] = OrderedDict()
        self._live: list[int] = []
        self._live_session = ""
        self._memo: OrderedDict[Segment, list[int]] = OrderedDict()

    def bring_up(self, prompt: Prompt, room: int, cancelled: Callable[[], bool]) -> Cost:
        """Make `prompt` the live sequence, evaluating only what is not there yet.

        `room` tokens are left for the reply; the oldest turns are left out where the context is too small. Raises
        Cancelled between two pieces, ModelError("turn_too_long") if even the newest turn does not fit.
        """
        session = self._sessions.setdefault(prompt.session, _Session())
        self._sessions.move_to_end(prompt.session)
        fixed, turns = self._fit(session, prompt, room)
        wanted = fixed + [token for turn in turns for token in turn]
        have = self._reuse(prompt.session, session, wanted, len(fixed))
        return Cost(len(wanted), self._evaluate(wanted, have, len(fixed), cancelled))

    def spoke(self, session: str, generated: Sequence[int], evaluated: int, text: str) -> None:
        """Remember how a reply was generated, so that its text has the very same tokens when it comes back.

        The first `evaluated` of the `generated` tokens are in the live sequence.
        """
        self._live += generated[:evaluated]
        if text.strip():
            self._sessions[session].spoken[text.strip()] = list(generated)

    def forget(self, prefix: str) -> None:
        """Drop everything of the sessions whose name begins with `prefix`, out of the KV cache too."""
        for name in [name for name in self._sessions if name.startswith(prefix)]:
            del self._sessions[name]
        if self._live_session.startswith(prefix):
            self._engine.roll_back(0)
            self._live, self._live_session = [], ""
        self._memo.clear()

    def _fit(self, session: _Session, prompt: Prompt, room: int) -> tuple[list[int], list[list[int]]]:
        fixed = self._tokens(session, prompt.groups[0])
        turns = [self._tokens(session, group) for group in prompt.groups[1:]]
        dropped = min(session.dropped, max(len(turns) - 1, 0))

        def size() -> int:
            return len(fixed) + sum(len(turn) for turn in turns[dropped:]) + room

        if size() > self._engine.context:
            while dropped < len(turns) - 1 and size() > self._engine.context * _KEEP_SHARE:
                dropped += 1
        if size() > self._engine.context:
            raise ModelError("turn_too_long")
        session.dropped = dropped
        return fixed, turns[dropped:]

    def _tokens(self, session: _Session, group: Sequence[Segment]) -> list[int]:
        tokens: list[int] = []
        for segment in group:
            spoken = None if segment.control else session.spoken.get(segment.text.strip())
            tokens += spoken if spoken is not None else self._tokenised(segment)
        return tokens

    def _tokenised(self, segment: Segment) -> list[int]:
        tokens = self._memo.get(segment)
        if tokens is None:
            tokens = self._memo[segment] = self._engine.tokens(segment.text, control=segment.control)
            if len(self._memo) > _MEMO_TEXTS:
                self._memo.popitem(last=False)
        return tokens

    def _reuse(self, name: str, session: _Session, wanted: list[int], fixed: int) -> int:
        """Bring the best state there is into the KV cache and return how many tokens of `wanted` it covers."""
        tokens, state = session.tokens, session.state
        session.tokens, session.state = [], bytearray()
        live = _common(self._live, wanted)
        if name != self._live_session:
            self._put_aside()
            self._live_session = name
        kept = _common(tokens, wanted) if state else 0
        stored = fixed if self._state_file(wanted[:fixed]).exists() else 0
        if max(kept, stored) > live:
            if kept >= stored and self._engine.restore(state):
                self._live = tokens
            elif stored and self._engine.load(self._state_file(wanted[:fixed]), wanted[:fixed]):
                self._live = wanted[:fixed]
            else:
                self._engine.roll_back(0)
                self._live = []
                with suppress(OSError):
                    self._state_file(wanted[:fixed]).unlink(missing_ok=True)  # damaged: to be written anew
            live = _common(self._live, wanted)
        have = min(live, len(wanted) - 1)  # the last token is evaluated anew, for its logits
        if not self._engine.roll_back(have):  # asked for even if nothing seems to be behind: a failed reply may be
            have = 0
        self._live = wanted[:have]
        return have

    def _evaluate(self, wanted: list[int], have: int, fixed: int, cancelled: Callable[[], bool]) -> int:
        position = have
        while position < len(wanted):
            if cancelled():
                raise Cancelled
            edge = fixed if position < fixed else len(wanted)
            piece = wanted[position : min(position + CHUNK, edge)]
            try:
                self._engine.evaluate(piece, position)
            except ModelError:
                self._engine.roll_back(0)
                self._live = []
                raise
            self._live += piece
            position += len(piece)
            if position == fixed:
                self._keep_fixed(wanted[:fixed])
        return len(wanted) - have

    def _keep_fixed(self, tokens: list[int]) -> None:
        if self._state_file(tokens).exists():
            return
        with suppress(OSError):  # it only saves time: a full disk must not cost the reply
            self._states.mkdir(parents=True, exist_ok=True)
            old = sorted(self._states.glob("*.state"), key=lambda path: path.stat().st_mtime)
            for path in old[: max(0, len(old) - MAX_STATES + 1)]:
                path.unlink(missing_ok=True)
            self._engine.save(self._state_file(tokens), tokens)

    def _state_file(self, tokens: Sequence[int]) -> Path:
        digest = hashlib.sha256(f"{self._key}:{list(tokens)}".encode()).hexdigest()
        return self._states / f"{digest[:32]}.state"

    def _put_aside(self) -> None:
        left = self._sessions.get(self._live_session)
        if left is not None and self._live:
            left.tokens, left.state = list(self._live), self._engine.snapshot()
        held = sum(len(session.state) for session in self._sessions.values())
        for session in self._sessions.values():
            if held <= self._snapshot_bytes:
                break
            held -= len(session.state)
            session.tokens, session.state = [], bytearray()


def _common(one: Sequence[int], other: Sequence[int]) -> int:
    """How many tokens two sequences share from the start."""
    count = 0
    for first, second in zip(one, other, strict=False):
        if first != second:
            break
        count += 1
    return count
