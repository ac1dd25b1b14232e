"""Words that nobody else would write, and the search for them in files, in every form in which they could lie there."""

from __future__ import annotations

import base64
import secrets
from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple


class Trace(NamedTuple):
    """A private word found where it must not be."""

    where: str
    word: str
    form: str


def marker(name: str) -> str:
    """A word like no other: small ASCII letters and digits, so that neither JSON nor an index would change it."""
    return f"{name}q{secrets.token_hex(8)}7"


def forms(word: str) -> dict[str, bytes]:
    """How `word` could lie in a file for anyone to read."""
    plain = word.encode("ascii")
    found = {
        "as it is": plain,
        "in capitals": plain.upper(),
        "utf-16-le": word.encode("utf-16-le"),
        "utf-16-be": word.encode("utf-16-be"),
        "utf-32-le": word.encode("utf-32-le"),
        "hex": plain.hex().encode(),
        "hex in capitals": plain.hex().upper().encode(),
        "backwards": plain[::-1],
    }
    for shift in range(3):  # what stands before a word decides how base64 cuts it
        padded = base64.b64encode(bytes(shift) + plain)
        whole = padded[4 if shift else 0 : len(padded) // 4 * 4 - 4]
        found[f"base64, shifted by {shift}"] = whole
        found[f"base64 for addresses, shifted by {shift}"] = whole.translate(bytes.maketrans(b"+/", b"-_"))
    return found


def traces_in(content: bytes, words: Iterable[str], where: str) -> list[Trace]:
    """The words that stand in `content` in any form."""
    return [Trace(where, word, form) for word in words for form, raw in forms(word).items() if raw in content]


def swept(folder: Path, words: Iterable[str]) -> list[Trace]:
    """The words that any file below `folder` holds in its name or its bytes."""
    known = tuple(words)
    found: list[Trace] = []
    for path in sorted(folder.rglob("*")):
        found += traces_in(str(path.relative_to(folder)).encode(), known, f"name of {path}")
        if path.is_file() and not path.is_symlink():
            found += traces_in(path.read_bytes(), known, str(path))
    return found
