"""Three-valued logic: what is unknown stays unknown, and no fact behind a finding is lost."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.logic import all_of, any_of, at_least, merge, negation, unless
from cds_service.model.facts import Fact
from cds_service.model.findings import Outcome, State

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN
FACTS = [Fact(what=name) for name in "abcde"]
RANK = {A: 0, U: 1, P: 2}

some_facts = st.lists(st.sampled_from(FACTS), max_size=3, unique=True).map(tuple)
outcomes = st.one_of(st.tuples(st.just(P), some_facts), st.tuples(st.just(A), some_facts), st.just((U, ())))
several = st.lists(outcomes, min_size=1, max_size=5)


def bare(*states: State) -> list[Outcome]:
    """Return outcomes without facts."""
    return [(state, ()) for state in states]


def shown(parts: Sequence[Outcome], state: State) -> set[Fact]:
    """Return the facts of all parts in one state."""
    return {fact for found, facts in parts if found is state for fact in facts}


@pytest.mark.parametrize(("one", "other"), [*itertools.product([P, A, U], repeat=2)])
def test_two_parts_follow_the_truth_tables_of_kleene(one: State, other: State) -> None:
    """Conjunction is the lesser, disjunction the greater of two states with absent < unknown < present."""
    by_rank = sorted((one, other), key=RANK.__getitem__)
    assert all_of(bare(one, other))[0] is by_rank[0]
    assert any_of(bare(one, other))[0] is by_rank[1]


@pytest.mark.parametrize(("state", "opposite"), [(P, A), (A, P), (U, U)])
def test_negation_swaps_and_leaves_unknown_unknown(state: State, opposite: State) -> None:
    """`not unknown` is unknown: a test that was never done is not a normal one."""
    assert negation((state, ()))[0] is opposite


@pytest.mark.parametrize(("state", "expected"), [(P, A), (A, P), (U, P)])
def test_unless_silences_only_what_is_present(state: State, expected: State) -> None:
    """`unless` is absent when its part is present and otherwise lets pass, the unknown included."""
    assert unless((state, ()))[0] is expected


@given(outcomes)
def test_unless_never_brings_a_fact_to_what_it_lets_pass(part: Outcome) -> None:
    """What `unless` lets pass rests on no fact; what it silences keeps the facts that silenced."""
    state, facts = unless(part)
    assert facts == (part[1] if state is A else ())


@given(several)
def test_de_morgan_holds_for_states_and_for_the_facts_of_what_is_present(parts: list[Outcome]) -> None:
    """`not any` is `all not`, with the same facts; `not all` is `any not` in its state."""
    not_any, all_not = negation(any_of(parts)), all_of(map(negation, parts))
    assert not_any[0] is all_not[0]
    if not_any[0] is P:
        assert set(not_any[1]) == set(all_not[1])
    assert negation(all_of(parts))[0] is any_of(map(negation, parts))[0]


@given(several)
def test_negating_twice_changes_nothing(parts: list[Outcome]) -> None:
    """A double negation gives back state and facts."""
    for part in parts:
        assert negation(negation(part)) == part


@given(several)
def test_no_fact_behind_a_present_finding_is_lost(parts: list[Outcome]) -> None:
    """A present conjunction, disjunction or count shows every fact of every part that holds."""
    for state, facts in (all_of(parts), any_of(parts), at_least(2, parts)):
        if state is P:
            assert set(facts) == shown(parts, P)
            assert len(set(facts)) == len(facts)


@given(several)
def test_what_is_absent_shows_the_facts_that_speak_against_it(parts: list[Outcome]) -> None:
    """An absent disjunction shows the facts of all its parts, so that its negation can be traced."""
    state, facts = any_of(parts)
    if state is A:
        assert set(facts) == shown(parts, A)


@given(several)
def test_what_is_unknown_rests_on_nothing(parts: list[Outcome]) -> None:
    """An unknown finding carries no fact."""
    for state, facts in (all_of(parts), any_of(parts), at_least(2, parts)):
        assert state is not U or facts == ()


@given(several.flatmap(lambda parts: st.tuples(st.just(parts), st.permutations(parts))))
def test_the_order_of_the_parts_changes_no_state(both: tuple[list[Outcome], list[Outcome]]) -> None:
    """The state is the same in whatever order the parts are written, and so are the facts of a present one."""
    parts, shuffled = both
    calls: list[Callable[[list[Outcome]], Outcome]] = [
        all_of,
        any_of,
        lambda of: at_least(1, of),
        lambda of: at_least(3, of),
    ]
    for call in calls:
        (state, facts), (other, others) = call(parts), call(shuffled)
        assert state is other
        assert state is not P or set(facts) == set(others)


@given(several, st.integers(min_value=1, max_value=6))
def test_a_count_never_grows_truer_when_more_is_asked(parts: list[Outcome], count: int) -> None:
    """Asking for one more part can only lower the state."""
    assert RANK[at_least(count + 1, parts)[0]] <= RANK[at_least(count, parts)[0]]


@given(several, outcomes, st.integers(min_value=1, max_value=4))
def test_a_count_never_grows_falser_with_one_more_part(
    parts: list[Outcome], more: Outcome, count: int
) -> None:
    """One more part, whatever its state, can only raise the state."""
    assert RANK[at_least(count, [*parts, more])[0]] >= RANK[at_least(count, parts)[0]]


@given(several)
def test_a_count_of_one_is_any_and_a_count_of_all_is_all(parts: list[Outcome]) -> None:
    """The edges of a count are disjunction and conjunction."""
    assert at_least(1, parts)[0] is any_of(parts)[0]
    assert at_least(len(parts), parts)[0] is all_of(parts)[0]


@pytest.mark.parametrize(
    ("states", "expected"),
    [((P, P, A), P), ((P, U, A), U), ((P, A, A), A), ((U, U, A), U), ((U, A, A), A), ((P, P, U), P)],
)
def test_two_of_three(states: tuple[State, ...], expected: State) -> None:
    """A count is absent only when the unknown parts could no longer fill it."""
    assert at_least(2, bare(*states))[0] is expected


@given(several)
def test_learning_what_was_unknown_never_turns_a_certain_state_over(parts: list[Outcome]) -> None:
    """A present or absent state stands, whatever its unknown parts turn out to be."""
    calls: list[Callable[[list[Outcome]], Outcome]] = [all_of, any_of, lambda of: at_least(2, of)]
    for learnt in (P, A):
        filled: list[Outcome] = [(learnt, ()) if state is U else (state, facts) for state, facts in parts]
        for call in calls:
            state = call(parts)[0]
            assert state is U or call(filled)[0] is state


@given(some_facts, some_facts)
def test_facts_are_merged_without_repeating_one(one: tuple[Fact, ...], other: tuple[Fact, ...]) -> None:
    """The facts of both stand in order, each once."""
    merged = merge(one, other)
    assert merged[: len(one)] == one
    assert len(set(merged)) == len(merged)
    assert set(merged) == {*one, *other}
