"""Imports point one way. The tables below are the architecture; docs/architecture.md shows them as a picture."""

from __future__ import annotations

import sys
from graphlib import TopologicalSorter

import pytest
from source_code import Module, belongs_to, imported, modules, parsed, part_of

from assistant.paths import PROJECT_ROOT

VALUES = frozenset({"domain", "errors"})
GROUND = VALUES | {"paths", "settings", "wording", "isolation"}

MAY_IMPORT: dict[str, frozenset[str]] = {
    # the ground: values, and what every part needs
    "assistant": frozenset(),
    "domain": frozenset(),
    "errors": frozenset(),
    "isolation": frozenset(),
    "installing": frozenset(),
    "paths": frozenset({"errors"}),
    "settings": VALUES,
    "wording": VALUES,
    # three parts that do not know each other
    "library": GROUND,
    "inference": GROUND,
    "vault": GROUND,
    # what Peili exists for, and where everything is put together
    "dialogue": GROUND | {"library", "inference", "vault"},
    "app": GROUND | {"dialogue", "library", "inference", "vault"},
    # the edge: the page, the command line, measurements
    "ui": GROUND | {"library", "vault"},
    "bench": GROUND | {"app", "dialogue", "library", "inference"},
    "commands": GROUND | {"app", "bench", "ui", "dialogue", "library", "inference"},
    "cli": GROUND | {"commands"},
    "__main__": frozenset({"cli"}),
}

# The page is handed the dialogue and everything else ready made, and states in ui/ports.py what it needs of it. Of the
# library it shows cards; of the vault it opens and closes.
UI_KNOWS = {
    "library": {"assistant.library.cards", "assistant.library.rendering"},
    "vault": {"assistant.vault.registry", "assistant.vault.keys", "assistant.vault.folder"},
}


def wrong_imports(module: Module) -> list[str]:
    """The imports of our own modules that a module may not have."""
    ours = [name for name in module.imports() if belongs_to(name, "assistant")]
    allowed = MAY_IMPORT[module.part] | {module.part, "assistant"}  # the package itself holds only the version
    return sorted(name for name in ours if part_of(name) not in allowed)


@pytest.mark.parametrize("module", modules(), ids=lambda module: str(module.name))
def test_a_module_imports_only_what_lies_below_it(module: Module) -> None:
    assert wrong_imports(module) == []


def test_every_part_has_its_place_and_no_place_is_empty() -> None:
    assert {module.part for module in modules()} == set(MAY_IMPORT)


def test_the_table_itself_points_one_way() -> None:
    order = list(TopologicalSorter(MAY_IMPORT).static_order())  # raises CycleError on a circle
    assert order.index("dialogue") < order.index("app") < order.index("commands") < order.index("cli")


def test_the_page_meets_the_dialogue_and_the_models_only_through_its_ports() -> None:
    for module in modules():
        if module.part == "ui":
            for part, known in UI_KNOWS.items():
                assert {name for name in module.imports() if belongs_to(name, f"assistant.{part}")} <= known, (
                    module.name
                )


def test_what_runs_before_anything_is_installed_needs_the_standard_library_alone() -> None:
    for path in ("run.py", "assistant/installing.py", "assistant/isolation.py", "assistant/domain.py"):
        module = parsed((PROJECT_ROOT / path).read_text(encoding="utf-8"))
        foreign = {name.split(".")[0] for name in module.imports()} - set(sys.stdlib_module_names)
        assert foreign <= ({"assistant"} if path == "run.py" else set()), path


def test_the_rule_sees_an_import_wherever_it_stands() -> None:
    hidden = "def f():\n    from assistant.dialogue import service\n"
    assert wrong_imports(parsed(hidden, "assistant.library.sample")) == [
        "assistant.dialogue",
        "assistant.dialogue.service",
    ]
    for_types = "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import assistant.ui.desk as desk\n"
    assert wrong_imports(parsed(for_types, "assistant.vault.sample")) == ["assistant.ui.desk"]
    assert wrong_imports(parsed("from assistant.errors import PeiliError", "assistant.vault.sample")) == []
    assert list(imported(parsed("from assistant import app as composition").tree)) == ["assistant", "assistant.app"]
