"""A text falls into the sentences the person wrote, each with its place in the text."""

from __future__ import annotations

from itertools import pairwise

import pytest

from assistant.dialogue.sentences import split

WHOLE = [
    "Haluan oppia esim. delegoimaan, priorisoimaan jne. kunnolla.",
    "Jag vill t.ex. leda möten, skriva m.m. på svenska.",
    "I want to practise, e.g. listening, at 5 p.m. every day.",
    "Tapaan dr. Virtasen klo. 12.30 huoneessa 4.",
    "Valmis 15.5. mennessä, siis ennen kesää.",
    "Se on jo 3. kerta tänä vuonna.",
    "Senast den 3. juni ska det vara klart.",
    "3. kesäkuuta",
    "15. Toukokuuta mennessä",
    "Minua auttaa Leena K. tiimistä.",
    "I thought... maybe I could just ask.",
    "Ajattelin… ehkä en sittenkään.",
    "ei mitään pistettä missään",
    "Tavoite on 2.5 kertaa nopeampi.",
    "Hän sanoi ”en tiedä” ja lähti.",
]

SEVERAL = [
    ("Haluan oppia. Se on tärkeää.", ["Haluan oppia.", "Se on tärkeää."]),
    ("Miksi? Koska pelkään!", ["Miksi?", "Koska pelkään!"]),
    ("Really?! Yes.", ["Really?!", "Yes."]),
    ("Kello on 12. Lähden nyt.", ["Kello on 12.", "Lähden nyt."]),
    ("Valmis 15.5. Leena auttaa.", ["Valmis 15.5.", "Leena auttaa."]),
    ("Hmm... Joo.", ["Hmm...", "Joo."]),
    ("He said “stop.” Then he left.", ["He said “stop.”", "Then he left."]),
    ("Jag vill leda\nför att det är roligt", ["Jag vill leda", "för att det är roligt"]),
    ("- ask Leena\n* write it down\n• rest", ["ask Leena", "write it down", "rest"]),
    ("1. Oppia sanomaan ei\n2. soittaa Leenalle", ["Oppia sanomaan ei", "soittaa Leenalle"]),
    ("1) boka tid\n2) skriva", ["boka tid", "skriva"]),
    ("a\r\n\r\nb\r\n", ["a", "b"]),
    ("  Hyvä!   Jatketaan.  ", ["Hyvä!", "Jatketaan."]),
    ("Hyvä! 😀 Jatketaan 👍.", ["Hyvä!", "😀 Jatketaan 👍."]),
    ("Olen valmis.😀 Joo", ["Olen valmis.😀 Joo"]),
    ("Onnistui! 🎉", ["Onnistui!"]),
]

NOTHING = ["", "   ", "\n\n", "...", "😀👍", "?!", "- \n* "]


@pytest.mark.parametrize("text", WHOLE)
def test_an_abbreviation_a_date_an_initial_or_a_pause_does_not_end_a_sentence(text: str) -> None:
    assert [span.text for span in split(text)] == [text]


@pytest.mark.parametrize(("text", "sentences"), SEVERAL)
def test_several_sentences_are_told_apart(text: str, sentences: list[str]) -> None:
    assert [span.text for span in split(text)] == sentences


@pytest.mark.parametrize("text", NOTHING)
def test_a_text_without_a_letter_or_digit_holds_no_sentence(text: str) -> None:
    assert split(text) == ()


@pytest.mark.parametrize("text", [*WHOLE, *(text for text, _ in SEVERAL), "x" * 5000, "Å. ä! ö? " * 300])
def test_a_sentence_stands_in_the_text_where_it_says(text: str) -> None:
    spans = split(text)
    assert spans
    assert all(text[span.start : span.end] == span.text == span.text.strip() for span in spans)
    assert [span.start for span in spans] == sorted(span.start for span in spans)
    assert all(before.end <= after.start for before, after in pairwise(spans))


@pytest.mark.parametrize("text", [*WHOLE, *(text for text, _ in SEVERAL)])
def test_no_letter_of_the_person_is_lost(text: str) -> None:
    marks = "1.2.)-*•\n " if text.startswith(("1.", "1)", "-")) else "\n "
    kept = "".join(span.text for span in split(text))
    assert [sign for sign in text if sign.isalpha()] == [sign for sign in kept if sign.isalpha()]
    assert set(text) - set(kept) <= set(marks) | {"\r", "🎉"}
