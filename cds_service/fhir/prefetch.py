"""Composes the prefetch templates of a service from what its knowledge reads; it sends no query itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.model.definitions import Knowledge

PATIENT_TOKEN = "{{context.patientId}}"  # noqa: S105 - a prefetch token of CDS Hooks, not a secret
_QUERIES: Mapping[str, tuple[str, str]] = {
    "patient": ("patient", f"Patient/{PATIENT_TOKEN}"),
    "problems": ("conditions", f"Condition?patient={PATIENT_TOKEN}&_count=200"),
    "medications": ("medications", f"MedicationRequest?patient={PATIENT_TOKEN}&_count=200"),
    "medicationStatements": ("medications", f"MedicationStatement?patient={PATIENT_TOKEN}&_count=200"),
    "labs": ("labs", f"Observation?patient={PATIENT_TOKEN}&category=laboratory&_sort=-date&_count=200"),
    "vitals": ("vitals", f"Observation?patient={PATIENT_TOKEN}&category=vital-signs&_sort=-date&_count=50"),
    "exam": ("exam", f"Observation?patient={PATIENT_TOKEN}&category=exam&_sort=-date&_count=50"),
    "socialHistory": (
        "habits",
        f"Observation?patient={PATIENT_TOKEN}&category=social-history&_sort=-date&_count=50",
    ),
    "serviceRequests": ("orders", f"ServiceRequest?patient={PATIENT_TOKEN}&status=active&_count=100"),
    "familyHistory": ("family", f"FamilyMemberHistory?patient={PATIENT_TOKEN}&_count=50"),
    "procedures": ("procedures", f"Procedure?patient={PATIENT_TOKEN}&_count=100"),
    "questionnaireResponses": (
        "answers",
        f"QuestionnaireResponse?patient={PATIENT_TOKEN}&_sort=-authored&_count=20",
    ),
}
"""Key → (kind of facts, FHIR R4 query). Only the query subset that CDS Hooks 2.0.1 recommends is used."""

_KIND_OF_LEAF = {
    "condition": "conditions",
    "medication": "medications",
    "examination": "exam",
    "habit": "habits",
}


def prefetch_templates(knowledge: Knowledge) -> dict[str, str]:
    """Return key → template for exactly what the loaded knowledge reads."""
    wanted = {"patient", "conditions", "family"}
    for rule in knowledge.rules.values():
        wanted |= _kinds_in(rule.when)
    for flag in knowledge.red_flags.values():
        for level in flag.levels:
            wanted |= _kinds_in(level.when)
    for lab in knowledge.labs.values():
        wanted.add("vitals" if lab.category == "vital-signs" else "labs")
    if knowledge.orders:
        wanted.add("orders")
    if knowledge.questionnaires:
        wanted.add("answers")
    return {key: query for key, (kind, query) in _QUERIES.items() if kind in wanted}


def _kinds_in(expression: Any) -> set[str]:
    if isinstance(expression, str):
        return set()
    kinds: set[str] = set()
    for operator, operand in expression.items():
        if operator in _KIND_OF_LEAF:
            kinds.add(_KIND_OF_LEAF[operator])
            if operator == "condition" and operand.get("status") == "past-or-active":
                kinds.add("procedures")
        elif operator in {"all", "any"}:
            for part in operand:
                kinds |= _kinds_in(part)
        elif operator == "count":
            for part in operand["of"]:
                kinds |= _kinds_in(part)
        elif operator in {"not", "unless"}:
            kinds |= _kinds_in(operand)
    return kinds
