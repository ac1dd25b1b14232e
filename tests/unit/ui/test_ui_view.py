"""What a person sees of their own words, of replies, dates, cards and progress."""

from __future__ import annotations

from datetime import UTC, datetime
from html import unescape

import pytest
from fakes.scripted_services import Part

from assistant.domain import LANGUAGES, Citation, Conversation, Hit, Language, Passage, Turn
from assistant.library.cards import Library
from assistant.paths import PROJECT_ROOT
from assistant.ui import view

NOON = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load(PROJECT_ROOT / "knowledge")


@pytest.mark.parametrize(
    "typed",
    [
        "![](http://198.51.100.7/x.png)",
        "<img src=http://198.51.100.7/x onerror=alert(1)>",
        "<svg><use href='http://198.51.100.7/#a'/></svg>",
        "[link](http://198.51.100.7) and <http://198.51.100.7> and www.example.org",
        "[a]: http://198.51.100.7 'reference'",
        "$$\\href{http://198.51.100.7}{x}$$ ```mermaid\nclick A 'http://198.51.100.7'```",
        "# heading\n- list\n    code\n1. one\n> quote\n| a | b |\n|---|---|",
        "_under_ *star* ~~gone~~ `code` &lt; &#60;",
    ],
)
def test_text_keeps_every_character_and_none_of_its_markup(typed: str) -> None:
    shown = view.plain(typed)
    assert not set("<>[]()*_`#|~:/@$!\\") & set(shown.replace("&#", ""))
    assert unescape(shown).replace("\xa0", " ") == typed


def test_ordinary_words_are_left_as_they_are() -> None:
    assert view.plain("Tänään en osaa päättää, mitä teen") == "Tänään en osaa päättää, mitä teen"


def test_a_reply_carries_the_voice_it_was_said_in() -> None:
    turn = Turn(2, "peili", "Mikä tekee siitä tärkeän?", "fi", "complete", "model")
    assert "Kielimallin muotoilema" in view.message("fi", turn)["content"]


def test_a_stopped_reply_says_so() -> None:
    turn = Turn(2, "peili", "Vad är", "sv", "stopped", "curated")
    shown = view.message("sv", turn)
    assert shown["role"] == "assistant"
    assert "Bibliotekets ord · stoppat" in shown["content"]


def test_a_reply_that_was_stopped_before_its_first_word_has_no_voice() -> None:
    shown = view.message("en", Turn(2, "peili", "", "en", "stopped", "curated"))
    assert "stopped" in shown["content"]
    assert "library" not in shown["content"]


def test_the_actors_own_turn_has_no_voice() -> None:
    shown = view.message("en", Turn(1, "actor", "I want to learn", "en"))
    assert shown == {"role": "user", "content": '<span class="who">You:</span> I want to learn'}


@pytest.mark.parametrize(
    ("language", "today", "earlier"),
    [("fi", "10.30", "13.11.2026"), ("sv", "10:30", "13 nov. 2026"), ("en", "10:30", "13 Nov 2026")],
)
def test_a_conversation_is_dated_as_the_language_writes_it(language: Language, today: str, earlier: str) -> None:
    assert view.day(language, datetime(2026, 11, 22, 10, 30, tzinfo=UTC).timestamp(), NOON) == today
    assert view.day(language, datetime(2026, 11, 13, 10, 30, tzinfo=UTC).timestamp(), NOON) == earlier


def test_the_list_shows_title_flow_and_day_and_names_one_without_words() -> None:
    heads = (
        Conversation("a", "goal", "fi", "Haluan oppia Reactin", 0, NOON.timestamp()),
        Conversation("b", "lookup", "fi", "", 0, NOON.timestamp()),
    )
    assert view.conversation_choices("fi", heads, NOON) == [
        ("Haluan oppia Reactin\nTavoite · 12.00", "a"),
        ("Uusi keskustelu\nKirjastohaku · 12.00", "b"),
    ]


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_card_opens_with_the_cited_passage_marked_under_the_pages_own_heading(
    library: Library, language: Language
) -> None:
    passage = library.card("ACT-10", language).sections["purpose"].split("\n\n")[0]
    shown = view.card_text(library, Citation("ACT-10", language, passage))
    assert shown.startswith(f"## {library.card('ACT-10', language).title}")
    assert "\n# " not in shown
    assert f"<mark>{passage}</mark>" in shown


def test_what_the_reply_rests_on_comes_first_and_each_card_once(library: Library) -> None:
    hits = [
        Hit(card, "en", "", 0.5, Passage(card, "en", "purpose", f"found in {card}")) for card in ("ACT-02", "ACT-10")
    ]
    sources = view.sources_after((Citation("ACT-10", "en", "quoted"),), view.cited(hits))
    assert [(source.card_id, source.quote) for source in sources] == [
        ("ACT-10", "quoted"),
        ("ACT-02", "found in ACT-02"),
    ]
    assert [card for _, card in view.source_choices(library, sources)] == ["ACT-10", "ACT-02"]


def test_progress_says_what_still_starts_and_that_one_may_write() -> None:
    parts = (Part("encoder", "ready"), Part("index", "starting", 120, 900), Part("chat", "starting"))
    line = view.progress_line("en", parts)
    assert line.startswith("the library index is being built: 120/900 · the language model is starting.")
    assert "You can already write" in line


def test_progress_says_what_did_not_start() -> None:
    assert "kielimalli ei käynnistynyt" in view.progress_line("fi", (Part("chat", "failed"),))


def test_progress_is_silent_when_everything_is_ready() -> None:
    assert view.progress_line("sv", (Part("encoder", "ready"), Part("index", "ready"), Part("chat", "ready"))) == ""


def test_sixteen_kilobytes_may_be_sent_and_one_byte_more_is_told_with_its_size() -> None:
    assert view.too_long("fi", "a" * view.TEXT_LIMIT_BYTES) == ""
    assert "17 kt" in view.too_long("fi", "a" * (view.TEXT_LIMIT_BYTES + 1))
    assert view.too_long("en", "ä" * 9000)
