"""The writer: what it has told to be committed is there, one fault costs one task, and it ends with nothing waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import Connection, func, insert, select, text

from cds_service.errors import StoreUnavailableError
from cds_service.store.database import Database
from cds_service.store.schema import migrate
from cds_service.store.store import Store
from cds_service.store.tables import seen_token
from cds_service.store.writer import Write, Writer


def writing(digest: str) -> Write:
    """Return what writes one row."""

    def write(connection: Connection) -> None:
        connection.execute(insert(seen_token).values(digest=digest, expires_at=1))

    return write


class Together:
    """Writes rows, those of several tasks by one call; `calls` counts how many tasks each call wrote."""

    def __init__(self, calls: list[int], *digests: str) -> None:
        """Keep what to write, and where to count."""
        self.calls = calls
        self.digests = digests

    def __call__(self, connection: Connection) -> None:
        """Write the rows; an empty one is a fault."""
        self.calls.append(len(self.digests))
        if "" in self.digests:
            raise ZeroDivisionError
        connection.execute(insert(seen_token), [{"digest": one, "expires_at": 1} for one in self.digests])

    def join(self, others: Sequence[Together]) -> Together:
        """Return what writes all of them."""
        return Together(self.calls, *self.digests, *(digest for one in others for digest in one.digests))


def waiting_for(gate: threading.Event) -> Write:
    """Return what holds the writer up until the gate opens."""

    def wait(_connection: Connection) -> None:
        gate.wait(5)

    return wait


def rows(database: Database) -> set[str]:
    """Return what is in the table."""
    with database.reading() as connection:
        return set(connection.execute(select(seen_token.c.digest)).scalars())


def fill(writer: Writer) -> None:
    """Submit more than three tasks."""
    for number in range(4):
        writer.submit(writing(f"more {number}"))


def test_what_is_committed_is_there(store: Store) -> None:
    """After `commit` another connection sees the row."""
    store.writer.commit(writing("a"), 5)
    assert rows(store.database) == {"a"}


def test_tasks_that_wait_together_are_committed_together(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Fifty calls at once need far fewer than fifty commits."""
    begun: list[int] = []
    gate = threading.Event()
    durable: Callable[[], object] = store.database.durable

    def counted() -> object:
        begun.append(1)
        return durable()

    monkeypatch.setattr(store.database, "durable", counted)
    first = store.writer.submit(waiting_for(gate))
    tasks = [store.writer.submit(writing(str(number))) for number in range(50)]
    gate.set()
    for task in [first, *tasks]:
        task.result(5)
    assert len(rows(store.database)) == 50
    assert len(begun) <= 2


def test_one_bad_task_costs_only_itself(store: Store) -> None:
    """A task that fails is told so; those that waited with it are committed."""
    gate = threading.Event()

    def fail(_connection: Connection) -> None:
        raise ZeroDivisionError

    store.writer.submit(waiting_for(gate))
    good, bad, also_good = (store.writer.submit(one) for one in (writing("a"), fail, writing("b")))
    gate.set()
    good.result(5)
    also_good.result(5)
    with pytest.raises(ZeroDivisionError):
        bad.result(5)
    assert rows(store.database) == {"a", "b"}


def test_tasks_of_one_kind_are_written_as_one(store: Store) -> None:
    """Fifty that wait together are one call, beside one of another kind."""
    gate, calls = threading.Event(), list[int]()
    store.writer.submit(waiting_for(gate))
    tasks = [store.writer.submit(Together(calls, str(number))) for number in range(50)]
    tasks.append(store.writer.submit(writing("other")))
    gate.set()
    for task in tasks:
        task.result(5)
    assert calls in ([50], [1, 49])
    assert len(rows(store.database)) == 51


def test_one_bad_task_of_a_kind_costs_only_itself(store: Store) -> None:
    """What cannot be written together is written one by one."""
    gate, calls = threading.Event(), list[int]()
    store.writer.submit(waiting_for(gate))
    good, bad, also_good = (store.writer.submit(Together(calls, one)) for one in ("a", "", "b"))
    gate.set()
    good.result(5)
    also_good.result(5)
    with pytest.raises(ZeroDivisionError):
        bad.result(5)
    assert rows(store.database) == {"a", "b"}


def test_the_writer_counts_what_it_commits(store: Store) -> None:
    """So that it can be told to get on; a fault does not count."""
    store.writer.commit(writing("a"), 5)
    with pytest.raises(StoreUnavailableError):
        store.writer.commit(writing("a"), 5)
    assert store.writer.commits == 1


def test_closing_commits_what_waits(store: Store) -> None:
    """Nothing that was taken on is lost at the end, and nothing more is taken on."""
    tasks = [store.writer.submit(writing(str(number))) for number in range(20)]
    store.writer.close()
    assert all(task.done() for task in tasks)
    assert len(rows(store.database)) == 20
    with pytest.raises(StoreUnavailableError):
        store.writer.submit(writing("late"))


def test_a_commit_that_takes_too_long_is_given_up(store: Store) -> None:
    """Whoever waits gets an answer in time."""
    gate = threading.Event()
    store.writer.submit(waiting_for(gate))
    with pytest.raises(StoreUnavailableError):
        store.writer.commit(writing("a"), 0.05)
    gate.set()


def test_a_full_queue_is_told(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """More than can be taken on is refused at once, not held in memory."""
    monkeypatch.setattr("cds_service.store.writer._MOST_WAITING", 3)
    writer, gate = Writer(store.database), threading.Event()
    writer.submit(waiting_for(gate))
    taken = [writer.submit(writing(str(number))) for number in range(2)]
    with pytest.raises(StoreUnavailableError):
        fill(writer)
    gate.set()
    for task in taken:
        task.result(5)
    writer.close()


def test_light_and_durable_transactions_see_each_other(database: Database) -> None:
    """What was written lightly is there for everybody, and uniqueness holds across both."""
    with database.light() as connection:
        writing("a")(connection)
    with database.durable() as connection:
        writing("b")(connection)
    assert rows(database) == {"a", "b"}
    with pytest.raises(StoreUnavailableError), database.light() as connection:
        writing("b")(connection)


def test_the_embedded_database_is_durable(tmp_path: Path) -> None:
    """SQLite writes ahead, and a durable commit waits for the disk (synchronous 2 is FULL, 1 is NORMAL)."""
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with database.durable() as connection:
        assert connection.execute(text("PRAGMA journal_mode")).scalar() == "wal"
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 2
        assert connection.execute(text("PRAGMA foreign_keys")).scalar() == 1
    with database.light() as connection:
        assert connection.execute(text("PRAGMA synchronous")).scalar() == 1
    database.close()


def test_a_reader_does_not_wait_for_the_writer(database: Database) -> None:
    """While somebody writes, what was there before can be read."""
    with database.durable() as writing_connection:
        writing("a")(writing_connection)
        with database.reading() as connection:
            assert connection.execute(select(func.count()).select_from(seen_token)).scalar() == 0


def test_threads_of_one_process_take_turns_at_the_embedded_database(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Who comes second writes after the first; who waits too long is told so, and the next one writes again."""
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    migrate(database)
    monkeypatch.setattr("cds_service.store.database._WAITS_FOR_A_LOCK_MS", 300)

    def write(digest: str) -> None:
        with database.light() as connection:
            writing(digest)(connection)

    with ThreadPoolExecutor(2) as threads:
        with database.durable() as connection:
            writing("first")(connection)
            second = threads.submit(write, "second")
            time.sleep(0.05)
            assert not second.done()
        second.result(5)
        with database.durable():
            late = threads.submit(write, "late")
            with pytest.raises(StoreUnavailableError):
                late.result(5)
        threads.submit(write, "next").result(5)
    assert rows(database) == {"first", "second", "next"}
    database.close()
