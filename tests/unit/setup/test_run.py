"""run.py itself: what it shows, and how long it waits for a server."""

from __future__ import annotations

import importlib.util
import socket
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from types import ModuleType

import pytest

from assistant.paths import PROJECT_ROOT


@pytest.fixture(scope="module")
def run() -> ModuleType:
    """run.py as a module; importing it does nothing."""
    spec = importlib.util.spec_from_file_location("peili_run", PROJECT_ROOT / "run.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Greeting(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:
        """Stay silent."""


@pytest.fixture
def server() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Greeting) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{server.server_address[1]}/"
        server.shutdown()
        thread.join()


def test_a_server_that_answers_is_used(run: ModuleType, server: str) -> None:
    assert run.answers(server)


def test_a_server_that_stays_silent_is_given_up(run: ModuleType) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        assert not run.answers(f"http://127.0.0.1:{silent.getsockname()[1]}/", patience_s=0.2)


def test_nobody_listening_is_no_answer(run: ModuleType) -> None:
    assert not run.answers("http://127.0.0.1:9/")


def test_a_log_gets_steps_and_not_every_byte(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    display = run.Display(terminal=False)
    display.step("Installing 145 packages")
    for done in range(1000):
        display.progress(f"{done} of 1000 MB")
    assert capsys.readouterr().out == "Peili: Installing 145 packages\n"


def test_on_a_terminal_one_line_changes_and_leaves_nothing_behind(
    run: ModuleType, capsys: pytest.CaptureFixture[str]
) -> None:
    display = run.Display(terminal=True)
    display.step("Installing")
    display.progress("100 of 1000 MB")
    display.progress("9 MB")
    display.step("Done")
    shown = capsys.readouterr().out
    assert shown.count("\n") == 2
    assert shown.split("\r")[-2].strip() == ""
    assert shown.endswith("Peili: Done\n")


def test_help_is_shown_without_setting_anything_up(run: ModuleType, capsys: pytest.CaptureFixture[str]) -> None:
    assert run.main(["--help"]) == 0
    assert "python3 run.py test" in capsys.readouterr().out


def test_a_compiler_is_found_on_the_path(run: ModuleType, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert run.found_programs() == set()
    (tmp_path / "clang").touch(mode=0o755)
    assert run.found_programs() == {"clang"}
