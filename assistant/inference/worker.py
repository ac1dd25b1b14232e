"""A model in a process of its own, and the pipe to it.

A crash, a hang or running out of memory there is an error here and a fresh process, never a lost word. What goes over
the pipe is JSON, with raw bytes for vectors: nothing that comes back is ever unpickled. One request runs at a time.
"""

from __future__ import annotations

import importlib
import itertools
import json
import multiprocessing
import signal
import threading
import time
from collections.abc import Generator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from multiprocessing.sharedctypes import RawValue
from typing import Any, Literal, Protocol

from assistant import isolation
from assistant.errors import Cancelled, ModelError, PeiliError, WorkerError

WorkerState = Literal["off", "starting", "ready", "failed"]
_POLL_S = 0.2
_LEAVING_S = 3.0
_LAST_EVENTS = frozenset({"done", "cancelled", "refused", "failed"})


@dataclass(frozen=True, slots=True)
class Message:
    """One message over the pipe: a small JSON object and, for vectors, raw bytes."""

    body: Mapping[str, Any]
    payload: bytes = b""


class Channel:
    """The worker's end: receive requests, send events, and see whether the running request was cancelled."""

    def __init__(self, connection: Connection[bytes, bytes], cancelled: Any) -> None:
        self._connection = connection
        self._cancelled = cancelled
        self._current = 0

    def receive(self) -> dict[str, Any] | None:
        """The next request, or None when the app has gone."""
        try:
            request: dict[str, Any] = json.loads(self._connection.recv_bytes())
        except (EOFError, OSError):
            return None
        self._current = request["id"]
        return request

    def send(self, event: str, payload: bytes = b"", **body: object) -> None:
        """Send an event of the running request; `payload` follows as a second message."""
        head = {"id": self._current, "event": event, "payload": bool(payload), **body}
        self._connection.send_bytes(json.dumps(head).encode())
        if payload:
            self._connection.send_bytes(payload)

    def is_cancelled(self) -> bool:
        """Whether the app no longer wants the running request."""
        return bool(self._cancelled.value == self._current > 0)


class Served(Protocol):
    """What a worker module offers: `serve(channel, config)` loads, sends `ready`, and answers until the app goes."""

    def serve(self, channel: Channel, config: Mapping[str, Any]) -> None:
        """Load, send `ready`, answer until the app goes; raise PeiliError if loading fails."""


def _child(connection: Connection[bytes, bytes], cancelled: Any, module: str, config: dict[str, Any]) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    isolation.scrub_environment()
    isolation.forbid_core_dumps()
    if config.get("yields_cores"):
        isolation.yield_cores()
    isolation.limit_memory(config.get("memory_limit_bytes", 0))
    isolation.NetworkGuard().arm()
    channel = Channel(connection, cancelled)
    try:
        served: Served = importlib.import_module(module)
        served.serve(channel, config)
    except PeiliError as error:
        with suppress(OSError):
            channel.send("failed", key=error.key, params={name: str(value) for name, value in error.params.items()})
    except MemoryError:
        with suppress(OSError):
            channel.send("failed", key="model_memory", params={})
    except Exception as error:  # the process ends here; its text could hold private words, its kind not
        with suppress(OSError):
            channel.send("failed", key="worker_failed", params={"kind": type(error).__name__})


class Worker:
    """The app's end of one worker process; safe to use from several threads, one request at a time.

    `module` names the module that serves (see `Served`); `config` is handed to it. A process that died is started
    again by the next request.
    """

    def __init__(self, module: str, config: Mapping[str, Any], *, start_timeout_s: float = 120.0) -> None:
        self._module = module
        self._config = dict(config)
        self._start_timeout_s = start_timeout_s
        self._context = multiprocessing.get_context("spawn")
        self._cancelled = RawValue("q", 0)
        self._process: BaseProcess | None = None
        self._connection: Connection[bytes, bytes] | None = None
        self._busy = threading.Lock()
        self._starting = threading.Lock()
        self._ending = threading.Lock()
        self._tickets = itertools.count(1)
        self._running = 0
        self._unwanted: set[int] = set()
        self._state: WorkerState = "off"
        self.about: Mapping[str, Any] = {}

    @property
    def state(self) -> WorkerState:
        """Where the process is: not started, loading, ready, or unable to load."""
        return self._state

    @property
    def pid(self) -> int | None:
        """The process id while one runs."""
        process = self._process
        return process.pid if process is not None and process.is_alive() else None

    def start(self) -> None:
        """Start the process and wait until it has loaded.

        Raises ModelError if the model cannot be loaded, WorkerError if the process dies or does not answer in time.
        """
        with self._starting:
            if self.pid is not None and self._state == "ready":
                return
            connection = self._spawn()
            try:
                ready = self._read(connection, time.monotonic() + self._start_timeout_s)
            except PeiliError:
                self._end_process()
                self._state = "failed"
                raise
            if ready.body["event"] != "ready":
                self._end_process()
                self._state = "failed"
                raise ModelError(ready.body.get("key", "model_refused"), **ready.body.get("params", {}))
            self.about = ready.body
            self._state = "ready"

    def ticket(self) -> int:
        """The number of a request to come, by which it can be cancelled."""
        return next(self._tickets)

    def stream(
        self, operation: str, body: Mapping[str, Any], *, ticket: int | None = None, silence_s: float = 120.0
    ) -> Generator[Message, None, None]:
        """Run one request and yield its events up to and including `done`.

        `silence_s` is the longest wait for one event. Closing the generator early cancels the request. Raises
        Cancelled if `cancel` was called, WorkerError if the process dies or hangs, ModelError if it refuses.
        """
        request_id = self.ticket() if ticket is None else ticket
        with self._busy:
            self._running = request_id  # before the look at what is unwanted: `cancel` does the two in the other order
            try:
                if request_id in self._unwanted:
                    raise Cancelled
                self.start()
                yield from self._run({"id": request_id, "op": operation, **body}, silence_s)
            finally:
                self._running = 0
                self._unwanted.discard(request_id)

    def call(
        self, operation: str, body: Mapping[str, Any], *, ticket: int | None = None, silence_s: float = 120.0
    ) -> Message:
        """Run one request and return its last event."""
        *_, last = self.stream(operation, body, ticket=ticket, silence_s=silence_s)
        return last

    def cancel(self, ticket: int) -> None:
        """Stop the request of that ticket, whether it runs or is still to come; it ends with Cancelled."""
        self._unwanted.add(ticket)
        if self._running == ticket:
            self._cancelled.value = ticket

    def stop(self) -> None:
        """End the process: it leaves by itself when the pipe closes, and is killed if it does not."""
        self._end_process(gently=True)
        self._state = "off"

    def _spawn(self) -> Connection[bytes, bytes]:
        self._end_process()
        self._state = "starting"
        ours, theirs = self._context.Pipe()
        process = self._context.Process(
            target=_child,
            args=(theirs, self._cancelled, self._module, self._config),
            name=self._module.rsplit(".", 1)[-1],
            daemon=True,
        )
        process.start()
        theirs.close()
        self._process, self._connection = process, ours
        return ours

    def _run(self, request: Mapping[str, Any], silence_s: float) -> Iterator[Message]:
        connection = self._connection
        if connection is None:
            raise WorkerError("worker_stopped")
        finished = False
        try:
            self._send(connection, request)
            for message in self._events(connection, request["id"], silence_s):
                finished = message.body["event"] in _LAST_EVENTS
                if message.body["event"] == "failed":
                    self._mark_dead(connection)  # it ends by itself, but perhaps not before the next request
                _raise_refusal(message)
                yield message
                if finished:
                    return
        finally:
            if not finished and self._connection is connection:
                self._abandon(connection, request["id"])

    def _send(self, connection: Connection[bytes, bytes], request: Mapping[str, Any]) -> None:
        try:
            connection.send_bytes(json.dumps(request).encode())
        except OSError as error:
            self._mark_dead(connection)
            raise WorkerError("worker_stopped") from error

    def _events(self, connection: Connection[bytes, bytes], request_id: int, silence_s: float) -> Iterator[Message]:
        while True:
            message = self._read(connection, time.monotonic() + silence_s)
            if message.body["id"] == request_id:
                yield message

    def _read(self, connection: Connection[bytes, bytes], deadline: float) -> Message:
        try:
            while not connection.poll(_POLL_S):
                if time.monotonic() > deadline:
                    self._mark_dead(connection)
                    raise WorkerError("worker_silent")
            body = json.loads(connection.recv_bytes())
            return Message(body, connection.recv_bytes() if body["payload"] else b"")
        except (EOFError, OSError, ValueError) as error:  # ValueError: what came was not JSON
            self._mark_dead(connection)
            raise WorkerError("worker_stopped") from error

    def _abandon(self, connection: Connection[bytes, bytes], request_id: int) -> None:
        """Cancel a request nobody reads any more and wait for its end, so that the pipe is clean for the next one."""
        self._cancelled.value = request_id
        with suppress(PeiliError):
            for message in self._events(connection, request_id, silence_s=10.0):
                if message.body["event"] in _LAST_EVENTS:
                    return

    def _mark_dead(self, connection: Connection[bytes, bytes]) -> None:
        if self._end_process(connection):
            self._state = "off"

    def _end_process(self, connection: Connection[bytes, bytes] | None = None, *, gently: bool = False) -> bool:
        """End the process; with `connection`, only if no other has taken its place. Whether it was ended."""
        with self._ending:
            if connection is not None and connection is not self._connection:
                return False
            process, ours = self._process, self._connection
            self._process = self._connection = None
        if gently and ours is not None and process is not None:
            ours.close()
            process.join(_LEAVING_S)
        if process is not None:
            process.kill()
            process.join(5)
        if ours is not None:
            ours.close()
        return True


def _raise_refusal(message: Message) -> None:
    if message.body["event"] == "cancelled":
        raise Cancelled
    if message.body["event"] == "refused":
        raise ModelError(message.body["key"], **message.body.get("params", {}))
    if message.body["event"] == "failed":
        raise WorkerError(message.body["key"], **message.body.get("params", {}))
