"""The leaves of expressions: questions that facts answer in three values; they know no other finding."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import Any

from cds_service.engine.logic import ABSENT, UNKNOWN, all_of, merge
from cds_service.engine.measured_leaf import measured
from cds_service.engine.medication_leaf import medication
from cds_service.engine.view import Evaluator, View
from cds_service.engine.windows import is_known_later, is_known_older, lies_within
from cds_service.model.facts import Allergy, Fact, Measurement, PatientFacts, RecordedCondition, Relative
from cds_service.model.findings import Outcome, State


def condition(operand: Mapping[str, Any], *, silence_is_unknown: bool) -> Evaluator:
    """Ask for a condition or sign of some value sets; without an answer, silence of a sign means unknown.

    `not_older_than_days` passes over what is known to have begun, or to have been recorded, before that;
    `not_after_onset` what is known to have begun after the presentation, and so cannot have caused it.
    """
    names = operand["in"]
    only_firm = operand.get("confirmed", False)
    within, before = operand.get("onset_within_days"), operand.get("onset_before_days")
    is_passed_over = _passing_over(operand)

    def evaluate(view: View) -> Outcome:
        facts: tuple[Fact, ...] = ()
        open_question = False
        for name in names:
            for condition in view.conditions.get(name, ()):
                if is_passed_over(condition, view):
                    continue
                fits = lies_within(condition.onset, view.today, within, before)
                if fits and (condition.firm or not only_firm):
                    facts = merge(facts, (condition.fact,))
                elif fits is not False:
                    open_question = True
        if facts:
            return State.PRESENT, facts
        if open_question:
            return UNKNOWN
        return _without_a_fact(names, view, silence_is_unknown=silence_is_unknown)

    return evaluate


def _without_a_fact(names: Sequence[str], view: View, *, silence_is_unknown: bool) -> Outcome:
    """Return what the lack of a fact means: absent where all was denied, or where silence says so."""
    denied = view.facts.denied
    if denied and all(name in denied for name in names):
        return State.ABSENT, (*dict.fromkeys(denied[name] for name in names),)
    return UNKNOWN if silence_is_unknown or "conditions" not in view.facts.arrived else ABSENT


def _passing_over(operand: Mapping[str, Any]) -> Callable[[RecordedCondition, View], bool]:
    """Return what tells whether a condition is left aside, so that it answers nothing."""
    past_too = operand.get("status") == "past-or-active"
    oldest = operand.get("not_older_than_days")
    must_precede = operand.get("not_after_onset", False)

    def is_passed_over(condition: RecordedCondition, view: View) -> bool:
        if not (condition.active or past_too):
            return True
        if must_precede and is_known_later(condition.onset, view.onset):
            return True
        when = condition.onset or condition.recorded
        return oldest is not None and is_known_older(when, view.today, oldest)

    return is_passed_over


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
        fits = lies_within(view.onset, view.today, within, before)
        if fits is None:
            return UNKNOWN
        return (State.PRESENT if fits else State.ABSENT), view.onset_facts

    return evaluate


def _result(operand: Mapping[str, Any]) -> Evaluator:
    """Ask whether the result that speaks today lies in a band; with a window, whether it was taken that recently.

    An older result leaves the question open: nobody knows what a new one would show.
    """
    lab, bands = operand["lab"], frozenset(operand["bands"])
    hours, days = operand.get("within_hours"), operand.get("within_days")

    def evaluate(view: View) -> Outcome:
        if not view.readings.has_results(lab):
            return UNKNOWN
        reading = view.readings.of(lab)
        result = reading.current
        if reading.bands is None or result is None or not _is_recent(result, view, hours, days):
            return UNKNOWN
        return (State.PRESENT if reading.bands & bands else State.ABSENT), (result.fact,)

    return evaluate


def _is_recent(result: Measurement, view: View, hours: int | None, days: int | None) -> bool:
    """Whether a result was surely taken within so many hours, and days; without a time of day no hour is sure."""
    taken = result.taken
    if hours is not None and (
        taken is None or taken.at is None or view.now - taken.at > timedelta(hours=hours)
    ):
        return False
    return days is None or (taken is not None and taken.earliest >= view.today - timedelta(days=days))


def _told(
    chosen: Callable[[PatientFacts], Sequence[Relative | Allergy]],
) -> Callable[[Mapping[str, Any]], Evaluator]:
    """Ask for one among those that were told of; a record that does not name it leaves the question open."""

    def compile_leaf(operand: Mapping[str, Any]) -> Evaluator:
        names = frozenset(operand["in"])

        def evaluate(view: View) -> Outcome:
            told = chosen(view.facts)
            facts = tuple(one.fact for one in told if not names.isdisjoint(one.value_sets))
            return (State.PRESENT, facts) if facts else UNKNOWN

        return evaluate

    return compile_leaf


LEAVES: Mapping[str, Callable[[Mapping[str, Any]], Evaluator]] = {
    "medication": medication,
    "examination": _examination,
    "habit": _habit,
    "patient": _patient,
    "onset": _onset,
    "result": _result,
    "measured": measured,
    "family": _told(lambda facts: facts.relatives),
    "allergy": _told(lambda facts: facts.allergies),
}
