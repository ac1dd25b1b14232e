"""What a person writes lies in their encrypted vault and in no other file, log or message on this machine."""

from __future__ import annotations

import ast
import base64
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from one_evening import CHEAP
from swept_files import forms, marker, swept, traces_in

from assistant.paths import PROJECT_ROOT
from assistant.vault.registry import Vaults

EVENING = Path(__file__).with_name("one_evening.py")
PYTHON_PATH = os.pathsep.join((str(PROJECT_ROOT), os.environ.get("PYTHONPATH", "")))


class Evening:
    """A person's evening with Peili, in a process whose home, temporary files and current folder are below `folder`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = folder / "peili-home"
        self.words = {name: marker(name) for name in ("told", "mended", "named", "deleted")}
        self.passphrase = f"{marker('secret')} {marker('phrase')}"
        self.output = b""

    @property
    def private(self) -> list[str]:
        """Everything nobody else may read."""
        return [*self.words.values(), *self.passphrase.split()]

    def spend(self, *, end: str) -> str:
        """Go through it and end by `lock`, or by `kill` with the vault open; the vault's id."""
        given = {**self.words, "home": str(self.home), "passphrase": self.passphrase}
        places = {name: self._place(name) for name in ("HOME", "TMPDIR", "TEMP", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
        with subprocess.Popen(
            [sys.executable, str(EVENING)],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=(self.folder / "log.txt").open("wb"),
            cwd=self._place("cwd"),
            env={**os.environ, **places, "PYTHONPATH": PYTHON_PATH},
        ) as process:
            assert process.stdin is not None
            assert process.stdout is not None
            process.stdin.write(json.dumps(given).encode() + b"\n")
            process.stdin.flush()
            vault_id = process.stdout.readline().decode().strip()
            assert vault_id, (self.folder / "log.txt").read_text(encoding="utf-8")
            if end == "kill":
                process.send_signal(signal.SIGKILL)
            self.output, _ = process.communicate(b"lock\n" if end == "lock" else None)
        return vault_id

    def _place(self, name: str) -> str:
        path = self.folder / name.lower()
        path.mkdir(exist_ok=True)
        return str(path)


@pytest.fixture(params=["lock", "kill"], ids=["vault locked", "process killed"])
def evening(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Evening]:
    spent = Evening(tmp_path)
    vault_id = spent.spend(end=request.param)
    vault = Vaults(spent.home / "vaults", cost=CHEAP).unlock(vault_id, spent.passphrase)
    repository = vault.repository
    kept = [conversation.title for conversation in repository.list()]
    for conversation in repository.list():
        kept += [turn.text for turn in repository.turns(conversation.id)]
        kept += [entry.text for entry in repository.sheet(conversation.id)[0].entries]
    vault.lock()
    for name in ("told", "mended", "named"):
        assert spent.words[name] in " ".join(kept), "the evening was not kept, so there is nothing to look for"
    assert spent.words["deleted"] not in " ".join(kept)
    yield spent


def test_no_file_outside_and_none_inside_the_vault_can_be_read(evening: Evening) -> None:
    files = [path for path in evening.folder.rglob("*") if path.is_file()]
    assert evening.home / "vaults" in {path.parents[1] for path in files}
    assert swept(evening.folder, evening.private) == []


def test_the_fullest_log_says_nothing_a_person_wrote(evening: Evening) -> None:
    log = (evening.folder / "log.txt").read_bytes()
    assert traces_in(log + evening.output, evening.private, "log and output") == []


def test_a_throw_away_chat_leaves_nothing_behind(tmp_path: Path) -> None:
    word, home = marker("told"), tmp_path / "peili-home"
    places = {name: str(tmp_path) for name in ("HOME", "TMPDIR", "XDG_CACHE_HOME", "XDG_DATA_HOME")}
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "chat", "--flow", "goal", "--lang", "en", "--model", "none", "--json"],
        input=json.dumps({"text": f"I want to learn about {word} this spring"}) + "\n",
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env={**os.environ, **places, "PEILI_HOME": str(home), "PYTHONPATH": PYTHON_PATH},
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert word in done.stdout
    assert home.exists()
    assert swept(tmp_path, [word]) == []
    assert not (home / "vaults").exists()


@pytest.mark.parametrize("form", list(forms("sample")))
def test_the_sweep_finds_a_word_in_every_form(tmp_path: Path, form: str) -> None:
    word = marker("planted")
    (tmp_path / "deep" / "er").mkdir(parents=True)
    (tmp_path / "deep" / "er" / "file.bin").write_bytes(b"\0\xff before " + forms(word)[form] + b" after")
    found = swept(tmp_path, [marker("absent"), word])
    assert {trace.word for trace in found} == {word}
    assert form in {trace.form for trace in found}


def test_the_sweep_finds_a_word_within_base64_and_in_a_name(tmp_path: Path) -> None:
    word = marker("planted")
    for before in ("", "x", "xy", "xyz"):
        whole = base64.b64encode(f"{before}{word} and more".encode())
        assert traces_in(whole, [word], "text")
    (tmp_path / f"about-{word}.txt").touch()
    assert [trace.word for trace in swept(tmp_path, [word])] == [word]


def test_what_is_logged_is_never_a_persons_text() -> None:
    """A log call may say a fixed sentence and the name of an error's type, nothing else."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in (PROJECT_ROOT / "assistant").rglob("*.py")}
    calls = [(path.name, call) for path, tree in trees.items() for call in ast.walk(tree) if _logs(call)]
    assert calls
    assert [f"{name}: {ast.unparse(call)}" for name, call in calls if not _says_nothing_private(call)] == []


def _logs(node: ast.AST) -> bool:
    levels = {"debug", "info", "warning", "error", "critical", "exception"}
    return isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in levels


def _says_nothing_private(node: ast.AST) -> bool:
    assert isinstance(node, ast.Call)
    fixed = bool(node.args) and isinstance(node.args[0], ast.Constant)
    return fixed and not node.keywords and all(_is_type_name(argument) for argument in node.args[1:])


def _is_type_name(node: ast.expr) -> bool:
    return ast.unparse(node).startswith("type(") and ast.unparse(node).endswith(").__name__")
