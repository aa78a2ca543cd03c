"""Three-valued logic over outcomes that carry their facts; it evaluates nothing of the record itself."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.model.facts import Fact
from cds_service.model.findings import Outcome, State

UNKNOWN: Outcome = (State.UNKNOWN, ())
ABSENT: Outcome = (State.ABSENT, ())
PRESENT: Outcome = (State.PRESENT, ())


def all_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Present when every part is; absent as soon as one is absent; else unknown. Kleene's strong conjunction."""
    facts: tuple[Fact, ...] = ()
    unknown = False
    for state, behind in outcomes:
        if state is State.ABSENT:
            return State.ABSENT, behind
        if state is State.UNKNOWN:
            unknown = True
        else:
            facts = merge(facts, behind)
    return UNKNOWN if unknown else (State.PRESENT, facts)


def any_of(outcomes: Iterable[Outcome]) -> Outcome:
    """Present when one part is (with the facts of all that are); absent, with all facts, when all are; else unknown."""
    facts: tuple[Fact, ...] = ()
    against: tuple[Fact, ...] = ()
    present = unknown = False
    for state, behind in outcomes:
        if state is State.PRESENT:
            present = True
            facts = merge(facts, behind)
        elif state is State.UNKNOWN:
            unknown = True
        else:
            against = merge(against, behind)
    if present:
        return State.PRESENT, facts
    return UNKNOWN if unknown else (State.ABSENT, against)


def negation(outcome: Outcome) -> Outcome:
    """Swap present and absent; unknown stays unknown."""
    state, facts = outcome
    if state is State.UNKNOWN:
        return UNKNOWN
    return (State.ABSENT if state is State.PRESENT else State.PRESENT), facts


def unless(outcome: Outcome) -> Outcome:
    """Absent when the outcome is present, else present without facts: it silences and never fires by itself."""
    state, facts = outcome
    return (State.ABSENT, facts) if state is State.PRESENT else PRESENT


def at_least(count: int, outcomes: Iterable[Outcome]) -> Outcome:
    """Present when `count` parts are; absent when that can no longer happen; else unknown."""
    facts: tuple[Fact, ...] = ()
    against: tuple[Fact, ...] = ()
    present = possible = 0
    for state, behind in outcomes:
        if state is State.PRESENT:
            present += 1
            facts = merge(facts, behind)
        if state is State.ABSENT:
            against = merge(against, behind)
        else:
            possible += 1
    if present >= count:
        return State.PRESENT, facts
    return UNKNOWN if possible >= count else (State.ABSENT, against)


def merge(facts: tuple[Fact, ...], more: tuple[Fact, ...]) -> tuple[Fact, ...]:
    """Return the facts of both without repeating one."""
    if not facts:
        return more
    return (*facts, *(fact for fact in more if fact not in facts)) if more else facts
