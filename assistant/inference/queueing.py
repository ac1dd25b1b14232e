"""Whose turn it is at a model: one at a time, and nobody waits behind another person's second question."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from assistant.errors import Cancelled, WorkerError

MAX_WAITING = 8
MAX_WAITING_PER_PERSON = 1


@dataclass(frozen=True, slots=True, eq=False)
class _Ticket:
    person: str
    round: int


class FairQueue:
    """A queue that goes round the people who wait, first come first served within a round."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._running = False
        self._waiting: list[_Ticket] = []
        self._round = 0
        self._served: dict[str, int] = {}  # the last round in which a person had a turn

    @contextmanager
    def turn(
        self,
        person: str,
        on_place: Callable[[int], None] | None = None,
        given_up: Callable[[], bool] = lambda: False,
    ) -> Iterator[None]:
        """Wait for a turn and hold it for the `with` block.

        `on_place` is told how many are before this request whenever that changes. Raises WorkerError("queue_full") when
        too many wait or this person already has a request waiting; Cancelled when `given_up` says so, which is asked
        again after `look_again`.
        """
        with self._changed:
            ticket = self._admit(person)
            try:
                self._wait(ticket, on_place, given_up)
                self._running = True
                self._round = self._served[person] = ticket.round
            finally:
                self._waiting.remove(ticket)
                self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self._running = False
                if not self._waiting:
                    self._served.clear()
                self._changed.notify_all()

    @property
    def idle(self) -> bool:
        """Whether nobody has or waits for a turn."""
        return not self._running and not self._waiting

    def length(self) -> int:
        """How many have or wait for a turn."""
        with self._changed:
            return len(self._waiting) + (1 if self._running else 0)

    def look_again(self) -> None:
        """Let those who wait see whether they have given up."""
        with self._changed:
            self._changed.notify_all()

    def _admit(self, person: str) -> _Ticket:
        mine = sum(1 for ticket in self._waiting if ticket.person == person)
        if len(self._waiting) >= MAX_WAITING or mine >= MAX_WAITING_PER_PERSON:
            raise WorkerError("queue_full")
        ticket = _Ticket(person, max(self._round, self._served.get(person, -1) + 1))
        self._waiting.append(ticket)
        self._changed.notify_all()  # it may stand before a second request that waits
        return ticket

    def _wait(self, ticket: _Ticket, on_place: Callable[[int], None] | None, given_up: Callable[[], bool]) -> None:
        told = -1
        while not given_up():
            place = self._order().index(ticket) + (1 if self._running else 0)
            if place == 0:
                return
            if on_place is not None and place != told:
                on_place(place)
                told = place
            self._changed.wait()
        raise Cancelled

    def _order(self) -> list[_Ticket]:
        """Those who wait, in the order they will be served: by round, then as they came."""
        return sorted(self._waiting, key=lambda ticket: ticket.round)
