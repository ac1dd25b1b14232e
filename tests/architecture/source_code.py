"""Peili's own modules, parsed: what they import, define and call."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from assistant.paths import PROJECT_ROOT


@dataclass(frozen=True)
class Module:
    """A module by its dotted name; `path` is relative to the project."""

    name: str
    path: str
    text: str
    tree: ast.Module

    @property
    def part(self) -> str:
        """The folder or file directly below assistant/ that it belongs to."""
        return part_of(self.name)

    def imports(self) -> frozenset[str]:
        """Every module it imports, also inside functions and for types only."""
        return frozenset(imported(self.tree))


def part_of(name: str) -> str:
    """`dialogue` for assistant.dialogue.guide, `paths` for assistant.paths, `assistant` for the package itself."""
    return name.split(".")[1] if "." in name else name


@cache
def modules() -> tuple[Module, ...]:
    """All of assistant/."""
    found = tuple(_module(path) for path in sorted((PROJECT_ROOT / "assistant").rglob("*.py")))
    assert len(found) > 50, "the package was not found whole"
    return found


def parsed(text: str, name: str = "assistant.sample") -> Module:
    """A module from its text, to try a rule on."""
    return Module(name, name.replace(".", "/") + ".py", text, ast.parse(text))


def imported(tree: ast.AST) -> Iterator[str]:
    """The dotted names a piece of code imports; `from a import b` counts as a, and as a.b if that is one of ours."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, "imports are absolute, so that a reader and this test see what they name"
            origin = node.module or ""
            yield origin
            if origin.split(".")[0] == "assistant":
                yield from (name for alias in node.names if is_ours(name := f"{origin}.{alias.name}"))


def is_ours(name: str) -> bool:
    """Whether a dotted name is a module of ours."""
    path = PROJECT_ROOT.joinpath(*name.split("."))
    return path.with_suffix(".py").exists() or (path / "__init__.py").exists()


def belongs_to(name: str, package: str) -> bool:
    """Whether a dotted name is the package or lies in it."""
    return name == package or name.startswith(f"{package}.")


def called(node: ast.Call) -> str:
    """What a call calls, dotted, as far as it is made of names: `os.environ.get`."""
    parts: list[str] = []
    target: ast.expr = node.func
    while isinstance(target, ast.Attribute):
        parts.append(target.attr)
        target = target.value
    parts.append(target.id if isinstance(target, ast.Name) else "")
    return ".".join(reversed(parts))


def _module(path: Path) -> Module:
    relative = path.relative_to(PROJECT_ROOT)
    parts = relative.with_suffix("").parts
    name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
    text = path.read_text(encoding="utf-8")
    return Module(name, relative.as_posix(), text, ast.parse(text))
