"""A model in a process of its own: what comes back, and what happens when it refuses, breaks, dies or hangs."""

from __future__ import annotations

import os
import pickle
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
from patience import until
from scripted_worker import PRIVATE

from assistant.domain import LANGUAGES, Language
from assistant.errors import Cancelled, ModelError, PeiliError, WorkerError
from assistant.inference.worker import Message, Worker
from assistant.wording import explain

MIB = 1 << 20


@pytest.fixture(scope="module")
def shared() -> Iterator[Worker]:
    """A worker for the tests that leave it as it was."""
    worker = Worker("scripted_worker", {})
    yield worker
    worker.stop()


@pytest.fixture
def worker_with() -> Iterator[Callable[..., Worker]]:
    with ExitStack() as ending:

        def make(module: str = "scripted_worker", *, start_timeout_s: float = 60.0, **config: Any) -> Worker:
            worker = Worker(module, config, start_timeout_s=start_timeout_s)
            ending.callback(worker.stop)
            return worker

        yield make


def echoed(worker: Worker, *words: str) -> list[str]:
    messages = list(worker.stream("echo", {"words": words}))
    assert messages[-1].body["event"] == "done"
    return [message.body["text"] for message in messages[:-1]]


def test_pieces_come_one_by_one_and_then_the_end(shared: Worker) -> None:
    events = [message.body["event"] for message in shared.stream("echo", {"words": ["Hyvää", "päivää", "🦊"]})]
    assert events == ["piece", "piece", "piece", "done"]
    assert echoed(shared, "Hyvää", "päivää", "🦊") == ["Hyvää", "päivää", "🦊"]


def test_a_call_gives_the_last_event(shared: Worker) -> None:
    assert shared.call("echo", {"words": ["a", "b"]}).body["words"] == 2


@pytest.mark.parametrize("times", [1, 20_000])
def test_bytes_come_back_as_they_were(shared: Worker, times: int) -> None:
    assert shared.call("bytes", {"times": times}).payload == bytes(range(256)) * times


def test_it_starts_once_and_stays(shared: Worker) -> None:
    shared.start()
    pid = shared.pid
    shared.start()
    echoed(shared, "a")
    assert (shared.pid, shared.state, shared.about["pid"]) == (pid, "ready", pid)


def test_a_refusal_tells_its_key_and_numbers_and_harms_nothing(shared: Worker) -> None:
    shared.start()
    pid = shared.pid
    with pytest.raises(ModelError) as caught:
        shared.call("refuse", {})
    assert (caught.value.key, caught.value.params) == ("turn_too_long", {"tokens": 5000, "limit": 4096})
    assert (echoed(shared, "next"), shared.pid) == (["next"], pid)


def test_a_cancelled_request_ends_and_the_next_one_runs(shared: Worker) -> None:
    ticket = shared.ticket()
    working = shared.stream("work", {}, ticket=ticket)
    assert next(working).body["text"] == "working"
    shared.cancel(ticket)
    with pytest.raises(Cancelled):
        next(working)
    assert echoed(shared, "next") == ["next"]


def test_a_request_cancelled_before_it_runs_never_runs(shared: Worker) -> None:
    ticket = shared.ticket()
    shared.cancel(ticket)
    with pytest.raises(Cancelled):
        next(shared.stream("echo", {"words": ["never"]}, ticket=ticket))
    assert echoed(shared, "next") == ["next"]


def test_cancelling_one_request_leaves_the_one_that_runs_alone(shared: Worker) -> None:
    waiting, running = shared.ticket(), shared.ticket()
    pieces = shared.stream("echo", {"words": ["a", "b"]}, ticket=running)
    assert next(pieces).body["text"] == "a"
    shared.cancel(waiting)
    assert [message.body["event"] for message in pieces] == ["piece", "done"]
    with pytest.raises(Cancelled):
        shared.call("echo", {"words": []}, ticket=waiting)


def test_a_request_that_waited_is_not_taken_for_the_one_that_was_cancelled(shared: Worker) -> None:
    waited, cancelled = shared.ticket(), shared.ticket()
    working = shared.stream("work", {}, ticket=cancelled)
    next(working)
    shared.cancel(cancelled)
    with pytest.raises(Cancelled):
        next(working)
    assert shared.call("echo", {"words": ["a", "b"]}, ticket=waited).body["words"] == 2


def test_a_request_nobody_reads_on_leaves_the_pipe_clean(shared: Worker) -> None:
    shared.start()
    pid = shared.pid
    for _ in range(3):
        working = shared.stream("work", {})
        next(working)
        working.close()
        assert echoed(shared, "only", "mine") == ["only", "mine"]
    many = shared.stream("echo", {"words": [str(number) for number in range(500)]})
    next(many)
    many.close()
    assert (echoed(shared, "only", "mine"), shared.pid) == (["only", "mine"], pid)


def test_two_people_get_their_own_words(shared: Worker) -> None:
    got: dict[str, list[str]] = {}

    def ask(person: str) -> None:
        got[person] = [word for _ in range(20) for word in echoed(shared, person, person)]

    threads = [threading.Thread(target=ask, args=(person,)) for person in ("ann", "ben")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert got == {"ann": ["ann"] * 40, "ben": ["ben"] * 40}


def test_it_sits_apart_from_the_network_and_leaves_no_core_dump(
    worker_with: Callable[..., Worker], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HF_TOKEN", "hf_example")
    monkeypatch.setenv("HTTPS_PROXY", "http://192.0.2.9:3128")
    seen = worker_with(memory_limit_bytes=4096 * MIB).call("surroundings", {}).body["seen"]
    assert seen["network"] == ["NetworkRefused", "NetworkRefused"]
    assert seen["core"] == [0, 0]
    assert seen["dumpable"] == 0
    assert seen["memory"] == [4096 * MIB, 4096 * MIB]
    assert "HF_TOKEN" not in seen["environment"]
    assert "192.0.2.9" not in seen["environment"]


def test_a_worker_that_dies_is_an_error_and_then_a_fresh_one(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with()
    echoed(worker, "first")
    dead = worker.pid
    pieces = worker.stream("die", {})
    assert next(pieces).body["text"] == "working"
    with pytest.raises(WorkerError) as caught:
        next(pieces)
    assert (caught.value.key, worker.state, worker.pid) == ("worker_stopped", "off", None)
    assert echoed(worker, "next") == ["next"]
    assert worker.pid not in (None, dead)


def test_a_worker_that_died_between_two_requests_is_not_noticed(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with()
    echoed(worker, "first")
    assert worker.pid is not None
    os.kill(worker.pid, 9)
    until(lambda: worker.pid is None, "it is gone")
    assert echoed(worker, "next") == ["next"]


def test_a_worker_that_stays_silent_is_ended(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with()
    worker.start()
    silent = worker.pid
    with pytest.raises(WorkerError) as caught:
        worker.call("hang", {}, silence_s=0.1)
    assert (caught.value.key, worker.pid) == ("worker_silent", None)
    assert echoed(worker, "next") == ["next"]
    assert worker.pid not in (None, silent)


def test_an_unforeseen_error_tells_its_kind_and_no_private_word(
    worker_with: Callable[..., Worker], capfd: pytest.CaptureFixture[str]
) -> None:
    worker = worker_with()
    for _ in range(3):  # each time there is a fresh process at once, however long the broken one takes to end
        with pytest.raises(WorkerError) as caught:
            worker.call("break", {})
        assert (caught.value.key, caught.value.params) == ("worker_failed", {"kind": "RuntimeError"})
        assert echoed(worker, "next") == ["next"]
    assert PRIVATE not in capfd.readouterr().err


def test_a_worker_that_needs_too_much_memory_says_so(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with(memory_limit_bytes=4096 * MIB)
    with pytest.raises(WorkerError) as caught:
        worker.call("take_memory", {})
    assert caught.value.key == "model_memory"
    assert echoed(worker, "next") == ["next"]


class Trap:
    """Writes a file when it is unpickled."""

    def __init__(self, canary: Path) -> None:
        self._canary = canary

    def __reduce__(self) -> tuple[object, tuple[str, str]]:
        return _write, (str(self._canary), "unpickled")


def _write(path: str, text: str) -> None:
    Path(path).write_text(text, encoding="utf-8")


def test_what_comes_back_is_never_unpickled(worker_with: Callable[..., Worker], tmp_path: Path) -> None:
    trap = pickle.dumps(Trap(tmp_path / "canary"))
    pickle.loads(trap)  # noqa: S301  # shows that the trap works
    (tmp_path / "canary").unlink()
    worker = worker_with()
    with pytest.raises(WorkerError) as caught:
        worker.call("send_raw", {"hex": trap.hex()})
    assert caught.value.key == "worker_stopped"
    assert not (tmp_path / "canary").exists()
    assert echoed(worker, "next") == ["next"]


@pytest.mark.parametrize(
    ("loading", "kind", "key", "params"),
    [
        ("refuses", ModelError, "model_refused", {"name": "tiny.gguf"}),
        ("breaks", ModelError, "worker_failed", {"kind": "RuntimeError"}),
        ("dies", WorkerError, "worker_stopped", {}),
    ],
)
def test_a_model_that_cannot_be_loaded_is_told(
    worker_with: Callable[..., Worker], loading: str, kind: type[PeiliError], key: str, params: dict[str, str]
) -> None:
    worker = worker_with(loading=loading)
    with pytest.raises(kind) as caught:
        worker.start()
    assert (caught.value.key, caught.value.params) == (key, params)
    assert (worker.state, worker.pid) == ("failed", None)


def test_a_model_that_never_finishes_loading_is_given_up(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with(loading="hangs", start_timeout_s=0.1)
    with pytest.raises(WorkerError) as caught:
        worker.start()
    assert (caught.value.key, worker.state, worker.pid) == ("worker_silent", "failed", None)


def test_a_library_that_is_missing_is_told_by_its_kind(
    worker_with: Callable[..., Worker], capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(ModelError) as caught:
        worker_with("no_such_module").start()
    assert (caught.value.key, caught.value.params) == ("worker_failed", {"kind": "ModuleNotFoundError"})
    assert "Traceback" not in capfd.readouterr().err


def test_stopping_ends_the_process_and_whoever_reads_is_told(worker_with: Callable[..., Worker]) -> None:
    worker = worker_with()
    told: list[str] = []
    got: list[Message] = []

    def read() -> None:
        try:
            got.extend(worker.stream("work", {}))
        except PeiliError as error:
            told.append(error.key)

    reader = threading.Thread(target=read)
    reader.start()
    until(lambda: worker.state == "ready", "it runs")
    pid = worker.pid
    assert pid is not None
    worker.stop()
    reader.join(60)
    assert (told, worker.state, worker.pid) == (["worker_stopped"], "off", None)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    assert echoed(worker, "next") == ["next"]


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(
    "key",
    [
        *("worker_stopped", "worker_silent", "worker_failed", "queue_full", "cancelled", "template_unknown"),
        *("model_refused", "model_memory", "model_failed", "model_unsafe_file", "turn_too_long"),
    ],
)
def test_a_person_reads_a_sentence_and_not_a_key(language: Language, key: str) -> None:
    text = explain(language, WorkerError(key, kind="7", name="7", code="7", template="7"))
    assert text not in (key, f"error.{key}")
    assert "{" not in text
