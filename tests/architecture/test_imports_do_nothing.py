"""Importing a module reads definitions and does nothing else, and a command does not pay for what it does not use."""

from __future__ import annotations

import ast
import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from source_code import Module, modules, parsed

HEAVY = {"torch", "gradio", "llama_cpp", "chromadb", "sentence_transformers", "transformers", "sklearn"}
# Modules that are imported only when their library is needed: in a worker process, or behind the unlock page.
LATE = ("assistant.inference.llm", "assistant.inference.plain_llm", "assistant.inference.encoder", "assistant.ui.")
EARLY_UI = ("assistant.ui.serving", "assistant.ui.server", "assistant.ui.view")
# urllib3, which comes with langchain-core, looks whether this machine has IPv6.
ASKS_FOR_IPV6 = "socket.bind ('::1', 0)"

WATCHED = """
import json, sys, threading
seen = []
def watch(event, args):
    if event == "open" and isinstance(args[1], str) and set(args[1]) & set("wax+"):
        seen.append(f"writes {args[0]}")
    elif event in ("socket.connect", "socket.bind"):
        seen.append(f"{event} {args[1]}")
    elif event.startswith(("subprocess.", "os.mkdir", "os.remove", "os.rename")):
        seen.append(event)
sys.addaudithook(watch)
for name in sys.argv[1:]:
    __import__(name)
print(json.dumps({"seen": seen, "threads": threading.active_count(), "loaded": sorted(sys.modules)}))
"""


def after_importing(*names: str, path: Path | None = None) -> tuple[list[str], int, set[str]]:
    """What importing did, how many threads run then, and which modules are loaded, in a process of its own."""
    environment = {**os.environ, "PYTHONPATH": str(path)} if path else dict(os.environ)
    command = [sys.executable, "-B", "-c", WATCHED, *names]
    result = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    assert result.returncode == 0, result.stderr
    told = json.loads(result.stdout)
    return told["seen"], told["threads"], set(told["loaded"])


def calls_at_import(module: Module) -> list[str]:
    """Statements of a module that only do something: neither definition, nor import, nor a name for a value."""
    deeds = [node for node in module.tree.body if isinstance(node, ast.Expr) and isinstance(node.value, ast.Call)]
    loops = [node for node in module.tree.body if isinstance(node, ast.For | ast.While | ast.With | ast.Try)]
    return [f"{module.path}:{node.lineno}" for node in (*deeds, *loops)]


@pytest.mark.parametrize("name", ["assistant.cli", "assistant.app", *EARLY_UI])
def test_start_up_pays_for_no_heavy_library(name: str) -> None:
    _, _, loaded = after_importing(name)
    assert name in loaded
    assert loaded & HEAVY == set()


def test_importing_writes_no_file_opens_no_socket_and_starts_no_thread() -> None:
    light = {module.name for module in modules() if not module.name.startswith(LATE)} | set(EARLY_UI)
    seen, threads, loaded = after_importing(*sorted(light))
    assert light <= loaded
    assert [deed for deed in seen if deed != ASKS_FOR_IPV6] == []
    assert threads == 1


def test_no_module_does_anything_at_its_top_level() -> None:
    # The command line's modules name their commands to Typer there.
    found = [
        place for module in modules() if module.part not in {"cli", "commands"} for place in calls_at_import(module)
    ]
    assert found == []


def test_the_watch_sees_an_import_that_does_something(tmp_path: Path) -> None:
    (tmp_path / "busy_module.py").write_text(
        "import threading, pathlib\n"
        f"pathlib.Path({str(tmp_path / 'written')!r}).write_text('x')\n"
        "threading.Thread(target=threading.Event().wait, args=(5,), daemon=True).start()\n",
        encoding="utf-8",
    )
    seen, threads, _ = after_importing("busy_module", path=tmp_path)
    assert seen == [f"writes {tmp_path / 'written'}"]
    assert threads == 2
    assert calls_at_import(parsed("import a\na.b()\nwith a: pass\nX = a.c()\n")) == [
        "assistant/sample.py:2",
        "assistant/sample.py:3",
    ]
