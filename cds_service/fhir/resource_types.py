"""Which resource types are read, under the names of every version of FHIR; it reads none of them."""

from __future__ import annotations

_OBSERVATIONS = frozenset({"Observation"})
GIVEN = "MedicationAdministration"
MEDICINES = ("MedicationRequest", "MedicationOrder", "MedicationStatement", GIVEN)
"""MedicationOrder is what DSTU2 calls a MedicationRequest."""
REQUESTS = ("ServiceRequest", "ProcedureRequest", "DiagnosticOrder", "ReferralRequest")
"""STU3 and DSTU2 call a ServiceRequest by the other names."""
TYPES_OF_KIND = {
    "patient": frozenset({"Patient"}),
    "conditions": frozenset({"Condition"}),
    "medications": frozenset(MEDICINES),
    "labs": _OBSERVATIONS,
    "vitals": _OBSERVATIONS,
    "exam": _OBSERVATIONS,
    "habits": _OBSERVATIONS,
    "orders": frozenset(REQUESTS),
    "family": frozenset({"FamilyMemberHistory"}),
    "procedures": frozenset({"Procedure"}),
    "answers": frozenset({"QuestionnaireResponse"}),
}
"""Kind of facts → the resource types that answer for it."""
HOLDERS = frozenset({"Observation", "DiagnosticReport"})
"""Resources whose contained Observations are results of their own."""
UNUSABLE = frozenset({"entered-in-error", "cancelled", "registered"})
"""Statuses of Observations and reports that say nothing: withdrawn, or not made yet."""
READ_TYPES = frozenset(
    {
        *MEDICINES,
        *REQUESTS,
        "Patient",
        "Condition",
        "Observation",
        "DiagnosticReport",
        "FamilyMemberHistory",
        "QuestionnaireResponse",
        "Medication",
        "Procedure",
        "Device",
        "DeviceUseStatement",
        "DeviceUsage",
        "AllergyIntolerance",
    }
)
