"""Records who was told what, before it is told: in the chain of this process, or on disk until the store is back.

It never records a value, a name or a text of a chart: what is recorded is handed over by the web layer and the command
line. A record may come to stand twice when the store answers too late, never not at all.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection

from cds_service.errors import AuditError, StoreUnavailableError
from cds_service.store.chain import Entry, Head, append, entry_of, head_of
from cds_service.store.checkpoints import EVERY_RECORDS, EVERY_SECONDS, write_checkpoint
from cds_service.store.spool import Orphan, Spool, Spooled, orphans
from cds_service.store.store import Store

DECISION, FEEDBACK, COMMAND, START, STOP, SPOILT = (
    "decision",
    "feedback",
    "cli",
    "start",
    "stop",
    "spool-spoilt",
)
WITHIN_S = 0.05
_LAST_WITHIN_S = 2.0
_TRIES_AGAIN_AFTER_S = 1.0

_logger = logging.getLogger("cds_service.audit")


class _Pending:
    """One entry on its way: written by the writer's thread, or given up by the thread that waits for it.

    Those of one process that wait together are chained together. `head` is then where all of them end.
    """

    def __init__(self, key: bytes, writer: str, entry: Entry) -> None:
        self._key, self._writer = key, writer
        self.entry = entry
        self.head: Head | None = None
        self.is_given_up = False

    def __call__(self, connection: Connection) -> None:
        self._chain(connection, [self])

    def join(self, others: Sequence[_Pending]) -> Callable[[Connection], None]:
        return partial(self._chain, them=[self, *others])

    def _chain(self, connection: Connection, them: Sequence[_Pending]) -> None:
        left = [one for one in them if not one.is_given_up]
        if left:
            head = append(connection, self._key, self._writer, [one.entry for one in left])
            for one in left:
                one.head = head


class Audit:
    """The audit of one process, made after it has forked. Every method may be called from any thread."""

    def __init__(
        self,
        store: Store,
        folder: Path,
        *,
        is_required: bool,
        checkpoints: Path | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """Keep where to write; entries wait in `folder` while the store is away. `clock` is monotonic."""
        self.writer = str(uuid4())
        self._store = store
        self._folder = folder
        self._spool = Spool(folder, self.writer, store.keys.audit)
        self._is_required = is_required
        self._checkpoints = checkpoints
        self._clock = clock
        self._away_until = clock()
        self._draining = threading.Lock()
        self._noting = threading.Lock()
        self._noted = Head()
        self._noted_at = clock()

    def begin(self, at: int, content: Mapping[str, Any]) -> None:
        """Open the chain with the start of this process, and take over what processes that are gone left on disk."""
        entry = entry_of(at, START, content)
        left = [*orphans(self._folder, self._store.keys.audit)]
        entries = [entry, *(one for orphan in left for one in entries_of(orphan.held, at))]
        try:
            task = self._store.writer.submit(self._writing(entries))
        except StoreUnavailableError:
            self._settle(left, None)
        else:
            task.add_done_callback(lambda done: self._settle(left, done))

    def record(self, at: int, kind: str, content: Mapping[str, Any], within_s: float = WITHIN_S) -> None:
        """Return once an entry is in the store or in the spool and outlives this process.

        In an embedded store a decision is on the disk some hundredths of a second later, everything else before.
        Raises `StoreUnavailableError` when it is on neither and the audit is required; else it is logged.
        """
        pending = _Pending(self._store.keys.audit, self.writer, entry_of(at, kind, content))
        if self._clock() < self._away_until:
            self._put_aside(pending.entry)
            return
        try:
            self._store.writer.commit(pending, within_s, is_durable=kind != DECISION)
        except StoreUnavailableError:
            pending.is_given_up = True
            self._away_until = self._clock() + _TRIES_AGAIN_AFTER_S
            self._put_aside(pending.entry)
            return
        if not self._spool.is_empty:
            self._drain(at)
        if self._checkpoints is not None and pending.head is not None:
            self._note(self._checkpoints, at, pending.head)

    def close(self, at: int) -> None:
        """End the chain, with everything in it that was put aside."""
        if not self._spool.is_empty:
            self._drain(at)
        if self._draining.acquire(timeout=_LAST_WITHIN_S):  # what is being drained comes before the stop
            self._draining.release()
        self._away_until = self._clock()
        self.record(at, STOP, {}, _LAST_WITHIN_S)
        if self._checkpoints is not None:
            self._note_last(self._checkpoints, at)
        self._spool.close()

    def _writing(self, entries: list[Entry]) -> Callable[[Connection], None]:
        def write(connection: Connection) -> None:
            append(connection, self._store.keys.audit, self.writer, entries)

        return write

    def _put_aside(self, entry: Entry) -> None:
        try:
            self._spool.add(entry)
        except AuditError:
            _logger.error("an audit record could not be kept", extra={"reason": entry.kind})  # noqa: TRY400 - no trace
            if self._is_required:
                raise StoreUnavailableError("Temporarily unavailable") from None

    def _drain(self, at: int) -> None:
        """Hand what was put aside to the writer; it is let go of once it stands in the chain."""
        if not self._draining.acquire(blocking=False):
            return
        held, size = self._spool.held()
        entries = entries_of(held, at)
        if not entries:
            self._draining.release()
            return

        def settle(done: Future[None]) -> None:
            if done.exception() is None:
                self._spool.let_go(size)
                _logger.warning("audit records were taken from the spool", extra={"count": len(entries)})
            self._draining.release()

        try:
            task = self._store.writer.submit(self._writing(entries))
        except StoreUnavailableError:
            self._draining.release()
            return
        task.add_done_callback(settle)

    def _settle(self, left: list[Orphan], done: Future[None] | None) -> None:
        is_kept = done is not None and done.exception() is None
        if not is_kept:
            _logger.error("the start could not be recorded in the audit")
        for orphan in left:
            if is_kept:
                orphan.remove()
            orphan.release()

    def _note(self, path: Path, at: int, head: Head) -> None:
        """Write a checkpoint when the last one is old, or far behind."""
        with self._noting:
            is_due = (
                head.sequence - self._noted.sequence >= EVERY_RECORDS
                or self._clock() - self._noted_at >= EVERY_SECONDS
            )
            if not is_due:
                return
            self._noted, self._noted_at = head, self._clock()
        self._write_checkpoint(path, at, head)

    def _note_last(self, path: Path, at: int) -> None:
        try:
            with self._store.database.reading() as connection:
                head = head_of(connection, self.writer)
        except StoreUnavailableError:
            _logger.error("the last audit checkpoint could not be made")  # noqa: TRY400 - a trace may hold values
            return
        if head.sequence:
            self._write_checkpoint(path, at, head)

    def _write_checkpoint(self, path: Path, at: int, head: Head) -> None:
        """Write a checkpoint of what is on the disk: a power cut must not make it say more than the store holds."""
        try:
            self._store.database.settle()
            write_checkpoint(path, self._store.keys.audit, at, self.writer, head)
        except (AuditError, StoreUnavailableError):
            _logger.error("an audit checkpoint could not be written")  # noqa: TRY400 - a trace holds a path


def entries_of(held: Spooled, at: int) -> list[Entry]:
    """Return the entries of a spool, with one more that counts the lines that could not be read, if there are any."""
    if not held.spoilt:
        return [*held.entries]
    return [*held.entries, entry_of(at, SPOILT, {"lines": held.spoilt})]
