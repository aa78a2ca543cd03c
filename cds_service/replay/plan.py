"""What a replay is asked to do, what it takes in and what comes back: plain values that pass between processes."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import msgspec

from cds_service.model.facts import ReadingNote
from cds_service.settings import Settings

MOST_BYTES = 64 * 1024 * 1024
"""The largest item that is read; a real record of one patient is far smaller."""


class Plan(msgspec.Struct, frozen=True, kw_only=True):
    """How every item is decided; each worker gets its own copy. `started_at` is the moment when nobody names one."""

    settings: Settings
    started_at: datetime
    other: Settings | None = None
    """With other content, the answers of both are compared."""
    record: str | None = None
    """The problem that is recorded, for plain Bundles."""
    pinned: datetime | None = None
    strict: bool = False
    worded: bool = False
    """Whether a comparison shows the changed text of the cards."""
    recording: bool = False
    """Whether a first expectation is written for each item that has none."""
    with_answers: bool = False
    """Whether the results carry the whole answer."""


class Task(msgspec.Struct, frozen=True, kw_only=True):
    """One thing to read: a file at `path`, or the `body` of a line. `trouble` says why it cannot be.

    `group` is the folder or file that it is counted under, `size` its length in bytes.
    """

    name: str
    group: str
    size: int = 0
    path: Path | None = None
    body: bytes | None = None
    trouble: str | None = None
    is_line: bool = False


class Result(msgspec.Struct, frozen=True, kw_only=True):
    """What became of one patient: an answer and what was found in it, or `trouble`.

    `ours` is trouble that is a fault of this program. `level` is the highest indicator, `none` without cards;
    `read` counts resources, `used` the facts taken from them. `expected` says whether there was an expectation,
    `differences` where the answer is not as expected, `breaches` what `strict` found, `remarks` what it could not
    check, `moved` where the other content answers otherwise. `recorded` is the text of a first expectation, to be
    written to `expectation`.
    """

    name: str
    group: str
    trouble: str | None = None
    ours: bool = False
    as_of: str | None = None
    answer: bytes | None = None
    notes: tuple[ReadingNote, ...] = ()
    level: str = "none"
    candidates: tuple[tuple[str, str], ...] = ()
    red_flags: tuple[str, ...] = ()
    read: int = 0
    used: int = 0
    expected: bool = False
    differences: tuple[str, ...] = ()
    breaches: tuple[str, ...] = ()
    remarks: tuple[str, ...] = ()
    compared: bool = False
    moved: tuple[str, ...] = ()
    expectation: Path | None = None
    recorded: str | None = None

    @property
    def is_unreadable(self) -> bool:
        """Whether nothing could be answered, and not by a fault of ours."""
        return self.trouble is not None and not self.ours and not self.expected

    @property
    def is_failure(self) -> bool:
        """Whether something is not as it must be."""
        found = self.differences or self.breaches or self.moved
        return bool(found) or (self.trouble is not None and (self.ours or self.expected))
