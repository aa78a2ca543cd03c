"""Reads results: numbers in one unit with their status, date, flag and range; it decides nothing about them."""

from __future__ import annotations

import re
from datetime import date, timedelta
from decimal import Decimal
from operator import itemgetter

from cds_service.fhir.dates import moment_key
from cds_service.fhir.interpretation import FLAGS, absence_of, flag_of, is_flag_unknown
from cds_service.fhir.lab_results import Result, is_dated, results_by_lab, stated_quantity
from cds_service.fhir.notebook import Placed, observed_on
from cds_service.fhir.quantities import Converted, comparator_of, printed_unit
from cds_service.fhir.ranges import A_STAGE, read_range
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import Quantity
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.definitions import Lab
from cds_service.model.facts import Amount, Fact, Measurement, When

_USED = frozenset({"final", "amended", "corrected", "preliminary"})
_UNCERTAIN = frozenset({"unknown", ""})
_UNIT_SHAPE = re.compile(r"[\w\[\]{}/*^.%()µμ²³· +-]{1,30}")
_ENOUGH = 2
"""So many usable results of one lab are read: the newest, and some to compare or to calculate with."""
_SEND_FLAG = "Send a code of v3-ObservationInterpretation; the value was judged without it."
_BY_DAY = itemgetter(0)

REMEDIES = {
    "value-missing": "Send valueQuantity with a number.",
    "unit-missing": "Send the unit of the value; a unit is never guessed.",
    "unit-not-understood": "Send a UCUM unit of this quantity; a unit is never guessed.",
    "unit-mismatch": "Send one unit; the printed one and its code are two different ones.",
    "display-contradicts-code": "Send the code of what the words name; the result was not used.",
    "comparator-not-understood": "Send <, <=, > or >=; the number was not used.",
    "value-implausible": "Check the value and its unit; it was not believed.",
}


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
        found = results_by_lab(self._vocabulary, self._intake, self.others)
        return {lab: self._newest(results) for lab, results in found.items()}

    def _newest(self, results: list[tuple[str, Result]]) -> tuple[Measurement, ...]:
        results.sort(key=_BY_DAY, reverse=True)
        kept: list[Measurement] = []
        usable = 0
        last_day = ""
        for day, result in results:
            if usable >= _ENOUGH and day != last_day:
                self._note_undated(results)
                break
            last_day = day
            measurement = self._measure(result)
            if measurement is not None:
                kept.append(measurement)
                usable += measurement.value is not None or measurement.flag is not None
        return tuple(sorted(kept, key=lambda one: moment_key(one.taken), reverse=True))

    def _note_undated(self, results: list[tuple[str, Result]]) -> None:
        """Note the results that cannot be placed in time, which stand last: one of them may be the newest."""
        for day, result in reversed(results):
            if day:
                return
            self._taken(result)

    def _taken(self, result: Result) -> When | None:
        """Return when a result was taken; one that cannot be placed is noted, once with the date that is none."""
        taken = observed_on(result.placed, self._intake)
        if taken is None and not is_dated(result.whole):
            self._intake.note(
                "warning",
                "undated-result",
                result.path,
                "Send effectiveDateTime; the result cannot be placed.",
            )
        return taken

    def _measure(self, result: Result) -> Measurement | None:
        part, path = result.part, result.path
        status = result.status
        if status not in _USED and status not in _UNCERTAIN:
            self._intake.note(
                "information", "status-not-usable", f"{path}.status", "The result was not used."
            )
            return None
        quantity = stated_quantity(part)
        if quantity is None:
            self._note_without_quantity(result)
            return None
        if not result.by_text and self._vocabulary.is_contradicted(result.lab, part.code):
            self._intake.note(
                "warning", "display-contradicts-code", f"{path}.code", REMEDIES["display-contradicts-code"]
            )
            return None
        taken = self._taken(result)
        if taken is not None and taken.earliest > self._tomorrow:
            self._intake.note(
                "warning", "future-result", path, "The result lies in the future; it was not used."
            )
            return None
        if status in _UNCERTAIN:
            self._intake.note(
                "information", "status-unknown", f"{path}.status", "Used, marked, never alone critical."
            )
        return self._build(result, quantity, taken)

    def _note_without_quantity(self, result: Result) -> None:
        part = result.part
        if part.data_absent_reason is not None:
            reason = absence_of(part.data_absent_reason)
            remedy = f"The laboratory gives no value: {reason}."
            self._intake.note("information", f"value-absent-{reason}", result.path, remedy)
        elif part.value_string is None and part.value_integer is None and part.value_codeable_concept is None:
            if not (part is result.whole and result.whole.component):
                self._intake.note("information", "value-missing", result.path, REMEDIES["value-missing"])
        else:
            self._intake.note("warning", "value-not-a-quantity", result.path, REMEDIES["value-missing"])

    def _build(self, result: Result, quantity: Quantity, taken: When | None) -> Measurement | None:
        """Return the measurement; one whose unit is not understood is kept without a number, for its flag.

        What is known by its words alone must have a unit that fits.
        """
        lab, part, path = result.lab, result.part, result.path
        definition, units = self._vocabulary.labs[lab], self._vocabulary.units[lab]
        comparator = comparator_of(quantity)
        converted = units.convert(quantity)
        if comparator is None:
            converted = "comparator-not-understood"
        if isinstance(converted, Converted) and not _is_plausible(definition, converted.value):
            converted = "value-implausible"
        if isinstance(converted, str):
            where = f"{path}.valueQuantity" if part.value_quantity is not None else path
            self._intake.note("warning", converted, where, REMEDIES[converted])
            if converted == "value-implausible" or result.by_text:
                return None
        own = read_range(part.reference_range, quantity, units, definition.own_range_reaches)
        if own.fault is not None:
            self._intake.note("warning", "range-not-usable", f"{path}.referenceRange", own.fault)
        flag = flag_of(part.interpretation)
        if own.fault == A_STAGE and flag == "N":
            flag = None
        elif is_flag_unknown(part.interpretation):
            self._intake.note("information", "flag-not-understood", f"{path}.interpretation", _SEND_FLAG)
        return Measurement(
            lab=lab,
            fact=_fact(definition, result, quantity, taken, converted, own.printed),
            value=converted.value if isinstance(converted, Converted) else None,
            comparator=comparator or None,
            taken=taken,
            low=own.low,
            high=own.high,
            flag=FLAGS.get(flag or ""),
            flag_critical=flag in {"LL", "HH", "AA"},
            status=result.status or "unknown",
            certain=result.status not in _UNCERTAIN and not result.by_text,
            sample=result.whole.specimen.reference if result.whole.specimen else None,
        )


def _is_plausible(lab: Lab, value: Decimal) -> bool:
    low, high = lab.plausible.low, lab.plausible.high
    return (low is None or value >= low) and (high is None or value <= high)


def _fact(  # noqa: PLR0913, PLR0917 - one argument per member of the fact
    lab: Lab,
    result: Result,
    quantity: Quantity,
    taken: When | None,
    converted: Converted | str,
    range_text: str | None,
) -> Fact:
    comparator = comparator_of(quantity)
    canonical = None
    if isinstance(converted, Converted) and converted.was_converted:
        canonical = Amount((comparator or "") + str(converted.value), lab.unit)
    return Fact(
        what=lab.title[:1].lower() + lab.title[1:] if lab.title[1:2].islower() else lab.title,
        reference=result.placed.reference,
        value=(comparator or "") + format(quantity.value, "f") if quantity.value is not None else None,
        unit=_unit_to_show(quantity, converted),
        on=taken.text if taken else None,
        canonical=canonical,
        range=range_text,
        by_text=result.by_text,
        note=None if result.status == "final" else result.status or "unknown",
    )


def _unit_to_show(quantity: Quantity, converted: Converted | str) -> str | None:
    """Return the unit as printed where it is a unit, else the one that was understood: a card repeats no odd text."""
    printed = printed_unit(quantity)
    if isinstance(converted, Converted) and printed is not None and not _UNIT_SHAPE.fullmatch(printed):
        return converted.unit
    return printed if printed is not None and _UNIT_SHAPE.fullmatch(printed) else None
