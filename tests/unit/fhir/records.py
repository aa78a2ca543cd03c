"""Builds hook calls and FHIR resources of an invented patient for the tests of the reading layer; reads no file."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

from cds_service.fhir.envelope import HookRequest, decode_request
from cds_service.fhir.resources import Intake
from cds_service.model.facts import ReadingNote
from tests.support.json_text import to_json

AS_OF = datetime(2026, 6, 15, 10, tzinfo=UTC)
TODAY = AS_OF.date()
PATIENT = "p1"
INSTANCE = "d1577c69-dfbe-44ad-ba6d-3e05e953b2ea"
PROBLEM_HOOK = "problem-list-item-create"
VIEW_HOOK = "patient-view"

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
UCUM = "http://unitsofmeasure.org"

POTASSIUM, CALCIUM, TSH, CREATININE, EGFR = "2823-3", "17861-6", "3016-3", "2160-0", "98979-8"

Resource = dict[str, Any]


def body(hook: str = PROBLEM_HOOK, **members: Any) -> dict[str, Any]:
    """Return the JSON of a sound hook call; `members` replace or join the top-level ones."""
    context: dict[str, Any] = {"userId": "Practitioner/u1", "patientId": PATIENT, "encounterId": "e1"}
    if hook == PROBLEM_HOOK:
        context["conditions"] = bundle(condition("c1", text="Muscle twitching"))
    return {"hook": hook, "hookInstance": INSTANCE, "context": context, **members}


def encoded(value: Any) -> bytes:
    """Return JSON bytes in which a Decimal keeps its digits."""
    return to_json(value).encode()


def request(*recorded: Resource, hook: str = PROBLEM_HOOK, **prefetch: Any) -> HookRequest:
    """Return the checked request that records `recorded` and brings `prefetch`, decoded from bytes."""
    call = body(hook, prefetch=prefetch)
    if hook == PROBLEM_HOOK:
        call["context"]["conditions"] = bundle(*recorded)
    return decode_request(encoded(call), hook)


def intake(*recorded: Resource, **prefetch: Any) -> Intake:
    """Return the resources of such a request, laid out."""
    return Intake(request(*recorded, **prefetch))


def bundle(*resources: Resource, **members: Any) -> Resource:
    """Return a search result; a resource that already is an entry (`fullUrl`) is taken as it is."""
    entries = [each if "fullUrl" in each else {"resource": each} for each in resources]
    return {"resourceType": "Bundle", "type": "searchset", "entry": entries, **members}


def coded(*codings: tuple[str, str], text: str | None = None, display: str | None = None) -> Resource:
    """Return a CodeableConcept of (system, code) pairs."""
    concept: Resource = {"text": text} if text is not None else {}
    if codings:
        concept["coding"] = [
            {"system": system, "code": code, **({"display": display} if display else {})}
            for system, code in codings
        ]
    return concept


def condition(id_: str, *codings: tuple[str, str], text: str | None = None, **members: Any) -> Resource:
    """Return an active, confirmed Condition of the patient."""
    return _resource("Condition", id_) | {
        "clinicalStatus": coded(("http://terminology.hl7.org/CodeSystem/condition-clinical", "active")),
        "verificationStatus": coded(
            ("http://terminology.hl7.org/CodeSystem/condition-ver-status", "confirmed")
        ),
        "code": coded(*codings, text=text),
        **members,
    }


def quantity(value: str | None, unit: str | None = "mmol/L", **members: Any) -> Resource:
    """Return a Quantity with its digits as given."""
    made = {"value": None if value is None else Decimal(value), "unit": unit, **members}
    return {name: each for name, each in made.items() if each is not None}


def result(
    id_: str, value: str | None = "2.8", unit: str | None = "mmol/L", loinc: str = POTASSIUM, **members: Any
) -> Resource:
    """Return a final laboratory result of 12 June 2026; without `members` a potassium of 2.8 mmol/L."""
    made = _resource("Observation", id_) | {
        "status": "final",
        "category": [coded(("http://terminology.hl7.org/CodeSystem/observation-category", "laboratory"))],
        "code": coded((LOINC, loinc)),
        "effectiveDateTime": "2026-06-12",
        "valueQuantity": quantity(value, unit),
        **members,
    }
    return without(made)


def examined(id_: str, **members: Any) -> Resource:
    """Return a neurological examination of 12 June 2026."""
    made = _resource("Observation", id_) | {
        "status": "final",
        "category": [coded(("http://terminology.hl7.org/CodeSystem/observation-category", "exam"))],
        "code": {"text": "Neurological examination"},
        "effectiveDateTime": "2026-06-12",
        **members,
    }
    return without(made)


def medicine(
    kind: str, id_: str, text: str | None = None, *codings: tuple[str, str], **members: Any
) -> Resource:
    """Return a MedicationRequest or MedicationStatement."""
    made = _resource(kind, id_) | {
        "status": "active",
        "medicationCodeableConcept": coded(*codings, text=text),
        **members,
    }
    return without(made)


def asked(id_: str, *codings: tuple[str, str], text: str | None = None, **members: Any) -> Resource:
    """Return a ServiceRequest that is still open."""
    made = _resource("ServiceRequest", id_) | {
        "status": "active",
        "intent": "order",
        "code": coded(*codings, text=text),
        "authoredOn": "2026-06-14",
        **members,
    }
    return without(made)


def without(resource: Resource) -> Resource:
    """Return the resource less what is None: FHIR knows no null."""
    return {name: value for name, value in resource.items() if value is not None}


def notes_of(notes: Iterable[ReadingNote]) -> list[tuple[str, str]]:
    """Return (code, path) of every note."""
    return [(note.code, note.path) for note in notes]


def _resource(kind: str, id_: str) -> Resource:
    return {"resourceType": kind, "id": id_, "subject": {"reference": f"Patient/{PATIENT}"}}
