"""The content's words are compiled once: what a code, a phrase or a medicine's name means, kind by kind."""

from __future__ import annotations

import msgspec
import pytest

from cds_service.fhir.shapes import CodeableConcept, Coding
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary, plain_name
from cds_service.model.definitions import Knowledge
from tests.unit.fhir.records import ICD10CM, RXNORM

LOOP = frozenset({"loop-diuretic"})


def concept(text: str | None = None, *codings: tuple[str, str]) -> CodeableConcept:
    """Return a concept."""
    return CodeableConcept(
        text=text, coding=[Coding(system=system, code=code) for system, code in codings] or None
    )


@pytest.mark.parametrize(
    ("words", "name"),
    [
        ("Furosemide 40 MG Oral Tablet", "Furosemide"),
        ("Furosemide (40 mg)", "Furosemide"),
        ("Furosemide40mg", "Furosemide"),
        ("Furosemide, 40 mg", "Furosemide"),
        ("Co-amilofruse 5/40", "Co-amilofruse"),
        ("Vitamin B12 1000 mcg", "Vitamin B12"),
        ("Vitamin B12", "Vitamin B12"),
        ("Magnesium (as oxide) 400 mg", "Magnesium (as oxide)"),
        ("furosemide 0.5 mg/mL", "furosemide"),
        ("40 mg furosemide", "medicine"),
        ("", "medicine"),
        (" , ", "medicine"),
    ],
)
def test_a_plain_name_has_no_strength(words: str, name: str) -> None:
    """Everything from the first number on is left out; a number that belongs to the name is not the first of those."""
    assert plain_name(words) == name


def test_presentations_stand_apart_from_value_sets(vocabulary: Vocabulary) -> None:
    """Both share one index of codes, with a prefix that no value set has."""
    names = vocabulary.problem_codes.names(concept(None, (ICD10CM, "R25.3")))
    assert names == {PRESENTATION + "fasciculation"}


def test_medicines_and_problems_do_not_mix(vocabulary: Vocabulary) -> None:
    """A drug's code is no problem and a problem's words are no drug."""
    assert vocabulary.problem_codes.names(concept(None, (RXNORM, "4603"))) == frozenset()
    assert vocabulary.medicine_names(concept("Leg weakness and cramps")) == (
        frozenset(),
        "Leg weakness and cramps",
        True,
    )


def test_a_medicine_has_one_answer_for_all_its_ways(vocabulary: Vocabulary) -> None:
    """By code the words do not matter; by words the ingredient is the name; unknown ones keep their plain name."""
    assert vocabulary.medicine_names(concept("Lasix", (RXNORM, "4603"))) == (
        LOOP,
        "furosemide",
        False,
    )
    assert vocabulary.medicine_names(concept("furosemide 20 mg")) == (LOOP, "furosemide", True)
    assert vocabulary.medicine_names(concept("Paracetamol 500 mg")) == (frozenset(), "Paracetamol", True)


def test_every_lab_has_its_units(knowledge: Knowledge, vocabulary: Vocabulary) -> None:
    """Codes and units of every lab are compiled under its own id."""
    assert set(vocabulary.units) == set(vocabulary.labs) == set(knowledge.labs)
    for name, lab in knowledge.labs.items():
        for ref in lab.codes:
            for row in knowledge.codes[ref.table, ref.key]:
                assert vocabulary.lab_codes.names(concept(None, (row.system, row.code))) == {name}


def test_urgent_orders_and_panels_are_known(vocabulary: Vocabulary) -> None:
    """What a routine request cannot answer, and what a panel covers."""
    assert vocabulary.urgent_orders == {"urgent-neurology"}
    assert vocabulary.order_covers["metabolic-panel"] == {"potassium", "sodium", "creatinine"}
    assert vocabulary.order_covers["ecg"] == frozenset()


def test_content_without_phrases_is_content(knowledge: Knowledge) -> None:
    """Nothing has to have words, codes or entries at all."""
    bare = Vocabulary(msgspec.structs.replace(knowledge, value_sets={}, presentations={}, labs={}, orders={}))
    assert bare.medicine_names(concept("furosemide")) == (frozenset(), "furosemide", True)
    assert bare.problem_text.find("cramp") == frozenset()
