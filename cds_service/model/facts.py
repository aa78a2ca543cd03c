"""What one patient's record says, typed and dated, in one unit; nothing here judges what it means."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, datetime
from decimal import Decimal

import msgspec


class When(msgspec.Struct, frozen=True, gc=False):
    """A moment as precise as the record gives it: `earliest` and `latest` day it can mean, `at` when timed.

    `text` is the ISO date as the explanation shows it (`2012`, `2026-04`, `2026-06-12`).
    """

    text: str
    earliest: date
    latest: date
    at: datetime | None = None


class Amount(msgspec.Struct, frozen=True, gc=False):
    """A value in a UCUM unit, both as text."""

    value: str
    unit: str


class Fact(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One statement of the record, in the shape that travels in the explanation."""

    what: str
    reference: str | None = None
    value: str | None = None
    unit: str | None = None
    on: str | None = None
    canonical: Amount | None = None
    range: str | None = None
    by_text: bool = False
    note: str | None = None


class ReadingNote(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Something that could not be used, or not fully. `path` names elements, never values."""

    severity: str
    code: str
    path: str
    remedy: str


BY_PATIENT = "patient-reported"
"""The note of a fact that rests on the patient's own words."""


class Measurement(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A result in the lab's one unit. `value` is None when it cannot be read as a number in that unit.

    `comparator` is one of `<`, `<=`, `>`, `>=` or None. `low` and `high` are the laboratory's own range in the same
    unit (printed as reported in `fact.range`). `flag` is the laboratory's interpretation: LL, L, N, H, HH or A; AA is
    read as A with `flag_critical`. `certain` is False for status unknown or missing.
    """

    lab: str
    fact: Fact
    value: Decimal | None
    comparator: str | None
    taken: When | None
    low: Decimal | None = None
    high: Decimal | None = None
    flag: str | None = None
    flag_critical: bool = False
    status: str = "final"
    certain: bool = True
    sample: str | None = None
    calculated: bool = False


class RecordedCondition(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A problem, sign, procedure or device on record.

    `active` includes remission, relapse and recurrence; a completed procedure is over. `firm` is False for
    provisional ones.
    """

    value_sets: frozenset[str]
    fact: Fact
    active: bool
    firm: bool
    onset: When | None
    recorded: When | None
    by_text: frozenset[str] = frozenset()


class Medication(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A medicine on record, named by ingredient."""

    value_sets: frozenset[str]
    name: str
    fact: Fact
    active: bool
    started: When | None
    ended: When | None


class Examination(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One part of an examination (`strength`, `reflexes`, `gait`, …): `normal` or `abnormal`."""

    part: str
    result: str
    fact: Fact
    on: When | None


class Relative(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A condition of a relative; it is context and never the patient's own."""

    value_sets: frozenset[str]
    fact: Fact


class Allergy(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An allergy or intolerance on record, by what it is to."""

    value_sets: frozenset[str]
    fact: Fact


class SocialAmount(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A habit with its amount, e.g. caffeine drinks a day; `amount` is in the unit that the fact shows."""

    item: str
    amount: Decimal
    fact: Fact


class PlacedOrder(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A request that is still open; `orders` are the ids it answers, `labs` what its codes measure."""

    orders: frozenset[str]
    labs: frozenset[str]
    fact: Fact
    placed: When | None


class DraftOrder(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An order that somebody is about to place: it says nothing yet of what is taken or asked for.

    `named` are the ids of the orders that it is itself, `asked` what it would answer once placed, `medicine` what
    would be taken. `in_focus` is False for one that stands beside those that were just selected.
    """

    fact: Fact
    named: frozenset[str] = frozenset()
    asked: PlacedOrder | None = None
    medicine: Medication | None = None
    in_focus: bool = True


class RecordedPresentation(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A presentation that the clinician recorded, with its own words."""

    types: tuple[str, ...]
    reference: str | None
    text: str
    onset: When | None
    recorded: When | None
    by_text: bool
    fact: Fact


class Answered(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """The newest answer to one question: the codes that were chosen (`yes`, `no`, …) and the words."""

    codes: frozenset[str]
    fact: Fact


class PatientFacts(msgspec.Struct, frozen=True, kw_only=True):
    """Everything read from one request.

    `arrived` holds the kinds of facts for which an answer came (`conditions`, `medications`, `labs`, …): only
    then does silence mean absence. `notes` tell what could not be used. `denied` are the value sets that somebody
    was asked for and denied, `answers` the answered questions by linkId, `history` what answers say or do not say.
    `drafts` are orders about to be placed, of which no other member tells. `unread_recorded` are the paths of recorded
    problems of which nobody can tell what they are.
    """

    patient_id: str
    age: int | None
    sex: str | None
    presentations: tuple[RecordedPresentation, ...]
    conditions: tuple[RecordedCondition, ...]
    medications: tuple[Medication, ...]
    measurements: Mapping[str, tuple[Measurement, ...]]
    examinations: tuple[Examination, ...]
    habits: tuple[SocialAmount, ...]
    placed_orders: tuple[PlacedOrder, ...]
    relatives: tuple[Relative, ...]
    allergies: tuple[Allergy, ...] = ()
    arrived: frozenset[str]
    notes: tuple[ReadingNote, ...]
    encounter: str | None = None
    missing_keys: tuple[str, ...] = ()
    denied: Mapping[str, Fact] = {}
    answers: Mapping[str, Answered] = {}
    history: Mapping[str, tuple[bool, Fact]] = {}
    drafts: tuple[DraftOrder, ...] = ()
    unread_recorded: tuple[str, ...] = ()

    @property
    def is_complete(self) -> bool:
        """Whether every advertised key was answered and nothing in the answers was lost."""
        return not self.missing_keys and not any(note.severity != "information" for note in self.notes)
