"""Opens the database of the store and hands out transactions; it knows no table.

SQLite is the embedded default: one file, for the processes of one machine. PostgreSQL serves several machines.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NoReturn

from sqlalchemy import Connection, Engine, create_engine, event, make_url
from sqlalchemy.engine import URL
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from cds_service.errors import StoreError, StoreUnavailableError

_POSTGRES = "postgresql+psycopg"
_NAMES_OF_POSTGRES = frozenset({"postgres", "postgresql", _POSTGRES})
_WAITS_FOR_A_LOCK_MS = 1_000
_RUNS_AT_MOST_MS = 2_000
_CONNECTS_WITHIN_S = 2
_CONNECTIONS = 8
_READING = "reading"

_logger = logging.getLogger("cds_service.store")


class Database:
    """One database. Its transactions raise `StoreUnavailableError`, whose words tell nothing of the database."""

    def __init__(self, url: str) -> None:
        """Take the address, without connecting. Raises `StoreError` for one that names no known database."""
        self.url = read_url(url)
        self._opened: tuple[int, int] | None = None
        self._turns = threading.RLock()
        """Who writes to the embedded database: a thread that waited in SQLite would sleep past its turn."""
        self._durable = self._engine(synchronous="FULL")
        self._light = self._engine(synchronous="NORMAL") if self.is_sqlite else self._durable

    @property
    def is_sqlite(self) -> bool:
        """Whether this is the embedded database."""
        return self.url.get_backend_name() == "sqlite"

    @property
    def file(self) -> Path | None:
        """The file of the embedded database."""
        return Path(self.url.database) if self.is_sqlite and self.url.database else None

    @contextmanager
    def durable(self) -> Iterator[Connection]:
        """Open a transaction to write. Once it has ended, what was written outlives a power cut."""
        with self._turn(), self._same_file(), _told_plainly(), self._durable.begin() as connection:
            yield connection

    @contextmanager
    def light(self) -> Iterator[Connection]:
        """Open a transaction to write what outlives a crash of this process, but perhaps not a power cut."""
        with self._turn(), self._same_file(), _told_plainly(), self._light.begin() as connection:
            if not self.is_sqlite:
                connection.exec_driver_sql("SET LOCAL synchronous_commit TO OFF")
            yield connection

    def settle(self) -> None:
        """Bring to the disk what light transactions wrote: the log that SQLite writes ahead.

        PostgreSQL does so by itself within a second. Raises `StoreUnavailableError` when the disk refuses.
        """
        if self.file is None:
            return
        try:
            # The locks of SQLite stand on its other files: closing this one frees none of them.
            log = os.open(f"{self.file}-wal", os.O_RDONLY)
            try:
                os.fsync(log)
            finally:
                os.close(log)
        except FileNotFoundError:
            return  # all of it has been moved into the database, on the disk
        except OSError as error:
            _logger.error("the disk did not take what was written", extra={"fault": type(error).__name__})  # noqa: TRY400 - a trace holds a path
            raise StoreUnavailableError("Temporarily unavailable") from None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Open a transaction to read: it neither waits for writers nor keeps them waiting."""
        with (
            self._same_file(),
            _told_plainly(),
            self._durable.connect().execution_options(**{_READING: True}) as connection,
            connection.begin(),
        ):
            yield connection

    def close(self) -> None:
        """Close every connection; a process that forks does so before."""
        self._durable.dispose()
        self._light.dispose()

    def _engine(self, synchronous: str) -> Engine:
        if not self.is_sqlite:
            return create_engine(
                self.url,
                pool_size=_CONNECTIONS,
                pool_timeout=_WAITS_FOR_A_LOCK_MS / 1_000,
                pool_pre_ping=True,
                connect_args={
                    "connect_timeout": _CONNECTS_WITHIN_S,
                    "options": f"-c statement_timeout={_RUNS_AT_MOST_MS} -c lock_timeout={_WAITS_FOR_A_LOCK_MS}",
                },
            )
        engine = create_engine(
            self.url,
            pool_size=_CONNECTIONS,
            pool_timeout=_WAITS_FOR_A_LOCK_MS / 1_000,
            connect_args={"timeout": _WAITS_FOR_A_LOCK_MS / 1_000},
        )
        _tune_sqlite(engine, synchronous)
        event.listen(engine, "connect", self._note_file)
        return engine

    def _note_file(self, *_connection: object) -> None:
        """Keep which file was opened first, behind its name."""
        self._opened = self._opened or _identity(self.file)

    @contextmanager
    def _turn(self) -> Iterator[None]:
        """Wait until no other thread of this process writes to the embedded database; others write side by side."""
        if not self.is_sqlite:
            yield
        elif self._turns.acquire(timeout=_WAITS_FOR_A_LOCK_MS / 1_000):
            try:
                yield
            finally:
                self._turns.release()
        else:
            _logger.error("the store failed", extra={"fault": "TimeoutError"})
            raise StoreUnavailableError("Temporarily unavailable")

    @contextmanager
    def _same_file(self) -> Iterator[None]:
        """Hold that the file behind the name is the one that was opened, before and after.

        An open file lives on without its name: what is written to it then is lost, and would be told to be stored.
        """
        self._require_same_file()
        yield
        self._require_same_file()

    def _require_same_file(self) -> None:
        if self._opened is not None and _identity(self.file) != self._opened:
            _logger.error("the file of the store is gone or was replaced: put it back and start again")
            raise StoreUnavailableError("Temporarily unavailable")


def read_url(text: str) -> URL:
    """Return the address of a database. Raises `StoreError`, which never repeats it: it may hold a password."""
    try:
        url = make_url(text)
    except ArgumentError:
        _refuse_url()
    if url.drivername in _NAMES_OF_POSTGRES:
        return url.set(drivername=_POSTGRES)
    if url.drivername != "sqlite" or url.database in {None, "", ":memory:"} or url.query:
        _refuse_url()
    return url


def _identity(file: Path | None) -> tuple[int, int] | None:
    """Return what tells a file from another one of the same name."""
    try:
        found = file.stat() if file is not None else None
    except FileNotFoundError:
        return None
    return (found.st_dev, found.st_ino) if found is not None else None


def _refuse_url() -> NoReturn:
    raise StoreError(
        "DATABASE_URL: must be sqlite:///file (four slashes before an absolute path) or postgresql://user@host/name."
    ) from None


@contextmanager
def _told_plainly() -> Iterator[None]:
    """Turn a fault of the database into one that may be shown: its own words can hold values and addresses."""
    try:
        yield
    except SQLAlchemyError as error:
        fault = type(error).__name__
        _logger.error("the store failed", extra={"fault": fault})  # noqa: TRY400 - a trace may hold values
        raise StoreUnavailableError("Temporarily unavailable") from None


def _tune_sqlite(engine: Engine, synchronous: str) -> None:
    """Write ahead, so that readers and the writer do not wait for each other; begin writing at once, or wait."""

    @event.listens_for(engine, "connect")
    def set_pragmas(connection: Any, _record: object) -> None:
        connection.isolation_level = None  # else the driver would begin transactions by its own rules
        for pragma in (
            "journal_mode=WAL",
            f"synchronous={synchronous}",
            "foreign_keys=ON",
            "secure_delete=ON",
            "temp_store=MEMORY",
        ):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        kind = "DEFERRED" if connection.get_execution_options().get(_READING) else "IMMEDIATE"
        connection.exec_driver_sql(f"BEGIN {kind}")
