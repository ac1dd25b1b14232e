"""The model's words on their way to the person: sentence by sentence, and never one that failed a check."""

from __future__ import annotations

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from fakes.dialogue import PROMPTS, Piece, ScriptedEngine, voice_of, words_of
from langchain_core.messages import AIMessage, HumanMessage, SystemMessage

from assistant.dialogue.checks import Allowance, Reason
from assistant.dialogue.voice import Exchange, Outcome, Voice, exchanges, load_voice_prompts
from assistant.domain import LANGUAGES, Language, Turn
from assistant.errors import Cancelled, LibraryError, WorkerError
from assistant.inference.chat_model import as_prompt

SESSION = "aino/c1"
SAID = "I want to lead the budget talks because nobody else dares."
QUESTION = "What makes the budget talks worth it for you?"
ALLOWANCE = Allowance("en", f"{SAID}\n{QUESTION}", said=SAID, own=SAID)
LOOK_UP = replace(ALLOWANCE, advice=True, questions=0)


def spoken(*pieces: Piece, allowance: Allowance = ALLOWANCE) -> tuple[list[str], Outcome, Voice]:
    """What the person is shown of a model that writes these pieces."""
    voice = voice_of(ScriptedEngine(pieces))
    outcome = Outcome()
    return list(voice.sentences([HumanMessage(SAID)], SESSION, allowance, outcome)), outcome, voice


def test_sentences_are_shown_one_by_one_however_the_model_cuts_them() -> None:
    text = "You want to lead the budget talks. What makes the talks worth it for you?"
    for size in (1, 3, 7, len(text)):
        pieces = [text[start : start + size] for start in range(0, len(text), size)]
        shown, outcome, _ = spoken(*pieces)
        assert shown == ["You want to lead the budget talks.", "What makes the talks worth it for you?"]
        assert (outcome.asked, outcome.rejected) == (True, False)


def test_a_sentence_is_shown_as_soon_as_the_next_one_begins() -> None:
    engine = ScriptedEngine(["You want to lead the talks. W", "hat makes the talks worth it?"])
    sentences = voice_of(engine).sentences([HumanMessage(SAID)], SESSION, ALLOWANCE, Outcome())
    assert next(sentences) == "You want to lead the talks."


def test_an_abbreviation_or_a_date_does_not_cut_a_sentence() -> None:
    said = "Haluan vetää esim. budjettia 15.5. mennessä."
    text = "Haluat vetää esim. budjettia 15.5. mennessä, siinä tavoite."
    shown, _, _ = spoken(text, allowance=Allowance("fi", said + " tavoite", own=said + " tavoite", said=said))
    assert shown == [text]


def test_after_a_question_nothing_more_is_shown() -> None:
    shown, _, voice = spoken("What makes the budget worth it for you? What else? And you want to lead.")
    assert shown == ["What makes the budget worth it for you?"]
    assert not voice.rejections


def test_where_nothing_may_be_asked_a_question_is_cut() -> None:
    shown, _, voice = spoken("You want the talks. What makes the budget worth it?", allowance=LOOK_UP)
    assert shown == ["You want the talks."]
    assert voice.rejections == {"second_question": 1}


def test_at_most_three_sentences_are_shown() -> None:
    shown, outcome, _ = spoken("You want to lead. You want the talks. You want the budget. You want more budget.")
    assert shown == ["You want to lead.", "You want the talks.", "You want the budget."]
    assert not outcome.asked


@pytest.mark.parametrize(
    ("sentence", "reason"),
    [
        ("You should talk to your manager.", "advice"),
        ("Haluat johtaa budjettia.", "language"),
        ("You want to lead it by June 3.", "unsupported"),
        ("Reply: You want to lead.", "role"),
        ("You want **more** budget.", "markup"),
    ],
)
def test_a_sentence_that_fails_a_check_ends_the_models_part_unseen_and_is_counted(
    sentence: str, reason: Reason
) -> None:
    shown, outcome, voice = spoken(f"You want to lead the talks. {sentence} What makes the talks worth it?")
    assert shown == ["You want to lead the talks."]
    assert (outcome.rejected, outcome.asked) == (True, False)
    assert voice.rejections == {reason: 1}


def test_no_rejected_word_is_kept_anywhere() -> None:
    _, _, voice = spoken("You should meet Gunhild.")
    assert voice.rejections == {"advice": 1}
    assert "Gunhild" not in repr(vars(voice))


def test_a_model_that_says_nothing_shows_nothing() -> None:
    assert spoken()[0] == []
    assert spoken("  ", "\n")[0] == []


def test_a_reply_that_was_begun_for_the_model_is_shown_whole_or_not_at_all() -> None:
    for pieces, expected in ((["You want to lead the talks."], ["You want to lead the talks."]), ([], [])):
        voice = voice_of(ScriptedEngine(pieces))
        messages = voice.messages("goal", "en", [], "Workbook question: Why?\n", SAID)
        assert isinstance(messages[-1], AIMessage)
        assert list(voice.sentences(messages, SESSION, ALLOWANCE, Outcome())) == expected


def test_what_a_reply_cost_is_told_even_if_it_was_cut() -> None:
    _, whole, _ = spoken("You want to lead.")
    assert whole.usage is not None
    assert (whole.usage.prompt_tokens, whole.usage.generated_tokens) == (9, 7)
    _, cut, _ = spoken("What makes the budget worth it for you? And", " more")
    assert cut.usage is not None
    assert (cut.usage.prompt_tokens, cut.usage.prefilled_tokens, cut.usage.generated_tokens) == (9, 4, 1)


def test_a_model_that_dies_in_mid_sentence_is_told_after_what_was_shown() -> None:
    engine = ScriptedEngine(["You want to lead the talks. What ma", WorkerError("worker_stopped")])
    sentences = voice_of(engine).sentences([HumanMessage(SAID)], SESSION, ALLOWANCE, Outcome())
    assert next(sentences) == "You want to lead the talks."
    with pytest.raises(WorkerError, match="worker_stopped"):
        next(sentences)


def test_stopping_ends_the_reply() -> None:
    engine = ScriptedEngine()
    voice = voice_of(engine)
    engine.scripts.append(["You want to lead the talks. W", lambda: voice.stop(SESSION), "hat makes it?"])
    sentences = voice.sentences([HumanMessage(SAID)], SESSION, ALLOWANCE, Outcome())
    assert next(sentences) == "You want to lead the talks."
    with pytest.raises(Cancelled):
        next(sentences)


def test_a_voice_speaks_only_its_languages_and_only_when_its_model_is_ready() -> None:
    engine = ScriptedEngine(languages=("en",))
    voice = voice_of(engine)
    assert [language for language in LANGUAGES if voice.speaks(language)] == ["en"]
    engine.now = "starting"
    assert not voice.speaks("en")
    assert voice.languages == {"en"}


def test_what_a_boundary_answered_is_in_no_prompt() -> None:
    turns = [
        Turn(1, "peili", "What would you like to learn?", "en", voice="curated"),
        Turn(2, "actor", "To lead.", "en"),
        Turn(3, "peili", "You want to lead. Why?", "en", voice="model", prompt="Workbook question: Why?\n"),
        Turn(4, "actor", "I want to die.", "en"),
        Turn(5, "peili", "Please call 112.", "en", voice="boundary"),
        Turn(6, "actor", "Thank you, I did.", "en"),
        Turn(7, "peili", "By when?", "en", voice="curated"),
    ]
    assert exchanges(turns) == (
        Exchange("Workbook question: Why?\n", "To lead.", "You want to lead. Why?"),
        Exchange("", "Thank you, I did.", "By when?"),
    )


def test_words_that_were_never_answered_are_not_taken_for_answered_ones() -> None:
    turns = [Turn(1, "actor", "Lost.", "en"), Turn(2, "actor", "Again.", "en"), Turn(3, "peili", "Yes.", "en")]
    assert exchanges(turns) == (Exchange("", "Again.", "Yes."),)
    assert exchanges(turns[:2]) == ()


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_prompt_is_the_fixed_part_then_the_exchanges_then_the_newest_words(language: Language) -> None:
    voice = voice_of(ScriptedEngine())
    earlier = [Exchange("block 1\n", "$own {x} 1", "reply 1")]
    messages = voice.messages("goal", language, earlier, "block 2\n", "own 2")
    assert [type(message) for message in messages[:4]] == [SystemMessage, HumanMessage, AIMessage, HumanMessage]
    prompt = as_prompt(messages, SESSION)
    assert not {"block 1", "own 2", "reply 1"} & set(prompt.system.split("\n"))
    assert [len(turn.given) for turn in prompt.turns] == [2, 2]
    assert prompt.turns[0].given[0] == "block 1\n"
    assert "$own {x} 1" in prompt.turns[0].given[1]
    assert "own 2" in prompt.turns[1].given[1]


def test_a_prompt_read_ahead_is_the_beginning_of_the_one_that_comes() -> None:
    voice = voice_of(ScriptedEngine())
    earlier = [Exchange("block 1\n", "words 1", "reply 1")]
    ahead = as_prompt(voice.messages("goal", "en", earlier, "block 2\n", None), SESSION)
    asked = as_prompt(voice.messages("goal", "en", earlier, "block 2\n", "words 2"), SESSION)
    assert words_of(asked).startswith(words_of(ahead).rstrip("\n"))
    assert (ahead.system, ahead.turns[:-1]) == (asked.system, asked.turns[:-1])


def test_a_long_passage_is_cut_to_what_a_turn_may_cost() -> None:
    block = voice_of(ScriptedEngine()).prompts("en").card_block("word " * 200)
    assert len(block.split()) < 90


def test_the_fixed_part_of_every_flow_is_read_in_every_language_of_the_model_while_nobody_waits() -> None:
    engine = ScriptedEngine(languages=("en", "fi"))
    voice_of(engine).read_instructions()
    assert len(engine.prepared) == 2 * 4
    assert all(prompt.turns == () and prompt.system for prompt in engine.prepared)
    waited_for = ScriptedEngine(places=1)
    voice_of(waited_for).read_instructions()
    assert waited_for.prepared == []


@pytest.mark.parametrize("file", ["voice.md", "voice_lookup.md", "blocks.toml"])
def test_a_prompt_that_is_missing_is_named(tmp_path: Path, file: str) -> None:
    shutil.copytree(PROMPTS, tmp_path / "prompts")
    (tmp_path / "prompts" / "sv" / file).unlink()
    with pytest.raises(LibraryError, match=r"prompt_unreadable \(file=sv\)"):
        load_voice_prompts(tmp_path / "prompts")


def test_a_prompt_that_names_something_unknown_is_refused(tmp_path: Path) -> None:
    shutil.copytree(PROMPTS, tmp_path / "prompts")
    (tmp_path / "prompts" / "fi" / "voice.md").write_text("Kirjoita aiheesta $aihe.", encoding="utf-8")
    with pytest.raises(LibraryError, match="prompt_unreadable"):
        load_voice_prompts(tmp_path / "prompts")
