"""Whatever the code says has a text, and every text is said somewhere."""

from __future__ import annotations

import ast
from typing import get_args

import pytest
from catalogue_files import all_keys, placeholders, texts
from spoken_keys import Use, keyed_errors, literals, template_uses, uses, uses_in

from assistant.app import Part, PartState
from assistant.dialogue.flows import load_flows
from assistant.domain import FLOWS, LANGUAGES, Language, QuestionKind, Voice
from assistant.inference.catalogue import Catalogue
from assistant.inference.fetching import Step
from assistant.inference.weights import FileState
from assistant.paths import PROJECT_ROOT, Paths


def families() -> dict[str, set[str]]:
    """What the open part of each family can be, from the code and the data that decide it."""
    paths = Paths.from_environment()
    elements = {f"{flow.id}.{label}" for flow in load_flows(paths.prompts / "flows").values() for label in flow.labels}
    terms = {entry.terms for entry in Catalogue.load(paths.catalogue).entries if entry.terms}
    files = set(get_args(FileState)) - {"ok"}
    return {
        "voice.{voice}": set(get_args(Voice)),
        "state.{state}": {"stopped", "interrupted"},
        "flow.{flow}.name": set(FLOWS),
        "flow.{flow}.begin": set(FLOWS),
        "flow.{flow}.about": set(FLOWS),
        "progress.{part}": set(get_args(Part)),
        "progress.{state}": set(get_args(PartState)),
        "element.{flow}.{label}": elements,
        "kind.{kind}": set(get_args(QuestionKind)),
        "note.{note}": {"locked", "erased"},
        "library.lint.{rule}": lint_rules(),
        "cli.terms_{terms}": terms,
        "cli.step_{step}": set(get_args(Step)),
        "error.model_{state}": files,  # of the first file that is not right
        "error.model_{}": files,
    }


def lint_rules() -> set[str]:
    """The rules of the card linter: those of its table, and those that compare cards."""
    tree = ast.parse((PROJECT_ROOT / "assistant" / "library" / "linting.py").read_text(encoding="utf-8"))
    tables = [
        node.value for node in ast.walk(tree) if isinstance(node, ast.AnnAssign) and "_RULES" in ast.unparse(node)
    ]
    found = {
        key.value
        for table in tables
        if isinstance(table, ast.Dict)
        for key in table.keys
        if isinstance(key, ast.Constant)
    }
    for call in ast.walk(tree):
        if (
            isinstance(call, ast.Call)
            and ast.unparse(call.func) == "Finding"
            and isinstance(call.args[2], ast.Constant)
        ):
            found.add(call.args[2].value)
    return {str(rule) for rule in found}


# Where a whole key is only known when the code runs: how it comes there.
HANDED_ON = {
    "wording.py": "explain: the key of any error",
    "vault/database.py": "the key that _key_of found in its table",
    "inference/worker.py": "the key that the worker process sent",
    "commands/surroundings.py": "tell and counter: what they were called with",
    "ui/pages/parts.py": "Room.say: what it was called with",
    "ui/pages/replying.py": "the key of a Notice",
}


def spelled_out(use: Use) -> set[str]:
    """The keys a use can ask for."""
    if not use.open:
        return {use.key}
    head, tail = use.key.split("{")[0], use.key.split("}")[-1]
    return {head + value + tail for value in families()[use.key]}


def test_there_is_something_to_check() -> None:
    assert len(uses()) > 200
    assert {"error.turn_empty", "unlock.title", "cli.indexing", "note.{note}"} <= {use.key for use in uses()}


def test_every_key_the_code_asks_for_has_a_text() -> None:
    missing = {
        (use.place, key) for use in uses() if not use.handed_on for key in spelled_out(use) if key not in all_keys()
    }
    assert missing == set()


def test_every_family_of_keys_is_listed_here_and_none_is_listed_in_vain() -> None:
    assert {use.key for use in uses() if use.open and not use.handed_on} == set(families())
    assert all(families().values())


def test_a_key_that_is_only_handed_on_comes_from_where_we_know_it_comes_from() -> None:
    assert {use.place.split(":")[0] for use in uses() if use.handed_on} == set(HANDED_ON)


def test_every_text_is_said_somewhere() -> None:
    said = {key for use in uses() if not use.handed_on for key in spelled_out(use)}
    handed_on = {key for key in all_keys() if key in literals() or key.removeprefix("error.") in literals()}
    assert all_keys() - said - handed_on == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_text_gets_every_detail_it_names(language: Language) -> None:
    found = texts(language)
    lacking = {
        (use.place, key, frozenset(placeholders(found[key]) - use.details))
        for use in uses()
        if not use.handed_on and use.details is not None
        for key in spelled_out(use)
        if key in found and placeholders(found[key]) - use.details
    }
    assert lacking == set()


def test_the_search_for_keys_finds_each_way_of_asking() -> None:
    source = """
class Lost(PeiliError): ...
class Late(Lost):
    def __init__(self): super().__init__("too_late", by=1)
raise Lost("lost" if x else "found", where=1)
raise Late(3)
say(language, f"flow.{flow}.name")
wording.say(language, "plain", done=1)
self._room.say("here")
here.tell("cli.told", **params)
key = "cli.one" if x else "cli.other"
say(language, key)
"""
    tree = ast.parse(source)
    found = {(use.key, use.details) for use in uses_in(tree, "sample", keyed_errors([tree]))}
    assert found == {
        ("error.too_late", frozenset({"by"})),
        ("error.lost", frozenset({"where"})),
        ("error.found", frozenset({"where"})),
        ("flow.{flow}.name", frozenset()),
        ("plain", frozenset({"done"})),
        ("here", frozenset()),
        ("cli.told", None),
        ("cli.one", frozenset()),
        ("cli.other", frozenset()),
    }
    template = """<p>{{ t("a.b", n=1) }}</p>{% if x %}{{ t('note.' ~ note) }}{% endif %}"""
    assert [use.key for use in template_uses(template, "sample")] == ["a.b", "note.{note}"]
