"""Which result of a lab speaks today: windows in whole days, the newest result, companions and the onset."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.readings import ADULT_RANGE, BEFORE_CHANGE, BEFORE_ONSET, NOT_BY_ITSELF, Readings
from cds_service.model.decision import Reading
from cds_service.model.definitions import Lab
from cds_service.model.facts import Measurement
from tests.unit.engine.neutral import TODAY, condition, facts, lab, result, when

LOW = frozenset({"low"})
NORMAL = frozenset({"normal"})
MARKED_LOW = frozenset({"low", "marked-low"})


def read(
    *results: Measurement,
    of: Lab | None = None,
    present: tuple[str, ...] = (),
    onset: str | None = None,
    others: tuple[Lab, ...] = (),
) -> Reading:
    """Return how one lab stands today."""
    labs = {one.id: one for one in (of or lab(), *others)}
    began = when(onset) if onset else None
    readings = Readings(labs, facts(*results), TODAY, began, frozenset(present).__contains__)
    return readings.of(next(iter(labs)))


@pytest.mark.parametrize(
    ("on", "speaks"),
    [
        ("2026-06-15", True),
        ("2026-05-16", True),
        ("2026-05-16T00:00:00Z", True),
        ("2026-05-16T23:59:59Z", True),
        ("2026-05-15", False),
        ("2026-05-15T23:59:59Z", False),
        ("2026-05", True),
        ("2026-04", False),
        ("2025", False),
    ],
)
def test_a_window_is_counted_in_whole_days(on: str, *, speaks: bool) -> None:
    """A result taken exactly 30 days ago still speaks at any hour; one more day and it is historical."""
    reading = read(result("8", on=on))
    assert (reading.bands, reading.stale is None) == ((LOW, True) if speaks else (None, False))


def test_a_historical_result_keeps_its_bands_and_its_age() -> None:
    """What is too old to speak is shown with how it stood and how old it is."""
    reading = read(result("6", on="2026-05-01"))
    assert reading.current is None
    assert reading.stale is not None
    assert (reading.stale_bands, reading.stale_days) == (MARKED_LOW, 45)


@pytest.mark.parametrize(
    ("present", "on", "speaks"),
    [
        (("moved",), "2026-06-08", True),
        (("moved",), "2026-06-07", False),
        (("moved", "shaken"), "2026-06-12", True),
        (("moved", "shaken"), "2026-06-11", False),
        ((), "2026-06-07", True),
    ],
)
def test_a_finding_can_shorten_the_window(present: tuple[str, ...], on: str, *, speaks: bool) -> None:
    """While a finding is present its shorter window holds; of several the shortest does."""
    windows = [
        {"when": "moved", "days": 7, "because": "It moves."},
        {"when": "shaken", "days": 3, "because": "It shakes."},
    ]
    reading = read(result("8", on=on), of=lab(shorter_windows=windows), present=present)
    assert (reading.bands == LOW) is speaks


def test_a_window_is_never_lengthened() -> None:
    """A 'shorter' window that is longer than the usual one changes nothing."""
    windows = [{"when": "moved", "days": 90, "because": "It moves."}]
    assert (
        read(result("8", on="2026-05-15"), of=lab(shorter_windows=windows), present=("moved",)).bands is None
    )


@pytest.mark.parametrize(
    ("present", "on", "speaks"),
    [
        (("steady",), "2026-03-17", True),
        (("steady",), "2026-03-16", False),
        (("steady", "very-steady"), "2026-02-25", True),
        (("steady", "moved"), "2026-06-08", True),
        (("steady", "moved"), "2026-06-07", False),
        (("brief",), "2026-05-16", True),
        ((), "2026-05-15", False),
    ],
)
def test_a_finding_can_lengthen_the_window(present: tuple[str, ...], on: str, *, speaks: bool) -> None:
    """While a finding is present its longer window holds, the longest of several; a shorter one goes before."""
    of = lab(
        shorter_windows=[{"when": "moved", "days": 7, "because": "It moves."}],
        longer_windows=[
            {"when": "steady", "days": 90, "because": "It is steady."},
            {"when": "very-steady", "days": 110, "because": "It is very steady."},
            {"when": "brief", "days": 3, "because": "It is no longer window."},
        ],
    )
    assert (read(result("8", on=on), of=of, present=present).bands == LOW) is speaks


def test_the_newest_of_two_results_speaks() -> None:
    """Of two fresh results the newer one decides, normal or not."""
    older, newer = result("8", on="2026-06-10"), result("15", on="2026-06-12")
    reading = read(newer, older)
    assert reading.current is newer
    assert reading.bands == NORMAL


def test_a_newer_result_that_cannot_be_read_hides_no_older_one() -> None:
    """An undated result, or one without number and flag, is passed over."""
    older = result("8", on="2026-06-10")
    assert read(result(None, on="2026-06-12"), older).current is older
    assert read(result("15", on=None), older).current is older
    assert read(result(None, flag="H", on="2026-06-12"), older).bands == frozenset({"high"})


def test_an_undated_result_alone_says_nothing() -> None:
    """A result without a date is neither fresh nor historical."""
    reading = read(result("3", on=None))
    assert (reading.current, reading.bands, reading.stale) == (None, None, None)


def test_a_fresh_result_hides_the_historical_ones() -> None:
    """An old result is pointed out only while no later one was taken."""
    assert read(result("15"), result("3", on="2026-01-01")).stale is None


@given(st.integers(min_value=0, max_value=60), st.integers(min_value=0, max_value=60))
def test_a_result_speaks_exactly_while_its_window_is_open(age: int, window: int) -> None:
    """For every age and window: fresh up to and including the last day, historical afterwards."""
    on = TODAY.fromordinal(TODAY.toordinal() - age).isoformat()
    reading = read(result("8", on=on), of=lab(fresh_days=window))
    assert (reading.bands == LOW) is (age <= window)
    assert (reading.stale_days == age) is (age > window)


@pytest.mark.parametrize(
    ("onset", "bands"),
    [
        ("2026-06-12", NORMAL),
        ("2026-06-13", None),
        ("2026-06-05", NORMAL),
        ("2026-06", NORMAL),
        (None, NORMAL),
    ],
)
def test_a_normal_result_from_before_the_onset_excludes_nothing(
    onset: str | None, bands: frozenset[str] | None
) -> None:
    """A normal result taken on 5 June counts with an onset at most 7 days later, in doubt too."""
    reading = read(result("15", on="2026-06-05"), of=lab(before_onset_days=7), onset=onset)
    assert reading.bands == bands
    assert (BEFORE_ONSET in reading.remarks) is (bands is None)
    assert reading.current is not None


def test_only_normal_results_can_be_too_early() -> None:
    """A low result from before the onset keeps supporting; a borderline one excludes nothing either."""
    careful = lab(before_onset_days=7, borderline={"low": "10", "high": "12"})
    assert read(result("8", on="2026-06-05"), of=careful, onset="2026-06-14").bands == LOW
    assert read(result("11", on="2026-06-05"), of=careful, onset="2026-06-14").bands is None
    assert read(result("15", on="2026-06-05"), of=lab(), onset="2026-06-14").bands == NORMAL


@pytest.mark.parametrize(
    ("event", "value", "bands"),
    [
        ("2026-06-10", "15", NORMAL),
        ("2026-06-11", "15", None),
        ("2026-06-11", "8", LOW),
        ("2026-06", "15", NORMAL),
        (None, "15", NORMAL),
    ],
)
def test_a_normal_result_from_before_an_event_excludes_nothing(
    event: str | None, value: str, bands: frozenset[str] | None
) -> None:
    """What can have altered a normal result since makes it silent; an abnormal one and a vague date do not."""
    windows = [{"when": "moved", "days": 7, "because": "It moves.", "from_its_date": True}]
    moved = condition("moved", onset=event).fact
    readings = Readings(
        {"zorbium": lab(shorter_windows=windows)},
        facts(result(value, on="2026-06-10")),
        TODAY,
        None,
        frozenset({"moved"}).__contains__,
        facts_behind=lambda finding: (moved,) if finding == "moved" else (),
    )
    reading = readings.of("zorbium")
    assert reading.bands == bands
    assert (BEFORE_CHANGE in reading.remarks) is (bands is None)


def test_an_event_that_is_not_dated_by_itself_alters_nothing() -> None:
    """Without `from_its_date` a finding only shortens the window."""
    windows = [{"when": "moved", "days": 7, "because": "It moves."}]
    moved = condition("moved", onset="2026-06-12").fact
    readings = Readings(
        {"zorbium": lab(shorter_windows=windows)},
        facts(result("15", on="2026-06-10")),
        TODAY,
        None,
        frozenset({"moved"}).__contains__,
        facts_behind=lambda _finding: (moved,),
    )
    assert readings.of("zorbium").bands == NORMAL


@pytest.mark.parametrize(
    ("age", "members", "remarked"),
    [
        (17, {}, True),
        (18, {}, False),
        (None, {}, False),
        (17, {"flag": "L"}, False),
        (17, {"low": "9"}, False),
        (17, {"high": "19"}, False),
    ],
)
def test_a_child_placed_by_the_range_of_adults_is_marked(
    age: int | None, members: dict[str, Any], *, remarked: bool
) -> None:
    """Only a result that has neither flag nor range of its own is placed by the default range, and says so."""
    measured = facts(result("8", **members), age=age)
    reading = Readings({"zorbium": lab()}, measured, TODAY, None, lambda _finding: False).of("zorbium")
    assert (ADULT_RANGE in reading.remarks) is remarked


@pytest.mark.parametrize(
    ("value", "on", "told"),
    [
        ("8", "2026-06-14", True),
        ("8", "2026-06-13", False),
        ("16", "2026-06-14", False),
        (None, "2026-06-14", False),
    ],
)
def test_an_earlier_result_of_the_day_that_told_another_story_is_kept(
    value: str | None, on: str, *, told: bool
) -> None:
    """The newer of two results speaks; one of the same day that contradicts it is not forgotten."""
    newest, earlier = result("15", on="2026-06-14"), result(value, on=on)
    reading = read(newest, earlier)
    assert reading.current is newest
    assert reading.earlier is (earlier if told else None)


@pytest.mark.parametrize(("on", "told"), [("2026-06-13T10:00:00Z", True), ("2026-06-13T09:59:59Z", False)])
def test_a_result_of_more_than_a_day_before_tells_no_other_story(on: str, *, told: bool) -> None:
    """With their times of day known, twenty-four hours are the limit."""
    newest, earlier = result("15", on="2026-06-14T10:00:00Z"), result("8", on=on)
    assert read(newest, earlier).earlier is (earlier if told else None)


@pytest.mark.parametrize(
    ("value", "alone"), [("15", None), ("8", None), ("6", MARKED_LOW), ("3", MARKED_LOW | {"critical-low"})]
)
def test_some_results_need_a_companion(value: str, alone: frozenset[str] | None) -> None:
    """Without its companion only a marked or critical result speaks; with it every result does."""
    needy = lab(only_with="companion-normal")
    reading = read(result(value), of=needy)
    assert reading.bands == alone
    assert (NOT_BY_ITSELF in reading.remarks) is (alone is None)
    assert read(result(value), of=needy, present=("companion-normal",)).bands is not None


def test_a_lab_yields_to_a_better_one() -> None:
    """Where the better lab can be interpreted this one says nothing, and otherwise speaks."""
    better = lab("quendite")
    yielding = lab(yields_to="quendite")
    own, other = result("8"), result("15", of="quendite")
    assert read(own, other, of=yielding, others=(better,)).bands is None
    assert read(own, other, of=yielding, others=(better,)).superseded
    assert not read(own, of=yielding, others=(better,)).superseded
    assert read(own, other, of=yielding, others=(better,)).current is own
    assert read(own, of=yielding, others=(better,)).bands == LOW
    unread = result("15", of="quendite", on="2026-01-01")
    assert read(own, unread, of=yielding, others=(better,)).bands == LOW


def test_a_reading_is_made_once_and_kept() -> None:
    """Asking twice gives the same object, and only labs of which something was received are listed."""
    labs = {"quendite": lab("quendite"), "zorbium": lab()}
    readings = Readings(labs, facts(result("8")), TODAY, None, bool)
    assert readings.of("zorbium") is readings.of("zorbium")
    assert list(readings.of_all()) == ["zorbium"]
    assert (readings.has_results("zorbium"), readings.has_results("quendite")) == (True, False)
