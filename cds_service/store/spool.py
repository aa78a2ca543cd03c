"""Holds audit entries on disk while the store is away, so that they outlive a crash; it is bounded and drained later.

One file per process, locked by it as long as it lives: a file without a living owner is drained by the next process.
Each line carries its own keyed digest; a line that a crash or a hand has spoilt is counted and not taken over.
"""

from __future__ import annotations

import fcntl
import hmac
import json
import os
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cds_service.errors import AuditError
from cds_service.store.chain import Entry

MOST_BYTES = 32 * 1024 * 1024
_ENDING = ".spool"


class Spooled(NamedTuple):
    """What stood in a spool: the sound entries in their order, and how many lines were not sound."""

    entries: tuple[Entry, ...]
    spoilt: int


class Spool:
    """The spool of one process. Every method may be called from any thread."""

    def __init__(self, folder: Path, writer: str, key: bytes, most_bytes: int = MOST_BYTES) -> None:
        """Keep where it is; nothing is made before there is something to hold."""
        self._path = folder / f"{writer}{_ENDING}"
        self._key = key
        self._most = most_bytes
        self._lock = threading.RLock()
        self._file: int | None = None
        self._taken = 0

    def add(self, entry: Entry) -> None:
        """Write an entry through to the disk. Raises `AuditError` when it is full or cannot be written."""
        line = _line(self._key, entry)
        with self._lock:
            try:
                file = self._open()
                size = os.fstat(file).st_size
                if size + len(line) > self._most:
                    raise AuditError("The spool of the audit is full; bring the store back.")
                if os.write(file, line) < len(line):
                    os.ftruncate(file, size)  # half a line would spoil the next one
                    raise AuditError("The spool of the audit cannot be written; see to the disk.")
                os.fdatasync(file)
            except OSError as error:
                raise AuditError(f"The spool of the audit cannot be written ({error.strerror}).") from None

    @property
    def is_empty(self) -> bool:
        """Whether nothing waits."""
        with self._lock:
            return self._file is None or os.fstat(self._file).st_size == self._taken

    def held(self) -> tuple[Spooled, int]:
        """Return what waits and up to which byte it reaches, to be let go of once it stands in the chain."""
        with self._lock:
            if self._file is None:
                return Spooled((), 0), 0
            size = os.fstat(self._file).st_size
            return read_lines(self._key, os.pread(self._file, size - self._taken, self._taken)), size

    def let_go(self, size: int) -> None:
        """Let go of what stands before byte `size`. The file is emptied only once nothing came later.

        So nothing is ever moved; after a crash in between, what was let go of is taken over a second time.
        """
        with self._lock:
            if self._file is not None:
                self._taken = size
                if os.fstat(self._file).st_size == size:
                    os.ftruncate(self._file, 0)
                    self._taken = 0

    def close(self) -> None:
        """Give the file up; an empty one is taken away."""
        with self._lock:
            if self._file is not None:
                if self.is_empty:
                    self._path.unlink(missing_ok=True)
                os.close(self._file)
                self._file = None

    def _open(self) -> int:
        if self._file is None:
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._file = os.open(self._path, os.O_RDWR | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
            fcntl.flock(self._file, fcntl.LOCK_EX)
        return self._file


class Orphan(NamedTuple):
    """A spool whose process is gone, locked for whoever drains it."""

    path: Path
    file: int
    held: Spooled

    def remove(self) -> None:
        """Take the file away, once its entries stand in a chain."""
        self.path.unlink(missing_ok=True)

    def release(self) -> None:
        """Give up the lock."""
        os.close(self.file)


def orphans(folder: Path, key: bytes) -> Iterator[Orphan]:
    """Yield the spools that no living process owns, each locked; the caller releases them."""
    for path in sorted(folder.glob(f"*{_ENDING}")):
        try:
            file = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        except FileNotFoundError:  # another process has just drained it
            continue
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            os.close(file)
            continue
        size = os.fstat(file).st_size
        if size:
            yield Orphan(path, file, read_lines(key, os.pread(file, size, 0)))
        else:  # perhaps its owner has made it and not yet locked it
            os.close(file)


def read_lines(key: bytes, written: bytes) -> Spooled:
    """Return the sound entries of a spool and the number of the others."""
    entries, spoilt = [], 0
    for line in written.splitlines():
        mac, _, said = line.partition(b" ")
        if hmac.compare_digest(mac, _mac(key, said)):
            entries.append(Entry(*json.loads(said)))
        else:
            spoilt += 1
    return Spooled(tuple(entries), spoilt)


def _line(key: bytes, entry: Entry) -> bytes:
    said = json.dumps(entry).encode()
    return _mac(key, said) + b" " + said + b"\n"


def _mac(key: bytes, said: bytes) -> bytes:
    return hmac.digest(key, b"spool\n" + said, "sha256").hex().encode()
