"""The one writer of a process: what is waiting at a moment is committed together; it decides nothing.

A commit that outlives a power cut waits for the disk. Many calls that end at once wait for one commit, not each for its
own, and SQLite, which lets one connection write at a time, is never fought over within a process. What need not wait
for the disk is told to be committed once it outlives this process, and is on the disk a moment later.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
from contextlib import suppress
from typing import NamedTuple, Protocol, Self, runtime_checkable

from sqlalchemy import Connection

from cds_service.errors import StoreUnavailableError
from cds_service.store.database import Database

Write = Callable[[Connection], None]
"""Writes in the transaction that it is given. It may be called a second time after a fault, in a new one."""


@runtime_checkable
class Joining(Protocol):
    """A write of which several can be made as one: a database over the network is asked once, not once for each."""

    def __call__(self, connection: Connection) -> None:
        """Write this one alone."""
        ...

    def join(self, others: Sequence[Self]) -> Write:
        """Return what writes this one and others of the same kind, in their order."""
        ...


_MOST_TOGETHER = 200
_MOST_WAITING = 5_000
_ON_DISK_WITHIN_S = 0.01
_TRIES_AGAIN_AFTER_S = 1.0


class _Task(NamedTuple):
    write: Write
    done: Future[None]
    is_durable: bool


class Writer:
    """Commits what it is given, in order, from a thread of its own that starts with the first task.

    It is made before a process forks and used after: no thread and no connection may be there before.
    """

    def __init__(self, database: Database) -> None:
        """Keep where to write."""
        self._database = database
        self._tasks: queue.Queue[_Task | None] = queue.Queue(_MOST_WAITING)
        self._starting = threading.Lock()
        self._thread: threading.Thread | None = None
        self._is_closed = False
        self._due: float | None = None
        """When what is committed and not on the disk yet has to be there; None where everything is."""
        self.commits = 0
        """How many transactions were committed: what grows shows that the writer gets on, however much waits."""

    def submit(self, write: Write, *, is_durable: bool = True) -> Future[None]:
        """Return what will be done once `write` is committed.

        What is not durable does not wait for the disk of an embedded database: it outlives the end of this process at
        once, and a power cut some hundredths of a second later. Raises `StoreUnavailableError` when too much waits.
        """
        self._start()
        done: Future[None] = Future()
        try:
            self._tasks.put_nowait(_Task(write, done, is_durable))
        except queue.Full:
            raise StoreUnavailableError("Temporarily unavailable") from None
        return done

    def commit(self, write: Write, within_seconds: float, *, is_durable: bool = True) -> None:
        """Return once `write` is committed, as `submit` says.

        Raises `StoreUnavailableError` when it failed, or is not committed in time: it may then still be, later.
        """
        try:
            self.submit(write, is_durable=is_durable).result(within_seconds)
        except FutureTimeoutError:
            raise StoreUnavailableError("Temporarily unavailable") from None

    def close(self) -> None:
        """Commit what waits, then end."""
        with self._starting:
            self._is_closed = True
            thread = self._thread
        if thread is not None:
            self._tasks.put(None)
            thread.join()

    def _start(self) -> None:
        if self._thread is not None and not self._is_closed:
            return
        with self._starting:
            if self._is_closed:
                raise StoreUnavailableError("Temporarily unavailable")
            if self._thread is None:
                self._thread = threading.Thread(target=self._run, name="store-writer", daemon=True)
                self._thread.start()

    def _run(self) -> None:
        is_last = False
        while not is_last and (first := self._next()) is not None:
            batch, is_last = self._batch(first)
            if not self._commit(batch):
                for task in batch:  # one bad task must not cost the others
                    self._commit([task])
        if self._due is not None:
            self._bring_to_disk()

    def _next(self) -> _Task | None:
        """Wait for a task; what is due on the disk comes first, however many tasks there are."""
        while self._due is not None:
            left = self._due - time.monotonic()
            if left > 0:
                with suppress(queue.Empty):
                    return self._tasks.get(timeout=left)
            self._bring_to_disk()
        return self._tasks.get()

    def _bring_to_disk(self) -> None:
        try:
            self._database.settle()
            self._due = None
        except StoreUnavailableError:
            self._due = time.monotonic() + _TRIES_AGAIN_AFTER_S

    def _batch(self, first: _Task) -> tuple[list[_Task], bool]:
        batch = [first]
        while len(batch) < _MOST_TOGETHER:
            try:
                task = self._tasks.get_nowait()
            except queue.Empty:
                break
            if task is None:
                return batch, True
            batch.append(task)
        return batch, False

    def _commit(self, batch: list[_Task]) -> bool:
        """Return whether all of a batch was committed; a single task is told its fault instead."""
        waits_for_disk = not self._database.is_sqlite or any(task.is_durable for task in batch)
        transaction = self._database.durable if waits_for_disk else self._database.light
        try:
            with transaction() as connection:
                for write in joined([task.write for task in batch]):
                    write(connection)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is; the thread must live on
            if len(batch) > 1:
                return False
            batch[0].done.set_exception(error)
            return True
        self.commits += 1
        if waits_for_disk:
            self._due = None  # the disk has taken what was written before as well
        elif self._due is None:
            self._due = time.monotonic() + _ON_DISK_WITHIN_S
        for task in batch:
            task.done.set_result(None)
        return True


def joined(writes: Sequence[Write]) -> Iterator[Write]:
    """Yield these writes, those that can be joined as one of each kind, after the others."""
    kinds: dict[type, list[Joining]] = {}
    for write in writes:
        if isinstance(write, Joining):
            kinds.setdefault(type(write), []).append(write)
        else:
            yield write
    for first, *others in kinds.values():
        yield first.join(others)
