"""Leaves about examinations, habits and the person: at the limit, beside it, and when nobody recorded it."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model.facts import Fact, PatientFacts
from cds_service.model.findings import Outcome, State
from tests.unit.engine.neutral import book, examination, facts, habit, knowledge, rule

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN


def judge(expression: Any, about: PatientFacts) -> Outcome:
    """Return the outcome of one expression."""
    return book(knowledge(rule("asked", expression)), about).outcome("asked")


def state_of(expression: Any, **about: Any) -> State:
    """Return the state of one expression about a patient."""
    return judge(expression, facts(**about))[0]


def examined(is_: str, **limits: Any) -> dict[str, Any]:
    """Return a question about the examination of the tail."""
    return {"examination": {"part": "tail", "is": is_, **limits}}


def test_an_examination_is_normal_or_abnormal_or_was_not_done() -> None:
    """Normal is not abnormal, and what was not examined is unknown both ways."""
    done = (examination("tail", "normal"), examination("ear", "abnormal"))
    assert judge(examined("normal"), facts(examinations=done)) == (P, (done[0].fact,))
    assert judge(examined("abnormal"), facts(examinations=done)) == (A, (done[0].fact,))
    assert state_of(examined("normal"), examinations=done[1:]) is U
    assert state_of(examined("abnormal")) is U


def test_the_latest_examination_counts() -> None:
    """A later examination replaces an earlier one; a dated one replaces an undated one."""
    earlier, later = (
        examination("tail", "abnormal", "2026-05-01"),
        examination("tail", "normal", "2026-06-01"),
    )
    assert state_of(examined("normal"), examinations=(earlier, later)) is P
    assert state_of(examined("normal"), examinations=(later, earlier)) is P
    undated = examination("tail", "abnormal", None)
    assert state_of(examined("normal"), examinations=(undated, later)) is P
    assert state_of(examined("abnormal"), examinations=(undated,)) is P


def test_on_one_day_the_abnormal_examination_counts() -> None:
    """Of two examinations of the same day the abnormal one is believed, and it alone is the fact."""
    same_day = (examination("tail", "normal"), examination("tail", "abnormal"))
    assert judge(examined("abnormal"), facts(examinations=same_day)) == (P, (same_day[1].fact,))
    assert state_of(examined("normal"), examinations=same_day) is A


@pytest.mark.parametrize(("on", "expected"), [("2026-06-08", P), ("2026-06-07", U), (None, U)])
def test_an_examination_can_be_too_old(on: str | None, expected: State) -> None:
    """Days are counted inclusively; an undated examination is not recent."""
    asked = examined("normal", within_days=7)
    assert state_of(asked, examinations=(examination("tail", "normal", on),)) is expected


@pytest.mark.parametrize(
    ("limit", "amount", "expected"),
    [
        ({"at_least": "4"}, "4", P),
        ({"at_least": "4"}, "3.9", A),
        ({"above": "4"}, "4", A),
        ({"above": "4"}, "4.1", P),
        ({"below": "4"}, "4", A),
        ({"below": "4"}, "3.9", P),
        ({"at_least": "2", "below": "4"}, "1.9", A),
        ({"at_least": "2", "below": "4"}, "2", P),
        ({"at_least": "2", "below": "4"}, "4", A),
    ],
)
def test_a_habit_at_its_limit(limit: dict[str, str], amount: str, expected: State) -> None:
    """Each comparison says whether its limit is included, and two hold together."""
    humming = habit("humming", amount)
    asked = {"habit": {"item": "humming", **limit}}
    assert judge(asked, facts(habits=(humming,))) == (expected, (humming.fact,))


def test_a_habit_that_nobody_asked_about_is_unknown() -> None:
    """No record of a habit says nothing, and other habits say nothing about it."""
    asked = {"habit": {"item": "humming", "at_least": "4"}}
    assert state_of(asked) is U
    assert state_of(asked, habits=(habit("whistling", "9"),)) is U
    assert state_of({"not": asked}) is U


def test_the_latest_word_about_a_habit_counts() -> None:
    """Of two records the newer decides, in whatever order they came; an undated one is the oldest."""
    asked = {"habit": {"item": "humming", "at_least": "4"}}
    much, little = habit("humming", "9", "2026-01-01"), habit("humming", "1", "2026-06-01")
    assert state_of(asked, habits=(much, little)) is A
    assert state_of(asked, habits=(little, much)) is A
    assert state_of(asked, habits=(habit("humming", "1"), much)) is P


@pytest.mark.parametrize(
    ("limits", "age", "expected"),
    [
        ({"age_at_least": 40}, 40, P),
        ({"age_at_least": 40}, 39, A),
        ({"age_below": 40}, 39, P),
        ({"age_below": 40}, 40, A),
        ({"age_at_least": 18, "age_below": 40}, 18, P),
        ({"age_at_least": 18, "age_below": 40}, 17, A),
        ({"age_at_least": 40}, None, U),
    ],
)
def test_an_age_at_its_limit(limits: dict[str, int], age: int | None, expected: State) -> None:
    """A lower limit is included, an upper one is not, and an unknown age leaves it open."""
    behind = () if age is None else (Fact(what="age", value=str(age), unit="years", reference="Patient/p1"),)
    assert judge({"patient": limits}, facts(age=age)) == (expected, behind)


@pytest.mark.parametrize(("sex", "expected"), [("female", P), ("male", A), (None, U)])
def test_sex_is_as_recorded(sex: str | None, expected: State) -> None:
    """A sex that is not recorded is unknown."""
    assert state_of({"patient": {"sex": "female"}}, sex=sex) is expected


def test_age_and_sex_hold_together() -> None:
    """One that does not hold decides, whatever is unknown about the other."""
    asked = {"patient": {"age_at_least": 40, "sex": "female"}}
    state, behind = judge(asked, facts(age=44, sex="female"))
    assert (state, [one.what for one in behind]) == (P, ["age", "sex"])
    assert state_of(asked, age=None, sex="male") is A
    assert state_of(asked, age=None, sex="female") is U
