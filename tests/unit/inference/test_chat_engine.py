"""The chat model as the app has it: streams in turn, stops when asked, reads ahead when nobody needs it, forgets."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from patience import until
from scripted_model import REPLY, Asked, asked_of

from assistant.errors import Cancelled, ModelError, PeiliError, WorkerError
from assistant.inference.model import ChatEngine, Prefill, PromptInput, Sampling, Usage
from assistant.inference.templates import PromptTurn
from assistant.inference.worker import Worker

SOON_S = 0.05


class Desk:
    """A scripted model, the engine in front of it, and people who ask it in threads of their own."""

    def __init__(self, folder: Path, *, gate: Path | None = None) -> None:
        self.begun = folder / "preparing"
        config = {"preparing": str(self.begun), "gate": str(gate) if gate else ""}
        self.worker = Worker("scripted_model", config)
        self.engine = ChatEngine(self.worker, name="script", template_name="chatml", languages=frozenset({"en"}))

    def ask(self, session: str, text: str) -> list[Prefill | str | Usage]:
        return list(self.engine.stream(prompt(session, text), Sampling()))

    def asked(self) -> list[Asked]:
        return asked_of(self.worker)

    def ends(self) -> list[tuple[str, str, str]]:
        return [(one.operation, one.session, one.end) for one in self.asked()]

    def close(self) -> None:
        self.engine.close()


class Asker:
    """Somebody who asks in a thread of their own."""

    def __init__(self, desk: Desk, session: str, text: str) -> None:
        self.got: list[Prefill | str | Usage] = []
        self.places: list[int] = []
        self.error: PeiliError | None = None
        self._desk = desk
        self._prompt = prompt(session, text)
        self._thread = threading.Thread(target=self._ask, daemon=True)
        self._thread.start()

    def _ask(self) -> None:
        try:
            for piece in self._desk.engine.stream(self._prompt, Sampling(), on_place=self.places.append):
                self.got.append(piece)
        except PeiliError as error:
            self.error = error

    def speaks(self) -> Asker:
        until(lambda: self.got, "the first piece")
        return self

    def waits(self, place: int) -> Asker:
        until(lambda: self._desk.engine.waiting() == place + 1, f"{place} before it in the queue")
        return self

    def ended(self) -> Asker:
        self._thread.join(60)
        assert not self._thread.is_alive()
        return self


def prompt(session: str, *texts: str) -> PromptInput:
    return PromptInput(session, "You help.", (PromptTurn(texts, None),))


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    with ExitStack() as ending:
        made = Desk(tmp_path)
        ending.callback(made.close)
        yield made


def test_pieces_come_and_then_what_they_cost(desk: Desk) -> None:
    assert desk.ask("ann/1", "Hello") == [Prefill(50, 7, 20), *REPLY, Usage(50, 7, 4, 20, 30)]
    assert desk.engine.waiting() == 0


def test_a_refusal_is_told_and_the_next_turn_works(desk: Desk) -> None:
    with pytest.raises(ModelError) as caught:
        desk.ask("ann/1", "refuse")
    assert caught.value.key == "turn_too_long"
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)


def test_a_stop_while_it_runs(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    desk.engine.stop("ann/1")
    ann.ended()
    assert isinstance(ann.error, Cancelled)
    assert ann.got == ["Well "]
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)


def test_a_stop_while_it_waits_does_not_wait_for_the_others(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    ben = Asker(desk, "ben/1", "Hello").waits(1)
    desk.engine.stop("ben/1")
    ben.ended()
    assert isinstance(ben.error, Cancelled)
    assert ann.error is None
    desk.engine.stop("ann/1")
    ann.ended()
    assert desk.ends() == [("generate", "ann/1", "cancelled")]


def test_a_stop_while_the_model_loads(tmp_path: Path) -> None:
    gate = tmp_path / "gate"
    desk = Desk(tmp_path, gate=gate)
    try:
        ann = Asker(desk, "ann/1", "slowly")
        until(lambda: desk.engine.state == "starting", "it loads")
        desk.engine.stop("ann/1")
        gate.touch()
        ann.ended()
        assert isinstance(ann.error, Cancelled)
        assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)
    finally:
        desk.close()


def test_a_stop_meant_for_another_conversation_changes_nothing(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    ben = Asker(desk, "ben/1", "Hello").waits(1)
    for session in ("ann/2", "ann/", "ann", "ben/11", ""):
        desk.engine.stop(session)
    desk.engine.stop("ann/1")
    assert ben.ended().got[1:-1] == list(REPLY)
    assert ann.ended().got == ["Well "]


def test_a_stop_when_nothing_runs_does_not_touch_the_next_reply(desk: Desk) -> None:
    desk.engine.stop("ann/1")
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)


def test_a_third_question_of_the_same_person_is_refused(desk: Desk) -> None:
    running = Asker(desk, "ann/1", "slowly").speaks()
    waiting = Asker(desk, "ann/2", "Hello").waits(1)
    with pytest.raises(WorkerError) as caught:
        desk.ask("ann/3", "Hello")
    assert caught.value.key == "queue_full"
    desk.engine.stop("ann/1")
    running.ended()
    assert waiting.ended().got[1:-1] == list(REPLY)


def test_the_place_in_the_queue_is_told(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    ben = Asker(desk, "ben/1", "Hello")
    until(lambda: ben.places == [1], "one is before it")
    desk.engine.stop("ann/1")
    ann.ended()
    assert ben.ended().got[1:-1] == list(REPLY)
    assert (ann.places, ben.places) == ([], [1])


def test_who_leaves_stops_the_model(desk: Desk) -> None:
    stream = desk.engine.stream(prompt("ann/1", "slowly"), Sampling())
    assert next(stream) == "Well "
    stream.close()
    assert desk.engine.waiting() == 0
    assert desk.ends() == [("generate", "ann/1", "cancelled")]


def test_a_model_that_dies_is_told_and_comes_back_by_itself(desk: Desk) -> None:
    with pytest.raises(WorkerError) as caught:
        desk.ask("ann/1", "die")
    assert caught.value.key == "worker_stopped"
    until(lambda: desk.engine.state == "ready", "it is loaded again though nobody asked")
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)


def test_it_comes_back_too_when_it_died_reading_ahead(desk: Desk) -> None:
    desk.engine.warm()
    pid = desk.engine.pid
    desk.engine.prepare(prompt("ann/1", "die"))
    until(lambda: desk.engine.state == "ready" and desk.engine.pid not in (None, pid), "it is loaded again")
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)


def test_it_reads_ahead_when_nobody_needs_it(desk: Desk) -> None:
    desk.engine.prepare(prompt("ann/1", "Ask by when. "))
    assert desk.engine.wait_prepared(60)
    (asked,) = desk.asked()
    assert (asked.operation, asked.session, asked.end) == ("prepare", "ann/1", "done")
    assert asked.groups[-1] == [("<|im_start|>user\n", True), ("Ask by when. ", False)]


def test_reading_ahead_waits_until_the_reply_is_over(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    desk.engine.prepare(prompt("ben/1", "Ask why. "))
    assert not desk.engine.wait_prepared(SOON_S)
    assert not desk.begun.exists()
    desk.engine.stop("ann/1")
    ann.ended()
    assert desk.engine.wait_prepared(60)
    assert desk.ends() == [("generate", "ann/1", "cancelled"), ("prepare", "ben/1", "done")]


def test_reading_ahead_gives_way_to_a_reply(desk: Desk) -> None:
    desk.engine.prepare(prompt("ben/1", "slowly"))
    until(desk.begun.exists, "it reads ahead")
    assert not desk.engine.wait_prepared(SOON_S)
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)
    assert desk.engine.wait_prepared(60)
    assert desk.ends() == [("prepare", "ben/1", "cancelled"), ("generate", "ann/1", "done")]


def test_only_the_latest_wish_is_read(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    for block in ("Ask what. ", "Ask why. ", "Ask by when. "):
        desk.engine.prepare(prompt("ben/1", block))
    desk.engine.stop("ann/1")
    ann.ended()
    assert desk.engine.wait_prepared(60)
    assert [asked.newest for asked in desk.asked() if asked.operation == "prepare"] == [["Ask by when. "]]


def test_a_wish_is_void_once_its_conversation_goes_on(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    desk.engine.prepare(prompt("ben/1", "Ask why. "))
    ben = Asker(desk, "ben/1", "Because.").waits(1)
    desk.engine.stop("ann/1")
    ann.ended()
    ben.ended()
    assert desk.engine.wait_prepared(60)
    assert desk.ends() == [("generate", "ann/1", "cancelled"), ("generate", "ben/1", "done")]


def test_what_cannot_be_read_ahead_is_not_told(desk: Desk) -> None:
    desk.engine.prepare(prompt("ann/1", "refuse"))
    assert desk.engine.wait_prepared(60)
    desk.engine.prepare(prompt("ann/1", "Ask why. "))
    assert desk.engine.wait_prepared(60)
    assert [end for _, _, end in desk.ends()] == ["refused", "done"]


def test_forgetting_stops_the_persons_reply_and_reaches_the_model(desk: Desk) -> None:
    ann = Asker(desk, "ann/1", "slowly").speaks()
    again = Asker(desk, "ann/2", "Hello").waits(1)
    desk.engine.forget("ann/")
    assert isinstance(ann.ended().error, Cancelled)
    assert isinstance(again.ended().error, Cancelled)
    assert desk.ends() == [("generate", "ann/1", "cancelled"), ("forget", "ann/", "done")]


def test_forgetting_drops_the_persons_wish_and_nobody_elses(desk: Desk) -> None:
    cem = Asker(desk, "cem/1", "slowly").speaks()
    desk.engine.prepare(prompt("ann/1", "Ask why. "))
    forgetting = threading.Thread(target=desk.engine.forget, args=("ann/",))
    forgetting.start()
    assert desk.engine.wait_prepared(60)
    desk.engine.prepare(prompt("ben/1", "Ask what. "))
    desk.engine.stop("cem/1")
    cem.ended()
    forgetting.join(60)
    assert desk.engine.wait_prepared(60)
    after = [(operation, whose) for operation, whose, _ in desk.ends()[1:]]
    assert sorted(after) == [("forget", "ann/"), ("prepare", "ben/1")]


def test_forgetting_leaves_another_persons_reply_running(desk: Desk) -> None:
    ben = Asker(desk, "ben/1", "slowly").speaks()
    forgetting = threading.Thread(target=desk.engine.forget, args=("ann/",))
    forgetting.start()
    forgetting.join(SOON_S)
    assert ben.error is None
    desk.engine.stop("ben/1")
    ben.ended()
    forgetting.join(60)
    assert desk.ends() == [("generate", "ben/1", "cancelled"), ("forget", "ann/", "done")]


def test_forgetting_does_not_start_a_model_that_is_off(desk: Desk) -> None:
    desk.engine.forget("ann/")
    assert (desk.engine.state, desk.engine.pid) == ("off", None)


def test_closing_the_worker_lets_the_next_question_start_another(desk: Desk) -> None:
    desk.engine.warm()
    pid = desk.engine.pid
    desk.engine.close_worker()
    assert desk.engine.pid is None
    assert desk.ask("ann/1", "Hello")[1:-1] == list(REPLY)
    assert desk.engine.pid != pid


def test_closing_leaves_no_process_and_no_thread(tmp_path: Path) -> None:
    before = set(threading.enumerate())
    desk = Desk(tmp_path)
    desk.engine.prepare(prompt("ann/1", "Ask why. "))
    assert desk.engine.wait_prepared(60)
    pid = desk.engine.pid
    assert pid is not None
    desk.close()
    until(lambda: set(threading.enumerate()) <= before, "the thread that reads ahead ends")
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)


def test_a_template_nobody_knows_is_told_when_the_engine_is_made(tmp_path: Path) -> None:
    with pytest.raises(ModelError) as caught:
        ChatEngine(Worker("scripted_model", {}), name="x", template_name="llama2", languages=frozenset())
    assert caught.value.key == "template_unknown"
