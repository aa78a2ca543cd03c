"""Asks every laboratory value of the content around its limits in every unit, and around its windows by the day.

The limits and windows are read from the content itself: no clinical number stands here.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date, timedelta
from decimal import ROUND_HALF_UP, Decimal
from functools import cache
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.engine.findings import FindingBook
from cds_service.engine.readings import number_of
from cds_service.examples import build_facts
from cds_service.knowledge.library import load
from cds_service.model.definitions import Knowledge, Lab
from cds_service.model.findings import State
from cds_service.pipeline import Reasoner
from tests.support.places import CARDS

TODAY = date(2026, 6, 15)
SEX = "female"
BANDS = ("critical-low", "marked-low", "low", "normal", "high", "marked-high", "critical-high")
LABS = sorted(path.stem for path in (CARDS / "labs").glob("*.yaml"))


@cache
def _reasoner() -> tuple[Knowledge, Reasoner]:
    knowledge = load(CARDS, "test", date(2026, 11, 25))
    return knowledge, Reasoner(knowledge)


def _lab(name: str) -> Lab:
    return _reasoner()[0].labs[name]


def _units(lab: Lab) -> Mapping[str, tuple[Decimal, Decimal]]:
    return _reasoner()[0].conversions[lab.conversions]


def _book(lab: Lab, value: Decimal, unit: str, on: date, present: tuple[str, ...] = ()) -> FindingBook:
    knowledge, reasoner = _reasoner()
    one = {"lab": lab.id, "value": format(value, "f"), "unit": unit, "on": on.isoformat()}
    beside = [_companion(lab, on)] if lab.only_with is not None else []
    given_facts: dict[str, Any] = {"labs": [one, *beside], "age": 50, "sex": SEX}
    facts = build_facts(given_facts, reasoner.vocabulary, knowledge)
    states = dict.fromkeys(present, State.PRESENT)
    return FindingBook(reasoner.findings, facts, TODAY, states)


def _companion(lab: Lab, on: date) -> Mapping[str, str]:
    """Return the result without which this lab says nothing: in the middle of its own range."""
    assert lab.only_with is not None
    other = _lab(lab.only_with.removesuffix("-normal"))
    low, high = other.default_ranges[0].low, other.default_ranges[0].high
    assert low is not None
    assert high is not None
    return {
        "lab": other.id,
        "value": format((low + high) / 2, "f"),
        "unit": other.unit,
        "on": (on - timedelta(days=1)).isoformat(),
    }


def _stands(lab: Lab, value: Decimal, unit: str, on: date = TODAY, present: tuple[str, ...] = ()) -> set[str]:
    """Return the bands of the lab that are present."""
    book = _book(lab, value, unit, on, present)
    return {band for band in BANDS if book.outcome(f"{lab.id}-{band}")[0] is State.PRESENT}


def _edges(lab: Lab) -> list[Decimal]:
    """Return every number at which the lab changes what it says of a woman; multiples of a range have none."""
    ranges = [
        number
        for one in lab.default_ranges
        for number in (one.low, one.high)
        if number is not None and one.sex in {None, SEX}
    ]
    limits = [number_of(limit) for limit in lab.limits.values() if limit.times_upper is None]
    return sorted({*limits, *ranges})


@pytest.mark.parametrize("name", LABS)
def test_something_changes_at_every_limit(name: str) -> None:
    """Just below, at, and just above a limit or the end of a range a result does not say the same three times."""
    lab = _lab(name)
    step = Decimal(1).scaleb(-lab.decimals)
    for edge in _edges(lab):
        said = {frozenset(_stands(lab, one, lab.unit)) for one in (edge - step, edge, edge + step)}
        assert len(said) > 1, (name, edge, said)


@given(st.sampled_from(LABS), st.data())
def test_a_result_says_the_same_in_every_unit(name: str, data: st.DataObject) -> None:
    """A result in any unit stands where its converted value, rounded to the limit's decimals, stands."""
    lab = _lab(name)
    known = _units(lab)
    unit = data.draw(st.sampled_from(sorted(known)), label="unit")
    edges = _edges(lab) or [one for one in (lab.plausible.low, lab.plausible.high) if one is not None]
    near = data.draw(st.sampled_from(edges), label="limit")
    shift = data.draw(st.decimals("0.9", "1.1", places=4), label="shift")
    factor, offset = known[unit]
    own_factor, own_offset = known[lab.unit]
    reported = (near * shift * own_factor + own_offset - offset) / factor
    reported = reported.quantize(Decimal("0.0001"), ROUND_HALF_UP)
    assume(reported > 0)
    exact = (reported * factor + offset - own_offset) / own_factor
    same = factor == own_factor and offset == own_offset
    own = reported if same else exact.quantize(Decimal(1).scaleb(-lab.decimals), ROUND_HALF_UP)
    assert _stands(lab, reported, unit) == _stands(lab, own, lab.unit)


@given(st.sampled_from(LABS), st.data())
def test_a_result_speaks_to_the_last_day_of_its_window(name: str, data: st.DataObject) -> None:
    """By the day: within the window in force a result says something, a day later nothing."""
    lab = _lab(name)
    windows = {"": lab.fresh_days}
    windows |= {one.when: min(lab.fresh_days, one.days) for one in lab.shorter_windows}
    windows |= {one.when: max(lab.fresh_days, one.days) for one in lab.longer_windows}
    edges = _edges(lab)
    assume(edges)
    when = data.draw(st.sampled_from(sorted(windows)), label="window")
    age = data.draw(st.integers(max(0, windows[when] - 2), windows[when] + 2), label="age in days")
    step = Decimal(1).scaleb(-lab.decimals)
    value = next(one for one in (edges[0] - step, edges[-1] + step) if _stands(lab, one, lab.unit))
    present = (when,) if when else ()
    speaks = bool(_stands(lab, value, lab.unit, TODAY - timedelta(days=age), present))
    assert speaks is (age <= windows[when])
