"""What a file of treatment options says, and what becomes of it for one patient; nothing is decided here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec

from cds_service.model.facts import Fact
from cds_service.model.hooks import Indicator
from cds_service.model.trust import Definition, Review


class Caution(msgspec.Struct, frozen=True, kw_only=True):
    """A sentence that belongs beside an option: always, or while the finding `when` is present.

    With `rules_out` it takes the option off. `if_unknown` is said while nobody knows. A `warning` becomes a card of
    its own when the medicine is taken or asked for, with `short` in its summary. `{what}` names the facts. With
    `on_order` a draft that brings it about gets a card of that level, with `short` in its summary.
    """

    text: str
    cites: str
    level: Indicator = Indicator.INFO
    when: str | None = None
    rules_out: bool = False
    if_unknown: str | None = None
    short: str | None = None
    on_order: Indicator | None = None


class TreatmentRemark(msgspec.Struct, frozen=True, kw_only=True):
    """A line for the main card while the finding `when` is present."""

    when: str
    text: str
    cites: str


class Treatment(Definition, frozen=True, kw_only=True):
    """One option: a class of medicines or a first step, never a product and never an amount.

    It is on the card while the finding `when` is present; without `when` it never is. `active_when` and
    `asked_when` say that the medicine is taken, or that somebody asks for treatment. `remarks` stand on the main card.
    """

    place: int
    in_source_document: tuple[str, ...]
    medicine: bool
    text: str
    when: str | None = None
    active_when: str | None = None
    asked_when: str | None = None
    cautions: tuple[Caution, ...] = ()
    remarks: tuple[TreatmentRemark, ...] = ()
    cites: tuple[str, ...]
    review: Review
    examples: tuple[Mapping[str, Any], ...]


class NotedCaution(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A caution that holds for this patient, with the facts that make it hold; `words` is what is said."""

    caution: Caution
    words: str
    facts: tuple[Fact, ...] = ()
    known: bool = True


class TreatmentOption(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """An option with what stands beside it. It is offered unless `ruled_out` says why not."""

    treatment: Treatment
    ruled_out: tuple[NotedCaution, ...]
    cautions: tuple[NotedCaution, ...]
    active: tuple[Fact, ...]

    @property
    def is_offered(self) -> bool:
        """Whether the option may be considered."""
        return not self.ruled_out


class DrugWarning(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """A pair that must not be overlooked, because the medicine is taken (`active`) or treatment is asked for."""

    treatment: Treatment
    noted: NotedCaution
    active: tuple[Fact, ...]


class TreatmentPlan(msgspec.Struct, frozen=True, gc=False, kw_only=True):
    """Everything about treatment for one patient; without `options` there is no treatment card."""

    options: tuple[TreatmentOption, ...] = ()
    warnings: tuple[DrugWarning, ...] = ()
    remarks: tuple[TreatmentRemark, ...] = ()
