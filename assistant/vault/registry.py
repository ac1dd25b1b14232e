"""The vaults of this workstation: listed, made, opened and erased, each in a folder of its own.

    <folder>/<vault_id>/   0700, files 0600
        header.json        how it is opened (see `header`)
        vault.db           what is in it (see `database`)
        attempts.json      failed tries, only after one
        lock               held while it is open

There is no other way in than the passphrase or the recovery code: no coordinator's key, no copy of a key anywhere.
"""

from __future__ import annotations

import os
import shutil
import threading
import time
import uuid
from contextlib import contextmanager
from typing import TYPE_CHECKING

from assistant.errors import VaultError, WrongPassphrase
from assistant.paths import private_folder
from assistant.vault.attempts import Attempts
from assistant.vault.database import Database
from assistant.vault.folder import FolderLock, destroy, storage_errors, sync_folder
from assistant.vault.header import (
    Header,
    Kdf,
    checked_label,
    passphrase_slot,
    read_header,
    recovery_slot,
    write_header,
)
from assistant.vault.keys import SALT_BYTES, Cost, MasterKey, Stretcher, check_passphrase, stretch_recovery
from assistant.vault.recovery import new_recovery_code, recovery_secret
from assistant.vault.repository import Repository

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Clock = Callable[[], float]

DEFAULT_COST = Cost()

_HEADER = "header.json"
_DATABASE = "vault.db"
_ATTEMPTS = "attempts.json"
_LOCK = "lock"


class OpenVault:
    """A vault someone has opened; it stays open until `lock`."""

    def __init__(
        self, header: Header, master: MasterKey, repository: Repository, database: Database, lock: FolderLock
    ) -> None:
        self.vault_id = header.vault_id
        self.label = header.label
        self.repository = repository
        self._master = master
        self._database = database
        self._lock = lock
        self._closing = threading.Lock()
        self._open = True

    @property
    def is_open(self) -> bool:
        """Whether it can still be read and written."""
        return self._open

    def lock(self) -> None:
        """Close the database and forget the keys; from now on the repository raises VaultError `vault_locked`.

        Waits for a write that is under way; locking twice is harmless.
        """
        with self._closing:
            if not self._open:
                return
            self._open = False
            try:
                self._database.close()
            finally:
                self._master.forget()
                self._lock.release()


class Vaults:
    """All vaults under `folder`. `cost` is what a new passphrase costs to try; `clock` gives UTC seconds."""

    def __init__(self, folder: Path, cost: Cost = DEFAULT_COST, clock: Clock = time.time) -> None:
        self._folder = folder
        self._cost = cost
        self._clock = clock
        self._stretcher = Stretcher()
        self._door = threading.Lock()  # one try after another, so that each meets the wait of the one before

    def list(self) -> tuple[tuple[str, str], ...]:
        """(vault_id, label) of each vault by label; the label is empty where the header cannot be read.

        Raises VaultError `vault_inaccessible`.
        """
        found = []
        with storage_errors():
            names = sorted(path.name for path in self._folder.iterdir()) if self._folder.exists() else []
        for name in names:
            try:
                found.append((name, read_header(self._folder_of(name) / _HEADER).label))
            except VaultError as error:
                if error.key != "vault_missing":
                    found.append((name, ""))
        return tuple(sorted(found, key=lambda vault: vault[1].casefold()))

    def create(self, label: str, passphrase: str) -> tuple[OpenVault, str]:
        """A new vault, open, and its recovery code, which is shown this once and kept nowhere.

        Raises VaultError: `label_unusable`, `passphrase_short`, `passphrase_long`, `disk_full`, `vault_inaccessible`.
        """
        check_passphrase(passphrase)
        master, code = MasterKey.random(), new_recovery_code()
        header = self._new_header(checked_label(label), passphrase, master, code)
        with storage_errors():
            private_folder(self._folder)
            private_folder(self._folder / header.vault_id)
            sync_folder(self._folder)
        try:
            with self._claimed(header.vault_id) as (folder, lock):
                # The header comes last: what has no header is no vault, so a half-made one is never met.
                Database.create(folder / _DATABASE, master.subkey("db v1")).close()
                write_header(folder / _HEADER, header)
                return self._opened(folder, header, master, lock), code
        except VaultError:
            shutil.rmtree(self._folder / header.vault_id, ignore_errors=True)
            raise

    def unlock(self, vault_id: str, passphrase: str) -> OpenVault:
        """Open a vault.

        Raises WrongPassphrase (with the wait until the next try; during a wait nothing is tried), or VaultError:
        `vault_in_use`, `vault_missing`, `vault_damaged`, `vault_foreign`, `vault_newer`, `kdf_refused`, ….
        """
        with self._claimed(vault_id) as (folder, lock):
            header = read_header(folder / _HEADER)
            with self._counted(folder):
                key = self._stretcher.stretch(passphrase, header.kdf.cost, header.kdf.salt)
                master = header.open_with_passphrase(key)
            return self._opened(folder, header, master, lock)

    def unlock_with_recovery(self, vault_id: str, code: str, new_passphrase: str) -> OpenVault:
        """Open a vault whose passphrase is forgotten and give it a new one; the code stays valid.

        Raises as `unlock` does, and `passphrase_short`, `passphrase_long` or `recovery_code_mistyped` before any try.
        """
        check_passphrase(new_passphrase)
        secret = recovery_secret(code)
        with self._claimed(vault_id) as (folder, lock):
            header = read_header(folder / _HEADER)
            with self._counted(folder):
                slot = header.recovery
                if slot is None:
                    raise WrongPassphrase
                master = header.open_with_recovery(slot, stretch_recovery(secret, slot.salt))
            kdf = self._new_kdf()
            key = self._stretcher.stretch(new_passphrase, kdf.cost, kdf.salt)
            header = header.with_passphrase(kdf, passphrase_slot(vault_id, kdf, key, master))
            write_header(folder / _HEADER, header)
            return self._opened(folder, header, master, lock)

    def erase(self, vault_id: str) -> None:
        """Erase a vault and all that is in it, for good; it has to be locked.

        The header goes first: without it nothing opens what might be left. Raises VaultError, `vault_in_use` if open.
        """
        with self._claimed(vault_id) as (folder, lock):
            destroy(folder / _HEADER)
            lock.release()
            with storage_errors():
                shutil.rmtree(folder)
                sync_folder(self._folder)

    @contextmanager
    def _claimed(self, vault_id: str) -> Iterator[tuple[Path, FolderLock]]:
        """The folder of a vault and the lock on it, which is kept unless an exception passes."""
        with self._door:
            folder = self._folder_of(vault_id)
            lock = FolderLock(folder / _LOCK)
            try:
                yield folder, lock
            except BaseException:
                lock.release()
                raise

    @contextmanager
    def _counted(self, folder: Path) -> Iterator[None]:
        """Refuse a try during a wait, and count it if it fails."""
        attempts = Attempts(folder / _ATTEMPTS, self._clock)
        wait_s = attempts.wait_s()
        if wait_s:
            raise WrongPassphrase(wait_s)
        try:
            yield
        except WrongPassphrase:
            raise WrongPassphrase(attempts.fail()) from None
        attempts.clear()

    def _opened(self, folder: Path, header: Header, master: MasterKey, lock: FolderLock) -> OpenVault:
        database = None
        try:
            database = Database.open(folder / _DATABASE, master.subkey("db v1"))
            return OpenVault(header, master, Repository(database, self._clock), database, lock)
        except VaultError:
            master.forget()
            if database:
                database.close()
            raise

    def _new_header(self, label: str, passphrase: str, master: MasterKey, code: str) -> Header:
        vault_id, kdf, salt = str(uuid.uuid4()), self._new_kdf(), os.urandom(SALT_BYTES)
        key = self._stretcher.stretch(passphrase, kdf.cost, kdf.salt)
        slots = (
            passphrase_slot(vault_id, kdf, key, master),
            recovery_slot(vault_id, salt, stretch_recovery(recovery_secret(code), salt), master),
        )
        return Header(vault_id=vault_id, label=label, created=int(self._clock()), kdf=kdf, slots=slots)

    def _new_kdf(self) -> Kdf:
        return Kdf(m=self._cost.m, t=self._cost.t, p=self._cost.p, salt=os.urandom(SALT_BYTES))

    def _folder_of(self, vault_id: str) -> Path:
        """The vault's folder, made private again if need be. Raises VaultError; nothing outside is ever reached."""
        folder = self._folder / vault_id
        if not _is_vault_id(vault_id) or not folder.is_dir():
            raise VaultError("vault_missing")
        if folder.is_symlink():
            raise VaultError("vault_inaccessible")
        with storage_errors():
            folder.chmod(0o700)
        return folder


def _is_vault_id(text: str) -> bool:
    try:
        return str(uuid.UUID(text)) == text
    except ValueError:
        return False
