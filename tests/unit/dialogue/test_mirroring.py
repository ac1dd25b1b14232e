"""Saying back what a person wrote, and nothing they did not."""

from __future__ import annotations

import pytest

from assistant.dialogue.mirroring import ENOUGH, Mirror, read_mirror

MIRROR: Mirror = read_mirror(
    "i:you my:your was:were me:you i'm:you're",
    ["you say", "you say that"],
    "the a an of to yourself",
)


def kept(sentence: str, said: str) -> bool:
    return MIRROR.share(sentence, said) >= ENOUGH


@pytest.mark.parametrize(
    ("said", "sentence"),
    [
        ("I keep postponing difficult talks in my team", "You keep postponing difficult talks in your team."),
        ("I want to lead the user interviews with Leena", "You want to lead interviews yourself."),
        ("They have seen three reforms fail", "You say they have seen three reforms fail."),
        ("I’m afraid of showing unfinished work", "You're afraid to show unfinished work."),
        ("We met. I was ashamed and said nothing", "You say that you were ashamed and said nothing."),
    ],
)
def test_what_was_said_is_recognised_though_persons_endings_and_small_words_change(said: str, sentence: str) -> None:
    assert kept(sentence, said)


@pytest.mark.parametrize(
    ("said", "sentence", "why"),
    [
        ("My manager would see fewer late reports", "You would see fewer late reports.", "somebody else sees them"),
        ("They would suggest changes themselves", "You would suggest changes yourself.", "somebody else suggests them"),
        (
            "My actor was silent for most of the hour",
            "You felt silent for most of the hour.",
            "nobody felt it",
        ),
        ("I keep postponing talks", "You keep postponing talks because they matter to you.", "a reason nobody gave"),
        ("I learn to say no", "You would be bothered if you did not learn to say no.", "the question is mixed in"),
        ("Friday", "You.", "too little to tell"),
    ],
)
def test_what_was_not_said_is_noticed(said: str, sentence: str, why: str) -> None:
    assert not kept(sentence, said), why


def test_a_frame_is_told_from_what_follows_it() -> None:
    assert MIRROR.framed("You say that you should ask.")
    assert not MIRROR.framed("You should ask.")
