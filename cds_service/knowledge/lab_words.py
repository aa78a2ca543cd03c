"""Says limits, ranges and windows of a measurement in plain words with their unit; it compares nothing."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from cds_service.model.definitions import Lab
from cds_service.model.parts import Limit, ReferenceRange

BAND_WORDS: Mapping[str, str] = {
    "critical-low": "critically low",
    "critical-high": "critically high",
    "marked-low": "markedly low",
    "marked-high": "markedly high",
    "calculated-only": "known only by calculation",
    "borderline": "in the borderline zone",
    "normal": "in range",
    "low": "below range",
    "high": "above range",
}
"""Longest first, so that a finding is taken apart in one way only."""
_UNITS = {
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "umol/L": "µmol/L",
    "m[IU]/L": "mIU/L",
    "mm[Hg]": "mmHg",
    "kg/m2": "kg/m²",
    "Cel": "°C",
    "{INR}": "",
    "{score}": "",
}
_SIDES = (("below", "below {}"), ("at_most", "{} or less"), ("above", "above {}"), ("at_least", "{} or more"))


def unit_words(unit: str) -> str:
    """Return a unit as a person writes it."""
    return _UNITS.get(unit, unit)


def band_of(finding: str, labs: Mapping[str, Lab]) -> tuple[str, str] | None:
    """Return (lab, band) of a finding that a measurement yields."""
    for band in BAND_WORDS:
        lab = finding.removesuffix(f"-{band}")
        if lab != finding and lab in labs:
            return lab, band
    return None


def band_words(lab: Lab, band: str) -> str:
    """Return a measurement in one band, with what sets the band: `potassium markedly low (below 3.0 mmol/L)`."""
    title = lab.title if lab.title[1:2].isupper() else lab.title[:1].lower() + lab.title[1:]
    words = f"{title} {BAND_WORDS.get(band, band.replace('-', ' '))}"
    if band in lab.limits:
        flagged = (
            " or by the laboratory's critical flag"
            if band.startswith("critical") and lab.critical_flags
            else ""
        )
        return f"{words} ({limit_words(lab.limits[band], lab.unit)}{flagged})"
    if band in {"low", "normal", "high"} and lab.default_ranges:
        return f"{words} (default {ranges_words(lab)})"
    if band == "borderline" and lab.borderline is not None:
        return f"{words} ({_range_words(lab.borderline)} {unit_words(lab.unit)})"
    return words


def limit_words(limit: Limit, unit: str) -> str:
    """Return one limit: its side, its number, its unit, and where another one holds."""
    shown = unit_words(unit)
    words = ""
    for side, text in _SIDES:
        number = getattr(limit, side)
        if number is not None:
            words = text.format(f"{number} {shown}".strip())
    if limit.times_upper is not None:
        known = f"above {limit.times_upper} times the upper limit"
        words = f"{known}, or {words} where no upper limit is known" if words else known
    for other in limit.instead:
        while_true = other.when.replace("-", " ")
        words += (
            f"; {other.value} {shown} when {while_true}".rstrip()
            if other.value is not None
            else f"; not used when {while_true}"
        )
    return words


def ranges_words(lab: Lab) -> str:
    """Return the default range or ranges with their unit."""
    said = [(f"{one.sex} " if one.sex else "") + _range_words(one) for one in lab.default_ranges]
    return f"{'; '.join(said)} {unit_words(lab.unit)}".strip()


def _range_words(one: ReferenceRange) -> str:
    if one.low is None:
        return f"up to {one.high}"
    return f"from {one.low}" if one.high is None else f"{one.low}–{one.high}"


def limit_lines(lab: Lab) -> Iterator[tuple[str, str]]:
    """Yield (what, words) for everything that places a result of this measurement."""
    default = ranges_words(lab) if lab.default_ranges else "none; only the laboratory's own range or flag"
    yield "Default range (adults, not pregnant)", default
    for band in ("critical-low", "marked-low", "borderline", "marked-high", "critical-high"):
        if band in lab.limits:
            yield BAND_WORDS[band].capitalize(), limit_words(lab.limits[band], lab.unit)
        elif band == "borderline" and lab.borderline is not None:
            yield "Borderline", f"{_range_words(lab.borderline)} {unit_words(lab.unit)}"
    if lab.own_range_reaches is not None:
        yield "The laboratory's own range is used only if it reaches", f"{lab.own_range_reaches}"
    if lab.text is not None:
        words, decoys = (", ".join(each).replace("*", "…") for each in (lab.text.match, lab.text.unless))
        yield "Recognized without a code by", f"{words}; not with: {decoys}"
    yield "Believed only", f"{_range_words(lab.plausible)} {unit_words(lab.unit)}".strip()


def window_lines(lab: Lab) -> Iterator[str]:
    """Yield one sentence for each window and condition under which results speak."""
    yield f"A result speaks for {lab.fresh_days} days; repeated no sooner than after {lab.retest_hours} hours."
    for window in lab.shorter_windows:
        event = " A normal result from before it excludes nothing." if window.from_its_date else ""
        yield f"{window.days} days when {window.when.replace('-', ' ')}: {window.because}{event}"
    for longer in getattr(lab, "longer_windows", ()):
        yield f"{longer.days} days when {longer.when.replace('-', ' ')}: {longer.because}"
    if lab.before_onset_days is not None:
        yield f"A normal result taken more than {lab.before_onset_days} days before the onset excludes nothing."
    if lab.unrepeated_days:
        yield f"A marked result that is too old is pointed out as not repeated for {lab.unrepeated_days} days."
    if lab.critical_flags:
        yield "The laboratory's own critical flag makes it critical."
    if lab.own_range_when:
        yield f"No default range when {' or '.join(name.replace('-', ' ') for name in lab.own_range_when)}."
    if lab.from_age is not None:
        yield f"Under the age of {lab.from_age} only the laboratory's own range or flag counts."
    if lab.yields_to is not None:
        yield f"It says nothing where {lab.yields_to.replace('-', ' ')} can be interpreted."
    if lab.derived is not None:
        by = lab.derived
        yield (
            f"Where the laboratory sends none it is calculated from {by.from_lab.replace('-', ' ')} and "
            f"{by.adjust_by.replace('-', ' ')} of one sample (within {by.same_sample_hours} hours): "
            f"result + {by.slope} × ({by.reference} - {by.adjust_by.replace('-', ' ')}); not when "
            f"{' or '.join(name.replace('-', ' ') for name in by.not_when)}."
        )
