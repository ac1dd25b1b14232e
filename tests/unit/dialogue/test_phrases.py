"""What Peili says around the cards' questions exists in every language, and messages that steer are recognised."""

from __future__ import annotations

from pathlib import Path

import pytest
from fakes.dialogue import PROMPTS, teaching

from assistant.dialogue.guide import Intent
from assistant.dialogue.phrases import INTENTS, load_intents, load_phrases
from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError

PHRASES = load_phrases(PROMPTS)
FIND = load_intents(PROMPTS).find

STEERING: list[tuple[Intent, str]] = [
    *[("skip", text) for text in ("Skip", "skip this question please", "Pass.", "Next", "not now", "No, thanks")],
    *[("skip", text) for text in ("ohita tämä", "Ohitetaan tämä kysymys.", "Seuraava", "en halua vastata", "Ei")],
    *[("skip", text) for text in ("Hoppa över den här frågan", "nästa fråga", "inte nu", "Nej tack!")],
    *[("unsure", text) for text in ("I don't know", "I don’t know.", "no idea", "I have no idea", "not sure yet")],
    *[("unsure", text) for text in ("en tiedä", "En tiedä vielä", "en mä tiiä :)", "Emmä tiedä…", "vaikea sanoa")],
    *[("unsure", text) for text in ("Jag vet inte", "vet inte riktigt", "Ingen aning!", "jag är osäker")],
    *[("back", text) for text in ("back", "Go back to the first question", "previous", "let's go back")],
    *[("back", text) for text in ("takaisin", "palataan edelliseen", "edellinen kysymys", "mennään takaisin")],
    *[("back", text) for text in ("tillbaka", "gå tillbaka till förra frågan", "ett steg tillbaka")],
    *[("explain", text) for text in ("What do you mean?", "I don’t understand the question", "huh?", "?", "??")],
    *[("explain", text) for text in ("Mitä tarkoitat?", "mitä tuo tarkoittaa", "en ymmärrä kysymystä", "Häh?")],
    *[("explain", text) for text in ("Vad menar du?", "jag förstår inte frågan", "hur så?")],
    *[("show", text) for text in ("Show me my sheet", "I'm done", "That's all for now", "done")],
    *[("show", text) for text in ("näytä lomake", "valmis", "Siinä kaikki", "riittää jo")],
    *[("show", text) for text in ("visa bladet", "Jag är klar", "det var allt")],
    *[("courtesy", text) for text in ("Hi!", "Thank you so much", "ok 👍", "Good morning", "yes")],
    *[("courtesy", text) for text in ("Moi", "Kiitos paljon!", "selvä", "Hei vaan", "joo")],
    *[("courtesy", text) for text in ("Hej!", "Tack så mycket", "okej", "ja")],
]

ANSWERS = [
    "I don't know how to lead a team",
    "pass the exam by May",
    "go back to work after my leave",
    "Skip-level meetings with my manager's manager",
    "I want to be ready for the audit",
    "not sure of myself in front of a group",
    "what I want is more courage",
    "yes, because it matters",
    "No more evening work",
    "Good.",
    "thanks to my mentor I dared to ask",
    "next spring",
    "done with saying yes to everything",
    "show my team what I can do",
    "En tiedä miten johtaa tiimiä",
    "valmis kesään mennessä",
    "ei enää iltatöitä",
    "palata takaisin töihin loman jälkeen",
    "mitä enemmän harjoittelen, sitä parempi",
    "näytän tiimille mitä osaan",
    "Hyvä.",
    "seuraava kevät",
    "Jag vet inte hur man leder ett team",
    "gå tillbaka till jobbet",
    "klar före sommaren",
    "nej till övertid",
    "visa teamet vad jag kan",
    "Bra.",
    "nästa vår",
    "👍",
    "",
]


@pytest.mark.parametrize(("intent", "text"), STEERING)
def test_a_message_that_steers_is_recognised_in_every_language(intent: Intent, text: str) -> None:
    assert FIND(text) == intent


@pytest.mark.parametrize("text", ANSWERS)
def test_an_answer_that_only_begins_like_one_is_an_answer(text: str) -> None:
    assert FIND(text) is None


def test_every_intent_is_tried_in_every_language() -> None:
    assert {intent for intent, _ in STEERING} == set(INTENTS)


@pytest.mark.parametrize("language", LANGUAGES)
def test_hardly_any_exemplar_that_says_something_is_taken_for_a_message_that_steers(language: Language) -> None:
    telling = [
        item.text
        for items in teaching().exemplars.values()
        for item in items
        if item.language == language and "other" not in item.labels
    ]
    assert len(telling) > 500
    assert [text for text in telling if FIND(text) is not None] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_languages_have_the_same_phrases_with_the_same_places_to_fill(language: Language) -> None:
    assert PHRASES[language].keys() == PHRASES["en"].keys()


def test_the_same_count_always_gives_the_same_variant_and_variants_go_round() -> None:
    said = [PHRASES["fi"].say("heard", count) for count in range(8)]
    assert len(set(said[:4])) == 4
    assert said[:4] == said[4:]


@pytest.mark.parametrize("quote", ["$meaning {x} %s", "100 $", "\\1 ”lainaus”", "${quote}"])
def test_what_a_person_wrote_stays_as_it_is_in_a_phrase(quote: str) -> None:
    assert quote in PHRASES["en"].say("mirror", 0, quote=quote)


@pytest.mark.parametrize("damage", ["[say", None])
def test_a_file_of_phrases_that_cannot_be_read_is_named(tmp_path: Path, damage: str | None) -> None:
    for language in LANGUAGES:
        (tmp_path / language).mkdir()
        source = PROMPTS / language / "phrases.toml"
        (tmp_path / language / "phrases.toml").write_bytes(source.read_bytes())
    broken = tmp_path / "sv" / "phrases.toml"
    broken.write_text(damage, encoding="utf-8") if damage else broken.unlink()
    with pytest.raises(LibraryError, match=r"prompt_unreadable \(file=sv/phrases.toml\)"):
        load_phrases(tmp_path)
