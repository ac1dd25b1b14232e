"""A person is answered in the language they write in; sentences the guesser never saw are told apart."""

from __future__ import annotations

import zlib
from functools import cache

import pytest
from fakes.dialogue import teaching

from assistant.dialogue.analysis import Analysis
from assistant.dialogue.exemplars import Exemplar
from assistant.dialogue.language import LanguageGuesser
from assistant.domain import LANGUAGES, Language


@cache
def parted() -> tuple[list[Exemplar], list[Exemplar]]:
    """The exemplars to learn from, and a fifth of the families to be guessed. A family stays on one side."""
    exemplars = [item for items in teaching().exemplars.values() for item in items]
    held_out = [item for item in exemplars if zlib.crc32(item.family.encode()) % 5 == 0]
    return [item for item in exemplars if item not in held_out], held_out


@cache
def learnt() -> LanguageGuesser:
    learn, _ = parted()
    return LanguageGuesser({own: [item.text for item in learn if item.language == own] for own in LANGUAGES})


def texts(language: Language, fewest: int, most: int) -> list[str]:
    return [item.text for item in parted()[1] if item.language == language and fewest <= len(item.text.split()) <= most]


def share_right(language: Language, expected: Language, unseen: list[str]) -> float:
    assert len(unseen) >= 20
    return sum(learnt().guess(text, expected).language == language for text in unseen) / len(unseen)


def test_no_family_is_both_learnt_and_guessed() -> None:
    learn, held_out = parted()
    assert len(held_out) > 500
    assert {item.family for item in learn} & {item.family for item in held_out} == set()


@pytest.mark.parametrize("expected", LANGUAGES)
@pytest.mark.parametrize("language", LANGUAGES)
def test_a_sentence_of_four_words_or_more_is_recognised_whatever_was_expected(
    language: Language, expected: Language
) -> None:
    assert share_right(language, expected, texts(language, 4, 99)) >= 0.995


@pytest.mark.parametrize("language", LANGUAGES)
def test_two_or_three_words_are_nearly_always_recognised(language: Language) -> None:
    assert share_right(language, language, texts(language, 2, 3)) >= 0.95


@pytest.mark.parametrize(
    ("text", "possible"), [("plan", ("sv", "en")), ("mentor", ("sv", "en")), ("men", ("fi", "sv"))]
)
def test_a_word_of_two_languages_is_taken_for_the_one_that_is_expected(
    text: str, possible: tuple[Language, Language]
) -> None:
    assert tuple(learnt().guess(text, expected).language for expected in possible) == possible


@pytest.mark.parametrize("text", ["", "   ", "123", "👍", "15.5.2026", "?!"])
@pytest.mark.parametrize("expected", LANGUAGES)
def test_what_has_no_letters_is_taken_for_the_language_of_the_conversation(text: str, expected: Language) -> None:
    guess = learnt().guess(text, expected)
    assert (guess.language, guess.probability) == (expected, 0.0)


@pytest.mark.parametrize("text", ["Haluan oppia delegoimaan.", "I want to learn to delegate.", "Jag vill delegera."])
def test_how_sure_a_guess_is_lies_between_nought_and_one(text: str) -> None:
    assert 0.34 < learnt().guess(text, "en").probability <= 1.0


@pytest.mark.parametrize(
    ("text", "expected", "answered_in"),
    [
        ("Haluan oppia johtamaan kokouksia paremmin.", "en", "fi"),
        ("I want to learn how to run meetings.", "fi", "en"),
        ("Jag vill lära mig att leda möten.", "fi", "sv"),
        ("Agile coaching", "fi", "fi"),  # two borrowed words change nothing
        ("SQL", "sv", "sv"),
        ("kesään mennessä", "en", "en"),  # too short to be sure
        ("Haluan oppia käyttämään feedback-mallia nimeltä Situation Behaviour Impact.", "fi", "fi"),
        ("Chefen sa: ”you are doing fine”, men jag tror inte det.", "sv", "sv"),
    ],
)
def test_the_language_changes_only_for_a_longer_text_that_is_clearly_in_another(
    text: str, expected: Language, answered_in: Language
) -> None:
    assert Analysis(teaching(), learnt()).language(text, expected) == answered_in


@pytest.mark.parametrize("language", LANGUAGES)
def test_nobody_is_answered_in_a_language_they_do_not_write(language: Language) -> None:
    analysis = Analysis(teaching(), learnt())
    unseen = [item.text for item in parted()[1] if item.language == language]
    assert [text for text in unseen if analysis.language(text, language) != language] == []
