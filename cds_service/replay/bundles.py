"""Turns a plain FHIR Bundle into a hook request by answering our prefetch templates from it; it changes no resource."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any
from urllib.parse import parse_qs, urlsplit
from uuid import NAMESPACE_URL, uuid5

from cds_service.errors import MalformedRequestError
from cds_service.fhir.envelope import AS_OF_EXTENSION, FHIR_ID
from cds_service.fhir.prefetch import PATIENT_TOKEN

_OTHER_NAMES = {
    "MedicationRequest": ("MedicationOrder", "MedicationAdministration"),
    "ServiceRequest": ("ProcedureRequest", "DiagnosticOrder", "ReferralRequest"),
}
"""Type of a query → what other versions of FHIR call it, or keep beside it; their words for a status are others too."""
_BESIDE = frozenset(
    {
        *("AllergyIntolerance", "Device", "DeviceUseStatement", "DeviceUsage", "DiagnosticReport"),
        "Medication",  # beside the orders: alone it answers no question for orders
    }
)
_IGNORED = frozenset({"_count", "_sort", "patient"})


def resources_of(value: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return every resource of a Bundle (of Bundles), of a bare list of resources, or the resource itself.

    Entries without a resource are passed over.
    """
    if value.get("resourceType") != "Bundle":
        if isinstance(value.get("resourceType"), str):
            return [dict(value)]
        lists = [part for part in value.values() if isinstance(part, list)]
        return [one for part in lists for one in part if isinstance(one, dict) and "resourceType" in one]
    found: list[dict[str, Any]] = []
    entries = value.get("entry")
    for entry in entries if isinstance(entries, list) else []:
        if not isinstance(entry, dict):
            continue
        resource = entry.get("resource")
        if isinstance(resource, dict):
            address = entry.get("fullUrl")
            inner = resources_of(resource)
            if len(inner) == 1 and isinstance(address, str) and "id" not in inner[0]:
                inner[0]["id"] = address.removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1]
            found += inner
    return found


def patients_in(resources: list[dict[str, Any]]) -> list[str]:
    """Return the ids of the patients that the resources are about, those with a Patient resource first."""
    own = [
        one["id"]
        for one in resources
        if one.get("resourceType") == "Patient" and isinstance(one.get("id"), str)
    ]
    named = [_subject_id(one) for one in resources]
    return [*dict.fromkeys([*own, *(one for one in named if one)])]


def patient_of(resource: Mapping[str, Any]) -> str | None:
    """Return the id of the patient that one resource is or is about, or None where it names none."""
    if resource.get("resourceType") == "Patient":
        own = resource.get("id")
        return own if isinstance(own, str) else None
    return _subject_id(resource)


def hook_request(
    resources: list[dict[str, Any]],
    patient_id: str,
    templates: Mapping[str, str],
    recorded: str,
    as_of: str | None,
) -> dict[str, Any]:
    """Return a problem-list-item-create request for one patient, with `recorded` as the new problem's text."""
    if not FHIR_ID.fullmatch(patient_id):
        raise MalformedRequestError("The Patient of the Bundle has no FHIR id.", "Patient.id")
    condition = {
        "resourceType": "Condition",
        "id": "recorded-now",
        "clinicalStatus": {"coding": [{"code": "active"}]},
        "code": {"text": recorded},
        "subject": {"reference": f"Patient/{patient_id}"},
        **({"recordedDate": as_of[:10]} if as_of else {}),
    }
    return {
        "hook": "problem-list-item-create",
        "hookInstance": str(uuid5(NAMESPACE_URL, patient_id)),
        "context": {
            "userId": "Practitioner/replay",
            "patientId": patient_id,
            "conditions": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": condition}],
            },
        },
        "prefetch": prefetch_of(resources, patient_id, templates) | _beside(resources, patient_id),
        **({"extension": {AS_OF_EXTENSION: as_of}} if as_of else {}),
    }


def prefetch_of(
    resources: list[dict[str, Any]], patient_id: str, templates: Mapping[str, str]
) -> dict[str, Any]:
    """Return the answers to prefetch templates as a FHIR server would give them that holds these resources."""
    return {
        key: _evaluate(template.replace(PATIENT_TOKEN, patient_id), resources, patient_id)
        for key, template in templates.items()
    }


def _beside(resources: list[dict[str, Any]], patient_id: str) -> dict[str, Any]:
    """Return what no query asks for and is read all the same: products, devices, allergies, reports."""
    found = [
        one
        for one in resources
        if one.get("resourceType") in _BESIDE and _subject_id(one) in {patient_id, None}
    ]
    return {"record": _searchset(found)} if found else {}


def _searchset(matches: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(matches),
        "entry": [{"resource": one} for one in matches],
    }


def _evaluate(query: str, resources: list[dict[str, Any]], patient_id: str) -> dict[str, Any] | None:
    """Answer one template as a FHIR server would: an instance, or a searchset Bundle."""
    parts = urlsplit(query)
    if "/" in parts.path:
        kind, _, wanted = parts.path.partition("/")
        return next(
            (one for one in resources if one.get("resourceType") == kind and one.get("id") == wanted), None
        )
    parameters = {name: values[0] for name, values in parse_qs(parts.query).items() if name not in _IGNORED}
    matches = [
        one
        for one in resources
        if _subject_id(one) in {patient_id, None}
        and (
            (one.get("resourceType") == parts.path and _matches(one, parameters))
            or one.get("resourceType") in _OTHER_NAMES.get(parts.path, ())
        )
    ]
    return _searchset(matches)


def _matches(resource: Mapping[str, Any], parameters: Mapping[str, str]) -> bool:
    return all(_MATCHERS[name](resource, wanted) for name, wanted in parameters.items() if name in _MATCHERS)


def _has_category(resource: Mapping[str, Any], wanted: str) -> bool:
    categories = set(_codes(resource.get("category")))
    if wanted == "laboratory" and not categories:
        return True  # many real results carry no category; a server that filed them as such would send them
    return wanted in categories


def _has_status(resource: Mapping[str, Any], wanted: str) -> bool:
    return resource.get("status") in (wanted, None)


def _has_code(resource: Mapping[str, Any], wanted: str) -> bool:
    """Whether a resource carries one of the tokens `system|code,code,…`; the system is not compared."""
    tokens = {token.rpartition("|")[2] for token in wanted.split(",")}
    return not tokens.isdisjoint(_codes(resource.get("code") or resource.get("medicationCodeableConcept")))


_MATCHERS: Mapping[str, Callable[[Mapping[str, Any], str], bool]] = {
    "category": _has_category,
    "status": _has_status,
    "code": _has_code,
}


def _codes(category: Any) -> Iterator[str]:
    for concept in category if isinstance(category, list) else [category]:
        if not isinstance(concept, dict):
            continue
        codings = concept.get("coding")
        for coding in codings if isinstance(codings, list) else []:
            if isinstance(coding, dict) and isinstance(coding.get("code"), str):
                yield coding["code"]
        if isinstance(concept.get("text"), str):
            yield concept["text"]


def _subject_id(resource: Mapping[str, Any]) -> str | None:
    subject = resource.get("subject") or resource.get("patient")
    reference = subject.get("reference") if isinstance(subject, dict) else None
    if not isinstance(reference, str) or resource.get("resourceType") == "Patient":
        return None
    if "Patient" not in reference and not reference.startswith("urn:uuid:"):
        return None
    return reference.split("/_history/", maxsplit=1)[0].removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1]
