"""Looks at orders before they are placed: answered already, able to add to the symptom, in need of a check.

A draft medicine counts as taken only in a second set of findings made for this; the ranking never sees it.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.order_status import OrderStatuses
from cds_service.engine.ranking import CauseRules
from cds_service.engine.treatment import TreatmentPlanner
from cds_service.model.decision import FiredRedFlag, WorkupItem, WorkupStatus
from cds_service.model.definitions import Evidence, Knowledge, Weight
from cds_service.model.facts import DraftOrder, PatientFacts
from cds_service.model.order_advice import AnsweredDraft, OrderAdvice, Suspicion
from cds_service.model.treatments import DrugWarning

_TELLING = frozenset({Weight.STRONG_FOR, Weight.MODERATE_FOR})
"""A weak argument for a cause interrupts nobody who writes an order."""
_ANSWERED = frozenset({WorkupStatus.ALREADY_DONE, WorkupStatus.ALREADY_ORDERED})
_NEEDED = ("conditions", "medications", "labs")
"""Kinds of facts without which the checks of a medicine are not whole."""


class OrderAdvisor:
    """Everything that the checks of drafts need of the knowledge; it holds no patient."""

    def __init__(
        self,
        knowledge: Knowledge,
        findings: FindingRules,
        causes: CauseRules,
        statuses: OrderStatuses,
        treatments: TreatmentPlanner,
    ) -> None:
        """Keep the compiled stages, and which orders belong to the workup of each presentation."""
        self._findings = findings
        self._causes = causes
        self._statuses = statuses
        self._treatments = treatments
        self._workups: dict[str, frozenset[str]] = {
            name: frozenset(presentation.workup).union(
                *(cause.workup for cause in knowledge.causes.values() if name in cause.presentations)
            )
            for name, presentation in knowledge.presentations.items()
        }

    def advise(
        self,
        book: FindingBook,
        red_flags: tuple[FiredRedFlag, ...],
        types: tuple[str, ...],
        workup: tuple[WorkupItem, ...],
        as_of: datetime,
    ) -> OrderAdvice:
        """Return what is to be said of the drafts in focus; a rule that fails on the way joins those of `book`."""
        asked = frozenset(item.order.id for item in workup).union(*(self._workups[name] for name in types))
        answered = (
            self._answered(draft, book, asked, workup, as_of)
            for draft in book.facts.drafts
            if draft.in_focus and draft.asked is not None
        )
        told = tuple(one for one in answered if one is not None)
        if not any(draft.medicine is not None and draft.in_focus for draft in book.facts.drafts):
            return OrderAdvice(answered=told)
        supposed = FindingBook(self._findings, with_drafts_taken(book.facts), as_of.date(), now=as_of)
        suspicions = tuple(self._suspicions(supposed, red_flags, types))
        checks = tuple(self._checks(supposed))
        unchecked = self._unchecked(supposed)
        book.failed.update(supposed.failed)
        return OrderAdvice(answered=told, suspicions=suspicions, checks=checks, unchecked=unchecked)

    def _answered(
        self,
        draft: DraftOrder,
        book: FindingBook,
        asked: frozenset[str],
        workup: tuple[WorkupItem, ...],
        as_of: datetime,
    ) -> AnsweredDraft | None:
        """Return what answers a draft of this workup, unless something of it is wanted again."""
        if draft.asked is None or asked.isdisjoint(draft.asked.orders):
            return None
        wanted = (item for item in workup if item.status is WorkupStatus.SUGGESTED)
        orders, labs = draft.asked.orders, draft.asked.labs
        if any(item.order.is_answered_by(orders, labs) for item in wanted):
            return None
        item = self._statuses.standing_of(draft, book, as_of)
        return AnsweredDraft(draft, item) if item is not None and item.status in _ANSWERED else None

    def _suspicions(
        self, supposed: FindingBook, red_flags: tuple[FiredRedFlag, ...], types: tuple[str, ...]
    ) -> Iterator[Suspicion]:
        """Yield, for each draft, the candidate causes for which it would be a telling argument."""
        ranking, _silent = self._causes.rank(supposed, red_flags, types)
        for draft in _medicines_in_focus(supposed.facts):
            for one in ranking:
                arguments = tuple(
                    argument
                    for argument in one.arguments_for
                    if _is_telling(argument.evidence) and draft.fact in argument.facts
                )
                if one.is_candidate and arguments:
                    yield Suspicion(draft, one.cause, arguments)

    def _checks(self, supposed: FindingBook) -> Iterator[DrugWarning]:
        """Yield the cautions that a draft in focus brings about, as the medicine itself or as the other of a pair."""
        drafted = {draft.fact for draft in _medicines_in_focus(supposed.facts)}
        for one in self._treatments.checks(supposed):
            if not drafted.isdisjoint((*one.active, *one.noted.facts)):
                yield one

    def _unchecked(self, supposed: FindingBook) -> tuple[str, ...]:
        """Return what was not received, where a draft in focus is a medicine that is checked against it."""
        missing = tuple(kind for kind in _NEEDED if kind not in supposed.facts.arrived)
        if not missing:
            return ()
        drafted = {draft.fact for draft in _medicines_in_focus(supposed.facts)}
        is_checked = any(not drafted.isdisjoint(active) for active in self._treatments.checked(supposed))
        return missing if is_checked else ()


def with_drafts_taken(facts: PatientFacts) -> PatientFacts:
    """Return the facts as if every draft medicine were taken, in place of an entry that is being rewritten."""
    drafted = [draft.medicine for draft in facts.drafts if draft.medicine is not None]
    rewritten = {one.fact.reference for one in drafted if one.fact.reference is not None}
    kept = (one for one in facts.medications if one.fact.reference not in rewritten)
    return msgspec.structs.replace(facts, medications=(*kept, *drafted))


def _is_telling(evidence: Evidence) -> bool:
    return evidence.on_order and evidence.weight in _TELLING


def _medicines_in_focus(facts: PatientFacts) -> list[DraftOrder]:
    return [draft for draft in facts.drafts if draft.in_focus and draft.medicine is not None]
