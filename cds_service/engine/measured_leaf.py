"""The leaf that asks for the number of a result, where no band of its lab has that limit; it places no band."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from cds_service.engine.bands import is_below
from cds_service.engine.logic import UNKNOWN
from cds_service.engine.view import Evaluator, View
from cds_service.model.facts import Measurement
from cds_service.model.findings import Outcome, State


def measured(operand: Mapping[str, Any]) -> Evaluator:
    """Ask whether the result that speaks today lies below, or at or above, a number in the lab's own unit.

    `above_upper` is a multiple of the upper limit that came with the result; without one the question stays open,
    and so does it while the result's comparator leaves it open.
    """
    lab = operand["lab"]
    floor, ceiling, times = (
        Decimal(operand[name]) if name in operand else None for name in ("at_least", "below", "above_upper")
    )

    def evaluate(view: View) -> Outcome:
        if not view.readings.has_results(lab):
            return UNKNOWN
        reading = view.readings.of(lab)
        result = reading.current
        if result is None or reading.superseded or (reading.bands is None and reading.remarks):
            return UNKNOWN
        answers = []
        if floor is not None:
            answers.append(_not(_below(result, floor)))
        if ceiling is not None:
            answers.append(_below(result, ceiling))
        if times is not None:
            high = result.high
            answers.append(None if high is None else _not(_below(result, times * high, inclusive=True)))
        if False in answers:
            return State.ABSENT, (result.fact,)
        return UNKNOWN if None in answers else (State.PRESENT, (result.fact,))

    return evaluate


def _below(result: Measurement, limit: Decimal, *, inclusive: bool = False) -> bool | None:
    if result.value is None:
        return None
    return is_below(result.value, result.comparator, limit, inclusive=inclusive)


def _not(answer: bool | None) -> bool | None:  # noqa: FBT001 - one of three answers
    return None if answer is None else not answer
