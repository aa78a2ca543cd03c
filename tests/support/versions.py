"""Writes a resource of R4 as DSTU2, STU3 or R5 would have it; it changes names and places, never what is said."""

from __future__ import annotations

from collections.abc import Callable, Mapping
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
        "AllergyIntolerance": {"code": "substance"},
    },
    "STU3": {
        "Condition": {"recordedDate": "assertedDate", "encounter": "context"},
        "Observation": {"encounter": "context"},
        "MedicationRequest": {"encounter": "context"},
        "AllergyIntolerance": {"recordedDate": "assertedDate"},
    },
    "R5": {"Procedure": {"performedDateTime": "occurrenceDateTime", "performedPeriod": "occurrencePeriod"}},
}
_BARE_CODES = ("clinicalStatus", "verificationStatus")
"""A CodeableConcept in R4 and R5, a code before."""
_TAKEN_IN_R5 = {"completed": "stopped", "stopped": "stopped", "active": "taking", "not-taken": "not-taking"}
_REQUEST_STATUS = {
    "DSTU2": {"active": "requested", "on-hold": "suspended", "revoked": "cancelled"},
    "STU3": {"on-hold": "suspended", "revoked": "cancelled"},
}
_ALLERGY_STATUS = {"refuted": "refuted", "entered-in-error": "entered-in-error"}


def in_version(resource: Resource, version: str) -> Resource:
    """Return `resource` in the form of another version of FHIR."""
    kind = resource["resourceType"]
    names = _MEMBERS[version].get(kind, {})
    made = {names.get(name, name): value for name, value in resource.items()}
    made["resourceType"] = _KIND[version].get(kind, kind)
    if "contained" in made:
        inside = [in_version(one, version) for one in made["contained"]]
        made["contained"] = [part for one in inside for part in (*one.pop("contained", ()), one)]
    write = _WRITERS[version].get(kind)
    if write is not None:
        write(made)
    return made


def _with_bare_codes(made: Resource) -> None:
    for name in _BARE_CODES:
        if name in made:
            made[name] = made[name]["coding"][0]["code"]


def _with_single(made: Resource, *names: str) -> None:
    """Write what R4 has in a list as the only thing that an older version allows."""
    for name in names:
        if isinstance(made.get(name), list):
            made[name] = made[name][0]


def _observation_of_dstu2(made: Resource) -> None:
    _with_single(made, "category", "interpretation")
    for one in made.get("referenceRange", ()):
        if "type" in one:
            one["meaning"] = one.pop("type")


def _observation_of_stu3(made: Resource) -> None:
    _with_single(made, "interpretation")
    for part in made.get("component", ()):
        _with_single(part, "interpretation")


def _condition_of_dstu2(made: Resource) -> None:
    _with_bare_codes(made)
    _with_single(made, "category")


def _statement_of_dstu2(made: Resource) -> None:
    if made["status"] == "not-taken":
        made["status"], made["wasNotTaken"] = "completed", True


def _statement_of_stu3(made: Resource) -> None:
    made["taken"] = "n" if made["status"] == "not-taken" else "y"
    if made["status"] == "not-taken":
        made["status"] = "completed"


def _statement_of_r5(made: Resource) -> None:
    _medicine_of_r5(made)
    if made["status"] in _TAKEN_IN_R5:
        made["adherence"] = {"code": {"coding": [{"code": _TAKEN_IN_R5[made["status"]]}]}}
        made["status"] = "recorded"


def _medicine_of_r5(made: Resource) -> None:
    if "medicationCodeableConcept" in made:
        made["medication"] = {"concept": made.pop("medicationCodeableConcept")}
    if "medicationReference" in made:
        made["medication"] = {"reference": made.pop("medicationReference")}


def _product_of_r5(made: Resource) -> None:
    for ingredient in made.get("ingredient", ()):
        ingredient["item"] = {"concept": ingredient.pop("itemCodeableConcept")}


def _product_of_dstu2(made: Resource) -> None:
    """Write the ingredients as resources of their own inside: this version only refers to them."""
    parts = made.pop("ingredient", None)
    if parts is None:
        return
    made["contained"] = [
        {"resourceType": "Medication", "id": f"i{place}", "code": part["itemCodeableConcept"]}
        for place, part in enumerate(parts)
    ]
    items = [{"item": {"reference": f"#i{place}"}} for place in range(len(parts))]
    made["product"] = {"ingredient": items}


def _request_of_dstu2(made: Resource) -> None:
    made["item"] = [{"code": made.pop("code")}]
    if "authoredOn" in made:  # an order in draft is not dated
        made["event"] = [{"status": "requested", "dateTime": made.pop("authoredOn")}]
    made["status"] = _REQUEST_STATUS["DSTU2"].get(made["status"], made["status"])
    made.pop("intent", None)


def _request_of_stu3(made: Resource) -> None:
    made["status"] = _REQUEST_STATUS["STU3"].get(made["status"], made["status"])


def _request_of_r5(made: Resource) -> None:
    made["code"] = {"concept": made["code"]}


def _procedure_before_r4(made: Resource, refused: str) -> None:
    if made["status"] == "not-done":
        made["status"], made[refused] = "completed", True


def _allergy_of_dstu2(made: Resource) -> None:
    _with_bare_codes(made)
    doubt = made.pop("verificationStatus", None)
    made["status"] = _ALLERGY_STATUS.get(doubt, made.pop("clinicalStatus", "active"))


def _allergy_of_r5(made: Resource) -> None:
    if "type" in made:
        made["type"] = {"coding": [{"code": made["type"]}]}


def _family_of_dstu2(made: Resource) -> None:
    for condition in made.get("condition", ()):
        if "onsetAge" in condition:
            condition["onsetQuantity"] = condition.pop("onsetAge")


def _response_of_stu3(made: Resource) -> None:
    made["questionnaire"] = {"reference": made["questionnaire"]}


def _response_of_dstu2(made: Resource) -> None:
    """Write items as questions of one group: this version tells the two apart."""
    _response_of_stu3(made)
    made["group"] = {"linkId": "root", "question": made.pop("item")}


_WRITERS: Mapping[str, Mapping[str, Callable[[Resource], None]]] = {
    "DSTU2": {
        "Condition": _condition_of_dstu2,
        "Observation": _observation_of_dstu2,
        "MedicationStatement": _statement_of_dstu2,
        "Medication": _product_of_dstu2,
        "ServiceRequest": _request_of_dstu2,
        "Procedure": lambda made: _procedure_before_r4(made, "notPerformed"),
        "AllergyIntolerance": _allergy_of_dstu2,
        "FamilyMemberHistory": _family_of_dstu2,
        "QuestionnaireResponse": _response_of_dstu2,
    },
    "STU3": {
        "Condition": _with_bare_codes,
        "Observation": _observation_of_stu3,
        "MedicationStatement": _statement_of_stu3,
        "ServiceRequest": _request_of_stu3,
        "Procedure": lambda made: _procedure_before_r4(made, "notDone"),
        "AllergyIntolerance": _with_bare_codes,
        "QuestionnaireResponse": _response_of_stu3,
    },
    "R5": {
        "MedicationRequest": _medicine_of_r5,
        "MedicationStatement": _statement_of_r5,
        "Medication": _product_of_r5,
        "ServiceRequest": _request_of_r5,
        "AllergyIntolerance": _allergy_of_r5,
    },
}


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
        return in_version(_copied(value), version)
    return {name: _converted(each, version) for name, each in value.items()}


def _copied(value: Any) -> Any:
    """Return a deep copy, so that the call in R4 stays as it is."""
    if isinstance(value, dict):
        return {name: _copied(each) for name, each in value.items()}
    return [_copied(each) for each in value] if isinstance(value, list) else value
