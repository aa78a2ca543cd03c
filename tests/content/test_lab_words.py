"""The words of the labs agree with the names that the shipped codes carry."""

from __future__ import annotations

import csv
from datetime import date

import pytest

from cds_service.fhir.shapes import CodeableConcept, Coding
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.library import load
from tests.support.places import CARDS, TERMINOLOGY


@pytest.fixture(scope="module")
def vocabulary() -> Vocabulary:
    """The words of the content, compiled for reading."""
    return Vocabulary(load(CARDS, "test", date(2026, 11, 25)))


def test_no_shipped_name_contradicts_its_code(vocabulary: Vocabulary) -> None:
    """The name of a code in the tables never reads as another measurement, nor as a decoy of its own."""
    rows = list(csv.DictReader((TERMINOLOGY / "labs.csv").read_text(encoding="utf-8").splitlines()))
    wrong, seen = [], 0
    for row in rows:
        concept = CodeableConcept(
            coding=[Coding(system=row["system"], code=row["code"], display=row["display"])]
        )
        labs = vocabulary.lab_codes.names(concept)
        seen += bool(labs)
        wrong += [row["code"] for lab in labs if vocabulary.is_contradicted(lab, concept)]
    assert wrong == []
    assert seen > 100


def test_a_shipped_name_is_read_as_nothing_but_its_own_lab(vocabulary: Vocabulary) -> None:
    """Without its code, the name of a code in the tables leads to the lab of the code or to none."""
    rows = csv.DictReader((TERMINOLOGY / "labs.csv").read_text(encoding="utf-8").splitlines())
    wrong = []
    for row in rows:
        coded = vocabulary.lab_codes.names(
            CodeableConcept(coding=[Coding(system=row["system"], code=row["code"])])
        )
        in_words = vocabulary.labs_in_words(CodeableConcept(text=row["display"]))
        if not in_words <= coded:
            wrong.append((row["code"], row["display"]))
    assert wrong == []
