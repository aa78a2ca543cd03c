"""A failing server is left alone for a while, one probe asks whether it is back, and no server takes all places."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor

import pytest

from cds_service.fetch.breaker import Origin, Origins, Ticket


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        """Begin somewhere."""
        self.now = 1000.0

    def __call__(self) -> float:
        """Return the time."""
        return self.now


@pytest.fixture
def clock() -> Clock:
    """Return a clock."""
    return Clock()


@pytest.fixture
def origin(clock: Clock) -> Origin:
    """Return a server without jitter."""
    return Origin(clock, lambda: 0.0)


def call(origin: Origin, *, succeeded: bool) -> bool:
    """Make one call; return whether it was let in."""
    ticket = origin.enter()
    if ticket is not None:
        origin.leave(ticket, succeeded=succeeded)
    return ticket is not None


def test_five_failures_in_a_row_open_it(origin: Origin) -> None:
    """The fifth opens, not the fourth; a success between them starts the count anew."""
    for _time in range(4):
        assert call(origin, succeeded=False)
    assert call(origin, succeeded=True)
    for _time in range(5):
        assert call(origin, succeeded=False)
    assert not call(origin, succeeded=True)


def test_half_of_twenty_failures_open_it(origin: Origin) -> None:
    """Every other call failing is enough once there are twenty, and not before."""
    for number in range(19):
        assert call(origin, succeeded=number % 2 == 1)
    assert call(origin, succeeded=False)
    assert not origin.enter()


def test_old_failures_do_not_count(origin: Origin, clock: Clock) -> None:
    """What lies more than ten seconds back is forgotten."""
    for number in range(19):
        call(origin, succeeded=number % 2 == 1)
    clock.now += 10.1
    assert call(origin, succeeded=False)
    assert call(origin, succeeded=True)


def test_after_five_seconds_one_probe_decides(origin: Origin, clock: Clock) -> None:
    """Only one call is let in; its success closes the breaker, its failure opens it again."""
    for _time in range(5):
        call(origin, succeeded=False)
    clock.now += 4.9
    assert not origin.enter()
    clock.now += 0.2
    probe = origin.enter()
    assert probe is not None
    assert not origin.enter()
    origin.leave(probe, succeeded=False)
    assert not origin.enter()
    clock.now += 5.1
    assert call(origin, succeeded=True)
    assert call(origin, succeeded=True)


@pytest.mark.parametrize("succeeded", [True, False])
def test_others_of_the_same_call_wait_for_its_probe(origin: Origin, clock: Clock, succeeded: bool) -> None:
    """They are let in when the server is well, and those of another call are refused at once."""
    for _time in range(5):
        call(origin, succeeded=False)
    clock.now += 5.1
    visit = object()
    probe = origin.enter(visit, 5)
    assert probe is not None
    assert origin.enter(object(), 5) is None
    assert origin.enter(visit, 0.01) is None
    with ThreadPoolExecutor(2) as threads:
        waiting = [threads.submit(origin.enter, visit, 5) for _time in range(2)]
        time.sleep(0.05)
        assert not any(one.done() for one in waiting)
        origin.leave(probe, succeeded=succeeded)
        assert [one.result() is not None for one in waiting] == [succeeded] * 2


def late(origin: Origin, count: int) -> list[Ticket]:
    """Begin requests that are answered later."""
    tickets = [origin.enter() for _time in range(count)]
    return [ticket for ticket in tickets if ticket is not None]


@pytest.mark.parametrize("succeeded", [True, False])
def test_late_outcomes_do_not_decide_the_probe(origin: Origin, clock: Clock, succeeded: bool) -> None:
    """What was begun before the breaker opened ends while a probe is out: the probe is still the only one."""
    begun = late(origin, 3)
    assert len(begun) == 3
    for _time in range(5):
        call(origin, succeeded=False)
    clock.now += 5.1
    probe = origin.enter()
    assert probe is not None
    origin.leave(begun[0], succeeded=succeeded)
    assert origin.enter() is None, "the breaker stays open, and no second probe goes out"
    origin.leave(probe, succeeded=True)
    assert call(origin, succeeded=True)


def test_late_failures_do_not_open_it_again(origin: Origin, clock: Clock) -> None:
    """After the probe has closed it, failures of what was begun before it opened are those of another time."""
    begun = late(origin, 8)
    for _time in range(5):
        call(origin, succeeded=False)
    clock.now += 5.1
    assert call(origin, succeeded=True)
    for ticket in begun:
        origin.leave(ticket, succeeded=False)
    assert call(origin, succeeded=True)


def test_late_failures_do_not_hold_it_open_longer(origin: Origin, clock: Clock) -> None:
    """The time until the probe is counted from the failure that opened it."""
    begun = late(origin, 1)
    for _time in range(5):
        call(origin, succeeded=False)
    clock.now += 4.0
    origin.leave(begun[0], succeeded=False)
    clock.now += 1.1
    assert origin.enter() is not None


def test_no_more_than_sixteen_hook_calls_wait_for_it(origin: Origin) -> None:
    """The seventeenth is turned away until one of them is done."""
    assert [origin.admit() for _time in range(17)] == [True] * 16 + [False]
    origin.dismiss()
    assert origin.admit()


def test_retries_stay_a_tenth_of_the_calls(origin: Origin) -> None:
    """One is always allowed; then one for every ten calls."""
    assert call(origin, succeeded=True)
    assert origin.may_retry()
    assert not origin.may_retry()
    for _time in range(19):
        call(origin, succeeded=True)
    assert origin.may_retry()
    assert not origin.may_retry()


def test_each_origin_has_one_record(clock: Clock) -> None:
    """The failures of one server say nothing of another."""
    origins = Origins(clock)
    for _time in range(5):
        call(origins.of("https://a:443"), succeeded=False)
    assert not origins.of("https://a:443").enter()
    assert origins.of("https://b:443").enter()
