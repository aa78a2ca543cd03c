"""Chooses treatment options, what rules them out and what must be said beside them; it words and orders nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from cds_service.engine.findings import FindingBook
from cds_service.model.facts import Fact
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator
from cds_service.model.treatments import (
    Caution,
    DrugWarning,
    NotedCaution,
    Treatment,
    TreatmentOption,
    TreatmentPlan,
)


class TreatmentPlanner:
    """All options in the order of the card; it holds no patient."""

    def __init__(self, treatments: Mapping[str, Treatment]) -> None:
        """Sort the options once."""
        self._treatments = sorted(treatments.values(), key=lambda one: (one.place, one.id))

    def plan(self, book: FindingBook, *, urgent: bool) -> TreatmentPlan:
        """Return the options and warnings. While something is `urgent` nothing is offered or answered but a danger."""
        known = self._treatments
        return TreatmentPlan(
            options=() if urgent else tuple(option(one, book) for one in known if _fits(one, book)),
            warnings=tuple(warning for one in known for warning in _warnings(one, book, urgent=urgent)),
            remarks=tuple(remark for one in known for remark in one.remarks if book.is_present(remark.when)),
        )

    def checks(self, book: FindingBook) -> Iterator[DrugWarning]:
        """Yield every caution that an order is checked for and that holds for a medicine that is taken."""
        for treatment in self._treatments:
            yield from _checks(treatment, book)

    def checked(self, book: FindingBook) -> Iterator[tuple[Fact, ...]]:
        """Yield, for every medicine of which an order is checked, the facts that say that it is taken."""
        for treatment in self._treatments:
            if any(caution.on_order is not None for caution in treatment.cautions):
                yield _active(treatment, book)


def option(treatment: Treatment, book: FindingBook) -> TreatmentOption:
    """Return one option with everything that holds for this patient."""
    noted = [*_noted(treatment.cautions, book)]
    return TreatmentOption(
        treatment=treatment,
        ruled_out=tuple(one for one in noted if one.known and one.caution.rules_out),
        cautions=tuple(one for one in noted if not (one.known and one.caution.rules_out)),
        active=_active(treatment, book),
    )


def _fits(treatment: Treatment, book: FindingBook) -> bool:
    return treatment.when is not None and book.is_present(treatment.when)


def _active(treatment: Treatment, book: FindingBook) -> tuple[Fact, ...]:
    """Return the facts that say the medicine is taken."""
    if treatment.active_when is None or not book.is_present(treatment.active_when):
        return ()
    return book.facts_behind(treatment.active_when)


def _warnings(treatment: Treatment, book: FindingBook, *, urgent: bool) -> Iterator[DrugWarning]:
    """Yield the pairs that must not be overlooked; a wish for treatment counts only while nothing is urgent."""
    active = _active(treatment, book)
    asked = treatment.asked_when is not None and not urgent and book.is_present(treatment.asked_when)
    if not active and not asked:
        return
    for one in _noted(treatment.cautions, book):
        if one.known and one.caution.level is not Indicator.INFO:
            yield DrugWarning(treatment=treatment, noted=one, active=active)


def _checks(treatment: Treatment, book: FindingBook) -> Iterator[DrugWarning]:
    checked = [caution for caution in treatment.cautions if caution.on_order is not None]
    active = _active(treatment, book) if checked else ()
    if active:
        for one in _noted(checked, book):
            if one.known:
                yield DrugWarning(treatment=treatment, noted=one, active=active)


def _noted(cautions: Iterable[Caution], book: FindingBook) -> Iterator[NotedCaution]:
    for caution in cautions:
        if caution.when is None:
            yield NotedCaution(caution=caution, words=caution.text)
            continue
        state, facts = book.outcome(caution.when)
        if state is State.PRESENT:
            yield NotedCaution(caution=caution, words=caution.text, facts=facts)
        elif state is State.UNKNOWN and caution.if_unknown is not None:
            yield NotedCaution(caution=caution, words=caution.if_unknown, known=False)


def summary_of(treatment: Treatment, book: FindingBook) -> dict[str, Any]:
    """Return what becomes of one option by the findings that bring it about, as an example states it."""
    one = option(treatment, book)
    fits = _fits(treatment, book)
    noted = (*one.ruled_out, *one.cautions) if fits else ()
    return {
        "outcome": ("offered" if one.is_offered else "ruled-out") if fits else "silent",
        "cautions": [name for one in noted if one.known and (name := one.caution.when) is not None],
        "not_known": [name for one in noted if not one.known and (name := one.caution.when) is not None],
        "warns": [warning.noted.caution.when for warning in _warnings(treatment, book, urgent=False)],
        "on_order": [check.noted.caution.when for check in _checks(treatment, book)],
        "remarks": [remark.when for remark in treatment.remarks if book.is_present(remark.when)],
    }
