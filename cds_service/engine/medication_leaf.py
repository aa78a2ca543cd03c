"""The leaf that asks for a medicine: taken, started, ended, before or after the onset; it judges no medicine."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from cds_service.engine.logic import ABSENT, UNKNOWN, merge
from cds_service.engine.view import Evaluator, View
from cds_service.engine.windows import both, is_since, lies_within
from cds_service.model.facts import Fact, Medication, When
from cds_service.model.findings import Outcome, State

_Counts = Callable[[Medication, date], bool | None]


def medication(operand: Mapping[str, Any]) -> Evaluator:
    """Ask for a medicine of some value sets; a list that arrived without it shows that it is not taken."""
    names = operand["in"]
    counts = _counting(operand)
    order, within = operand.get("started"), operand.get("started_within_days")

    def evaluate(view: View) -> Outcome:
        facts: tuple[Fact, ...] = ()
        open_question = False
        for name in names:
            for one in view.medications.get(name, ()):
                fits = counts(one, view.today)
                if fits is not False:
                    fits = both(fits, _start_fits(one.started, view, order, within))
                if fits:
                    facts = merge(facts, (one.fact,))
                elif fits is None:
                    open_question = True
        if facts:
            return State.PRESENT, facts
        if open_question or "medications" not in view.facts.arrived:
            return UNKNOWN
        return ABSENT

    return evaluate


def _counting(operand: Mapping[str, Any]) -> _Counts:
    """Return what tells whether a medicine is one that is asked for by its state today."""
    taken, ended = operand.get("taken_within_days"), operand.get("ended_within_days")
    if taken is not None:
        return lambda one, today: one.active or lies_within(one.ended, today, taken, None)
    if ended is not None:
        return lambda one, today: False if one.active else lies_within(one.ended, today, ended, None)
    if operand.get("status") == "past-or-active":
        return lambda _one, _today: True
    return lambda one, _today: one.active


def _start_fits(started: When | None, view: View, order: str | None, within: int | None) -> bool | None:
    if order is None and within is None:
        return True
    if started is None:
        return None
    return both(
        True if within is None else is_since(started, view.today - timedelta(days=within)),
        True if order is None else _start_is_in_order(started, view.onset, order),
    )


def _start_is_in_order(started: When, onset: When | None, order: str) -> bool | None:
    """Whether a start lies before the onset, the same day included, or after it; None when the dates overlap."""
    if onset is None:
        return None
    if started.latest <= onset.earliest:
        return order == "before-onset"
    return order == "after-onset" if started.earliest > onset.latest else None
