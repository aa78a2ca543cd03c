"""Builds FHIR R4 Observations from the rows of a case, digits as printed; never flags a value by itself."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from tests.support.resources import Resource, Row, Subject, coded, concept, quantity, without_gaps
from tests.support.terminology import codings, lab_coding

_FLAGS = {
    "LL": "Critical low",
    "L": "Low",
    "N": "Normal",
    "H": "High",
    "HH": "Critical high",
    "A": "Abnormal",
}
_LAB_NAMES = {
    "calcium-total": "Calcium, total",
    "calcium-adjusted": "Calcium, adjusted for albumin",
    "free-t4": "Free T4",
    "free-t3": "Free T3",
    "pth": "Parathyroid hormone, intact",
    "tsh": "TSH",
    "egfr": "eGFR",
    "mcv": "MCV",
    "vitamin-b12": "Vitamin B12",
    "vitamin-d-25oh": "25-hydroxyvitamin D",
}
_PRESSURE_CODES = ("8480-6", "8462-4")
"""LOINC: systolic, then diastolic blood pressure."""
_EXAM_PARTS = ("strength", "bulk", "reflexes", "tone")


def _range(row: Row) -> list[dict[str, Any]] | None:
    if "range" not in row:
        return None
    low, high = row["range"].split("-")
    unit, ucum = row["unit"], row.get("ucum")
    return [{"low": quantity(low, unit, ucum=ucum), "high": quantity(high, unit, ucum=ucum)}]


def _observation(row: Row, subject: Subject, resource_id: str, category: str, code: Resource) -> Resource:
    return {
        "resourceType": "Observation",
        "id": resource_id,
        "status": row.get("status", "final"),
        "category": [coded("observation-category", category)],
        "code": code,
        "subject": subject.reference,
        "effectiveDateTime": row["date"],
    }


def _measured(row: Row) -> Resource:
    flag = row.get("flag")
    return without_gaps(
        {
            "valueQuantity": quantity(row["value"], row["unit"], row.get("comparator"), row.get("ucum")),
            "interpretation": [coded("v3-ObservationInterpretation", flag, _FLAGS[flag])] if flag else None,
            "referenceRange": _range(row),
        }
    )


def lab(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return a laboratory result with its flag and range as the laboratory prints them, or one in words."""
    if "lab" not in row:
        words = {"valueString": row["value"]}
        return _observation(row, subject, resource_id, "laboratory", {"text": row["text"]}) | words
    name = row.get("text", _LAB_NAMES.get(row["lab"], row["lab"].replace("-", " ").capitalize()))
    code = {"coding": [lab_coding(row["lab"], row["unit"], row.get("loinc"))], "text": name}
    return _observation(row, subject, resource_id, "laboratory", code) | _measured(row)


def _pressure(written: str) -> Resource:
    codes = (codings("signs/hypotension", [code])[0] for code in _PRESSURE_CODES)
    return {
        "component": [
            {"code": {"coding": [code]}, "valueQuantity": quantity(value, "mm[Hg]")}
            for code, value in zip(codes, written.split("/"), strict=True)
        ]
    }


def vital(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return a vital sign; a `pressure` such as "168/112" has its two numbers as components."""
    if "pressure" in row:
        whole = {"coding": codings("signs/hypotension", ["85354-9"]), "text": "Blood pressure"}
        return _observation(row, subject, resource_id, "vital-signs", whole) | _pressure(row["pressure"])
    return _observation(row, subject, resource_id, "vital-signs", concept(row)) | _measured(row)


def examination(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return a neurological examination, as one text or part by part."""
    code = {"coding": codings("orders/neurological_exam", ["84728005"]), "text": "Neurological examination"}
    parts = [
        {"code": {"text": part.capitalize()}, "valueString": row[part]} for part in _EXAM_PARTS if part in row
    ]
    result = {"component": parts} if parts else {"valueString": row["text"]}
    return _observation(row, subject, resource_id, "exam", code) | result


def habit(row: Row, subject: Subject, resource_id: str) -> Resource:
    """Return a habit with its amount, or in words where there is no amount."""
    result = (
        {"valueQuantity": {"value": Decimal(row["value"]), "unit": row["unit"]}}
        if "value" in row
        else {"valueString": row["text"]}
    )
    return _observation(row, subject, resource_id, "social-history", {"text": row["habit"]}) | result
