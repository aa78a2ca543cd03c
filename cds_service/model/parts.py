"""The parts that definitions are made of: codes, phrases, limits and windows; nothing here is read from a file."""

from __future__ import annotations

from decimal import Decimal

import msgspec

MARKED = frozenset({"marked-low", "marked-high"})
CRITICAL = frozenset({"critical-low", "critical-high"})
"""Bands nest: whatever is critical is marked as well."""


class CodeRow(msgspec.Struct, frozen=True, kw_only=True):
    """One verified code of a shipped table; `prefix` codes match every ICD-10-CM code that starts so."""

    system: str
    code: str
    display: str
    prefix: bool = False
    role: str = "root"
    ingredient: str | None = None
    display_verified: bool = True
    systemic: bool = True


class CodeTableRef(msgspec.Struct, frozen=True, kw_only=True):
    """The rows of one key of one code table, less the roles and systems that do not mean the thing by themselves.

    `only` narrows it to single codes, where a table's key holds several things. A sign leaves out the LOINC codes
    of the vital sign that shows it: those are measured, not recorded.
    """

    table: str
    key: str
    only: tuple[str, ...] = ()
    without_roles: tuple[str, ...] = ("nonspecific",)
    without_systems: tuple[str, ...] = ()

    def selects(self, row: CodeRow) -> bool:
        """Whether a row of the key means the thing."""
        if row.role in self.without_roles or row.system in self.without_systems:
            return False
        return not self.only or row.code in self.only


class TextPattern(msgspec.Struct, frozen=True, kw_only=True):
    """Phrases that mean the thing when no code is known; `*` ends a word stem, `unless` names decoys."""

    match: tuple[str, ...]
    unless: tuple[str, ...] = ()


class Need(msgspec.Struct, frozen=True, kw_only=True):
    """Something that must be on record before a symptom can be called benign, and what it is called."""

    finding: str
    name: str


class OtherLimit(msgspec.Struct, frozen=True, kw_only=True):
    """Where a finding is present, `value` replaces the limit; without a value the limit does not apply."""

    when: str
    value: Decimal | None = None


class Limit(msgspec.Struct, frozen=True, kw_only=True):
    """One side of a band in the lab's own unit: exactly one of the four comparisons is given.

    With `times_upper` the limit is that multiple of the upper reference limit wherever one is known.
    """

    below: Decimal | None = None
    at_most: Decimal | None = None
    above: Decimal | None = None
    at_least: Decimal | None = None
    times_upper: Decimal | None = None
    instead: tuple[OtherLimit, ...] = ()


class ReferenceRange(msgspec.Struct, frozen=True, kw_only=True):
    """A default range in the lab's own unit, for adults who are not pregnant; `sex` narrows it."""

    low: Decimal | None = None
    high: Decimal | None = None
    sex: str | None = None


class ShorterWindow(msgspec.Struct, frozen=True, kw_only=True):
    """While a finding is present a result goes stale sooner.

    With `from_its_date` the finding is an event: a normal result from before its day excludes nothing.
    """

    when: str
    days: int
    because: str
    from_its_date: bool = False


class LongerWindow(msgspec.Struct, frozen=True, kw_only=True):
    """While a finding is present a result speaks longer; a shorter window that holds as well goes before."""

    when: str
    days: int
    because: str


class Derivation(msgspec.Struct, frozen=True, kw_only=True):
    """A value calculated from two results of one sample: from + slope x (reference - adjust_by)."""

    from_lab: str = msgspec.field(name="from")
    adjust_by: str
    slope: Decimal
    reference: Decimal
    same_sample_hours: int
    not_when: tuple[str, ...]


class OrderCaution(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that belongs on an order while the finding `when` is present."""

    when: str
    text: str
    cites: str
