"""Every place where the code asks for a wording: the key, as far as it is spelled out, and the details it gives.

A key such as `kind.{kind}` is a family: the part between braces, named by the last word of its expression, is only
known when the code runs.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from jinja2 import Environment, nodes

from assistant.paths import PROJECT_ROOT

PACKAGE = PROJECT_ROOT / "assistant"
ROOT_ERROR = "PeiliError"


@dataclass(frozen=True)
class Use:
    """One place that asks for a wording. `details` is None where they are handed through (`**params`)."""

    place: str
    key: str
    details: frozenset[str] | None

    @property
    def open(self) -> bool:
        """Whether a part is only known when the code runs."""
        return "{" in self.key

    @property
    def handed_on(self) -> bool:
        """Whether nothing of the key is spelled out."""
        return re.fullmatch(r"(error\.)?\{\w*\}", self.key) is not None


@cache
def uses() -> tuple[Use, ...]:
    """All of them, in code and templates."""
    trees = {path: ast.parse(path.read_text(encoding="utf-8")) for path in sorted(PACKAGE.rglob("*.py"))}
    errors = keyed_errors(list(trees.values()))
    found = [use for path, tree in trees.items() for use in uses_in(tree, _short(path), errors)]
    for path in sorted((PACKAGE / "ui" / "templates").glob("*.html")):
        found += template_uses(path.read_text(encoding="utf-8"), _short(path))
    return tuple(found)


@cache
def literals() -> frozenset[str]:
    """Every text that stands alone in the code; a key may also reach `say` through a name or a table."""
    found = set()
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                found.add(node.value)
    return frozenset(found)


def error_classes(trees: list[ast.Module]) -> frozenset[str]:
    """The names of PeiliError and everything that derives from it."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    known = {ROOT_ERROR}
    while more := {node.name for node in classes if {_name(base) for base in node.bases} & known} - known:
        known |= more
    return frozenset(known)


def own_key(node: ast.ClassDef) -> ast.Call | None:
    """Where an error class gives itself its key, so that whoever raises it gives none."""
    calls = [call for call in ast.walk(node) if isinstance(call, ast.Call) and _name(call.func) == "__init__"]
    return next((call for call in calls if isinstance(call.args[0], ast.Constant)), None)


def keyed_errors(trees: list[ast.Module]) -> frozenset[str]:
    """The error classes that are raised with a key."""
    classes = [node for tree in trees for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    return error_classes(trees) - {node.name for node in classes if own_key(node)}


def uses_in(tree: ast.Module, place: str, errors: frozenset[str]) -> Iterator[Use]:
    """The uses in a module."""
    names = named_before(tree)
    for node in ast.walk(tree):
        if isinstance(node, ast.ClassDef) and (call := own_key(node)) and isinstance(call.args[0], ast.Constant):
            yield Use(f"{place}:{node.lineno}", f"error.{call.args[0].value!s}", _details(call))
        elif isinstance(node, ast.Call) and (found := _key_and_details(node, errors)):
            key, prefix, details = found
            for spelled in spelled_keys(names.get(_name(key), key)):
                yield Use(f"{place}:{node.lineno}", prefix + spelled, details)


def named_before(tree: ast.Module) -> dict[str, ast.expr]:
    """Keys that are given a name first: `key = "a.b" if x else "a.c"`."""
    given = [node for node in ast.walk(tree) if isinstance(node, ast.Assign) and isinstance(node.value, ast.IfExp)]
    return {_name(node.targets[0]): node.value for node in given}


def template_uses(text: str, place: str) -> Iterator[Use]:
    """The uses in a template: `t("key", detail=…)`."""
    for call in Environment(autoescape=True).parse(text).find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name == "t":
            given = frozenset(keyword.key for keyword in call.kwargs)
            yield Use(f"{place}:{call.lineno}", _template_key(call.args[0]), given)


def spelled_keys(node: ast.expr) -> Iterator[str]:
    """The keys an expression can be, as far as they are spelled out."""
    if isinstance(node, ast.IfExp):
        yield from (*spelled_keys(node.body), *spelled_keys(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        parts = (part.value if isinstance(part, ast.FormattedValue) else part for part in node.values)
        yield "".join(key for part in parts for key in spelled_keys(part))
    elif isinstance(node, ast.Constant):
        yield str(node.value)
    else:
        yield f"{{{_name(node)}}}"


def _key_and_details(call: ast.Call, errors: frozenset[str]) -> tuple[ast.expr, str, frozenset[str] | None] | None:
    """The expression of the key, what stands before it in the catalogue, and the details that are given."""
    name, receiver = _name(call.func), _receiver(call.func)
    details = _details(call)
    if name in errors and call.args:
        return call.args[0], "error.", details
    if name == "say" and receiver in {"", "wording"} and len(call.args) > 1:
        return call.args[1], "", details
    if (name == "say" and receiver in {"room", "_room", "self"}) or (name == "tell" and receiver in {"here", "_here"}):
        return call.args[0], "", details
    if name == "counter" and receiver == "here":
        return call.args[0], "", frozenset({"done", "total"})
    known = receiver in {"phrases", "_phrases"} or not call.args
    if name == "say" and not known:
        raise AssertionError(f"a `say` this test does not know, line {call.lineno}: {receiver}")
    return None


def _details(call: ast.Call) -> frozenset[str] | None:
    names = [keyword.arg for keyword in call.keywords]
    return None if None in names else frozenset(name for name in names if name)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


def _receiver(node: ast.expr) -> str:
    target = node.value if isinstance(node, ast.Attribute) else None
    return _name(target.value if isinstance(target, ast.Subscript) else target) if target is not None else ""


def _template_key(node: nodes.Node) -> str:
    if isinstance(node, nodes.Concat):
        return "".join(_template_key(part) for part in node.nodes)
    return str(node.value) if isinstance(node, nodes.Const) else f"{{{getattr(node, 'name', '')}}}"


def _short(path: Path) -> str:
    return path.relative_to(PACKAGE).as_posix()
