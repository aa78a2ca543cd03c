"""A token is used once: in one process, in many, after it expired, and when the store is gone; on both databases."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import func, select

from cds_service.errors import StoreUnavailableError
from cds_service.store.database import Database
from cds_service.store.seen_tokens import StoredTokens
from cds_service.store.tables import seen_token
from tests.functional.server import LiveServer
from tests.store.serving import HOOK
from tests.support.production import CLIENT, write_clients
from tests.support.tokens import ISSUER, OTHER_ISSUER, bearer, claims, key_set, signer, token

NOW = datetime(2026, 6, 15, 10, 0, tzinfo=UTC)
LATER = NOW + timedelta(minutes=5)
ROUNDS = int(os.environ.get("CDS_TEST_REPLAY_ROUNDS", "3"))
COPIES = 50


def kept(database: Database) -> int:
    """Return how many tokens are remembered."""
    with database.reading() as connection:
        count: int = connection.execute(select(func.count()).select_from(seen_token)).scalar_one()
    return count


def test_a_token_is_claimed_once(database: Database) -> None:
    """By issuer and id together; what the two are made of cannot be shifted from one to the other."""
    tokens = StoredTokens(database)
    assert tokens.claim(ISSUER, "one", LATER, NOW)
    assert not tokens.claim(ISSUER, "one", LATER, NOW)
    assert not StoredTokens(database).claim(ISSUER, "one", LATER, NOW)
    assert tokens.claim(ISSUER, "two", LATER, NOW)
    assert tokens.claim(OTHER_ISSUER, "one", LATER, NOW)
    assert tokens.claim(f"{ISSUER}o", "ne", LATER, NOW)


@pytest.mark.parametrize(
    "jti", ["\u00e9\u4e2d\U0001f600", "'; DROP TABLE seen_token; --", "%s", ":x", '"', "\\", "j" * 256]
)
def test_any_id_is_remembered_alike(database: Database, jti: str) -> None:
    """Only its digest is kept, so that no text can trouble a database."""
    tokens = StoredTokens(database)
    assert tokens.claim(ISSUER, jti, LATER, NOW)
    assert not tokens.claim(ISSUER, jti, LATER, NOW)


def test_an_id_may_be_used_again_after_it_expired(database: Database) -> None:
    """To the millisecond, whether it was purged or not."""
    tokens = StoredTokens(database)
    assert tokens.claim(ISSUER, "one", LATER, NOW)
    assert not tokens.claim(ISSUER, "one", LATER, LATER - timedelta(milliseconds=1))
    assert tokens.claim(ISSUER, "one", LATER + timedelta(minutes=5), LATER)
    assert not tokens.claim(ISSUER, "one", LATER + timedelta(minutes=5), LATER)


def test_expired_tokens_are_forgotten_now_and_then(database: Database) -> None:
    """What is kept does not grow with time; what has not expired stays."""
    tokens = StoredTokens(database)
    for number in range(150):
        assert tokens.claim(ISSUER, f"old-{number}", LATER, NOW)
    assert tokens.claim(ISSUER, "long", LATER + timedelta(hours=1), NOW)
    for number in range(100):
        assert tokens.claim(ISSUER, f"new-{number}", LATER + timedelta(hours=1), LATER)
    assert kept(database) == 101 + 0
    assert not tokens.claim(ISSUER, "long", LATER, LATER)


def test_of_many_at_once_one_is_told_yes(database: Database) -> None:
    """Fifty threads with the same token, twenty times; a purge runs among them."""
    tokens = StoredTokens(database)
    with ThreadPoolExecutor(COPIES) as pool:
        for number in range(20):
            told = pool.map(
                lambda _copy, jti=f"t{number}": tokens.claim(ISSUER, jti, LATER, NOW), range(COPIES)
            )
            assert list(told).count(True) == 1


def test_a_store_that_is_gone_says_so(empty_database: Database) -> None:
    """Without its table it neither lets in nor refuses: it raises."""
    with pytest.raises(StoreUnavailableError):
        StoredTokens(empty_database).claim(ISSUER, "one", LATER, NOW)


@pytest.fixture
def server(url: str, database: Database, tmp_path: Path) -> Iterator[LiveServer]:
    """Return a service of four processes that answers one registered client."""
    clients = write_clients(tmp_path, CLIENT | {"jwks": key_set(signer())})
    changes = {"DATABASE_URL": url, "CDS_CLIENTS": str(clients), "CDS_OPEN": "false", "WORKERS": "4"}
    running = LiveServer(tmp_path / "server.log", changes)
    yield running
    assert running.stop() == 0


def call(server: LiveServer, text: str) -> int:
    """Send an empty call with this token on a connection of its own: 400 once the caller is known, else 401."""
    with closing(server.connection()) as connection:
        connection.request("POST", HOOK, b"", {"Content-Type": "application/json", **bearer(text)})
        return connection.getresponse().status


def test_of_fifty_copies_to_four_processes_one_is_accepted(server: LiveServer, database: Database) -> None:
    """The same token, sent fifty times at once, round after round: one is let in, the others are refused.

    On a machine that is busy some may be told to try again (503), which lets nobody in either.
    """
    with ThreadPoolExecutor(COPIES) as pool:
        for _round in range(ROUNDS):
            text = token(claims(aud=f"http://127.0.0.1:{server.port}{HOOK}"))
            statuses = list(pool.map(lambda _copy, text=text: call(server, text), range(COPIES)))
            assert statuses.count(400) == 1
            assert set(statuses) <= {400, 401, 503}
    assert kept(database) == ROUNDS


def test_a_used_token_stays_used_after_a_restart(url: str, database: Database, tmp_path: Path) -> None:
    """What was used is remembered by the store, not by a process."""
    clients = write_clients(tmp_path, CLIENT | {"jwks": key_set(signer())})
    changes = {
        "DATABASE_URL": url,
        "CDS_CLIENTS": str(clients),
        "CDS_OPEN": "false",
        "CDS_PUBLIC_BASE_URL": "https://cds.example.org",
    }
    text = token()
    statuses = []
    for name in ("first", "second"):
        running = LiveServer(tmp_path / f"{name}.log", changes)
        statuses.append(call(running, text))
        assert running.stop() == 0
    assert statuses == [400, 401]
