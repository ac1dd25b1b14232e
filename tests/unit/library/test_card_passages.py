"""What is shown and cited of a card is its own text, in pieces that can be read at a glance."""

from __future__ import annotations

from itertools import groupby

import pytest
from small_library import card_source

from assistant.domain import LANGUAGES, Card
from assistant.library.cards import Library
from assistant.library.parsing import parse_card
from assistant.library.passages import MAX_WORDS, card_text, passages
from assistant.paths import PROJECT_ROOT

LIBRARY = Library.load(PROJECT_ROOT / "knowledge")
CARDS = [card for language in LANGUAGES for card in LIBRARY.cards(language)]


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.language}-{card.id}")
def test_every_passage_stands_verbatim_in_its_card_and_is_short(card: Card) -> None:
    for passage in passages(card):
        assert passage.text in card_text(card)
        assert 0 < len(passage.text.split()) <= MAX_WORDS
        assert (passage.card_id, passage.language) == (card.id, card.language)


@pytest.mark.parametrize("card", CARDS, ids=lambda card: f"{card.language}-{card.id}")
def test_the_passages_together_are_the_whole_card(card: Card) -> None:
    pieces = {
        section: " ".join(passage.text for passage in found).split()
        for section, found in groupby(passages(card), key=lambda passage: passage.section)
    }
    for section, text in card.sections.items():
        assert pieces[section] == text.split()
    assert pieces["steps"] == " ".join(step.text for step in card.steps).split()
    assert pieces["questions"] == " ".join(question.text for question in card.questions).split()


def test_a_long_section_is_cut_at_sentence_ends_into_even_pieces() -> None:
    sentences = [f"Sentence {number} has exactly seven small words." for number in range(20)]
    source = card_source("ACT-10", "en").replace("## When to use\n\n", f"## When to use\n\n{' '.join(sentences)}\n\n")
    found = [p.text for p in passages(parse_card(source, "en", "en/ACT-10.md")) if p.section == "when"]
    assert len(found) == 3
    assert all(text.startswith("Sentence") and text.endswith("words.") for text in found[:2])
    assert max(len(text.split()) for text in found) - min(len(text.split()) for text in found) < 30
