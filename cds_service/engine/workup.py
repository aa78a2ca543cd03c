"""Plans the tests that would settle the ranking, less what is resulted or already ordered; it drafts no resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import datetime

import msgspec

from cds_service.engine.findings import FindingBook
from cds_service.engine.order_status import OrderStatuses, Wish
from cds_service.engine.questions import QuestionRules
from cds_service.model.decision import (
    FiredRedFlag,
    OrderWarning,
    RankedCause,
    Standing,
    WorkupItem,
)
from cds_service.model.definitions import TESTS, Knowledge, Lab, Order, Presentation
from cds_service.model.parts import MARKED


class WorkupPlanner:
    """Orders, labs and base workups, compiled from the content."""

    def __init__(self, knowledge: Knowledge, sign_sets: frozenset[str]) -> None:
        """Compile every applicability."""
        self._orders: Mapping[str, Order] = knowledge.orders
        self._labs: Mapping[str, Lab] = knowledge.labs
        self._presentations: Mapping[str, Presentation] = knowledge.presentations
        self._questions = QuestionRules(knowledge.questionnaires, knowledge.orders)
        self.statuses = OrderStatuses(knowledge, sign_sets)

    def plan(
        self,
        book: FindingBook,
        red_flags: tuple[FiredRedFlag, ...],
        ranking: tuple[RankedCause, ...],
        types: Iterable[str],
        as_of: datetime,
    ) -> tuple[WorkupItem, ...]:
        """Return every order that is asked for, with its status, the most pressing first.

        The base workup of the presentation is asked for only while no cause is likely: never a shotgun.
        """
        wishes: dict[str, Wish] = {}
        for flag in red_flags:
            for order in flag.red_flag.workup:
                wish = wishes.setdefault(order, Wish(order, [], flag.facts, flag.red_flag.id, urgent=True))
                wish.because.append(flag.red_flag.title)
                wish.recommended = True
        self._wish_for_unrepeated(book, wishes)
        candidates = [one for one in ranking if one.is_candidate]
        for one in candidates:
            self._wish_for_cause(one, wishes)
        if not any(one.standing is Standing.LIKELY for one in candidates):
            self._wish_for_presentations(types, wishes)
        self._drop_covered_referrals(wishes)
        abnormal = {
            fact.reference or fact.what
            for one in candidates
            for argument in one.arguments_for
            for fact in argument.facts
        }
        asked = self._questions.items(book, red_flags, as_of.date())
        for item in asked:
            wishes.pop(item.order.id, None)
        items = (self.statuses.item(wish, book, abnormal, as_of) for wish in wishes.values())
        return (*(_with_cautions(item, book) if item.order.cautions else item for item in items), *asked)

    def unrecorded(
        self, book: FindingBook, types: Iterable[str], workup: tuple[WorkupItem, ...]
    ) -> tuple[str, ...]:
        """Return the titles of examinations that the presentations want, nobody recorded and the plan leaves out."""
        planned = {item.order.id for item in workup}
        wanted = dict.fromkeys(order for name in types for order in self._presentations[name].workup)
        orders = (self._orders[name] for name in wanted if name not in planned)
        return tuple(
            order.title
            for order in orders
            if order.settled_by_finding is not None and not book.is_present(order.settled_by_finding)
        )

    def _wish_for_unrepeated(self, book: FindingBook, wishes: dict[str, Wish]) -> None:
        """Ask for a marked result that is too old to count, still pointed out, and was never repeated."""
        for name, reading in book.readings.of_all().items():
            lab, stale = self._labs[name], reading.stale
            is_recent = (reading.stale_days or 0) <= lab.unrepeated_days
            if stale is None or not (lab.marked_raises and is_recent and reading.stale_bands & MARKED):
                continue
            offered = (
                order for order in self._orders.values() if order.offered and order.settled_by == (name,)
            )
            order = next(offered, None)
            if order is not None:
                wish = wishes.setdefault(order.id, Wish(order.id, [], (stale.fact,)))
                wish.because.append(f"{order.title} not repeated")
                wish.recommended = True

    def _wish_for_cause(self, one: RankedCause, wishes: dict[str, Wish]) -> None:
        facts = tuple(fact for argument in one.arguments_for for fact in argument.facts)
        for order in one.cause.workup:
            wish = wishes.setdefault(order, Wish(order, [], facts))
            wish.because.append(one.cause.title)
            if one.standing is Standing.LIKELY and self._orders[order].kind in TESTS:
                wish.recommended = True

    def _wish_for_presentations(self, types: Iterable[str], wishes: dict[str, Wish]) -> None:
        for name in types:
            presentation = self._presentations[name]
            for order in presentation.workup:
                wish = wishes.setdefault(order, Wish(order, []))
                wish.because.append(presentation.title)
                if self._orders[order].kind in TESTS:
                    wish.recommended = True

    def _drop_covered_referrals(self, wishes: dict[str, Wish]) -> None:
        """Ask for no routine referral beside the urgent one that covers it; its reasons go with the urgent one."""
        for name in [name for name in wishes if self._orders[name].kind == "referral"]:
            for covered in self._orders[name].covers:
                routine = wishes.pop(covered, None)
                if routine is not None:
                    wishes[name].because.extend(routine.because)


def _with_cautions(item: WorkupItem, book: FindingBook) -> WorkupItem:
    held = (
        OrderWarning(caution, book.facts_behind(caution.when))
        for caution in item.order.cautions
        if book.is_present(caution.when)
    )
    return msgspec.structs.replace(item, cautions=tuple(held))
