"""One Peili a home folder, on loopback only."""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path

import pytest

from assistant.paths import Paths, private_folder
from assistant.ui.serving import Served, ServerError, free_socket, running
from assistant.vault.folder import FolderLock


def test_it_listens_on_loopback_alone() -> None:
    with closing(free_socket(0)) as listening:
        assert listening.getsockname()[0] == "127.0.0.1"


def test_a_port_in_use_is_passed_over() -> None:
    with closing(free_socket(0)) as taken:
        number = taken.getsockname()[1]
        with closing(free_socket(number)) as other:
            assert number < other.getsockname()[1] <= number + 20


def test_a_port_that_cannot_be_had_is_a_named_problem() -> None:
    with pytest.raises(ServerError) as told:
        free_socket(65536)
    assert told.value.key == "no_port"


def test_nothing_runs_on_a_fresh_home(tmp_path: Path) -> None:
    assert running(Paths(tmp_path)) is None


def test_a_second_start_finds_the_page_of_the_first(tmp_path: Path) -> None:
    paths = Paths(tmp_path)
    lock = FolderLock(private_folder(paths.runtime) / "app.lock")
    (paths.runtime / "address.json").write_text(json.dumps({"port": 7865}), encoding="utf-8")
    assert running(paths) == Served("http://127.0.0.1:7865/", already=True)
    lock.release()
    assert running(paths) is None


@pytest.mark.parametrize("left_behind", ["", "{}", '{"port": "x"}', "[1]"])
def test_a_start_that_is_not_finished_says_so(tmp_path: Path, left_behind: str) -> None:
    paths = Paths(tmp_path)
    lock = FolderLock(private_folder(paths.runtime) / "app.lock")
    (paths.runtime / "address.json").write_text(left_behind, encoding="utf-8")
    with pytest.raises(ServerError) as told:
        running(paths)
    assert told.value.key == "already_starting"
    lock.release()
