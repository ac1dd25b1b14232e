"""What a model may and may not say: one table a language. A rejected sentence has a reason, a good one has none."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import Any, get_args

import pytest
from fakes.dialogue import PROMPTS, checks, guesser

from assistant.dialogue.checks import MAX_WORDS, Allowance, Reason, load_checks
from assistant.dialogue.sentences import split
from assistant.domain import LANGUAGES, Language
from assistant.errors import LibraryError

WORDS: dict[Language, str] = {
    "en": (
        "I want to lead user interviews with Leena by 15 May, because I keep a low voice. I should ask my manager"
        " first. I might start with a louder voice in 3 of the 10 groups. It is important that “nobody waits”."
    ),
    "fi": (
        "Haluan vetää haastattelut Leenan kanssa 15. toukokuuta mennessä, koska puhun hiljaa. Minun pitäisi kysyä"
        " esihenkilöltä, miltä hänestä tuntuu. Muista ihmisistä 3 kuuluu ryhmään 10. Sanon ”kyllä” kaikkeen."
        " Tavoitteena on aloittaa. En yritä enää tehdä kaikkea yksin."
    ),
    "sv": (
        "Jag vill hålla intervjuerna med Leena senast den 15 maj, eftersom jag talar lågt. Jag borde fråga chefen hur"
        " andra tänker. Av 10 grupper är jag med i 3. Jag säger ”ja” till allt. Det är viktigt att tala högre."
    ),
}
ASKED: dict[Language, str] = {
    "en": "Why does your goal matter to you right now?",
    "fi": "Miksi tavoitteesi on sinulle tärkeä juuri nyt?",
    "sv": "Varför är ditt mål viktigt för dig just nu?",
}

REJECTED: dict[Language, list[tuple[Reason, str]]] = {
    "en": [
        ("empty", "…"),
        ("empty", "15."),
        ("language", "Haluat johtaa haastatteluja itse."),
        ("language", "Du vill leda intervjuerna själv."),
        ("advice", "You should talk to your manager."),
        ("advice", "You could try a smaller group."),
        ("advice", "Try to speak louder in the interviews."),
        ("advice", "If it gets hard, ask your manager for help."),
        ("advice", "It is important to practise."),
        ("advice", "Let's begin with the voice."),
        ("advice", "That is a great goal!"),
        ("advice", "Good luck with the interviews!"),
        ("unsupported", "You want to lead the interviews by 16 May."),
        ("unsupported", "You want to lead 5 interviews."),
        ("unsupported", "You want to lead interviews with Marketta."),
        ("unsupported", "You want to be ready by September."),
        ("quoted", "You wrote “everybody waits”."),
        ("repeated", "Why does your goal matter to you right now?"),
        ("repeated", "So why does your goal matter to you right now?"),
        ("role", "User: I want more."),
        ("role", "Reply: You want to lead interviews."),
        ("role", "Message: I want to lead."),
        ("role", "As an AI language model I listen."),
        ("role", "The workbook question is next."),
        ("role", "I am your mentor in this."),
        ("role", "Let me tell my own story."),
        ("ungrounded", "You admire football players and astronauts."),
        ("unfaithful", "You want your manager to lead a louder group."),
        ("unfaithful", "You might lead a louder manager."),
        ("parroted", "By 15 May."),
        ("markup", "See https://example.org for more."),
        ("markup", "You want **courage**."),
        ("markup", "You want <b>courage</b>."),
        ("markup", "You want [this](that)."),
        ("too_long", "You want " + "to lead and " * 20 + "to lead."),
        ("second_question", "What do you want? And why now?"),
    ],
    "fi": [
        ("language", "You want to lead the interviews."),
        ("language", "Du vill leda intervjuerna."),
        ("advice", "Sinun kannattaa kysyä esihenkilöltä."),
        ("advice", "Suosittelen kurssia."),
        ("advice", "Kokeile ensin pienessä ryhmässä."),
        ("advice", "Jos puhut hiljaa, muista hengittää."),
        ("advice", "On tärkeää, että harjoittelet."),
        ("advice", "Hieno tavoite!"),
        ("advice", "Onnea haastatteluihin!"),
        ("unsupported", "Haluat vetää haastattelut 16. toukokuuta."),
        ("unsupported", "Haluat vetää 5 haastattelua."),
        ("unsupported", "Haluat vetää haastattelut Marketan kanssa."),
        ("unsupported", "Haluat olla valmis syyskuussa."),
        ("unsupported", "Haluat kysyä asiaa maanantaina."),
        ("quoted", "Sanoit ”aina ei”."),
        ("repeated", "Miksi tavoitteesi on sinulle tärkeä juuri nyt?"),
        ("role", "Käyttäjä: haluan lisää."),
        ("role", "Vastaus: Haluat vetää haastattelut."),
        ("role", "Tekoälynä kuuntelen sinua."),
        ("role", "Työkirjan kysymys on seuraava."),
        ("role", "Minä kuuntelen sinua."),
        ("ungrounded", "Ihailet jalkapalloilijoita ja astronautteja."),
        ("unfaithful", "Haluat kysyä haastattelut esihenkilöltä hiljaa."),
        ("parroted", "Sanon kyllä kaikkeen."),
        ("markup", "Haluat *rohkeutta*."),
        ("too_long", "Haluat " + "vetää ja " * 21 + "vetää."),
        ("second_question", "Mitä haluat? Miksi juuri nyt?"),
    ],
    "sv": [
        ("language", "You want to lead the interviews."),
        ("language", "Haluat johtaa haastatteluja itse."),
        ("advice", "Du borde fråga din chef."),
        ("advice", "Prova först i en liten grupp."),
        ("advice", "Det är viktigt att öva."),
        ("advice", "Vilket fint mål!"),
        ("advice", "Lycka till med intervjuerna!"),
        ("unsupported", "Du vill hålla intervjuerna den 16 maj."),
        ("unsupported", "Du vill hålla 5 intervjuer."),
        ("unsupported", "Du vill hålla intervjuer med Marketta."),
        ("unsupported", "Du vill vara klar i september."),
        ("unsupported", "Du vill fråga på måndag."),
        ("quoted", "Du sa ”aldrig nej”."),
        ("repeated", "Varför är ditt mål viktigt för dig just nu?"),
        ("role", "Användare: jag vill mer."),
        ("role", "Svar: Du vill hålla intervjuer."),
        ("role", "Som språkmodell lyssnar jag."),
        ("role", "Arbetsbokens fråga kommer nu."),
        ("role", "Jag lyssnar på dig."),
        ("ungrounded", "Du beundrar fotbollsspelare och astronauter."),
        ("unfaithful", "Du vill fråga chefen om intervjuerna."),
        ("parroted", "Andra tänker."),
        ("markup", "Du vill ha *mod*."),
        ("too_long", "Du vill " + "leda och " * 21 + "leda."),
        ("second_question", "Vad vill du? Varför just nu?"),
    ],
}

ALLOWED: dict[Language, list[str]] = {
    "en": [
        "You want to lead the interviews yourself.",
        "You want to lead interviews with Leena by 15 May.",
        "You keep a low voice.",
        "You might start with a louder voice in 3 groups.",
        "You say it is important that “nobody waits”.",
        "You say that you should ask your manager first.",
        "What would be important for you then?",
    ],
    "fi": [
        "Haluat vetää haastattelut itse.",
        "Haluat vetää haastattelut Leenan kanssa 15. toukokuuta mennessä.",
        "Et yritä enää tehdä kaikkea yksin.",
        "Kerroit, että puhut hiljaa.",
        "Sanot ”kyllä” kaikkeen.",
        "Kerroit, että sinun pitäisi kysyä esihenkilöltä.",
        "Miltä se sinusta tuntuu?",
    ],
    "sv": [
        "Du vill hålla intervjuerna själv.",
        "Du vill hålla intervjuerna med Leena senast den 15 maj.",
        "Du säger att det är viktigt att tala högre.",
        "Du säger ”ja” till allt.",
        "Du säger att du borde fråga chefen.",
        "Vad vore viktigt för dig då?",
    ],
}


def allowance(language: Language, **changes: Any) -> Allowance:
    """What may be said to a person who wrote WORDS and was asked ASKED."""
    words = WORDS[language]
    sources = f"{words}\n{ASKED[language]}"
    return replace(Allowance(language, sources, (ASKED[language],), said=words, own=words), **changes)


@pytest.mark.parametrize(
    ("language", "reason", "sentence"),
    [(language, reason, sentence) for language, rows in REJECTED.items() for reason, sentence in rows],
)
def test_a_sentence_that_breaks_a_rule_is_rejected_for_that(language: Language, reason: Reason, sentence: str) -> None:
    assert checks().reason(sentence, "", allowance(language)) == reason


@pytest.mark.parametrize(
    ("language", "sentence"), [(language, sentence) for language, rows in ALLOWED.items() for sentence in rows]
)
def test_a_sentence_that_says_back_what_the_person_said_passes(language: Language, sentence: str) -> None:
    assert checks().reason(sentence, "", allowance(language)) is None


def test_each_reason_is_tried_in_each_language() -> None:
    for language in LANGUAGES:
        tried = {reason for reason, _ in REJECTED[language]} | {"empty"}
        assert tried == set(get_args(Reason))


def test_a_second_question_is_cut_however_the_first_came() -> None:
    reason = checks().reason("What else?", "You want to lead. What would change?", allowance("en"))
    assert reason == "second_question"
    assert checks().reason("What would help?", "You want to lead.", allowance("en", questions=0)) == "second_question"


@pytest.mark.parametrize(
    ("language", "sentence"),
    [("en", "You should ask your manager first."), ("fi", "Kokeile ensin ryhmässä."), ("sv", "Du borde fråga chefen.")],
)
def test_advice_is_allowed_where_it_was_asked_for(language: Language, sentence: str) -> None:
    assert checks().reason(sentence, "", allowance(language, advice=True, sources=f"Card: {sentence}")) is None
    assert checks().reason(sentence, "", allowance(language, sources=f"Card: {sentence}")) == "advice"


def test_a_reply_keeps_room_for_the_question_that_follows_it() -> None:
    shown = " ".join(["You want to lead."] * 20)
    more = "You want to lead the user interviews."
    assert len(shown.split()) + len(more.split()) <= MAX_WORDS
    assert checks().reason(more, shown, allowance("en")) is None
    assert checks().reason(more, shown, allowance("en", reserved=12)) == "too_long"
    assert checks().reason("What would be important to you then?", shown, allowance("en", reserved=12)) is None


@pytest.mark.parametrize("name", ["Leena", "Leenan", "Leenalta", "Leenalle"])
def test_a_name_the_person_wrote_may_be_inflected(name: str) -> None:
    assert checks().reason(f"Haluat vetää haastattelut {name} kanssa.", "", allowance("fi")) is None


EXAMPLE = re.compile(r"^[^:\n]+: (?P<question>.*\?)\n[^:\n]+: (?P<words>.*)\n[^:\n]+: (?P<reply>.*)$", re.MULTILINE)


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_examples_the_model_learns_from_keep_every_rule(language: Language) -> None:
    examples = list(EXAMPLE.finditer((PROMPTS / language / "voice.md").read_text(encoding="utf-8")))
    assert len(examples) >= 3
    for example in examples:
        shown = ""
        for sentence in split(example["reply"]):
            words = example["words"]
            rule = Allowance(language, f"{words}\n{example['question']}", said=words, own=words)
            assert checks().reason(sentence.text, shown, rule) is None, sentence.text
            shown = f"{shown} {sentence.text}".strip()
        assert shown.count("?") == 1
        assert shown.endswith("?")


def test_the_examples_of_look_up_say_only_what_stands_in_the_card() -> None:
    text = (PROMPTS / "en" / "voice_lookup.md").read_text(encoding="utf-8")
    card, message, reply = (line.split(": ", 1)[1] for line in text.strip().splitlines()[-3:])
    for sentence in split(reply):
        rule = Allowance("en", f"{card}\n{message}", advice=True, questions=0, said=message, own=message)
        assert checks().reason(sentence.text, "", rule) is None


def test_a_file_of_patterns_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    with pytest.raises(LibraryError, match=r"prompt_unreadable \(file=fi/checks.toml\)"):
        load_checks(tmp_path, guesser())
