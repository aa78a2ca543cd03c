"""Says how one order stands: suggested, resulted, placed or not applicable; it decides not who asks for it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from cds_service.engine.expressions import compile_expression
from cds_service.engine.findings import FindingBook
from cds_service.engine.readings import BEFORE_CHANGE
from cds_service.engine.view import Evaluator
from cds_service.model.decision import Reading, WorkupItem, WorkupStatus
from cds_service.model.definitions import Knowledge, Lab, Order
from cds_service.model.facts import DraftOrder, Fact, Measurement, PlacedOrder
from cds_service.model.findings import State

_DAY = len("2026-06-15")
_PANEL = 2
"""An order that covers so many labs is a panel: its result is all of them."""


class Wish(msgspec.Struct):
    """Somebody asks for an order: a red flag, a candidate cause, or the presentation itself."""

    order: str
    because: list[str]
    facts: tuple[Fact, ...] = ()
    red_flag: str | None = None
    urgent: bool = False
    recommended: bool = False


class OrderStatuses:
    """Orders and labs, compiled from the content; it holds no patient."""

    def __init__(self, knowledge: Knowledge, sign_sets: frozenset[str]) -> None:
        """Compile every applicability."""
        self._orders: Mapping[str, Order] = knowledge.orders
        self._labs: Mapping[str, Lab] = knowledge.labs
        self._not_applicable: Mapping[str, Evaluator] = {
            name: compile_expression(order.not_applicable_when, sign_sets)
            for name, order in knowledge.orders.items()
            if order.not_applicable_when is not None
        }

    def item(
        self,
        wish: Wish,
        book: FindingBook,
        abnormal: set[str],
        as_of: datetime,
        asked: Order | None = None,
    ) -> WorkupItem:
        """Return one order with its status; `asked` stands for it where a request asks for more than we would."""
        order = asked or self._orders[wish.order]
        not_applicable = self._not_applicable.get(order.id)
        if not_applicable is not None and not_applicable(book)[0] is State.PRESENT:
            return _item(order, WorkupStatus.NOT_APPLICABLE, wish)
        readings = [book.readings.of(lab) for lab in order.settled_by]
        measured = tuple(reading.current for reading in readings if reading.current is not None)
        placed = self._placed(order, book, measured, wish, as_of)
        if placed is not None:
            return _item(
                order,
                WorkupStatus.ALREADY_ORDERED,
                wish,
                reference=placed.fact.reference,
                on=placed.fact.on,
                measured=measured,
            )
        was_recorded = False
        if order.settled_by_finding is not None:
            state, facts = book.outcome(order.settled_by_finding)
            was_recorded = state is State.PRESENT
            if was_recorded and wish.red_flag is None:
                done = facts[0] if facts else None
                return _item(
                    order,
                    WorkupStatus.ALREADY_DONE,
                    wish,
                    reference=done.reference if done else None,
                    on=done.on if done else None,
                )
        if readings and all(_answers(reading) for reading in readings):
            is_due = self._is_due(readings, abnormal, as_of)
            return _resulted(order, wish, measured, is_due=is_due or wish.red_flag is not None)
        return _item(
            order,
            WorkupStatus.SUGGESTED,
            wish,
            measured=measured,
            repeat=was_recorded or _was_ever_measured(readings),
        )

    def _is_due(self, readings: list[Reading], abnormal: set[str], as_of: datetime) -> bool:
        """Whether an abnormal result that argues for a candidate is older than its retest interval."""
        return any(
            _argues(reading, abnormal) and self._is_older_than_retest(reading, as_of) for reading in readings
        )

    def _is_older_than_retest(self, reading: Reading, as_of: datetime) -> bool:
        taken = reading.current.taken if reading.current else None
        if taken is None:
            return False
        at = taken.at or datetime(taken.latest.year, taken.latest.month, taken.latest.day, tzinfo=UTC)
        return as_of - at > timedelta(hours=self._labs[reading.lab].retest_hours)

    def _placed(
        self,
        order: Order,
        book: FindingBook,
        measured: tuple[Measurement, ...],
        wish: Wish,
        as_of: datetime,
    ) -> PlacedOrder | None:
        """Return an open order that answers this one; under a red flag only one placed after the result counts."""
        newest = max((one.taken.latest for one in measured if one.taken), default=None)
        for placed in book.facts.placed_orders:
            if not order.is_answered_by(placed.orders, placed.labs):
                continue
            day = placed.placed.latest if placed.placed else None
            if day is not None and (as_of.date() - day).days > order.pending_days:
                continue
            if wish.red_flag is not None and _is_older_than_its_reason(day, newest, wish.facts):
                continue
            if newest is not None and day is not None and day < newest:
                continue
            return placed
        return None

    def standing_of(self, draft: DraftOrder, book: FindingBook, as_of: datetime) -> WorkupItem | None:
        """Return how a draft stands by what is resulted and placed; None where nothing can be said of it.

        A panel is resulted when all that it measures is. An abnormal result older than its retest interval is due.
        """
        abnormal = {
            reading.current.fact.reference or reading.current.fact.what
            for reading in book.readings.of_all().values()
            if reading.current is not None
        }
        items = []
        for name in sorted(draft.named):
            order = self._orders[name]
            if len(self._labs.keys() & set(order.covers)) >= _PANEL and draft.asked is not None:
                order = msgspec.structs.replace(order, settled_by=tuple(sorted(draft.asked.labs)))
            items.append(self.item(Wish(name, []), book, abnormal, as_of, order))
        return next(
            (item for item in items if item.status is WorkupStatus.SUGGESTED), next(iter(items), None)
        )


def _is_older_than_its_reason(day: date | None, newest: date | None, facts: tuple[Fact, ...]) -> bool:
    """Whether a request was placed before the result or the dated fact that makes it urgent today."""
    if newest is not None:
        return day is None or day < newest
    dated = [fact.on[:_DAY] for fact in facts if fact.on is not None and len(fact.on) >= _DAY]
    return bool(dated) and (day is None or day.isoformat() < max(dated))


def _resulted(order: Order, wish: Wish, measured: tuple[Measurement, ...], *, is_due: bool) -> WorkupItem:
    """A result that is due is repeated, any other one is done."""
    if is_due:
        return _item(order, WorkupStatus.SUGGESTED, wish, measured=measured, repeat=True)
    newest = measured[0].fact
    return _item(
        order, WorkupStatus.ALREADY_DONE, wish, reference=newest.reference, on=newest.on, measured=measured
    )


def _answers(reading: Reading) -> bool:
    """Whether there is a result inside its window, and not one from before an event that can have altered it."""
    return reading.current is not None and BEFORE_CHANGE not in reading.remarks


def _argues(reading: Reading, abnormal: set[str]) -> bool:
    if reading.bands is None or not reading.bands & {"low", "high", "borderline"} or reading.current is None:
        return False
    fact = reading.current.fact
    return (fact.reference or fact.what) in abnormal


def _was_ever_measured(readings: list[Reading]) -> bool:
    return bool(readings) and all(reading.current or reading.stale for reading in readings)


def _item(  # noqa: PLR0913 - one keyword per member of the item
    order: Order,
    status: WorkupStatus,
    wish: Wish,
    *,
    reference: str | None = None,
    on: str | None = None,
    measured: tuple[Measurement, ...] = (),
    repeat: bool = False,
) -> WorkupItem:
    return WorkupItem(
        order=order,
        status=status,
        because="; ".join(dict.fromkeys(wish.because)),
        repeat=repeat,
        urgent=wish.urgent,
        recommended=wish.recommended and status is WorkupStatus.SUGGESTED,
        red_flag=wish.red_flag,
        prompted_by=wish.facts,
        measured=measured,
        reference=reference,
        on=on,
    )
