"""The one writer of a process: what is waiting at a moment is committed together; it decides nothing.

A commit that outlives a power cut waits for the disk. Many calls that end at once wait for one commit, not each for its
own, and SQLite, which lets one connection write at a time, is never fought over within a process.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as FutureTimeoutError
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


class _Task(NamedTuple):
    write: Write
    done: Future[None]


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
        self.commits = 0
        """How many transactions were committed: what grows shows that the writer gets on, however much waits."""

    def submit(self, write: Write) -> Future[None]:
        """Return what will be done once `write` is committed. Raises `StoreUnavailableError` when too much waits."""
        self._start()
        done: Future[None] = Future()
        try:
            self._tasks.put_nowait(_Task(write, done))
        except queue.Full:
            raise StoreUnavailableError("Temporarily unavailable") from None
        return done

    def commit(self, write: Write, within_seconds: float) -> None:
        """Return once `write` is committed.

        Raises `StoreUnavailableError` when it failed, or is not committed in time: it may then still be, later.
        """
        try:
            self.submit(write).result(within_seconds)
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
        while (first := self._tasks.get()) is not None:
            batch, is_last = self._batch(first)
            if not self._commit(batch):
                for task in batch:  # one bad task must not cost the others
                    self._commit([task])
            if is_last:
                return

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
        try:
            with self._database.durable() as connection:
                for write in joined([task.write for task in batch]):
                    write(connection)
        except Exception as error:  # noqa: BLE001 - whoever waits is told, whatever it is; the thread must live on
            if len(batch) > 1:
                return False
            batch[0].done.set_exception(error)
            return True
        self.commits += 1
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
