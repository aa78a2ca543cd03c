"""The lines about results that the table does not show: in range, abnormal, too old, in conflict; it judges none."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.cards.markdown import escape
from cds_service.cards.wording import FindingNames, fact_cell, fact_key, short_date, unit_words
from cds_service.model.decision import Reading
from cds_service.model.definitions import Lab
from cds_service.model.facts import Measurement
from cds_service.model.parts import MARKED

_MOST_RESULTS = 12
_FLAG_DISAGREES, _ADULT_RANGE, _NOT_CALCULATED = "flag-disagrees", "adult-range", "not-calculated"
_LINE_OF_REMARK = {
    "before-onset": "before_onset",
    "before-change": "before_change",
    "not-by-itself": "not_by_itself",
}
_ORDER = (
    "other",
    "done",
    "no_range",
    "conflict",
    "earlier",
    "adult_range",
    "before_onset",
    "before_change",
    "not_by_itself",
    "not_adjusted",
    "unrepeated",
    "historical",
)


class ResultLines:
    """Sorts the readings of one patient into lines."""

    def __init__(self, text: Mapping[str, str], labs: Mapping[str, Lab], names: FindingNames) -> None:
        """Keep the words."""
        self._text = text
        self._labs = labs
        self._names = names

    def write(self, readings: Mapping[str, Reading], shown: set[str | int]) -> list[str]:
        """Return the lines; results whose key is in `shown` stand on the card already."""
        lines: dict[str, list[str]] = {}
        in_range: dict[str, list[str]] = {}
        for name, reading in readings.items():
            title = self._names.of(f"{name}-normal")
            if reading.stale is not None and reading.stale_bands & {"low", "high"}:
                line = "unrepeated" if self._is_unrepeated(reading) else "historical"
                lines.setdefault(line, []).append(_result(title, reading.stale))
            if reading.current is None:
                if _NOT_CALCULATED in reading.remarks:
                    self._add_not_adjusted(name, readings, lines)
                continue
            self._add_doubts(title, reading, reading.current, lines)
            if fact_key(reading.current.fact) not in shown and _FLAG_DISAGREES not in reading.remarks:
                self._add_current(title, reading, reading.current, lines, in_range)
        if in_range:
            lines["done"] = [_by_date(in_range)]
        return [self._text[line].format(labs="; ".join(lines[line])) for line in _ORDER if line in lines]

    def _add_current(
        self,
        title: str,
        reading: Reading,
        current: Measurement,
        lines: dict[str, list[str]],
        in_range: dict[str, list[str]],
    ) -> None:
        """Put a result that speaks today, or would, into its line; a vital sign in range is not worth one."""
        if reading.bands is None:
            open_line = _line_of(reading)
            if open_line is not None:
                lines.setdefault(open_line, []).append(_result(title, current))
        elif "normal" not in reading.bands:
            lines.setdefault("other", []).append(_result(title, current))
        elif self._labs[reading.lab].category == "laboratory":
            in_range.setdefault(short_date(current.fact.on), []).append(_short_result(title, current))

    def _add_not_adjusted(
        self, name: str, readings: Mapping[str, Reading], lines: dict[str, list[str]]
    ) -> None:
        """Name the result that was left as measured, because adjusting it would mislead for this person."""
        derived = self._labs[name].derived
        base = readings.get(derived.from_lab) if derived is not None else None
        if base is not None and base.current is not None:
            title = self._names.of(f"{base.lab}-normal")
            lines.setdefault("not_adjusted", []).append(_result(title, base.current))

    @staticmethod
    def _add_doubts(title: str, reading: Reading, current: Measurement, lines: dict[str, list[str]]) -> None:
        """Say what shakes a result, whether or not it stands on the card already."""
        if _FLAG_DISAGREES in reading.remarks:
            lines.setdefault("conflict", []).append(f"{_result(title, current)}, flag {current.flag}")
        if _ADULT_RANGE in reading.remarks:
            lines.setdefault("adult_range", []).append(title)
        if reading.earlier is not None:
            lines.setdefault("earlier", []).append(_result(title, reading.earlier))

    def _is_unrepeated(self, reading: Reading) -> bool:
        recent = (reading.stale_days or 0) <= self._labs[reading.lab].unrepeated_days
        return recent and bool(reading.stale_bands & MARKED)


def _line_of(reading: Reading) -> str | None:
    """Return the line for a result that could not be interpreted; None where another result speaks for it."""
    for remark in reading.remarks:
        if remark in _LINE_OF_REMARK:
            return _LINE_OF_REMARK[remark]
    return "no_range" if not reading.remarks and not reading.superseded else None


def _result(title: str, measurement: Measurement) -> str:
    return fact_cell(msgspec.structs.replace(measurement.fact, what=title), emphasis=False)


def _short_result(title: str, measurement: Measurement) -> str:
    fact = measurement.fact
    name = fact.what if measurement.calculated else title
    words = f"{escape(name)} {escape(fact.value or '')} {escape(unit_words(fact.unit))}".strip()
    if fact.canonical is not None and measurement.calculated:
        words += (
            f" (calculated: {escape(title)} {escape(fact.canonical.value)} {escape(fact.canonical.unit)})"
        )
    if not measurement.certain or measurement.status == "preliminary":
        words += f" ({escape(measurement.status)})"
    return words


def _by_date(results: Mapping[str, list[str]]) -> str:
    said, left = [], _MOST_RESULTS
    for on, words in results.items():
        kept = words[:left]
        left -= len(kept)
        if kept:
            said.append(f"{', '.join(kept)}, in range, {on}" if on else f"{', '.join(kept)}, in range")
    return "; ".join(said)
