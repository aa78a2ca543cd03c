"""Laws that hold for the bands of every result, whatever its number, flag, range and comparator."""

from __future__ import annotations

from decimal import Decimal

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from cds_service.engine.bands import Person, bands_of, is_below, passes
from cds_service.engine.findings import FindingBook
from cds_service.model.definitions import Lab
from cds_service.model.facts import Measurement
from cds_service.model.findings import State
from cds_service.model.parts import Limit
from tests.unit.engine.neutral import LIMITS, book, facts, knowledge, lab, result

COMPARATORS = [None, "<", "<=", ">", ">="]
PERSON = Person("female", default_range_fits=True, limits_fit=True)
LADDER = ["critical-low", "marked-low", "low", "borderline", "normal", "high", "marked-high", "critical-high"]
EVERY_BAND = [band for band in LADDER if band != "borderline"]

numbers = st.decimals(min_value=0, max_value=40, places=1)
ranges = st.one_of(
    st.just((None, None)),
    st.tuples(numbers, numbers).map(lambda pair: (min(pair), max(pair))),
    st.tuples(numbers, st.none()),
    st.tuples(st.none(), numbers),
)
labs = st.builds(
    lambda borderline, default, critical: lab(
        borderline={"low": "10", "high": "12"} if borderline else None,
        default_ranges=[{"low": "10", "high": "20"}] if default else [],
        critical_flags=critical,
    ),
    st.booleans(),
    st.booleans(),
    st.booleans(),
)
FLAGS = [(None, False), ("N", False), ("L", False), ("H", False), ("A", False), ("LL", True), ("HH", True)]


def measured(
    value: Decimal | None,
    own: tuple[Decimal | None, Decimal | None] = (None, None),
    flag: tuple[str | None, bool] = (None, False),
    comparator: str | None = None,
    *,
    certain: bool = True,
) -> Measurement:
    """Return a result with any members."""
    return result(
        None if value is None else str(value),
        low=None if own[0] is None else str(own[0]),
        high=None if own[1] is None else str(own[1]),
        flag=flag[0],
        flag_critical=flag[1],
        comparator=comparator,
        certain=certain,
    )


results = st.builds(
    measured,
    st.one_of(st.none(), numbers),
    ranges,
    st.sampled_from(FLAGS),
    st.sampled_from(COMPARATORS),
    certain=st.booleans(),
)


def bands(of: Lab, measurement: Measurement) -> frozenset[str] | None:
    """Return the bands of one result with all limits in force."""
    limits = {band: (limit, _number(limit)) for band, limit in of.limits.items()}
    return bands_of(of, measurement, PERSON, limits)[0]


def _number(limit: Limit) -> Decimal:
    return next(one for one in (limit.below, limit.at_most, limit.above, limit.at_least) if one is not None)


@given(labs, results)
def test_bands_nest(of: Lab, measurement: Measurement) -> None:
    """Critical comes with marked, and marked with the side itself."""
    found = bands(of, measurement)
    for side in ("low", "high"):
        if found and f"critical-{side}" in found:
            assert f"marked-{side}" in found
        if found and f"marked-{side}" in found:
            assert side in found


@given(labs, results)
def test_a_result_stands_on_one_side_only(of: Lab, measurement: Measurement) -> None:
    """Exactly one of low, high, normal and borderline holds where anything holds."""
    found = bands(of, measurement)
    assert found is None or len(found & {"low", "high", "normal", "borderline"}) == 1


@given(labs, results)
def test_an_uncertain_result_is_not_critical(of: Lab, measurement: Measurement) -> None:
    """A critical band always rests on a result whose status is known."""
    found = bands(of, measurement) or frozenset()
    assert measurement.certain or not any(band.startswith("critical") for band in found)


@given(labs, numbers, numbers, ranges, st.sampled_from(FLAGS))
def test_bands_are_monotone_in_the_value(
    of: Lab,
    one: Decimal,
    other: Decimal,
    own: tuple[Decimal | None, Decimal | None],
    flag: tuple[str | None, bool],
) -> None:
    """Of two results that differ in the number alone, the greater never stands in a lower band."""
    lower, upper = sorted((one, other))
    first, second = bands(of, measured(lower, own, flag)), bands(of, measured(upper, own, flag))
    assume(first is not None and second is not None)
    assert first is not None
    assert second is not None
    assert _step(first) <= _step(second)


def _step(found: frozenset[str]) -> int:
    outer = sorted(
        (LADDER.index(band) for band in found), key=lambda place: -abs(place - LADDER.index("normal"))
    )
    return outer[0]


@given(value=numbers, comparator=st.sampled_from(COMPARATORS), limit=numbers, inclusive=st.booleans())
def test_a_comparator_says_only_what_holds_for_every_value_it_can_mean(
    *, value: Decimal, comparator: str | None, limit: Decimal, inclusive: bool
) -> None:
    """`is_below` answers exactly when all true values behind a bound agree."""
    tenth = Decimal("0.05")
    behind = {
        None: [value],
        "<": [value - tenth, Decimal(-99)],
        "<=": [value, Decimal(-99)],
        ">": [value + tenth, Decimal(99)],
        ">=": [value, Decimal(99)],
    }[comparator]
    answers = {one <= limit if inclusive else one < limit for one in behind}
    expected = answers.pop() if len(answers) == 1 else None
    assert is_below(value, comparator, limit, inclusive=inclusive) is expected


@given(numbers, st.sampled_from(sorted(LIMITS)))
def test_a_plain_number_passes_a_limit_or_its_opposite(value: Decimal, band: str) -> None:
    """Without a comparator a number lies on one side of a limit or the other."""
    limit = lab().limits[band]
    opposite = {"below": "at_least", "at_least": "below"}
    (comparison,) = (name for name in opposite if getattr(limit, name) is not None)
    turned = Limit(**{opposite[comparison]: getattr(limit, comparison)})
    number = _number(limit)
    assert passes(limit, number, measured(value)) is not passes(turned, number, measured(value))


def test_a_result_without_a_number_passes_no_limit() -> None:
    """What cannot be read lies beyond nothing."""
    assert not any(passes(limit, _number(limit), measured(None)) for limit in lab().limits.values())


@given(labs, results)
def test_the_findings_of_a_lab_say_what_its_bands_say(of: Lab, measurement: Measurement) -> None:
    """A band that holds is present, any other is absent, all are unknown when nothing can be said."""
    found = bands(of, measurement)
    patient: FindingBook = book(knowledge(of), facts(measurement))
    for band in EVERY_BAND:
        state, behind = patient.outcome(f"{of.id}-{band}")
        if found is None or ("borderline" in found and band in {"low", "normal"}):
            assert (state, behind) == (State.UNKNOWN, ())
        else:
            assert state is (State.PRESENT if band in found else State.ABSENT)
            assert behind == (measurement.fact,)


@pytest.mark.parametrize(
    ("value", "state"),
    [("9", State.ABSENT), ("11", State.PRESENT), ("13", State.ABSENT), (None, State.UNKNOWN)],
)
def test_borderline_is_a_finding_of_its_own(value: str | None, state: State) -> None:
    """Borderline is present, absent or unknown like any other band."""
    of = lab(borderline={"low": "10", "high": "12"})
    assert book(knowledge(of), facts(result(value))).outcome("zorbium-borderline")[0] is state


def test_a_lab_that_was_never_measured_is_unknown() -> None:
    """A test never done is not a normal test."""
    patient = book(knowledge(lab()), facts())
    for band in (*EVERY_BAND, "borderline"):
        assert patient.outcome(f"zorbium-{band}") == (State.UNKNOWN, ())
