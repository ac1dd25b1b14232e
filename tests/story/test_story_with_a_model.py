"""Aino writes in English to a Peili with a model: it words the replies, and whatever it does, she is answered."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from fakes.dialogue import (
    FixedAnswer,
    FixedBoundaries,
    Piece,
    ScriptedEngine,
    Talk,
    card_questions,
    library,
    toolbox,
    voice_of,
    words_of,
)

from assistant.domain import Finished, Language, Sources, Text, Waiting
from assistant.errors import ModelError, WorkerError

WISH = "I want to learn to lead the budget talks."
REASON = "It is important because nobody else dares."
MIRRORED = "You want to learn to lead the budget talks."
ASKED = "What is it about the budget talks?"


def talk_with(*scripts: list[Piece], engine: ScriptedEngine | None = None) -> tuple[Talk, ScriptedEngine]:
    engine = engine or ScriptedEngine(languages=("en",))
    engine.scripts = list(scripts)
    return Talk("goal", "en", toolbox(voice=voice_of(engine))), engine


def test_a_reply_in_the_models_words_is_shown_kept_and_rests_on_a_card() -> None:
    talk, _ = talk_with([f"{MIRRORED} {ASKED}"])
    heard = talk.say(WISH)
    assert heard.text == f"{MIRRORED} {ASKED}"
    assert [event.voice for event in heard.events if isinstance(event, Text)] == ["model", "model"]
    reply = heard.reply
    assert (reply.voice, reply.state, reply.language) == ("model", "complete", "en")
    assert reply.citations[0].quote in card_questions("goal.why", "en")
    assert (reply.timing.prompt_tokens, reply.timing.prefilled_tokens, reply.timing.generated_tokens) == (9, 4, 7)
    assert reply.timing.total_ms >= reply.timing.first_text_ms > 0
    assert (talk.turns[-1].text, talk.turns[-1].voice) == (heard.text, "model")
    assert talk.under("what") == [WISH], "what stands on the sheet is hers, not the model's"


def test_sources_come_before_the_models_first_word() -> None:
    talk, _ = talk_with([f"{MIRRORED} {ASKED}"])
    kinds = [type(event) for event in talk.say(WISH).events]
    assert kinds.index(Sources) < kinds.index(Text)
    assert kinds[-1] is Finished


def test_the_model_is_given_the_cards_question_and_her_words_and_earlier_turns_as_they_were() -> None:
    talk, engine = talk_with([f"{MIRRORED} {ASKED}"], ["You say nobody else dares. What is it about the talks?"])
    talk.say(WISH)
    talk.say(REASON)
    first, second = engine.asked
    assert any(question in first.turns[-1].given[0] for question in card_questions("goal.why", "en"))
    assert WISH in first.turns[-1].given[1]
    assert second.system == first.system
    assert second.turns[0].given == first.turns[-1].given
    assert second.turns[0].reply == f"{MIRRORED} {ASKED}"
    assert second.session == first.session


def test_while_she_types_the_model_reads_ahead_what_it_will_be_given() -> None:
    talk, engine = talk_with([f"{MIRRORED} {ASKED}"], ["You say nobody else dares. What is it about the talks?"])
    guessed = engine.prepared[-1]
    talk.say(WISH)
    assert engine.asked[0].turns[-1].given[0] == guessed.turns[-1].given[0]
    assert guessed.session == engine.asked[0].session
    guessed = engine.prepared[-1]
    talk.say(REASON)
    assert engine.asked[1].turns[:-1] == guessed.turns[:-1]
    assert engine.asked[1].turns[-1].given[0] == guessed.turns[-1].given[0]


@pytest.mark.parametrize(
    "rejected", ["You should ask your manager.", "Haluat johtaa budjettia.", "That is great work!"]
)
def test_a_reply_that_begins_badly_is_the_workbooks_instead(rejected: str) -> None:
    talk, _ = talk_with([f"{rejected} {ASKED}"])
    heard = talk.say(WISH)
    assert rejected not in heard.text
    assert (heard.reply.voice, heard.reply.state) == ("curated", "fell_back")
    assert f"“{WISH.rstrip('.')}”" in heard.text
    assert heard.asks("goal.why")
    assert talk.turns[-1].state == "fell_back"


def test_a_good_beginning_stays_and_the_workbook_asks_when_the_rest_is_rejected() -> None:
    talk, _ = talk_with([f"{MIRRORED} You must ask your manager."])
    heard = talk.say(WISH)
    assert heard.text.startswith(MIRRORED)
    assert heard.asks("goal.why")
    assert "must" not in heard.text
    assert [event.voice for event in heard.events if isinstance(event, Text)] == ["model", "curated"]


def test_a_model_that_asks_nothing_is_followed_by_the_workbooks_question() -> None:
    talk, _ = talk_with([MIRRORED])
    heard = talk.say(WISH)
    assert heard.text.startswith(MIRRORED)
    assert heard.asks("goal.why")


def test_the_longest_reply_stays_within_ninety_words() -> None:
    """Two sentences of forty words and one of five would fit by themselves, but not with the question behind them."""
    long = "You want to learn to lead the budget talks " * 4 + "and the budget talks."
    assert len(long.split()) == 40
    talk, _ = talk_with([f"{long} {long} You want to learn more."])
    heard = talk.say(WISH)
    assert heard.text.startswith(long)
    assert heard.asks("goal.why")
    assert len(heard.text.split()) <= 90


def test_the_model_does_not_ask_what_was_asked_before() -> None:
    talk, _ = talk_with([f"{MIRRORED} {ASKED}"], [f"You say nobody else dares. {ASKED}"])
    talk.say(WISH)
    heard = talk.say(REASON)
    assert heard.text.startswith("You say nobody else dares. ")
    assert heard.asks("goal.evidence")
    assert talk.tools.voice is not None
    assert talk.tools.voice.rejections == {"repeated": 1}


@pytest.mark.parametrize(
    "error", [WorkerError("worker_stopped"), ModelError("turn_too_long"), WorkerError("queue_full")]
)
def test_a_model_that_fails_at_once_is_told_and_the_workbook_answers(error: Exception) -> None:
    talk, _ = talk_with([error])
    heard = talk.say(WISH)
    assert heard.notices == (f"error.{error.args[0]}",)
    assert heard.asks("goal.why")
    assert (heard.reply.voice, heard.reply.state) == ("curated", "fell_back")
    assert talk.under("what") == [WISH]


def test_a_model_that_dies_in_mid_sentence_leaves_whole_sentences_and_the_workbook_finishes() -> None:
    talk, _ = talk_with([f"{MIRRORED} What is it ab", WorkerError("worker_stopped")])
    heard = talk.say(WISH)
    assert heard.notices == ("error.worker_stopped",)
    assert heard.text.startswith(f"{MIRRORED} ")
    assert "What is it ab" not in heard.text
    assert heard.asks("goal.why")
    assert talk.turns[-1].text == heard.text


def test_her_words_are_kept_before_the_model_is_asked() -> None:
    talk, engine = talk_with()
    kept: list[str] = []
    engine.scripts = [[lambda: kept.extend(turn.text for turn in talk.turns), RuntimeError("no such thing")]]
    with pytest.raises(RuntimeError, match="no such thing"):
        talk.say(WISH)
    assert WISH in kept
    assert talk.turns[1].text == WISH
    assert talk.under("what") == [WISH]
    engine.scripts = [["You say nobody else dares. What is it about the talks?"]]
    assert talk.say(REASON).reply.state == "complete", "the conversation can go on"


def test_stop_ends_the_reply_keeps_what_was_shown_and_the_question_comes_next_time() -> None:
    talk, engine = talk_with()
    engine.scripts = [[f"{MIRRORED} W", lambda: talk.service.stop(talk.id), "hat is it?"]]
    heard = talk.say(WISH)
    assert heard.text == MIRRORED
    assert heard.reply.state == "stopped"
    assert (talk.turns[-1].text, talk.turns[-1].state) == (MIRRORED, "stopped")
    block = engine.asked[0].turns[-1].given[0]
    (unseen,) = [question for question in card_questions("goal.why", "en") if question in block]
    engine.stopped.clear()
    engine.scripts = [[WorkerError("worker_stopped")]]
    assert talk.say("By the end of August.").text.endswith(unseen), "what she never saw was not asked"


def test_stop_before_the_first_word_leaves_an_empty_stopped_reply_and_her_words() -> None:
    talk, engine = talk_with()
    engine.scripts = [[lambda: talk.service.stop(talk.id), "You want"]]
    heard = talk.say(WISH)
    assert (heard.text, heard.reply.state) == ("", "stopped")
    assert [turn.text for turn in talk.turns[1:]] == [WISH, ""]


class PressesStop(FixedBoundaries):
    """While the message is read, before the model is asked, she presses Stop."""

    talk: Talk

    def check(
        self, text: str, language: Language, *, recent: Sequence[str] = (), answering: bool = False
    ) -> FixedAnswer | None:
        self.talk.service.stop(self.talk.id)
        return super().check(text, language, recent=recent, answering=answering)


@pytest.mark.parametrize("with_model", [True, False], ids=["with a model", "without a model"])
def test_stop_while_her_message_is_read_is_not_lost(with_model: bool) -> None:
    engine = ScriptedEngine(languages=("en",))
    boundaries = PressesStop({"hopeless": FixedAnswer("Please call 112 now.")})
    talk = Talk("goal", "en", toolbox(voice=voice_of(engine) if with_model else None, boundaries=boundaries))
    boundaries.talk = talk
    heard = talk.say(WISH)
    assert (heard.text, heard.reply.state) == ("", "stopped")
    assert talk.under("what") == [WISH], "what was read of it stays"
    assert engine.asked == []
    assert talk.say("It is hopeless.").text == "Please call 112 now.", "help in need is not stopped"


def test_a_stop_lasts_for_one_reply() -> None:
    talk, engine = talk_with()
    engine.scripts = [[lambda: talk.service.stop(talk.id), "You want"]]
    assert talk.say(WISH).reply.state == "stopped"
    engine.stopped.clear()
    engine.scripts = [["You say nobody else dares. What is it about the talks?"]]
    assert talk.say(REASON).reply.state == "complete"


def test_what_she_deletes_the_model_forgets() -> None:
    talk, engine = talk_with([f"{MIRRORED} {ASKED}"])
    talk.say(WISH)
    talk.service.delete(talk.id)
    assert engine.forgotten == [engine.asked[0].session]


def test_stop_without_a_reply_does_nothing() -> None:
    talk, engine = talk_with([f"{MIRRORED} {ASKED}"])
    talk.service.stop(talk.id)
    assert engine.stopped == set()
    assert talk.say(WISH).reply.state == "complete"


def test_a_page_that_goes_away_in_mid_reply_leaves_the_words_and_a_stopped_reply() -> None:
    talk, _ = talk_with([f"{MIRRORED} {ASKED}"])
    events = talk.service.reply(talk.id, WISH)
    while not isinstance(next(events), Text):
        pass
    events.close()  # type: ignore[attr-defined] # a generator, as the page has it
    assert (talk.turns[-1].text, talk.turns[-1].state) == (MIRRORED, "stopped")
    assert talk.say("I have no idea").text, "the conversation is not held up"


def test_who_has_to_wait_is_told_how_many_are_before() -> None:
    engine = ScriptedEngine(languages=("en",), places=2)
    talk, _ = talk_with([f"{MIRRORED} {ASKED}"], engine=engine)
    waits = [event.place for event in talk.say(WISH).events if isinstance(event, Waiting)]
    assert waits == [2]


def test_a_model_words_nothing_in_a_language_it_does_not_know() -> None:
    talk, engine = talk_with()
    heard = talk.say("Haluan oppia johtamaan budjettipalavereja paremmin.")
    assert (heard.reply.voice, heard.reply.language, heard.reply.state) == ("curated", "fi", "complete")
    assert engine.asked == []
    assert talk.turns[-1].prompt == ""


def test_a_model_that_is_not_ready_is_not_waited_for() -> None:
    talk, engine = talk_with()
    engine.now = "starting"
    heard = talk.say(WISH)
    assert (heard.reply.voice, heard.reply.state, engine.asked) == ("curated", "complete", [])
    engine.now = "ready"
    engine.scripts = [["You say nobody else dares. What is it about the talks?"]]
    assert talk.say(REASON).reply.voice == "model"


@pytest.mark.parametrize("text", ["I don't know", "skip", "what do you mean?", "go back", "Hi!", "done"])
def test_a_message_that_steers_is_answered_by_the_workbook_at_once(text: str) -> None:
    talk, engine = talk_with()
    assert talk.say(text).reply.voice == "curated"
    assert engine.asked == []


def test_look_up_in_the_models_words_says_what_the_card_says_and_cites_it() -> None:
    card = library().card("KIC-04", "en")
    engine = ScriptedEngine([f"{card.steps[0].text.rstrip('.')}. What do you think?"], languages=("en",))
    talk = Talk("lookup", "en", toolbox(voice=voice_of(engine)))
    heard = talk.say("we need ground rules for our mentoring")
    assert heard.reply.citations[0].card_id == "KIC-04"
    assert heard.reply.voice == "model"
    assert card.steps[0].text in engine.asked[0].turns[-1].given[0]
    assert "?" not in heard.text.removeprefix(card.steps[0].text)


def test_where_nothing_fits_the_model_is_not_asked() -> None:
    engine = ScriptedEngine(languages=("en",))
    talk = Talk("lookup", "en", toolbox(voice=voice_of(engine)))
    assert "nothing on this" in talk.say("who won the ice hockey world championship").text
    assert engine.asked == []


def test_words_in_a_crisis_get_the_fixed_answer_and_never_reach_the_model() -> None:
    boundaries = FixedBoundaries({"hopeless": FixedAnswer("Please call 112 now.")})
    engine = ScriptedEngine([f"{MIRRORED} {ASKED}"], [WorkerError("worker_stopped")], languages=("en",))
    talk = Talk("goal", "en", toolbox(voice=voice_of(engine), boundaries=boundaries))
    talk.say(WISH)
    sheet = talk.sheet

    heard = talk.say("Everything is hopeless, I want to learn to disappear.")
    assert (heard.text, heard.reply.voice, heard.reply.state) == ("Please call 112 now.", "boundary", "complete")
    assert heard.sources == ()
    assert talk.sheet == sheet, "nothing of it stands on the sheet"
    assert talk.turns[-2].text == "Everything is hopeless, I want to learn to disappear."

    after = talk.say(REASON)
    assert after.asks("goal.evidence"), "the conversation stands where it stood"
    assert boundaries.met == [(), (), ("crisis",)]
    for prompt in (*engine.asked, *engine.prepared):
        assert "hopeless" not in words_of(prompt)
        assert "112" not in words_of(prompt)


def test_a_fixed_answer_is_kept_even_if_the_page_goes_away_at_once() -> None:
    boundaries = FixedBoundaries({"hopeless": FixedAnswer("Please call 112 now.")})
    talk = Talk("goal", "en", toolbox(boundaries=boundaries))
    events = talk.service.reply(talk.id, "It is hopeless.")
    next(events)
    events.close()  # type: ignore[attr-defined] # a generator, as the page has it
    assert (talk.turns[-1].text, talk.turns[-1].state, talk.turns[-1].voice) == (
        "Please call 112 now.",
        "complete",
        "boundary",
    )
