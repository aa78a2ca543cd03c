"""What one file under `cards/` says, as frozen types; no file is read here and no clinical word stands here."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from enum import IntEnum, StrEnum
from typing import Any

import msgspec

from cds_service.model.hooks import Indicator
from cds_service.model.parts import (
    CodeRow,
    CodeTableRef,
    Derivation,
    Limit,
    LongerWindow,
    Need,
    OrderCaution,
    ReferenceRange,
    ShorterWindow,
    TextPattern,
)
from cds_service.model.questionnaires import Questionnaire
from cds_service.model.site import SiteChange
from cds_service.model.treatments import Treatment
from cds_service.model.trust import Attribute, Source, Statement
from cds_service.model.trust import Definition as Definition  # noqa: PLC0414 - named by who imports definitions
from cds_service.model.trust import Review as Review  # noqa: PLC0414 - named by who imports definitions

TESTS = frozenset({"laboratory", "tracing"})
"""Kinds of orders that give a result within days."""


class Urgency(IntEnum):
    """How soon a cause wants action; the lower number is the more urgent."""

    EMERGENCY = 0
    SAME_DAY = 1
    SOON = 2
    ROUTINE = 3

    @property
    def word(self) -> str:
        """The word of the content files and of the explanation object, e.g. `same-day`."""
        return self.name.lower().replace("_", "-")

    @classmethod
    def of(cls, word: str) -> Urgency:
        """Return the urgency that `word` names."""
        return cls[word.upper().replace("-", "_")]


class Weight(StrEnum):
    """How much a finding bears on a cause, and in which direction."""

    STRONG_FOR = "strong-for"
    MODERATE_FOR = "moderate-for"
    WEAK_FOR = "weak-for"
    WEAK_AGAINST = "weak-against"
    MODERATE_AGAINST = "moderate-against"
    STRONG_AGAINST = "strong-against"
    EXCLUDES = "excludes"

    @property
    def is_for(self) -> bool:
        """Whether the finding speaks for the cause."""
        return self.value.endswith("-for")

    @property
    def strength(self) -> str:
        """`strong`, `moderate`, `weak` or `excludes`, as the explanation object has it."""
        return self.value.split("-", maxsplit=1)[0]


class Presentation(Definition, frozen=True, kw_only=True):
    """A symptom or sign that starts a differential when a clinician records it.

    `needs` name what must be on record before it can be called benign.
    """

    noun: str
    codes: tuple[CodeTableRef, ...] = ()
    text: TextPattern | None = None
    workup: tuple[str, ...] = ()
    needs: tuple[Need, ...] = ()
    in_source_document: tuple[str, ...] = ()
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class ValueSet(Definition, frozen=True, kw_only=True):
    """Codes and phrases that mean one thing.

    `kind` tells what silence means: a `diagnosis` or `medication` missing from a list that arrived is absent,
    a `sign` that nobody recorded is unknown.
    """

    kind: str
    codes: tuple[CodeTableRef, ...] = ()
    text: TextPattern | None = None
    systemic_only: bool = False
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class Lab(Definition, frozen=True, kw_only=True):
    """A measurement: its codes, its one unit, its limits, how long a result speaks.

    Below `from_age` neither default range nor limits are used, while a finding of `own_range_when` is present no
    default range. Where `yields_to` can be interpreted this lab says nothing, and in-range or mildly abnormal
    results speak only while `only_with` is present. A normal result taken more than `before_onset_days` before the
    onset excludes nothing. A marked result older than its window, with no later one, is pointed out for
    `unrepeated_days`.
    """

    short: str
    category: str = "laboratory"
    codes: tuple[CodeTableRef, ...] = ()
    text: TextPattern | None = None
    own_range_reaches: Decimal | None = None
    conversions: str
    unit: str
    decimals: int
    plausible: ReferenceRange
    default_ranges: tuple[ReferenceRange, ...] = ()
    limits: Mapping[str, Limit] = {}
    borderline: ReferenceRange | None = None
    marked_raises: bool = True
    critical_flags: bool = False
    from_age: int | None = None
    own_range_when: tuple[str, ...] = ()
    fresh_days: int
    shorter_windows: tuple[ShorterWindow, ...] = ()
    longer_windows: tuple[LongerWindow, ...] = ()
    retest_hours: int
    before_onset_days: int | None = None
    unrepeated_days: int = 0
    only_with: str | None = None
    yields_to: str | None = None
    derived: Derivation | None = None
    cites: tuple[str, ...]
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class Rule(Definition, frozen=True, kw_only=True):
    """One finding, named like the file, from facts and other findings. `raises` lifts the level of the card."""

    when: Any
    raises: Indicator | None = None
    cites: tuple[str, ...]
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class RedFlagLevel(msgspec.Struct, frozen=True, kw_only=True):
    """The flag fires at this level when the expression is present; the first level that holds wins."""

    level: Indicator
    when: Any
    because: str


class RedFlag(Definition, frozen=True, kw_only=True):
    """A combination that must not wait: a card of its own with the facts that fired.

    With `yields_to_critical` it is silent while another critical flag fires.
    """

    levels: tuple[RedFlagLevel, ...]
    summary: str
    action: str
    detail: str
    workup: tuple[str, ...]
    speaks_for: tuple[str, ...] = ()
    yields_to_critical: bool = False
    cites: tuple[str, ...]
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class Order(Definition, frozen=True, kw_only=True):
    """A test, tracing, referral or review that can be offered as a draft ServiceRequest."""

    label: str
    repeat_label: str | None = None
    in_source_document: tuple[str, ...] = ()
    kind: str
    codes: tuple[CodeTableRef, ...] = ()
    draft_code: str | None = None
    text: TextPattern | None = None
    settled_by: tuple[str, ...] = ()
    settled_by_finding: str | None = None
    covers: tuple[str, ...] = ()
    offered: bool = True
    priority: str = "routine"
    pending_days: int = 90
    not_applicable_when: Any = None
    note: str | None = None
    cautions: tuple[OrderCaution, ...] = ()
    review: Review
    examples: tuple[Mapping[str, Any], ...] = ()

    def is_answered_by(self, orders: frozenset[str], labs: frozenset[str]) -> bool:
        """Whether a request for `orders` that measures `labs` answers this one: by name, or by all that settles it."""
        return self.id in orders or (bool(self.settled_by) and labs.issuperset(self.settled_by))


class Evidence(msgspec.Struct, frozen=True, kw_only=True):
    """A finding's bearing on a cause, in a sentence that a clinician can check against its source.

    Without `on_order` it says nothing of a medicine that is only about to be taken.
    """

    finding: str
    weight: Weight
    because: str
    cites: str
    on_order: bool = True


class Cause(Definition, frozen=True, kw_only=True):
    """Something that could explain the presentation."""

    names: tuple[str, ...] = ()
    summary: str | None = None
    code: CodeTableRef | None = None
    in_source_document: tuple[str, ...] = ()
    presentations: tuple[str, ...]
    urgency: str
    group: str = "condition"
    evidence: tuple[Evidence, ...]
    workup: tuple[str, ...] = ()
    remarks: tuple[Mapping[str, Any], ...] = ()
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class Template(Definition, frozen=True, kw_only=True):
    """The words of one kind of card; `{placeholders}` are filled by the composer.

    `override_reasons` are the ids of those that fit it; without any, the general ones do.
    """

    topic: Mapping[str, str]
    text: Mapping[str, str]
    override_reasons: tuple[str, ...] = ()


class OverrideReasonDefinition(Definition, frozen=True, kw_only=True):
    """A reason that a clinician can give for dismissing a card; the title is its display.

    One that `quiets` keeps the same advice from being shown again until its grounds change. One that is not `general`
    is offered only on the kinds of cards that name it.
    """

    system: str
    code: str
    place: int
    quiets: bool = False
    general: bool = True


class Service(Definition, frozen=True, kw_only=True):
    """One CDS Hooks service: its hook, its words in discovery and how much it may say."""

    hook: str
    description: str
    usage_requirements: str
    most_cards: int
    trigger: str


class Knowledge(msgspec.Struct, frozen=True, kw_only=True):
    """All content, checked, with every code looked up. `version` is `<release>+<first 12 of the content hash>`."""

    version: str
    site_changes: tuple[SiteChange, ...] = ()
    presentations: Mapping[str, Presentation]
    value_sets: Mapping[str, ValueSet]
    labs: Mapping[str, Lab]
    rules: Mapping[str, Rule]
    red_flags: Mapping[str, RedFlag]
    orders: Mapping[str, Order]
    causes: Mapping[str, Cause]
    templates: Mapping[str, Template]
    services: Mapping[str, Service]
    sources: Mapping[str, Source]
    override_reasons: Mapping[str, OverrideReasonDefinition]
    statements: Mapping[str, Statement] = {}
    attributes: Mapping[str, Attribute] = {}
    questionnaires: Mapping[str, Questionnaire] = {}
    codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]
    conversions: Mapping[str, Mapping[str, tuple[Decimal, Decimal]]]
    spellings: Mapping[str, str]
    treatments: Mapping[str, Treatment] = {}
