"""Every precision of a FHIR date keeps its imprecision, and what is no date is none."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.dates import moment_key, read_when
from cds_service.model.facts import When

ZONES = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
MOMENTS = st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29), timezones=ZONES)  # noqa: DTZ001 - bounds bear no zone


@pytest.mark.parametrize(
    ("text", "earliest", "latest"),
    [
        ("2026", date(2026, 1, 1), date(2026, 12, 31)),
        ("2026-02", date(2026, 2, 1), date(2026, 2, 28)),
        ("2024-02", date(2024, 2, 1), date(2024, 2, 29)),
        ("2026-04", date(2026, 4, 1), date(2026, 4, 30)),
        ("2026-12", date(2026, 12, 1), date(2026, 12, 31)),
        ("2026-06-15", date(2026, 6, 15), date(2026, 6, 15)),
        ("2024-02-29", date(2024, 2, 29), date(2024, 2, 29)),
        ("0001", date(1, 1, 1), date(1, 12, 31)),
        ("9999-12-31", date(9999, 12, 31), date(9999, 12, 31)),
    ],
)
def test_a_date_means_every_day_that_it_can_mean(text: str, earliest: date, latest: date) -> None:
    """A year is all its days, a month all its days, a day itself; none of them has a time."""
    assert read_when(text) == When(text, earliest, latest)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("2026-06-15T10:30:00Z", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15T10:30:00+00:00", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15T10:30:00.123Z", datetime(2026, 6, 15, 10, 30, 0, 123000, tzinfo=UTC)),
        ("2026-06-15T10:30:00.1234567+02:00", datetime(2026, 6, 15, 8, 30, 0, 123456, tzinfo=UTC)),
        ("2026-06-15T10:30:00", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15T10:30", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15T10:30Z", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15 10:30:00", datetime(2026, 6, 15, 10, 30, tzinfo=UTC)),
        ("2026-06-15T23:30:00-05:00", datetime(2026, 6, 16, 4, 30, tzinfo=UTC)),
        ("2026-06-15T00:30:00+14:00", datetime(2026, 6, 14, 10, 30, tzinfo=UTC)),
    ],
)
def test_a_time_is_a_moment_of_utc(text: str, at: datetime) -> None:
    """A zone is applied, a time without one is taken as UTC; the day is that of UTC, its text is the day as sent."""
    assert read_when(text) == When("2026-06-15", at.date(), at.date(), at)


@pytest.mark.parametrize(
    "text",
    [
        *("2026-02-30", "2025-02-29", "2026-13", "2026-00", "2026-06-00", "2026-06-31", "0000", "0000-01-01"),
        *(
            "26",
            "202",
            "20260",
            "2026-6",
            "2026-6-1",
            "2026-06-",
            "2026-",
            "-2026",
            "2026/06/15",
            "15.06.2026",
        ),
        *(
            "2026-06-15T",
            "2026-06-15T25:00:00Z",
            "2026-06-15T10:60:00Z",
            "2026-06-15T10:30:00+25:00",
            "2026-02-30T10:00Z",
        ),
        *(
            "2026-06-15Z",
            "2026-06-15X10:30:00",
            "2026-06-15T10:30:00 o'clock",
            "yesterday",
            "unknown",
            "\u0662\u0660\u0662\u0666",
            "\uff12\uff10\uff12\uff16",
        ),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "", " ", "2026\n", "\x00"),
    ],
)
def test_what_is_no_date_is_none(text: str) -> None:
    """A day that no calendar has, another notation, and a moment beyond the calendar are no dates; none raises."""
    assert read_when(text) is None


def test_nothing_is_no_date() -> None:
    """An absent date is none."""
    assert read_when(None) is None


@given(st.dates())
def test_a_day_comes_back_as_written(day: date) -> None:
    """Every day of the calendar is read as itself."""
    assert read_when(day.isoformat()) == When(day.isoformat(), day, day)


@given(st.dates())
def test_a_year_and_a_month_hold_all_their_days(day: date) -> None:
    """The earliest and the latest day are the first and the last of the month and of the year that hold the day."""
    text = day.isoformat()
    for part in (text[:4], text[:7]):
        when = read_when(part)
        assert when is not None
        assert when.text == part
        assert when.at is None
        assert when.earliest <= day <= when.latest
        for edge, step in ((when.earliest, -1), (when.latest, 1)):
            beyond = date.fromordinal(edge.toordinal() + step) if date.min < edge < date.max else None
            assert edge.isoformat().startswith(part)
            assert beyond is None or not beyond.isoformat().startswith(part)


@given(MOMENTS)
def test_a_moment_comes_back_in_utc(moment: datetime) -> None:
    """Every moment in every zone is read as the same moment, and its day is that of UTC."""
    when = read_when(moment.isoformat())
    assert when is not None
    assert when.at == moment
    assert when.earliest == when.latest == moment.astimezone(UTC).date()
    assert when.text == moment.isoformat()[:10]


@given(st.text(max_size=30) | st.from_regex(r"\A[0-9]{4}-[0-9]{2}-[0-9]{2}[T ][0-9:.+Z-]{0,20}\Z"))
def test_any_text_is_a_date_or_none(text: str) -> None:
    """Nothing that stands where a date should stand raises; what is read names a span of days."""
    when = read_when(text)
    assert when is None or when.earliest <= when.latest


def when(text: str | None) -> When | None:
    """Return the moment that a test writes down."""
    found = read_when(text)
    assert (found is None) is (text is None)
    return found


def test_mixed_moments_sort_from_old_to_new() -> None:
    """Days, times with and without zones, months, years and no date at all stand in one order; none raises."""
    ordered = [
        None,
        "2025",
        "2025-06-15",
        "2026",
        "2026-01-02",
        "2026-06",
        "2026-06-14T23:00:00Z",
        "2026-06-14T23:30:00",
        "2026-06-15",
        "2026-06-15T01:00:00+00:30",
        "2026-06-15T10:30:00Z",
        "2026-06-15T23:30:00-05:00",
    ]
    keys = [moment_key(when(text)) for text in ordered]
    assert keys == sorted(keys)
    assert len(set(keys)) == len(keys)


@given(st.dates(date(2, 1, 1)), st.dates(date(2, 1, 1)))
def test_an_exact_day_outranks_the_month_and_the_year_around_it(one: date, other: date) -> None:
    """Of two dates of which one is vague, the exact one is the newer unless the whole vague span lies behind it."""
    exact = moment_key(read_when(one.isoformat()))
    for length in (4, 7):
        vague = read_when(other.isoformat()[:length])
        assert vague is not None
        assert (moment_key(vague) <= exact) is (vague.earliest <= one)


@given(MOMENTS, MOMENTS)
def test_timed_moments_sort_by_time(one: datetime, other: datetime) -> None:
    """Whatever their zones are, two times sort as they happened."""
    keys = [moment_key(read_when(moment.isoformat())) for moment in (one, other)]
    assert (keys[0] < keys[1]) is (one < other)
