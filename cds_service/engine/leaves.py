"""The leaves of expressions: questions that facts answer in three values; they know no other finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.engine.logic import ABSENT, UNKNOWN, all_of, merge
from cds_service.engine.view import Evaluator, View
from cds_service.model.facts import Fact, When
from cds_service.model.findings import Outcome, State


def condition(operand: Mapping[str, Any], *, silence_is_unknown: bool) -> Evaluator:
    """Ask for a condition or sign of some value sets; without an answer, silence of a sign means unknown."""
    names = operand["in"]
    past_too = operand.get("status") == "past-or-active"
    only_firm = operand.get("confirmed", False)
    within, before = operand.get("onset_within_days"), operand.get("onset_before_days")

    def evaluate(view: View) -> Outcome:
        facts: tuple[Fact, ...] = ()
        open_question = False
        for name in names:
            for condition in view.conditions.get(name, ()):
                if not (condition.active or past_too):
                    continue
                fits = _onset_fits(condition.onset, view.today, within, before)
                if fits and (condition.firm or not only_firm):
                    facts = merge(facts, (condition.fact,))
                elif fits is not False:
                    open_question = True
        if facts:
            return State.PRESENT, facts
        if open_question or silence_is_unknown or "conditions" not in view.facts.arrived:
            return UNKNOWN
        return ABSENT

    return evaluate


def _onset_fits(onset: When | None, today: date, within: int | None, before: int | None) -> bool | None:
    """Whether an onset lies within, and before, so many days; None when its date does not tell."""
    if within is None and before is None:
        return True
    if onset is None:
        return None
    return _both(
        True if within is None else _is_since(onset, today - timedelta(days=within)),
        True if before is None else _is_by(onset, today - timedelta(days=before)),
    )


def _is_since(moment: When, day: date) -> bool | None:
    return True if moment.earliest >= day else (False if moment.latest < day else None)


def _is_by(moment: When, day: date) -> bool | None:
    return True if moment.latest <= day else (False if moment.earliest > day else None)


def _both(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - two answers of equal rank
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def _medication(operand: Mapping[str, Any]) -> Evaluator:
    names = operand["in"]
    past_too = operand.get("status") == "past-or-active"
    order, within = operand.get("started"), operand.get("started_within_days")

    def evaluate(view: View) -> Outcome:
        facts: tuple[Fact, ...] = ()
        open_question = False
        for name in names:
            for medication in view.medications.get(name, ()):
                if not (medication.active or past_too):
                    continue
                fits = _start_fits(medication.started, view, order, within)
                if fits:
                    facts = merge(facts, (medication.fact,))
                elif fits is None:
                    open_question = True
        if facts:
            return State.PRESENT, facts
        if open_question or "medications" not in view.facts.arrived:
            return UNKNOWN
        return ABSENT

    return evaluate


def _start_fits(started: When | None, view: View, order: str | None, within: int | None) -> bool | None:
    if order is None and within is None:
        return True
    if started is None:
        return None
    return _both(
        True if within is None else _is_since(started, view.today - timedelta(days=within)),
        True if order is None else _start_is_in_order(started, view.onset, order),
    )


def _start_is_in_order(started: When, onset: When | None, order: str) -> bool | None:
    """Whether a start lies before the onset, the same day included, or after it; None when the dates overlap."""
    if onset is None:
        return None
    if started.latest <= onset.earliest:
        return order == "before-onset"
    return order == "after-onset" if started.earliest > onset.latest else None


def _examination(operand: Mapping[str, Any]) -> Evaluator:
    part, wanted, within = operand["part"], operand["is"], operand.get("within_days")

    def evaluate(view: View) -> Outcome:
        results = [
            result
            for result in view.examinations.get(part, ())
            if within is None or (result.on is not None and (view.today - result.on.latest).days <= within)
        ]
        if not results:
            return UNKNOWN
        newest = max(result.on.latest if result.on else date.min for result in results)
        latest = [result for result in results if (result.on.latest if result.on else date.min) == newest]
        judged = "abnormal" if any(result.result == "abnormal" for result in latest) else "normal"
        facts = tuple(result.fact for result in latest if result.result == judged)
        return (State.PRESENT if judged == wanted else State.ABSENT), facts

    return evaluate


def _habit(operand: Mapping[str, Any]) -> Evaluator:
    item = operand["item"]
    floor, over, ceiling = (
        Decimal(operand[name]) if name in operand else None for name in ("at_least", "above", "below")
    )

    def evaluate(view: View) -> Outcome:
        habits = view.habits.get(item, ())
        if not habits:
            return UNKNOWN
        habit = max(habits, key=lambda one: one.fact.on or "")
        fits = (
            (floor is None or habit.amount >= floor)
            and (over is None or habit.amount > over)
            and (ceiling is None or habit.amount < ceiling)
        )
        return (State.PRESENT if fits else State.ABSENT), (habit.fact,)

    return evaluate


def _patient(operand: Mapping[str, Any]) -> Evaluator:
    oldest, youngest, sex = operand.get("age_below"), operand.get("age_at_least"), operand.get("sex")

    def evaluate(view: View) -> Outcome:
        facts = view.facts
        outcomes: list[Outcome] = []
        if oldest is not None or youngest is not None:
            outcomes.append(_age_outcome(facts.age, youngest, oldest, facts.patient_id))
        if sex is not None:
            fact = Fact(what="sex", value=facts.sex, reference=f"Patient/{facts.patient_id}")
            outcomes.append(
                UNKNOWN
                if facts.sex is None
                else (State.PRESENT if facts.sex == sex else State.ABSENT, (fact,))
            )
        return all_of(outcomes)

    return evaluate


def _age_outcome(age: int | None, youngest: int | None, oldest: int | None, patient: str) -> Outcome:
    if age is None:
        return UNKNOWN
    fits = (youngest is None or age >= youngest) and (oldest is None or age < oldest)
    fact = Fact(what="age", value=str(age), unit="years", reference=f"Patient/{patient}")
    return (State.PRESENT if fits else State.ABSENT), (fact,)


def _onset(operand: Mapping[str, Any]) -> Evaluator:
    within, before = operand.get("within_days"), operand.get("before_days")

    def evaluate(view: View) -> Outcome:
        fits = _onset_fits(view.onset, view.today, within, before)
        if fits is None:
            return UNKNOWN
        return (State.PRESENT if fits else State.ABSENT), view.onset_facts

    return evaluate


LEAVES: Mapping[str, Callable[[Mapping[str, Any]], Evaluator]] = {
    "medication": _medication,
    "examination": _examination,
    "habit": _habit,
    "patient": _patient,
    "onset": _onset,
}
