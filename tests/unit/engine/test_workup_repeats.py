"""Which results are asked for again: abnormal ones that argue, and marked ones that nobody ever repeated."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engine.neutral import (
    cause,
    lab,
    result,
)
from tests.unit.engine.planned import (
    ALWAYS,
    DONE,
    POSSIBLE,
    SUGGESTED,
    order,
    plan,
    status,
)


@pytest.mark.parametrize(
    ("on", "due"),
    [
        ("2026-06-14T10:00:00Z", False),
        ("2026-06-14T09:59:59Z", True),
        ("2026-06-14", True),
        ("2026-06-15", False),
    ],
)
def test_an_abnormal_result_that_argues_is_repeated_after_its_interval(on: str, *, due: bool) -> None:
    """Older than 24 hours it is due again; a date without a time counts from its midnight."""
    item = plan(order(), POSSIBLE, results=(result("8", on=on),))["zorbium"]
    assert (item.status, item.repeat) == ((SUGGESTED, True) if due else (DONE, False))


def test_a_result_that_argues_for_nothing_is_not_repeated() -> None:
    """Normal results, and abnormal ones that no candidate rests on, are done however old inside the window."""
    old = "2026-05-20"
    assert status(ALWAYS, results=(result("15", on=old),)) is DONE
    assert status(ALWAYS, results=(result("8", on=old),)) is DONE
    excluded = cause(
        "fizz", ("zorbium-low", "strong-for"), ("presents-with-wobble", "excludes"), workup=["zorbium"]
    )
    assert status(excluded, ALWAYS, results=(result("8", on=old),)) is DONE


def test_a_normal_result_that_argues_is_not_repeated() -> None:
    """Only an abnormal result becomes due: a normal one that supports a candidate stands."""
    supported = cause("fizz", ("zorbium-normal", "strong-for"), workup=["zorbium"])
    assert status(supported, results=(result("15", on="2026-05-20"),)) is DONE


def test_a_borderline_result_that_argues_is_repeated() -> None:
    """Borderline is not normal: where it speaks for a candidate it is due after its interval."""
    edge = lab(borderline={"low": "10", "high": "12"})
    supported = cause("fizz", ("zorbium-borderline", "weak-for"), workup=["zorbium"])
    assert status(edge, supported, results=(result("11", on="2026-06-01"),)) is SUGGESTED


@pytest.mark.parametrize(
    ("value", "on", "members", "asked"),
    [
        ("6", "2026-03-17", {}, True),
        ("6", "2026-03-16", {}, False),
        ("3", "2026-05-01", {}, True),
        ("8", "2026-05-01", {}, False),
        ("6", "2026-05-01", {"marked_raises": False}, False),
        ("6", "2026-05-01", {"unrepeated_days": 0}, False),
    ],
)
def test_a_marked_result_that_was_never_repeated_is_asked_for(
    value: str, on: str, members: dict[str, Any], *, asked: bool
) -> None:
    """Too old to count and still pointed out, it is recommended as a repeat, whatever the causes ask for."""
    zorbium = lab(**{"unrepeated_days": 90} | members)
    items = plan(order(), zorbium, results=(result(value, on=on),))
    assert list(items) == (["zorbium"] if asked else [])
    if asked:
        item = items["zorbium"]
        assert (item.status, item.repeat, item.recommended) == (SUGGESTED, True, True)
        assert item.because == "Zorbium not repeated"
        assert item.prompted_by == (result(value, on=on).fact,)


def test_a_result_that_was_repeated_is_not_asked_for() -> None:
    """A later result, however it came out, is the repeat."""
    old = result("6", on="2026-05-01")
    assert plan(order(), lab(unrepeated_days=90), results=(result("15"), old)) == {}
    assert plan(order(), lab(unrepeated_days=90), results=(result("8"), old)) == {}


def test_a_repeat_is_asked_for_with_an_order_of_its_own() -> None:
    """A panel, or an order that is not offered, is not how a single result is repeated."""
    old = (result("6", on="2026-05-01"),)
    panel = order("panel", settled_by=["zorbium", "quendite"])
    hidden = order("hidden", settled_by=["zorbium"], offered=False)
    zorbium = lab(unrepeated_days=90)
    assert list(plan(panel, hidden, order(), zorbium, lab("quendite"), results=old)) == ["zorbium"]
    assert plan(panel, hidden, zorbium, lab("quendite"), results=old) == {}
