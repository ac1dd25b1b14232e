"""The recovery code: 130 random bits that a person can write on paper and type back.

26 Crockford base32 characters carry the bits, 4 more a checksum; it is shown as six groups of five:
`0T0VB-F1TY4-KCRWQ-JPKSY-FMHRG-3568R`. The checksum is the number modulo 2^20 - 3, a prime. One wrong character changes
the number by d * 32^k with 0 < d < 32, and two exchanged ones by (a - b) * (32^j - 32^k); neither is a multiple of that
prime, so both are always noticed, and anything else but once in a million.
"""

from __future__ import annotations

import secrets
import unicodedata

from assistant.errors import VaultError

_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_READ_AS = str.maketrans({"O": "0", "I": "1", "L": "1"})
_SECRET_CHARACTERS = 26
_CHECK_CHARACTERS = 4
_GROUP = 5
_BITS = 130
_PRIME = 2**20 - 3


def new_recovery_code() -> str:
    """A random code as it is shown."""
    number = secrets.randbits(_BITS)
    characters = _written(number, _SECRET_CHARACTERS) + _written(number % _PRIME, _CHECK_CHARACTERS)
    return "-".join(characters[start : start + _GROUP] for start in range(0, len(characters), _GROUP))


def recovery_secret(typed: str) -> bytes:
    """The 17 bytes of the code that was typed.

    Case, dashes, spaces and other marks do not matter, O is read as 0, I and L as 1. Raises VaultError
    `recovery_code_mistyped` if a character is missing, too many, or not what was shown.
    """
    plain = unicodedata.normalize("NFKC", typed).upper()
    characters = "".join(filter(str.isalnum, plain)).translate(_READ_AS)
    if len(characters) != _SECRET_CHARACTERS + _CHECK_CHARACTERS or not set(characters) <= set(_ALPHABET):
        raise VaultError("recovery_code_mistyped")
    number = _read(characters[:_SECRET_CHARACTERS])
    if number % _PRIME != _read(characters[_SECRET_CHARACTERS:]):
        raise VaultError("recovery_code_mistyped")
    return number.to_bytes((_BITS + 7) // 8, "big")


def _written(number: int, length: int) -> str:
    return "".join(_ALPHABET[number >> 5 * place & 31] for place in reversed(range(length)))


def _read(characters: str) -> int:
    number = 0
    for character in characters:
        number = number << 5 | _ALPHABET.index(character)
    return number
