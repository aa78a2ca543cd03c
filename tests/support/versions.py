"""Writes a resource of R4 as DSTU2, STU3 or R5 would have it; it changes names and places, never what is said."""

from __future__ import annotations

from typing import Any

Resource = dict[str, Any]

VERSIONS = ("DSTU2", "STU3", "R5")
_KIND = {
    "DSTU2": {"MedicationRequest": "MedicationOrder", "ServiceRequest": "DiagnosticOrder"},
    "STU3": {"ServiceRequest": "ProcedureRequest"},
    "R5": {},
}
_MEMBERS: dict[str, dict[str, dict[str, str]]] = {
    "DSTU2": {
        "Condition": {"recordedDate": "dateRecorded", "subject": "patient"},
        "MedicationRequest": {"authoredOn": "dateWritten", "subject": "patient"},
        "MedicationStatement": {"subject": "patient"},
    },
    "STU3": {
        "Condition": {"recordedDate": "assertedDate", "encounter": "context"},
        "Observation": {"encounter": "context"},
    },
    "R5": {"Procedure": {"performedDateTime": "occurrenceDateTime", "performedPeriod": "occurrencePeriod"}},
}
_LISTS_OF_R4 = ("category", "interpretation")
_TAKEN_IN_R5 = {"completed": "stopped", "stopped": "stopped", "active": "taking", "not-taken": "not-taking"}


def in_version(resource: Resource, version: str) -> Resource:
    """Return `resource` in the form of another version of FHIR."""
    kind = resource["resourceType"]
    names = _MEMBERS[version].get(kind, {})
    made = {names.get(name, name): value for name, value in resource.items()}
    made["resourceType"] = _KIND[version].get(kind, kind)
    if version == "R5":
        return _in_r5(kind, made)
    if kind == "Condition":
        for name in ("clinicalStatus", "verificationStatus"):
            if name in made:
                made[name] = made[name]["coding"][0]["code"]
    for name in _LISTS_OF_R4 if version == "DSTU2" else ("interpretation",):
        if isinstance(made.get(name), list):
            made[name] = made[name][0]
    if version == "STU3" and kind == "MedicationStatement":
        made["taken"] = "y"
    if version == "DSTU2" and kind == "ServiceRequest":
        made["item"] = [{"code": made.pop("code")}]
        if "authoredOn" in made:  # an order in draft is not dated
            made["event"] = [{"status": "requested", "dateTime": made.pop("authoredOn")}]
        made["status"] = {"active": "requested"}.get(made["status"], made["status"])
    return made


def _in_r5(kind: str, made: Resource) -> Resource:
    if kind in {"MedicationRequest", "MedicationStatement"} and "medicationCodeableConcept" in made:
        made["medication"] = {"concept": made.pop("medicationCodeableConcept")}
    if kind == "MedicationStatement" and made["status"] in _TAKEN_IN_R5:
        made["adherence"] = {"code": {"coding": [{"code": _TAKEN_IN_R5[made["status"]]}]}}
        made["status"] = "recorded"
    if kind == "ServiceRequest":
        made["code"] = {"concept": made["code"]}
    return made


def request_in_version(request: Resource, version: str) -> Resource:
    """Return a hook call of which every resource has the form of another version."""
    return {name: _converted(value, version) for name, value in request.items()}


def _converted(value: Any, version: str) -> Any:
    if isinstance(value, str) and "/" in value:  # a selection
        kind, _, rest = value.partition("/")
        return f"{_KIND[version].get(kind, kind)}/{rest}"
    if isinstance(value, list):
        return [_converted(each, version) for each in value]
    if not isinstance(value, dict):
        return value
    if value.get("resourceType") not in {None, "Bundle"}:
        return in_version(value, version)
    return {name: _converted(each, version) for name, each in value.items()}
