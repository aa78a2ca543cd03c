"""Standings at each boundary, ties, what is missing, and causes that depend on the support of others."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.ranking import CauseRules
from cds_service.model.decision import FiredRedFlag, NotAssessed, RankedCause, Standing
from cds_service.model.definitions import Cause, RedFlag, Weight
from cds_service.model.facts import PatientFacts
from cds_service.model.findings import State
from tests.unit.engine.neutral import (
    TODAY,
    book,
    cause,
    condition,
    define,
    facts,
    fired,
    knowledge,
    lab,
    rule,
)

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN
ODDITY = cause("fizz", ("has-oddity", "strong-for"))
STRONG, MODERATE, WEAK = "strong-for", "moderate-for", "weak-for"


def rank(
    *causes: Cause,
    types: tuple[str, ...] = ("wobble",),
    red_flags: tuple[FiredRedFlag, ...] = (),
    **states: State,
) -> tuple[tuple[RankedCause, ...], tuple[NotAssessed, ...]]:
    """Return (ranked causes, causes that nothing is known about) for findings in these states."""
    rules = CauseRules({one.id: one for one in causes})
    return rules.rank(book(knowledge(), facts(), **states), red_flags, types)


def standing(*weights: str) -> Standing:
    """Return the standing of a cause for which evidence of these weights holds."""
    parts = [(f"f{place}", weight) for place, weight in enumerate(weights)]
    held: dict[str, Any] = {name: P for name, _weight in parts}
    ((one,), _) = rank(cause("fizz", *parts), **held)
    return one.standing


@pytest.mark.parametrize(
    ("weights", "expected"),
    [
        ([STRONG], Standing.LIKELY),
        ([STRONG, "moderate-against"], Standing.LIKELY),
        ([STRONG, "moderate-against", "weak-against"], Standing.LIKELY),
        ([STRONG, "strong-against"], Standing.POSSIBLE),
        ([STRONG, "strong-against", "weak-against"], Standing.LESS_LIKELY),
        ([STRONG, WEAK, "strong-against"], Standing.LIKELY),
        ([MODERATE, MODERATE, MODERATE], Standing.POSSIBLE),
        ([MODERATE], Standing.POSSIBLE),
        ([MODERATE, "moderate-against"], Standing.POSSIBLE),
        ([MODERATE, "moderate-against", "weak-against"], Standing.LESS_LIKELY),
        ([WEAK], Standing.POSSIBLE),
        ([WEAK, "weak-against"], Standing.POSSIBLE),
        ([WEAK, "moderate-against"], Standing.LESS_LIKELY),
        (["weak-against"], Standing.LESS_LIKELY),
        (["excludes"], Standing.EXCLUDED),
        ([STRONG, STRONG, "excludes"], Standing.EXCLUDED),
    ],
)
def test_standing_follows_from_the_weights(weights: list[str], expected: Standing) -> None:
    """Likely needs a strong argument and more for than against, possible as much for as against."""
    assert standing(*weights) is expected


@pytest.mark.parametrize("weight", list(Weight))
def test_every_weight_counts_in_one_direction(weight: Weight) -> None:
    """Evidence stands among the arguments of its own direction, with 4, 2 or 1 points."""
    ((one,), _) = rank(cause("fizz", ("f", weight.value)), f=P)
    held, other = one.arguments_for, one.arguments_against
    if not weight.is_for:
        held, other = other, held
    assert ([argument.evidence.weight for argument in held], other) == ([weight], ())
    points = {"strong": 4, "moderate": 2, "weak": 1, "excludes": 0}[weight.strength]
    assert one.score == (points if weight.is_for else -points)


def test_only_what_holds_is_an_argument() -> None:
    """Absent evidence argues neither way, and unknown evidence is missing."""
    fizz = cause("fizz", ("held", WEAK), ("gone", STRONG), ("open", STRONG), ("shut", "excludes"))
    ((one,), _) = rank(fizz, held=P, gone=A, open=U, shut=A)
    assert [argument.evidence.finding for argument in one.arguments_for] == ["held"]
    assert one.arguments_against == ()
    assert one.missing == ("open",)


def test_an_argument_carries_the_facts_of_its_finding() -> None:
    """From the cause down to the fact nothing is lost."""
    ((one,), _) = rank(cause("fizz", ("held", STRONG)), held=P)
    assert [fact.what for fact in one.arguments_for[0].facts] == ["held"]


def test_missing_lists_the_unknown_evidence_for_a_cause_once() -> None:
    """What would only speak against a cause is not missing, and nothing is listed twice."""
    fizz = cause(
        "fizz",
        ("held", WEAK),
        ("open", STRONG),
        ("open", WEAK),
        ("vague", MODERATE),
        ("dim", "strong-against"),
    )
    ((one,), _) = rank(fizz, held=P)
    assert one.missing == ("open", "vague")


def test_a_cause_without_any_argument_is_not_assessed() -> None:
    """Absent and unknown evidence alone ranks nothing; a single argument against ranks the cause."""
    fizz = cause("fizz", ("open", STRONG), ("gone", STRONG), ("dim", "strong-against"))
    assert rank(fizz, gone=A) == ((), (NotAssessed("fizz", ("open",)),))
    ((one,), silent) = rank(fizz, dim=P)
    assert (one.standing, silent) == (Standing.LESS_LIKELY, ())


def test_causes_that_were_not_assessed_stand_in_alphabetical_order() -> None:
    """The list does not depend on the order of the files."""
    _, silent = rank(*(cause(name, ("open", STRONG)) for name in ("pop", "fizz", "hum")))
    assert [one.cause for one in silent] == ["fizz", "hum", "pop"]


def order(*causes: Cause, **states: Any) -> list[str]:
    """Return the ids of the ranked causes, best first."""
    return [one.cause.id for one in rank(*causes, **states)[0]]


def test_standing_comes_before_points() -> None:
    """A likely cause stands before a possible one with more points, and so on downwards."""
    ranked = order(
        cause("z-excluded", ("a", STRONG), ("b", "excludes")),
        cause("y-less", ("a", WEAK), ("b", "strong-against")),
        cause("x-possible", ("a", MODERATE), ("b", MODERATE), ("c", MODERATE), ("d", MODERATE)),
        cause("w-likely", ("a", STRONG)),
        **dict.fromkeys("abcd", P),
    )
    assert ranked == ["w-likely", "x-possible", "y-less", "z-excluded"]


def test_points_come_before_urgency() -> None:
    """Of two likely causes the better supported stands first, however urgent the other is."""
    urgent, supported = cause("a", ("x", STRONG), urgency="emergency"), cause("b", ("x", STRONG), ("y", WEAK))
    assert order(urgent, supported, x=P, y=P) == ["b", "a"]


def test_ties_go_to_the_more_urgent_and_then_by_id() -> None:
    """Equal support leaves emergency, same-day, soon and routine in this order, and then the alphabet."""
    causes = [
        cause(f"{urgency}-{letter}", ("x", STRONG), urgency=urgency)
        for urgency in ("routine", "soon", "emergency", "same-day")
        for letter in "ba"
    ]
    assert order(*causes, x=P) == [
        f"{urgency}-{letter}" for urgency in ("emergency", "same-day", "soon", "routine") for letter in "ab"
    ]


@pytest.mark.parametrize(
    ("types", "expected"),
    [(("wobble",), ["a", "b"]), (("shake",), ["b", "c"]), (("wobble", "shake"), ["a", "b", "c"]), ((), [])],
)
def test_only_causes_of_the_recorded_presentations_are_considered(
    types: tuple[str, ...], expected: list[str]
) -> None:
    """A cause that cannot show as what was recorded is neither ranked nor listed as not assessed."""
    causes = (
        cause("a", ("x", STRONG)),
        cause("b", ("x", STRONG), presentations=["wobble", "shake"]),
        cause("c", ("x", STRONG), presentations=["shake"]),
    )
    ranked, silent = rank(*causes, types=types, x=P)
    assert ([one.cause.id for one in ranked], silent) == (expected, ())
    ranked, silent = rank(*causes, types=types)
    assert ([one.cause for one in silent], ranked) == (expected, ())


HARMLESS = cause(
    "harmless", ("calm", STRONG), ("red-flag", "excludes"), ("other-cause-supported", "excludes")
)


def test_a_fired_red_flag_is_evidence() -> None:
    """`red-flag` is present with the facts of the flags once one fired, and absent otherwise."""
    flag = fired(define(RedFlag, "RF1"))
    ((one,), _) = rank(HARMLESS, calm=P, red_flags=(flag,))
    assert one.standing is Standing.EXCLUDED
    assert one.arguments_against[0].facts == flag.facts
    ((one,), _) = rank(HARMLESS, calm=P)
    assert one.standing is Standing.LIKELY


@pytest.mark.parametrize(
    ("other", "expected"),
    [
        (cause("other", ("x", WEAK)), Standing.EXCLUDED),
        (cause("other", ("x", WEAK), ("y", "strong-against")), Standing.EXCLUDED),
        (cause("other", ("x", WEAK), ("y", "excludes")), Standing.LIKELY),
        (cause("other", ("z", STRONG), ("y", "strong-against")), Standing.LIKELY),
        (cause("other", ("x", STRONG), group="trigger"), Standing.LIKELY),
        (cause("other", ("x", STRONG), presentations=["shake"]), Standing.LIKELY),
    ],
    ids=["weakly supported", "outweighed", "excluded", "no argument for it", "a trigger", "not considered"],
)
def test_the_support_of_another_condition_is_evidence(other: Cause, expected: Standing) -> None:
    """Any argument for a condition that is considered and not excluded counts; triggers do not."""
    ranked, _ = rank(other, HARMLESS, calm=P, x=P, y=P)
    assert next(one for one in ranked if one.cause is HARMLESS).standing is expected


def test_waiting_causes_do_not_support_one_another() -> None:
    """Two causes that ask for the support of others are both weighed after all the others."""
    second = cause("second", ("calm", STRONG), ("other-cause-supported", "strong-against"))
    ranked, _ = rank(HARMLESS, second, calm=P)
    assert [one.standing for one in ranked] == [Standing.LIKELY, Standing.LIKELY]


def test_the_supporting_facts_are_shown() -> None:
    """The argument against a waiting cause shows what speaks for the others."""
    ranked, _ = rank(cause("other", ("x", WEAK)), HARMLESS, calm=P, x=P)
    against: Any = next(one for one in ranked if one.cause is HARMLESS).arguments_against
    assert [fact.what for fact in against[0].facts] == ["x"]


def test_a_cause_that_nothing_touches_is_weighed_anew_for_whom_it_touches() -> None:
    """What is kept of one patient's silence is never another patient's answer, whichever comes first."""
    known = knowledge(lab(), rule("has-oddity", {"condition": {"in": ["oddity"]}}), ODDITY)
    rules, findings = CauseRules(known.causes), FindingRules(known)

    def ranked(about: PatientFacts) -> list[str]:
        return [one.cause.id for one in rules.rank(FindingBook(findings, about, TODAY), (), ("wobble",))[0]]

    silent, touched = facts(), facts(conditions=(condition("oddity"),))
    nothing_arrived = facts(arrived=frozenset())
    for _round in range(2):
        assert ranked(silent) == []
        assert ranked(touched) == ["fizz"]
        assert ranked(nothing_arrived) == []
    missing = {
        len(rules.rank(FindingBook(findings, about, TODAY), (), ("wobble",))[1][0].missing)
        for about in (silent, nothing_arrived)
    }
    assert missing == {0, 1}


def test_what_one_patient_lacks_is_not_told_of_another() -> None:
    """A cause that stays open for the one, with something missing, is weighed anew for the other."""
    both = {"all": [{"condition": {"in": ["oddity"]}}, "zorbium-low"]}
    known = knowledge(lab(), rule("has-both", both), cause("fizz", ("has-both", STRONG)))
    rules, findings = CauseRules(known.causes), FindingRules(known)

    def missing(about: PatientFacts) -> tuple[str, ...]:
        return rules.rank(FindingBook(findings, about, TODAY), (), ("wobble",))[1][0].missing

    for _round in range(2):
        assert missing(facts(conditions=(condition("oddity"),))) == ("has-both",)
        assert missing(facts()) == ()
