"""Requests that are still open: which order they answer, for how long, and what overtakes them."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.model.decision import WorkupStatus
from cds_service.model.definitions import Order
from tests.unit.engine.neutral import (
    cause,
    define,
    fact,
    fired,
    lab,
    placed,
    result,
)
from tests.unit.engine.planned import (
    ALWAYS,
    DONE,
    FLAG,
    ORDERED,
    SUGGESTED,
    order,
    plan,
    status,
)


@pytest.mark.parametrize(
    ("on", "expected"),
    [("2026-06-14", ORDERED), ("2026-03-17", ORDERED), ("2026-03-16", SUGGESTED), (None, ORDERED)],
)
def test_an_open_order_is_not_placed_twice(on: str | None, expected: WorkupStatus) -> None:
    """An open request answers for 90 days, the last one included; an undated one counts as open."""
    item = plan(order(), ALWAYS, placed_orders=(placed("zorbium", on=on),))["zorbium"]
    assert item.status is expected
    assert (item.reference, item.on) == (("ServiceRequest/1", on) if expected is ORDERED else (None, None))


def test_a_stale_order_is_ignored_after_the_days_of_its_own() -> None:
    """`pending_days` says how long a request counts as pending."""
    request = (placed("zorbium", on="2026-06-08"),)
    assert plan(order(pending_days=7), ALWAYS, placed_orders=request)["zorbium"].status is ORDERED
    assert plan(order(pending_days=6), ALWAYS, placed_orders=request)["zorbium"].status is SUGGESTED


@pytest.mark.parametrize(
    ("labs", "expected"), [({"zorbium"}, SUGGESTED), ({"zorbium", "quendite"}, ORDERED), ((), SUGGESTED)]
)
def test_a_panel_answers_when_it_measures_all_that_settles(labs: set[str], expected: WorkupStatus) -> None:
    """A request for a panel answers an order when it covers every lab that the order needs."""
    pair = order("pair", settled_by=["zorbium", "quendite"])
    asks = cause("always", ("presents-with-wobble", "weak-for"), workup=["pair"])
    items = plan(pair, asks, lab("quendite"), placed_orders=(placed("panel", labs=labs),))
    assert items["pair"].status is expected


def test_a_request_for_a_panel_answers_no_order_without_labs() -> None:
    """An order that no lab settles is answered by its own request alone."""
    talk = define(Order, "talk", kind="review")
    asks = cause("always", ("presents-with-wobble", "weak-for"), workup=["talk"])
    assert plan(talk, asks, placed_orders=(placed("panel", labs={"zorbium"}),))["talk"].status is SUGGESTED
    assert plan(talk, asks, placed_orders=(placed("talk"),))["talk"].status is ORDERED


def test_an_order_of_two_labs_is_done_only_when_both_are() -> None:
    """One missing result leaves the order to be suggested, with what was measured."""
    pair = order("pair", settled_by=["zorbium", "quendite"])
    asks = cause("always", ("presents-with-wobble", "weak-for"), workup=["pair"])
    one, other = result("15"), result("15", of="quendite")
    item = plan(pair, asks, lab("quendite"), results=(one,))["pair"]
    assert (item.status, item.measured, item.repeat) == (SUGGESTED, (one,), False)
    assert plan(pair, asks, lab("quendite"), results=(one, other))["pair"].status is DONE


def test_a_request_older_than_the_newest_result_is_answered_by_it() -> None:
    """A request from before the result no longer stands; one from the same day or later does."""
    about: dict[str, Any] = {"results": (result("15", on="2026-06-12"),)}
    assert status(ALWAYS, placed_orders=(placed("zorbium", on="2026-06-11"),), **about) is DONE
    assert status(ALWAYS, placed_orders=(placed("zorbium", on="2026-06-12"),), **about) is ORDERED


def test_under_a_red_flag_only_a_request_after_the_result_counts() -> None:
    """An undated or earlier request does not show that anybody reacted to the dangerous result."""
    about: dict[str, Any] = {"red_flags": (fired(FLAG),), "results": (result("2", on="2026-06-12"),)}
    for on, expected in (("2026-06-11", SUGGESTED), (None, SUGGESTED), ("2026-06-12", ORDERED)):
        assert status(FLAG, placed_orders=(placed("zorbium", on=on),), **about) is expected


@pytest.mark.parametrize(
    ("flagged_on", "placed_on", "expected"),
    [
        ("2026-06-12", "2026-06-11", SUGGESTED),
        ("2026-06-12", "2026-06-12", ORDERED),
        ("2026-06-12", None, SUGGESTED),
        ("2026-06", "2026-06-11", ORDERED),
        (None, "2026-06-11", ORDERED),
        (None, None, ORDERED),
    ],
)
def test_under_a_red_flag_without_a_result_the_dated_fact_behind_it_counts(
    flagged_on: str | None, placed_on: str | None, expected: WorkupStatus
) -> None:
    """A request from before the day of what makes the test urgent reacts to something else."""
    flag = fired(FLAG, fact("oddity", reference="Condition/1", on=flagged_on))
    assert status(FLAG, red_flags=(flag,), placed_orders=(placed("zorbium", on=placed_on),)) is expected
