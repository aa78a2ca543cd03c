"""What need not wait for the disk is on it a moment later; everything else is there before it is told."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import Connection, text

from cds_service.errors import StoreUnavailableError
from cds_service.store.audit import COMMAND, DECISION, FEEDBACK, Audit
from cds_service.store.database import Database
from cds_service.store.store import Store, open_store
from tests.store.test_audit import kinds, verdict_of
from tests.store.test_writer import rows, writing

AT = 1_000
LONG = 5.0


@pytest.fixture
def embedded(tmp_path: Path) -> Iterator[Store]:
    """Return an embedded store."""
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path / "secret.key", may_make=True)
    yield store
    store.close()


@pytest.fixture
def synced(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return the names of the files that this process asks the disk to take, in their order; SQLite asks unseen."""
    names: list[str] = []
    real = os.fsync

    def noted(descriptor: int) -> None:
        names.append(Path(f"/proc/self/fd/{descriptor}").resolve().name)
        real(descriptor)

    monkeypatch.setattr(os, "fsync", noted)
    return names


@pytest.fixture
def levels(monkeypatch: pytest.MonkeyPatch, embedded: Store) -> list[int]:
    """Return how SQLite waits for the disk at each commit, in their order: 2 is FULL, 1 is NORMAL."""
    found: list[int] = []
    for kind in ("durable", "light"):
        real = getattr(embedded.database, kind)

        def noted(real: Callable[[], object] = real, level: int = 2 if kind == "durable" else 1) -> object:
            found.append(level)
            return real()

        monkeypatch.setattr(embedded.database, kind, noted)
    return found


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds; a test fails when it does not."""
    end = time.monotonic() + LONG
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)


def test_what_does_not_wait_for_the_disk_is_there_at_once_and_on_it_soon(
    embedded: Store, synced: list[str]
) -> None:
    """The log of the database is brought to the disk, though nothing else is written."""
    embedded.writer.commit(writing("a"), LONG, is_durable=False)
    assert rows(embedded.database) == {"a"}
    until(lambda: synced == ["store.sqlite3-wal"])
    time.sleep(0.05)
    assert len(synced) == 1


def test_a_durable_commit_takes_along_what_came_before(embedded: Store, synced: list[str]) -> None:
    """What stands before it in the log is on the disk with it: nothing is brought there twice."""
    embedded.writer.commit(writing("first"), LONG)
    assert synced == []
    embedded.writer.submit(writing("light"), is_durable=False)
    embedded.writer.commit(writing("durable"), LONG)
    time.sleep(0.05)
    assert len(synced) <= 1  # none, unless the machine slept between the two
    assert rows(embedded.database) == {"first", "light", "durable"}


def test_one_durable_task_makes_all_that_wait_with_it_durable(embedded: Store, levels: list[int]) -> None:
    """A commit waits for the disk as soon as one of its tasks has to."""

    def slow(connection: Connection) -> None:
        time.sleep(0.2)
        writing("slow")(connection)

    embedded.writer.submit(slow, is_durable=False)
    time.sleep(0.05)
    both = [embedded.writer.submit(writing(name), is_durable=name == "b") for name in ("a", "b")]
    for one in both:
        one.result(LONG)
    assert levels == [1, 2]


def test_it_comes_to_the_disk_however_much_is_written(embedded: Store, synced: list[str]) -> None:
    """Tasks that never end keep nothing from the disk for long."""
    end = time.monotonic() + 0.5
    number = 0
    while time.monotonic() < end:
        embedded.writer.commit(writing(str(number)), LONG, is_durable=False)
        number += 1
    assert len(synced) >= min(3, number)


def test_it_is_on_the_disk_when_the_writer_has_ended(embedded: Store, synced: list[str]) -> None:
    """What is committed last is not left to luck."""
    embedded.writer.commit(writing("a"), LONG, is_durable=False)
    embedded.writer.close()
    assert synced == ["store.sqlite3-wal"]


def test_a_disk_that_refuses_is_told_and_asked_again(
    embedded: Store, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """The log says so once for each time; the writer lives on and tries later."""
    monkeypatch.setattr("cds_service.store.writer._TRIES_AGAIN_AFTER_S", 0.05)
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", lambda _descriptor: (_ for _ in ()).throw(OSError(5, "broken")))
        embedded.writer.commit(writing("a"), LONG, is_durable=False)
        until(lambda: len(caplog.records) >= 2)
    told = {record.getMessage() for record in caplog.records}
    assert told == {"the disk did not take what was written"}
    assert not any("sqlite" in str(vars(record)) for record in caplog.records)
    until(lambda: embedded.writer._due is None)
    embedded.writer.commit(writing("b"), LONG, is_durable=False)
    assert rows(embedded.database) == {"a", "b"}


def test_without_a_log_there_is_nothing_to_bring_to_the_disk(tmp_path: Path) -> None:
    """SQLite takes its log away once all of it stands in the database."""
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with database.light() as connection:
        connection.execute(text("create table row (value integer)"))
    database.close()
    assert not (tmp_path / "store.sqlite3-wal").exists()
    database.settle()


def test_closing_the_log_frees_no_lock(embedded: Store, tmp_path: Path) -> None:
    """Another process still waits for a writer of this one after the log was brought to the disk."""
    other = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    with embedded.database.durable() as connection:
        writing("mine")(connection)
        embedded.database.settle()
        with pytest.raises(StoreUnavailableError), other.durable():
            pytest.fail("the lock was lost")
    other.close()


@pytest.mark.parametrize(("kind", "waits"), [(DECISION, 1), (FEEDBACK, 2), (COMMAND, 2)])
def test_only_a_decision_does_not_wait_for_the_disk(
    embedded: Store, levels: list[int], tmp_path: Path, kind: str, waits: int
) -> None:
    """Feedback and what an operator did are on the disk before anything is said."""
    audit = Audit(embedded, tmp_path / "spool", is_required=True)
    audit.record(AT, kind, {}, LONG)
    assert levels == [waits]
    audit.close(AT)


def test_a_checkpoint_says_no_more_than_the_disk_holds(
    embedded: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The log is brought to the disk first: after a power cut a checkpoint is no false alarm."""
    monkeypatch.setattr("cds_service.store.audit.EVERY_RECORDS", 1)
    monkeypatch.setattr("cds_service.store.writer._ON_DISK_WITHIN_S", 60)
    file = tmp_path / "checkpoints"
    was_there: list[bool] = []
    monkeypatch.setattr(embedded.database, "settle", lambda: was_there.append(file.exists()))
    audit = Audit(embedded, tmp_path / "spool", is_required=True, checkpoints=file)
    audit.record(AT, DECISION, {}, LONG)
    assert was_there == [False]
    assert file.exists()
    audit.close(AT)
    assert kinds(embedded) == [DECISION, "stop"]
    assert verdict_of(embedded, file).flaws == ()
