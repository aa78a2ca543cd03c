"""Plans the tests that would settle the ranking, less what is resulted or already ordered; it drafts no resource."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, date, datetime, timedelta

import msgspec

from cds_service.engine.bands import MARKED
from cds_service.engine.expressions import compile_expression
from cds_service.engine.findings import FindingBook
from cds_service.engine.questions import QuestionRules
from cds_service.engine.readings import BEFORE_CHANGE
from cds_service.engine.view import Evaluator
from cds_service.model.decision import (
    FiredRedFlag,
    OrderWarning,
    RankedCause,
    Reading,
    Standing,
    WorkupItem,
    WorkupStatus,
)
from cds_service.model.definitions import Knowledge, Lab, Order, Presentation
from cds_service.model.facts import Fact, Measurement, PlacedOrder
from cds_service.model.findings import State

_DAY = len("2026-06-15")
_RECOMMENDED_KINDS = frozenset({"laboratory", "tracing"})


class _Wish(msgspec.Struct):
    """Somebody asks for an order: a red flag, a candidate cause, or the presentation itself."""

    order: str
    because: list[str]
    facts: tuple[Fact, ...] = ()
    red_flag: str | None = None
    urgent: bool = False
    recommended: bool = False


class WorkupPlanner:
    """Orders, labs and base workups, compiled from the content."""

    def __init__(self, knowledge: Knowledge, sign_sets: frozenset[str]) -> None:
        """Compile every applicability."""
        self._orders: Mapping[str, Order] = knowledge.orders
        self._labs: Mapping[str, Lab] = knowledge.labs
        self._presentations: Mapping[str, Presentation] = knowledge.presentations
        self._questions = QuestionRules(knowledge.questionnaires, knowledge.orders)
        self._not_applicable: Mapping[str, Evaluator] = {
            name: compile_expression(order.not_applicable_when, sign_sets)
            for name, order in knowledge.orders.items()
            if order.not_applicable_when is not None
        }

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
        wishes: dict[str, _Wish] = {}
        for flag in red_flags:
            for order in flag.red_flag.workup:
                wish = wishes.setdefault(order, _Wish(order, [], flag.facts, flag.red_flag.id, urgent=True))
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
        items = (self._item(wish, book, abnormal, as_of) for wish in wishes.values())
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

    def _wish_for_unrepeated(self, book: FindingBook, wishes: dict[str, _Wish]) -> None:
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
                wish = wishes.setdefault(order.id, _Wish(order.id, [], (stale.fact,)))
                wish.because.append(f"{order.title} not repeated")
                wish.recommended = True

    def _wish_for_cause(self, one: RankedCause, wishes: dict[str, _Wish]) -> None:
        facts = tuple(fact for argument in one.arguments_for for fact in argument.facts)
        for order in one.cause.workup:
            wish = wishes.setdefault(order, _Wish(order, [], facts))
            wish.because.append(one.cause.title)
            if one.standing is Standing.LIKELY and self._orders[order].kind in _RECOMMENDED_KINDS:
                wish.recommended = True

    def _wish_for_presentations(self, types: Iterable[str], wishes: dict[str, _Wish]) -> None:
        for name in types:
            presentation = self._presentations[name]
            for order in presentation.workup:
                wish = wishes.setdefault(order, _Wish(order, []))
                wish.because.append(presentation.title)
                if self._orders[order].kind in _RECOMMENDED_KINDS:
                    wish.recommended = True

    def _drop_covered_referrals(self, wishes: dict[str, _Wish]) -> None:
        """Ask for no routine referral beside the urgent one that covers it; its reasons go with the urgent one."""
        for name in [name for name in wishes if self._orders[name].kind == "referral"]:
            for covered in self._orders[name].covers:
                routine = wishes.pop(covered, None)
                if routine is not None:
                    wishes[name].because.extend(routine.because)

    def _item(self, wish: _Wish, book: FindingBook, abnormal: set[str], as_of: datetime) -> WorkupItem:
        order = self._orders[wish.order]
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
        wish: _Wish,
        as_of: datetime,
    ) -> PlacedOrder | None:
        """Return an open order that answers this one; under a red flag only one placed after the result counts."""
        wanted = frozenset(order.settled_by)
        newest = max((one.taken.latest for one in measured if one.taken), default=None)
        for placed in book.facts.placed_orders:
            if order.id not in placed.orders and not (wanted and wanted <= placed.labs):
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


def _with_cautions(item: WorkupItem, book: FindingBook) -> WorkupItem:
    held = (
        OrderWarning(caution, book.facts_behind(caution.when))
        for caution in item.order.cautions
        if book.is_present(caution.when)
    )
    return msgspec.structs.replace(item, cautions=tuple(held))


def _is_older_than_its_reason(day: date | None, newest: date | None, facts: tuple[Fact, ...]) -> bool:
    """Whether a request was placed before the result or the dated fact that makes it urgent today."""
    if newest is not None:
        return day is None or day < newest
    dated = [fact.on[:_DAY] for fact in facts if fact.on is not None and len(fact.on) >= _DAY]
    return bool(dated) and (day is None or day.isoformat() < max(dated))


def _resulted(order: Order, wish: _Wish, measured: tuple[Measurement, ...], *, is_due: bool) -> WorkupItem:
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
    wish: _Wish,
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
