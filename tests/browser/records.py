"""Invented records for the sandbox's tests: plain, hostile and large; none of them is a clinical statement."""

from __future__ import annotations

import json
from typing import Any

Resource = dict[str, Any]
SUBJECT = {"reference": "Patient/p1"}
HOSTILE = (
    "<script>document.title='owned'</script><img src=x onerror=\"document.title='owned'\">",
    "\u202eevil\u202c \u2066x" + "Z\u0335\u0321\u034d" * 20,
    "</td></tr></table><h1>big</h1>" + "W" * 400,
    "[x](javascript:document.title='owned') | # x\n\n\n- y <style>*{display:none}</style>",
)


def concept(text: str, system: str = "http://loinc.org", code: str = "2823-3") -> Resource:
    """Return a CodeableConcept with a coding and a text."""
    return {"coding": [{"system": system, "code": code, "display": text}], "text": text}


def observation(name: str, value: str, day: str, number: int = 0, note: str = "") -> Resource:
    """Return a laboratory result in mmol/L; `value` keeps its digits."""
    made = {
        "resourceType": "Observation",
        "id": f"{name.lower()}-{number}",
        "status": "final",
        "category": [{"coding": [{"code": "laboratory"}]}],
        "code": concept(name),
        "subject": SUBJECT,
        "effectiveDateTime": day,
        "valueQuantity": {"value": float(value), "unit": "mmol/L", "code": "mmol/L"},
    }
    return {**made, "note": [{"text": note}]} if note else made


def bundle(*resources: Resource) -> Resource:
    """Return a plain Bundle."""
    return {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": one} for one in resources]}


def patient_record(*texts: str) -> Resource:
    """Return a Bundle of one patient in which every display, name and note is one of the texts, in turn."""
    name, problem, medicine, note = texts
    return bundle(
        {
            "resourceType": "Patient",
            "id": "p1",
            "gender": "male",
            "birthDate": "1970",
            "name": [{"text": name}],
        },
        {"resourceType": "Condition", "id": "c1", "subject": SUBJECT, "code": {"text": problem}},
        {
            "resourceType": "MedicationRequest",
            "id": "m1",
            "status": "active",
            "intent": "order",
            "subject": SUBJECT,
            "medicationCodeableConcept": {"text": medicine},
            "dosageInstruction": [{"text": note}],
        },
        {
            "resourceType": "ServiceRequest",
            "id": "s1",
            "status": "active",
            "intent": "order",
            "subject": SUBJECT,
            "code": {"text": problem},
            "note": [{"text": note}],
        },
        {**observation("Potassium", "2.7", "2026-06-01", note=note), "code": concept(name)},
        {
            "resourceType": "Observation",
            "id": "x1",
            "status": "final",
            "category": [{"coding": [{"code": "exam"}]}],
            "subject": SUBJECT,
            "code": {"text": medicine},
            "valueString": note,
        },
    )


def large_bundle(size: int) -> bytes:
    """Return a Bundle of about `size` bytes: one patient with many results, some with a trailing zero."""
    found = [json.dumps({"resource": {"resourceType": "Patient", "id": "p1"}})]
    written = 0
    number = 0
    while written < size:
        day = f"20{10 + number % 16:02}-{1 + number % 12:02}-{1 + number % 28:02}"
        name = f"Test {number % 60}"
        result = {**observation(name, "3.5", day, number), "code": {"text": name}}
        one = json.dumps({"resource": result})
        one = one.replace('"value": 3.5', f'"value": 3.{number % 10}0')
        found.append(one)
        written += len(one)
        number += 1
    return ('{"resourceType":"Bundle","type":"collection","entry":[' + ",".join(found) + "]}").encode()
