"""The three languages say the same things: every key in each, with the same details, and none left in English."""

from __future__ import annotations

import tomllib
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from catalogue_files import all_keys, area_texts, areas, placeholders, texts, written_keys

from assistant.domain import LANGUAGES, Language
from assistant.paths import PROJECT_ROOT

OTHERS: tuple[Language, ...] = ("fi", "sv")
PROMPTS = PROJECT_ROOT / "prompts"

# Texts that are the same word in both languages, or only a detail that is passed on.
SAME_AS_ENGLISH: dict[Language, set[str]] = {
    "fi": {"page.title", "cli.bench_step"},
    "sv": {"page.title", "cli.bench_step"},
}

MAY_BE_EMPTY = {"opening"}  # how a reply of the model has to begin; not every language has one way


@pytest.mark.parametrize("language", OTHERS)
def test_a_language_has_the_areas_and_keys_that_english_has(language: Language) -> None:
    assert set(areas(language)) == set(areas("en"))
    for area in areas("en"):
        assert set(area_texts(language, area)) == set(area_texts("en", area)), area


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_text_is_empty_or_has_space_around_it(language: Language) -> None:
    found = texts(language)
    assert len(found) > 100
    assert [key for key, text in found.items() if not text or text != text.strip()] == []


@pytest.mark.parametrize("language", OTHERS)
def test_a_text_carries_the_same_details_as_in_english(language: Language) -> None:
    english, other = texts("en"), texts(language)
    assert {key: placeholders(other[key]) for key in english} == {key: placeholders(english[key]) for key in english}


def test_a_text_with_details_can_be_filled() -> None:
    """One without may hold a lone brace: it is shown as it stands."""
    for language in LANGUAGES:
        detailed = [text for text in texts(language).values() if placeholders(text)]
        assert detailed
        assert "{" not in "".join(text.format(**dict.fromkeys(placeholders(text), "7")) for text in detailed)


@pytest.mark.parametrize("language", OTHERS)
def test_no_text_was_left_in_english(language: Language) -> None:
    english, other = texts("en"), texts(language)
    assert {key for key, text in other.items() if text == english[key]} == SAME_AS_ENGLISH[language]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_key_has_one_text(language: Language) -> None:
    times = Counter(key for path in areas(language).values() for key in written_keys(path))
    assert set(times) == set(texts(language))
    assert [key for key, count in times.items() if count > 1] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_catalogue_holds_a_text_that_is_not_settled(language: Language) -> None:
    for path in areas(language).values():
        lines = path.read_text(encoding="utf-8").splitlines()
        assert [line for line in lines if line.startswith(("#~", "#, fuzzy", "msgctxt", "msgid_plural"))] == [], (
            path.name
        )


@pytest.mark.parametrize("language", LANGUAGES)
def test_an_error_ends_as_a_sentence_and_is_more_than_a_word(language: Language) -> None:
    errors = {key: text for key, text in texts(language).items() if key.startswith("error.")}
    assert len(errors) > 40
    short = {key for key, text in errors.items() if len(text.split()) < 4} - {"error.cancelled"}
    assert short == set()
    # A command, an address or a detail at the end would not be helped by a full stop behind it.
    open_end = {key for key, text in errors.items() if text[-1] not in ".?!" and ": " not in text}
    assert open_end == set()


@pytest.mark.parametrize("language", LANGUAGES)
def test_quotation_marks_are_those_of_the_language(language: Language) -> None:
    wrong = "„«»" + ("" if language == "en" else "“")
    assert {key: text for key, text in texts(language).items() if set(text) & set(wrong)} == {}


@pytest.mark.parametrize("language", OTHERS)
@pytest.mark.parametrize("path", sorted((PROMPTS / "en").glob("*.toml")), ids=lambda path: str(path.name))
def test_a_prompt_file_has_the_same_keys_in_every_language(language: Language, path: Path) -> None:
    english, other = shape(read(path)), shape(read(PROMPTS / language / path.name))
    assert other == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_prompt_folder_holds_the_same_files_in_every_language(language: Language) -> None:
    assert {path.name for path in (PROMPTS / language).iterdir()} == {path.name for path in (PROMPTS / "en").iterdir()}


def test_the_keys_are_named_by_area_and_in_small_letters() -> None:
    assert [key for key in all_keys() if key != key.lower() or "." not in key or " " in key] == []


def read(path: Path) -> dict[str, Any]:
    """A TOML file."""
    return tomllib.loads(path.read_text(encoding="utf-8"))


def shape(raw: Any, key: str = "") -> Any:
    """The keys of a file with the kind of what stands there: a list may be longer in one language than in another."""
    if isinstance(raw, dict):
        return {name: shape(value, name) for name, value in raw.items()}
    assert raw or key in MAY_BE_EMPTY, f"{key} says nothing"
    return type(raw).__name__
