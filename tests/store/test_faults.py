"""Faults of the embedded store in a running service: full, gone, locked; calls are answered, nothing is half stored."""

from __future__ import annotations

import http
import sqlite3
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import event

from cds_service.errors import StoreUnavailableError
from cds_service.store.feedback import KeptFeedback, keeping_feedback
from cds_service.store.store import Store, open_store
from tests.functional.server import LiveServer
from tests.store.serving import FEEDBACK, HOOK, STORY, at_once, post
from tests.support.feedback import message, overridden

AT = datetime(2026, 6, 15, 10, tzinfo=UTC)


def new_feedback() -> dict[str, object]:
    """Return a call about a card that nobody has answered."""
    return message(overridden(str(uuid.uuid4())))


def stored_in(file: Path) -> int:
    """Return how many answers are stored."""
    with closing(sqlite3.connect(file)) as connection:
        count: int = connection.execute("SELECT count(*) FROM feedback").fetchone()[0]
        return count


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "kept" / "store.sqlite3"


@pytest.fixture
def server(file: Path, tmp_path: Path) -> Iterator[LiveServer]:
    """Return a running service."""
    changes = {
        "DATABASE_URL": f"sqlite:///{file}",
        "CDS_STATE_FOLDER": str(tmp_path / "s"),
        "CDS_QUIET": "true",
    }
    server = LiveServer(tmp_path / "server.log", changes)
    yield server
    assert server.stop() == 0


def limit_pages(store: Store, pages: int) -> None:
    """Let the file of a store have so many pages and no more, as a full disk would."""

    @event.listens_for(store.database._durable, "checkout")
    def limit(connection: sqlite3.Connection, *_rest: object) -> None:
        connection.execute(f"PRAGMA max_page_count={pages}")


def test_a_full_disk_stores_nothing_in_part_and_recovers(file: Path, tmp_path: Path) -> None:
    """A call that does not fit is refused whole; with room again the same call is stored, without a restart."""
    store = open_store(f"sqlite:///{file}", tmp_path / "secret.key", may_make=True)
    items = [
        KeptFeedback(str(uuid.uuid4()), "overridden", AT, ("s",), reason_code="x" * 300) for _ in range(200)
    ]
    write = keeping_feedback("ehr", "problem", items, AT)
    limit_pages(store, 40)
    with pytest.raises(StoreUnavailableError):
        store.writer.commit(write, 5)
    assert stored_in(file) == 0
    limit_pages(store, 100_000)
    store.writer.commit(write, 5)
    store.close()
    assert stored_in(file) == len(items)


@pytest.mark.parametrize("held_s", [0.1, 0.5])
def test_a_short_lock_costs_only_time(server: LiveServer, file: Path, held_s: float) -> None:
    """Feedback waits for its turn, and hooks do not."""
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        begun = time.monotonic()
        assert post(server, HOOK, STORY).status == http.HTTPStatus.OK
        assert time.monotonic() - begun < held_s + 1
        time.sleep(held_s)
        other.rollback()
    assert post(server, FEEDBACK, new_feedback()).status == http.HTTPStatus.OK


def test_a_lock_of_five_seconds_refuses_feedback_and_nothing_else(server: LiveServer, file: Path) -> None:
    """Meanwhile each call of feedback gets 503 within the deadline, hooks are answered; afterwards all is well."""
    bodies = [new_feedback() for _ in range(4)]
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN IMMEDIATE")
        until = time.monotonic() + 5
        while time.monotonic() < until:
            begun = time.monotonic()
            replies = at_once(server, FEEDBACK, list(bodies))
            assert time.monotonic() - begun < 4
            assert {(reply.status, reply.headers["retry-after"]) for reply in replies} == {(503, "1")}
            assert post(server, HOOK, STORY).status == http.HTTPStatus.OK
        other.rollback()
    until = time.monotonic() + 10
    while time.monotonic() < until and post(server, FEEDBACK, bodies[0]).status != http.HTTPStatus.OK:
        time.sleep(0.1)
    assert {reply.status for reply in at_once(server, FEEDBACK, list(bodies))} == {http.HTTPStatus.OK}
    assert stored_in(file) == len(bodies)


def test_a_store_that_is_deleted_takes_nothing_more(server: LiveServer, file: Path) -> None:
    """An open file outlives its name: what was written to it would be lost, so it is refused; hooks are answered."""
    assert post(server, FEEDBACK, new_feedback()).status == http.HTTPStatus.OK
    for part in file.parent.iterdir():
        part.unlink()
    assert post(server, HOOK, STORY).status == http.HTTPStatus.OK
    reply = post(server, FEEDBACK, new_feedback())
    assert (reply.status, reply.headers.get("retry-after")) == (http.HTTPStatus.SERVICE_UNAVAILABLE, "1")
    assert [*file.parent.iterdir()] == []
    assert "gone or was replaced" in server.printed


def test_a_store_that_was_replaced_takes_nothing_more(server: LiveServer, file: Path) -> None:
    """Another file in its place is not written to before the service was started on it."""
    assert post(server, FEEDBACK, new_feedback()).status == http.HTTPStatus.OK
    copy = file.with_name("copy")
    with closing(sqlite3.connect(file)) as one, closing(sqlite3.connect(copy)) as other:
        one.backup(other)
    copy.replace(file)
    assert post(server, FEEDBACK, new_feedback()).status == http.HTTPStatus.SERVICE_UNAVAILABLE
    assert stored_in(file) == 1
