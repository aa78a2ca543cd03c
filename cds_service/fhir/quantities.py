"""Quantities to decimals in one UCUM unit per lab; a unit that is not known is said, never guessed."""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal

import msgspec

from cds_service.fhir.shapes import Quantity
from cds_service.model.definitions import Lab

UCUM_SYSTEMS = frozenset(
    {"http://unitsofmeasure.org", "http://unitsofmeasure.org/", "https://unitsofmeasure.org"}
)
_ONE = Decimal(1)
_WIDEST = Decimal("1e15")
_FINEST = -15
"""Decimal exponent of the smallest number that is read; a measured value is neither wider nor finer."""
_NO_WIDTH = re.compile(r"[\s\u200b-\u200f\u2060\ufeff]+")
_NUMBER = re.compile(
    r"\s*(<=|>=|<|>|\u2264|\u2265)?\s*(-?[0-9]{1,15}(?:\.[0-9]{1,12})?)"
    r"(?:\s+(.*\S)|([A-Za-z%\[{\u00b5\u03bc](?:.*\S)?))?\s*"
)
_LONGEST_NUMBER = 60
_COMPARED = {"\u2264": "<=", "\u2265": ">="}
_COMPARATORS = frozenset({"", "<", "<=", ">", ">="})
_SHORTEST_FOLDED = 2
"""Two letters tell too little without their case: mM is a concentration, Mm a length."""


class Converted(msgspec.Struct, frozen=True, gc=False):
    """A value in the lab's unit; `was_converted` tells whether that is another unit than the reported one."""

    value: Decimal
    was_converted: bool
    unit: str


class UnitTable:
    """Every accepted spelling of every unit of one lab, with factor and offset into the lab's own unit.

    value in the lab's unit = reported x factor + offset. Spellings are looked up as written first, then without
    regard to case; case is never folded on the way to UCUM.
    """

    def __init__(
        self,
        lab: Lab,
        conversions: Mapping[str, Mapping[str, tuple[Decimal, Decimal]]],
        spellings: Mapping[str, str],
    ) -> None:
        """Precompute the table for `lab`."""
        known = conversions[lab.conversions]
        target_factor, target_offset = known[lab.unit]
        self._quantum = Decimal(1).scaleb(-lab.decimals)
        self._exact: dict[str, tuple[Decimal, Decimal]] = {}
        for ucum, (factor, offset) in known.items():
            self._exact[ucum] = (factor / target_factor, (offset - target_offset) / target_factor)
        for spelling, ucum in spellings.items():
            if ucum in known:
                self._exact[spelling] = self._exact[ucum]
        self._folded = {
            spelling.casefold(): numbers
            for spelling, numbers in self._exact.items()
            if len(spelling) > _SHORTEST_FOLDED
        }

    def convert(self, quantity: Quantity) -> Converted | str:
        """Return the value in the lab's unit, or the code of the ReadingNote that says why not.

        Converted values are rounded half up to the decimals of the lab's limits, unconverted ones stay as reported.
        """
        if quantity.value is None:
            return "value-missing"
        if not is_printable(quantity.value):
            return "value-implausible"
        unit = unit_of(quantity)
        if unit is None:
            return "unit-missing"
        numbers = self._understood(unit, quantity)
        if isinstance(numbers, str):
            return numbers
        factor, offset = numbers
        if factor == _ONE and not offset:
            return Converted(quantity.value, was_converted=False, unit=unit)
        value = (quantity.value * factor + offset).quantize(self._quantum, ROUND_HALF_UP)
        return Converted(value, was_converted=True, unit=unit)

    @property
    def step(self) -> Decimal:
        """The smallest difference between two converted values."""
        return self._quantum

    def _understood(self, unit: str, quantity: Quantity) -> tuple[Decimal, Decimal] | str:
        """Return factor and offset of `unit`, unless what stands beside it is another unit of this lab."""
        numbers = self._meaning(unit)
        if numbers is None:
            return "unit-not-understood"
        for other in (quantity.unit, quantity.code):
            if other and other != unit and self._meaning(other) not in {None, numbers}:
                return "unit-mismatch"
        return numbers

    def _meaning(self, unit: str) -> tuple[Decimal, Decimal] | None:
        """Return factor and offset of a spelling: as written, without regard to case, then without its blanks."""
        numbers = self._exact.get(unit) or self._folded.get(unit.casefold())
        if numbers is None and (bare := _NO_WIDTH.sub("", unit)) != unit:
            return self._exact.get(bare) or self._folded.get(bare.casefold())
        return numbers


def unit_of(quantity: Quantity) -> str | None:
    """Return the unit to trust: the UCUM code, else the printed unit, else a code of an unnamed system."""
    if quantity.code and quantity.system in UCUM_SYSTEMS and (code := quantity.code.strip()):
        return code
    printed = (quantity.unit or "").strip() or (quantity.code or "").strip()
    return printed or None


def comparator_of(quantity: Quantity) -> str | None:
    """Return the comparator, empty where there is none; None for one that FHIR does not have."""
    sign = (quantity.comparator or "").strip()
    return sign if sign in _COMPARATORS else _COMPARED.get(sign, "" if sign == "=" else None)


def quantity_in(text: str) -> Quantity | None:
    """Return the quantity that a text states and nothing besides: ">20", "4.2 mmol/L"; not "2+", "0-5" or "1,5"."""
    found = _NUMBER.fullmatch(text) if len(text) <= _LONGEST_NUMBER else None
    if found is None:
        return None
    sign, number, unit, joined = found.groups()
    return Quantity(
        value=Decimal(number), comparator=_COMPARED.get(sign, sign) if sign else None, unit=unit or joined
    )


def is_printable(value: Decimal) -> bool:
    """Whether a value is a number that can be written out: `1e400`, `1e-400` and `NaN` in quotes are not."""
    return value.is_finite() and -_WIDEST < value < _WIDEST and value.adjusted() >= _FINEST


def printed_unit(quantity: Quantity) -> str | None:
    """Return the unit as a person reads it: the printed one, else the code."""
    return (quantity.unit or quantity.code or "").strip() or None
