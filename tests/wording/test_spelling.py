"""Every text that people read or that Peili learns from is spelt as the dictionaries have it, or as our lists say.

Finnish by Voikko, Swedish and English by Hunspell (Swedish of Finland and of Sweden together). `words/<lang>.txt` holds
terms, names and loan words; a line that ends in * stands for every word that begins so. `words/<lang>-typed.txt` holds
what people type: spoken forms and typing errors, which only exemplars and a card's `says` may contain.
"""

from __future__ import annotations

import re
import subprocess
import tomllib
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from catalogue_files import texts as catalogue_texts

from assistant.dialogue.exemplars import load_teaching
from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.paths import PROJECT_ROOT

LISTS = Path(__file__).with_name("words")
WORD = re.compile(r"[^\W\d_]+(?:['’:-][^\W\d_]+)*")
PLACEHOLDER = re.compile(r"\$?\{\w+\}|\$\w+|<[^>]+>|`[^`]+`|\S*[./\\]\w+\S*")
DICTIONARIES = {"sv": "sv_FI,sv_SE", "en": "en_GB"}
MISSING = "not installed: apt-get install libvoikko1 voikko-fi hunspell hunspell-sv hunspell-en-gb"


@cache
def voikko() -> Any:
    from libvoikko import Voikko, VoikkoException

    try:
        return Voikko("fi")
    except (VoikkoException, OSError):
        pytest.fail(MISSING)


def unknown(language: Language, texts: Iterable[str]) -> set[str]:
    """The words of `texts` that the dictionary of the language does not know."""
    words = {word for text in texts for word in WORD.findall(PLACEHOLDER.sub(" ", text))}
    if language == "fi":
        return {word for word in words if not voikko().spell(word)}
    command = ["hunspell", "-l", "-i", "utf-8", "-d", DICTIONARIES[language]]
    plain = {word.replace("’", "'"): word for word in words}
    try:
        done = subprocess.run(command, input="\n".join(plain), capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        pytest.fail(MISSING)
    return {plain.get(word, word) for word in done.stdout.split()}


@cache
def allowed(name: str) -> re.Pattern[str]:
    lines = (LISTS / f"{name}.txt").read_text(encoding="utf-8").split("\n")
    words = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    return re.compile("|".join(re.escape(word).replace(r"\*", r"\w*(?:[:’'-]\w+)*") for word in words), re.IGNORECASE)


def misspelt(language: Language, texts: Iterable[str], *lists: str) -> list[str]:
    found = unknown(language, texts)
    return sorted(word for word in found if not any(allowed(name).fullmatch(word) for name in lists))


def shown_of_cards(language: Language) -> Iterator[str]:
    for card in Library.load(PROJECT_ROOT / "knowledge").cards(language):
        yield from (card.title, card.summary, *card.aliases, *card.sections.values())
        yield from (step.text for step in card.steps)
        yield from (question.text for question in card.questions)


def texts_of_prompts(language: Language) -> Iterator[str]:
    for path in sorted((PROJECT_ROOT / "prompts" / language).iterdir()):
        if path.suffix == ".md":
            yield path.read_text(encoding="utf-8")
        elif path.name in {"phrases.toml", "blocks.toml", "boundaries.toml"}:
            yield from strings(tomllib.loads(path.read_text(encoding="utf-8")))


def strings(value: object) -> Iterator[str]:
    """Every string within lists and tables."""
    if isinstance(value, str):
        yield value
    for inner in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        yield from strings(inner)


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_a_card_shows_is_spelt_right(language: Language) -> None:
    assert misspelt(language, shown_of_cards(language), language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_wording_of_app_and_commands_is_spelt_right(language: Language) -> None:
    texts = catalogue_texts(language).values()
    assert len(texts) > 200
    assert misspelt(language, texts, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_flows_say_and_models_are_told_is_spelt_right(language: Language) -> None:
    texts = list(texts_of_prompts(language))
    assert len(texts) > 30
    assert misspelt(language, texts, language) == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_what_people_type_is_spelt_right_or_meant_to_be_wrong(language: Language) -> None:
    cards = Library.load(PROJECT_ROOT / "knowledge").cards(language)
    said = [text for card in cards for text in card.says]
    learned = load_teaching(PROJECT_ROOT / "knowledge").sentences(language)
    assert misspelt(language, [*said, *learned], language, f"{language}-typed") == []


@pytest.mark.parametrize(
    ("language", "right", "wrong"),
    [
        ("fi", "Tapaaminen siirtyi perjantaille.", "Tapaamninen"),
        ("sv", "Mötet flyttades till fredag.", "möttet"),
        ("en", "The meeting was moved to Friday.", "meetting"),
    ],
)
def test_the_dictionaries_tell_right_from_wrong(language: Language, right: str, wrong: str) -> None:
    assert misspelt(language, [right], language) == []
    assert misspelt(language, [wrong], language) == [wrong]
