"""The lines about results that the table does not show: in range, abnormal, too old, in conflict; it judges none."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from cds_service.cards.markdown import escape
from cds_service.cards.wording import FindingNames, fact_cell, short_date, unit_words
from cds_service.model.decision import Reading
from cds_service.model.definitions import Lab
from cds_service.model.facts import Measurement

_MOST_RESULTS = 12
_LINE_OF_REMARK = {
    "flag-disagrees": "conflict",
    "before-onset": "before_onset",
    "not-by-itself": "not_by_itself",
}
_SEVERE = frozenset({"marked-low", "marked-high"})


class ResultLines:
    """Sorts the readings of one patient into lines."""

    def __init__(self, text: Mapping[str, str], labs: Mapping[str, Lab], names: FindingNames) -> None:
        """Keep the words."""
        self._text = text
        self._labs = labs
        self._names = names

    def write(self, readings: Mapping[str, Reading], shown: set[str | None]) -> list[str]:
        """Return the lines; results whose reference is in `shown` stand on the card already."""
        lines: dict[str, list[str]] = {}
        in_range: dict[str, list[str]] = {}
        for name, reading in readings.items():
            title = self._names.of(f"{name}-normal")
            if reading.stale is not None and reading.stale_bands & {"low", "high"}:
                line = "unrepeated" if self._is_unrepeated(reading) else "historical"
                lines.setdefault(line, []).append(_result(title, reading.stale))
            current = reading.current
            if current is None or current.fact.reference in shown:
                continue
            if reading.bands is None:
                open_line = _line_of(reading)
                if open_line is not None:
                    lines.setdefault(open_line, []).append(_result(title, current))
            elif "normal" in reading.bands:
                in_range.setdefault(short_date(current.fact.on), []).append(_short_result(title, current))
            else:
                lines.setdefault("other", []).append(_result(title, current))
            if "flag-disagrees" in reading.remarks:
                lines.setdefault("conflict", []).append(_result(title, current))
        if in_range:
            lines["done"] = [_by_date(in_range)]
        order = ("other", "done", "no_range", "conflict", "before_onset", "not_by_itself", "unrepeated", "historical")
        return [self._text[line].format(labs="; ".join(lines[line])) for line in order if line in lines]

    def _is_unrepeated(self, reading: Reading) -> bool:
        recent = (reading.stale_days or 0) <= self._labs[reading.lab].unrepeated_days
        return recent and bool(reading.stale_bands & _SEVERE)


def _line_of(reading: Reading) -> str | None:
    """Return the line for a result that could not be interpreted; None where another result speaks for it."""
    for remark in reading.remarks:
        if remark in _LINE_OF_REMARK:
            return _LINE_OF_REMARK[remark] if remark != "flag-disagrees" else None
    return "no_range" if not reading.remarks and not reading.superseded else None


def _result(title: str, measurement: Measurement) -> str:
    return fact_cell(msgspec.structs.replace(measurement.fact, what=title), emphasis=False)


def _short_result(title: str, measurement: Measurement) -> str:
    fact = measurement.fact
    words = f"{escape(title)} {escape(fact.value or '')} {escape(unit_words(fact.unit))}".strip()
    if fact.canonical is not None and measurement.calculated:
        words += f" (calculated {escape(fact.canonical.value)})"
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
