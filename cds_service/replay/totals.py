"""Counts what became of the patients of a replay, by folder or file; it keeps numbers and no patient."""

from __future__ import annotations

from dataclasses import dataclass, field

from cds_service.replay.plan import Result


@dataclass
class Count:
    """The numbers of one folder or file.

    `carded` patients got a card, `unread` items no answer, `moved` ones another answer by the other content.
    """

    patients: int = 0
    read: int = 0
    used: int = 0
    noted: int = 0
    carded: int = 0
    fired: int = 0
    expected: int = 0
    held: int = 0
    failed: int = 0
    unread: int = 0
    compared: int = 0
    moved: int = 0

    def add(self, result: Result) -> None:
        """Count one result."""
        answered = result.trouble is None
        self.patients += answered
        self.unread += not answered
        self.read += result.read
        self.used += result.used
        self.noted += len(result.notes)
        self.carded += result.level != "none"
        self.fired += len(result.red_flags)
        self.expected += result.expected
        self.held += result.expected and answered and not result.differences
        self.failed += result.is_failure
        self.compared += result.compared
        self.moved += bool(result.moved)


@dataclass
class Totals:
    """The numbers of a whole replay and of each of its groups."""

    whole: Count = field(default_factory=Count)
    groups: dict[str, Count] = field(default_factory=dict)
    unreadable: int = 0

    def add(self, result: Result) -> None:
        """Count one result."""
        self.whole.add(result)
        self.groups.setdefault(result.group, Count()).add(result)
        self.unreadable += result.is_unreadable
