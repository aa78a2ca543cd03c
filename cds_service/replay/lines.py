"""Reads files of one JSON value a line, chunk by chunk; whatever their length, one item at most is held in memory."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any, BinaryIO, NamedTuple

import msgspec

from cds_service.replay.bundles import patient_of

_CHUNK = 1024 * 1024
_LINE_END = b"\n"


class Line(NamedTuple):
    """One line that is not blank, by its number; `body` is None where the line is too long to be read."""

    number: int
    body: bytes | None


class Run(NamedTuple):
    """Consecutive lines about one patient as one Bundle; `body` is None where they are too long together."""

    first: int
    last: int
    body: bytes | None


class _Named(msgspec.Struct, rename="camel"):
    """As much of a resource as tells whose it is."""

    resource_type: Any = None
    id: Any = None
    subject: Any = None
    patient: Any = None
    hook: Any = None


_NAMED = msgspec.json.Decoder(_Named)


def read_lines(file: BinaryIO, most_bytes: int) -> Iterator[Line]:
    """Yield the lines of a file that are not blank; a longer one than `most_bytes` is passed over and told."""
    number, length = 1, 0
    parts: list[bytes] = []
    while chunk := file.read(_CHUNK):
        *ended, rest = chunk.split(_LINE_END)
        for piece in ended:
            line = _line(number, [*parts, piece], length + len(piece), most_bytes)
            if line is not None:
                yield line
            number, parts, length = number + 1, [], 0
        length += len(rest)
        parts = [*parts, rest] if length <= most_bytes else []
    last = _line(number, parts, length, most_bytes)
    if last is not None:
        yield last


def _line(number: int, parts: list[bytes], length: int, most_bytes: int) -> Line | None:
    if length > most_bytes:
        return Line(number, None)
    body = b"".join(parts).strip()
    return Line(number, body) if body else None


def runs_of_patients(lines: Iterable[Line], most_bytes: int) -> Iterator[Run | Line]:
    """Yield consecutive resources of one patient as one Bundle; what is no single resource stays a line.

    A resource that names no patient, such as a Medication, belongs to the run in which it stands.
    """
    run: _Growing | None = None
    for line in lines:
        owner = _owner(line.body)
        if run is not None and (owner is None or run.is_of_another(owner)):
            yield run.ended()
            run = None
        if owner is None or line.body is None:
            yield line
            continue
        run = run or _Growing(line.number, most_bytes)
        run.add(line.number, line.body, owner)
    if run is not None:
        yield run.ended()


class _Growing:
    """A run to which lines are still added; when it grows too long its content is let go."""

    def __init__(self, first: int, most_bytes: int) -> None:
        self._first = self._last = first
        self._most_bytes = most_bytes
        self._owner = ""
        self._entries: list[bytes] = []
        self._length = 0

    def is_of_another(self, owner: str) -> bool:
        return bool(owner and self._owner and owner != self._owner)

    def add(self, number: int, body: bytes, owner: str) -> None:
        self._last = number
        self._owner = owner or self._owner
        self._length += len(body)
        self._entries.append(b'{"resource":%b}' % body)
        if self._length > self._most_bytes:
            self._entries.clear()

    def ended(self) -> Run:
        whole = b'{"resourceType":"Bundle","type":"collection","entry":[%b]}' % b",".join(self._entries)
        return Run(self._first, self._last, whole if self._length <= self._most_bytes else None)


def _owner(body: bytes | None) -> str | None:
    """Return the id of the patient that a resource is about, "" where it names none, None when it is no resource."""
    if body is None:
        return None
    try:
        named = _NAMED.decode(body)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        return None
    if not isinstance(named.resource_type, str) or named.resource_type == "Bundle" or named.hook is not None:
        return None
    value = {
        "resourceType": named.resource_type,
        "id": named.id,
        "subject": named.subject,
        "patient": named.patient,
    }
    return patient_of(value) or ""
