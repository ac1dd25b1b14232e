"""Models a person adds by hand: a GGUF file of their own choice, recorded with its sha256 beside the weights."""

from __future__ import annotations

import json
import math
import os
import re
import shutil
from collections.abc import Iterable
from pathlib import Path

from assistant.domain import LANGUAGES, Language
from assistant.errors import ModelError
from assistant.inference.catalogue import Catalogue, Entry
from assistant.inference.templates import template
from assistant.inference.weights import WeightFile, check, sha256_of

_MAGIC = b"GGUF"
_GIB = 1 << 30
_CONTEXT = 4096


def added_file(models_dir: Path) -> Path:
    """Where the models a person added are recorded."""
    return models_dir / "added.toml"


def add(
    path: Path,
    models_dir: Path,
    catalogue: Catalogue,
    *,
    chat_template: str,
    voice: Iterable[Language] = (),
    name: str = "",
) -> Entry:
    """Take the GGUF file at `path` in as a chat model and record it; linked if it lies on the same disk, else copied.

    `voice`: the languages in which the person lets it phrase replies. `chat_template`: a name of templates.py. `name`:
    shown to people and the base of the id; by default the file's name. Raises ModelError: not a readable GGUF file, id
    taken, template unknown, disk full.
    """
    template(chat_template)
    title = name or path.stem
    entry = _entry(path, title, chat_template, frozenset(voice))
    if any(known.id == entry.id for known in catalogue.entries):
        raise ModelError("model_id_taken", model=entry.id)
    folder = entry.folder(models_dir)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _take_in(path, entry.path(models_dir))
        if set(check(folder, entry.files, rehash=True).values()) != {"ok"}:
            raise ModelError("model_wrong_bytes", model=entry.id, name=path.name)
        _record(added_file(models_dir), entry)
    except OSError as error:
        raise ModelError("model_not_written", path=str(models_dir), problem=error.strerror or "") from error
    return entry


def _entry(path: Path, title: str, chat_template: str, voice: frozenset[Language]) -> Entry:
    try:
        with path.open("rb") as source:
            magic = source.read(len(_MAGIC))
        if magic != _MAGIC:
            raise ModelError("model_not_gguf", name=path.name)
        size, digest = path.stat().st_size, sha256_of(path)
    except OSError as error:
        raise ModelError("model_not_read", name=path.name) from error
    gib = size / _GIB
    return Entry(
        id=_id(title),
        name=title,
        role="chat",
        licence="",
        min_ram_gib=float(math.ceil(gib * 1.3 + 2)),  # weights, context and the rest of the machine: an estimate
        est_process_gib=round(gib * 1.1 + 0.5, 1),
        ctx_default=_CONTEXT,
        files=(WeightFile("model.gguf", size, digest),),
        prefix_reuse="append-only",  # holds for every architecture
        chat_template=chat_template,
        quality={language: "usable" if language in voice else "untested" for language in LANGUAGES},
        added=True,
    )


def _id(title: str) -> str:
    slug = re.sub(r"[^a-z0-9._]+", "-", title.lower()).strip("-._")[:64]
    if not slug or not title.isprintable():
        raise ModelError("model_name", name=title)
    return slug


def _take_in(source: Path, target: Path) -> None:
    part = target.with_name(f"{target.name}.part")
    part.unlink(missing_ok=True)
    try:
        os.link(source.resolve(), part)
    except OSError:
        shutil.copyfile(source, part)
    part.replace(target)


def _record(path: Path, entry: Entry) -> None:
    before = path.read_text(encoding="utf-8") if path.exists() else "schema = 1\n"
    temporary = path.with_suffix(".part")
    temporary.write_text(f"{before}\n{_toml(entry)}", encoding="utf-8")
    temporary.replace(path)


def _toml(entry: Entry) -> str:
    file = entry.files[0]
    quality = ", ".join(f'{language} = "{quality}"' for language, quality in entry.quality.items())
    return "\n".join(
        (
            "[[model]]",
            f'id = "{entry.id}"',
            f"name = {json.dumps(entry.name, ensure_ascii=False)}",  # printable: a JSON string is a TOML string
            f'role = "{entry.role}"',
            f'licence = "{entry.licence}"',
            f"min_ram_gib = {entry.min_ram_gib}",
            f"est_process_gib = {entry.est_process_gib}",
            f"ctx_default = {entry.ctx_default}",
            f'prefix_reuse = "{entry.prefix_reuse}"',
            f'chat_template = "{entry.chat_template}"',
            f"quality = {{ {quality} }}",
            "added = true",
            "[[model.files]]",
            f'name = "{file.name}"',
            f"size = {file.size}",
            f'sha256 = "{file.sha256}"',
            "",
        )
    )
