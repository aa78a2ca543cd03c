"""The keys of a client: written down once, or published by it and read again in time; it connects nowhere itself."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Collection, Iterable

from cds_service.fetch.answers import Document
from cds_service.fetch.limits import Deadline
from cds_service.trust.callers import Look
from cds_service.trust.keys import KeySet, PublicKey

FETCH_WITHIN_S = 0.5
LONGEST_FRESH_S = 3600
"""Of published keys, or shorter where the answer says so."""
LONGEST_KEPT_S = 24 * 3600
"""While the client's server does not answer."""
LEAST_BETWEEN_S = 60
"""Between two fetches, whatever tokens name: a flood of unknown key ids is no flood of fetches."""
RETRY_AFTER_S = 10
"""After a fetch that failed."""
_RESERVE_S = 0.1
"""Of the call's deadline, which waiting for keys leaves."""

Fetch = Callable[[float], Document | None]
"""Fetches the published keys within so many seconds; None when they cannot be had."""
Read = Callable[[bytes], KeySet]
"""Reads them. Raises `ValueError` for what is no set of keys."""


class WrittenKeys:
    """Keys that stand in the file of clients."""

    def __init__(self, keys: KeySet) -> None:
        """Keep them."""
        self._keys = keys

    def find(self, kid: str, algorithm: str, deadline: Deadline) -> PublicKey | None:  # noqa: ARG002 - of the protocol
        """Return the key of this id for this algorithm."""
        return self._keys.find(kid, algorithm)

    def look(self, algorithms: Collection[str]) -> Look:
        """Tell whether one of them is for one of these algorithms."""
        return Look(_has_one(self._keys, algorithms), was_tried=True)


class PublishedKeys:
    """Keys at the registered address of a client, fetched when the first token comes, and for all callers at once."""

    def __init__(self, fetch: Fetch, read: Read, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is fetched yet. `clock` is monotonic, in seconds."""
        self._fetch = fetch
        self._read = read
        self._clock = clock
        self._lock = threading.Lock()
        self._keys: KeySet | None = None
        self._fetched_at = self._fresh_until = 0.0
        self._next_fetch_at = -float("inf")
        self._flight: threading.Event | None = None
        self._was_tried = False

    def find(self, kid: str, algorithm: str, deadline: Deadline) -> PublicKey | None:
        """Return the key, waiting for one fetch at most: a new key is found without a restart."""
        with self._lock:
            key = self._known(kid, algorithm)
            is_fresh = self._clock() < self._fresh_until
            flight = None if key is not None and is_fresh else self._flight_now()
        if flight is None:
            return key
        flight.wait(min(FETCH_WITHIN_S, max(0.0, deadline.left() - _RESERVE_S)))
        with self._lock:
            return self._known(kid, algorithm)

    def look(self, algorithms: Collection[str]) -> Look:
        """Tell what is known at this moment, and have the keys fetched when they are not fresh; it waits for nobody."""
        with self._lock:
            if self._clock() >= self._fresh_until:
                self._flight_now()
            return Look(_has_one(self._kept() or (), algorithms), self._was_tried)

    def _known(self, kid: str, algorithm: str) -> PublicKey | None:
        kept = self._kept()
        return kept.find(kid, algorithm) if kept is not None else None

    def _kept(self) -> KeySet | None:
        """Return the last keys, unless their server has not answered for too long."""
        return None if self._clock() > self._fetched_at + LONGEST_KEPT_S else self._keys

    def _flight_now(self) -> threading.Event | None:
        """Return the fetch that is under way, a new one if it is time for it, or None."""
        if self._flight is None and self._clock() >= self._next_fetch_at:
            self._flight = threading.Event()
            self._next_fetch_at = self._clock() + RETRY_AFTER_S
            try:
                threading.Thread(target=self._fly, args=(self._flight,), name="keys", daemon=True).start()
            except RuntimeError:  # the system gives no more threads
                self._flight = None
        return self._flight

    def _fly(self, flight: threading.Event) -> None:
        """Fetch and take over the keys; it ends for all who wait, whatever happens."""
        began = self._clock()
        try:
            document = self._fetch(FETCH_WITHIN_S)
            if document is not None:
                self._take(document, self._read(document.body), began)
        except ValueError:  # no set of keys: as if nothing had come
            return
        finally:
            with self._lock:
                self._flight = None
                self._was_tried = True
            flight.set()

    def _take(self, document: Document, keys: KeySet, began: float) -> None:
        fresh = LONGEST_FRESH_S if document.max_age is None else min(document.max_age, LONGEST_FRESH_S)
        with self._lock:
            self._keys = keys
            self._fetched_at = began
            self._fresh_until = began + fresh
            self._next_fetch_at = began + LEAST_BETWEEN_S


def _has_one(keys: Iterable[PublicKey], algorithms: Collection[str]) -> bool:
    return any(key.fits(algorithm) for key in keys for algorithm in algorithms)
