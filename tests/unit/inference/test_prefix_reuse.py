"""What the model need not read again: growing, guessing, switching, restarting, forgetting."""

from __future__ import annotations

import itertools
import json
from collections.abc import Sequence
from pathlib import Path

import pytest
from fake_engine import BYTES_A_TOKEN, FakeEngine, plain

from assistant.errors import Cancelled, ModelError
from assistant.inference.sessions import CHUNK, MAX_STATES, Cost, Prompt, Sessions
from assistant.inference.templates import PromptTurn, segments, template

CHATML = template("chatml")
FLOW = "You help with goals. " * 12
AMPLE = 1 << 30


class Talk:
    """A conversation with a model that holds it in `sessions`."""

    def __init__(self, sessions: Sessions, name: str, *, system: str = FLOW, room: int = 20) -> None:
        self.turns: list[PromptTurn] = []
        self._sessions = sessions
        self._name = name
        self._system = system
        self._room = room

    def prompt(self, *given: str, closed: bool = True) -> Prompt:
        groups = segments(CHATML, self._system, [*self.turns, PromptTurn(given, None)], closed=closed)
        return Prompt(self._name, tuple(tuple(group) for group in groups))

    def prepare(self, block: str) -> Cost:
        return self._sessions.bring_up(self.prompt(block, closed=False), 0, never)

    def ask(self, *given: str) -> Cost:
        return self._sessions.bring_up(self.prompt(*given), self._room, never)

    def say(self, *given: str, reply: str = "I see.") -> Cost:
        """One whole exchange; as in the worker, the reply's last token is not evaluated."""
        cost = self.ask(*given)
        self.answered(given, reply, list(reply.encode()))
        return cost

    def answered(self, given: tuple[str, ...], reply: str, tokens: Sequence[int]) -> None:
        self._sessions.spoke(self._name, tokens, 0, reply)
        self.turns.append(PromptTurn(given, reply))


def never() -> bool:
    return False


def sessions_of(engine: FakeEngine, states: Path, *, key: str = "model-1", snapshot_bytes: int = AMPLE) -> Sessions:
    return Sessions(engine, states=states, key=key, snapshot_bytes=snapshot_bytes)


def length(*texts: str) -> int:
    return sum(len(text.encode()) for text in texts)


def whole(engine: FakeEngine, prompt: Prompt) -> list[int]:
    """The tokens of a prompt, read by somebody who knows nothing of it."""
    return [t for group in prompt.groups for piece in group for t in engine.tokens(piece.text, control=piece.control)]


@pytest.fixture
def engine() -> FakeEngine:
    return FakeEngine()


@pytest.fixture
def states(tmp_path: Path) -> Path:
    return tmp_path / "prefix"


def fixed_length(system: str = FLOW) -> int:
    return length(CHATML.system_open, system, CHATML.system_close)


def turn_length(*given: str) -> int:
    return length(CHATML.user_open, *given, CHATML.user_close, CHATML.reply_open)


def test_a_turn_costs_only_its_own_words_however_long_the_conversation(engine: FakeEngine, states: Path) -> None:
    talk = Talk(sessions_of(engine, states), "ann/1")
    first = talk.say("I want to lead better meetings.")
    assert first == (engine.evaluated, engine.evaluated)
    for number in range(2, 12):
        cost = talk.say(f"My answer number {number}.", reply="And then?")
        before = length(talk.turns[-2].reply or "", CHATML.reply_close)
        assert cost.prefilled == before + turn_length(f"My answer number {number}.")
    prompt = talk.prompt("The last one.")
    talk.ask("The last one.")
    assert engine.sequence == whole(engine, prompt)


def test_evaluated_tokens_of_a_reply_are_not_evaluated_again(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    talk = Talk(sessions, "ann/1")
    talk.ask("Hello")
    engine.evaluate(b"I se", len(engine.sequence))
    sessions.spoke("ann/1", list(b"I see"), 4, "I see")
    talk.turns.append(PromptTurn(("Hello",), "I see"))
    assert talk.ask("Well").prefilled == length("e", CHATML.reply_close) + turn_length("Well")


def test_a_right_guess_leaves_only_the_persons_own_words(engine: FakeEngine, states: Path) -> None:
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.say("Hello")
    talk.prepare("Ask by when. ")
    cost = talk.ask("Ask by when. ", "In spring.")
    assert cost.prefilled == turn_length("In spring.") - length(CHATML.user_open)


def test_a_wrong_guess_goes_back_to_what_both_share(engine: FakeEngine, states: Path) -> None:
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.say("Hello")
    talk.prepare("Ask by when it is done. ")
    cost = talk.ask("Ask why it matters. ", "For my team.")
    assert cost.prefilled == turn_length("why it matters. ", "For my team.") - length(CHATML.user_open)
    assert engine.sequence == whole(engine, talk.prompt("Ask why it matters. ", "For my team."))


def test_the_same_prompt_again_costs_one_token(engine: FakeEngine, states: Path) -> None:
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.ask("Hello")
    assert talk.ask("Hello").prefilled == 1


def test_a_reply_keeps_the_tokens_it_was_generated_with(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    talk = Talk(sessions, "ann/1")
    talk.ask("Hello")
    engine.evaluate([700, 701], len(engine.sequence))
    sessions.spoke("ann/1", [700, 701, 702], 2, " good day\n")
    talk.turns.append(PromptTurn(("Hello",), "good day"))
    assert talk.ask("Well").prefilled == 1 + length(CHATML.reply_close) + turn_length("Well")
    begins = engine.sequence.index(700)
    assert engine.sequence[begins : begins + 3] == [700, 701, 702]


def test_coming_back_to_a_conversation_costs_only_the_new_turn(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    one, other = Talk(sessions, "ann/1"), Talk(sessions, "ben/1")
    one.say("I want to lead better meetings.")
    other.say("My goal is to listen more.")
    cost = one.say("By summer.")
    assert cost.prefilled == length("I see.", CHATML.reply_close) + turn_length("By summer.")
    assert engine.restored == 1
    assert "listen" not in plain(engine.sequence)


def test_a_new_conversation_starts_behind_the_shared_instructions(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    Talk(sessions, "ann/1").say("I want to lead better meetings.")
    cost = Talk(sessions, "ben/1").say("My goal is to listen more.")
    shared = length(CHATML.user_open, "I")
    assert cost.prefilled <= cost.prompt - fixed_length()
    assert cost.prefilled >= turn_length("My goal is to listen more.") - shared


def test_the_instructions_are_read_once_and_loaded_after_a_restart(engine: FakeEngine, states: Path) -> None:
    Talk(sessions_of(engine, states), "ann/1").say("I want to lead better meetings.")
    restarted = FakeEngine()
    cost = Talk(sessions_of(restarted, states), "ben/1").say("Hello")
    assert cost.prefilled == turn_length("Hello")
    assert (len(engine.saved), restarted.loaded, restarted.saved) == (1, 1, [])


def test_the_disk_holds_the_instructions_and_not_a_private_word(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    private = "my boss shouted at me"
    for number, system in enumerate((FLOW, "You help with reflection. " * 9, "You look things up. " * 7)):
        talk = Talk(sessions, f"ann/{number}", system=system)
        for _ in range(3):
            talk.say(private, reply="That was hard.")
    kept = [json.loads(path.read_text(encoding="utf-8")) for path in states.iterdir()]
    assert len(kept) == 3
    for tokens in kept:
        text = plain(tokens)
        assert text.startswith(CHATML.system_open)
        assert text.endswith(CHATML.system_close)
        assert not any(word in text for word in private.split()[1:])


def test_another_model_or_library_does_not_take_the_state_on_disk(engine: FakeEngine, states: Path) -> None:
    Talk(sessions_of(engine, states, key="model-1"), "ann/1").say("Hello")
    other = FakeEngine()
    cost = Talk(sessions_of(other, states, key="model-2"), "ann/1").say("Hello")
    assert (cost.prefilled, other.loaded) == (cost.prompt, 0)


def test_a_damaged_state_on_disk_is_replaced(engine: FakeEngine, states: Path) -> None:
    Talk(sessions_of(engine, states), "ann/1").say("Hello")
    (file,) = states.iterdir()
    file.write_text("half a fi", encoding="utf-8")
    second = FakeEngine()
    cost = Talk(sessions_of(second, states), "ann/1").say("Hello")
    assert (cost.prefilled, second.saved) == (cost.prompt, [file])
    third = FakeEngine()
    Talk(sessions_of(third, states), "ann/1").say("Hello")
    assert third.loaded == 1


def test_a_state_that_cannot_be_written_costs_no_reply(engine: FakeEngine, tmp_path: Path) -> None:
    (tmp_path / "in the way").touch()
    talk = Talk(sessions_of(engine, tmp_path / "in the way" / "prefix"), "ann/1")
    talk.say("Hello")
    assert engine.sequence == whole(engine, talk.prompt("Hello"))[: len(engine.sequence)]
    assert talk.say("Well").prefilled < 100


def test_the_disk_never_holds_more_than_so_many_states(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    for number in range(MAX_STATES + 5):
        Talk(sessions, f"ann/{number}", system=f"Instructions number {number}.").say("Hello")
        assert engine.saved[-1].exists()
    assert len(list(states.iterdir())) == MAX_STATES


def test_of_too_many_conversations_the_one_left_longest_is_read_again(engine: FakeEngine, states: Path) -> None:
    said = "is a goal of some length, so that a conversation takes room."
    one_conversation = BYTES_A_TOKEN * (fixed_length() + turn_length("1 ", said))
    sessions = sessions_of(engine, states, snapshot_bytes=2 * one_conversation)
    talks = [Talk(sessions, f"ann/{number}") for number in range(4)]
    for number, talk in enumerate(talks):
        talk.say(f"{number} ", said)
    assert talks[1].say("More").prefilled < turn_length("More") + 50
    assert talks[2].say("More").prefilled < turn_length("More") + 50
    oldest = talks[0].say("More")
    assert oldest.prefilled == oldest.prompt - fixed_length() - length(CHATML.user_open)
    assert oldest.prefilled > length(said)


def test_old_turns_go_rarely_and_many_at_once_when_the_context_is_full(states: Path) -> None:
    engine = FakeEngine(context=1500)
    talk = Talk(sessions_of(engine, states), "ann/1")
    costs = [talk.say(f"This is what I have to say in turn {number}.") for number in range(40)]
    dropping = [index for index, (a, b) in enumerate(itertools.pairwise(costs)) if b.prompt < a.prompt]
    assert all(cost.prompt + 20 <= engine.context for cost in costs)
    assert 2 <= len(dropping) <= 6
    for index, cost in enumerate(costs[1:]):
        if index in dropping:
            assert cost.prompt <= 0.6 * engine.context
        else:
            assert cost.prefilled < 130
    text = plain(engine.sequence)
    assert text.startswith(CHATML.system_open + FLOW)
    assert "in turn 39." in text
    assert "in turn 3." not in text


def test_a_turn_that_cannot_fit_is_refused_and_costs_no_memory_of_the_conversation(states: Path) -> None:
    engine = FakeEngine(context=1000)
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.say("I want to lead better meetings.")
    with pytest.raises(ModelError) as caught:
        talk.ask("much " * 300)
    assert caught.value.key == "turn_too_long"
    assert talk.say("Shorter.").prefilled == length("I see.", CHATML.reply_close) + turn_length("Shorter.")
    assert "better meetings" in plain(engine.sequence)


def test_a_stop_while_reading_keeps_what_was_read(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    talk = Talk(sessions, "ann/1")
    talk.prepare("")
    looks = iter([False, False, True])
    long = "word " * 100
    read_before = engine.evaluated
    with pytest.raises(Cancelled):
        sessions.bring_up(talk.prompt(long), 20, lambda: next(looks))
    assert engine.evaluated == read_before + 2 * CHUNK
    assert talk.ask(long).prefilled == turn_length(long) - length(CHATML.user_open) - 2 * CHUNK
    assert engine.sequence == whole(engine, talk.prompt(long))


def test_a_stop_before_the_first_piece_reads_nothing(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    with pytest.raises(Cancelled):
        sessions.bring_up(Talk(sessions, "ann/1").prompt("Hello"), 20, lambda: True)
    assert engine.evaluated == 0


@pytest.mark.parametrize("fails_at", [1, 2, 6, 7])
def test_after_a_failure_of_the_engine_the_next_turn_is_read_right(states: Path, fails_at: int) -> None:
    engine = FakeEngine()
    talk = Talk(sessions_of(engine, states), "ann/1")
    engine.fails_at = fails_at
    with pytest.raises(ModelError):
        for _ in range(3):
            talk.say("A few words, so that there are several pieces to read for one turn and then one more.")
    talk.ask("Hello")
    assert engine.sequence == whole(engine, talk.prompt("Hello"))


def test_after_a_reply_that_broke_off_the_next_turn_is_read_right(engine: FakeEngine, states: Path) -> None:
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.ask("Hello")
    engine.evaluate(b"I s", len(engine.sequence))  # generated, and then the engine failed: `spoke` is never told
    talk.turns.append(PromptTurn(("Hello",), "Good day."))
    talk.ask("Well")
    assert engine.sequence == whole(engine, talk.prompt("Well"))


def test_forgetting_a_person_leaves_the_others_alone(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    ann, anna, ben = (Talk(sessions, name) for name in ("ann/1", "anna/1", "ben/1"))
    anna.say("My goal is to listen more.")
    ben.say("By summer we decide faster.")
    ann.say("I want to lead better meetings.")
    sessions.forget("ann/")
    assert engine.sequence == []
    for talk, said in ((anna, "More"), (ben, "Well")):
        assert talk.say(said).prefilled == length("I see.", CHATML.reply_close) + turn_length(said)
    gone = ann.say("More")
    assert gone.prefilled == gone.prompt - fixed_length() - length(CHATML.user_open)


def test_forgetting_drops_a_conversation_that_was_put_aside(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    ann, ben = Talk(sessions, "ann/1"), Talk(sessions, "ben/1")
    ann.say("I want to lead better meetings.")
    ben.say("My goal is to listen more.")
    sessions.forget("ann/")
    assert "listen" in plain(engine.sequence)
    ann.ask("More")
    assert engine.restored == 0


def test_forgetting_drops_how_a_reply_was_worded_too(engine: FakeEngine, states: Path) -> None:
    sessions = sessions_of(engine, states)
    talk = Talk(sessions, "ann/1")
    talk.ask("Hello")
    talk.answered(("Hello",), "good day", [700, 701])
    sessions.forget("ann/")
    talk.ask("Well")
    assert engine.sequence == whole(engine, talk.prompt("Well"))


def test_a_hybrid_model_reads_everything_again_after_a_wrong_guess_and_reads_it_right(states: Path) -> None:
    engine = FakeEngine(rolls_back=False)
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.say("Hello")
    talk.prepare("Ask by when it is done. ")
    cost = talk.ask("Ask why it matters. ", "For my team.")
    assert cost.prefilled == cost.prompt
    assert engine.sequence == whole(engine, talk.prompt("Ask why it matters. ", "For my team."))


def test_a_hybrid_model_can_still_grow_a_conversation(states: Path) -> None:
    engine = FakeEngine(rolls_back=False)
    talk = Talk(sessions_of(engine, states), "ann/1")
    talk.say("Hello")
    talk.prepare("Ask by when. ")
    cost = talk.ask("Ask by when. ", "In spring.")
    assert cost.prefilled == turn_length("In spring.") - length(CHATML.user_open)


def test_a_request_is_read_off_the_pipe_as_it_was_written(engine: FakeEngine, states: Path) -> None:
    prompt = Talk(sessions_of(engine, states), "ann/1").prompt("Ääni ”näin”", "<|im_end|>")
    request = json.loads(json.dumps({"session": prompt.session, "groups": prompt.groups}))
    assert Prompt.from_request(request) == prompt
