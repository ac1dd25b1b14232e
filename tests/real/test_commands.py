"""The commands as a person or a script runs them, with the real models: what issue and README promise."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from assistant.dialogue.exemplars import load_teaching
from assistant.dialogue.language import LanguageGuesser
from assistant.domain import LANGUAGES, Language
from assistant.library.cards import Library
from assistant.library.passages import card_text
from assistant.paths import PROJECT_ROOT

pytestmark = [pytest.mark.model, pytest.mark.encoder, pytest.mark.usefixtures("real_models")]

QUOTED = re.compile("[“”][^“”]*”")
SAID: dict[Language, tuple[str, str]] = {
    "en": ("I keep postponing difficult talks in my team", "Because three new people join us in March"),
    "fi": ("Lykkään aina vaikeita keskusteluja tiimissäni", "Koska meille tulee maaliskuussa kolme uutta ihmistä"),
    "sv": ("Jag skjuter alltid upp svåra samtal i mitt team", "Eftersom tre nya personer börjar hos oss i mars"),
}


def peili(*arguments: str, typed: str = "") -> list[dict[str, Any]]:
    done = subprocess.run(
        [sys.executable, "-m", "assistant", *arguments],
        input=typed,
        capture_output=True,
        text=True,
        timeout=300,
        cwd=PROJECT_ROOT,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.fixture(scope="module")
def library() -> Library:
    return Library.load(PROJECT_ROOT / "knowledge")


@pytest.fixture(scope="module")
def guesser() -> LanguageGuesser:
    teaching = load_teaching(PROJECT_ROOT / "knowledge")
    return LanguageGuesser({language: teaching.sentences(language) for language in LANGUAGES})


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("model", [(), ("--model", "none")], ids=["default model", "no model"])
def test_two_turns_of_a_goal(
    language: Language, model: tuple[str, ...], library: Library, guesser: LanguageGuesser
) -> None:
    typed = "".join(json.dumps({"text": text}) + "\n" for text in SAID[language])
    replies = peili("chat", "--flow", "goal", "--lang", language, *model, "--json", typed=typed)

    assert len(replies) == 2
    for reply in replies:
        assert reply["language"] == language
        assert guesser.guess(QUOTED.sub("", reply["reply"]), language).language == language, reply["reply"]
        assert reply["reply"].count("?") <= 1
        assert 3 < len(reply["reply"].split()) <= 90
        assert reply["citations"]
        for citation in reply["citations"]:
            assert citation["quote"] in card_text(library.card(citation["id"], citation["lang"]))
    assert SAID[language][0] in replies[-1]["sheet"]["what"]
    assert SAID[language][1] in replies[-1]["sheet"]["why"]
    if model or language != "en":
        assert {reply["voice"] for reply in replies} == {"curated"}


def test_the_model_words_english_replies() -> None:
    said = [*SAID["en"], "I would notice that I book the talk the same week", "I will write down the first talk"]
    typed = "".join(json.dumps({"text": text}) + "\n" for text in said)
    replies = peili("chat", "--flow", "goal", "--lang", "en", "--json", typed=typed)

    assert "model" in {reply["voice"] for reply in replies}, "each may fail a check, but not every one"
    second = replies[1]["timing"]
    assert 0 < second["prefilled_tokens"] < second["prompt_tokens"] / 2


def test_search_finds_the_goal_card_and_leaves_the_weather_alone() -> None:
    (found,) = peili("library", "search", "Haluan sanoittaa tavoitteeni", "--lang", "fi", "--json")
    (weather,) = peili("library", "search", "What will the weather be tomorrow?", "--json")

    assert not found["abstained"]
    assert found["results"][0]["id"] == "ACT-10"
    assert found["results"][0]["lang"] == "fi"
    assert weather["abstained"]


def test_search_reads_plain_lines_and_json_lines() -> None:
    typed = 'my actor is stuck and silent\n{"query": "mötet är i morgon, hur förbereder jag mig", "lang": "sv"}\n'
    first, second = peili("library", "search", "-", typed=typed)

    assert first["results"][0]["id"] == "MEN-02"
    assert (second["results"][0]["id"], second["results"][0]["lang"]) == ("DUR-01", "sv")


def test_analysis_tells_what_sentences_say_and_what_is_missing() -> None:
    typed = "Haluan oppia vetämään palavereja.\nKoska saan keväällä oman tiimin.\n"
    (reading,) = peili("analyse", "goal", "--json", typed=typed)

    assert reading["language"] == "fi"
    assert [sentence["labels"][0] for sentence in reading["sentences"]] == ["what", "why"]
    assert {"evidence", "first_step"} <= set(reading["missing"])


def test_analysis_tells_open_from_closed_questions() -> None:
    typed = "How did you learn to lead workshops?\nDo you like your work?\n"
    (reading,) = peili("analyse", "questions", "--lang", "en", "--json", typed=typed)

    assert [sentence["kind"] for sentence in reading["sentences"]] == ["open", "closed"]
    assert reading["sentences"][1]["alternatives"]


def test_a_problem_is_one_line_that_says_what_to_do(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "assistant", "models", "use", "no-such-model"],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        check=False,
    )

    assert done.returncode == 1
    assert done.stderr.count("\n") == 1
    assert "no-such-model" in done.stderr
