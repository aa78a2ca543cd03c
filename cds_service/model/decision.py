"""Every stage of one decision, kept for the explanation; built by the pipeline, changed by nobody."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

from cds_service.model.definitions import Cause, Evidence, Order, RedFlag
from cds_service.model.facts import Fact, Measurement, PatientFacts, ReadingNote
from cds_service.model.findings import Outcome
from cds_service.model.hooks import Card, Indicator
from cds_service.model.parts import OrderCaution
from cds_service.model.treatments import TreatmentPlan


class Standing(StrEnum):
    """How a cause stands after weighing, best first."""

    LIKELY = "likely"
    POSSIBLE = "possible"
    LESS_LIKELY = "less-likely"
    EXCLUDED = "excluded"


class Argument(msgspec.Struct, frozen=True, gc=False):
    """Evidence that holds for this patient, with the facts that make it hold."""

    evidence: Evidence
    facts: tuple[Fact, ...]


class RankedCause(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A cause with every argument for and against it and what is missing."""

    cause: Cause
    standing: Standing
    score: int
    arguments_for: tuple[Argument, ...]
    arguments_against: tuple[Argument, ...]
    missing: tuple[str, ...]

    @property
    def is_candidate(self) -> bool:
        """Whether the cause may be named on a card."""
        return self.standing in {Standing.LIKELY, Standing.POSSIBLE}


class NotAssessed(msgspec.Struct, frozen=True, gc=False):
    """A cause about which the record says nothing."""

    cause: str
    missing: tuple[str, ...]


class FiredRedFlag(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A red flag that fired, its level and the exact facts."""

    red_flag: RedFlag
    level: Indicator
    because: str
    facts: tuple[Fact, ...]


class WorkupStatus(StrEnum):
    """What became of a test that would settle something."""

    SUGGESTED = "suggested"
    ALREADY_DONE = "already-done"
    ALREADY_ORDERED = "already-ordered"
    NOT_APPLICABLE = "not-applicable"


class OrderWarning(msgspec.Struct, frozen=True, gc=False):
    """A caution of an order that holds for this patient, with the facts that make it hold."""

    caution: OrderCaution
    facts: tuple[Fact, ...]


class WorkupItem(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """One order with its status. `prompted_by` are the facts that ask for it, `measured` the results that answer it.

    `questionnaire` is set where the order is a set of questions, with the linkIds of those `unanswered`.
    """

    order: Order
    status: WorkupStatus
    because: str
    repeat: bool = False
    urgent: bool = False
    recommended: bool = False
    red_flag: str | None = None
    prompted_by: tuple[Fact, ...] = ()
    measured: tuple[Measurement, ...] = ()
    cautions: tuple[OrderWarning, ...] = ()
    reference: str | None = None
    on: str | None = None
    questionnaire: str | None = None
    unanswered: tuple[str, ...] = ()


class Reading(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """How one lab stands: the result that speaks (if any), its bands, and the newest one that is too old to speak.

    `bands` are the bands that hold (`low`, `marked-low`, …); `None` when nothing can be said. `superseded` results
    leave the word to another lab. `earlier` was taken within a day of the result that speaks and told another story.
    """

    lab: str
    current: Measurement | None
    bands: frozenset[str] | None
    stale: Measurement | None = None
    stale_bands: frozenset[str] = frozenset()
    stale_days: int | None = None
    superseded: bool = False
    earlier: Measurement | None = None
    remarks: tuple[str, ...] = ()


class Repeating(StrEnum):
    """When a card is not shown again to the same patient on the same grounds."""

    ALWAYS = "always"
    """It is shown each time."""
    UNTIL_ANSWERED = "until-answered"
    """It is shown until a clinician has said that it is done or does not apply."""
    UNTIL_SEEN = "until-seen"
    """It is shown until it was shown, or was answered so."""


class CardBasis(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """What stands behind one card; it travels beside the card, never in it.

    `rules` are the ids of its red flags, causes or treatments, `offers` those of the order behind each suggestion.
    `grounds` is what it rests on as one text: equal for the same advice, whatever the wording, the hook or the ids.
    """

    template: str
    rules: tuple[str, ...]
    offers: tuple[str, ...]
    grounds: str
    repeating: Repeating


class ComposedCard(msgspec.Struct, frozen=True, gc=False):
    """A card and what stands behind it."""

    card: Card
    basis: CardBasis


class Decision(msgspec.Struct, frozen=True, kw_only=True):
    """The whole argument for one request, ending in cards; `bases` tell what stands behind each of them.

    `extension` is what the response itself has to say where there is no card to carry it.
    """

    facts: PatientFacts
    findings: Mapping[str, Outcome]
    readings: Mapping[str, Reading]
    red_flags: tuple[FiredRedFlag, ...]
    ranking: tuple[RankedCause, ...]
    not_assessed: tuple[NotAssessed, ...]
    workup: tuple[WorkupItem, ...]
    treatment: TreatmentPlan
    notes: tuple[ReadingNote, ...]
    level: Indicator
    cards: tuple[Card, ...]
    bases: tuple[CardBasis, ...]
    extension: Mapping[str, Any] | None
