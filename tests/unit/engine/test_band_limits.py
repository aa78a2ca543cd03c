"""Comparators, age, sex, the borderline band, and limits that move: how far a range or a limit reaches."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.engine.neutral import lab, read, result

LOW, HIGH = {"low"}, {"high"}
MARKED_LOW, MARKED_HIGH = {"low", "marked-low"}, {"high", "marked-high"}
CRITICAL_LOW, CRITICAL_HIGH = MARKED_LOW | {"critical-low"}, MARKED_HIGH | {"critical-high"}
NORMAL = {"normal"}


@pytest.mark.parametrize(
    ("comparator", "value", "bands"),
    [
        ("<", "4", CRITICAL_LOW),
        ("<", "4.1", MARKED_LOW),
        ("<=", "4", MARKED_LOW),
        ("<=", "3.9", CRITICAL_LOW),
        ("<", "10", LOW),
        ("<=", "10", None),
        ("<", "10.1", None),
        (">", "20", HIGH),
        (">=", "20", None),
        (">=", "20.1", HIGH),
        (">", "19.9", None),
        (">=", "25", MARKED_HIGH),
        (">", "29.9", MARKED_HIGH),
        (">=", "30", CRITICAL_HIGH),
    ],
)
def test_a_comparator_counts_only_as_far_as_it_is_certain(
    comparator: str, value: str, bands: set[str] | None
) -> None:
    """`<10` is below 10; `<=10` may be 10 itself, so its band stays open."""
    assert read(result(value, comparator=comparator))[0] == bands


@pytest.mark.parametrize(
    ("limit", "comparator", "value", "bands"),
    [
        ({"at_most": "5"}, "<=", "5", MARKED_LOW),
        ({"at_most": "5"}, "<", "5.1", LOW),
        ({"below": "5"}, "<=", "5", LOW),
        ({"above": "50"}, ">", "50", MARKED_HIGH),
        ({"above": "50"}, ">=", "50", HIGH),
        ({"at_least": "50"}, ">", "49.9", HIGH),
        ({"at_least": "50"}, ">=", "50", MARKED_HIGH),
    ],
)
def test_a_comparator_at_a_limit(limit: dict[str, str], comparator: str, value: str, bands: set[str]) -> None:
    """Comparator and limit agree on whether the limit itself is included."""
    side = "marked-low" if {"below", "at_most"} & set(limit) else "marked-high"
    assert read(result(value, comparator=comparator), lab(limits={side: limit}))[0] == bands


@pytest.mark.parametrize(
    ("age", "value", "bands"),
    [(17, "8", None), (18, "8", LOW), (None, "8", None), (17, "3", None), (18, "3", CRITICAL_LOW)],
)
def test_below_the_age_of_a_lab_only_its_own_range_and_flag_speak(
    age: int | None, value: str, bands: set[str] | None
) -> None:
    """Neither default range nor limits are used for children, nor when the age is unknown."""
    assert read(result(value), lab(from_age=18), age=age)[0] == bands


def test_the_own_range_of_a_child_speaks_without_limits() -> None:
    """A child's result is judged by the laboratory's range for the child, at any distance only as low or high."""
    assert read(result("3", low="5", high="9"), lab(from_age=18), age=7)[0] == LOW
    assert read(result("3", low="2", high="9"), lab(from_age=18), age=7)[0] == NORMAL
    assert read(result("3", flag="L"), lab(from_age=18), age=7)[0] == LOW


def test_where_the_default_range_does_not_fit_the_limits_still_do() -> None:
    """While a finding of `own_range_when` is present, only the default range is set aside."""
    special = lab(own_range_when=["expecting"])
    present = frozenset({"expecting"})
    assert read(result("8"), special)[0] == LOW
    assert read(result("8"), special, present)[0] is None
    assert read(result("8", low="5", high="9"), special, present)[0] == NORMAL
    assert read(result("3"), special, present)[0] == CRITICAL_LOW


RANGES = [{"low": "10", "high": "20", "sex": "female"}, {"low": "14", "high": "26", "sex": "male"}]


@pytest.mark.parametrize(
    ("sex", "value", "bands"),
    [
        ("female", "12", NORMAL),
        ("male", "12", LOW),
        (None, "12", NORMAL),
        ("female", "22", HIGH),
        ("male", "22", NORMAL),
        (None, "22", NORMAL),
        (None, "9", LOW),
        (None, "26.5", HIGH),
    ],
)
def test_ranges_by_sex(sex: str | None, value: str, bands: set[str]) -> None:
    """The range of the person's sex decides; with the sex unknown, only what is out of both is abnormal."""
    assert read(result(value), lab(default_ranges=RANGES, limits={}), sex=sex)[0] == bands


@pytest.mark.parametrize(
    ("edges", "value", "bands"),
    [
        ({"low": "8", "high": "12"}, "9.9", LOW),
        ({"low": "8", "high": "12"}, "10", {"borderline"}),
        ({"low": "8", "high": "12"}, "11.9", {"borderline"}),
        ({"low": "8", "high": "12"}, "12", NORMAL),
        ({"low": "14", "high": "16"}, "13.9", {"borderline"}),
        ({"low": "14", "high": "16"}, "16", NORMAL),
        ({"low": "14", "high": "16"}, "14", {"borderline"}),
        ({"high": "12"}, "11.9", {"borderline"}),
        ({"low": "18"}, "20", {"borderline"}),
        ({"low": "18"}, "18", {"borderline"}),
        ({"low": "18"}, "17.9", NORMAL),
    ],
)
def test_the_borderline_band_lies_inside_the_range(
    edges: dict[str, str], value: str, bands: set[str]
) -> None:
    """A result in range that the band, or its low side, holds is borderline: the upper edge is not in it."""
    assert read(result(value), lab(borderline=edges))[0] == bands


def test_no_borderline_for_a_comparator_or_an_abnormal_flag() -> None:
    """A bound is no number, and a result that is flagged low is low."""
    edge = lab(borderline={"low": "8", "high": "40"})
    assert read(result("11", flag="L"), edge)[0] == LOW
    assert read(result("11", flag="N"), edge)[0] == {"borderline"}
    assert read(result("15", comparator=">=", low="1"), edge)[0] == NORMAL


def test_a_flag_without_a_readable_number_still_speaks() -> None:
    """A result whose value cannot be read in the lab's unit counts by its flag alone."""
    assert read(result(None, flag="H"))[0] == HIGH
    assert read(result(None))[0] is None


def test_a_limit_is_replaced_or_lifted_while_a_finding_is_present() -> None:
    """`instead` with a value moves the limit, without a value it takes the limit away."""
    moved = lab(
        limits=dict(LIMITS_WITH)
        | {"critical-high": {"at_least": "30", "instead": [{"when": "used-to", "value": "40"}]}}
    )
    lifted = lab(
        limits=dict(LIMITS_WITH) | {"critical-high": {"at_least": "30", "instead": [{"when": "used-to"}]}}
    )
    used = frozenset({"used-to"})
    assert read(result("39"), moved)[0] == CRITICAL_HIGH
    assert read(result("39"), moved, used)[0] == MARKED_HIGH
    assert read(result("40"), moved, used)[0] == CRITICAL_HIGH
    assert read(result("99"), lifted)[0] == CRITICAL_HIGH
    assert read(result("99"), lifted, used)[0] == MARKED_HIGH
    assert read(result("3"), lifted, used)[0] == LOW


LIMITS_WITH: dict[str, Any] = {"marked-high": {"at_least": "25"}}
MULTIPLE: dict[str, Any] = {"marked-high": {"at_least": "400", "times_upper": "5"}}


@pytest.mark.parametrize(
    ("value", "high", "bands"),
    [
        ("99.9", None, HIGH),
        ("100", None, MARKED_HIGH),
        ("149", "30", HIGH),
        ("150", "30", MARKED_HIGH),
        ("50", "10", MARKED_HIGH),
    ],
)
def test_a_limit_can_be_a_multiple_of_the_upper_reference_limit(
    value: str, high: str | None, bands: set[str]
) -> None:
    """Five times the upper limit means that of the result's own range, and else of the default range."""
    assert read(result(value, high=high), lab(limits=MULTIPLE))[0] == bands


def test_a_multiple_of_a_limit_that_nobody_knows_is_its_fixed_number() -> None:
    """Where neither range tells the upper limit, the number written beside the multiple counts."""
    bare = lab(limits=MULTIPLE, default_ranges=[])
    assert read(result("399", flag="H"), bare)[0] == HIGH
    assert read(result("400", flag="H"), bare)[0] == MARKED_HIGH
