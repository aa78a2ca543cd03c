"""Leaves that ask how long ago: signs, medicines that ended, results of the last hours; and what others have."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.windows import both, is_by, is_known_older, is_since, lies_within
from cds_service.model.definitions import ValueSet
from cds_service.model.facts import Allergy, PatientFacts, Relative
from cds_service.model.findings import Outcome, State
from tests.unit.engine.neutral import (
    TODAY,
    book,
    condition,
    define,
    fact,
    facts,
    knowledge,
    lab,
    medication,
    presenting,
    result,
    rule,
    when,
)

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN


def judge(expression: Any, about: PatientFacts) -> Outcome:
    """Return the outcome of one expression."""
    sets = (define(ValueSet, "twinge", kind="sign"), define(ValueSet, "oddity", kind="diagnosis"))
    return book(knowledge(rule("asked", expression), lab(), *sets), about).outcome("asked")


def state_of(expression: Any, **about: Any) -> State:
    """Return the state of one expression about a patient."""
    return judge(expression, facts(**about))[0]


@pytest.mark.parametrize(
    ("onset", "recorded", "expected"),
    [
        ("2026-06-08", None, P),
        ("2026-06-07", None, U),
        (None, "2026-06-08", P),
        (None, "2026-06-07", U),
        (None, None, P),
        ("2026-06", None, P),
        ("2026-05", None, U),
        ("2020", "2026-06-14", U),
        ("2026-06-14", "2020", P),
    ],
)
def test_a_sign_known_to_be_older_is_passed_over(
    onset: str | None, recorded: str | None, expected: State
) -> None:
    """The onset decides, else the day of recording; an undated sign counts, and an imprecise one that may fit."""
    sign = condition("twinge", onset=onset, recorded=recorded)
    assert (
        state_of({"condition": {"in": ["twinge"], "not_older_than_days": 7}}, conditions=(sign,)) is expected
    )


def test_an_old_diagnosis_is_absent_within_its_window() -> None:
    """Where the list arrived, a condition that is only known as old is no recent one."""
    old = condition("oddity", onset="2020")
    assert state_of({"condition": {"in": ["oddity"], "not_older_than_days": 7}}, conditions=(old,)) is A
    assert state_of({"condition": {"in": ["oddity"]}}, conditions=(old,)) is P


@pytest.mark.parametrize(
    ("onset", "presented", "expected"),
    [
        ("2019-03-11", "2019", P),
        ("2019-03-11", "2019-03-11", P),
        ("2019-03-12", "2019-03-11", A),
        ("2020", "2019", A),
        (None, "2019", P),
        ("2020", None, P),
    ],
)
def test_what_began_after_the_presentation_did_not_cause_it(
    onset: str | None, presented: str | None, expected: State
) -> None:
    """Only a later beginning that is sure passes a condition over; a missing or imprecise date does not."""
    event = condition("oddity", onset=onset)
    asked = {"condition": {"in": ["oddity"], "not_after_onset": True}}
    assert state_of(asked, conditions=(event,), presentations=(presenting(onset=presented),)) is expected


@pytest.mark.parametrize(
    ("member", "active", "ended", "expected"),
    [
        ("taken_within_days", True, None, P),
        ("taken_within_days", True, "2027-01-01", P),
        ("taken_within_days", False, "2026-05-11", P),
        ("taken_within_days", False, "2026-05-10", A),
        ("taken_within_days", False, None, U),
        ("ended_within_days", True, None, A),
        ("ended_within_days", False, "2026-05-11", P),
        ("ended_within_days", False, "2026-05-10", A),
        ("ended_within_days", False, None, U),
        ("ended_within_days", False, "2026-05", U),
        ("ended_within_days", False, "2026", U),
    ],
)
def test_a_medicine_that_ended_is_judged_by_its_end(
    member: str, active: bool, ended: str | None, expected: State
) -> None:
    """Thirty-five days include both ends; an end without a day leaves the question open."""
    one = medication("elixir", active=active, started="2020", ended=ended)
    assert state_of({"medication": {"in": ["elixir"], member: 35}}, medications=(one,)) is expected


def test_an_end_and_a_start_are_asked_for_together() -> None:
    """Both windows have to fit."""
    one = medication("elixir", active=False, started="2026-06-01", ended="2026-06-10")
    asked = {"in": ["elixir"], "ended_within_days": 7}
    assert state_of({"medication": asked | {"started_within_days": 14}}, medications=(one,)) is P
    assert state_of({"medication": asked | {"started_within_days": 13}}, medications=(one,)) is A


def asking(*bands: str, **window: int) -> dict[str, Any]:
    """Return a question about a result in some bands."""
    return {"result": {"lab": "zorbium", "bands": list(bands), **window}}


@pytest.mark.parametrize(
    ("on", "hours", "expected"),
    [
        ("2026-06-15T08:00:00Z", 2, P),
        ("2026-06-15T07:59:59Z", 2, U),
        ("2026-06-15", 2, U),
        ("2026-06-15T08:00:00+01:00", 2, U),
        ("2026-06-15T09:00:00+01:00", 2, P),
    ],
)
def test_a_result_of_the_last_hours_needs_its_time(on: str, hours: int, expected: State) -> None:
    """On the limit it still counts; without a time of day nobody knows, and an older one leaves it open."""
    about = facts(result("6", on=on))
    assert judge(asking("marked-low", within_hours=hours), about)[0] is expected


@pytest.mark.parametrize(("on", "expected"), [("2026-06-12", P), ("2026-06-11", U), ("2026-06", U)])
def test_a_result_of_the_last_days_counts_on_the_last_of_them(on: str, expected: State) -> None:
    """Whole calendar days, both included; a month alone is not sure to lie in them."""
    assert judge(asking("low", within_days=3), facts(result("6", on=on)))[0] is expected


def test_a_result_shows_the_band_with_itself_as_the_fact() -> None:
    """In one of the bands it is present, in another absent; without any result nobody knows."""
    low = result("6")
    assert judge(asking("marked-low", "high"), facts(low)) == (P, (low.fact,))
    assert judge(asking("critical-low"), facts(low)) == (A, (low.fact,))
    assert judge(asking("low"), facts())[0] is U
    assert judge(asking("low"), facts(result("6", on="2020-01-01")))[0] is U


def test_a_relatives_condition_is_nobody_elses() -> None:
    """It is present for the question about the family only, and silence about it leaves it open."""
    one = Relative(value_sets=frozenset({"oddity"}), fact=fact("oddity", value="father"))
    asked = {"family": {"in": ["oddity"]}}
    assert judge(asked, facts(relatives=(one,))) == (P, (one.fact,))
    assert state_of({"condition": {"in": ["oddity"]}}, relatives=(one,)) is A
    assert state_of(asked) is U
    assert state_of({"family": {"in": ["twinge"]}}, relatives=(one,)) is U


def test_an_allergy_is_not_taking_it() -> None:
    """It is present for the question about allergies only."""
    one = Allergy(value_sets=frozenset({"elixir"}), fact=fact("elixir"))
    asked = {"allergy": {"in": ["elixir"]}}
    assert judge(asked, facts(allergies=(one,))) == (P, (one.fact,))
    assert state_of({"medication": {"in": ["elixir"]}}, allergies=(one,)) is A
    assert state_of(asked) is U


DAYS = st.integers(0, 400)
MOMENTS = st.dates(TODAY.replace(year=2024), TODAY).map(
    lambda day: [day.isoformat(), day.isoformat()[:7], day.isoformat()[:4]]
)


@given(MOMENTS, DAYS)
def test_a_vaguer_date_never_answers_otherwise(forms: list[str], days: int) -> None:
    """Where a month or a year gives an answer, the exact day in it gives the same one."""
    exact, *vague = [lies_within(when(form), TODAY, days, None) for form in forms]
    assert exact is not None
    assert all(answer in {None, exact} for answer in vague)
    assert is_known_older(when(forms[0]), TODAY, days) is not exact


@given(MOMENTS, st.dates(TODAY.replace(year=2024), TODAY))
def test_since_and_by_meet_on_the_day(forms: list[str], day: Any) -> None:
    """An exact day is on or after, or on or before, or both; never neither."""
    exact = when(forms[0])
    assert is_since(exact, day) or is_by(exact, day)
    assert (is_since(exact, day) and is_by(exact, day)) is (exact.earliest == day)


@pytest.mark.parametrize("one", [True, False, None])
@pytest.mark.parametrize("other", [True, False, None])
def test_two_answers_are_joined_as_kleene_does(one: bool | None, other: bool | None) -> None:
    """One no settles it; without a no, one open question leaves it open."""
    expected = False if False in {one, other} else (None if None in {one, other} else True)
    assert both(one, other) is expected
