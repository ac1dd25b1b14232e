"""The real app with the real models under the eye of the operating system: not one socket beyond this machine.

The surroundings are hostile on purpose: every switch that could turn telemetry, sharing or a proxy on is set. Without
strace these tests fail; they are never skipped.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from hostile_surroundings import HOSTILE
from swept_files import marker, swept
from traced_calls import Attempt, attempts, leaving, tracing
from visitor import Visitor

from assistant.paths import PROJECT_ROOT

RUN = ("run", "--no-browser", "--port", "0")
PLACES = ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")
CHAT = ("chat", "--flow", "goal", "--lang", "en", "--json")

STRAY = """
import ctypes, socket, sys
sys.path.insert(0, {project!r})
from assistant import isolation
isolation.forbid_core_dumps()
for family, kind, address in (
    (socket.AF_INET, socket.SOCK_STREAM, ("198.51.100.7", 443)),
    (socket.AF_INET6, socket.SOCK_STREAM, ("2001:db8::7", 443)),
    (socket.AF_INET, socket.SOCK_STREAM, ("127.0.0.1", 9)),
):
    with socket.socket(family, kind) as client:
        client.setblocking(False)
        client.connect_ex(address)
with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
    try: sender.sendto(b"private", ("203.0.113.5", 53))
    except OSError: pass
with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as server:
    server.bind(("0.0.0.0", 0))
"""


class Workstation:
    """A home folder with the real models, and folders for everything a library might like to write."""

    def __init__(self, folder: Path, models: Path) -> None:
        self.folder = folder
        self.home = folder / "peili-home"
        self.home.mkdir()
        (self.home / "models").symlink_to(models)
        for made in ("library", "analysis", "prefix"):  # shared, not private; making them anew takes minutes
            if (models.parent / made).is_dir():
                shutil.copytree(models.parent / made, self.home / made)

    def starts(self, *arguments: str, log: Path) -> subprocess.Popen[str]:
        """A command of Peili's under strace, in hostile surroundings."""
        places = {name: str(self._place(name)) for name in PLACES}
        path = os.pathsep.join((str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")))
        return subprocess.Popen(
            [*tracing(log), sys.executable, "-m", "assistant", *arguments],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            cwd=self._place("cwd"),
            env={**os.environ, **HOSTILE, **places, "PEILI_HOME": str(self.home), "PYTHONPATH": path},
            start_new_session=True,
        )

    def strewn(self) -> list[Path]:
        """What lies outside Peili's own folder."""
        return [path for place in (*PLACES, "cwd") for path in self._place(place).rglob("*")]

    def _place(self, name: str) -> Path:
        path = self.folder / name.lower()
        path.mkdir(exist_ok=True)
        return path


@pytest.fixture(scope="module")
def workstation(tmp_path_factory: pytest.TempPathFactory, real_models: Path) -> Workstation:
    return Workstation(tmp_path_factory.mktemp("workstation"), real_models)


@pytest.fixture
def stray(tmp_path: Path) -> Iterator[str]:
    """The log of a program that does try to leave the machine."""
    log = tmp_path / "stray.log"
    command = [*tracing(log), sys.executable, "-c", STRAY.format(project=str(PROJECT_ROOT))]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    yield log.read_text(encoding="utf-8")


def test_the_eye_sees_an_attempt_of_each_kind(stray: str) -> None:
    assert set(leaving(stray)) == {
        Attempt("connect", "198.51.100.7"),
        Attempt("connect", "2001:db8::7"),
        Attempt("sendto", "203.0.113.5"),
        Attempt("bind", "0.0.0.0"),  # noqa: S104 - what the stray program did
    }
    assert Attempt("connect", "127.0.0.1") in attempts(stray)


def test_an_address_that_could_not_be_read_counts_as_one_that_leaves() -> None:
    log = (
        "7 connect(3, 0x7ffd1c2d3e40, 16) = 0\n"
        '7 connect(4, {sa_family=AF_UNIX, sun_path="/run/x"}, 110) = 0\n'
        "7 bind(5, {sa_family=AF_NETLINK, nl_pid=0, nl_groups=00000000}, 12) = 0\n"
        '7 connect(6, {sa_family=AF_INET6, sin6_port=htons(1), inet_pton(AF_INET6, "::1", &sin6_addr)}, 28) = 0\n'
        '7 sendto(6, ""..., 12, MSG_NOSIGNAL, NULL, 0) = 12\n'
        "7 sendto(6, 0x7ffd1c2d3e40, 12, 0, 0x7ffd1c2d3e80, 16) = 12\n"
    )
    assert leaving(log) == [Attempt("connect", "?"), Attempt("sendto", "?")]


@pytest.mark.model
@pytest.mark.encoder
def test_the_running_app_asks_no_other_machine_for_anything(workstation: Workstation, tmp_path: Path) -> None:
    log = tmp_path / "run.log"
    passphrase = f"{marker('secret')} {marker('phrase')}"
    with workstation.starts(*RUN, log=log) as app:
        try:
            assert app.stdout is not None
            lines = iter(app.stdout.readline, "")
            address = next(found.group() for line in lines if (found := re.search(r"http://127\.0\.0\.1:\d+/", line)))
            visitor = Visitor(address)
            assert "Peili" in visitor.reads("/")
            visitor.joins("alias", passphrase)
            assert "alias" in visitor.opens_the_page("en")
            visitor.waits_until_everything_is_ready()
        finally:
            os.killpg(app.pid, signal.SIGINT)
            told = app.communicate(timeout=60)[0]
    traced = log.read_text(encoding="utf-8")
    assert Attempt("bind", "127.0.0.1") in attempts(traced), told
    assert leaving(traced) == []
    assert swept(workstation.folder, passphrase.split()) == []
    assert workstation.strewn() == [], "something was written outside Peili's own folder"


@pytest.mark.model
@pytest.mark.encoder
def test_a_talk_with_the_real_models_asks_no_other_machine_and_leaves_no_word(
    workstation: Workstation, tmp_path: Path
) -> None:
    word, log = marker("told"), tmp_path / "chat.log"
    with workstation.starts(*CHAT, log=log) as chat:
        said = [
            "I keep postponing difficult talks in my team",
            "Because three new people join us in March and they copy how we behave",
            f"First I will write down what {word} would like me to say",  # too odd a word for a small model to repeat
        ]
        told, _ = chat.communicate("".join(json.dumps({"text": text}) + "\n" for text in said), timeout=600)
    replies = [json.loads(line) for line in told.splitlines() if line.startswith("{")]
    assert chat.returncode == 0, told
    assert len(replies) == 3
    assert word in json.dumps(replies[-1]["sheet"])
    generated = [reply["timing"]["generated_tokens"] for reply in replies]
    assert sum(generated) > 0, "the model worded nothing, so it had nothing to leak"
    assert leaving(log.read_text(encoding="utf-8")) == []
    assert swept(workstation.folder, [word]) == []
    assert workstation.strewn() == [], "something was written outside Peili's own folder"
