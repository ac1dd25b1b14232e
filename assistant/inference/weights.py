"""Model files on disk: what each must be, whether it is, and a stamp so that 2 GB are not hashed at every start."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Literal

FileState = Literal["ok", "missing", "altered", "unlisted"]

STAMP = ".verified.json"
_CHUNK = 1 << 20
_PICKLES = frozenset({".bin", ".ckpt", ".pickle", ".pkl", ".pt", ".pth"})
# What a loader could run or take for weights. Such a file is refused unless the catalogue lists it.
_LOADABLE = _PICKLES | {".gguf", ".h5", ".npy", ".onnx", ".py", ".safetensors"}


@dataclass(frozen=True, slots=True)
class WeightFile:
    """A file of a model: its name below the model's folder (with `/`), its size in bytes and its sha256 in hex.

    Raises ValueError for a name that leaves the folder, a pickle (it can run code when loaded), or a bad sha256.
    """

    name: str
    size: int
    sha256: str

    def __post_init__(self) -> None:
        parts = PurePosixPath(self.name).parts
        if not parts or self.name.startswith("/") or ".." in parts or "\\" in self.name or ":" in self.name:
            raise ValueError(f"not a name below the model's folder: {self.name!r}")
        if PurePosixPath(self.name).suffix.lower() in _PICKLES:
            raise ValueError(f"a pickle, which can run code when it is loaded: {self.name!r}")
        if self.size <= 0 or len(self.sha256) != 64 or set(self.sha256) - set("0123456789abcdef"):
            raise ValueError(f"no size or no sha256: {self.name!r}")

    def below(self, folder: Path) -> Path:
        """Where the file lies in the model's `folder`."""
        return folder.joinpath(*PurePosixPath(self.name).parts)


def sha256_of(path: Path, *, progress: Callable[[int], None] | None = None) -> str:
    """The sha256 of a file in hex. `progress` gets the bytes read so far. Raises OSError."""
    digest, done = hashlib.sha256(), 0
    with path.open("rb") as source:
        while chunk := source.read(_CHUNK):
            digest.update(chunk)
            done += len(chunk)
            if progress is not None:
                progress(done)
    return digest.hexdigest()


def check(folder: Path, files: Sequence[WeightFile], *, rehash: bool = False) -> dict[str, FileState]:
    """The state of every listed file, and of every file in `folder` that a loader could take and nobody listed.

    A file whose size and time of change are those of the stamp is not hashed again, unless `rehash`.
    """
    stamps = {} if rehash else _read_stamps(folder)
    seen: dict[str, tuple[int, int, str]] = {}
    states: dict[str, FileState] = {}
    for file in files:
        path = file.below(folder)
        try:
            status = path.stat()
            if status.st_size == file.size:
                known = stamps.get(file.name, (0, 0, ""))
                fresh = known[:2] == (status.st_size, status.st_mtime_ns)
                seen[file.name] = (status.st_size, status.st_mtime_ns, known[2] if fresh else sha256_of(path))
            states[file.name] = "ok" if file.name in seen and seen[file.name][2] == file.sha256 else "altered"
        except (FileNotFoundError, NotADirectoryError):
            states[file.name] = "missing"
    if seen != stamps:
        _write_stamps(folder, seen)
    return states | dict.fromkeys(_unlisted(folder, files), "unlisted")


def _unlisted(folder: Path, files: Sequence[WeightFile]) -> list[str]:
    listed = {file.name for file in files}
    found = (path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.suffix.lower() in _LOADABLE)
    return sorted(name for name in found if name not in listed)


def _read_stamps(folder: Path) -> dict[str, tuple[int, int, str]]:
    try:
        raw = json.loads((folder / STAMP).read_text(encoding="utf-8"))
        return {str(name): (int(size), int(mtime), str(sha)) for name, (size, mtime, sha) in raw.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}


def _write_stamps(folder: Path, stamps: dict[str, tuple[int, int, str]]) -> None:
    temporary = folder / f"{STAMP}.part"
    with suppress(OSError):  # a folder that cannot be written is hashed every time
        temporary.write_text(json.dumps(stamps, indent=1), encoding="utf-8")
        temporary.replace(folder / STAMP)
