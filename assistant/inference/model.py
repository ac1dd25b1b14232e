"""The chat model as the app sees it: streams in turn, prepares while people type, stops when asked."""

from __future__ import annotations

import threading
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import asdict, dataclass
from typing import NamedTuple

from assistant.domain import Language
from assistant.errors import PeiliError, WorkerError
from assistant.inference.queueing import FairQueue
from assistant.inference.templates import PromptTurn, Segment, segments, template
from assistant.inference.worker import Worker, WorkerState


@dataclass(frozen=True, slots=True)
class Sampling:
    """How a reply is drawn: at most `max_tokens`, temperature, nucleus share, and a seed to make it repeatable."""

    max_tokens: int = 120
    temperature: float = 0.4
    top_p: float = 0.9
    seed: int = 7


class Usage(NamedTuple):
    """What a reply cost: tokens of the prompt, those evaluated anew, those generated; milliseconds of each half."""

    prompt_tokens: int
    prefilled_tokens: int
    generated_tokens: int
    prefill_ms: int
    generate_ms: int


class Prefill(NamedTuple):
    """What reading a prompt cost: its tokens, those evaluated anew, milliseconds."""

    prompt_tokens: int
    prefilled_tokens: int
    prefill_ms: int


class PromptInput(NamedTuple):
    """A prompt: whose session (`person/conversation`), the fixed instructions, and the exchanges, newest last."""

    session: str
    system: str
    turns: tuple[PromptTurn, ...]


@dataclass(slots=True, eq=False)
class _Asked:
    """A reply that somebody waits for: it waits in the queue, or it runs."""

    session: str
    ticket: int
    stopped: bool = False


class ChatEngine:
    """One chat model behind a fair queue. `languages` are those it may phrase replies in."""

    def __init__(self, worker: Worker, *, name: str, template_name: str, languages: frozenset[Language]) -> None:
        self.name = name
        self.languages = languages
        self._worker = worker
        self._template = template(template_name)
        self._queue = FairQueue()
        self._wanted: PromptInput | None = None
        self._idle = threading.Condition()
        self._idle_thread: threading.Thread | None = None
        self._preparing = 0  # the ticket of the preparation that runs
        self._closed = False
        self._asked: list[_Asked] = []

    @property
    def state(self) -> WorkerState:
        """Whether the model is off, loading, ready, or cannot be loaded."""
        return self._worker.state

    @property
    def pid(self) -> int | None:
        """The worker's process id, if it runs."""
        return self._worker.pid

    def waiting(self) -> int:
        """How many requests are before a new one."""
        return self._queue.length()

    def warm(self) -> None:
        """Load the model now, so that nobody waits for it later; raises as `Worker.start`."""
        self._worker.start()

    def stream(
        self, prompt: PromptInput, sampling: Sampling, *, on_place: Callable[[int], None] | None = None
    ) -> Generator[Prefill | str | Usage, None, None]:
        """The Prefill once the prompt is read, pieces of the reply as they come, then its Usage.

        Closing the generator stops the model.

        Raises Cancelled after `stop`, WorkerError if the worker died, hung or too many wait, ModelError if it refuses.
        """
        asked = _Asked(prompt.session, self._worker.ticket())
        self._asked.append(asked)
        self._drop_wish(lambda session: session == prompt.session)
        try:
            with self._queue.turn(prompt.session.partition("/")[0], on_place, lambda: asked.stopped):
                self._make_way()
                yield from self._reply(prompt, sampling, asked.ticket)
        finally:
            self._asked.remove(asked)
            with self._idle:
                self._idle.notify_all()

    def stop(self, session: str) -> None:
        """Stop the reply of `session`, whether it waits, reads or writes; nothing happens if there is none."""
        self._stop(lambda other: other == session)

    def prepare(self, prompt: PromptInput) -> None:
        """Evaluate `prompt`, its newest turn left open, when nobody needs the model. The latest wish counts."""
        with self._idle:
            self._wanted = prompt
            if self._idle_thread is None:
                self._idle_thread = threading.Thread(target=self._prepare_when_idle, name="prefill", daemon=True)
                self._idle_thread.start()
            self._idle.notify_all()

    def wait_prepared(self, timeout_s: float) -> bool:
        """Wait until no preparation is wished for or under way; False after `timeout_s` seconds."""
        with self._idle:
            return self._idle.wait_for(lambda: self._wanted is None and not self._preparing, timeout_s)

    def forget(self, prefix: str) -> None:
        """Drop all that the worker remembers of sessions that begin with `prefix`, and stop their replies.

        A dead worker remembers nothing.
        """
        self._stop(lambda session: session.startswith(prefix))
        self._drop_wish(lambda session: session.startswith(prefix))
        self._make_way()
        if self._worker.state == "ready":
            with suppress(PeiliError):
                self._worker.call("forget", {"prefix": prefix})

    def close_worker(self) -> None:
        """End the worker process; the next request starts a new one."""
        self._worker.stop()

    def close(self) -> None:
        """End the worker and stop preparing."""
        with self._idle:
            self._closed = True
            self._idle.notify_all()
        self.close_worker()

    def _body(self, prompt: PromptInput, *, closed: bool) -> dict[str, object]:
        groups: list[list[Segment]] = segments(self._template, prompt.system, prompt.turns, closed=closed)
        return {"session": prompt.session, "groups": groups}

    def _reply(self, prompt: PromptInput, sampling: Sampling, ticket: int) -> Iterator[Prefill | str | Usage]:
        body = {**self._body(prompt, closed=True), "sampling": asdict(sampling)}
        try:
            with closing(self._worker.stream("generate", body, ticket=ticket)) as messages:
                for message in messages:
                    if message.body["event"] == "read":
                        yield Prefill(*(message.body[name] for name in Prefill._fields))
                    elif message.body["event"] == "piece":
                        yield message.body["text"]
                    elif message.body["event"] == "done":
                        yield Usage(*(message.body[name] for name in Usage._fields))
        except WorkerError:
            self._start_again()
            raise

    def _stop(self, concerns: Callable[[str], bool]) -> None:
        for asked in self._asked[::-1]:  # those that wait first, so that none of them gets its turn
            if concerns(asked.session):
                asked.stopped = True
                self._worker.cancel(asked.ticket)
        self._queue.look_again()

    def _drop_wish(self, concerns: Callable[[str], bool]) -> None:
        with self._idle:
            if self._wanted is not None and concerns(self._wanted.session):
                self._wanted = None
                self._idle.notify_all()

    def _make_way(self) -> None:
        with self._idle:
            if self._preparing:
                self._worker.cancel(self._preparing)

    def _start_again(self) -> None:
        """Load a model that died in the background, so that it is ready for the next message."""
        if not self._closed and self._worker.state == "off":
            threading.Thread(target=self._load_quietly, name="restart", daemon=True).start()

    def _load_quietly(self) -> None:
        with suppress(PeiliError):  # `state` tells that it cannot be loaded
            self._worker.start()

    def _prepare_when_idle(self) -> None:
        while True:
            with self._idle:
                self._idle.wait_for(lambda: self._closed or (self._wanted is not None and self._queue.idle))
                if self._closed or self._wanted is None:
                    return
                prompt, self._wanted, self._preparing = self._wanted, None, self._worker.ticket()
            try:
                self._worker.call("prepare", self._body(prompt, closed=False), ticket=self._preparing)
            except WorkerError:
                self._start_again()
            except PeiliError:
                pass  # only a guess: what failed here is told when it is really needed
            finally:
                with self._idle:
                    self._preparing = 0
                    self._idle.notify_all()
