"""What the documents say is so: links lead somewhere, commands exist, promises have a test, nothing is left open."""

from __future__ import annotations

import ast
import re
import tomllib
from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest
import typer
from documents import anchors, documents, links, project_files, text_of

from assistant.cli import app
from assistant.paths import PROJECT_ROOT, Paths
from assistant.settings import Settings

README = PROJECT_ROOT / "README.md"
PRIVACY = PROJECT_ROOT / "docs" / "privacy.md"


def commands() -> set[str]:
    """Every command of the command line, as a person types it."""
    found = set()

    def walk(command: Any, words: tuple[str, ...]) -> None:
        children = getattr(command, "commands", None)
        if children is None:
            found.add(" ".join(words))
            return
        for name, child in children.items():
            walk(child, (*words, name))

    walk(typer.main.get_command(app), ("peili",))
    return found


def test_there_are_documents() -> None:
    names = {path.relative_to(PROJECT_ROOT).as_posix() for path in documents()}
    assert {"README.md", "CHANGELOG.md", "CONTRIBUTING.md", "docs/architecture.md", "docs/privacy.md"} <= names


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_every_link_and_picture_leads_somewhere(path: Path) -> None:
    broken = []
    for link in links(path):
        if link.startswith("https://"):
            continue
        target, _, anchor = link.partition("#")
        file = (path.parent / target).resolve() if target else path
        if not file.exists() or (anchor and anchor not in anchors(file)):
            broken.append(link)
    assert broken == []


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_no_place_was_left_to_be_filled_in(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert [line for line in text.splitlines() if re.search(r"FIGURE:|TODO|TBD|FIXME|XXX", line)] == []


def test_the_readme_lists_every_command_and_no_other() -> None:
    table = README.read_text(encoding="utf-8").split("## The command line")[1].split("\n## ")[0]
    assert set(re.findall(r"`(peili [^`]+)`", table.split("|---|---|")[1])) == commands()


@pytest.mark.parametrize("path", documents(), ids=lambda path: str(path.relative_to(PROJECT_ROOT)))
def test_a_command_in_a_document_exists(path: Path) -> None:
    known = {words for command in commands() for words in (command, command.rsplit(" ", 1)[0])} | {"peili test"}
    named = re.findall(r"(?m)(?:^|`)(?:peili|python3 run\.py) ([a-z]+)(?: ([a-z]+))?", path.read_text(encoding="utf-8"))
    asked = [
        f"peili {first} {second}" if f"peili {first}" not in commands() else f"peili {first}" for first, second in named
    ]
    assert [words.strip() for words in asked if words.strip() not in known] == []


def test_the_readme_names_every_setting_with_its_default() -> None:
    text = README.read_text(encoding="utf-8")
    for setting in fields(Settings):
        default = f'"{setting.default}"' if isinstance(setting.default, str) else str(setting.default)
        assert f"| `{setting.name}` | `{default}` |" in text


def test_the_readme_names_every_folder_of_the_home() -> None:
    paths = Paths(Path("/home-of-peili"))
    places = [value for name in dir(Paths) if isinstance(value := getattr(paths, name), Path)]
    inside = {path.name for path in places if path.parent == paths.home}
    assert len(inside) == 7
    text = README.read_text(encoding="utf-8")
    assert [name for name in inside if f"`{name}/`" not in text and f"`{name}`" not in text] == []


def test_every_promise_of_the_privacy_page_names_a_test_that_is_there() -> None:
    protected = PRIVACY.read_text(encoding="utf-8").split("## What is protected")[1].split("\n## ")[0]
    promises = re.split(r"(?m)^\* ", protected)[1:]
    assert len(promises) > 15
    for promise in promises:
        named = re.findall(r"`(tests/[\w/]+\.py)::(test_\w+)`", promise)
        assert named, f"no test holds: {promise}"
        for file, name in named:
            assert name in functions(PROJECT_ROOT / file), f"{file}::{name}"


def test_what_is_not_protected_is_said() -> None:
    rest = PRIVACY.read_text(encoding="utf-8").split("## What is not protected")[1]
    assert len(re.findall(r"(?m)^\* \*\*", rest)) >= 8


def test_contributing_names_the_groups_of_tests_there_are() -> None:
    project = tomllib.loads((PROJECT_ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    markers = {marker.split(":")[0] for marker in project["tool"]["pytest"]["ini_options"]["markers"]}
    text = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    table = text.split("## Tests")[1].split("`pytest` runs")[0]
    assert set(re.findall(r"(?m)^\| `(\w+)` \|", table)) == markers | {"plain"}


def test_contributing_names_the_folders_of_tests_there_are() -> None:
    text = (PROJECT_ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
    folders = {path.relative_to(PROJECT_ROOT).parts[1] for path in project_files() if "tests" in path.parts[:-2]}
    named = set(re.findall(r"`tests/(\w+)/?`", text))
    assert {folder for folder in folders if (PROJECT_ROOT / "tests" / folder).is_dir()} - {"conftest.py"} <= named
    assert {name for name in named if not (PROJECT_ROOT / "tests" / name).is_dir()} == set()


def test_the_architecture_page_and_its_picture_name_every_part() -> None:
    text = (PROJECT_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    picture = (PROJECT_ROOT / "docs" / "architecture.svg").read_text(encoding="utf-8")
    package = PROJECT_ROOT / "assistant"
    folders = {path.name for path in package.iterdir() if (path / "__init__.py").exists()}
    parts = folders | {path.stem for path in package.glob("*.py") if not path.stem.startswith("__")}
    assert {part for part in parts if f"`{part}`" not in text} == set()
    assert {part for part in parts - {"installing"} if part not in picture} == set()
    assert "<title" in picture
    assert "<desc" in picture


def test_files_that_the_architecture_page_names_are_there() -> None:
    text = (PROJECT_ROOT / "docs" / "architecture.md").read_text(encoding="utf-8")
    named = re.findall(r"`((?:\w+/)+\w*\.?\w*)`", text)
    assert len(named) > 8
    roots = (PROJECT_ROOT, PROJECT_ROOT / "assistant")
    assert [name for name in named if not any((root / name).exists() for root in roots)] == []


def functions(path: Path) -> set[str]:
    """The functions a file defines."""
    tree = ast.parse(text_of(path) or "")
    return {node.name for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)}
