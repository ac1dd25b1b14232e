"""Whose turn it is: one at a time, round the people, and nobody is left standing in the queue."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import pytest
from patience import until

from assistant.errors import Cancelled, PeiliError, WorkerError
from assistant.inference.queueing import MAX_WAITING, FairQueue


class Visitor:
    """Somebody who queues in a thread of their own and then holds the turn until `done` is called."""

    def __init__(self, queue: FairQueue, person: str, served: list[str]) -> None:
        self.person = person
        self.places: list[int] = []
        self.error: PeiliError | None = None
        self.given_up = False
        self._queue = queue
        self._served = served
        self._leave = threading.Event()
        self._thread = threading.Thread(target=self._visit, daemon=True)

    def _visit(self) -> None:
        try:
            with self._queue.turn(self.person, self.places.append, lambda: self.given_up):
                self._served.append(self.person)
                self._leave.wait(60)
        except PeiliError as error:
            self.error = error

    def comes(self) -> Visitor:
        before = self._queue.length()
        self._thread.start()
        until(lambda: self._queue.length() > before, f"{self.person} queues")
        return self

    def done(self) -> None:
        self._leave.set()
        self._thread.join(60)
        assert not self._thread.is_alive()

    def gives_up(self) -> None:
        self.given_up = True
        self._queue.look_again()
        self._thread.join(60)
        assert not self._thread.is_alive()


@pytest.fixture
def queue() -> FairQueue:
    return FairQueue()


@pytest.fixture
def served() -> list[str]:
    return []


@pytest.fixture
def visitor(queue: FairQueue, served: list[str]) -> Iterator[Callable[[str], Visitor]]:
    with ExitStack() as leaving:

        def make(person: str) -> Visitor:
            new = Visitor(queue, person, served)
            leaving.callback(new._leave.set)
            return new

        yield make


def turns_begun(served: list[str], count: int) -> None:
    until(lambda: len(served) == count, f"turn {count} begins")


@contextmanager
def refused(key: str) -> Iterator[None]:
    with pytest.raises(WorkerError) as caught:
        yield
    assert caught.value.key == key


def test_nobody_is_there_at_first(queue: FairQueue) -> None:
    assert queue.idle
    assert queue.length() == 0
    with queue.turn("ann"):
        assert not queue.idle
        assert queue.length() == 1
    assert queue.idle


def test_one_at_a_time(queue: FairQueue) -> None:
    together, most = 0, 0

    def visit(person: str) -> None:
        nonlocal together, most
        for _ in range(20):
            with queue.turn(person):
                together += 1
                most = max(most, together)
                threading.Event().wait(0.0005)
                together -= 1

    threads = [threading.Thread(target=visit, args=(f"person {number}",)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert (most, together, queue.idle) == (1, 0, True)


def test_a_second_question_waits_behind_everybodys_first(visitor: Callable[[str], Visitor], served: list[str]) -> None:
    ann, again, ben, cem = (visitor(name).comes() for name in ("ann", "ann", "ben", "cem"))
    for number, person in enumerate((ann, ben, cem, again), start=1):
        turns_begun(served, number)
        person.done()
    assert served == ["ann", "ben", "cem", "ann"]


def test_within_a_round_first_come_first_served(visitor: Callable[[str], Visitor], served: list[str]) -> None:
    people = [visitor(name).comes() for name in ("ann", "cem", "ben", "dag")]
    for number, person in enumerate(people, start=1):
        turns_begun(served, number)
        person.done()
    assert served == ["ann", "cem", "ben", "dag"]


def test_it_goes_on_round_the_people_as_they_come_back(visitor: Callable[[str], Visitor], served: list[str]) -> None:
    present = [visitor("ann").comes(), visitor("ben").comes()]
    for number, name in enumerate(("ann", "ben", "ann", "ben"), start=1):
        turns_begun(served, number)
        present.append(visitor(name).comes())
        present.pop(0).done()
    for person in present:
        person.done()
    assert served == ["ann", "ben"] * 3


def test_a_newcomer_stands_behind_those_who_came_before(visitor: Callable[[str], Visitor], served: list[str]) -> None:
    ann, again, ben = (visitor(name).comes() for name in ("ann", "ann", "ben"))
    ann.done()
    turns_begun(served, 2)
    ben.done()
    turns_begun(served, 3)
    ben_again, newcomer = visitor("ben").comes(), visitor("cem").comes()
    for person in (again, ben_again, newcomer):
        person.done()
    assert served == ["ann", "ben", "ann", "ben", "cem"]


def test_the_place_is_told_whenever_it_changes(visitor: Callable[[str], Visitor], served: list[str]) -> None:
    ann, again, ben = (visitor(name).comes() for name in ("ann", "ann", "ben"))
    until(lambda: again.places == [1, 2], "the second question gives way")
    ann.done()
    until(lambda: again.places == [1, 2, 1], "one less before it")
    ben.done()
    turns_begun(served, 3)
    again.done()
    assert (ann.places, ben.places, again.places) == ([], [1], [1, 2, 1])


def test_a_person_may_have_one_request_waiting(queue: FairQueue, visitor: Callable[[str], Visitor]) -> None:
    running, waiting = visitor("ann").comes(), visitor("ann").comes()
    with refused("queue_full"), queue.turn("ann"):
        pass
    other = visitor("ben").comes()
    for person in (running, other, waiting):
        person.done()
        assert person.error is None


def test_so_many_may_wait_and_no_more(queue: FairQueue, visitor: Callable[[str], Visitor], served: list[str]) -> None:
    people = [visitor(f"person {number}").comes() for number in range(MAX_WAITING + 1)]
    with refused("queue_full"), queue.turn("one too many"):
        pass
    people[0].done()
    turns_begun(served, 2)
    people.append(visitor("no longer too many").comes())
    for person in people[1:]:
        person.done()
    assert queue.idle


def test_an_error_in_the_turn_ends_it(queue: FairQueue) -> None:
    with pytest.raises(ZeroDivisionError), queue.turn("ann"):
        raise ZeroDivisionError
    assert queue.idle
    with queue.turn("ben"):
        assert queue.length() == 1


def test_who_gives_up_leaves_at_once_and_may_come_again(
    queue: FairQueue, visitor: Callable[[str], Visitor], served: list[str]
) -> None:
    ann, ben = visitor("ann").comes(), visitor("ben").comes()
    ben.gives_up()
    assert isinstance(ben.error, Cancelled)
    assert queue.length() == 1
    again = visitor("ben").comes()
    ann.done()
    until(lambda: served == ["ann", "ben"], "the second try")
    again.done()
    assert queue.idle


def test_giving_up_moves_the_others_up(visitor: Callable[[str], Visitor]) -> None:
    ann, ben, cem = (visitor(name).comes() for name in ("ann", "ben", "cem"))
    ben.gives_up()
    until(lambda: cem.places == [2, 1], "the new place")
    ann.done()
    cem.done()
    assert cem.error is None


def test_a_place_that_cannot_be_told_does_not_block_the_queue(
    queue: FairQueue, visitor: Callable[[str], Visitor]
) -> None:
    def broken(place: int) -> None:
        raise RuntimeError("the page is gone")

    ann = visitor("ann").comes()
    with pytest.raises(RuntimeError), queue.turn("ben", broken):
        pass
    assert queue.length() == 1
    ann.done()
    with queue.turn("ben", broken):
        assert queue.length() == 1
