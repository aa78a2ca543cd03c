"""Validates resources with the models of fhir.resources and messages with their schemas; only `--strict` loads it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from fhir.resources.R4B import get_fhir_model_class
from pydantic import ValidationError

from cds_service.cards.markdown import clean
from cds_service.replay.messages import schema_faults

_DSTU2_TYPES = frozenset(
    {"MedicationOrder", "DiagnosticOrder", "ProcedureRequest", "DeviceUseRequest", "ReferralRequest"}
)
_DSTU2_MEMBERS = {"Condition": ("patient", "dateRecorded"), "Observation": ("comments",)}
_STU3_MEMBERS = {
    "Condition": ("assertedDate", "context"),
    "Observation": ("context", "related", "comment"),
    "MedicationRequest": ("context", "requester.agent", "definition"),
    "MedicationStatement": ("taken", "reasonNotTaken"),
    "Encounter": ("incomingReferral",),
    "Procedure": ("context", "notDone"),
}
_R5_MEMBERS = {"MedicationRequest": ("medication",), "MedicationStatement": ("medication", "adherence")}
_MOST_LINES = 20


class Inspected(NamedTuple):
    """What was found: `breaches` of FHIR R4 or of the message, `remarks` on what was not validated and why."""

    breaches: tuple[str, ...]
    remarks: tuple[str, ...]


def inspect(request: Mapping[str, Any], is_ours: Any, answer: Any) -> Inspected:
    """Return what breaks FHIR R4 or CDS Hooks in a request and its answer; one line each, without values.

    With `is_ours` the request was built by the replay, so that only its resources are held to the standard.
    """
    breaches = [] if is_ours else [f"request {line}" for line in schema_faults("cds-request", request)]
    remarks: list[str] = []
    for place, resource in resources_in(request, ""):
        version = version_of(resource)
        kind = resource["resourceType"]
        if version is None:
            breaches += [f"request {place}: {kind}: {line}" for line in resource_faults(resource)]
        else:
            remarks.append(f"{kind} looks like {version} and was not validated")
    breaches += [f"answer {line}" for line in schema_faults("cds-response", answer)]
    for place, resource in resources_in(answer, ""):
        breaches += [
            f"answer {place}: {resource['resourceType']}: {line}" for line in resource_faults(resource)
        ]
    return Inspected(_shortened(breaches), tuple(dict.fromkeys(remarks)))


def _shortened(lines: list[str]) -> tuple[str, ...]:
    kept = [clean(line) for line in lines[:_MOST_LINES]]
    more = len(lines) - len(kept)
    return (*kept, *([f"and {more} more"] if more else []))


def resources_in(value: Any, place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every resource with its place: a Bundle without its resources, then each of them."""
    if isinstance(value, Mapping):
        if isinstance(value.get("resourceType"), str):
            yield from _one_or_bundle(dict(value), place)
            return
        for name, inner in value.items():
            yield from resources_in(inner, f"{place}.{name}" if place else str(name))
    elif isinstance(value, list):
        for number, inner in enumerate(value):
            yield from resources_in(inner, f"{place}[{number}]")


def _one_or_bundle(resource: dict[str, Any], place: str) -> Iterator[tuple[str, dict[str, Any]]]:
    entries = resource.get("entry")
    if resource["resourceType"] != "Bundle" or not isinstance(entries, list):
        yield place, resource
        return
    yield place, {name: value for name, value in resource.items() if name != "entry"}
    for number, entry in enumerate(entries):
        if isinstance(entry, Mapping) and isinstance(entry.get("resource"), Mapping):
            yield from resources_in(entry["resource"], f"{place}.entry[{number}]")


def version_of(resource: Mapping[str, Any]) -> str | None:
    """Return the FHIR version whose members a resource carries, where that is not R4; None for R4."""
    kind = resource.get("resourceType", "")
    if kind in _DSTU2_TYPES or _has_any(resource, _DSTU2_MEMBERS.get(kind, ())):
        return "DSTU2"
    status = resource.get("clinicalStatus")
    if _has_any(resource, _STU3_MEMBERS.get(kind, ())) or (kind == "Condition" and isinstance(status, str)):
        return "DSTU2 or STU3"
    return "R5" if _has_any(resource, _R5_MEMBERS.get(kind, ())) else None


def _has_any(resource: Mapping[str, Any], members: tuple[str, ...]) -> bool:
    return any(_has(resource, member.split(".")) for member in members)


def _has(resource: Any, steps: list[str]) -> bool:
    for step in steps:
        if not isinstance(resource, Mapping) or step not in resource:
            return False
        resource = resource[step]
    return True


def resource_faults(resource: Mapping[str, Any]) -> list[str]:
    """Return one line for everything in which a resource is not FHIR R4, without values."""
    try:
        model = get_fhir_model_class(resource["resourceType"])
    except ValueError:
        return ["there is no such resource type in FHIR R4"]
    try:
        model.model_validate(resource)
    except ValidationError as error:
        return [
            f"{'.'.join(str(step) for step in one['loc']) or 'resource'}: {one['type'].replace('_', ' ')}"
            for one in error.errors(include_url=False, include_input=False, include_context=False)
        ]
    return []
