"""A card file becomes a card, and a fault in it is named by file, place and what to do."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
from small_library import card_source, change, knowledge_in

from assistant.domain import CardQuestion, Step
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.parsing import parse_card
from assistant.wording import explain


def test_every_field_of_a_file_is_in_the_card() -> None:
    card = parse_card(card_source("ACT-10", "en"), "en", "en/ACT-10.md")
    assert (card.id, card.language, card.title) == ("ACT-10", "en", "Writing a goal")
    assert (card.audience, card.phase, card.type, card.minutes) == (("actor",), ("before",), "exercise", 6)
    assert card.summary == "Writing a goal on three lines."
    assert len(card.says) == 12
    assert card.aliases[0] == "writing a goal a"
    assert card.steps[1] == Step("Writing a goal: two.", 2)
    assert card.questions == (
        CardQuestion("Writing a goal, what?", "goal.what"),
        CardQuestion("Writing a goal, and then."),
    )
    assert (card.related, card.sources) == (("KIC-04",), ("W",))
    assert list(card.sections) == ["purpose", "when", "when_not", "example", "pitfalls"]


def test_lines_broken_in_the_file_are_whole_in_the_card() -> None:
    purpose = parse_card(card_source("KIC-04", "en"), "en", "en/KIC-04.md").sections["purpose"]
    paragraph, points = purpose.split("\n\n")
    assert paragraph.startswith("Shared ground rules 0. dawn dusk")
    assert points == "- shared ground rules 0\n- b"


@pytest.mark.parametrize(
    ("old", "new", "key", "place"),
    [
        ("+++\nid", "id", "card_front_matter", {}),
        ('title = "', "title = ", "card_toml", {"line": 3}),
        ('title = "Tavoitteen kirjoittaminen"\n', "", "card_field", {"field": "title"}),
        ('title = "Tavoitteen kirjoittaminen"', 'title = " "', "card_field", {"field": "title"}),
        ('id = "ACT-10"', 'id = "ACT-11"', "card_field", {"field": "id"}),
        ('["actor"]', '["boss"]', "card_field", {"field": "audience"}),
        ('["before"]', "[]", "card_field", {"field": "phase"}),
        ('"exercise"', '"game"', "card_field", {"field": "type"}),
        ("minutes = 6", "minutes = true", "card_field", {"field": "minutes"}),
        ("minutes = 2", "minutes = -2", "card_field", {"field": "steps[2].minutes"}),
        ('for = "goal.what"', "for = 7", "card_field", {"field": "questions[1].for"}),
        ("[[steps]]", "[steps]", "card_toml", {}),
        ('sources = ["W"]', "sources = [1]", "card_field", {"field": "sources"}),
        ("## Milloin ei", "## Milloinkaan", "card_heading", {"heading": "Milloin ei"}),
        ("## Sudenkuopat", "Sudenkuopat", "card_heading", {"heading": "Sudenkuopat"}),
        ("## Tarkoitus", "Alkusanat\n## Tarkoitus", "card_heading", {"heading": "Tarkoitus"}),
        ("## Sudenkuopat", "## Sudenkuopat\n\nx\n\n## Lisää", "card_heading", {"heading": "Lisää"}),
        ("## Esimerkki", "## Esimerkki\n\n## Sudenkuopat", "card_heading", {"heading": "Sudenkuopat"}),
    ],
)
def test_a_fault_is_named_with_its_place(old: str, new: str, key: str, place: dict[str, Any]) -> None:
    source = card_source("ACT-10", "fi")
    assert old in source
    with pytest.raises(LibraryError) as raised:
        parse_card(source.replace(old, new, 1), "fi", "fi/ACT-10.md")
    assert raised.value.key == key
    assert raised.value.params["file"] == "fi/ACT-10.md"
    assert place.items() <= raised.value.params.items()
    assert "fi/ACT-10.md" in explain("fi", raised.value)


def test_a_heading_without_text_is_named() -> None:
    source = card_source("ACT-10", "sv")
    with pytest.raises(LibraryError) as raised:
        parse_card(source[: source.index("## Fallgropar")] + "## Fallgropar\n", "sv", "sv/ACT-10.md")
    assert (raised.value.key, raised.value.params["heading"]) == ("card_section_empty", "Fallgropar")


def test_a_file_in_another_encoding_is_named_with_its_line(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    (knowledge / "sv" / "ACT-10.md").write_bytes(b'+++\nid = "ACT-10"\ntitle = "\xe4"\n')
    with pytest.raises(LibraryError) as raised:
        Library.load(knowledge)
    assert raised.value.key == "library_file_not_utf8"
    assert raised.value.params == {"file": "sv/ACT-10.md", "line": 3}


def test_a_folder_without_cards_is_not_a_library(tmp_path: Path) -> None:
    with pytest.raises(LibraryError) as raised:
        Library.load(tmp_path)
    assert raised.value.key == "library_empty"


@pytest.mark.parametrize(
    ("content", "key"),
    [(None, "library_file_unreadable"), ("[W", "library_file_toml"), ("[W]\nname = 1\n", "library_file_field")],
)
def test_unusable_credits_are_named(tmp_path: Path, content: str | None, key: str) -> None:
    knowledge = knowledge_in(tmp_path)
    if content is None:
        (knowledge / "sources.toml").unlink()
    else:
        (knowledge / "sources.toml").write_text(content, encoding="utf-8")
    with pytest.raises(LibraryError) as raised:
        Library.load(knowledge)
    assert (raised.value.key, raised.value.params["file"]) == (key, "sources.toml")


def test_cards_and_questions_come_in_the_order_of_their_ids(tmp_path: Path) -> None:
    library = Library.load(knowledge_in(tmp_path))
    assert [card.id for card in library.cards("sv")] == ["ACT-10", "KIC-04"]
    assert library.ids() == ("ACT-10", "KIC-04")
    asked = library.questions_for("goal.what", "en")
    assert [(card.id, question.text) for card, question in asked] == [
        ("ACT-10", "Writing a goal, what?"),
        ("KIC-04", "Shared ground rules, what?"),
    ]
    assert library.questions_for("goal.why", "en") == ()


def test_a_card_that_is_not_written_in_a_language_is_had_in_another(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    (knowledge / "sv" / "KIC-04.md").unlink()
    library = Library.load(knowledge)
    assert library.nearest_card("KIC-04", "sv").language == "fi"
    assert library.nearest_card("KIC-04", "en").language == "en"
    with pytest.raises(LibraryError) as raised:
        library.card("KIC-04", "sv")
    assert raised.value.params == {"card": "KIC-04", "lang": "sv"}
    with pytest.raises(LibraryError):
        library.nearest_card("XYZ-99", "sv")


def test_the_version_follows_every_byte_of_the_cards_and_credits(tmp_path: Path) -> None:
    knowledge = knowledge_in(tmp_path)
    first = Library.load(knowledge).version
    assert Library.load(knowledge).version == first
    change(knowledge / "fi" / "ACT-10.md", "aamu", "yö")
    second = Library.load(knowledge).version
    change(knowledge / "sources.toml", "workbook", "book")
    assert len({first, second, Library.load(knowledge).version}) == 3


def test_a_library_cannot_be_changed(tmp_path: Path) -> None:
    library = Library.load(knowledge_in(tmp_path))
    with pytest.raises(dataclasses.FrozenInstanceError):
        library.version = "other"  # type: ignore[misc]  # what the test shows
    with pytest.raises(TypeError):
        library.sources["W"] = "other"  # type: ignore[index]  # what the test shows
