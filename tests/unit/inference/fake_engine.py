"""An engine without a model: a text's tokens are its bytes, and what would be in the KV cache is a list."""

from __future__ import annotations

import json
from array import array
from collections.abc import Sequence
from pathlib import Path

from assistant.errors import ModelError
from assistant.inference.sessions import CHUNK

CONTROL = 1000  # added to the bytes of a control piece, so that typed text can never be the same
BYTES_A_TOKEN = 2


class FakeEngine:
    """As strict as llama.cpp: tokens go exactly behind what is there, at most CHUNK at once.

    `sequence` is what is live, `evaluated` how many tokens were ever evaluated. `rolls_back` false makes it a hybrid
    model, which can only append. The evaluation with the number `fails_at`, counted from 1, goes wrong half-way.
    """

    def __init__(self, context: int = 100_000, *, rolls_back: bool = True) -> None:
        self.context = context
        self.sequence: list[int] = []
        self.evaluated = 0
        self.restored = 0
        self.loaded = 0
        self.saved: list[Path] = []
        self.fails_at = 0
        self._rolls_back = rolls_back
        self._evaluations = 0

    def tokens(self, text: str, *, control: bool) -> list[int]:
        return [byte + CONTROL if control else byte for byte in text.encode()]

    def evaluate(self, tokens: Sequence[int], position: int) -> None:
        assert 0 < len(tokens) <= CHUNK
        if position != len(self.sequence):
            raise ModelError("model_failed", code=-1)
        self._evaluations += 1
        if self._evaluations == self.fails_at:
            self.sequence += tokens[: len(tokens) // 2]
            raise ModelError("model_failed", code=-3)
        self.sequence += tokens
        self.evaluated += len(tokens)

    def roll_back(self, position: int) -> bool:
        if position < len(self.sequence) and position > 0 and not self._rolls_back:
            self.sequence = []
            return False
        del self.sequence[position:]
        return True

    def snapshot(self) -> bytearray:
        return bytearray(array("H", self.sequence).tobytes())

    def restore(self, state: bytearray) -> bool:
        self.restored += 1
        self.sequence = array("H", bytes(state)).tolist()
        return True

    def save(self, path: Path, tokens: Sequence[int]) -> None:
        assert self.sequence == list(tokens), "what is saved must be what it is saved as"
        path.write_text(json.dumps(self.sequence), encoding="utf-8")
        self.saved.append(path)

    def load(self, path: Path, tokens: Sequence[int]) -> bool:
        self.sequence = []
        try:
            held = json.loads(path.read_text(encoding="utf-8"))
        except ValueError:
            return False
        if held != list(tokens):
            return False
        self.loaded += 1
        self.sequence = held
        return True


def plain(tokens: Sequence[int]) -> str:
    """The text that tokens stand for, control pieces included."""
    return bytes(token % CONTROL for token in tokens).decode()
