"""The same patient in DSTU2, STU3, R4 and R5 is the same patient: facts, argument and cards are the same."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.envelope import decode_request
from cds_service.fhir.reader import read_facts
from cds_service.model.decision import Decision
from cds_service.pipeline import decide, respond
from tests.support.case_files import SECTIONS, Case, whole_patients
from tests.support.json_text import from_json, to_json
from tests.support.patients import hook_request, subject_of
from tests.support.reasoning import reasoner, service_of
from tests.support.resources import Resource, coded
from tests.support.versions import VERSIONS, request_in_version

AS_OF = datetime(2026, 6, 15, 10, tzinfo=UTC)
_OTHER_NAMES = {
    "MedicationOrder/": "MedicationRequest/",
    "DiagnosticOrder/": "ServiceRequest/",
    "ProcedureRequest/": "ServiceRequest/",
}
_OTHER_WORDS = {"requested": "active", "stopped": "completed", "suspended": "on-hold"}
"""What R4 says in place of the words of another version for the status of a medicine or a request."""


def _in_words_of_r4(text: str) -> str:
    for theirs, ours in _OTHER_NAMES.items():
        text = text.replace(theirs, ours)
    return text


def _facts(request: dict[str, Any]) -> dict[str, Any]:
    """Return everything that is read from a call, with the names that differ between versions made one."""
    hook = request["hook"]
    facts = read_facts(
        decode_request(to_json(request).encode(), hook),
        reasoner().vocabulary,
        tuple(request["prefetch"]),
        service_of(hook).trigger,
        AS_OF,
    )
    text = msgspec.json.encode(facts, order="deterministic").decode()
    read: dict[str, Any] = msgspec.json.decode(_in_words_of_r4(text))
    asked = [one["asked"] for one in read["drafts"] if one["asked"]]
    for one in (*read["medications"], *read["placed_orders"], *asked):
        one["fact"]["value"] = _OTHER_WORDS.get(one["fact"]["value"], one["fact"]["value"])
    return read


def _decision(request: dict[str, Any]) -> Decision:
    hook = request["hook"]
    read = decode_request(to_json(request).encode(), hook)
    return decide(read, service_of(hook), reasoner(), AS_OF)


def _argument(decision: Decision) -> dict[str, Any]:
    """Return ranking, red flags, workup and treatment with everything that argues for them, as plain values."""
    stages = (
        decision.ranking,
        decision.red_flags,
        decision.not_assessed,
        decision.workup,
        decision.treatment,
        decision.level,
    )
    return {
        "stages": _with_one_word(msgspec.json.decode(_in_words_of_r4(msgspec.json.encode(stages).decode())))
    }


def _cards(decision: Decision) -> Any:
    """Return the answer as sent, uuids aside."""
    return _with_one_word(
        _without_uuids(from_json(_in_words_of_r4(respond(decision.cards, decision.extension).decode())))
    )


def _with_one_word(value: Any) -> Any:
    """Return a copy in which the status of a medicine or a request is said in the word of R4."""
    if isinstance(value, list):
        return [_with_one_word(each) for each in value]
    if not isinstance(value, dict):
        return value
    kind = str(value.get("reference", "")).partition("/")[0]
    copy = {name: _with_one_word(each) for name, each in value.items()}
    if kind in {"MedicationRequest", "MedicationStatement", "ServiceRequest"} and "value" in copy:
        copy["value"] = _OTHER_WORDS.get(copy["value"], copy["value"])
    return copy


def _without_uuids(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _without_uuids(each) for name, each in value.items() if name not in {"uuid", "see"}}
    return [_without_uuids(each) for each in value] if isinstance(value, list) else value


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", whole_patients(), ids=lambda case: case["id"])
def test_every_version_says_the_same_of_a_patient(case: Case, version: str) -> None:
    """Facts, dates, presentations and notes are those of R4."""
    request = hook_request(case)
    assert _facts(request_in_version(request, version)) == _facts(request)


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", whole_patients(), ids=lambda case: case["id"])
def test_every_version_gets_the_same_decision(case: Case, version: str) -> None:
    """Ranking with its arguments, red flags, workup, treatment and every word of every card are those of R4."""
    request = hook_request(case)
    ours, theirs = _decision(request), _decision(request_in_version(request, version))
    assert _argument(theirs) == _argument(ours)
    assert _cards(theirs) == _cards(ours)


def _rows(section: str) -> list[Any]:
    """Return every row of a section of every case, from which patients are put together."""
    return [row for case in whole_patients() for row in case.get(section, ())]


_FEWER = {"labs": 8, "conditions": 5, "medications": 5, "answers": 6}
_ALLERGY_STATES = [
    ("active", "confirmed"),
    ("resolved", "confirmed"),
    ("active", "refuted"),
    ("active", None),
]
_DRUGS = ["hydrochlorothiazide", "baclofen", "tizanidine", "furosemide", "atorvastatin"]


@st.composite
def _patients(draw: st.DrawFn) -> Case:
    """Return a patient put together from rows of all cases: what never stood together stands together here."""
    case: Case = {**whole_patients()[0], "expect": {}, "id": "Z00"}
    for section in SECTIONS:
        pool = _rows(section)
        least = 1 if section == "recording" else 0
        many = st.lists(st.sampled_from(pool), min_size=least, max_size=_FEWER.get(section, 2))
        case[section] = draw(many, label=section)
    return case


def _allergy(number: int, drug: str, clinical: str, verification: str | None, case: Case) -> Resource:
    states = {"clinicalStatus": coded("allergyintolerance-clinical", clinical)}
    if verification is not None:
        states["verificationStatus"] = coded("allergyintolerance-verification", verification)
    return {
        "resourceType": "AllergyIntolerance",
        "id": f"allergy-{number}",
        "type": "intolerance",
        **states,
        "code": {"text": drug},
        "patient": subject_of(case).reference,
    }


def _refers_to_its_product(medicine: Resource) -> Resource:
    """Return the same order by reference to a contained Medication, which names only its ingredient."""
    concept = medicine["medicationCodeableConcept"]
    rest = {name: value for name, value in medicine.items() if name != "medicationCodeableConcept"}
    product = {"resourceType": "Medication", "id": "m", "ingredient": [{"itemCodeableConcept": concept}]}
    return {**rest, "contained": [product], "medicationReference": {"reference": "#m"}}


@settings(max_examples=80)
@given(
    case=_patients(),
    allergies=st.lists(st.tuples(st.sampled_from(_DRUGS), st.sampled_from(_ALLERGY_STATES)), max_size=3),
    by_reference=st.booleans(),
    version=st.sampled_from(VERSIONS),
)
def test_every_version_of_any_patient_gets_the_same_decision(
    case: Case, allergies: list[tuple[str, tuple[str, str | None]]], by_reference: bool, version: str
) -> None:
    """The same holds for patients put together at random, with allergies and medicines by reference."""
    request = hook_request(case)
    entries = [
        {"resource": _allergy(number, drug, *states, case)} for number, (drug, states) in enumerate(allergies)
    ]
    request["prefetch"]["allergies"] = {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    if by_reference:
        for entry in request["prefetch"]["medications"].get("entry", ()):
            entry["resource"] = _refers_to_its_product(entry["resource"])
    other = request_in_version(request, version)
    assert _facts(other) == _facts(request)
    ours, theirs = _decision(request), _decision(other)
    assert _argument(theirs) == _argument(ours)
    assert _cards(theirs) == _cards(ours)
