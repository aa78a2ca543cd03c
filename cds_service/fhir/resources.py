"""Lays the resources of one request out, each with its place; foreign and unusable ones are left out with a note."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from typing import NamedTuple

from cds_service.fhir.envelope import HookRequest
from cds_service.fhir.shapes import Resource
from cds_service.model.facts import ReadingNote

KIND_OF_KEY = {
    "patient": "patient",
    "problems": "conditions",
    "medications": "medications",
    "medicationStatements": "medications",
    "labs": "labs",
    "vitals": "vitals",
    "exam": "exam",
    "socialHistory": "habits",
    "serviceRequests": "orders",
    "familyHistory": "family",
}
"""Prefetch key → the kind of facts that its answer can show to be absent."""

READ_TYPES = frozenset(
    {
        "Patient",
        "Condition",
        "Observation",
        "MedicationRequest",
        "MedicationStatement",
        "ServiceRequest",
        "FamilyMemberHistory",
        "Medication",
    }
)


class Placed(NamedTuple):
    """A resource and where it stood."""

    resource: Resource
    path: str
    key: str


class Intake:
    """All usable resources of one request, the keys that arrived, and the notes."""

    def __init__(self, request: HookRequest) -> None:
        """Walk context and prefetch once."""
        self.notes: list[ReadingNote] = list(request.notes)
        self.arrived_keys: set[str] = set()
        self.answered_keys: set[str] = set()
        self.recorded: list[Placed] = []
        self.resources: list[Placed] = []
        self._aliases = {request.context.patient_id}
        self._foreign = 0
        self._unread: Counter[str] = Counter()
        self._seen: set[tuple[str, str]] = set()
        self._read_context(request)
        for key, value in (request.prefetch or {}).items():
            self._read_key(key, value, request.context.patient_id)
        self._note_unread()

    def note(self, severity: str, code: str, path: str, remedy: str) -> None:
        """Keep one note."""
        self.notes.append(ReadingNote(severity=severity, code=code, path=path, remedy=remedy))

    def is_foreign(self, resource: Resource) -> bool:
        """Whether the resource names another patient than the hook does."""
        subject = resource.subject or resource.patient
        reference = subject.reference if subject is not None else None
        if not reference or reference.startswith("#"):
            return False
        if reference[8:] in self._aliases and reference.startswith("Patient/"):
            return False
        bare = reference.split("/_history/", maxsplit=1)[0]
        return bare not in self._aliases and _last_id(bare) not in self._aliases

    def _read_context(self, request: HookRequest) -> None:
        conditions = request.context.conditions
        if conditions is None:
            return
        for place, entry in enumerate(conditions.entry or ()):
            path = f"context.conditions.entry[{place}].resource"
            resource = entry.resource
            if resource is None:
                self.note("warning", "resource-missing", path, "Send the resource of the entry.")
            elif resource.resource_type != "Condition":
                self.note("warning", "unexpected-resource", path, "context.conditions holds Conditions.")
            elif self.is_foreign(resource):
                self.note("error", "other-patient", path, "Send resources of the patient of the hook only.")
            else:
                self.recorded.append(Placed(resource, path, "context"))
                if resource.id:
                    self._seen.add(("Condition", resource.id))

    def _read_key(self, key: str, value: Resource | None, patient_id: str) -> None:
        path = f"prefetch.{key}"
        if key not in KIND_OF_KEY:
            self.note("information", "unasked-key", path, "Not advertised; read by resource type.")
        if value is None:
            self.arrived_keys.add(key)
            return
        kind = value.resource_type
        if kind == "OperationOutcome":
            self.note("warning", "prefetch-failed", path, "The client could not answer this query.")
        elif kind is None:
            self.note("warning", "resource-type-missing", path, "Send a resource with its resourceType.")
        elif kind == "Bundle":
            self._read_bundle(key, value, path)
        elif key == "patient" and kind == "Patient" and value.id not in {None, patient_id}:
            self.note("error", "other-patient", path, "Send the Patient of the hook.")
        else:
            self._arrive(key)
            self._take(value, path, key)

    def _arrive(self, key: str) -> None:
        self.arrived_keys.add(key)
        self.answered_keys.add(key)

    def _read_bundle(self, key: str, bundle: Resource, path: str) -> None:
        entries = bundle.entry or []
        failed = [place for place, entry in enumerate(entries) if _is_outcome(entry.resource)]
        if failed and len(failed) == len(entries):
            self.note("warning", "prefetch-failed", path, "The client could not answer this query.")
            return
        self._arrive(key)
        if failed:
            self.note(
                "warning", "prefetch-incomplete", f"{path}.entry[{failed[0]}]", "Part of the answer failed."
            )
        if any(link.relation == "next" for link in bundle.link or ()):
            self.note(
                "warning", "more-pages", path, "Only the first page was sent; older entries are not known."
            )
        for entry in entries:
            resource = entry.resource
            if (
                resource is not None
                and resource.resource_type == "Patient"
                and entry.full_url
                and (_last_id(entry.full_url) in self._aliases or resource.id in self._aliases)
            ):
                self._aliases.add(entry.full_url)
        for place, entry in enumerate(entries):
            resource = entry.resource
            if resource is None:
                self.note(
                    "information",
                    "resource-missing",
                    f"{path}.entry[{place}]",
                    "The entry holds no resource.",
                )
            elif resource.resource_type != "OperationOutcome":
                self._take(resource, f"{path}.entry[{place}].resource", key)

    def _take(self, resource: Resource, path: str, key: str) -> None:
        kind = resource.resource_type
        if kind not in READ_TYPES:
            self._unread[kind or "no resourceType"] += 1
            return
        if resource.id is not None:
            identity = (kind, resource.id)
            if identity in self._seen:
                return
            self._seen.add(identity)
        if kind == "Patient":
            if resource.id is not None and resource.id not in self._aliases:
                self.note("error", "other-patient", path, "Send the Patient of the hook.")
                return
        elif self.is_foreign(resource):
            self._foreign += 1
            self.note("error", "other-patient", path, "Send resources of the patient of the hook only.")
            return
        self.resources.append(Placed(resource, path, key))

    def _note_unread(self) -> None:
        for kind, count in sorted(self._unread.items()):
            self.note("information", "type-not-read", f"prefetch ({count} x {kind})", "Not needed; not read.")

    def of(self, *kinds: str) -> Iterator[Placed]:
        """Yield the resources of some types, in the order in which they arrived."""
        return (placed for placed in self.resources if placed.resource.resource_type in kinds)


def _is_outcome(resource: Resource | None) -> bool:
    return resource is not None and resource.resource_type == "OperationOutcome"


def _last_id(reference: str) -> str:
    return reference.removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1]
