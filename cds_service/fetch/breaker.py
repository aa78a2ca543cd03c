"""Keeps one failing FHIR server from holding up others: breaker and bulkhead per origin; it fetches nothing."""

from __future__ import annotations

import random
import threading
from collections import deque
from collections.abc import Callable
from typing import NamedTuple

_CONSECUTIVE = 5
_FEWEST_CALLS = 20
_FAILED_SHARE = 0.5
_WINDOW_S = 10.0
_OPEN_S = 5.0
_JITTER = 0.2
_MOST_VISITORS = 16
"""Hook calls that wait for one server at once."""
_PLACES = 32
"""Requests to one server at once; more wait for a place, within their deadline."""
_RETRIES_OF_CALLS = 0.1
_REMEMBERED = 500


class Ticket(NamedTuple):
    """One request that was let in: how often the breaker had opened by then, and whether it is the probe."""

    times_opened: int
    is_probe: bool


class Origin:
    """What is known of one server: recent outcomes, who waits for it, and whether it is left alone for now."""

    def __init__(self, clock: Callable[[], float], chance: Callable[[], float] = random.random) -> None:
        """`clock` is monotonic, in seconds; `chance` returns numbers from 0 to 1 for the jitter."""
        self._clock = clock
        self._chance = chance
        self._lock = threading.Lock()
        self._probe_ended = threading.Condition(self._lock)
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=_REMEMBERED)
        self._consecutive = 0
        self._open_until = 0.0
        self._is_probing = False
        self._prober: object = None
        self._times_opened = 0
        self._visitors = 0
        self.places = threading.BoundedSemaphore(_PLACES)
        self._calls = self._retries = 0

    def admit(self) -> bool:
        """Let one hook call wait for this server; False while too many do, so that it never holds all of them."""
        with self._lock:
            if self._visitors >= _MOST_VISITORS:
                return False
            self._visitors += 1
            return True

    def dismiss(self) -> None:
        """End the visit of one hook call."""
        with self._lock:
            self._visitors -= 1

    def enter(self, visit: object = None, within_s: float = 0.0) -> Ticket | None:
        """Begin one request; None while the breaker is open, except for the one probe after its time.

        Other requests of the same `visit` wait up to `within_s` for the end of its probe: the call that finds the
        server well again is then answered whole, not from the one query that happened to be first.
        """
        with self._lock:
            if self._is_probing and visit is not None and self._prober is visit:
                self._probe_ended.wait_for(lambda: not self._is_probing, timeout=within_s)
            is_probe = bool(self._open_until)
            if is_probe:
                if self._clock() < self._open_until or self._is_probing:
                    return None
                self._is_probing, self._prober = True, visit
            self._calls += 1
            return Ticket(self._times_opened, is_probe)

    def leave(self, ticket: Ticket, *, succeeded: bool) -> None:
        """End one request and learn from its outcome.

        What began before the breaker last opened is over and says nothing of now: the probe alone decides.
        """
        with self._lock:
            if ticket.times_opened != self._times_opened:
                return
            now = self._clock()
            self._outcomes.append((now, succeeded))
            self._consecutive = 0 if succeeded else self._consecutive + 1
            if ticket.is_probe:
                self._is_probing, self._prober = False, None
                self._open_until = 0.0
                self._probe_ended.notify_all()
            if not succeeded and (ticket.is_probe or self._is_failing(now)):
                self._times_opened += 1
                self._open_until = now + _OPEN_S * (1 + _JITTER * self._chance())

    def may_retry(self) -> bool:
        """Count one retry, if the share of retries among all calls leaves room for it."""
        with self._lock:
            if self._retries + 1 > max(1.0, self._calls * _RETRIES_OF_CALLS):
                return False
            self._retries += 1
            return True

    def _is_failing(self, now: float) -> bool:
        if self._consecutive >= _CONSECUTIVE:
            return True
        recent = [succeeded for at, succeeded in self._outcomes if now - at <= _WINDOW_S]
        return len(recent) >= _FEWEST_CALLS and recent.count(False) >= _FAILED_SHARE * len(recent)


class Origins:
    """All servers, by origin; only registered ones ever come here, so that there is no end of them."""

    def __init__(self, clock: Callable[[], float]) -> None:
        """Start without any."""
        self._clock = clock
        self._lock = threading.Lock()
        self._known: dict[str, Origin] = {}

    def of(self, origin: str) -> Origin:
        """Return the one record of a server."""
        with self._lock:
            if origin not in self._known:
                self._known[origin] = Origin(self._clock)
            return self._known[origin]
