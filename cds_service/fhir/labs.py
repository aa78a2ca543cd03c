"""Reads results: numbers in one unit with their status, date, flag and range; it decides nothing about them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal

import msgspec

from cds_service.fhir.dates import moment_key, read_when
from cds_service.fhir.interpretation import FLAGS, flag_of, is_normal_range
from cds_service.fhir.quantities import Converted, printed_unit
from cds_service.fhir.resources import Intake, Placed
from cds_service.fhir.shapes import Component, Quantity, ReferenceRange, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.definitions import Lab
from cds_service.model.facts import Amount, Fact, Measurement, When

_USED = frozenset({"final", "amended", "corrected", "preliminary"})
_UNCERTAIN = frozenset({"unknown", ""})
_UNIT_SHAPE = re.compile(r"[\w\[\]{}/*^.%()µμ²³· +-]{1,30}")
_ENOUGH = 2
"""So many usable results of one lab are read: the newest, and some to compare or to calculate with."""
_COMPARATORS = frozenset({"<", "<=", ">", ">="})

REMEDIES = {
    "value-missing": "Send valueQuantity with a number.",
    "unit-missing": "Send the unit of the value; a unit is never guessed.",
    "unit-not-understood": "Send a UCUM unit of this quantity; a unit is never guessed.",
    "value-implausible": "Check the value and its unit; it was not believed.",
}


class _Result(msgspec.Struct, frozen=True, gc=False):
    """One value of an Observation, with its place; nothing of it has been read yet."""

    lab: str
    part: Resource | Component
    placed: Placed
    inner: str = ""

    @property
    def whole(self) -> Resource:
        """The Observation."""
        return self.placed.resource

    @property
    def path(self) -> str:
        """Where the value stands."""
        return self.placed.path + self.inner

    @property
    def status(self) -> str:
        """The status as a bare lower-case word; empty when there is none."""
        return (self.whole.status or "").strip().lower()


class LabReader:
    """Reads the results of one request."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._tomorrow = as_of + timedelta(days=1)
        self.others: list[Placed] = []
        """Observations that are no result of a known lab, laid aside for the readers of other things."""

    def measurements(self) -> dict[str, tuple[Measurement, ...]]:
        """Return the newest results of each lab, newest first; the order of ties is that of arrival.

        A long record holds thousands of results of which only the newest can speak: they are laid out by their
        day and read until enough usable ones are found. Older ones are neither used nor noted.
        """
        return {lab: self._newest(results) for lab, results in self._laid_out().items()}

    def _laid_out(self) -> dict[str, list[tuple[str, _Result]]]:
        """Return by lab every result with its day as written, which sorts like the date."""
        found: dict[str, list[tuple[str, _Result]]] = {}
        names = self._vocabulary.lab_codes.names
        for placed in self._intake.of("Observation"):
            resource = placed.resource
            labs = names(resource.code)
            if not labs:
                self.others.append(placed)
            for lab in labs:
                found.setdefault(lab, []).append((_day(resource), _Result(lab, resource, placed)))
            if resource.component:
                for place, component in enumerate(resource.component):
                    for lab in names(component.code):
                        result = _Result(lab, component, placed, f".component[{place}]")
                        found.setdefault(lab, []).append((_day(resource), result))
        return found

    def _newest(self, results: list[tuple[str, _Result]]) -> tuple[Measurement, ...]:
        results.sort(key=_by_day, reverse=True)
        kept: list[Measurement] = []
        usable = 0
        last_day = ""
        for day, result in results:
            if usable >= _ENOUGH and day != last_day:
                break
            last_day = day
            measurement = self._measure(result)
            if measurement is not None:
                kept.append(measurement)
                usable += measurement.value is not None or measurement.flag is not None
        return tuple(sorted(kept, key=lambda one: moment_key(one.taken), reverse=True))

    def _measure(self, result: _Result) -> Measurement | None:
        part, whole, path = result.part, result.whole, result.path
        status = result.status
        if status not in _USED and status not in _UNCERTAIN:
            self._intake.note(
                "information", "status-not-usable", f"{path}.status", "The result was not used."
            )
            return None
        if part.value_quantity is None:
            self._note_without_quantity(result)
            return None
        taken = _taken(whole)
        if taken is None:
            self._intake.note(
                "warning", "undated-result", path, "Send effectiveDateTime; the result cannot be placed."
            )
        elif taken.earliest > self._tomorrow:
            self._intake.note(
                "warning", "future-result", path, "The result lies in the future; it was not used."
            )
            return None
        if status in _UNCERTAIN:
            self._intake.note(
                "information", "status-unknown", f"{path}.status", "Used, marked, never alone critical."
            )
        return self._build(result, taken)

    def _note_without_quantity(self, result: _Result) -> None:
        part = result.part
        if part.value_string is None and part.value_integer is None and part.value_codeable_concept is None:
            if not (part is result.whole and result.whole.component):
                self._intake.note("information", "value-missing", result.path, REMEDIES["value-missing"])
        else:
            self._intake.note("warning", "value-not-a-quantity", result.path, REMEDIES["value-missing"])

    def _build(self, result: _Result, taken: When | None) -> Measurement | None:
        """Return the measurement; one whose unit is not understood is kept without a number, for its flag."""
        lab, part, whole, path = result.lab, result.part, result.whole, result.path
        definition = self._vocabulary.labs[lab]
        quantity = part.value_quantity or Quantity()
        converted = self._vocabulary.units[lab].convert(quantity)
        if isinstance(converted, Converted) and not _is_plausible(definition, converted.value):
            converted = "value-implausible"
        if isinstance(converted, str):
            self._intake.note("warning", converted, f"{path}.valueQuantity", REMEDIES[converted])
            if converted == "value-implausible":
                return None
        low, high, range_text = self._range(lab, part.reference_range, quantity, path)
        flag = flag_of(part.interpretation)
        comparator = quantity.comparator if quantity.comparator in _COMPARATORS else None
        return Measurement(
            lab=lab,
            fact=_fact(definition, result, taken, comparator, converted, range_text),
            value=converted.value if isinstance(converted, Converted) else None,
            comparator=comparator,
            taken=taken,
            low=low,
            high=high,
            flag=FLAGS.get(flag or ""),
            flag_critical=flag in {"LL", "HH", "AA"},
            status=result.status or "unknown",
            certain=result.status not in _UNCERTAIN,
            sample=whole.specimen.reference if whole.specimen else None,
        )

    def _range(
        self, lab: str, ranges: list[ReferenceRange] | None, value: Quantity, path: str
    ) -> tuple[Decimal | None, Decimal | None, str | None]:
        """Return (low, high, printed) of the laboratory's own range, in the lab's unit."""
        chosen = next((one for one in ranges or () if is_normal_range(one)), None)
        if chosen is None:
            return None, None, None
        low, high = (self._bound(lab, bound, value) for bound in (chosen.low, chosen.high))
        if (low is not None and high is not None and low >= high) or (low is None and high == 0):
            self._intake.note("warning", "range-not-usable", f"{path}.referenceRange", "Send low below high.")
            return None, None, None
        if low is None and high is None:
            self._intake.note(
                "warning", "range-not-usable", f"{path}.referenceRange", "Send the range in the unit."
            )
            return None, None, None
        read = (chosen.low if low is not None else None, chosen.high if high is not None else None)
        return low, high, _printed_range(*read, value)

    def _bound(self, lab: str, bound: Quantity | None, value: Quantity) -> Decimal | None:
        """Convert one bound; a bound without a unit has the unit of the value."""
        if bound is None or bound.value is None:
            return None
        if printed_unit(bound) is None:
            bound = Quantity(value=bound.value, unit=value.unit, system=value.system, code=value.code)
        converted = self._vocabulary.units[lab].convert(bound)
        return converted.value if isinstance(converted, Converted) else None


def _printed_range(lower: Quantity | None, upper: Quantity | None, value: Quantity) -> str:
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


def _is_plausible(lab: Lab, value: Decimal) -> bool:
    low, high = lab.plausible.low, lab.plausible.high
    return (low is None or value >= low) and (high is None or value <= high)


def _taken(resource: Resource) -> When | None:
    period = resource.effective_period
    return (
        read_when(resource.effective_date_time)
        or read_when(resource.effective_instant)
        or read_when((period.end or period.start) if period else None)
        or read_when(resource.issued)
    )


def _fact(  # noqa: PLR0913, PLR0917 - one argument per member of the fact
    lab: Lab,
    result: _Result,
    taken: When | None,
    comparator: str | None,
    converted: Converted | str,
    range_text: str | None,
) -> Fact:
    quantity = result.part.value_quantity or Quantity()
    canonical = None
    if isinstance(converted, Converted) and converted.was_converted:
        canonical = Amount((comparator or "") + str(converted.value), lab.unit)
    return Fact(
        what=lab.title[:1].lower() + lab.title[1:] if lab.title[1:2].islower() else lab.title,
        reference=f"Observation/{result.whole.id}" if result.whole.id else None,
        value=(comparator or "") + format(quantity.value, "f") if quantity.value is not None else None,
        unit=_unit_to_show(quantity, converted),
        on=taken.text if taken else None,
        canonical=canonical,
        range=range_text,
        note=None if result.status == "final" else result.status or "unknown",
    )


def _unit_to_show(quantity: Quantity, converted: Converted | str) -> str | None:
    """Return the unit as printed where it is a unit, else the one that was understood: a card repeats no odd text."""
    printed = printed_unit(quantity)
    if isinstance(converted, Converted) and printed is not None and not _UNIT_SHAPE.fullmatch(printed):
        return converted.unit
    return printed if printed is not None and _UNIT_SHAPE.fullmatch(printed) else None


def _day(resource: Resource) -> str:
    """Return the day of a result as written; results without one come last."""
    period = resource.effective_period
    written = (
        resource.effective_date_time
        or resource.effective_instant
        or ((period.end or period.start) if period else None)
        or resource.issued
    )
    return written[:10] if written else ""


def _by_day(entry: tuple[str, _Result]) -> str:
    return entry[0]
