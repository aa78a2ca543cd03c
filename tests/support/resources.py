"""Builds FHIR R4 resources other than Observations from the rows of a case; never adds a clinical value."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from tests.support.terminology import SHORT_SYSTEMS, UCUM, codings, drug_coding, ucum_code

Row = Mapping[str, Any]
Resource = dict[str, Any]

TERMINOLOGY_HL7 = "http://terminology.hl7.org/CodeSystem"


@dataclass(frozen=True)
class Subject:
    """Whom and which visit the resources belong to."""

    patient_id: str
    encounter_id: str
    as_of: str

    @property
    def today(self) -> str:
        """The day of the visit."""
        return self.as_of[:10]

    @property
    def reference(self) -> dict[str, str]:
        """A reference to the patient."""
        return {"reference": f"Patient/{self.patient_id}"}

    @property
    def encounter(self) -> dict[str, str]:
        """A reference to the visit."""
        return {"reference": f"Encounter/{self.encounter_id}"}


def coded(system: str, code: str, display: str | None = None) -> dict[str, Any]:
    """Return a CodeableConcept of one of HL7's own code systems."""
    coding = {"system": f"{TERMINOLOGY_HL7}/{system}", "code": code}
    return {"coding": [{**coding, "display": display} if display else coding]}


def without_gaps(resource: Resource) -> Resource:
    """Return the resource less the elements that have no value: FHIR knows no null."""
    return {name: value for name, value in resource.items() if value is not None}


def _written_coding(row: Row) -> dict[str, str]:
    return {**row, "system": SHORT_SYSTEMS[row["system"]]}


def concept(row: Row) -> dict[str, Any]:
    """Return the CodeableConcept of a row: its concept of the tables, its written codings, its text."""
    found = codings(row["code"], row.get("only", ())) if "code" in row else []
    found += [_written_coding(coding) for coding in row.get("coding", ())]
    return {**({"coding": found} if found else {}), **({"text": row["text"]} if "text" in row else {})}


def quantity(value: str, unit: str, comparator: str | None = None, ucum: str | None = None) -> dict[str, Any]:
    """Return a Quantity with the digits as printed; the UCUM code only where the spelling is known."""
    code = ucum or ucum_code(unit)
    built = {"value": Decimal(value), "comparator": comparator, "unit": unit}
    return without_gaps({**built, "system": UCUM if code else None, "code": code})


def patient(row: Row, subject: Subject, label: str) -> Resource:
    """Return an invented Patient, tagged as test material and named after the case."""
    tag = {"system": f"{TERMINOLOGY_HL7}/v3-ActReason", "code": "HTEST", "display": "test health data"}
    return {
        "resourceType": "Patient",
        "id": subject.patient_id,
        "meta": {"tag": [tag]},
        "name": [{"use": "anonymous", "text": f"Sample Patient {label}"}],
        "gender": row["sex"],
        "birthDate": row["born"],
    }


def encounter(subject: Subject) -> Resource:
    """Return the visit at which the problem is recorded."""
    ambulatory = {"system": f"{TERMINOLOGY_HL7}/v3-ActCode", "code": "AMB", "display": "ambulatory"}
    return {
        "resourceType": "Encounter",
        "id": subject.encounter_id,
        "status": "in-progress",
        "class": ambulatory,
        "subject": subject.reference,
        "period": {"start": subject.as_of},
    }


def condition(row: Row, subject: Subject, resource_id: str, *, recorded_now: bool = False) -> Resource:
    """Return a problem-list Condition. One entered in error has no clinical status, as FHIR demands."""
    verification = row.get("verification", "confirmed")
    clinical = None if verification == "entered-in-error" else row.get("clinical", "active")
    return without_gaps(
        {
            "resourceType": "Condition",
            "id": resource_id,
            "clinicalStatus": coded("condition-clinical", clinical) if clinical else None,
            "verificationStatus": coded("condition-ver-status", verification),
            "category": [coded("condition-category", "problem-list-item", "Problem List Item")],
            "code": concept(row),
            "subject": subject.reference,
            "encounter": subject.encounter if recorded_now else None,
            "onsetDateTime": row.get("onset"),
            "abatementDateTime": row.get("abated"),
            "recordedDate": row.get("recorded", subject.today if recorded_now else None),
        }
    )


def _drug(row: Row) -> dict[str, Any]:
    coding = [drug_coding(row["drug"])] if "drug" in row else None
    return without_gaps({"coding": coding, "text": row["text"]})


def _taken(row: Row) -> dict[str, Any] | None:
    return without_gaps({"start": row.get("started"), "end": row.get("ended")}) or None


def medication_request(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return an order for a medicine; `started` and `ended` are also the bounds of the dosage."""
    taken = _taken(row)
    dosage = without_gaps(
        {
            "text": row.get("directions"),
            "timing": {"repeat": {"boundsPeriod": taken}} if taken else None,
        }
    )
    return without_gaps(
        {
            "resourceType": "MedicationRequest",
            "id": resource_id,
            "status": row.get("status", "active"),
            "intent": "order",
            "medicationCodeableConcept": _drug(row),
            "subject": subject.reference,
            "authoredOn": row.get("authored", row.get("started")),
            "dosageInstruction": [dosage] if dosage else None,
        }
    )


def medication_statement(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return what the patient is said to take; `authored` is the day it was said."""
    return without_gaps(
        {
            "resourceType": "MedicationStatement",
            "id": resource_id,
            "status": row.get("status", "active"),
            "medicationCodeableConcept": _drug(row),
            "subject": subject.reference,
            "effectivePeriod": _taken(row),
            "dateAsserted": row.get("authored"),
        }
    )


def service_request(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return a test or referral that was asked for."""
    return {
        "resourceType": "ServiceRequest",
        "id": resource_id,
        "status": row.get("status", "active"),
        "intent": row.get("intent", "order"),
        "code": concept(row),
        "subject": subject.reference,
        "authoredOn": row["authored"],
    }


def draft(row: Row, subject: Subject, resource_id: str, reason: str | None) -> Resource:
    """Return an order in draft: for a medicine where the row names a drug, else for a test or referral."""
    medicine = "drug" in row
    code = (
        {"medicationCodeableConcept": _drug({"text": row["drug"], **row})}
        if medicine
        else {"code": concept(row)}
    )
    return without_gaps(
        {
            "resourceType": "MedicationRequest" if medicine else "ServiceRequest",
            "id": resource_id,
            "status": row.get("status", "draft"),
            "intent": row.get("intent", "order"),
            "priority": row.get("priority"),
            **code,
            "subject": subject.reference,
            "encounter": subject.encounter,
            "reasonCode": [{"text": row["reason"]}] if "reason" in row else None,
            "reasonReference": [{"reference": reason}] if reason else None,
        }
    )


def family_member(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return what a relative had; never a condition of the patient."""
    age = {"value": Decimal(row["onset_age"]), "unit": "years", "system": UCUM, "code": "a"}
    return {
        "resourceType": "FamilyMemberHistory",
        "id": resource_id,
        "status": row.get("status", "completed"),
        "patient": subject.reference,
        "date": row["date"],
        "relationship": {"text": row["relation"]},
        "condition": [{"code": concept(row), "onsetAge": age}],
    }


def procedure(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return something that was done to the patient."""
    return {
        "resourceType": "Procedure",
        "id": resource_id,
        "status": row.get("status", "completed"),
        "code": concept(row),
        "subject": subject.reference,
        "performedDateTime": row["date"],
    }
