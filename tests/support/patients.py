"""Turns a case into a CDS Hooks request and a plain FHIR bundle; never differs from one run to the next."""

from __future__ import annotations

import uuid
from collections.abc import Callable, Iterator
from typing import Any

from tests.support import answers, observations, resources
from tests.support.case_files import Case
from tests.support.resources import Resource, Row, Subject

AS_OF_EXTENSION = "org.spasm-cds.as-of"
FHIR_BASE = "https://ehr.example.org/fhir"

_Builder = Callable[[Row, Subject, str], Resource]
# Prefetch key: section of the case, word in the resource ids, builder.
_SECTION_OF_KEY: dict[str, tuple[str, str, _Builder]] = {
    "problems": ("conditions", "condition", resources.condition),
    "labs": ("labs", "lab", observations.lab),
    "vitals": ("vitals", "vital", observations.vital),
    "exam": ("exam", "exam", observations.examination),
    "socialHistory": ("social", "habit", observations.habit),
    "serviceRequests": ("orders", "order", resources.service_request),
    "familyHistory": ("family", "family", resources.family_member),
    "procedures": ("procedures", "procedure", resources.procedure),
}
_PREFETCH_ORDER = (
    "problems",
    "medications",
    "medicationStatements",
    "labs",
    "vitals",
    "exam",
    "socialHistory",
    "serviceRequests",
    "familyHistory",
    "procedures",
    "questionnaireResponses",
)


def subject_of(case: Case) -> Subject:
    """Return whom the case is about."""
    stem = case["id"].lower()
    return Subject(patient_id=f"{stem}-patient", encounter_id=f"{stem}-encounter", as_of=case["as_of"])


def _ids(stem: str, kind: str) -> Iterator[str]:
    number = 1
    while True:
        yield f"{stem}-{kind}-{number}"
        number += 1


def _built(case: Case, kind: str, rows: list[Row], build: _Builder) -> list[Resource]:
    ids = _ids(case["id"].lower(), kind)
    subject = subject_of(case)
    return [build(row, subject, next(ids)) for row in rows]


def recorded_conditions(case: Case) -> list[Resource]:
    """Return the Conditions that the clinician has just recorded."""
    subject = subject_of(case)
    ids = _ids(case["id"].lower(), "recorded")
    rows = case.get("recording", ())
    return [resources.condition(row, subject, next(ids), recorded_now=True) for row in rows]


def drafts(case: Case) -> list[Resource]:
    """Return the orders that the clinician is about to place; a reason leads to the problem it names."""
    rows = case.get("drafts", [])
    ids = _ids(case["id"].lower(), "draft")
    return [
        resources.draft(row, subject_of(case), row.get("id", next(ids)), _reason(case, row)) for row in rows
    ]


def _reason(case: Case, row: Row) -> str | None:
    return f"Condition/{case['id'].lower()}-{row['for']}" if "for" in row else None


def _selected(case: Case, found: list[Resource]) -> list[str]:
    """Return the references of the selected drafts; they are numbered from 1."""
    chosen = (found[int(number) - 1] for number in case["selections"])
    return [f"{resource['resourceType']}/{resource['id']}" for resource in chosen]


def record(case: Case) -> dict[str, list[Resource]]:
    """Return the patient's record by prefetch key, without the Patient and what is being recorded."""
    medicines = case.get("medications", [])
    ordered = [row for row in medicines if not row.get("statement", False)]
    stated = [row for row in medicines if row.get("statement", False)]
    found = {
        key: _built(case, kind, case.get(section, []), build)
        for key, (section, kind, build) in _SECTION_OF_KEY.items()
    }
    found["medications"] = _built(case, "medication", ordered, resources.medication_request)
    found["medicationStatements"] = _built(case, "statement", stated, resources.medication_statement)
    found["questionnaireResponses"] = answers.responses(
        case.get("answers", []), subject_of(case), _ids(case["id"].lower(), "answers")
    )
    return {key: found[key] for key in _PREFETCH_ORDER}


def _entry(resource: Resource) -> dict[str, Any]:
    return {"fullUrl": f"{FHIR_BASE}/{resource['resourceType']}/{resource['id']}", "resource": resource}


def _search_result(found: list[Resource]) -> Resource:
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
    if found:
        bundle["entry"] = [{**_entry(resource), "search": {"mode": "match"}} for resource in found]
    return bundle


def _collection(found: list[Resource]) -> Resource:
    return {"resourceType": "Bundle", "type": "collection", "entry": [_entry(resource) for resource in found]}


def hook_request(case: Case) -> dict[str, Any]:
    """Return the body of the hook call, every advertised prefetch key answered."""
    subject = subject_of(case)
    context: dict[str, Any] = {
        "userId": "Practitioner/sample-clinician",
        "patientId": subject.patient_id,
        "encounterId": subject.encounter_id,
    }
    problems = recorded_conditions(case)
    found = record(case)
    if case["hook"] == "problem-list-item-create":
        context["conditions"] = _collection(problems)
    else:
        found["problems"] = [*problems, *found["problems"]]
    if case["hook"] in {"order-select", "order-sign"}:
        written = drafts(case)
        context["draftOrders"] = _collection(written)
        if case["hook"] == "order-select":
            context["selections"] = _selected(case, written)
    prefetch = {"patient": resources.patient(case["patient"], subject, case["id"])}
    prefetch |= {key: _search_result(resources_) for key, resources_ in found.items()}
    return {
        "hook": case["hook"],
        "hookInstance": str(uuid.uuid5(uuid.NAMESPACE_URL, f"{FHIR_BASE}/{case['id']}/{case['hook']}")),
        "context": context,
        "prefetch": {
            key: value for key, value in prefetch.items() if key not in case.get("not_received", ())
        },
        "extension": {AS_OF_EXTENSION: case["as_of"]},
    }


def bundle(case: Case) -> Resource:
    """Return the whole patient as one FHIR bundle of type collection."""
    subject = subject_of(case)
    first = [resources.patient(case["patient"], subject, case["id"]), resources.encounter(subject)]
    rest = [resource for found in record(case).values() for resource in found]
    return {"resourceType": "Bundle", "id": f"{case['id'].lower()}-bundle"} | _collection(
        [*first, *recorded_conditions(case), *rest]
    )
