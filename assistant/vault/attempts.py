"""How long a person waits after trying passphrases that did not open their vault.

0, 0, 1, 2, 4, 8, … at most 60 seconds, counted in a small file beside the header so that a restart does not shorten it.
It slows a guesser at the unlock page down; one who can copy the files is held by the passphrase alone. It never locks
anyone out: a clock set back costs at most one more full wait.
"""

from __future__ import annotations

import json
import math
from typing import TYPE_CHECKING

from assistant.errors import VaultError
from assistant.vault.folder import read_private, storage_errors, write_private

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_LONGEST_S = 60.0
_FREE = 2
_COUNTED = 100  # beyond this the wait is the same


class Attempts:
    """The failed tries of one vault, kept at `path`; `clock` gives UTC seconds."""

    def __init__(self, path: Path, clock: Callable[[], float]) -> None:
        self._path = path
        self._clock = clock

    def wait_s(self) -> int:
        """Whole seconds until the next try, 0 if there may be one now. Raises VaultError if the file cannot be used."""
        failed, last = self._read()
        now = self._clock()
        if now < last and failed > _FREE:
            self._write(failed, now)  # the clock was set back: count from now on
            last = now
        return max(0, math.ceil(last + _delay_s(failed) - now))

    def fail(self) -> int:
        """Count one more; the whole seconds until the next try. Raises VaultError if it cannot be written."""
        failed = min(self._read()[0] + 1, _COUNTED)
        self._write(failed, self._clock())
        return math.ceil(_delay_s(failed))

    def clear(self) -> None:
        """Forget them: the vault was opened. Raises VaultError if the file cannot be removed."""
        with storage_errors():
            self._path.unlink(missing_ok=True)

    def _read(self) -> tuple[int, float]:
        try:
            stored = json.loads(read_private(self._path, 1024))
            failed, last = int(stored["failed"]), float(stored["last"])
            if 0 <= failed <= _COUNTED and math.isfinite(last):
                return failed, last
        except VaultError as error:
            if error.key != "vault_missing":
                raise
        except (ValueError, TypeError, KeyError, OverflowError):
            # Whoever can write here could as well remove the file: a broken one is worth no more than none.
            pass
        return 0, 0.0

    def _write(self, failed: int, last: float) -> None:
        write_private(self._path, json.dumps({"failed": failed, "last": last}).encode())


def _delay_s(failed: int) -> float:
    return 0.0 if failed <= _FREE else min(_LONGEST_S, 2.0 ** (failed - _FREE - 1))
