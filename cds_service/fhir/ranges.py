"""Reads the reference range that came with a result, in the unit of the lab; a range it cannot trust is none."""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.fhir.interpretation import is_normal_range, is_range_type_unknown, range_type
from cds_service.fhir.quantities import Converted, UnitTable, printed_unit
from cds_service.fhir.shapes import Quantity, ReferenceRange

_NUMBER = r"[0-9]{1,9}(?:\.[0-9]{1,9})?"
_UNIT = r"(?:\s*([A-Za-z%\[{\u00b5\u03bc][^\s].*?))?"
_BOTH = re.compile(
    rf"[(\[]?\s*({_NUMBER})\s*(?:-|\u2013|\bto\b)\s*({_NUMBER}){_UNIT}\s*[)\]]?", re.IGNORECASE
)
_ONE = re.compile(rf"[(\[]?\s*(<=?|>=?|\u2264|\u2265)\s*({_NUMBER}){_UNIT}\s*[)\]]?")
_LONGEST = 40

NOT_ORDERED = "Send low below high."
NOT_UNDERSTOOD = "Send the range in the unit."
SEVERAL = "Send one normal range, or say which one is normal; none of several was used."
IN_WORDS = "Send low and high; the text of the range was not understood."
KIND_UNKNOWN = "Send a type of referencerange-meaning; the range was not used."
A_STAGE = "Send the normal range; the range of a stage says nothing of what is normal, nor does its flag."


class OwnRange:
    """The range of one result: bounds in the lab's unit, how it was printed, and why it could not be used."""

    __slots__ = ("fault", "high", "low", "printed")

    def __init__(
        self,
        low: Decimal | None = None,
        high: Decimal | None = None,
        printed: str | None = None,
        fault: str | None = None,
    ) -> None:
        """Without bounds nothing is known of what the laboratory calls normal."""
        self.low, self.high, self.printed, self.fault = low, high, printed, fault


_NONE = OwnRange()


def read_range(
    ranges: list[ReferenceRange] | None, value: Quantity, units: UnitTable, reaches: Decimal | None
) -> OwnRange:
    """Return the laboratory's own normal range.

    `reaches` is a value that every normal range of the lab includes or lies above: a range that ends below it is
    that of a stage of disease.
    """
    if not ranges:
        return _NONE
    chosen, fault = _chosen(ranges)
    if chosen is None:
        return OwnRange(fault=fault) if fault else _NONE
    low, high = _bound(units, chosen.low, value, 1), _bound(units, chosen.high, value, -1)
    if (low is not None and high is not None and low >= high) or (low is None and high == 0):
        return OwnRange(fault=NOT_ORDERED)
    if low is None and high is None:
        return OwnRange(fault=NOT_UNDERSTOOD)
    sent = [bound for bound in (chosen.low, chosen.high) if bound is not None]
    fault = NOT_UNDERSTOOD if len(sent) > (low is not None) + (high is not None) else None
    if reaches is not None and high is not None and high < reaches:
        return OwnRange(fault=A_STAGE)
    read = (chosen.low if low is not None else None, chosen.high if high is not None else None)
    return OwnRange(low, high, _printed(*read, value), fault)


def _chosen(ranges: list[ReferenceRange]) -> tuple[ReferenceRange | None, str | None]:
    """Return the range that says what is normal, or why none of them does."""
    normal = [one for one in ranges if is_normal_range(one)]
    typed = [one for one in normal if range_type(one) is not None] or normal
    if typed:
        first = typed[0]
        if any((other.low, other.high) != (first.low, first.high) for other in typed[1:]):
            return None, SEVERAL
        return first, None
    if any(one.low is not None or one.high is not None for one in ranges):
        return None, KIND_UNKNOWN if any(is_range_type_unknown(one) for one in ranges) else None
    texts = {one.text for one in ranges if one.text}
    if len(texts) != 1:
        return None, SEVERAL if texts else NOT_UNDERSTOOD
    read = range_in(texts.pop())
    return read, None if read is not None else IN_WORDS


def range_in(text: str) -> ReferenceRange | None:
    """Return the range that a text states and nothing besides: "3.5 - 5.3 mmol/L", "<5.0"."""
    if len(text) > _LONGEST:
        return None
    text = text.strip()
    if both := _BOTH.fullmatch(text):
        low, high, unit = both.groups()
        return ReferenceRange(
            low=Quantity(value=Decimal(low), unit=unit), high=Quantity(value=Decimal(high), unit=unit)
        )
    if one := _ONE.fullmatch(text):
        sign, number, unit = one.groups()
        bound = Quantity(value=Decimal(number), unit=unit)
        return ReferenceRange(high=bound) if sign in {"<", "<=", "\u2264"} else ReferenceRange(low=bound)
    return None


def _bound(units: UnitTable, bound: Quantity | None, value: Quantity, inward: int) -> Decimal | None:
    """Convert one bound; a bound without a unit has the unit of the value.

    `inward` tells on which side of the bound the range lies, 1 above it. Where rounding alone would put a value that
    lies outside onto the bound, the bound gives way by one step: what the laboratory calls high stays high.
    """
    if bound is None or bound.value is None:
        return None
    if printed_unit(bound) is None:
        bound = Quantity(value=bound.value, unit=value.unit, system=value.system, code=value.code)
    converted = units.convert(bound)
    if not isinstance(converted, Converted):
        return None
    own = units.convert(value)
    is_same_unit = isinstance(own, Converted) and own.unit == converted.unit
    if value.value is None or bound.value is None or not (is_same_unit and isinstance(own, Converted)):
        return converted.value
    is_outside = (bound.value - value.value) * inward > 0
    return own.value + units.step * inward if is_outside and own.value == converted.value else converted.value


def _printed(lower: Quantity | None, upper: Quantity | None, value: Quantity) -> str:
    """Return the range as printed, with its unit where that is another one than that of the value."""
    low, high = (
        format(bound.value, "f") if bound is not None and bound.value is not None else ""
        for bound in (lower, upper)
    )
    units = [printed_unit(bound) for bound in (lower, upper) if bound is not None]
    other = next((f" {unit}" for unit in units if unit not in {None, printed_unit(value)}), "")
    if low and high:
        return f"{low}-{high}{other}"
    return f">={low}{other}" if low else f"<={high}{other}"
