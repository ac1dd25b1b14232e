"""Private files of a vault: for the owner alone, never through a symbolic link, written whole or not at all."""

from __future__ import annotations

import errno
import os
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assistant.errors import VaultError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

# Windows has neither flag: it has no such links by default, and its default mode is text.
_NO_LINKS = getattr(os, "O_NOFOLLOW", 0)
_BYTES = getattr(os, "O_BINARY", 0)
_OWNER_ONLY = 0o600
_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})


@contextmanager
def storage_errors() -> Iterator[None]:
    """Turn the operating system's errors into VaultError: `vault_missing`, `disk_full` or `vault_inaccessible`."""
    try:
        yield
    except FileNotFoundError:
        raise VaultError("vault_missing") from None
    except OSError as error:
        raise VaultError("disk_full" if error.errno in _FULL else "vault_inaccessible") from None


def read_private(path: Path, limit: int) -> bytes:
    """The first `limit` bytes of `path`. Raises VaultError as `storage_errors` does; a symbolic link is refused."""
    with storage_errors(), os.fdopen(os.open(path, os.O_RDONLY | _NO_LINKS | _BYTES), "rb") as file:
        return file.read(limit)


def write_private(path: Path, content: bytes) -> None:
    """Put `content` in place of `path` at one stroke, for its owner alone (0600), and on the disk before returning.

    After a power cut either the old or the new content stands there. Raises VaultError as `storage_errors` does.
    """
    part = path.with_name(path.name + ".part")
    with storage_errors():
        part.unlink(missing_ok=True)
        try:
            create_private(part, content)
            part.replace(path)
        except OSError:
            part.unlink(missing_ok=True)
            raise
        sync_folder(path.parent)


def create_private(path: Path, content: bytes = b"") -> None:
    """Make the new file `path` with `content`, for its owner alone (0600). Raises OSError, also if it is there."""
    flags = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINKS | _BYTES
    with os.fdopen(os.open(path, flags, _OWNER_ONLY), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())


def destroy(path: Path) -> None:
    """Overwrite `path` with noise, then unlink it; nothing happens if it is not there. Raises VaultError.

    A solid-state disk may keep the old cells: this is the best a program can do.
    """
    with storage_errors():
        if not path.is_symlink() and path.exists():
            with os.fdopen(os.open(path, os.O_RDWR | _NO_LINKS | _BYTES), "r+b") as file:
                file.write(os.urandom(os.fstat(file.fileno()).st_size))
                file.flush()
                os.fsync(file.fileno())
        path.unlink(missing_ok=True)
        sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Put the names in `folder` on the disk, where the system can (Windows does so by itself). Raises OSError."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


class FolderLock:
    """Held by the one process that uses a vault; the system lets go of it when that process ends, however it ends."""

    def __init__(self, path: Path) -> None:
        """Take the lock at `path`. Raises VaultError `vault_in_use` if someone holds it."""
        with storage_errors():
            self._handle: int | None = os.open(path, os.O_RDWR | os.O_CREAT | _NO_LINKS, _OWNER_ONLY)
        try:
            _lock(self._handle)
        except OSError:
            self.release()
            raise VaultError("vault_in_use") from None

    def release(self) -> None:
        """Let go; doing so twice is harmless."""
        if self._handle is not None:
            os.close(self._handle)
            self._handle = None


def _lock(handle: int) -> None:
    if sys.platform == "win32":
        import msvcrt

        msvcrt.locking(handle, msvcrt.LK_NBLCK, 1)
    else:
        import fcntl

        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
