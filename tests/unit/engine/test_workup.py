"""What becomes of each order that somebody asks for: suggested, done, ordered or not applicable."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from cds_service.engine.ranking import CauseRules
from cds_service.engine.workup import WorkupPlanner
from cds_service.model.definitions import Cause, Order, Presentation, RedFlag, Rule
from cds_service.model.findings import State
from tests.unit.engine.neutral import (
    AS_OF,
    book,
    cause,
    condition,
    define,
    facts,
    fired,
    knowledge,
    lab,
    presenting,
    result,
)
from tests.unit.engine.planned import (
    ALWAYS,
    DONE,
    FLAG,
    LIKELY,
    NOT_APPLICABLE,
    POSSIBLE,
    SUGGESTED,
    order,
    plan,
    status,
)

MOVED = {"condition": {"in": ["moved"]}}


def test_a_test_that_was_never_done_is_suggested() -> None:
    """A candidate asks for its workup, in words, with the facts that speak for it."""
    item = plan(order(), ALWAYS)["zorbium"]
    assert (item.status, item.because, item.repeat, item.urgent) == (SUGGESTED, "Always", False, False)
    assert item.prompted_by == (presenting().fact,)
    assert item.measured == ()


def test_a_result_inside_its_window_is_already_done() -> None:
    """The newest result answers the order, with its date and reference."""
    newest = result("15", on="2026-06-12")
    item = plan(order(), ALWAYS, results=(newest, result("8", on="2026-06-01")))["zorbium"]
    assert (item.status, item.on, item.reference) == (DONE, "2026-06-12", "Observation/zorbium")
    assert item.measured == (newest,)


def test_a_historical_result_is_asked_for_again() -> None:
    """A test whose result is too old is suggested as a repeat."""
    item = plan(order(), ALWAYS, results=(result("15", on="2026-01-01"),))["zorbium"]
    assert (item.status, item.repeat) == (SUGGESTED, True)


def test_a_normal_result_from_before_an_event_answers_nothing() -> None:
    """What an event can have altered since is asked for again; a result from its day on answers."""
    windows = [{"when": "moved", "days": 30, "because": "It moves.", "from_its_date": True}]
    content = (order(), lab(shorter_windows=windows), define(Rule, "moved", when=MOVED), ALWAYS)
    about: dict[str, Any] = {"conditions": (condition("moved", onset="2026-06-10"),)}
    before = plan(*content, results=(result("15", on="2026-06-09"),), **about)["zorbium"]
    assert (before.status, before.repeat) == (SUGGESTED, True)
    assert plan(*content, results=(result("15", on="2026-06-10"),), **about)["zorbium"].status is DONE


def test_a_red_flag_forces_the_test() -> None:
    """Under a red flag a fresh result does not answer: the test is suggested, urgent and recommended."""
    item = plan(order(), FLAG, red_flags=(fired(FLAG),), results=(result("2", on="2026-06-15"),))["zorbium"]
    assert (item.status, item.repeat, item.urgent, item.recommended) == (SUGGESTED, True, True, True)
    assert (item.red_flag, item.because) == ("RF1", FLAG.title)
    assert item.prompted_by == fired(FLAG).facts


def test_an_order_belongs_to_the_first_that_asks() -> None:
    """Flag and cause that ask for one order make one item, that of the flag, for both reasons, each said once."""
    second = define(RedFlag, "RF2", workup=["zorbium"])
    items = plan(
        order(), FLAG, second, POSSIBLE, red_flags=(fired(FLAG), fired(second)), results=(result("8"),)
    )
    assert list(items) == ["zorbium"]
    assert (items["zorbium"].red_flag, items["zorbium"].because) == ("RF1", "Rf1; Rf2; Fizz")
    twins = [
        cause(name, ("presents-with-wobble", "weak-for"), title="Fizz", workup=["zorbium"]) for name in "ab"
    ]
    assert plan(order(), *twins)["zorbium"].because == "Fizz"


def test_an_order_can_be_not_applicable() -> None:
    """While its expression is present an order is not offered, whatever else asks for it."""
    barred = order(not_applicable_when={"condition": {"in": ["oddity"]}})
    odd: dict[str, Any] = {"conditions": (condition("oddity"),)}
    assert plan(barred, ALWAYS, **odd)["zorbium"].status is NOT_APPLICABLE
    assert plan(barred, FLAG, red_flags=(fired(FLAG),), **odd)["zorbium"].status is NOT_APPLICABLE
    assert plan(barred, ALWAYS)["zorbium"].status is SUGGESTED
    assert plan(barred, ALWAYS, arrived=frozenset())["zorbium"].status is SUGGESTED


def test_a_finding_can_settle_an_order() -> None:
    """An examination on record is done; under a red flag it is asked for all the same."""
    look = define(Order, "look", kind="examination", settled_by_finding="looked")
    looked = define(Rule, "looked", when={"condition": {"in": ["look"]}})
    asks = cause("always", ("presents-with-wobble", "weak-for"), workup=["look"])
    seen: dict[str, Any] = {"conditions": (condition("look", onset="2026-06-01"),)}
    item = plan(look, looked, asks, **seen)["look"]
    assert (item.status, item.on, item.reference) == (DONE, "2026-06-01", "Condition/look")
    assert plan(look, looked, asks)["look"].status is SUGGESTED
    flag = define(RedFlag, "RF1", workup=["look"])
    again = plan(look, looked, flag, red_flags=(fired(flag),), **seen)["look"]
    assert (again.status, again.repeat) == (SUGGESTED, True)
    first = plan(look, looked, flag, red_flags=(fired(flag),))["look"]
    assert (first.status, first.repeat) == (SUGGESTED, False)


@pytest.mark.parametrize(
    ("kind", "asks", "expected"),
    [
        ("laboratory", LIKELY, True),
        ("tracing", LIKELY, True),
        ("referral", LIKELY, False),
        ("imaging", LIKELY, False),
        ("laboratory", POSSIBLE, False),
    ],
)
def test_tests_for_a_likely_cause_are_recommended(kind: str, asks: Cause, *, expected: bool) -> None:
    """Only laboratory tests and tracings are preselected, and only for a likely cause."""
    found = plan(order(kind=kind), asks, results=(result("8", on="2026-06-01"),))["zorbium"]
    assert (found.status, found.recommended) == (SUGGESTED, expected)


def test_what_is_done_is_not_recommended() -> None:
    """A recommendation is for something that is suggested."""
    item = plan(order(), LIKELY, results=(result("8", on="2026-06-15"),))["zorbium"]
    assert (item.status, item.recommended) == (DONE, False)


BASE = define(Presentation, "wobble", workup=["basics"])


def test_the_base_workup_is_asked_for_only_while_nothing_is_likely() -> None:
    """A likely cause has its own workup; without one the presentation asks for the basics, recommended."""
    basics = order("basics", settled_by=[])
    items = plan(BASE, basics, order(), POSSIBLE, results=(result("8"),))
    assert list(items) == ["zorbium", "basics"]
    assert (items["basics"].because, items["basics"].recommended) == ("Wobble", True)
    assert list(plan(BASE, basics, order(), LIKELY, results=(result("8"),))) == ["zorbium"]
    assert list(plan(BASE, basics, order(), LIKELY)) == ["basics"]


def test_a_cause_that_is_no_candidate_asks_for_nothing() -> None:
    """Less likely and excluded causes have no workup."""
    for weight in ("strong-against", "excludes"):
        unlikely = cause("fizz", ("presents-with-wobble", weight), workup=["zorbium"])
        assert plan(order(), unlikely) == {}


def test_the_most_pressing_orders_come_first() -> None:
    """Red flags stand before causes, and causes in the order of their ranking."""
    orders = [order(name, settled_by=[]) for name in ("flagged", "first", "second", "basics")]
    flag = define(RedFlag, "RF1", workup=["flagged"])
    causes = [
        cause("b", ("presents-with-wobble", "weak-for"), workup=["second"]),
        cause("a", ("presents-with-wobble", "moderate-for"), workup=["first"]),
    ]
    assert list(plan(BASE, *orders, flag, *causes, red_flags=(fired(flag),))) == [
        "flagged",
        "first",
        "second",
        "basics",
    ]


def test_an_urgent_referral_takes_the_place_of_the_routine_one() -> None:
    """Of two referrals of which one covers the other, only that one is asked for, for both reasons."""
    urgent = order("urgent", kind="referral", covers=["routine"], settled_by=[])
    routine = order("routine", kind="referral", settled_by=[])
    flag = define(RedFlag, "RF1", workup=["urgent"])
    asks = cause("fizz", ("presents-with-wobble", "weak-for"), workup=["routine"])
    both = plan(urgent, routine, flag, asks, red_flags=(fired(flag),))
    assert [(name, item.because) for name, item in both.items()] == [("urgent", "Rf1; Fizz")]
    assert list(plan(urgent, routine, asks)) == ["routine"]
    panel = order("urgent", kind="laboratory", covers=["routine"], settled_by=[])
    assert list(plan(panel, routine, flag, asks, red_flags=(fired(flag),))) == ["urgent", "routine"]


def test_one_abnormal_result_makes_an_order_of_two_labs_due() -> None:
    """A pair is repeated as soon as the half that argues is older than its interval."""
    pair = order("pair", settled_by=["zorbium", "quendite"])
    asks = cause("fizz", ("zorbium-low", "strong-for"), workup=["pair"])
    results = (result("8", on="2026-06-01"), result("15", of="quendite", on="2026-06-01"))
    item = plan(pair, asks, lab("quendite"), results=results)["pair"]
    assert (item.status, item.measured) == (SUGGESTED, results)


def test_wanted_examinations_that_nobody_recorded_are_named() -> None:
    """Of the base workup, what a finding would settle and is not planned is named until the finding is present."""
    look = define(Order, "look", title="Looking", kind="examination", settled_by_finding="looked")
    listen = define(Order, "listen", title="Listening", kind="examination", settled_by_finding="listened")
    rules = [define(Rule, name, when={"condition": {"in": [name]}}) for name in ("looked", "listened")]
    base = define(Presentation, "wobble", workup=["zorbium", "look", "listen"])
    known = knowledge(base, order(), look, listen, *rules, lab(), LIKELY)

    def unrecorded(*results: Any, **about: Any) -> tuple[str, ...]:
        patient = book(known, facts(*results, **about))
        ranking, _ = CauseRules(known.causes).rank(patient, (), ["wobble"])
        planner = WorkupPlanner(known, frozenset())
        return planner.unrecorded(patient, ["wobble"], planner.plan(patient, (), ranking, ["wobble"], AS_OF))

    assert unrecorded(result("8")) == ("Looking", "Listening")
    assert unrecorded(result("8"), conditions=(condition("looked"),)) == ("Listening",)
    assert unrecorded() == ()


def test_a_result_of_the_future_is_not_due() -> None:
    """A clock that runs ahead asks for no repeat."""
    on = (AS_OF + timedelta(hours=2)).isoformat().replace("+00:00", "Z")
    assert status(POSSIBLE, results=(result("8", on=on),)) is DONE


def test_a_finding_given_in_advance_prompts_the_order_without_a_date() -> None:
    """A cause that rests on a finding alone still names what prompts its order."""
    known = knowledge(order(), POSSIBLE, lab())
    patient = book(known, facts(), zorbium_low=State.PRESENT)
    ranking, _ = CauseRules(known.causes).rank(patient, (), ["wobble"])
    (item,) = WorkupPlanner(known, frozenset()).plan(patient, (), ranking, ["wobble"], AS_OF)
    assert [one.what for one in item.prompted_by] == ["zorbium-low"]
