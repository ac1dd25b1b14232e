"""Real vaults for the tests: cheap to open, with a clock the test sets, and a reader of SQLCipher pages of its own."""

from __future__ import annotations

import base64
import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cryptography.hazmat.primitives.ciphers import Cipher
from cryptography.hazmat.primitives.ciphers.algorithms import AES256
from cryptography.hazmat.primitives.ciphers.modes import CBC

from assistant.vault.keys import Cost
from assistant.vault.registry import Vaults

if TYPE_CHECKING:
    from pathlib import Path

PASSPHRASE = "hämärän hyssy på ön"  # noqa: S105 - of vaults that a test makes
OTHER_PASSPHRASE = "ett helt annat minne 7"  # noqa: S105 - the same
CHEAP = Cost(m=19 * 1024, t=1, p=1)  # the lowest a header may ask for
PAGE = 4096


@dataclass
class Clock:
    """A clock that stands still until the test moves it."""

    now: float = 1_800_000_000.0

    def __call__(self) -> float:
        return self.now


def vaults_in(folder: Path, clock: Clock | None = None) -> Vaults:
    """The vaults under `folder`, as a freshly started Peili sees them."""
    return Vaults(folder, CHEAP, clock or Clock())


def made(vaults: Vaults, label: str = "Kuu", passphrase: str = PASSPHRASE) -> tuple[str, str]:
    """A locked vault's id and recovery code."""
    vault, code = vaults.create(label, passphrase)
    vault.lock()
    return vault.vault_id, code


def files_in(folder: Path) -> dict[str, bytes]:
    """Every file under `folder` with its bytes."""
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


def disguises(text: str) -> list[bytes]:
    """The forms in which `text` could lie in a file for anyone to read."""
    plain = text.encode("utf-8")
    return [plain, text.encode("utf-16-le"), plain.hex().encode(), base64.b64encode(plain)[:-4]]


def read_json(header: Path) -> dict[str, Any]:
    """The header as anyone can read it."""
    found: dict[str, Any] = json.loads(header.read_text(encoding="utf-8"))
    return found


def write_json(header: Path, content: dict[str, Any], *, mend_checksum: bool) -> None:
    """What one who can write the file could put there; a clever one mends the checksum too."""
    if mend_checksum:
        body = {name: value for name, value in content.items() if name != "checksum"}
        canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
        content = body | {"checksum": hashlib.sha256(canonical.encode()).hexdigest()}
    header.write_text(json.dumps(content), encoding="utf-8")


def decrypted(database: Path, key: bytes) -> bytes:
    """Every page of `database` and of its log, decrypted as SQLCipher 4 lays them out, freed pages too.

    A page ends in 16 bytes of IV and 64 of HMAC; the first begins with 16 bytes of salt that are not encrypted.
    """
    raw = database.read_bytes()
    pages = [raw[start : start + PAGE] for start in range(0, len(raw), PAGE)]
    found = [_page(page[16:] if number == 0 else page, key) for number, page in enumerate(pages)]
    log = database.with_name(database.name + "-wal")
    frames = log.read_bytes()[32:] if log.exists() else b""
    for start in range(24, len(frames), PAGE + 24):
        found += [_page(frames[start : start + PAGE], key), _page(frames[start + 16 : start + PAGE], key)]
    return b"".join(found)


def _page(page: bytes, key: bytes) -> bytes:
    body, iv = page[:-80], page[-80:-64]
    return Cipher(AES256(key), CBC(iv)).decryptor().update(body)
