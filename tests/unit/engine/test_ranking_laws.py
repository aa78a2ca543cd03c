"""Laws of the ranking: no order of the content and no unknown finding changes what comes out."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.ranking import CauseRules, prepared, weigh
from cds_service.model.decision import NotAssessed, RankedCause, Standing
from cds_service.model.definitions import Cause, Weight
from cds_service.model.findings import State
from tests.unit.engine.neutral import book, cause, facts, knowledge

FINDINGS = ["a", "b", "c", "d", "e"]
SCALE = [Standing.LIKELY, Standing.POSSIBLE, Standing.LESS_LIKELY, Standing.EXCLUDED]

states = st.fixed_dictionaries({name: st.sampled_from(list(State)) for name in FINDINGS})
weights = st.sampled_from([weight.value for weight in Weight])
parts = st.lists(
    st.tuples(st.sampled_from([*FINDINGS, "red-flag", "other-cause-supported"]), weights),
    min_size=1,
    max_size=6,
    unique_by=lambda part: part[0],
)
drafts = st.lists(
    st.tuples(
        parts,
        st.sampled_from(["emergency", "same-day", "soon", "routine"]),
        st.sampled_from(["condition", "trigger"]),
    ),
    min_size=1,
    max_size=5,
)


def build(draft: list[Any]) -> list[Cause]:
    """Return the causes of a draft, numbered from c0."""
    return [
        cause(f"c{place}", *evidence, urgency=urgency, group=group)
        for place, (evidence, urgency, group) in enumerate(draft)
    ]


def told(causes: list[Cause], known: dict[str, State]) -> Any:
    """Return all that the ranking says, without the order of arguments and of what is missing."""
    ranked, silent = CauseRules({one.id: one for one in causes}).rank(
        book(knowledge(), facts(), **known), (), ["wobble"]
    )
    return (
        [(one.cause.id, one.standing, one.score, _arguments(one), frozenset(one.missing)) for one in ranked],
        [(one.cause, frozenset(one.missing)) for one in silent],
    )


def _arguments(one: RankedCause) -> frozenset[tuple[str, str, frozenset[str]]]:
    return frozenset(
        (argument.evidence.finding, argument.evidence.weight, frozenset(fact.what for fact in argument.facts))
        for argument in (*one.arguments_for, *one.arguments_against)
    )


@given(drafts, states, st.randoms(use_true_random=False))
def test_the_order_of_evidence_and_causes_changes_nothing(
    draft: list[Any], known: dict[str, State], chance: Any
) -> None:
    """Shuffling the files and the evidence in them gives the same ranking."""
    shuffled = [
        cause(one.id, *_shuffled(evidence, chance), urgency=urgency, group=group)
        for one, (evidence, urgency, group) in zip(build(draft), draft, strict=True)
    ]
    chance.shuffle(shuffled)
    assert told(build(draft), known) == told(shuffled, known)


def _shuffled(items: list[Any], chance: Any) -> list[Any]:
    return chance.sample(items, len(items))  # type: ignore[no-any-return]  # Hypothesis hands out an untyped Random


@given(parts, states, weights)
def test_unknown_evidence_moves_no_score(
    evidence: list[tuple[str, str]], known: dict[str, State], weight: str
) -> None:
    """More evidence that nobody knows changes neither standing nor score, and shows as missing when it is for."""
    before = _weighed(cause("fizz", *evidence), known)
    after = _weighed(cause("fizz", *evidence, ("never-asked", weight)), known)
    assert _verdict(before) == _verdict(after)
    more = ("never-asked",) if Weight(weight).is_for else ()
    assert after.missing == (*before.missing, *more)


@given(parts, states)
def test_absent_evidence_moves_no_score(evidence: list[tuple[str, str]], known: dict[str, State]) -> None:
    """A finding that turns out absent leaves what is known as it was."""
    filled = {name: State.ABSENT if state is State.UNKNOWN else state for name, state in known.items()}
    assert _verdict(_weighed(cause("fizz", *evidence), known)) == _verdict(
        _weighed(cause("fizz", *evidence), filled)
    )


@given(parts, states, weights)
def test_more_evidence_moves_a_cause_only_its_own_way(
    evidence: list[tuple[str, str]], known: dict[str, State], weight: str
) -> None:
    """An argument for a cause never lowers it, an argument against never raises it."""
    before = _weighed(cause("fizz", ("base", "moderate-for"), *evidence), known | {"base": State.PRESENT})
    more = cause("fizz", ("base", "moderate-for"), *evidence, ("more", weight))
    after = _weighed(more, known | {"base": State.PRESENT, "more": State.PRESENT})
    assert isinstance(before, RankedCause)
    assert isinstance(after, RankedCause)
    moved = SCALE.index(before.standing) - SCALE.index(after.standing)
    assert moved >= 0 if Weight(weight).is_for else moved <= 0


@given(drafts, states)
def test_every_cause_is_ranked_or_not_assessed(draft: list[Any], known: dict[str, State]) -> None:
    """No cause of the presentation is lost, and none stands in both lists."""
    ranked, silent = told(build(draft), known)
    assert sorted([one[0] for one in ranked] + [one[0] for one in silent]) == [one.id for one in build(draft)]


@given(drafts, states)
def test_the_ranking_never_falls_and_rises_again(draft: list[Any], known: dict[str, State]) -> None:
    """Standings come in order, and points fall within one standing."""
    ranked, _ = told(build(draft), known)
    places = [(SCALE.index(standing), -score) for _id, standing, score, *_ in ranked]
    assert places == sorted(places)


def _weighed(one: Cause, known: Mapping[str, State]) -> RankedCause | NotAssessed:
    return weigh(one, prepared(one)[2], book(knowledge(), facts(), **known))


def _verdict(weighed: RankedCause | NotAssessed) -> Any:
    return None if isinstance(weighed, NotAssessed) else (weighed.standing, weighed.score)
