"""How a passphrase or a recovery code opens a vault.

    passphrase --NFKC--> Argon2id ----> wrapping key --AES-256-GCM--.
    recovery code --HKDF-SHA256-------> wrapping key --AES-256-GCM--+--> master key --HKDF-SHA256--> keys by purpose

The master key is random and never changes when the passphrase does. Keys are kept in a bytearray that is overwritten
when the vault is locked. That is the best Python can do: copies that libraries made may live on until they are reused.
"""

from __future__ import annotations

import os
import threading
import unicodedata
from dataclasses import dataclass
from typing import Literal

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from assistant.errors import VaultError, WrongPassphrase

Purpose = Literal["db v1", "export v1", "blob v1"]

KEY_BYTES = 32
SALT_BYTES = 16
NONCE_BYTES = 12  # the length AES-GCM is made for (NIST SP 800-38D)
WRAPPED_BYTES = KEY_BYTES + 16  # the key and GCM's tag

PASSPHRASE_MIN_CHARACTERS = 12
PASSPHRASE_MIN_WORDS = 5
PASSPHRASE_MAX_CHARACTERS = 1024


@dataclass(frozen=True, slots=True)
class Cost:
    """What one Argon2id costs: `m` memory in KiB, `t` passes, `p` lanes.

    The default takes about a third of a second on two cores and is twice RFC 9106's second choice in memory.
    """

    m: int = 128 * 1024
    t: int = 3
    p: int = 4

    def check(self) -> None:
        """Raise VaultError `kdf_refused` if this is too weak or too costly, as only an altered header asks for.

        19 MiB is the floor of OWASP's password storage advice; the upper limits keep the machine usable.
        """
        if not (19 * 1024 <= self.m <= 1024 * 1024 and 1 <= self.t <= 20 and 1 <= self.p <= 16):
            raise VaultError("kdf_refused")


@dataclass(frozen=True, slots=True)
class Wrapped:
    """A master key as it stands in a slot: `nonce` 12 bytes, `ciphertext` 48 bytes (32 and the tag)."""

    nonce: bytes
    ciphertext: bytes


class Stretcher:
    """Turns passphrases into wrapping keys, one at a time: each needs the whole memory of its cost."""

    def __init__(self) -> None:
        self._one_at_a_time = threading.Lock()

    def stretch(self, passphrase: str, cost: Cost, salt: bytes) -> bytes:
        """The 32-byte wrapping key of `passphrase`. Raises VaultError `kdf_refused` before any work is done,
        `passphrase_long`, or `memory_short` if the memory cannot be had.
        """
        cost.check()
        # Half a surrogate pair has no UTF-8 form; a passphrase must not crash on it.
        secret = _normalised(passphrase).encode("utf-8", "surrogatepass")
        with self._one_at_a_time:
            try:
                kdf = Argon2id(salt=salt, length=KEY_BYTES, iterations=cost.t, lanes=cost.p, memory_cost=cost.m)
                return kdf.derive(secret)
            except MemoryError:
                raise VaultError("memory_short", mib=cost.m // 1024) from None


def check_passphrase(passphrase: str) -> None:
    """Raise VaultError `passphrase_short` or `passphrase_long` if this may not become a passphrase.

    At least 12 characters (not counting space around them) or 5 words, at most 1024 characters.
    """
    tidy = _normalised(passphrase).strip()
    if len(tidy) < PASSPHRASE_MIN_CHARACTERS and len(tidy.split()) < PASSPHRASE_MIN_WORDS:
        raise VaultError("passphrase_short", characters=PASSPHRASE_MIN_CHARACTERS, words=PASSPHRASE_MIN_WORDS)


def _normalised(passphrase: str) -> str:
    """NFKC, so that an ä is the same, and counts the same, whether the keyboard sends one character or two."""
    normalised = unicodedata.normalize("NFKC", passphrase)
    if len(normalised) > PASSPHRASE_MAX_CHARACTERS:
        raise VaultError("passphrase_long", characters=PASSPHRASE_MAX_CHARACTERS)
    return normalised


def stretch_recovery(secret: bytes, salt: bytes) -> bytes:
    """The 32-byte wrapping key of a recovery code; its 130 random bits need no slow function."""
    return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=salt, info=b"recovery v1").derive(secret)


class MasterKey:
    """The random 32 bytes that every key of one vault comes from."""

    def __init__(self, material: bytes) -> None:
        self._material = bytearray(material)

    @classmethod
    def random(cls) -> MasterKey:
        """A new one."""
        return cls(os.urandom(KEY_BYTES))

    @classmethod
    def unwrap(cls, wrapping_key: bytes, wrapped: Wrapped, associated: bytes) -> MasterKey:
        """The key that `wrapped` holds. Raises WrongPassphrase if `wrapping_key` or `associated` is not the one."""
        try:
            return cls(AESGCM(wrapping_key).decrypt(wrapped.nonce, wrapped.ciphertext, associated))
        except InvalidTag:
            raise WrongPassphrase from None

    def wrap(self, wrapping_key: bytes, associated: bytes) -> Wrapped:
        """This key, encrypted under `wrapping_key` and bound to `associated`."""
        nonce = os.urandom(NONCE_BYTES)
        return Wrapped(nonce, AESGCM(wrapping_key).encrypt(nonce, self._material, associated))

    def subkey(self, purpose: Purpose) -> bytes:
        """The 32-byte key for one purpose; no purpose's key tells anything about another's."""
        return HKDF(algorithm=SHA256(), length=KEY_BYTES, salt=None, info=purpose.encode()).derive(self._material)

    def forget(self) -> None:
        """Overwrite the key. It cannot be used any more."""
        self._material[:] = bytes(len(self._material))
