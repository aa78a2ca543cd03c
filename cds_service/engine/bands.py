"""Puts one result into its bands: by the laboratory's flag, then its range, then the default range, then the limits."""

from __future__ import annotations

from decimal import Decimal

from cds_service.model.definitions import Lab
from cds_service.model.facts import Measurement
from cds_service.model.parts import Limit, ReferenceRange

FLAG_DISAGREES = "flag-disagrees"
"""Remark: the laboratory's flag and the number tell different stories; both are shown."""

_LOW_FLAGS = frozenset({"L", "LL"})
_HIGH_FLAGS = frozenset({"H", "HH"})


class Person:
    """What a range depends on."""

    __slots__ = ("default_range_fits", "limits_fit", "sex")

    def __init__(self, sex: str | None, *, default_range_fits: bool, limits_fit: bool) -> None:
        """Default ranges and limits were set for some people only; where they do not fit they are not used."""
        self.sex = sex
        self.default_range_fits = default_range_fits
        self.limits_fit = limits_fit


def is_below(
    value: Decimal, comparator: str | None, limit: Decimal, *, inclusive: bool = False
) -> bool | None:
    """Whether the true value lies below (or at) `limit`; None when the comparator leaves it open."""
    if comparator in {"<", "<="}:
        strict = comparator == "<" or value < limit
        return True if (value <= limit if strict or inclusive else value < limit) else None
    if comparator in {">", ">="}:
        outside = value >= limit if comparator == ">" or not inclusive else value > limit
        return False if outside else None
    return value <= limit if inclusive else value < limit


def passes(limit: Limit, number: Decimal, measurement: Measurement) -> bool:
    """Whether a result surely lies beyond a limit whose number is `number`."""
    value = measurement.value
    if value is None:
        return False
    if (
        measurement.comparator is None
    ):  # the usual case, spelled out because every result passes here four times
        if limit.below is not None:
            return value < number
        if limit.at_most is not None:
            return value <= number
        return value > number if limit.above is not None else value >= number
    if limit.below is not None or limit.at_most is not None:
        inclusive = limit.at_most is not None
        return is_below(value, measurement.comparator, number, inclusive=inclusive) is True
    inclusive = limit.above is not None
    return is_below(value, measurement.comparator, number, inclusive=inclusive) is False


def direction_of(lab: Lab, measurement: Measurement, person: Person) -> tuple[str | None, tuple[str, ...]]:
    """Return (`low`, `normal`, `high` or None, remarks): flag first, then own range, then default range."""
    by_number = _by_number(lab, measurement, person)
    flag = measurement.flag
    if flag in _LOW_FLAGS:
        return "low", (FLAG_DISAGREES,) if by_number == "high" else ()
    if flag in _HIGH_FLAGS:
        return "high", (FLAG_DISAGREES,) if by_number == "low" else ()
    if flag == "N":
        return "normal", (FLAG_DISAGREES,) if by_number in {"low", "high"} else ()
    if flag == "A" and by_number == "normal":
        return None, (FLAG_DISAGREES,)
    return by_number, ()


def _by_number(lab: Lab, measurement: Measurement, person: Person) -> str | None:
    if measurement.value is None:
        return None
    low, high = measurement.low, measurement.high
    if low is None and high is None:
        if not person.default_range_fits:
            return None
        low, high = default_range(lab, person)
        if low is None and high is None:
            return None
    below = is_below(measurement.value, measurement.comparator, low) if low is not None else False
    not_above = (
        is_below(measurement.value, measurement.comparator, high, inclusive=True)
        if high is not None
        else True
    )
    if below is True:
        return "low"
    if not_above is False:
        return "high"
    return "normal" if below is False and not_above is True else None


def default_range(lab: Lab, person: Person) -> tuple[Decimal | None, Decimal | None]:
    """Return the default range for the person's sex; with the sex unknown, the widest of all."""
    fitting: list[ReferenceRange] = [
        one for one in lab.default_ranges if one.sex is None or person.sex is None or one.sex == person.sex
    ]
    lows = [one.low for one in fitting if one.low is not None]
    highs = [one.high for one in fitting if one.high is not None]
    return (min(lows) if lows else None), (max(highs) if highs else None)


def bands_of(
    lab: Lab, measurement: Measurement, person: Person, limits: dict[str, tuple[Limit, Decimal]]
) -> tuple[frozenset[str] | None, tuple[str, ...]]:
    """Return (the bands that hold or None when nothing can be said, remarks).

    Bands nest: `critical-low` comes with `marked-low` and `low`. `limits` are those in force for this person.
    """
    direction, remarks = direction_of(lab, measurement, person)
    in_force = limits if person.limits_fit else {}
    passed = {band for band, (limit, number) in in_force.items() if passes(limit, number, measurement)}
    for side in ("low", "high"):
        critical = f"critical-{side}" in passed or _flagged_critical(lab, measurement, side)
        if critical and measurement.certain:
            return _nested(side, "critical"), remarks
        marked = critical or f"marked-{side}" in passed or _flagged_marked(measurement, side)
        if marked and direction in {side, None}:
            return _nested(side, "marked"), remarks
    if direction is None:
        return None, remarks
    if direction == "normal" and _is_borderline(lab, measurement):
        return frozenset({"borderline"}), remarks
    return frozenset({direction}), remarks


def _flagged_critical(lab: Lab, measurement: Measurement, side: str) -> bool:
    return lab.critical_flags and _flagged_marked(measurement, side)


def _flagged_marked(measurement: Measurement, side: str) -> bool:
    """Whether the laboratory itself flagged the result as critical on this side (LL, HH)."""
    return measurement.flag_critical and measurement.flag == ("LL" if side == "low" else "HH")


def _nested(side: str, severity: str) -> frozenset[str]:
    bands = {side, f"marked-{side}"}
    return frozenset(bands | {f"critical-{side}"}) if severity == "critical" else frozenset(bands)


def _is_borderline(lab: Lab, measurement: Measurement) -> bool:
    """Whether a result in range excludes nothing: it lies in the band, or below one that ends at the low side.

    A laboratory may call normal what lies below the band; it can exclude no more than what lies in it.
    """
    edge, value = lab.borderline, measurement.value
    if edge is None or value is None or measurement.comparator is not None:
        return False
    if edge.high is not None:
        return value < edge.high
    return edge.low is None or value >= edge.low
