"""Signed lines that say how far a chain of the audit had come, in a file elsewhere: they show an end that was cut."""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from cds_service.errors import AuditError
from cds_service.store.chain import Head

EVERY_RECORDS = 1_000
EVERY_SECONDS = 300.0


class Checkpoint(NamedTuple):
    """The end of one chain at one moment (milliseconds since 1970)."""

    at: int
    writer: str
    sequence: int
    mac: str


def write_checkpoint(path: Path, key: bytes, at: int, writer: str, head: Head) -> None:
    """Append a line and wait for the disk. Raises `AuditError` when that fails."""
    checkpoint = Checkpoint(at, writer, *head)
    said = json.dumps(checkpoint)
    line = json.dumps({"checkpoint": checkpoint, "signature": _signature(key, said)}) + "\n"
    try:
        file = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o600)
        try:
            os.write(file, line.encode())
            os.fdatasync(file)
        finally:
            os.close(file)
    except OSError as error:
        raise AuditError(
            f"CDS_AUDIT_CHECKPOINTS: the file cannot be written ({error.strerror}).", str(path)
        ) from None


def read_checkpoints(path: Path, key: bytes) -> Iterator[tuple[int, Checkpoint | None]]:
    """Yield each line by its number, None for one that is not signed by this key. Raises `AuditError`."""
    try:
        lines = path.read_bytes().splitlines()
    except OSError as error:
        raise AuditError(
            f"CDS_AUDIT_CHECKPOINTS: the file cannot be read ({error.strerror}).", str(path)
        ) from None
    for number, line in enumerate(lines, 1):
        yield number, _read(key, line)


def _read(key: bytes, line: bytes) -> Checkpoint | None:
    try:
        found = json.loads(line)
        checkpoint = Checkpoint(*found["checkpoint"])
        given = str(found["signature"])
    except (ValueError, TypeError, KeyError):
        return None
    is_ours = hmac.compare_digest(given.encode(), _signature(key, json.dumps(checkpoint)).encode())
    return checkpoint if is_ours else None


def _signature(key: bytes, said: str) -> str:
    return hmac.digest(key, b"checkpoint\n" + said.encode(), "sha256").hex()
