"""The leaf that asks for a number: both sides of each limit, comparators, and results that cannot answer."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model.findings import State
from tests.unit.engine.neutral import book, facts, knowledge, lab, presenting, result, rule

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN


def state_of(operand: dict[str, Any], *results: Any, **lab_members: Any) -> State:
    """Return what the leaf answers about results of zorbium."""
    known = knowledge(rule("asked", {"measured": {"lab": "zorbium", **operand}}), lab(**lab_members))
    return book(known, facts(*results)).outcome("asked")[0]


@pytest.mark.parametrize(
    ("operand", "value", "expected"),
    [
        ({"below": "60"}, "59", P),
        ({"below": "60"}, "60", A),
        ({"at_least": "60"}, "60", P),
        ({"at_least": "60"}, "59.9", A),
        ({"at_least": "45", "below": "60"}, "45", P),
        ({"at_least": "45", "below": "60"}, "44", A),
        ({"at_least": "45", "below": "60"}, "60", A),
    ],
)
def test_a_number_lies_on_one_side_of_a_limit(operand: dict[str, Any], value: str, expected: State) -> None:
    """`below` leaves the limit out, `at_least` takes it in, and both must hold."""
    assert state_of(operand, result(value)) is expected


@pytest.mark.parametrize(
    ("comparator", "value", "expected"),
    [("<", "60", P), ("<", "61", U), ("<=", "59", P), (">", "60", A), (">=", "60", A), (">", "59", U)],
)
def test_a_comparator_that_leaves_it_open_is_no_answer(comparator: str, value: str, expected: State) -> None:
    """More than 59 may be 59.5 or 90; nobody knows on which side of 60 it lies."""
    assert state_of({"below": "60"}, result(value, comparator=comparator)) is expected


@pytest.mark.parametrize(("value", "expected"), [("121", P), ("120", A), ("40", A)])
def test_a_multiple_of_the_upper_limit_is_counted_from_the_results_own(value: str, expected: State) -> None:
    """Three times an upper limit of 40 is passed above 120."""
    assert state_of({"above_upper": "3"}, result(value, high="40")) is expected


def test_without_an_upper_limit_of_its_own_the_multiple_is_unknown() -> None:
    """A default range is not what the laboratory printed."""
    assert state_of({"above_upper": "3"}, result("121")) is U


def test_no_result_an_old_one_and_one_without_a_number_answer_nothing() -> None:
    """What was not measured lately is unknown, never absent."""
    assert state_of({"below": "60"}) is U
    assert state_of({"below": "60"}, result("59", on="2026-05-15")) is U
    assert state_of({"below": "60"}, result(None, flag="L")) is U


def test_a_normal_result_that_excludes_nothing_answers_nothing() -> None:
    """A result from long before the onset says nothing about today, on whichever side of a limit it lies."""
    known = knowledge(
        rule("asked", {"measured": {"lab": "zorbium", "below": "12"}}), lab(before_onset_days=5)
    )
    about = facts(result("15", on="2026-06-01"), presentations=(presenting(onset="2026-06-14"),))
    assert book(known, about).outcome("asked")[0] is U


def test_the_fact_is_kept_whatever_the_answer() -> None:
    """An absent answer still shows the result that it rests on."""
    known = knowledge(rule("asked", {"measured": {"lab": "zorbium", "below": "12"}}), lab())
    newest = result("15")
    assert book(known, facts(newest)).outcome("asked") == (A, (newest.fact,))
