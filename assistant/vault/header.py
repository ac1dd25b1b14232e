"""The header of a vault: what is needed to open it, and nothing that opens it.

`header.json`, format 1 (bytes as lower-case hexadecimal):

    format    1
    vault_id  the vault's UUID, also the name of its folder
    label     the alias the person chose, for the unlock page
    created   UTC seconds since the epoch
    kdf       {alg: "argon2id", m: KiB, t: passes, p: lanes, salt: 16 bytes} of the passphrase
    slots     [{slot: "passphrase", nonce, wrapped}, {slot: "recovery", salt, nonce, wrapped}]: the master key in each
    checksum  sha256 of all the above as JSON with sorted keys and no spaces

The checksum has no key: it tells a damaged header from a wrong passphrase, no more. What an attacker could change to
their use is bound into each slot as associated data, so that the slot does not open afterwards.
"""

from __future__ import annotations

import hashlib
import json
import unicodedata
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from assistant.errors import VaultError
from assistant.vault.folder import read_private, write_private
from assistant.vault.keys import NONCE_BYTES, SALT_BYTES, WRAPPED_BYTES, Cost, MasterKey, Wrapped

if TYPE_CHECKING:
    from pathlib import Path

FORMAT: Final = 1
LABEL_MAX_CHARACTERS = 60
_SIZE_LIMIT = 64 * 1024

Salt = Annotated[bytes, Field(min_length=SALT_BYTES, max_length=SALT_BYTES)]
Nonce = Annotated[bytes, Field(min_length=NONCE_BYTES, max_length=NONCE_BYTES)]
WrappedKey = Annotated[bytes, Field(min_length=WRAPPED_BYTES, max_length=WRAPPED_BYTES)]


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, strict=True, extra="forbid", val_json_bytes="hex", ser_json_bytes="hex")


class Kdf(_Part):
    """How the passphrase is stretched. Whether the cost is acceptable is checked when it is used."""

    alg: Literal["argon2id"] = "argon2id"
    m: int
    t: int
    p: int
    salt: Salt

    @property
    def cost(self) -> Cost:
        """The cost alone."""
        return Cost(self.m, self.t, self.p)


class PassphraseSlot(_Part):
    """The master key under the passphrase."""

    slot: Literal["passphrase"] = "passphrase"
    nonce: Nonce
    wrapped: WrappedKey


class RecoverySlot(_Part):
    """The master key under the recovery code, with the salt of its own derivation."""

    slot: Literal["recovery"] = "recovery"
    salt: Salt
    nonce: Nonce
    wrapped: WrappedKey


class Header(_Part):
    """The whole header without its checksum. The recovery slot may be missing: it can be revoked."""

    format: Literal[1] = FORMAT
    vault_id: str
    label: Annotated[str, Field(min_length=1, max_length=LABEL_MAX_CHARACTERS)]
    created: int
    kdf: Kdf
    slots: tuple[PassphraseSlot] | tuple[PassphraseSlot, RecoverySlot]

    @property
    def recovery(self) -> RecoverySlot | None:
        """The recovery slot, if there is one."""
        return self.slots[1] if len(self.slots) == 2 else None

    def open_with_passphrase(self, wrapping_key: bytes) -> MasterKey:
        """The master key. Raises WrongPassphrase."""
        slot = self.slots[0]
        associated = _bound(self.vault_id, slot.slot, *_described(self.kdf))
        return MasterKey.unwrap(wrapping_key, Wrapped(slot.nonce, slot.wrapped), associated)

    def open_with_recovery(self, slot: RecoverySlot, wrapping_key: bytes) -> MasterKey:
        """The master key. Raises WrongPassphrase."""
        associated = _bound(self.vault_id, slot.slot, "hkdf-sha256", slot.salt.hex())
        return MasterKey.unwrap(wrapping_key, Wrapped(slot.nonce, slot.wrapped), associated)

    def with_passphrase(self, kdf: Kdf, passphrase: PassphraseSlot) -> Header:
        """The same header with another passphrase; the recovery slot stays as it is."""
        return self.model_copy(update={"kdf": kdf, "slots": (passphrase, *self.slots[1:])})


def passphrase_slot(vault_id: str, kdf: Kdf, wrapping_key: bytes, master: MasterKey) -> PassphraseSlot:
    """`master` wrapped under the key that `kdf` made of a passphrase."""
    wrapped = master.wrap(wrapping_key, _bound(vault_id, "passphrase", *_described(kdf)))
    return PassphraseSlot(nonce=wrapped.nonce, wrapped=wrapped.ciphertext)


def recovery_slot(vault_id: str, salt: bytes, wrapping_key: bytes, master: MasterKey) -> RecoverySlot:
    """`master` wrapped under the key made of a recovery code and `salt`."""
    wrapped = master.wrap(wrapping_key, _bound(vault_id, "recovery", "hkdf-sha256", salt.hex()))
    return RecoverySlot(salt=salt, nonce=wrapped.nonce, wrapped=wrapped.ciphertext)


def checked_label(label: str) -> str:
    """`label` without space around it. Raises VaultError `label_unusable` if nothing, too much or no line is left."""
    tidy = unicodedata.normalize("NFC", label).strip()
    if not 1 <= len(tidy) <= LABEL_MAX_CHARACTERS or not tidy.isprintable():
        raise VaultError("label_unusable", characters=LABEL_MAX_CHARACTERS)
    return tidy


def write_header(path: Path, header: Header) -> None:
    """Put `header` in place of what is at `path`, at one stroke. Raises VaultError."""
    body = header.model_dump(mode="json")
    content = json.dumps(body | {"checksum": _checksum(body)}, ensure_ascii=False, indent=1)
    write_private(path, content.encode("utf-8"))


def read_header(path: Path) -> Header:
    """The header at `path`, which lies in the folder named as its vault.

    Raises VaultError: `vault_missing`, `vault_inaccessible`, `vault_damaged` if the checksum or the shape is wrong,
    `vault_newer` if a later Peili wrote it, `vault_foreign` if it is another vault's header.
    """
    raw = read_private(path, _SIZE_LIMIT)
    try:
        body = json.loads(raw)
        if not isinstance(body, dict) or body.pop("checksum", None) != _checksum(body):
            raise VaultError("vault_damaged")
        if isinstance(body.get("format"), int) and body["format"] > FORMAT:
            raise VaultError("vault_newer")
        header = Header.model_validate_json(json.dumps(body))
    except (ValidationError, ValueError, RecursionError):  # ValueError: no JSON, or no UTF-8
        raise VaultError("vault_damaged") from None
    if header.vault_id != path.parent.name:
        raise VaultError("vault_foreign")
    return header


def _checksum(body: dict[str, Any]) -> str:
    canonical = json.dumps(body, sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    return hashlib.sha256(canonical.encode("utf-8")).hexdigest()


def _described(kdf: Kdf) -> tuple[str, ...]:
    return (kdf.alg, str(kdf.m), str(kdf.t), str(kdf.p), kdf.salt.hex())


def _bound(vault_id: str, slot: str, *derivation: str) -> bytes:
    """What a slot is bound to: vault_id|slot|format|parameters of the derivation."""
    return "|".join((vault_id, slot, str(FORMAT), *derivation)).encode("utf-8")
