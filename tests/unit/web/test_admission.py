"""Who is let in, in which order and how often: places, queue, buckets and readers of slow bodies."""

from __future__ import annotations

import threading
import time

import pytest

from cds_service.errors import OverloadedError, RateLimitedError
from cds_service.web.admission import Gate, Priority, Rates, Readers


def waiting(gate: Gate, priority: Priority, told: list[str], name: str) -> threading.Thread:
    """Start a thread that enters and notes whether it was let in."""

    def enter() -> None:
        try:
            gate.enter(priority)
        except OverloadedError:
            told.append(f"{name} refused")
        else:
            told.append(name)

    thread = threading.Thread(target=enter)
    thread.start()
    time.sleep(0.02)
    return thread


def test_whoever_finds_no_place_is_refused_soon() -> None:
    """With every place taken a call is refused after the wait, which is far below a tenth of a second here."""
    gate = Gate(2, waits_s=0.03)
    gate.enter(Priority.HOOK)
    gate.enter(Priority.OTHER)
    begun = time.monotonic()
    with pytest.raises(OverloadedError):
        gate.enter(Priority.HOOK)
    assert 0.02 < time.monotonic() - begun < 1
    gate.leave()
    gate.enter(Priority.OTHER)


def test_hooks_come_before_feedback_and_feedback_before_the_rest() -> None:
    """A place that comes free goes to the most important call, whoever came first."""
    gate, told = Gate(2, waits_s=10), list[str]()
    gate.enter(Priority.OTHER)
    gate.enter(Priority.OTHER)
    threads = [
        waiting(gate, priority, told, priority.name)
        for priority in (Priority.OTHER, Priority.FEEDBACK, Priority.HOOK)
    ]
    for _ in threads:
        gate.leave()
        time.sleep(0.02)
    for thread in threads:
        thread.join(5)
    assert told == ["HOOK", "FEEDBACK", "OTHER"]


def test_a_full_queue_refuses_at_once_unless_a_lesser_call_gives_way() -> None:
    """Two may wait for one place: a third of the same kind is refused at once, a hook takes the place of a page."""
    gate, told = Gate(1, waits_s=0.5), list[str]()
    gate.enter(Priority.HOOK)
    threads = [waiting(gate, Priority.OTHER, told, name) for name in ("first", "second")]
    begun = time.monotonic()
    with pytest.raises(OverloadedError):
        gate.enter(Priority.OTHER)
    assert time.monotonic() - begun < 0.3
    threads.append(waiting(gate, Priority.HOOK, told, "hook"))
    gate.leave()
    time.sleep(0.02)
    gate.leave()
    for thread in threads:
        thread.join(5)
    assert told == ["hook", "first", "second refused"]


def test_no_place_is_lost_among_many_threads() -> None:
    """After a thousand entries and refusals from many threads all places are free again."""
    gate = Gate(3, waits_s=0.001)

    def work() -> None:
        for _ in range(50):
            try:
                gate.enter(Priority.HOOK)
            except OverloadedError:
                continue
            time.sleep(0.0005)
            gate.leave()

    threads = [threading.Thread(target=work) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for _ in range(3):
        gate.enter(Priority.HOOK)
    with pytest.raises(OverloadedError):
        gate.enter(Priority.HOOK)


def test_a_client_that_calls_too_often_is_told_when_to_come_back() -> None:
    """Sixty a minute: sixty at once, then one a second; another client has its own."""
    moment = [0.0]
    rates = Rates(60, clock=lambda: moment[0])
    for _ in range(60):
        rates.take("a")
    with pytest.raises(RateLimitedError) as refused:
        rates.take("a")
    assert refused.value.retry_after == 1
    rates.take("b")
    moment[0] += 1.01
    rates.take("a")
    with pytest.raises(RateLimitedError):
        rates.take("a")


def test_a_slow_rate_names_a_long_wait() -> None:
    """Two a minute: after both the client is told to wait half a minute."""
    rates = Rates(2, clock=lambda: 0.0)
    rates.take("a")
    rates.take("a")
    with pytest.raises(RateLimitedError) as refused:
        rates.take("a")
    assert refused.value.retry_after == 30


def test_without_a_rate_nobody_is_refused() -> None:
    """Zero means as many as come."""
    rates = Rates(0, clock=lambda: 0.0)
    for _ in range(1000):
        rates.take("a")


def test_only_so_many_threads_wait_for_bodies() -> None:
    """One more than allowed is refused at once, and a place comes back also after a fault."""
    readers = Readers(1)
    with readers.reading(), pytest.raises(OverloadedError), readers.reading():
        pytest.fail("was let in")
    with pytest.raises(ZeroDivisionError), readers.reading():
        raise ZeroDivisionError
    with readers.reading():
        pass
