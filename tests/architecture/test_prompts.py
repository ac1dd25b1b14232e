"""Every placeholder of a prompt is filled by the code that uses the text, and nothing is filled that no text wants."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from string import Template
from typing import NamedTuple

import pytest
from source_code import modules

from assistant.domain import LANGUAGES, Language
from assistant.paths import PROJECT_ROOT

PROMPTS = PROJECT_ROOT / "prompts"


class Saying(NamedTuple):
    """A call that fills a text: its key (`{}` for what is only known when it runs) and the names it fills."""

    key: str
    names: frozenset[str]


# What the open parts of a key can be: the kinds of question that are offered a better one, and the intents that are
# answered in words of their own.
OPEN_KEYS = {"question_{}": ("closed", "leading"), "{}": ("skip", "unsure", "back")}


def texts(language: Language, group: str) -> dict[str, list[str]]:
    """The texts of a group of phrases.toml: every key with its variants."""
    raw = tomllib.loads((PROMPTS / language / "phrases.toml").read_text(encoding="utf-8"))[group]
    return {key: [value] if isinstance(value, str) else value for key, value in raw.items()}


def sayings() -> list[Saying]:
    """Every `phrases.say(key, count, **names)` of the dialogue."""
    found = []
    for module in modules():
        for node in ast.walk(module.tree) if module.part == "dialogue" else ():
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "say":
                names = frozenset(keyword.arg or "**" for keyword in node.keywords)
                found += [Saying(key, names) for key in keys_of(node.args[0])]
    return found


def keys_of(node: ast.expr) -> Iterator[str]:
    """The keys an expression can be, with `{}` for a part that is not spelled out."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.IfExp):
        yield from (*keys_of(node.body), *keys_of(node.orelse))
    elif isinstance(node, ast.JoinedStr):
        yield "".join(str(part.value) if isinstance(part, ast.Constant) else "{}" for part in node.values)
    else:
        yield "{}"


def filled() -> dict[str, frozenset[str]]:
    """Which names are filled in the text of each key, open keys spelled out."""
    wanted: dict[str, frozenset[str]] = {}
    for saying in sayings():
        for key in (saying.key.replace("{}", value) for value in OPEN_KEYS.get(saying.key, ("",))):
            assert wanted.setdefault(key, saying.names) == saying.names, f"{key} is filled in two ways"
    return wanted


def test_the_dialogue_says_phrases() -> None:
    assert len(sayings()) > 10
    assert Saying("confirm", frozenset({"quote", "first", "second"})) in sayings()


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_phrase_wants_what_it_is_given_in_every_variant(language: Language) -> None:
    said = texts(language, "say")
    names = filled()
    assert set(said) == set(names), "a phrase that is never said, or one that is missing"
    for key, variants in said.items():
        for text in variants:
            assert Template(text).is_valid(), text
            assert set(Template(text).get_identifiers()) == names[key], f"{key}: {text}"


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("group", ["alternatives", "elements", "meaning"])
def test_texts_that_nothing_fills_have_no_placeholder(language: Language, group: str) -> None:
    for key, variants in texts(language, group).items():
        assert variants, key
        assert [text for text in variants if "$" in text or not text.strip()] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_blocks_and_the_fixed_prompts_want_what_the_voice_gives_them(language: Language) -> None:
    blocks = tomllib.loads((PROMPTS / language / "blocks.toml").read_text(encoding="utf-8"))
    given = {"question": {"question"}, "card": {"passage"}, "message": {"words"}}
    for key, text in blocks.items():
        assert set(Template(text).get_identifiers()) == given.get(key, set()), key
    assert set(given) <= set(blocks)
    fixed = {"voice.md": {"subject"}, "voice_lookup.md": set()}
    for name, wanted in fixed.items():
        prompt = Template((PROMPTS / language / name).read_text(encoding="utf-8"))
        assert prompt.is_valid()
        assert set(prompt.get_identifiers()) == wanted, name
    assert {path.name for path in (PROMPTS / language).glob("*.md")} == set(fixed)


def test_the_voice_gives_what_this_file_says_it_gives() -> None:
    source = (PROJECT_ROOT / "assistant" / "dialogue" / "voice.py").read_text(encoding="utf-8")
    given = re.findall(r'blocks\["(\w+)"\]\)\.substitute\((\w+)=', source)
    assert given == [("question", "question"), ("card", "passage"), ("message", "words")]
    assert 'talk.substitute(subject=blocks[f"subject_{flow}"])' in source
