"""What may be used in one place only: heavy libraries, the network, the environment, standard output."""

from __future__ import annotations

import ast
from collections.abc import Iterator

import pytest
from source_code import Module, belongs_to, called, modules, parsed

ONLY_HERE: dict[str, frozenset[str]] = {
    # heavy or changeable libraries, each behind one seam
    "llama_cpp": frozenset({"assistant.inference.llm", "assistant.inference.plain_llm"}),
    "sentence_transformers": frozenset({"assistant.inference.encoder"}),
    "torch": frozenset({"assistant.inference.encoder"}),
    "langchain_core": frozenset(
        {
            "assistant.inference.chat_model",
            "assistant.inference.embeddings",
            "assistant.dialogue.voice",
            "assistant.bench.speed",
        }
    ),
    "chromadb": frozenset({"assistant.library"}),
    "langchain_chroma": frozenset({"assistant.library"}),
    "sklearn": frozenset({"assistant.dialogue.classifier", "assistant.library.learned"}),
    "apsw": frozenset({"assistant.vault.database"}),
    "cryptography": frozenset({"assistant.vault"}),
    "gradio": frozenset({"assistant.ui"}),
    "fastapi": frozenset({"assistant.ui"}),
    "starlette": frozenset({"assistant.ui"}),
    "uvicorn": frozenset({"assistant.ui"}),
    "jinja2": frozenset({"assistant.ui"}),
    "typer": frozenset({"assistant.cli", "assistant.commands"}),
    "platformdirs": frozenset({"assistant.paths"}),
    # the network: models are fetched when a person asks for it; the page is served on, and measured over, loopback
    "urllib.request": frozenset({"assistant.inference.sources.hub", "assistant.bench.speed"}),
    "http.client": frozenset({"assistant.inference.sources.hub"}),
    "socket": frozenset({"assistant.ui.serving"}),
    "webbrowser": frozenset({"assistant.ui.serving"}),
    # other programs: pip, which has the person's own index and proxy; the app that is measured
    "subprocess": frozenset({"assistant.inference.sources.package_index", "assistant.bench.speed"}),
}
NOWHERE = (
    *("requests", "httpx", "aiohttp", "urllib3", "ftplib", "smtplib", "poplib", "imaplib", "xmlrpc", "asyncore"),
    *("pickle", "shelve", "marshal", "dill", "joblib", "diskcache"),  # reading such a file runs what is in it
    *("langchain_community", "langsmith", "langgraph", "langchain_core.load", "langchain_core.prompts.loading"),
    *("huggingface_hub", "unittest"),
)
# os.environ: paths reads PEILI_HOME, isolation cleans up, bench hands its environment to the app it measures.
ENVIRONMENT_IN = {"assistant.paths", "assistant.isolation", "assistant.bench.speed"}
HOME_CALLS = ("os.getenv", "os.putenv", "os.path.expanduser", "Path.home")
PRINTS = ("print", "sys.stdout.write", "sys.stderr.write")


def users_of(library: str) -> set[str]:
    """The modules that import a library or a part of it."""
    return {module.name for module in modules() if any(belongs_to(name, library) for name in module.imports())}


def environment_uses(module: Module) -> Iterator[str]:
    """Where a module asks the environment or the system where a person's files are."""
    for node in ast.walk(module.tree):
        if isinstance(node, ast.Attribute) and node.attr in {"environ", "environb"}:
            yield f"{module.path}:{node.lineno} {node.attr}"
        elif isinstance(node, ast.Call) and (called(node) in HOME_CALLS or called(node).endswith(".expanduser")):
            yield f"{module.path}:{node.lineno} {called(node)}"


def calls_of(module: Module, names: tuple[str, ...]) -> list[str]:
    """Where a module calls one of these."""
    calls = [node for node in ast.walk(module.tree) if isinstance(node, ast.Call)]
    return [f"{module.path}:{node.lineno}" for node in calls if called(node) in names]


@pytest.mark.parametrize("library", ONLY_HERE)
def test_a_library_is_imported_only_behind_its_seam(library: str) -> None:
    places = ONLY_HERE[library]
    users = users_of(library)
    assert {user for user in users if not any(belongs_to(user, place) for place in places)} == set()
    unused = {place for place in places if not any(belongs_to(user, place) for user in users)}
    assert unused == set(), "the table names a place that does not need the library"


@pytest.mark.parametrize("library", NOWHERE)
def test_some_libraries_are_imported_nowhere(library: str) -> None:
    assert users_of(library) == set()


def test_only_paths_and_isolation_ask_the_environment() -> None:
    found = {module.name: list(environment_uses(module)) for module in modules()}
    assert {name: uses for name, uses in found.items() if uses and name not in ENVIRONMENT_IN} == {}
    assert all(found[name] for name in ENVIRONMENT_IN)


def test_only_the_command_line_prints() -> None:
    assert [place for module in modules() for place in calls_of(module, PRINTS)] == []
    echoing = {module.part for module in modules() if calls_of(module, ("typer.echo",))}
    assert echoing == {"cli", "commands"}


def test_nothing_is_a_global_that_functions_change() -> None:
    changed = [
        f"{module.path}:{node.lineno}"
        for module in modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Global)
    ]
    assert changed == []


def test_nothing_is_run_that_stands_in_a_text() -> None:
    dangerous = ("eval", "exec", "compile", "os.system", "os.popen")
    assert [place for module in modules() for place in calls_of(module, dangerous)] == []


def test_the_rules_see_what_they_forbid() -> None:
    sample = parsed(
        "import os\nfrom pathlib import Path\nprint(os.environ['HOME'], Path.home(), Path('~').expanduser())"
    )
    assert len(list(environment_uses(sample))) == 3
    assert calls_of(sample, PRINTS) == ["assistant/sample.py:3"]
