"""Everything that was decided before the cards, in one object; it decides nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import NamedTuple

from cds_service.model.decision import FiredRedFlag, NotAssessed, RankedCause, Reading, WorkupItem
from cds_service.model.facts import PatientFacts
from cds_service.model.hooks import Indicator
from cds_service.model.order_advice import OrderAdvice
from cds_service.model.treatments import TreatmentPlan


class Stages(NamedTuple):
    """The stages of one decision; `unrecorded` are titles of examinations that are wanted and that nobody did.

    `advice` is there on order hooks only: it takes the place of the ranking on the cards.
    """

    facts: PatientFacts
    as_of: datetime
    is_present: Callable[[str], bool]
    readings: Mapping[str, Reading]
    red_flags: tuple[FiredRedFlag, ...]
    ranking: tuple[RankedCause, ...]
    not_assessed: tuple[NotAssessed, ...]
    workup: tuple[WorkupItem, ...]
    unrecorded: tuple[str, ...]
    level: Indicator
    treatment: TreatmentPlan = TreatmentPlan()
    advice: OrderAdvice | None = None
