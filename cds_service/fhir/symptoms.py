"""Reads examinations, habits and signs from Observations; a part that nobody wrote down stays unknown."""

from __future__ import annotations

import re
from datetime import date

from cds_service.fhir.examination_text import (
    judgement_of,
    names_examination,
    part_named,
    read_examination_text,
)
from cds_service.fhir.habits import names_habit, read_habit
from cds_service.fhir.notebook import Placed, observed_on
from cds_service.fhir.resource_types import UNUSABLE
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import Category, Component, Resource
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.fhir.words import category_codes, value_text, wording
from cds_service.model.facts import Examination, Fact, RecordedCondition, SocialAmount, When

_EXAM_CODES = frozenset({"84728005", "225398001"})
"""SNOMED CT: neurological examination, neurological assessment."""
_EXAM_TITLE = "neurological examination"
_DENIAL = re.compile(
    r"^\W*(?:no|not|none|nil|never|neg|negative|absent|denie[sd]|without|false|0)\b|"
    r"\b(?:none|absent|negative|not (?:present|seen|found|elicited|detected|observed))\W*$",
    re.IGNORECASE,
)

_NEVER_READ = frozenset({"laboratory", "vital-signs", "imaging"})
_READ_CATEGORIES = frozenset({"exam", "social-history"})
_OTHER_CATEGORIES = frozenset(
    {
        *("lab", "procedure", "survey", "therapy", "activity", "sdoh", "functional-status"),
        *("disability-status", "cognitive-status", "clinical-test", "care-experience-preference"),
        *("treatment-intervention-preference", "patient-characteristics"),
    }
)
"""Categories of FHIR and US Core of which nothing is read here."""
_SEND_CATEGORY = "Send a code of observation-category; the words were not read."


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

    def read(self, observations: list[Placed]) -> None:
        """Read every one of the Observations that is an examination, a habit or a sign."""
        for placed in observations:
            resource = placed.resource
            if _is_plainly_else(resource.category):
                if resource.value_string or resource.value_codeable_concept:
                    self._read_words_of_result(placed)
                continue
            if (
                resource.value_string is None
                and resource.value_codeable_concept is None
                and resource.component is None
                and resource.category is None
            ):
                continue
            kind = _kind(resource)
            if kind is not None:
                self._read_one(placed, kind)
            elif _is_of_unknown_kind(resource):
                self._intake.note(
                    "information", "category-not-understood", f"{placed.path}.category", _SEND_CATEGORY
                )

    def _read_one(self, placed: Placed, kind: str) -> None:
        resource = placed.resource
        if (resource.status or "").strip().lower() in UNUSABLE:
            self._intake.note("information", "status-not-usable", f"{placed.path}.status", "It was not used.")
            return
        for part in (resource, *(resource.component or ())):
            if part.value_string:
                part.value_string = self._intake.bounded(part.value_string, f"{placed.path}.valueString")
        if kind == "exam":
            self._read_examination(placed)
        elif kind == "social-history":
            amount = read_habit(placed, self._intake)
            self.habits += [amount] if amount is not None else []
        self._read_signs(placed)

    def _read_examination(self, placed: Placed) -> None:
        resource = placed.resource
        when = observed_on(placed, self._intake)
        seen: set[str] = set()
        for component in resource.component or ():
            self._read_component(component, placed, when, seen)
        title = _EXAM_TITLE if _is_coded_examination(resource) else wording(resource.code)
        for part, result in read_examination_text(value_text(resource), title).items():
            if part not in seen:
                self._add(part, result, placed, when)

    def _read_component(self, component: Component, whole: Placed, when: When | None, seen: set[str]) -> None:
        name, value = wording(component.code), value_text(component)
        part = part_named(name)
        if part is None or not value:
            return
        result = judgement_of(value) or read_examination_text(value).get(part)
        if result is not None:
            seen.add(part)
            self._add(part, result, whole, when)

    def _add(self, part: str, result: str, placed: Placed, when: When | None) -> None:
        fact = Fact(
            what=f"{part} on examination",
            reference=placed.reference,
            value=result,
            on=when.text if when else None,
        )
        self.examinations.append(Examination(part=part, result=result, fact=fact, on=when))

    def _read_signs(self, placed: Placed) -> None:
        """Read signs from the text of an examination or history; a code of the Observation counts as a code."""
        resource = placed.resource
        by_code = self._vocabulary.problem_codes.names(resource.value_codeable_concept)
        asked = self._vocabulary.problem_codes.names(resource.code)
        if asked and not by_code:
            by_code = asked if self._is_affirmed(placed) else by_code
        texts = (value_text(resource), *(value_text(component) for component in resource.component or ()))
        text = "; ".join(each for each in texts if each)
        by_text = self._vocabulary.problem_text.find(text)
        sets = frozenset(name for name in by_code | by_text if not name.startswith(PRESENTATION))
        if not sets:
            return
        when = observed_on(placed, self._intake)
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
                    reference=placed.reference,
                    value=wording(resource.code) or None,
                    on=when.text if when else None,
                    by_text=not (sets & by_code),
                ),
            )
        )

    def _read_words_of_result(self, placed: Placed) -> None:
        """Read signs from a laboratory result in words, such as a culture or a dipstick, with the test's name."""
        resource = placed.resource
        if (resource.status or "").strip().lower() in UNUSABLE or "laboratory" not in category_codes(
            resource.category
        ):
            return
        test, value = wording(resource.code), value_text(resource)
        text = f"{test}: {self._intake.bounded(value, f'{placed.path}.valueString')}"
        by_text = self._vocabulary.problem_text.find(text)
        sets = frozenset(name for name in by_text if not name.startswith(PRESENTATION))
        if not sets:
            return
        when = observed_on(placed, self._intake)
        fact = Fact(
            what=" ".join(text.split())[:120],
            reference=placed.reference,
            value=test or None,
            on=when.text if when else None,
            by_text=True,
        )
        self.signs.append(
            RecordedCondition(
                value_sets=sets, by_text=sets, active=True, firm=True, onset=None, recorded=when, fact=fact
            )
        )

    def _is_affirmed(self, placed: Placed) -> bool:
        """Whether an Observation that is coded as a sign says that the sign is there."""
        resource = placed.resource
        if resource.value_boolean is False or resource.value_integer == 0:
            return False
        text = value_text(resource)
        if not text and resource.value_codeable_concept is not None:
            self._intake.note("information", "value-missing", placed.path, "Send the words of the value.")
            return False
        return not text or not (_DENIAL.search(text) or judgement_of(text) == "normal")


def _is_plainly_else(category: list[Category | str] | Category | str | None) -> bool:
    """Whether an Observation is filed under one kind that is never read here, as most of a long record are."""
    only = category[0] if isinstance(category, list) and len(category) == 1 else category
    if not isinstance(only, Category):
        return False
    codes = only.coding
    return codes is not None and len(codes) == 1 and codes[0].code in _NEVER_READ


def _kind(resource: Resource) -> str | None:
    for category in category_codes(resource.category):
        if category in _READ_CATEGORIES:
            return category
    code = resource.code
    if code is not None:
        if _is_coded_examination(resource):
            return "exam"
        if resource.category is None and code.text and names_examination(code.text):
            return "exam"
    return None


def _is_of_unknown_kind(resource: Resource) -> bool:
    """Whether an Observation in words is filed under categories that nobody knows."""
    is_in_words = resource.value_string or resource.value_codeable_concept or resource.component
    if not is_in_words and not names_habit(resource):
        return False
    codes = {code.strip().lower() for code in category_codes(resource.category)}
    return resource.category is not None and not codes & (_OTHER_CATEGORIES | _NEVER_READ | _READ_CATEGORIES)


def _is_coded_examination(resource: Resource) -> bool:
    code = resource.code
    return code is not None and any(coding.code in _EXAM_CODES for coding in code.coding or ())
