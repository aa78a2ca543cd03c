"""Reads examinations, habits and signs from Observations; a part that nobody wrote down stays unknown."""

from __future__ import annotations

import re
from datetime import date
from decimal import Decimal

from cds_service.fhir.dates import read_when
from cds_service.fhir.resources import Intake, Placed
from cds_service.fhir.shapes import CodeableConcept, Component, Resource, concepts, wording
from cds_service.fhir.text import is_negated
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.model.facts import Examination, Fact, RecordedCondition, SocialAmount, When

_EXAM_CODES = frozenset({"84728005", "225398001"})
"""SNOMED CT: neurological examination, neurological assessment."""
_EXAM_TEXT = re.compile(
    r"\b(?:neurolog\w*|motor|muscle)\s+(?:exam\w*|assessment)\b|\bexamination\b", re.IGNORECASE
)

_PARTS = {
    "strength": re.compile(r"\b(?:strength|power|weak\w*|paresis)\b", re.IGNORECASE),
    "bulk": re.compile(r"\b(?:bulk|wast(?:ing|ed)|atroph\w*)\b", re.IGNORECASE),
    "reflexes": re.compile(r"\b(?:reflex(?:es)?|hyperreflexia|areflexia)\b", re.IGNORECASE),
    "tone": re.compile(r"\b(?:tone|rigid\w*|spastic\w*)\b", re.IGNORECASE),
}
_SIGN_WORDS = re.compile(
    r"\b(?:weak(?:ness)?|paresis|wast(?:ing|ed)|atroph\w*|hyperreflexia|areflexia|rigid\w*|spastic\w*)\b",
    re.IGNORECASE,
)
_ABNORMAL = re.compile(
    r"\b(?:abnormal|reduced|decreased|diminished|absent|increased|brisk|hyperactive|impaired|loss|lost|poor|"
    r"raised|high|low|[0-4](?:[+-])?/5)\b",
    re.IGNORECASE,
)
_NORMAL = re.compile(r"\b(?:normal|intact|full|unremarkable|symmetric(?:al)?|5/5|2\+)\b", re.IGNORECASE)
_NOT_NORMAL = re.compile(r"\bnot\s+(?:\w+\s+)?(?:normal|intact|full)\b|\babnormal\b", re.IGNORECASE)
_SEGMENT = re.compile(r"[;.\n]|\bbut\b")

_HABITS = {
    "caffeine": re.compile(r"\b(?:caffeine|coffee)\b", re.IGNORECASE),
    "sleep": re.compile(r"\bsleep\b", re.IGNORECASE),
    "alcohol": re.compile(r"\balcohol\b", re.IGNORECASE),
}
_PER = re.compile(r"(?:/|\bper\b|\ba\b|\beach\b)\s*(day|d|night|week|wk)\b", re.IGNORECASE)
_AMOUNT_WORDS = {
    "caffeine": re.compile(r"drink|cup|serving|coffee", re.IGNORECASE),
    "sleep": re.compile(r"^\s*\{?(?:h|hr|hrs|hour|hours)\b", re.IGNORECASE),
    "alcohol": re.compile(r"unit|drink", re.IGNORECASE),
}
_WANTED_SPAN = {"caffeine": "day", "sleep": "day", "alcohol": "week"}
_UNIT_SHOWN = {"caffeine": "drinks/day", "sleep": "h/night", "alcohol": "units/week"}
_DAYS = {"day": Decimal(1), "d": Decimal(1), "night": Decimal(1), "week": Decimal(7), "wk": Decimal(7)}
_UNUSABLE = frozenset({"entered-in-error", "cancelled", "registered"})


class SymptomReader:
    """Reads what Observations say apart from results."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self.examinations: list[Examination] = []
        self.habits: list[SocialAmount] = []
        self.signs: list[RecordedCondition] = []

    def read(self) -> None:
        """Read every Observation that is an examination, a habit or a sign."""
        lab_names = self._vocabulary.lab_codes.names
        for placed in self._intake.of("Observation"):
            resource = placed.resource
            if (
                resource.value_string is None
                and resource.value_codeable_concept is None
                and resource.component is None
                and resource.category is None
            ):
                continue
            kind = _kind(resource)
            if kind is None or lab_names(resource.code):
                continue
            if (resource.status or "").strip().lower() in _UNUSABLE:
                self._intake.note(
                    "information", "status-not-usable", f"{placed.path}.status", "It was not used."
                )
                continue
            if kind == "exam":
                self._read_examination(resource)
            elif kind == "social-history":
                self._read_habit(placed)
            self._read_signs(resource)

    def _read_examination(self, resource: Resource) -> None:
        when = _when(resource)
        seen: set[str] = set()
        for component in resource.component or ():
            self._read_component(component, resource, when, seen)
        for part, result in read_examination_text(value_text(resource), wording(resource.code)).items():
            if part not in seen:
                self._add(part, result, resource, when)

    def _read_component(
        self, component: Component, whole: Resource, when: When | None, seen: set[str]
    ) -> None:
        name, value = wording(component.code), value_text(component)
        part = next((part for part, pattern in _PARTS.items() if pattern.search(name)), None)
        if part is None or not value:
            return
        result = _judgement(value)
        if result is not None:
            seen.add(part)
            self._add(part, result, whole, when)

    def _add(self, part: str, result: str, resource: Resource, when: When | None) -> None:
        fact = Fact(
            what=f"examination: {part}",
            reference=f"Observation/{resource.id}" if resource.id else None,
            value=result,
            on=when.text if when else None,
        )
        self.examinations.append(Examination(part=part, result=result, fact=fact, on=when))

    def _read_habit(self, placed: Placed) -> None:
        resource = placed.resource
        words = wording(resource.code)
        item = next((item for item, pattern in _HABITS.items() if pattern.search(words)), None)
        quantity = resource.value_quantity
        if item is None or quantity is None or quantity.value is None:
            return
        unit = (quantity.unit or quantity.code or "").strip()
        amount = _amount(item, quantity.value, unit, words)
        if amount is None:
            self._intake.note(
                "warning", "unit-not-understood", f"{placed.path}.valueQuantity", f"Send {_UNIT_SHOWN[item]}."
            )
            return
        when = _when(resource)
        self.habits.append(
            SocialAmount(
                item=item,
                amount=amount,
                fact=Fact(
                    what=item,
                    reference=f"Observation/{resource.id}" if resource.id else None,
                    value=format(quantity.value, "f"),
                    unit=unit,
                    on=when.text if when else None,
                ),
            )
        )

    def _read_signs(self, resource: Resource) -> None:
        """Read signs from the text of an examination or history; a code of the Observation counts as a code."""
        by_code = self._vocabulary.problem_codes.names(resource.code) | self._vocabulary.problem_codes.names(
            resource.value_codeable_concept
        )
        text = value_text(resource)
        by_text = self._vocabulary.problem_text.find(text)
        if by_code and text and _judgement(text) == "normal":
            by_code = frozenset()
        sets = frozenset(name for name in by_code | by_text if not name.startswith(PRESENTATION))
        if not sets:
            return
        when = _when(resource)
        self.signs.append(
            RecordedCondition(
                value_sets=sets,
                by_text=sets - by_code,
                active=True,
                firm=True,
                onset=None,
                recorded=when,
                fact=Fact(
                    what=" ".join((text or wording(resource.code)).split())[:120],
                    reference=f"Observation/{resource.id}" if resource.id else None,
                    value=wording(resource.code) or None,
                    on=when.text if when else None,
                    by_text=not (sets & by_code),
                ),
            )
        )


def _kind(resource: Resource) -> str | None:
    for concept in concepts(resource.category):
        for coding in concept.coding or ():
            if coding.code in {"exam", "social-history"}:
                return coding.code
        if concept.text in {"exam", "social-history"}:
            return concept.text
    code = resource.code
    if code is not None:
        if any(coding.code in _EXAM_CODES for coding in code.coding or ()):
            return "exam"
        if resource.category is None and code.text and _EXAM_TEXT.search(code.text):
            return "exam"
    return None


def value_text(part: Resource | Component) -> str:
    """Return the words of a value: valueString, or the words of valueCodeableConcept."""
    if part.value_string:
        return part.value_string
    value: CodeableConcept | None = part.value_codeable_concept
    return wording(value)


def _when(resource: Resource) -> When | None:
    period = resource.effective_period
    return (
        read_when(resource.effective_date_time)
        or read_when((period.end or period.start) if period else None)
        or read_when(resource.issued)
    )


def _judgement(text: str) -> str | None:
    if _NOT_NORMAL.search(text) or _ABNORMAL.search(text):
        return "abnormal"
    if _NORMAL.search(text):
        return "normal"
    return None


def read_examination_text(text: str, title: str = "") -> dict[str, str]:
    """Return part → normal or abnormal for what the text of an examination states.

    "Strength, bulk, reflexes and tone normal" states all four; "neurological examination normal" states all four
    as well; "wasting of the hand; brisk reflexes" states two abnormal parts; what is not named is not returned.
    """
    found: dict[str, str] = {}
    for segment in _SEGMENT.split(text):
        parts = [part for part, pattern in _PARTS.items() if pattern.search(segment)]
        judgement = _judgement(segment)
        if not parts:
            whole = _EXAM_TEXT.search(segment) or (_EXAM_TEXT.search(title) and segment.strip())
            if whole and judgement == "normal":
                for part in _PARTS:
                    found.setdefault(part, "normal")
            continue
        for part in parts:
            result = _part_result(segment, part, judgement)
            if result is not None and found.get(part) != "abnormal":
                found[part] = result
    return found


def _part_result(segment: str, part: str, judgement: str | None) -> str | None:
    """Judge one part in its segment; a sign word ("wasting") states an abnormal part unless it is denied."""
    for word in _SIGN_WORDS.finditer(segment):
        if _PARTS[part].search(word.group()):
            return "normal" if is_negated(segment, word.start(), word.end()) else "abnormal"
    if judgement == "abnormal" and _NORMAL.search(segment):
        pieces = [piece for piece in segment.split(",") if _PARTS[part].search(piece)]
        return _judgement(pieces[0]) if pieces else judgement
    return judgement


def _amount(item: str, value: Decimal, unit: str, words: str) -> Decimal | None:
    """Return the habit per day or week; None when the unit does not tell."""
    if not _AMOUNT_WORDS[item].search(unit):
        return None
    per = _PER.search(unit) or _PER.search(words)
    if per is None:
        return None
    span = _DAYS[per.group(1).lower()]
    wanted = _DAYS[_WANTED_SPAN[item]]
    return value * wanted / span
