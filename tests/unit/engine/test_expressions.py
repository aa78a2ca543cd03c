"""Compiled expressions: their operators, and leaves about conditions, medicines and the onset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.logic import all_of, any_of, at_least, negation, unless
from cds_service.model.definitions import Definition, ValueSet
from cds_service.model.facts import Fact, PatientFacts
from cds_service.model.findings import Outcome, State
from tests.unit.engine.neutral import book, condition, define, facts, knowledge, medication, presenting, rule

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN
NAMES = ["a", "b", "c"]


def judge(expression: Any, about: PatientFacts, *definitions: Definition, **given_states: State) -> Outcome:
    """Return the outcome of one expression."""
    return book(knowledge(rule("asked", expression), *definitions), about, **given_states).outcome("asked")


def state_of(expression: Any, *definitions: Definition, **about: Any) -> State:
    """Return the state of one expression about a patient."""
    return judge(expression, facts(**about), *definitions)[0]


expressions = st.recursive(
    st.sampled_from(NAMES),
    lambda parts: st.one_of(
        st.builds(lambda of: {"all": of}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda of: {"any": of}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda of: {"not": of}, parts),
        st.builds(lambda of: {"unless": of}, parts),
        st.builds(
            lambda count, of: {"count": {"at_least": count, "of": of}},
            st.integers(min_value=1, max_value=3),
            st.lists(parts, min_size=1, max_size=3),
        ),
    ),
    max_leaves=8,
)


def reference(expression: Any, states: Mapping[str, Outcome]) -> Outcome:
    """Return the outcome by the plain reading of the operators."""
    if isinstance(expression, str):
        return states[expression]
    ((operator, operand),) = expression.items()
    if operator in {"not", "unless"}:
        return (negation if operator == "not" else unless)(reference(operand, states))
    if operator == "count":
        return at_least(operand["at_least"], [reference(part, states) for part in operand["of"]])
    return (all_of if operator == "all" else any_of)([reference(part, states) for part in operand])


@given(expressions, st.tuples(*[st.sampled_from([P, A, U])] * 3))
def test_operators_mean_the_same_compiled_and_read(expression: Any, states: tuple[State, ...]) -> None:
    """However deep expressions nest, compiling changes neither the state nor the facts."""
    given_states = dict(zip(NAMES, states, strict=True))
    behind = {
        name: (state, () if state is U else (Fact(what=name, value="given"),))
        for name, state in given_states.items()
    }
    assert judge(expression, facts(), **given_states) == reference(expression, behind)


def test_a_finding_that_nothing_makes_is_unknown() -> None:
    """A name without a maker is unknown, never absent."""
    assert state_of("nobody-knows") is U
    assert state_of({"not": "nobody-knows"}) is U


def test_rules_read_other_rules() -> None:
    """A rule may rest on another rule, and shows its facts."""
    deeper = rule("deeper", {"condition": {"in": ["oddity"]}})
    about = facts(conditions=(condition("oddity"),))
    assert judge({"all": ["deeper"]}, about, deeper) == (P, (condition("oddity").fact,))


def test_a_presentation_is_a_finding() -> None:
    """What was recorded is present with its fact, and any other presentation is absent."""
    assert judge("presents-with-wobble", facts()) == (P, (presenting().fact,))
    assert state_of("presents-with-wobble", presentations=()) is A


ODD = {"condition": {"in": ["oddity", "quirk"]}}
SIGN = define(ValueSet, "oddity", kind="sign")


def test_a_condition_is_present_by_any_of_its_value_sets() -> None:
    """Each value set counts, and all recorded conditions are shown."""
    both = (condition("oddity"), condition("quirk"))
    assert judge(ODD, facts(conditions=both)) == (P, (both[0].fact, both[1].fact))
    assert state_of(ODD, conditions=(condition("other"),)) is A


def test_a_condition_that_did_not_arrive_is_unknown() -> None:
    """Silence means absent only when the list came; what came counts all the same."""
    assert state_of(ODD) is A
    assert state_of(ODD, arrived=frozenset({"medications"})) is U
    assert state_of(ODD, arrived=frozenset(), conditions=(condition("quirk"),)) is P


def test_a_sign_that_nobody_recorded_is_unknown() -> None:
    """A sign is looked for, not listed: silence about it is unknown even when the list came."""
    assert state_of(ODD, SIGN) is U
    assert state_of(ODD, SIGN, conditions=(condition("oddity"),)) is P
    assert state_of(ODD, SIGN, conditions=(condition("oddity", active=False),)) is U


def test_past_conditions_count_only_when_asked_for() -> None:
    """An inactive condition is nothing now, and is part of the history."""
    past = (condition("oddity", active=False),)
    assert state_of(ODD, conditions=past) is A
    assert state_of({"condition": {"in": ["oddity"], "status": "past-or-active"}}, conditions=past) is P


def test_a_provisional_condition_leaves_open_what_asks_for_a_confirmed_one() -> None:
    """What nobody has confirmed is neither there nor absent where confirmation is asked for."""
    asked = {"condition": {"in": ["oddity"], "confirmed": True}}
    provisional = (condition("oddity", firm=False),)
    assert state_of(asked, conditions=provisional) is U
    assert state_of(ODD, conditions=provisional) is P
    assert state_of(asked, conditions=(*provisional, condition("oddity"))) is P
    assert state_of(asked) is A


WITHIN, BEFORE, BOTH = {"within": 7}, {"before": 30}, {"within": 90, "before": 30}
ONSETS: list[tuple[dict[str, int], str | None, State]] = [
    (WITHIN, "2026-06-15", P),
    (WITHIN, "2026-06-08", P),
    (WITHIN, "2026-06-07", A),
    (WITHIN, "2026-06", U),
    (WITHIN, "2026-05", A),
    (WITHIN, "2026", U),
    (WITHIN, None, U),
    ({"within": 15}, "2026-05", U),
    ({"within": 14}, "2026-05", A),
    ({"within": 14}, "2026-06", P),
    ({"before": 14}, "2026-06", U),
    ({"before": 15}, "2026-06", A),
    ({"before": 15}, "2026-05", P),
    (BEFORE, "2026-05-16", P),
    (BEFORE, "2026-05-17", A),
    (BEFORE, "2026-04", P),
    (BEFORE, "2026-05", U),
    (BEFORE, "2026-06", A),
    (BEFORE, None, U),
    (BOTH, "2026-05-16", P),
    (BOTH, "2026-05-17", A),
    (BOTH, "2026-03-17", P),
    (BOTH, "2026-03-16", A),
    (BOTH, "2026-04", P),
    (BOTH, "2026-03", U),
    (BOTH, "2026", U),
    (BOTH, None, U),
]


@pytest.mark.parametrize(("days", "onset", "expected"), ONSETS)
def test_the_onset_of_a_condition(days: dict[str, int], onset: str | None, expected: State) -> None:
    """Days are counted inclusively, both limits hold together, and a vague or missing date leaves it open."""
    limits = {f"onset_{name}_days": count for name, count in days.items()}
    asked = {"condition": {"in": ["oddity"], **limits}}
    assert state_of(asked, conditions=(condition("oddity", onset=onset),)) is expected


@pytest.mark.parametrize(("days", "onset", "expected"), ONSETS)
def test_the_onset_of_the_presentation(days: dict[str, int], onset: str | None, expected: State) -> None:
    """The onset of what was recorded is counted in the same way, and the presentation is the fact."""
    shown = presenting(onset=onset)
    asked = {"onset": {f"{name}_days": count for name, count in days.items()}}
    assert judge(asked, facts(presentations=(shown,))) == (expected, () if expected is U else (shown.fact,))


def test_the_earliest_onset_counts() -> None:
    """Of several presentations the one that began first dates the complaint; undated ones are passed over."""
    about = (presenting(), presenting(onset="2026-06-14"), presenting(onset="2026-01-01"))
    assert state_of({"onset": {"within_days": 7}}, presentations=about) is A
    assert state_of({"onset": {"within_days": 7}}, presentations=about[:2]) is P


def test_a_datable_condition_is_present_beside_an_undatable_one() -> None:
    """One condition that fits is enough; one that might fit keeps the question open."""
    asked = {"condition": {"in": ["oddity"], "onset_within_days": 7}}
    new, old, undated = (
        condition("oddity", onset=onset, reference=f"Condition/{onset}")
        for onset in ("2026-06-14", "2020", None)
    )
    assert judge(asked, facts(conditions=(undated, old, new))) == (P, (new.fact,))
    assert state_of(asked, conditions=(undated, old)) is U
    assert state_of(asked, conditions=(old,)) is A
    assert state_of(asked, SIGN, conditions=(old,)) is U


TAKES = {"medication": {"in": ["elixir", "tonic"]}}


def test_a_medicine_is_present_absent_or_unknown() -> None:
    """A medicine on the list is taken, one that is not on a list that came is not, and no list tells nothing."""
    assert judge(TAKES, facts(medications=(medication("tonic"),))) == (P, (medication("tonic").fact,))
    assert state_of(TAKES) is A
    assert state_of(TAKES, arrived=frozenset({"conditions"})) is U
    assert state_of(TAKES, medications=(medication("syrup"),)) is A


def test_past_medicines_count_only_when_asked_for() -> None:
    """A medicine that ended is nothing now, and is part of the history."""
    past = (medication("tonic", active=False),)
    assert state_of(TAKES, medications=past) is A
    assert state_of({"medication": {"in": ["tonic"], "status": "past-or-active"}}, medications=past) is P


@pytest.mark.parametrize(
    ("started", "onset", "before", "after"),
    [
        ("2026-05-31", "2026-06-01", P, A),
        ("2026-06-01", "2026-06-01", P, A),
        ("2026-06-02", "2026-06-01", A, P),
        ("2026-05", "2026-06-01", P, A),
        ("2026-06", "2026-06-01", U, U),
        ("2026-07", "2026-06-01", A, P),
        ("2026-06-10", "2026-06", U, U),
        ("2026-06-01", "2026-06", P, A),
        (None, "2026-06-01", U, U),
        ("2026-05-31", None, U, U),
    ],
)
def test_the_start_of_a_medicine_and_the_onset(
    started: str | None, onset: str | None, before: State, after: State
) -> None:
    """A start up to the day of the onset is before it; overlapping or missing dates leave the order open."""
    about = {
        "medications": (medication("tonic", started=started),),
        "presentations": (presenting(onset=onset),),
    }
    assert state_of({"medication": {"in": ["tonic"], "started": "before-onset"}}, **about) is before
    assert state_of({"medication": {"in": ["tonic"], "started": "after-onset"}}, **about) is after


@pytest.mark.parametrize(
    ("started", "expected"),
    [("2026-06-08", P), ("2026-06-07", A), ("2026-06", U), ("2026-05", A), (None, U)],
)
def test_a_medicine_that_was_started_lately(started: str | None, expected: State) -> None:
    """Days since the start are counted inclusively; a vague or missing date leaves it open."""
    asked = {"medication": {"in": ["tonic"], "started_within_days": 7}}
    assert state_of(asked, medications=(medication("tonic", started=started),)) is expected


@pytest.mark.parametrize(
    ("started", "expected"),
    [("2026-06-10", P), ("2026-06-12", A), ("2026-06-01", A), ("2026-06", U), (None, U)],
)
def test_a_late_start_and_its_order_hold_together(started: str | None, expected: State) -> None:
    """With both conditions given, a medicine must have been started lately and before the onset."""
    asked = {"medication": {"in": ["tonic"], "started_within_days": 7, "started": "before-onset"}}
    about = {
        "medications": (medication("tonic", started=started),),
        "presentations": (presenting(onset="2026-06-11"),),
    }
    assert state_of(asked, **about) is expected
