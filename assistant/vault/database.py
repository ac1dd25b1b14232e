"""One encrypted SQLite database, and the only place that knows apsw.

The file has the format of SQLCipher 4 (AES-256-CBC and HMAC-SHA512 a page), so that other tools can open it with its
key. The 32-byte key is given raw: SQLite stretches nothing. Nothing of apsw leaves this module; every problem is a
VaultError: `vault_foreign` (wrong key, or no database of ours), `vault_damaged`, `vault_newer`, `vault_in_use`,
`vault_inaccessible`, `vault_locked` (closed), `disk_full`, `text_unusable`, `vault_failed` (anything else).
"""

from __future__ import annotations

import errno
import re
import threading
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import apsw

from assistant.errors import VaultError
from assistant.vault.folder import create_private, storage_errors
from assistant.vault.keys import KEY_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

Value = str | int | float | bytes | None
Row = tuple[Any, ...]

APPLICATION_ID = 0x5065696C  # "Peil"
MIGRATIONS = Path(__file__).resolve().parent / "migrations"

# synchronous=FULL: with WAL, NORMAL may lose a confirmed write in a power cut. Exclusive locking keeps a second program
# out and needs no shared-memory file. temp_store and secure_delete keep words off the disk and out of freed pages.
_PRAGMAS = (
    "journal_mode=WAL",
    "synchronous=FULL",
    "secure_delete=ON",
    "temp_store=MEMORY",
    "foreign_keys=ON",
    "trusted_schema=OFF",
    "cell_size_check=ON",
    "mmap_size=0",
    "busy_timeout=5000",
)
_KEYS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((apsw.FullError,), "disk_full"),
    ((apsw.NotADBError,), "vault_foreign"),
    ((apsw.CorruptError,), "vault_damaged"),
    ((apsw.BusyError, apsw.LockedError), "vault_in_use"),
    ((apsw.CantOpenError, apsw.ReadOnlyError, apsw.PermissionsError, apsw.IOError), "vault_inaccessible"),
    ((apsw.ConnectionClosedError,), "vault_locked"),
    ((UnicodeEncodeError,), "text_unusable"),
)


class Database:
    """An open database, safe to use from several threads: each statement and each transaction has it alone."""

    def __init__(self, connection: Any) -> None:
        self._connection = connection
        self._lock = threading.RLock()

    @classmethod
    def create(cls, path: Path, key: bytes) -> Database:
        """A new database at `path` (mode 0600), encrypted with the 32-byte `key`. Raises VaultError if it is there."""
        with storage_errors():
            create_private(path)
        database = cls(_connection(path, key))
        with database._opening():
            database.rows(f"PRAGMA application_id={APPLICATION_ID}")
            database._prepare()
        return database

    @classmethod
    def open(cls, path: Path, key: bytes) -> Database:
        """The database at `path`, brought to the newest schema. Raises VaultError; a file refused is not changed."""
        database = cls(_connection(path, key))
        with database._opening():
            if database.rows("PRAGMA application_id") != [(APPLICATION_ID,)]:
                raise VaultError("vault_foreign")
            database._prepare()
        return database

    @classmethod
    def in_memory(cls) -> Database:
        """A throw-away database: never on the disk, gone when closed."""
        database = cls(apsw.Connection(":memory:"))
        with database._opening():
            database._prepare()
        return database

    def rows(self, sql: str, *values: Value) -> list[Row]:
        """What one statement answers. Raises VaultError."""
        with self._lock, self._translated():
            return list(self._connection.execute(sql, values))

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Everything inside is on the disk when this ends, or none of it if an exception passes. Raises VaultError."""
        with self._lock:
            self.rows("BEGIN IMMEDIATE")
            try:
                yield
                self.rows("COMMIT")
            except BaseException:
                self._roll_back()
                raise

    def version(self) -> int:
        """The number of the last schema change it has had. Raises VaultError."""
        return int(self.rows("PRAGMA user_version")[0][0])

    def erase_traces(self) -> None:
        """Write the database anew, so that no page and no log keeps what was deleted. Raises VaultError."""
        with self._lock:
            self.rows("VACUUM")
            self.rows("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Bring the log into the file and close; closing twice is harmless.

        Where the log cannot be brought in (the disk is full) it stays beside the file and is read at the next opening:
        what was confirmed is safe either way.
        """
        with self._lock:
            with suppress(apsw.Error):
                self._connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            self._connection.close(True)

    @contextmanager
    def _opening(self) -> Iterator[None]:
        """Close the connection again if opening fails, without a checkpoint of ours."""
        try:
            yield
        except BaseException:
            self._connection.close(True)
            raise

    def _prepare(self) -> None:
        newest = max(version for version, _ in migrations_in(MIGRATIONS))
        if self.version() > newest:
            raise VaultError("vault_newer")
        for pragma in _PRAGMAS:
            self.rows(f"PRAGMA {pragma}")
        migrate(self, MIGRATIONS)

    def _roll_back(self) -> None:
        with suppress(apsw.Error):  # the first problem is the one to tell; SQLite may have rolled back by itself
            if self._connection.in_transaction:
                self._connection.execute("ROLLBACK")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (apsw.Error, UnicodeEncodeError) as error:
            # `from None`: the original may quote what the person wrote.
            raise VaultError(_key_of(error, self._connection)) from None


def migrations_in(folder: Path) -> list[tuple[int, str]]:
    """The schema changes in `folder` (files NNNN_name.sql), as (version, SQL), lowest first."""
    found = [(int(path.name[:4]), path) for path in folder.iterdir() if re.fullmatch(r"\d{4}_\w+\.sql", path.name)]
    return [(version, path.read_text(encoding="utf-8")) for version, path in sorted(found)]


def migrate(database: Database, folder: Path) -> None:
    """Carry out the changes of `folder` that `database` has not had, each in a transaction of its own.

    Raises VaultError; the changes before the one that failed stay.
    """
    done = database.version()
    for version, sql in migrations_in(folder):
        if version > done:
            with database.transaction():
                database.rows(sql)
                database.rows(f"PRAGMA user_version={version}")


def _connection(path: Path, key: bytes) -> Any:
    """A connection that has the file to itself. The folder may be reached through a link, the file may not be one."""
    if len(key) != KEY_BYTES:
        raise ValueError("a database key has 32 bytes")  # anything else would be taken for a passphrase
    connection = None
    try:
        flags = apsw.SQLITE_OPEN_READWRITE | apsw.SQLITE_OPEN_NOFOLLOW
        connection = apsw.Connection(str(path.parent.resolve() / path.name), flags=flags)
        connection.pragma("cipher", "sqlcipher")
        connection.pragma("legacy", 4)
        connection.execute(f"PRAGMA key=\"x'{key.hex()}'\"", can_cache=False).fetchall()
        connection.pragma("locking_mode", "exclusive")
        # The answer to `key` proves nothing: a wrong key, and a program that has the file, show at the first use.
        connection.execute("BEGIN IMMEDIATE; ROLLBACK")
        return connection
    except apsw.Error as error:
        found = _key_of(error, connection)
        if connection is not None:
            connection.close(True)
        raise VaultError(found) from None


def _key_of(error: Exception, connection: Any) -> str:
    """The key of the VaultError that says what `error` means to a person."""
    if isinstance(error, apsw.IOError) and connection is not None and connection.system_errno == errno.ENOSPC:
        return "disk_full"
    return next((key for kinds, key in _KEYS if isinstance(error, kinds)), "vault_failed")
