"""Red flags: the first level that holds, the facts that fired, and the order of the flags."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.engine.red_flags import RedFlagRules
from cds_service.model.decision import FiredRedFlag
from cds_service.model.definitions import RedFlag, ValueSet
from cds_service.model.findings import State
from tests.unit.engine.neutral import book, condition, define, facts, knowledge

P, A, U = State.PRESENT, State.ABSENT, State.UNKNOWN


def flag(name: str, *levels: tuple[str, Any]) -> RedFlag:
    """Return a red flag with (level, expression) pairs."""
    made = [
        {"level": level, "when": when, "because": f"{place}: {level}"}
        for place, (level, when) in enumerate(levels)
    ]
    return define(RedFlag, name, levels=made)


def fire(*flags: RedFlag, **states: State) -> tuple[FiredRedFlag, ...]:
    """Return what fires for findings in these states."""
    return RedFlagRules({one.id: one for one in flags}, frozenset()).fire(
        book(knowledge(), facts(), **states)
    )


TWO = flag("RF1", ("critical", {"all": ["grave", "worse"]}), ("warning", "grave"))


@pytest.mark.parametrize(
    ("grave", "worse", "level"),
    [(P, P, "critical"), (P, A, "warning"), (P, U, "warning"), (A, P, None), (U, P, None), (U, U, None)],
)
def test_the_first_level_that_holds_wins(grave: State, worse: State, level: str | None) -> None:
    """Levels are tried in the order of the file; what is unknown fires nothing."""
    assert [one.level.value for one in fire(TWO, grave=grave, worse=worse)] == ([level] if level else [])


def test_the_order_of_levels_is_the_files_not_their_severity() -> None:
    """A warning that stands first and holds keeps the flag at warning."""
    (one,) = fire(flag("RF1", ("warning", "grave"), ("critical", "grave")), grave=P)
    assert (one.level.value, one.because) == ("warning", "0: warning")


def test_a_fired_flag_carries_the_facts_of_its_own_level() -> None:
    """Facts of levels that did not hold are not shown, those of the one that fired are all there."""
    (one,) = fire(TWO, grave=P, worse=P)
    assert [fact.what for fact in one.facts] == ["grave", "worse"]
    (one,) = fire(TWO, grave=P, worse=A)
    assert ([fact.what for fact in one.facts], one.because) == (["grave"], "1: warning")


def test_critical_flags_come_first_and_then_the_number_decides() -> None:
    """Numbers sort as numbers: RF2 stands before RF10 and after a critical RF11."""
    flags = [flag("RF10", ("warning", "x")), flag("RF2", ("warning", "x")), flag("RF11", ("critical", "x"))]
    assert [one.red_flag.id for one in fire(*flags, x=P)] == ["RF11", "RF2", "RF10"]
    assert [one.red_flag.id for one in fire(*reversed(flags), x=P)] == ["RF11", "RF2", "RF10"]


def test_silence_about_a_sign_fires_nothing() -> None:
    """A level that negates an unrecorded sign stays unknown, and fires once the sign is a mere diagnosis."""
    asked = {"all": ["grave", {"not": {"condition": {"in": ["oddity"]}}}]}
    known = knowledge(define(ValueSet, "oddity", kind="sign"))
    one = flag("RF1", ("critical", asked))
    patient = book(known, facts(), grave=P)
    assert RedFlagRules({"RF1": one}, frozenset({"oddity"})).fire(patient) == ()
    assert len(RedFlagRules({"RF1": one}, frozenset()).fire(patient)) == 1
    with_it = book(known, facts(conditions=(condition("oddity"),)), grave=P)
    assert RedFlagRules({"RF1": one}, frozenset()).fire(with_it) == ()


def yielding(level: str) -> RedFlag:
    """Return a flag that is silent beside a critical one."""
    made = [{"level": level, "when": "worse", "because": "It is worse."}]
    return define(RedFlag, "RF2", levels=made, yields_to_critical=True)


@pytest.mark.parametrize(
    ("other", "level", "fired"),
    [
        ("critical", "warning", ["RF1"]),
        ("critical", "critical", ["RF1"]),
        ("warning", "critical", ["RF2", "RF1"]),
        ("warning", "warning", ["RF1", "RF2"]),
    ],
)
def test_a_flag_that_yields_is_silent_beside_a_critical_one(other: str, level: str, fired: list[str]) -> None:
    """Only another flag silences it, and only a critical one."""
    flags = fire(flag("RF1", (other, "grave")), yielding(level), grave=P, worse=P)
    assert [one.red_flag.id for one in flags] == fired


def test_a_flag_that_yields_fires_alone() -> None:
    """Its own critical level does not silence it."""
    assert [one.level.value for one in fire(yielding("critical"), worse=P)] == ["critical"]
