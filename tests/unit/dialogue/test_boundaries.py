"""The fixed answers: what a person reads when a message needs something else than the flow."""

from __future__ import annotations

import re
import shutil
from collections.abc import Sequence
from dataclasses import replace
from itertools import pairwise, product
from pathlib import Path

import pytest
from fakes.dialogue import KNOWLEDGE, PROMPTS, library

from assistant.dialogue.boundaries import Boundaries, BoundaryReply, load_boundaries
from assistant.dialogue.boundary_cues import BOUNDARY_KINDS, BoundaryKind
from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError
from assistant.library.cards import Library
from assistant.library.contacts import load_contacts
from assistant.library.passages import card_text
from assistant.paths import PROJECT_ROOT

CONTACTS = load_contacts(KNOWLEDGE)
COUNTRIES = ("FI", "SE")
BOUNDARIES = {country: load_boundaries(KNOWLEDGE, PROMPTS, CONTACTS, library(), country) for country in COUNTRIES}
SPOKEN = tuple(product(COUNTRIES, LANGUAGES))
RISK: tuple[BoundaryKind, ...] = ("danger", "crisis", "concern")
MOST_WORDS = 90
ROUNDS = 7  # more than any kind has wordings

SAID: dict[BoundaryKind, dict[Language, str]] = {
    "danger": {
        "fi": "Seison sillalla ja hyppään kohta.",
        "sv": "Jag står på bron och hoppar snart.",
        "en": "I am standing on the bridge and I will jump.",
    },
    "crisis": {"fi": "Haluan kuolla.", "sv": "Jag vill dö.", "en": "I want to die."},
    "concern": {
        "fi": "Kaikilla olisi helpompaa ilman minua.",
        "sv": "Alla skulle ha det bättre utan mig.",
        "en": "Everyone would be better off without me.",
    },
    "violence": {
        "fi": "Mieheni lyö minua.",
        "sv": "Min man slår mig.",
        "en": "My husband hits me.",
    },
    "harassment": {
        "fi": "Pomo kiusaa minua töissä.",
        "sv": "Chefen trakasserar mig.",
        "en": "My boss is harassing me.",
    },
    "others_text": {
        "fi": "Näytä mitä aktorini on kirjoittanut.",
        "sv": "Visa vad min adept har skrivit.",
        "en": "Show me what my actor has written.",
    },
    "distress": {
        "fi": "En ole nukkunut viikkoihin ja itken joka päivä.",
        "sv": "Jag har inte sovit på veckor och gråter varje dag.",
        "en": "I have not slept for weeks and I cry every day.",
    },
    "health_legal": {
        "fi": "Saako minut irtisanoa sairausloman aikana?",
        "sv": "Får de säga upp mig när jag är sjukskriven?",
        "en": "Can they legally dismiss me while I am on sick leave?",
    },
    "abilities": {
        "fi": "Oletko sinä ihminen?",
        "sv": "Är du en människa?",
        "en": "Are you a human?",
    },
}


def answer(kind: BoundaryKind, language: Language, *, country: str = "FI", recent: Sequence[str] = ()) -> BoundaryReply:
    found = BOUNDARIES[country].check(SAID[kind][language], language, recent=recent)
    assert found is not None
    assert found.kind == kind
    return found


def every_answer(kind: BoundaryKind, country: str, language: Language) -> list[str]:
    """The answers to the same words said again and again in one conversation."""
    return [answer(kind, language, country=country, recent=(kind,) * times).text for times in range(ROUNDS)]


ALL_TEXTS = [
    (kind, country, language, text)
    for kind in BOUNDARY_KINDS
    for country, language in SPOKEN
    for text in dict.fromkeys(every_answer(kind, country, language))
]


@pytest.mark.parametrize("kind", BOUNDARY_KINDS)
@pytest.mark.parametrize("written", LANGUAGES)
def test_a_message_is_understood_in_any_language_and_answered_in_the_conversations(
    kind: BoundaryKind, written: Language
) -> None:
    for language in LANGUAGES:
        found = BOUNDARIES["FI"].check(SAID[kind][written], language)
        assert found is not None
        assert found.text == answer(kind, language).text
        assert found.citations[0].language == language


def test_ordinary_talk_is_not_answered_here() -> None:
    for text in ("My goal is to lead a project.", "Tavoitteeni on oppia delegoimaan.", "Jag vill våga säga nej.", ""):
        assert BOUNDARIES["FI"].check(text, "en") is None


@pytest.mark.parametrize("kind", BOUNDARY_KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_the_same_words_never_stand_twice_running(kind: BoundaryKind, language: Language) -> None:
    answers = every_answer(kind, "FI", language)
    assert all(one != next_one for one, next_one in pairwise(answers))
    assert len(set(answers)) >= (3 if kind in RISK else 2)


def test_the_next_wording_comes_although_something_else_came_between() -> None:
    first = answer("crisis", "en")
    assert answer("crisis", "en", recent=("crisis", "abilities")).text != first.text
    assert answer("crisis", "en", recent=("abilities", "distress")).text == first.text


def test_a_text_is_short_and_asks_at_most_one_thing() -> None:
    for kind, country, language, text in ALL_TEXTS:
        assert len(text.split()) <= MOST_WORDS, (kind, country, language, text)
        assert text.count("?") <= 1, text
        assert "$" not in text


def test_a_text_about_risk_asks_one_question_names_the_emergency_number_and_says_who_writes() -> None:
    who = {"fi": ("tekoäly", "enkä voi"), "sv": ("en AI", "kan inte"), "en": ("an AI", "cannot")}
    for kind, country, language, text in ALL_TEXTS:
        if kind in RISK:
            assert text.count("?") == 1, text
            assert "112" in text, (country, text)
            assert all(words in text for words in who[language]), text


def test_thoughts_of_suicide_are_asked_about_directly() -> None:
    asked = {
        "fi": r"itsemurha|kuolla|päättää elämäsi",
        "sv": r"självmord|ta ditt liv|dö\?",
        "en": r"suicide|to die|ending your life",
    }
    for kind, _, language, text in ALL_TEXTS:
        if kind in ("crisis", "concern"):
            question = next(sentence for sentence in re.findall(r"[^.!?\n]+[.!?]", text) if sentence.endswith("?"))
            assert re.search(asked[language], question), text


def test_nothing_is_promised_played_down_or_asked_for_a_no() -> None:
    never = re.compile(
        r"secret|promise|don.t worry|calm down|it will be (all right|ok)|only need me|you.re not |you are not "
        r"|lupaan|salaisuu|rauhoitu|älä huoli|kyllä se siitä|\bethän\b|\betkä\b"
        r"|lovar|hemlig|oroa dig inte|lugna dig|det ordnar sig|du tänker väl inte|väl inte",
        re.IGNORECASE,
    )
    for _, _, _, text in ALL_TEXTS:
        assert not never.search(text), text


def numbers_in(text: str) -> set[str]:
    return {" ".join(number.split()) for number in re.findall(r"\d[\d \-]*\d", text)}


def test_only_numbers_of_the_contact_table_are_given_and_only_those_of_the_country() -> None:
    for _, country, _, text in ALL_TEXTS:
        known = {contact.number for contact in CONTACTS.all if contact.country == country}
        assert numbers_in(text) <= known, text


@pytest.mark.parametrize(
    ("country", "language", "given"),
    [
        ("FI", "fi", ["fi-mieli-fi"]),
        ("FI", "sv", ["fi-mieli-sv", "fi-mieli-fi"]),
        ("FI", "en", ["fi-mieli-ar-en", "fi-mieli-fi"]),
        ("SE", "fi", ["se-mind"]),
        ("SE", "sv", ["se-mind"]),
        ("SE", "en", ["se-mind"]),
    ],
)
def test_the_lines_that_speak_the_language_or_are_always_open_are_given(
    country: str, language: Language, given: list[str]
) -> None:
    by_id = {contact.id: contact for contact in CONTACTS.all}
    expected = [f"- {by_id[id_].name[language]}: {by_id[id_].number}" for id_ in given]
    for kind in ("crisis", "concern", "violence"):
        for text in every_answer(kind, country, language):
            lines = [line for line in text.splitlines() if line.startswith("- ")]
            assert [line.rpartition(" (")[0] for line in lines] == expected


def test_an_unconfirmed_line_is_called_so_and_no_open_hours_are_claimed_for_it() -> None:
    line = next(line for line in answer("crisis", "en").text.splitlines() if "Arabic and English" in line)
    assert "unconfirmed" in line
    assert "open" not in line


def test_distress_and_harassment_name_where_to_turn() -> None:
    assert "116 117" in answer("distress", "fi").text
    assert "1177" in answer("distress", "sv", country="SE").text
    told = answer("harassment", "en", country="SE").text
    assert "Arbetsmiljöverket" in told
    assert "DO (Sweden)" in told
    assert "Yhdenvertaisuusvaltuutettu" in answer("harassment", "fi").text


def test_about_mentor_or_actor_somebody_else_than_the_pair_is_named() -> None:
    deputy = {"fi": "koordinaattorin sijai", "sv": "koordinatorns ersättare", "en": "coordinator’s deputy"}
    for kind, _, language, text in ALL_TEXTS:
        if kind == "harassment":
            assert deputy[language] in text
            assert "HR" in text


def test_a_country_without_a_crisis_line_gets_the_emergency_number() -> None:
    few = replace(CONTACTS, all=tuple(contact for contact in CONTACTS.all if contact.kind == "emergency"))
    found = load_boundaries(KNOWLEDGE, PROMPTS, few, library(), "FI").check("I want to die", "en")
    assert found is not None
    assert "- Emergency number: 112 (always open)" in found.text


def test_a_country_without_an_emergency_number_is_an_error() -> None:
    none = replace(CONTACTS, all=tuple(contact for contact in CONTACTS.all if contact.kind != "emergency"))
    with pytest.raises(LibraryError) as raised:
        load_boundaries(KNOWLEDGE, PROMPTS, none, library(), "FI")
    assert raised.value.params["file"] == "contacts.toml"


@pytest.mark.parametrize("kind", BOUNDARY_KINDS)
@pytest.mark.parametrize("language", LANGUAGES)
def test_every_answer_quotes_a_sentence_of_its_card(kind: BoundaryKind, language: Language) -> None:
    (citation,) = answer(kind, language).citations
    card = library().card(citation.card_id, language)
    assert citation.card_id in ("SAF-01", "SAF-02")
    assert citation.quote in card_text(card)
    assert citation.quote != card.summary  # the sentence chosen for the kind is still in the card


def test_the_summary_is_quoted_once_a_coordinator_has_edited_the_sentence_away(tmp_path: Path) -> None:
    knowledge = shutil.copytree(KNOWLEDGE, tmp_path / "knowledge")
    card = knowledge / "en" / "SAF-02.md"
    edited = card.read_text(encoding="utf-8").replace("A direct question gives permission to talk.", "Ask openly.")
    card.write_text(edited, encoding="utf-8")
    cards = Library.load(knowledge)
    found = load_boundaries(knowledge, PROMPTS, CONTACTS, cards, "FI").check(SAID["concern"]["en"], "en")
    assert found is not None
    assert found.citations[0].quote == cards.card("SAF-02", "en").summary


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """A copy of the prompts to break."""
    return shutil.copytree(PROMPTS, tmp_path / "prompts")


def refused(prompts: Path) -> str:
    with pytest.raises(LibraryError) as raised:
        load_boundaries(KNOWLEDGE, prompts, CONTACTS, library(), "FI")
    assert raised.value.key == "boundaries_unreadable"
    return str(raised.value.params["file"])


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("[danger]", "[dangers]"),
        ("[danger]", "[danger"),
        ("Ring $emergency", "Ring $emergncy"),
        ("Ring $emergency", "Ring $ nu"),
        ('unconfirmed = "', 'unsure = "'),
        ('card = "SAF-02"', ""),
    ],
)
def test_a_broken_file_of_texts_is_named(prompts: Path, before: str, after: str) -> None:
    file = prompts / "sv" / "boundaries.toml"
    text = file.read_text(encoding="utf-8")
    assert before in text
    file.write_text(text.replace(before, after, 1), encoding="utf-8")
    assert refused(prompts) == "sv/boundaries.toml"


def test_a_missing_file_of_texts_is_named(prompts: Path) -> None:
    (prompts / "fi" / "boundaries.toml").unlink()
    assert refused(prompts) == "fi/boundaries.toml"


def test_every_language_has_as_many_wordings_and_the_same_cards() -> None:
    for kind, country in product(BOUNDARY_KINDS, COUNTRIES):
        counts = {len(set(every_answer(kind, country, language))) for language in LANGUAGES}
        cards = {answer(kind, language).citations[0].card_id for language in LANGUAGES}
        assert len(counts) == len(cards) == 1, kind


def test_no_number_to_call_stands_in_texts_cues_or_code() -> None:
    files = [
        *PROMPTS.glob("*/boundaries.toml"),
        *(KNOWLEDGE / "boundaries").glob("*.toml"),
        *(PROJECT_ROOT / "assistant" / "dialogue").glob("bound*.py"),
        PROJECT_ROOT / "assistant" / "dialogue" / "cue_phrases.py",
    ]
    assert len(files) == 10
    for file in files:
        assert not re.search(r"\d[\d \-]*\d\d", file.read_text(encoding="utf-8")), file


def test_the_closed_swedish_help_line_is_named_nowhere() -> None:
    old = re.compile(r"0771[\s\-]*22[\s\-]*00[\s\-]*60")
    assert old.search("0771-22 00 60")
    for folder in (KNOWLEDGE, PROMPTS, PROJECT_ROOT / "assistant"):
        for file in folder.rglob("*"):
            if file.suffix in {".py", ".md", ".toml", ".po", ".tsv", ".txt", ".json"}:
                assert not old.search(file.read_text(encoding="utf-8")), file
    assert not any(old.search(text) for _, _, _, text in ALL_TEXTS)


def test_what_was_said_earlier_decides_what_is_heard_now() -> None:
    boundaries: Boundaries = BOUNDARIES["FI"]
    assert boundaries.check("Where is a high bridge?", "en") is None
    heard = boundaries.check("Where is a high bridge?", "en", recent=("distress",))
    assert heard is not None
    assert heard.kind == "concern"


def test_a_bare_yes_counts_only_right_after_the_question() -> None:
    boundaries: Boundaries = BOUNDARIES["FI"]
    said: dict[Language, str] = {"en": "Yes", "fi": "Joo", "sv": "Ja"}
    for language, text in said.items():
        found = boundaries.check(text, language, recent=("concern",), answering=True)
        assert found is not None
        assert found.kind == "crisis"
        assert boundaries.check(text, language, recent=("concern",)) is None
        assert boundaries.check(text, language, recent=("abilities",), answering=True) is None
