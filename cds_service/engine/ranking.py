"""Weighs every argument for and against each cause and puts the causes in order; it words nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.engine.findings import FindingBook
from cds_service.engine.logic import ABSENT
from cds_service.model.decision import Argument, FiredRedFlag, NotAssessed, RankedCause, Standing
from cds_service.model.definitions import Cause, Evidence, Urgency, Weight
from cds_service.model.facts import Fact
from cds_service.model.findings import State

RED_FLAG = "red-flag"
OTHER_CAUSE = "other-cause-supported"

_POINTS = {
    Weight.STRONG_FOR: 4,
    Weight.MODERATE_FOR: 2,
    Weight.WEAK_FOR: 1,
    Weight.WEAK_AGAINST: 1,
    Weight.MODERATE_AGAINST: 2,
    Weight.STRONG_AGAINST: 4,
    Weight.EXCLUDES: 0,
}
Prepared = tuple[Cause, frozenset[str], tuple[tuple[Evidence, str, bool, int], ...], frozenset[str] | None]
"""A cause, its presentations, per evidence (evidence, finding, speaks for, points), and the findings it rests on.

The last is None where one of them is only known late, so that the cause is weighed for every patient.
"""
_SETTLED_LATE = frozenset({RED_FLAG, OTHER_CAUSE})
_ORDER = {standing: place for place, standing in enumerate(Standing)}


class CauseRules:
    """All causes, those that depend on the others' support last."""

    def __init__(self, causes: Mapping[str, Cause]) -> None:
        """Split the causes into first and second pass."""
        self._first = [prepared(cause) for cause in causes.values() if not _waits(cause)]
        self._second = [prepared(cause) for cause in causes.values() if _waits(cause)]
        self._silent: dict[tuple[str, frozenset[str]], NotAssessed] = {}

    def rank(
        self, book: FindingBook, red_flags: tuple[FiredRedFlag, ...], types: Iterable[str]
    ) -> tuple[tuple[RankedCause, ...], tuple[NotAssessed, ...]]:
        """Return (ranked causes, best first; causes about which nothing is known).

        A cause is considered when it can show as one of the recorded presentation `types`.
        """
        recorded = frozenset(types)
        fired = tuple(fact for flag in red_flags for fact in flag.facts)
        book.settle(RED_FLAG, (State.PRESENT, fired) if red_flags else ABSENT)
        ranked: list[RankedCause] = []
        silent: list[NotAssessed] = []
        self._weigh_all(self._first, book, recorded, ranked, silent)
        supported = _support_of_others(ranked)
        book.settle(OTHER_CAUSE, (State.PRESENT, supported) if supported else ABSENT)
        self._weigh_all(self._second, book, recorded, ranked, silent)
        return tuple(sorted(ranked, key=_place)), tuple(sorted(silent, key=lambda one: one.cause))

    def _weigh_all(
        self,
        causes: list[Prepared],
        book: FindingBook,
        recorded: frozenset[str],
        ranked: list[RankedCause],
        silent: list[NotAssessed],
    ) -> None:
        for cause, presentations, evidence, findings in causes:
            if recorded.isdisjoint(presentations):
                continue
            can_differ = findings is None or not book.is_silent_about(findings)
            known = None if can_differ else self._silent.get((cause.id, book.facts.arrived))
            weighed = known or weigh(cause, evidence, book)
            if isinstance(weighed, NotAssessed):
                silent.append(weighed)
                if not can_differ:  # holds no fact, so it can serve every patient
                    self._silent[cause.id, book.facts.arrived] = weighed
            else:
                ranked.append(weighed)


def prepared(cause: Cause) -> Prepared:
    """Return a cause with its evidence laid out for weighing."""
    evidence = tuple(
        (part, part.finding, part.weight.is_for, _POINTS[part.weight]) for part in cause.evidence
    )
    findings = frozenset(part.finding for part in cause.evidence)
    rests_on = None if findings & _SETTLED_LATE else findings
    return cause, frozenset(cause.presentations), evidence, rests_on


def _waits(cause: Cause) -> bool:
    return any(part.finding == OTHER_CAUSE for part in cause.evidence)


def weigh(
    cause: Cause, evidence: tuple[tuple[Evidence, str, bool, int], ...], book: FindingBook
) -> RankedCause | NotAssessed:
    """Return the cause with its arguments, or what is missing when there is no argument at all.

    Unknown moves no score. `likely` needs a strong argument for it and more for than against.
    """
    arguments_for: list[Argument] = []
    arguments_against: list[Argument] = []
    missing: list[str] = []
    points_for = points_against = 0
    strong = excluded = False
    outcomes = book.outcomes
    for part, finding, is_for, points in evidence:
        state, facts = outcomes[finding]
        if state is State.PRESENT:
            if is_for:
                arguments_for.append(Argument(part, facts))
                points_for += points
                strong = strong or part.weight is Weight.STRONG_FOR
            else:
                arguments_against.append(Argument(part, facts))
                points_against += points
                excluded = excluded or part.weight is Weight.EXCLUDES
        elif state is State.UNKNOWN and is_for and finding not in missing:
            missing.append(finding)
    if not arguments_for and not arguments_against:
        return NotAssessed(cause.id, tuple(missing))
    return RankedCause(
        cause=cause,
        standing=_standing(points_for, points_against, strong=strong, excluded=excluded),
        score=points_for - points_against,
        arguments_for=tuple(arguments_for),
        arguments_against=tuple(arguments_against),
        missing=tuple(missing),
    )


def _standing(points_for: int, points_against: int, *, strong: bool, excluded: bool) -> Standing:
    if excluded:
        return Standing.EXCLUDED
    if strong and points_for > points_against:
        return Standing.LIKELY
    if points_for and points_for >= points_against:
        return Standing.POSSIBLE
    return Standing.LESS_LIKELY


def _support_of_others(ranked: list[RankedCause]) -> tuple[Fact, ...]:
    """Return the facts that speak for a cause outside the group of mere triggers."""
    return tuple(
        fact
        for one in ranked
        if one.cause.group == "condition" and one.standing is not Standing.EXCLUDED
        for argument in one.arguments_for
        for fact in argument.facts
    )


def _place(one: RankedCause) -> tuple[int, int, int, str]:
    return _ORDER[one.standing], -one.score, Urgency.of(one.cause.urgency), one.cause.id
