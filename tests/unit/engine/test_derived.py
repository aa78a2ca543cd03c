"""A value calculated from two results: when it may be, what it may say, and when it is left out."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.readings import CALCULATED, NOT_CALCULATED, Readings
from cds_service.model.decision import Reading
from cds_service.model.facts import Amount, Measurement
from cds_service.model.findings import State
from tests.unit.engine.neutral import TODAY, book, facts, knowledge, lab, result

DERIVED = {
    "from": "zorbium",
    "adjust_by": "quendite",
    "slope": "0.5",
    "reference": "40",
    "same_sample_hours": 24,
    "not_when": ["misleading", "confusing"],
}
LABS = {
    one.id: one
    for one in (
        lab("zorbium-adjusted", derived=DERIVED, decimals=1),
        lab("zorbium", yields_to="zorbium-adjusted"),
        lab("quendite", default_ranges=[{"low": "35", "high": "50"}], limits={}),
    )
}


def read(
    *results: Measurement, of: str = "zorbium-adjusted", present: tuple[str, ...] = (), **about: Any
) -> Reading:
    """Return how the calculated lab stands; the companion's usual value of 40 changes nothing."""
    return Readings(LABS, facts(*results, **about), TODAY, None, frozenset(present).__contains__).of(of)


def bands(*results: Measurement, **asked: Any) -> set[str] | None:
    """Return the bands of the calculated lab."""
    found = read(*results, **asked).bands
    return None if found is None else set(found)


def companion(value: str = "40", **members: Any) -> Measurement:
    """Return a result of the lab that adjusts."""
    return result(value, of="quendite", **members)


@pytest.mark.parametrize(
    ("base", "other", "adjusted"),
    [("15", "40", "15.0"), ("15", "30", "20.0"), ("15", "50", "10.0"), ("15.03", "39.9", "15.1")],
)
def test_the_value_is_the_base_plus_slope_times_the_distance(base: str, other: str, adjusted: str) -> None:
    """The calculated value is rounded half up to the decimals of its lab."""
    reading = read(result(base), companion(other))
    assert reading.current is not None
    assert reading.current.value == Decimal(adjusted)
    assert str(reading.current.value) == adjusted
    assert CALCULATED in reading.remarks


def test_the_fact_shows_the_reported_value_and_what_was_made_of_it() -> None:
    """Value, unit, date and reference are those of the base result; the calculated value stands beside it."""
    reading = read(result("15", on="2026-06-12"), companion("30", on="2026-06-12"))
    assert reading.current is not None
    shown = reading.current.fact
    assert (shown.value, shown.on, shown.reference) == ("15", "2026-06-12", "Observation/zorbium")
    assert shown.canonical == Amount("20.0", "U/L")
    assert shown.note == "calculated, adjusted for quendite 30 U/L"
    assert reading.current.calculated


@pytest.mark.parametrize(
    ("base", "other", "calculated"),
    [
        ("2026-06-12", "2026-06-12", True),
        ("2026-06-12", "2026-06-11", False),
        ("2026-06-12T08:00:00Z", "2026-06-12", True),
        ("2026-06-12T08:00:00Z", "2026-06-11", False),
        ("2026-06-12T08:00:00Z", "2026-06-11T08:00:00Z", True),
        ("2026-06-12T08:00:00Z", "2026-06-11T07:59:59Z", False),
        ("2026-06-12T08:00:00Z", "2026-06-13T08:00:00Z", True),
        ("2026-06-12T08:00:00Z", "2026-06-13T08:00:01Z", False),
        ("2026-06", "2026-06", False),
    ],
)
def test_the_two_results_are_of_one_day(base: str, other: str, *, calculated: bool) -> None:
    """Two timed results lie within 24 hours; where one has no time of day, both are of the same day."""
    reading = read(result("15", on=base), companion("30", on=other))
    assert (reading.current is not None) is calculated


def test_one_sample_needs_no_dates() -> None:
    """Results of the same sample belong together; of different samples only when taken close together."""
    base = result("15", on="2026-06-12", sample="s1")
    assert read(base, companion("30", on=None, sample="s1")).current is not None
    assert read(base, companion("30", on="2026-06-10", sample="s2")).current is None


def test_the_result_of_the_very_sample_comes_before_a_newer_one() -> None:
    """Where the sample's own companion is known, a later one within the day does not replace it."""
    base = result("15", on="2026-06-12T08:00:00Z", sample="s1")
    newer = companion("20", on="2026-06-12T20:00:00Z", sample="s2")
    own = companion("30", on="2026-06-12T08:00:00Z", sample="s1")
    reading = read(base, newer, own)
    assert reading.current is not None
    assert reading.current.value == Decimal("20.0")


def test_nothing_is_calculated_without_two_plain_numbers() -> None:
    """A bound, an unreadable value or a missing companion gives no calculated value."""
    assert read(result("15")).current is None
    assert read(result("15"), companion("30", on=None)).current is None
    assert read(companion("30")).current is None
    assert read(result("15", comparator="<"), companion("30")).current is None
    assert read(result("15"), companion("30", comparator=">")).current is None
    assert read(result(None, flag="L"), companion("30")).current is None


def test_nothing_is_calculated_from_a_historical_result() -> None:
    """The base result must still speak."""
    assert read(result("15", on="2026-05-15"), companion("30", on="2026-05-15")).current is None
    assert read(result("15", on="2026-05-16"), companion("30", on="2026-05-16")).current is not None


def test_the_formula_is_left_out_where_it_misleads() -> None:
    """While a finding of `not_when` is present nothing is calculated, and that is said."""
    for finding in ("misleading", "confusing"):
        reading = read(result("15"), companion("30"), present=(finding,))
        assert (reading.current, reading.bands, reading.remarks) == (None, None, (NOT_CALCULATED,))


def test_a_reported_adjusted_value_is_never_adjusted_again() -> None:
    """The laboratory's own adjusted result stands as it is, beside base and companion."""
    own = result("15", of="zorbium-adjusted")
    reading = read(own, result("3"), companion("20"))
    assert reading.current is own
    assert reading.bands == frozenset({"normal"})


def test_a_historical_reported_value_gives_way_to_a_calculated_one() -> None:
    """Once the reported adjusted value is too old, fresh base and companion are used."""
    reading = read(result("3", of="zorbium-adjusted", on="2026-01-01"), result("15"), companion("30"))
    assert reading.current is not None
    assert reading.current.calculated


def test_the_base_result_is_silent_beside_a_calculated_value() -> None:
    """A low base result whose adjusted value is in range is no low finding."""
    results = (result("8"), companion("30"))
    assert bands(*results) == {"normal"}
    assert bands(*results, of="zorbium") is None
    assert bands(result("8"), of="zorbium") == {"low"}


@pytest.mark.parametrize(
    ("base", "other", "expected"),
    [
        ("15", "20", {"high", "calculated-only"}),
        ("15", "60", {"low", "calculated-only"}),
        ("21", "20", {"high", "marked-high", "critical-high"}),
        ("9", "60", {"low", "marked-low", "critical-low"}),
        ("21", "30", {"high", "marked-high"}),
        ("9", "20", {"normal"}),
        ("9", "10", {"high", "calculated-only"}),
    ],
)
def test_a_limit_that_only_the_formula_crosses_raises_nothing(
    base: str, other: str, expected: set[str]
) -> None:
    """Marked and critical need a base result that is itself out of range on the same side."""
    assert bands(result(base), companion(other)) == expected


def test_what_only_the_formula_crosses_is_a_finding_of_its_own() -> None:
    """Content can tell a value that only the calculation puts out of range from one that was measured so."""
    known = knowledge(*LABS.values())
    only = "zorbium-adjusted-calculated-only"
    assert book(known, facts(result("15"), companion("20"))).outcome(only)[0] is State.PRESENT
    assert book(known, facts(result("21"), companion("20"))).outcome(only)[0] is State.ABSENT
    assert book(known, facts(result("15"))).outcome(only)[0] is State.UNKNOWN


def test_an_uncertain_part_makes_the_whole_uncertain() -> None:
    """A calculated value is critical only when the status of both results is known."""
    critical = {"low", "marked-low", "critical-low"}
    assert bands(result("3"), companion()) == critical
    assert bands(result("3", certain=False), companion()) == critical - {"critical-low"}
    assert bands(result("3"), companion(certain=False)) == critical - {"critical-low"}


@given(
    st.decimals(min_value=0, max_value=40, places=1),
    st.decimals(min_value=0, max_value=60, places=1),
    st.sampled_from([None, "L", "N", "H"]),
)
def test_no_calculated_value_is_marked_against_its_base_result(
    base: Decimal, other: Decimal, flag: str | None
) -> None:
    """Whatever the numbers, marked bands stand only on the side on which the base result is out of range."""
    found = read(result(str(base), flag=flag), companion(str(other))).bands or frozenset()
    alone = Readings(
        {"zorbium": lab()}, facts(result(str(base), flag=flag)), TODAY, None, lambda _name: False
    )
    base_bands = alone.of("zorbium").bands or frozenset()
    for side in ("low", "high"):
        assert f"marked-{side}" not in found or side in base_bands
