"""One result and its bands: flag first, then its own range, then the default, and a critical limit over all."""

from __future__ import annotations

import pytest

from cds_service.engine.bands import FLAG_DISAGREES
from tests.unit.engine.neutral import lab, read, result

LOW, HIGH = {"low"}, {"high"}
MARKED_LOW, MARKED_HIGH = {"low", "marked-low"}, {"high", "marked-high"}
CRITICAL_LOW, CRITICAL_HIGH = MARKED_LOW | {"critical-low"}, MARKED_HIGH | {"critical-high"}
NORMAL = {"normal"}


@pytest.mark.parametrize(
    ("value", "bands"),
    [
        ("3.9", CRITICAL_LOW),
        ("4", MARKED_LOW),
        ("6.9", MARKED_LOW),
        ("7", LOW),
        ("9.9", LOW),
        ("10", NORMAL),
        ("20", NORMAL),
        ("20.1", HIGH),
        ("24.9", HIGH),
        ("25", MARKED_HIGH),
        ("29.9", MARKED_HIGH),
        ("30", CRITICAL_HIGH),
    ],
)
def test_a_number_falls_into_the_band_between_two_limits(value: str, bands: set[str]) -> None:
    """Each limit belongs to one side, and the graver band comes with the lesser ones."""
    assert read(result(value)) == (bands, ())


@pytest.mark.parametrize(
    ("limit", "value", "passed"),
    [
        ({"below": "5"}, "5", False),
        ({"below": "5"}, "4.9", True),
        ({"at_most": "5"}, "5", True),
        ({"at_most": "5"}, "5.1", False),
    ],
)
def test_a_low_limit_says_whether_it_is_included(limit: dict[str, str], value: str, *, passed: bool) -> None:
    """`below` leaves the limit itself out, `at_most` takes it in."""
    bands, _ = read(result(value), lab(limits={"marked-low": limit}))
    assert bands == (MARKED_LOW if passed else LOW)


@pytest.mark.parametrize(
    ("limit", "value", "passed"),
    [
        ({"above": "50"}, "50", False),
        ({"above": "50"}, "50.1", True),
        ({"at_least": "50"}, "50", True),
        ({"at_least": "50"}, "49.9", False),
    ],
)
def test_a_high_limit_says_whether_it_is_included(limit: dict[str, str], value: str, *, passed: bool) -> None:
    """`above` leaves the limit itself out, `at_least` takes it in."""
    bands, _ = read(result(value), lab(limits={"marked-high": limit}))
    assert bands == (MARKED_HIGH if passed else HIGH)


@pytest.mark.parametrize(
    ("flag", "bands"), [("L", LOW), ("LL", LOW), ("N", NORMAL), ("H", HIGH), ("HH", HIGH)]
)
def test_the_flag_of_the_laboratory_comes_first(flag: str, bands: set[str]) -> None:
    """A flag decides over both ranges when the number does not tell the opposite."""
    assert read(result("15", flag=flag)) == (bands, ())
    assert read(result("15", flag=flag, low="12", high="18")) == (bands, ())


@pytest.mark.parametrize(
    ("value", "flag", "bands"),
    [("22", "L", LOW), ("8", "H", HIGH), ("22", "N", NORMAL), ("8", "N", NORMAL), ("6", "N", NORMAL)],
)
def test_a_flag_that_contradicts_the_number_is_said(value: str, flag: str, bands: set[str]) -> None:
    """The flag decides, the contradiction is kept as a remark, and a marked number alone raises nothing."""
    assert read(result(value, flag=flag)) == (bands, (FLAG_DISAGREES,))


def test_an_abnormal_flag_without_direction_takes_the_direction_of_the_number() -> None:
    """Flag A is low beside a low number, high beside a high one, and nothing sure beside one in range."""
    assert read(result("8", flag="A")) == (LOW, ())
    assert read(result("22", flag="A")) == (HIGH, ())
    assert read(result("15", flag="A")) == (None, (FLAG_DISAGREES,))


def test_the_own_range_comes_before_the_default_range() -> None:
    """What the laboratory printed beside the result decides where there is no flag."""
    assert read(result("9", low="8", high="12")) == (NORMAL, ())
    assert read(result("13", low="8", high="12")) == (HIGH, ())
    assert read(result("7.5", low="8", high="12")) == (LOW, ())


def test_half_a_range_says_nothing_about_its_open_side() -> None:
    """A range with one limit only never calls a result abnormal on the other side."""
    assert read(result("1000", low="8"), lab(limits={})) == (NORMAL, ())
    assert read(result("0", high="12"), lab(limits={})) == (NORMAL, ())
    assert read(result("7", low="8"), lab(limits={})) == (LOW, ())


def test_half_a_default_range_says_nothing_about_its_open_side() -> None:
    """A lab with one default limit only is never abnormal on the other side."""
    floor, ceiling = (
        lab(limits={}, default_ranges=[{"low": "10"}]),
        lab(limits={}, default_ranges=[{"high": "20"}]),
    )
    assert [read(result(value), floor)[0] for value in ("9", "10", "999")] == [LOW, NORMAL, NORMAL]
    assert [read(result(value), ceiling)[0] for value in ("0", "20", "21")] == [NORMAL, NORMAL, HIGH]


@pytest.mark.parametrize(("value", "bands"), [("3", CRITICAL_LOW), ("31", CRITICAL_HIGH)])
@pytest.mark.parametrize("flag", ["N", "L", "H", "A", None])
def test_a_critical_limit_overrides_flag_and_range(value: str, bands: set[str], flag: str | None) -> None:
    """A value past a critical limit is critical whatever its flag and its own range say."""
    assert read(result(value, flag=flag))[0] == bands
    assert read(result(value, flag=flag, low="1", high="50"))[0] == bands


def test_a_marked_limit_does_not_override_the_own_range() -> None:
    """A value past a marked limit only is in range when the laboratory's own range says so."""
    assert read(result("6", low="5", high="20")) == (NORMAL, ())
    assert read(result("26", low="5", high="28")) == (NORMAL, ())


def test_a_marked_limit_speaks_where_no_range_is_known() -> None:
    """Without flag and range the limits alone still tell low from unknown."""
    bare = lab(default_ranges=[])
    assert read(result("6"), bare) == (MARKED_LOW, ())
    assert read(result("15"), bare) == (None, ())


@pytest.mark.parametrize("flag", ["LL", "HH"])
def test_the_laboratorys_critical_flag_counts_as_far_as_the_lab_allows(flag: str) -> None:
    """LL and HH of a laboratory mean critical for labs with critical flags, and marked for all others."""
    side = "low" if flag == "LL" else "high"
    flagged = result("15", flag=flag, flag_critical=True)
    assert read(flagged)[0] == {side, f"marked-{side}"}
    assert read(flagged, lab(critical_flags=True))[0] == {side, f"marked-{side}", f"critical-{side}"}


def test_a_result_of_unknown_status_is_never_critical() -> None:
    """An uncertain result stays marked, by its number and by its flag."""
    for uncertain in (
        result("3", certain=False),
        result("3", certain=False, flag="L"),
        result("15", certain=False, flag="LL", flag_critical=True),
    ):
        assert read(uncertain, lab(critical_flags=True))[0] == MARKED_LOW
