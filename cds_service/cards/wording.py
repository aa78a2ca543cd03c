"""Words for facts, dates and findings; every number keeps its unit and its date, no word is a verdict."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.cards.markdown import clean, escape
from cds_service.model.definitions import Knowledge
from cds_service.model.facts import BY_PATIENT, Fact

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_UNITS = {
    "umol/L": "µmol/L",
    "m[IU]/L": "mIU/L",
    "mL/min/{1.73_m2}": "mL/min/1.73 m²",
    "{INR}": "",
    "{score}": "",
    "mm[Hg]": "mmHg",
    "Cel": "°C",
    "[degF]": "°F",
    "/min": "/min",
}
_LONGEST_WHAT = 80
_MOST_NAMES = 3
_JUDGEMENTS = frozenset({"normal", "abnormal"})


def short_date(iso: str | None) -> str:
    """Return `12 Jun 2026`, `Jun 2026` or `2026` for an ISO date, month or year; empty for none."""
    if not iso:
        return ""
    year, _, rest = iso[:10].partition("-")
    if not rest:
        return year
    month, _, day = rest.partition("-")
    name = _MONTHS[int(month) - 1]
    return f"{int(day)} {name} {year}" if day else f"{name} {year}"


def unit_words(unit: str | None) -> str:
    """Return a unit as a person writes it."""
    return clean(_UNITS.get(unit or "", unit or ""))


def join(words: Iterable[str], last: str = " and ") -> str:
    """Return `a`, `a and b`, or `a, b and c`."""
    parts = [*dict.fromkeys(word for word in words if word)]
    if not parts:
        return ""
    *before, final = parts
    return f"{', '.join(before)}{last}{final}" if before else final


def lower_first(words: str) -> str:
    """Return words as they stand inside a sentence: `Vitamin B12` → `vitamin B12`, while `TSH` stays."""
    return words[:1].lower() + words[1:] if words[1:2].islower() else words


def fact_key(fact: Fact) -> str | int:
    """Return what tells a fact from others: its reference, or the object itself where the resource has no id."""
    return fact.reference or id(fact)


def is_measured(fact: Fact) -> bool:
    """Whether the fact is a number with a unit."""
    return fact.value is not None and fact.unit is not None


def value_words(fact: Fact) -> str:
    """Return value and unit as reported, with the converted value in brackets where a limit used it."""
    words = f"{clean(fact.value or '')} {unit_words(fact.unit)}".strip()
    if fact.canonical is not None:
        adjusted = "adjusted " if fact.note and fact.note.startswith("calculated") else ""
        words += f" [{adjusted}{fact.canonical.value} {unit_words(fact.canonical.unit)}]"
    return words


def lead_words(fact: Fact) -> str:
    """Return one fact as a summary opens with it: `Potassium 6.9 mmol/L (15 Jun 2026)`."""
    what = clean(fact.what)[:_LONGEST_WHAT]
    opening = what[:1].upper() + what[1:]
    on = short_date(fact.on)
    if fact.note == BY_PATIENT:
        on = f"reported {on}".strip()
    value = f" {value_words(fact)}" if is_measured(fact) else ""
    if fact.value in _JUDGEMENTS:
        value = f" {fact.value}"
    return f"{opening}{value}" + (f" ({on})" if on else "")


def fact_cell(fact: Fact, *, emphasis: bool) -> str:
    """Return one fact for a table cell or a line: escaped, with range and date."""
    what = escape(fact.what[:_LONGEST_WHAT])
    if is_measured(fact):
        number = escape(fact.value or "")
        shown = f"**{number}**" if emphasis and number else number
        words = f"{what} {shown} {escape(unit_words(fact.unit))}".strip()
        if fact.range:
            words += f" ({escape(fact.range)})"
        if fact.canonical is not None:
            calculated = bool(fact.note and fact.note.startswith("calculated"))
            value = f"{fact.canonical.value} {unit_words(fact.canonical.unit)}"
            words += f" \\[{'adjusted ' if calculated else ''}{escape(value)}\\]"
    else:
        if fact.value in _JUDGEMENTS:
            what = f"{what} {fact.value}"
        words = what + (
            " since" if fact.reference and fact.reference.startswith("Medication") and fact.on else ""
        )
        on = short_date(fact.on)
        joined = f"{words} {on}" if words.endswith(" since") else f"{words}, {on}" if on else words
        return joined + _marks(fact)
    on = short_date(fact.on)
    return (f"{words}, {on}" if on else words) + _marks(fact)


def _marks(fact: Fact) -> str:
    marks = ["by text"] if fact.by_text else []
    if fact.note:
        marks.append(_note_words(fact.note))
    if fact.value == "provisional":
        marks.append("provisional")
    return f" ({escape('; '.join(marks))})" if marks else ""


def _note_words(note: str) -> str:
    if note.startswith("ended "):
        return f"ended {short_date(note.removeprefix('ended '))}"
    return "status unknown" if note == "unknown" else note


class FindingNames:
    """What a finding is called when it is missing: the test's or the sign's name, never its direction."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Name every finding once."""
        names: dict[str, str] = {}
        for name, rule in knowledge.rules.items():
            names[name] = lower_first(rule.title)
        self._asked = frozenset(
            f"history-says-{word}"
            for questionnaire in knowledge.questionnaires.values()
            for item in questionnaire.every_item()
            for word in (item.says, *(option.says for option in item.options))
            if word is not None
        )
        for name, lab in knowledge.labs.items():
            title = lower_first(lab.title)
            for band in (
                "low",
                "normal",
                "high",
                "borderline",
                "calculated-only",
                "marked-low",
                "marked-high",
                "critical-low",
                "critical-high",
            ):
                names[f"{name}-{band}"] = title
        self._names: Mapping[str, str] = names

    def of(self, finding: str) -> str:
        """Return the name of one finding."""
        return self._names.get(finding, finding.replace("-", " "))

    def some(self, findings: Iterable[str], told: Iterable[str] = ()) -> str:
        """Return up to three distinct names, without those that the findings `told` bear as well.

        What only the patient can say is left out: the history questions on the card ask for it.
        """
        known = {self.of(finding) for finding in told}
        open_ones = dict.fromkeys(self.of(finding) for finding in findings if finding not in self._asked)
        return ", ".join([name for name in open_ones if name not in known][:_MOST_NAMES])
