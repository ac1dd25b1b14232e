"""A whole card as a page."""

from __future__ import annotations

from pathlib import Path

import pytest
from small_library import card_source, change, knowledge_in

from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.parsing import HEADINGS, parse_card
from assistant.library.passages import passages
from assistant.library.rendering import render
from assistant.paths import PROJECT_ROOT


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_page_has_all_of_the_card_in_its_order_and_language(language: Language) -> None:
    library = Library.load(PROJECT_ROOT / "knowledge")
    card = library.card("ACT-10", language)
    lines = render(card, library.sources).splitlines()
    headings = [line[3:] for line in lines if line.startswith("## ")]
    purpose, when, when_not, example, pitfalls = HEADINGS[language]
    steps = {"fi": "Näin se tehdään", "sv": "Gör så här", "en": "How to do it"}[language]
    questions = {"fi": "Kysymyksiä", "sv": "Frågor", "en": "Questions"}[language]
    assert headings == [purpose, when, when_not, steps, questions, example, pitfalls]
    assert lines[0] == f"# {card.title}"
    assert f"1. {card.steps[0].text} ({card.steps[0].minutes} min)" in lines
    assert f"- {card.questions[-1].text}" in lines
    assert library.sources[card.sources[0]].split(":")[0] in lines[-1]


def test_a_cited_passage_is_marked_where_it_stands_and_nowhere_else() -> None:
    card = Library.load(PROJECT_ROOT / "knowledge").card("ACT-10", "en")
    passage = next(item for item in passages(card) if item.section == "when_not")
    plain = render(card, {})
    marked = render(card, {}, quote=passage.text, mark=lambda text: f"«{text}»")
    assert f"«{passage.text}»" in marked
    assert marked.replace("«", "").replace("»", "") == plain
    assert marked.count("«") == 1


def test_a_quotation_over_steps_and_points_is_marked_line_by_line() -> None:
    card = parse_card(card_source("ACT-10", "en"), "en", "en/ACT-10.md")
    steps = render(card, {}, quote=" ".join(step.text for step in card.steps))
    assert "1. **Writing a goal: one.** (1 min)" in steps
    assert "3. **Writing a goal: three.** (3 min)" in steps
    assert "- **writing a goal 2**" in render(card, {}, quote="- writing a goal 2\n- something")


def test_signs_in_a_text_are_shown_and_not_obeyed(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    change(knowledge / "en" / "KIC-04.md", "Shared ground rules: one.", "<b>Two</b> *stars* [here](x) a_b_c #1")
    library = Library.load(knowledge)
    page = render(library.card("KIC-04", "en"), library.sources)
    assert r"1. \<b\>Two\</b\> \*stars\* \[here\](x) a\_b\_c \#1 (1 min)" in page
    assert r"Sources: A \*workbook\*" in page
