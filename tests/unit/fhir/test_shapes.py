"""The shapes take in the versions and mistakes of FHIR that real records show, and skip all the rest."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest

from cds_service.fhir.shapes import CodeableConcept, Coding, Resource
from cds_service.fhir.words import category_codes, code_of, concepts, wording


def concept(text: str | None = None, *displays: str | None) -> CodeableConcept:
    """Return a concept with a text and displays."""
    return CodeableConcept(
        text=text, coding=[Coding(code="c", display=display) for display in displays] or None
    )


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, []),
        ([], []),
        (concept("a"), [concept("a")]),
        ([concept("a"), concept("b")], [concept("a"), concept("b")]),
    ],
)
def test_one_or_many_is_a_list(value: Any, expected: list[CodeableConcept]) -> None:
    """R4 has a list where other versions have one object."""
    assert concepts(value) == expected


@pytest.mark.parametrize(
    ("category", "expected"),
    [
        (None, []),
        ("exam", ["exam"]),
        ([], []),
        ({}, []),
        ({"text": "exam"}, ["exam"]),
        ({"coding": [{"system": "s", "code": "exam"}, {"display": "x"}], "text": "Exam"}, ["exam", "Exam"]),
        ([{"coding": [{"code": "survey"}]}, {"coding": [{"code": "exam"}]}], ["survey", "exam"]),
    ],
)
def test_a_category_is_its_codes_and_its_text(category: Any, expected: list[str]) -> None:
    """R4 has a list, other versions an object, and some clients a bare string."""
    resource = msgspec.json.decode(json.dumps({"category": category}), type=Resource)
    assert category_codes(resource.category) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, None),
        ("", None),
        (" ", None),
        ("Resolved", "resolved"),
        (" entered-in-error ", "entered-in-error"),
        (CodeableConcept(), None),
        (CodeableConcept(text=" Active"), "active"),
        (CodeableConcept(coding=[Coding(code=None), Coding(code=" ACTIVE ")], text="x"), "active"),
        (CodeableConcept(coding=[Coding(display="Active")]), None),
    ],
)
def test_a_status_is_one_lower_case_word(value: Any, expected: str | None) -> None:
    """The first code, else the text, of an object, or a bare string."""
    assert code_of(value) == expected


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, ""),
        (CodeableConcept(), ""),
        (concept("Leg  cramp\n at\tnight"), "Leg cramp at night"),
        (concept("Leg cramp", "Cramp"), "Leg cramp"),
        (concept("", "Cramp"), "Cramp"),
        (concept(None, None, "", "Cramp"), "Cramp"),
        (concept("x" * 500), "x" * 160),
        (concept(" "), ""),
    ],
)
def test_the_words_of_a_concept_are_one_short_line(value: Any, expected: str) -> None:
    """Its text, else its first display, on one line and cut."""
    assert wording(value) == expected


@pytest.mark.parametrize(
    "resource",
    [
        {"category": [{"coding": [{"code": "exam"}]}]},
        {"category": {"coding": [{"code": "exam"}]}},
        {"category": "exam"},
        {"clinicalStatus": "active", "verificationStatus": {"text": "confirmed"}},
        {"interpretation": {"text": "L"}},
        {"interpretation": [{"text": "L"}]},
        {"type": "searchset"},
        {"type": {"text": "normal"}},
        {"type": [{"text": "AMB"}]},
        {"valueQuantity": {"value": "2.80"}},
        {"valueQuantity": {"value": 2.8}},
        {"medication": {"concept": {"text": "x"}, "reference": {"reference": "y"}}},
        {"condition": [{"code": {"text": "x"}, "onsetAge": {"value": 4}}]},
    ],
    ids=json.dumps,
)
def test_the_forms_that_records_show_need_no_second_reading(resource: Any) -> None:
    """Every one of these decodes at once, so a record full of them costs no more than a plain one."""
    assert msgspec.json.decode(json.dumps(resource), type=Resource) != Resource()


def test_what_is_not_read_is_skipped() -> None:
    """Narratives, names and extensions never become objects."""
    rest = {"text": {"div": "<p/>"}, "name": [{"family": "x"}], "extension": [{"url": "u"}], "_status": {}}
    assert msgspec.json.decode(json.dumps(rest), type=Resource) == Resource()
