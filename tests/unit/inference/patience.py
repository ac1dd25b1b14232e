"""Waiting for what another thread or process does, without guessing how long it takes."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, *, seconds: float = 60.0) -> None:
    """Return as soon as `condition` holds; fail with `what` if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, f"waited in vain: {what}"
        time.sleep(0.01)
