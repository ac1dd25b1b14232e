"""Modules and functions stay small enough to read, and are called by what they are."""

from __future__ import annotations

import ast
import re

import pytest
from source_code import Module, modules, parsed

from assistant.paths import PROJECT_ROOT

MODULE_LINES = 350
FUNCTION_LINES = 60
SAYS_NOTHING = {"util", "utils", "helper", "helpers", "manager", "common", "misc", "stuff", "base"}
RUN = parsed((PROJECT_ROOT / "run.py").read_text(encoding="utf-8"), "run")


def long_functions(module: Module) -> list[str]:
    """Functions of more lines than one can hold in view, docstring and all."""
    functions = [node for node in ast.walk(module.tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    lengths = {node.name: (node.end_lineno or node.lineno) - node.lineno + 1 for node in functions}
    return [f"{name}: {length} lines" for name, length in lengths.items() if length > FUNCTION_LINES]


def empty_names(module: Module) -> list[str]:
    """Modules, folders and classes whose name says nothing."""
    classes = [node.name for node in ast.walk(module.tree) if isinstance(node, ast.ClassDef)]
    names = [*module.name.split("."), *classes]
    return [name for name in names if {word.lower() for word in re.findall(r"[A-Z]?[a-z]+", name)} & SAYS_NOTHING]


@pytest.mark.parametrize("module", [*modules(), RUN], ids=lambda module: str(module.name))
def test_a_module_and_its_functions_are_small(module: Module) -> None:
    assert len(module.text.splitlines()) <= MODULE_LINES
    assert long_functions(module) == []


def test_no_module_and_no_class_has_a_name_that_says_nothing() -> None:
    assert [name for module in modules() for name in empty_names(module)] == []


def test_the_rules_see_what_they_forbid() -> None:
    assert empty_names(parsed("class ModelManager: ...", "assistant.ui.text_utils")) == ["text_utils", "ModelManager"]
    assert long_functions(parsed("def f():\n" + "    pass\n" * FUNCTION_LINES)) == ["f: 61 lines"]
