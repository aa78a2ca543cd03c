"""When published keys are fetched again, and what holds while they cannot be had; clock and fetch are the test's."""

from __future__ import annotations

import json
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from functools import partial

import pytest

from cds_service.fetch.answers import Document
from cds_service.fetch.limits import Deadline
from cds_service.trust.callers import Look
from cds_service.trust.key_sources import PublishedKeys
from cds_service.trust.keys import read_published
from tests.support.tokens import Signer, key_set, signer

OLD, NEW = signer("ES384", "old"), signer("ES384", "new")
HOUR, DAY = 3600.0, 86_400.0


class Publisher:
    """What a client publishes, how often it was fetched, and what time it is."""

    def __init__(self, *signers: Signer, max_age: int | None = None) -> None:
        """Publish these keys."""
        self.now = 0.0
        self.fetches = 0
        self.body: bytes | None = json.dumps(key_set(*signers)).encode()
        self.max_age = max_age
        self.gate = threading.Event()
        self.gate.set()
        self.keys = PublishedKeys(self._fetch, partial(read_published, refused=()), lambda: self.now)

    def publish(self, *signers: Signer) -> None:
        """Replace what is published."""
        self.body = json.dumps(key_set(*signers)).encode()

    def knows(self, one: Signer, seconds: float = 1.0) -> bool:
        """Whether a token of this key would be verified now."""
        return self.keys.find(one.kid, one.algorithm, Deadline(seconds)) is not None

    def _fetch(self, _seconds: float) -> Document | None:
        self.fetches += 1
        self.gate.wait(5)
        return None if self.body is None else Document(self.body, self.max_age)


def test_keys_are_fetched_by_the_first_token_and_kept() -> None:
    """Not at the start, and not for the next token."""
    publisher = Publisher(OLD)
    assert publisher.fetches == 0
    assert all(publisher.knows(OLD) for _ in range(100))
    assert publisher.fetches == 1


@pytest.mark.parametrize(("max_age", "kept"), [(None, HOUR), (600, 600), (10 * 3600, HOUR), (0, 60), (5, 60)])
def test_keys_are_fresh_as_long_as_the_answer_says(max_age: int | None, kept: float) -> None:
    """An hour at most, a minute at least."""
    publisher = Publisher(OLD, max_age=max_age)
    assert publisher.knows(OLD)
    publisher.now = kept - 1
    assert publisher.knows(OLD)
    assert publisher.fetches == 1
    publisher.now = kept
    assert publisher.knows(OLD)
    assert publisher.fetches == 2


def test_a_new_key_is_found_without_a_restart() -> None:
    """A minute after the last fetch at the latest."""
    publisher = Publisher(OLD)
    assert publisher.knows(OLD)
    publisher.publish(OLD, NEW)
    publisher.now = 59
    assert not publisher.knows(NEW)
    publisher.now = 60
    assert publisher.knows(NEW)
    assert publisher.knows(OLD)
    assert publisher.fetches == 2


def test_a_withdrawn_key_ends_with_the_next_fetch() -> None:
    """Even when nothing else is published in its place."""
    publisher = Publisher(OLD)
    assert publisher.knows(OLD)
    publisher.publish()
    publisher.now = HOUR
    assert not publisher.knows(OLD)


def test_a_flood_of_unknown_ids_is_no_flood_of_fetches() -> None:
    """One a minute, while the known key is found all the time."""
    publisher = Publisher(OLD)
    assert publisher.knows(OLD)
    for second in range(600):
        publisher.now = float(second)
        for flood in range(5):
            assert publisher.keys.find(f"unknown-{second}-{flood}", "ES384", Deadline(1)) is None
        assert publisher.knows(OLD)
    assert publisher.fetches == 10


def test_while_the_server_is_down_the_last_keys_hold_for_a_day() -> None:
    """It is tried again every ten seconds, and nobody waits in between; after a day the keys prove nothing."""
    publisher = Publisher(OLD)
    assert publisher.knows(OLD)
    publisher.body = None
    publisher.now = HOUR
    assert all(publisher.knows(OLD) for _ in range(10))
    assert publisher.fetches == 2
    publisher.now = HOUR + 10
    assert publisher.knows(OLD)
    assert publisher.fetches == 3
    publisher.now = DAY
    assert publisher.knows(OLD)
    publisher.now = DAY + 1
    assert not publisher.knows(OLD)
    publisher.publish(OLD)
    publisher.now = DAY + 11
    assert publisher.knows(OLD)


def test_without_any_keys_a_dead_server_is_asked_every_ten_seconds() -> None:
    """So that it is found soon, and not with every token."""
    publisher = Publisher(OLD)
    publisher.body = None
    assert not any(publisher.knows(OLD) for _ in range(20))
    assert publisher.fetches == 1
    publisher.publish(OLD)
    publisher.now = 9.9
    assert not publisher.knows(OLD)
    publisher.now = 10
    assert publisher.knows(OLD)


@pytest.mark.parametrize("body", [b"", b"<html>", b"{}", b'{"keys":[],"keys":[]}', b"\xff" * 10])
def test_what_is_no_set_of_keys_changes_nothing(body: bytes) -> None:
    """The last keys hold, as if nothing had come."""
    publisher = Publisher(OLD)
    assert publisher.knows(OLD)
    publisher.body = body
    publisher.now = HOUR
    assert publisher.knows(OLD)
    publisher.now = HOUR + 10
    assert publisher.knows(OLD)
    assert publisher.fetches == 3


def test_many_callers_wait_for_one_fetch() -> None:
    """Thirty tokens that come at once before there are keys cost one fetch, and all are verified."""
    publisher = Publisher(OLD)
    publisher.gate.clear()
    with ThreadPoolExecutor(30) as pool:
        asked = [pool.submit(publisher.knows, OLD, 5.0) for _ in range(30)]
        publisher.gate.set()
        assert all(one.result() for one in asked)
    assert publisher.fetches == 1


def test_nobody_waits_longer_than_its_own_deadline() -> None:
    """A call that has no time left is refused at once; the fetch goes on for the others."""
    publisher = Publisher(OLD)
    publisher.gate.clear()
    assert not publisher.knows(OLD, 0.1)
    publisher.gate.set()
    assert publisher.knows(OLD)
    assert publisher.fetches == 1


ALL = frozenset({"ES384"})


def looked(publisher: Publisher) -> Look:
    """Look, let what that began come to its end, and look again."""
    publisher.keys.look(ALL)
    deadline = time.monotonic() + 5
    while not publisher.keys.look(ALL).was_tried and time.monotonic() < deadline:
        time.sleep(0.001)
    return publisher.keys.look(ALL)


def test_looking_has_keys_fetched_and_waits_for_nobody() -> None:
    """Before the first fetch has ended nothing is known, and nothing is said to be missing."""
    publisher = Publisher(OLD)
    publisher.gate.clear()
    assert publisher.keys.look(ALL) == Look(is_usable=False, was_tried=False)
    publisher.gate.set()
    assert looked(publisher) == Look(is_usable=True, was_tried=True)
    assert publisher.knows(OLD)
    assert publisher.fetches == 1


def test_looking_tells_that_there_is_nothing_to_use() -> None:
    """No answer, an empty set, or keys for other algorithms."""
    empty, silent, other = Publisher(), Publisher(OLD), Publisher(OLD)
    silent.body = None
    assert looked(empty) == looked(silent) == Look(is_usable=False, was_tried=True)
    assert looked(other).is_usable
    assert other.keys.look(frozenset({"RS384"})) == Look(is_usable=False, was_tried=True)


def test_keys_are_usable_for_a_day_without_their_server() -> None:
    """An outage of a client's server shows after 24 hours, as it does for tokens."""
    publisher = Publisher(OLD)
    assert looked(publisher).is_usable
    publisher.body = None
    publisher.now = DAY - 1
    assert publisher.keys.look(ALL).is_usable
    publisher.now = DAY + 1
    assert not publisher.keys.look(ALL).is_usable
