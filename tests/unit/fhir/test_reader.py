"""One request becomes one set of facts: what arrived, what is missing, and every reader's part of it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.envelope import HookRequest, decode_request
from cds_service.fhir.reader import read_facts
from cds_service.fhir.resources import KIND_OF_KEY
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import PatientFacts
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import (
    AS_OF,
    LOINC,
    PATIENT,
    PROBLEM_HOOK,
    SNOMED,
    VIEW_HOOK,
    asked,
    body,
    bundle,
    condition,
    encoded,
    examined,
    medicine,
    request,
    result,
)

KEYS = tuple(KIND_OF_KEY)
CRAMP = (SNOMED, "55300003")
WHOLE: dict[str, Any] = {
    "patient": {"resourceType": "Patient", "id": PATIENT, "birthDate": "1980-01-01", "gender": "female"},
    "problems": bundle(condition("p1", (SNOMED, "431857002")), condition("p2", (SNOMED, "82470000"))),
    "medications": bundle(medicine("MedicationRequest", "m1", "Furosemide 40 mg")),
    "medicationStatements": bundle(medicine("MedicationStatement", "m2", "Hydrochlorothiazide")),
    "labs": bundle(result("k1"), result("o9", loinc="718-7")),
    "vitals": bundle(),
    "exam": bundle(examined("e1", valueString="Strength normal; clonus at the ankle")),
    "socialHistory": None,
    "serviceRequests": bundle(asked("s1", (LOINC, "2823-3"))),
    "familyHistory": bundle(
        {
            "resourceType": "FamilyMemberHistory",
            "patient": {"reference": f"Patient/{PATIENT}"},
            "relationship": {"text": "Father"},
            "condition": [{"code": {"text": "Ataxia"}}],
        }
    ),
    "procedures": bundle(),
    "questionnaireResponses": bundle(),
}


def read(vocabulary: Vocabulary, call: HookRequest, trigger: str = "recorded-now") -> PatientFacts:
    """Return the facts of a request."""
    return read_facts(call, vocabulary, KEYS, trigger, AS_OF)


def test_every_reader_gives_its_part(vocabulary: Vocabulary) -> None:
    """A record with something under each key becomes facts of each kind, with nothing to remark."""
    facts = read(vocabulary, request(condition("c1", CRAMP), **WHOLE))
    assert (facts.patient_id, facts.encounter, facts.age, facts.sex) == (PATIENT, "e1", 46, "female")
    assert [each.types for each in facts.presentations] == [("cramp",)]
    assert [set(each.value_sets) for each in facts.conditions] == [{"severe-kidney-disease"}, {"clonus"}]
    assert [each.name for each in facts.medications] == ["furosemide", "hydrochlorothiazide"]
    assert [str(each.value) for each in facts.measurements["potassium"]] == ["2.8"]
    assert [(each.part, each.result) for each in facts.examinations] == [("strength", "normal")]
    assert [set(each.orders) for each in facts.placed_orders] == [{"potassium"}]
    assert [each.fact.what for each in facts.relatives] == ["Ataxia in Father"]
    assert facts.notes == ()


def test_what_arrived_is_told_by_kind(vocabulary: Vocabulary) -> None:
    """A kind has arrived when one of its keys was answered; null is an answer that says nothing."""
    facts = read(vocabulary, request(**WHOLE))
    assert facts.arrived == {
        "patient",
        "conditions",
        "medications",
        "labs",
        "vitals",
        "exam",
        "orders",
        "family",
        "procedures",
        "answers",
    }
    assert facts.missing_keys == ()
    one_of_two = read(vocabulary, request(medicationStatements=bundle(), medications=None))
    assert one_of_two.arrived == {"medications"}


def test_what_did_not_arrive_is_named(vocabulary: Vocabulary) -> None:
    """Advertised keys without an answer, and those whose answer failed, are missing; null arrived."""
    outcome = {"resourceType": "OperationOutcome"}
    facts = read(vocabulary, request(labs=outcome, problems=bundle(outcome), exam=None, vitals=bundle()))
    assert facts.missing_keys == tuple(key for key in KEYS if key not in {"exam", "vitals"})
    assert facts.arrived == {"vitals"}


def test_without_prefetch_everything_is_missing(vocabulary: Vocabulary) -> None:
    """The recorded problem is all there is."""
    call = decode_request(encoded(body()), PROBLEM_HOOK)
    facts = read(vocabulary, call)
    assert (facts.missing_keys, facts.arrived) == (KEYS, frozenset())
    assert [each.types for each in facts.presentations] == [("fasciculation",)]


@pytest.mark.parametrize(
    ("trigger", "hook", "types"),
    [("recorded-now", PROBLEM_HOOK, ["cramp"]), ("on-problem-list", VIEW_HOOK, ["fasciculation"])],
)
def test_the_trigger_chooses_the_presentation(
    vocabulary: Vocabulary, trigger: str, hook: str, types: list[str]
) -> None:
    """On recording a problem it is that problem, on opening the chart it is the problem list."""
    facts = read(vocabulary, request(condition("c1", CRAMP), hook=hook, **WHOLE), trigger)
    assert [name for each in facts.presentations for name in each.types] == types


def test_notes_of_all_stages_come_together(vocabulary: Vocabulary) -> None:
    """What the envelope, the layout and the readers could not use stands in one list, in that order."""
    call = body(
        prefetch={"labs": bundle(result("k1", unit=None), result("k2", subject={"reference": "Patient/p2"}))}
    )
    call["context"]["patientId"] = "Patient/p1"
    facts = read(vocabulary, decode_request(encoded(call), PROBLEM_HOOK))
    assert [note.code for note in facts.notes] == ["id-with-type", "other-patient", "unit-missing"]


def test_two_readings_are_the_same(vocabulary: Vocabulary) -> None:
    """Reading leaves no trace: the same request gives the same facts, also after another patient's."""
    first = read(vocabulary, request(condition("c1", CRAMP), **WHOLE))
    read(vocabulary, request(labs=bundle(result("k7", "9.9"))))
    assert read(vocabulary, request(condition("c1", CRAMP), **WHOLE)) == first


@settings(max_examples=80)
@given(st.data())
def test_any_json_in_the_record_is_read(vocabulary: Vocabulary, choose: st.DataObject) -> None:
    """Whatever stands in one element of one resource, facts come out, and the recorded problem stays."""
    record = json.loads(encoded(WHOLE))
    key = choose.draw(st.sampled_from(sorted(set(WHOLE) - {"socialHistory"})))
    target = record[key]
    if target["resourceType"] == "Bundle" and target["entry"]:
        target = choose.draw(st.sampled_from(target["entry"]))["resource"]
    for _step in range(choose.draw(st.integers(0, 3))):
        inner = [value for value in target.values() if isinstance(value, dict)]
        target = choose.draw(st.sampled_from(inner)) if inner else target
    target[choose.draw(st.sampled_from(sorted(target) or ["code"]))] = choose.draw(json_values())
    facts = read(vocabulary, request(condition("c1", CRAMP), **record))
    assert [each.types for each in facts.presentations] == [("cramp",)]
