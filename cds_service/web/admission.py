"""Lets only so many calls be worked on at a time, the important ones first; it holds back nobody for long.

What waits, waits for at most a tenth of a second: an early refusal with Retry-After is worth more to an EHR than an
answer after its own patience has ended.
"""

from __future__ import annotations

import heapq
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import IntEnum
from math import ceil

from cds_service.errors import OverloadedError, RateLimitedError

WAITS_AT_MOST_S = 0.08
_BUSY = "Temporarily unavailable"


class Priority(IntEnum):
    """Who is let in first."""

    HOOK = 0
    FEEDBACK = 1
    OTHER = 2


class _Waiter:
    """One call in the queue."""

    def __init__(self) -> None:
        self.turn = threading.Event()
        self.has_left = False


class Gate:
    """So many places, and a short queue in the order of priority and arrival. Shared by all threads of a process."""

    def __init__(self, places: int, waits_s: float = WAITS_AT_MOST_S) -> None:
        """Offer `places`; whoever finds none waits `waits_s` seconds at most, twice as many calls at a time at most."""
        self._free = places
        self._most_waiting = 2 * places
        self._waits_s = waits_s
        self._lock = threading.Lock()
        self._queue: list[tuple[Priority, int, _Waiter]] = []
        self._arrived = 0

    def enter(self, priority: Priority) -> None:
        """Take a place. Raises `OverloadedError` when none comes free in time; who has entered must `leave`."""
        with self._lock:
            if self._free > 0:
                self._free -= 1
                return
            waiter = self._join(priority)
        if waiter.turn.wait(self._waits_s):
            return
        with self._lock:
            if waiter.turn.is_set():  # it was our turn just now
                return
            waiter.has_left = True
        raise OverloadedError(_BUSY)

    def leave(self) -> None:
        """Give the place to whoever waits with the highest priority."""
        with self._lock:
            while self._queue:
                waiter = heapq.heappop(self._queue)[-1]
                if not waiter.has_left:
                    waiter.turn.set()
                    return
            self._free += 1

    def _join(self, priority: Priority) -> _Waiter:
        """Join the queue; when it is full, the last of the least important gives way, or this call does."""
        self._queue = [one for one in self._queue if not one[-1].has_left]
        if len(self._queue) >= self._most_waiting and not self._displace(priority):
            raise OverloadedError(_BUSY)
        waiter = _Waiter()
        self._arrived += 1
        heapq.heappush(self._queue, (priority, self._arrived, waiter))
        return waiter

    def _displace(self, priority: Priority) -> bool:
        last = max(self._queue, key=lambda one: one[:2])
        if last[0] <= priority:
            return False
        last[-1].has_left = True
        self._queue.remove(last)
        heapq.heapify(self._queue)
        return True


class Rates:
    """How often each client may call: a bucket per client that fills steadily. Shared by all threads of a process."""

    def __init__(self, per_minute: int, clock: Callable[[], float] = time.monotonic) -> None:
        """Allow `per_minute` calls, all of them at once after a quiet minute; 0 allows any number."""
        self._per_minute = per_minute
        self._clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[str, tuple[float, float]] = {}

    def take(self, client: str) -> None:
        """Count one call of a registered client. Raises `RateLimitedError` when it has none left."""
        if not self._per_minute:
            return
        with self._lock:
            now = self._clock()
            left, then = self._buckets.get(client, (float(self._per_minute), now))
            left = min(float(self._per_minute), left + (now - then) * self._per_minute / 60)
            enough = left >= 1
            self._buckets[client] = (left - 1 if enough else left, now)
        if not enough:
            raise RateLimitedError(ceil((1 - left) * 60 / self._per_minute))


class Readers:
    """How many threads may wait for the bodies of slow clients, so that some are always left for everybody else."""

    def __init__(self, most: int) -> None:
        """Allow `most` at the same time."""
        self._places = threading.BoundedSemaphore(most)

    @contextmanager
    def reading(self) -> Iterator[None]:
        """Hold a place while a body is read. Raises `OverloadedError` at once when there is none."""
        if not self._places.acquire(blocking=False):
            raise OverloadedError(_BUSY)
        try:
            yield
        finally:
            self._places.release()
