"""Lays the resources of one request out, each with its place; foreign and unusable ones are left out with a note."""

from __future__ import annotations

import re
from collections import Counter

from cds_service.fhir.envelope import HookRequest
from cds_service.fhir.notebook import Notebook, Placed
from cds_service.fhir.observations import says_the_same
from cds_service.fhir.resource_types import HOLDERS, READ_TYPES, TYPES_OF_KIND, UNUSABLE
from cds_service.fhir.shapes import Entry, Resource

CONTEXT = "context.conditions"
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
    "procedures": "procedures",
    "questionnaireResponses": "answers",
}
"""Prefetch key → the kind of facts that its answer can show to be absent."""

_REFERENCED_TYPE = re.compile(r"(?:^|/)([A-Z][A-Za-z]+)/[^/]+$")
_TYPE_NAME = re.compile(r"[A-Za-z]{1,40}")
_OUTCOME = "OperationOutcome"
_ADDRESSED = frozenset({"Medication", "Patient"})
"""Resources that are looked up by the fullUrl of their entry."""


class Intake(Notebook):
    """All usable resources of one request, the keys that arrived, and the notes."""

    def __init__(self, request: HookRequest) -> None:
        """Walk context and prefetch once."""
        super().__init__(request.notes)
        self.arrived_keys: set[str] = set()
        self._answered: set[str] = set()
        self._doubted: set[str] = set(request.in_part)
        self.recorded: list[Placed] = []
        self.unread_recorded: list[str] = []
        """Where a problem was recorded of which nobody can tell what it is."""
        self.by_address: dict[str, Resource] = {}
        """Medications by the fullUrl under which a Bundle gave them."""
        self._by_type: dict[str, list[Placed]] = {kind: [] for kind in READ_TYPES}
        self._aliases = {request.context.patient_id}
        self._expected = f"Patient/{request.context.patient_id}"
        self._unread: Counter[str] = Counter()
        self._seen: dict[str, dict[str, Resource]] = {kind: {} for kind in READ_TYPES}
        self._read_context(request)
        for key, value in (request.prefetch or {}).items():
            self._read_key(key, value, request.context.patient_id)
        self._note_unread()

    def is_foreign(self, resource: Resource) -> bool:
        """Whether the resource names another patient than the hook does."""
        subject = resource.subject or resource.patient
        reference = subject.reference if subject is not None else None
        if reference == self._expected:
            return False
        if not reference or reference.startswith("#"):
            if subject is not None and not reference and not self._noted["subject-not-referenced"]:
                self.note(
                    "information", "subject-not-referenced", "(first of them)", "Send subject.reference."
                )
            return False
        bare = reference.split("/_history/", maxsplit=1)[0]
        if bare in self._aliases:
            return False
        kind = _REFERENCED_TYPE.search(bare)
        return (kind is not None and kind[1] != "Patient") or _last_id(bare) not in self._aliases

    def _read_context(self, request: HookRequest) -> None:
        conditions = request.context.conditions
        if conditions is None:
            return
        for place, entry in enumerate(conditions.entry or ()):
            path = f"{CONTEXT}.entry[{place}].resource"
            resource = entry.resource
            if resource is None or resource.resource_type is None:
                self.unread_recorded.append(path)
            if resource is None:
                self.note("warning", "resource-missing", path, "Send the resource of the entry.")
            elif resource.resource_type != "Condition":
                self.note("warning", "unexpected-resource", path, "context.conditions holds Conditions.")
            elif self.is_foreign(resource):
                self.note("error", "other-patient", path, "Send resources of the patient of the hook only.")
            else:
                self.recorded.append(Placed(resource, CONTEXT, place))
                if resource.id:
                    self._seen["Condition"][resource.id] = resource

    def _read_key(self, key: str, value: Resource | None, patient_id: str) -> None:
        path = f"prefetch.{key}"
        if key not in KIND_OF_KEY:
            self.note("information", "unasked-key", path, "Not advertised; read by resource type.")
        if value is None:
            self.arrived_keys.add(key)
            return
        kind = value.resource_type
        if kind == _OUTCOME:
            self.note("warning", "prefetch-failed", path, "The client could not answer this query.")
        elif kind is None:
            self.note("warning", "resource-type-missing", path, "Send a resource with its resourceType.")
        elif kind == "Bundle":
            self._read_bundle(key, value, path)
        elif key == "patient" and kind == "Patient" and value.id not in {None, patient_id}:
            self.note("error", "other-patient", path, "Send the Patient of the hook.")
        else:
            self._arrive(key, {self._take(Placed(value, path))}, path)

    def _arrive(self, key: str, types: set[str | None], path: str) -> None:
        """Count the key as answered, unless nothing in the answer is what the key asks for: then it is absent."""
        wanted = TYPES_OF_KIND.get(KIND_OF_KEY.get(key, ""))
        if types and wanted is not None and not types & wanted:
            self.note(
                "warning", "unexpected-resource", path, "It does not answer the key; send what it asks for."
            )
            return
        self.arrived_keys.add(key)
        self._answered.add(key)

    def _read_bundle(self, key: str, bundle: Resource, path: str) -> None:
        entries = bundle.entry or []
        sent = {entry.resource.resource_type if entry.resource else None for entry in entries}
        failed = _places_of_outcomes(entries) if _OUTCOME in sent else []
        if failed and len(failed) == len(entries):
            self.note("warning", "prefetch-failed", path, "The client could not answer this query.")
            return
        if failed:
            self.note(
                "warning", "prefetch-incomplete", f"{path}.entry[{failed[0]}]", "Part of the answer failed."
            )
        is_whole = self._is_whole(bundle, path)
        if not sent.isdisjoint(_ADDRESSED):
            self.learn_addresses(entries)
        types: set[str | None] = set()
        has_gap = False
        for place, entry in enumerate(entries):
            resource = entry.resource
            if resource is None:
                types.add(None)
                has_gap = True
                self.note(
                    "information",
                    "resource-missing",
                    f"{path}.entry[{place}]",
                    "The entry holds no resource.",
                )
            elif resource.resource_type != _OUTCOME:
                types.add(self._take(Placed(resource, path, place)))
        self._arrive(key, types, path)
        if failed or not is_whole or has_gap:
            self._doubted.add(key)  # what a partial answer does not name may still be there

    def _is_whole(self, bundle: Resource, path: str) -> bool:
        """Whether a Bundle holds all that was found; a further page, and fewer entries than were found, are noted."""
        if any(link.relation == "next" for link in bundle.link or ()):
            self.note(
                "warning", "more-pages", path, "Only the first page was sent; older entries are not known."
            )
            return False
        if bundle.total is not None and bundle.total > len(bundle.entry or ()):
            self.note(
                "warning", "more-found", f"{path}.total", "More was found than was sent; send all entries."
            )
            return False
        return True

    def learn_addresses(self, entries: list[Entry]) -> None:
        """Keep what a fullUrl stands for: the patient of the hook, or a medicine."""
        for entry in entries:
            resource = entry.resource
            if resource is None or not entry.full_url:
                continue
            if resource.resource_type == "Medication":
                self.by_address[entry.full_url] = resource
            elif resource.resource_type == "Patient" and (
                _last_id(entry.full_url) in self._aliases or resource.id in self._aliases
            ):
                self._aliases.add(entry.full_url)

    def _take(self, placed: Placed) -> str | None:
        """Keep one resource and return its type; None when it is of no type that is read, or somebody else's.

        A second copy is passed over.
        """
        resource = placed.resource
        kind = resource.resource_type
        kept = self._by_type.get(kind or "")
        if kept is None or kind is None:
            if kind is not None and _TYPE_NAME.fullmatch(kind):
                self._unread[kind] += 1
            else:
                self.note(
                    "warning", "resource-type-missing", placed.path, "Send a resource with its resourceType."
                )
                self.doubt(placed)
            return None
        if kind == "Patient":
            if resource.id is not None and resource.id not in self._aliases:
                self.note("error", "other-patient", placed.path, "Send the Patient of the hook.")
                return None
        elif self.is_foreign(resource):
            self.note(
                "error", "other-patient", placed.path, "Send resources of the patient of the hook only."
            )
            return None
        if resource.id is not None:
            seen = self._seen[kind]
            if resource.id in seen:
                self._compare(placed, seen[resource.id])
                return kind
            seen[resource.id] = resource
        kept.append(placed)
        if resource.contained and kind in HOLDERS and self._take_contained(placed, resource.contained):
            return "Observation"
        return kind

    def _compare(self, placed: Placed, first: Resource) -> None:
        """Note a second resource of one id that says something else; a mere copy is passed over."""
        if not says_the_same(placed.resource, first):
            self.note("warning", "id-used-twice", placed.path, "Send each id once; the first was used.")
            self.doubt(placed)

    def doubt(self, placed: Placed) -> None:
        """Let the answer in which a resource stands show no absence: it may name what is not understood."""
        self._doubted.add(placed.where.removeprefix("prefetch."))

    @property
    def answered_keys(self) -> set[str]:
        """The keys of which an answer arrived that can show what is absent."""
        return self._answered - self._doubted

    def _take_contained(self, placed: Placed, contained: list[Resource]) -> bool:
        """Keep the Observations inside a report or a panel, with its date where they have none.

        Returns whether there are any.
        """
        holder = placed.resource
        inside = [(place, one) for place, one in enumerate(contained) if one.resource_type == "Observation"]
        if inside and (holder.status or "").strip().lower() in UNUSABLE:
            self.note(
                "information", "status-not-usable", f"{placed.path}.status", "Its results were not used."
            )
            return True
        for place, one in inside:
            if self.is_foreign(one):
                self.note(
                    "error", "other-patient", placed.path, "Send resources of the patient of the hook only."
                )
                continue
            if not (one.effective_date_time or one.effective_period or one.effective_instant or one.issued):
                one.effective_date_time = holder.effective_date_time
                one.effective_period, one.issued = holder.effective_period, holder.issued
            where = f"{placed.inside}.contained[{place}]"
            self._by_type["Observation"].append(
                Placed(one, placed.where, placed.place, where, placed.reference)
            )
        return bool(inside)

    def _note_unread(self) -> None:
        for kind, count in sorted(self._unread.items()):
            self.note("information", "type-not-read", f"prefetch ({count} x {kind})", "Not needed; not read.")

    def of(self, *kinds: str) -> list[Placed]:
        """Return the resources of some types, in the order in which they arrived within each type."""
        return [placed for kind in kinds for placed in self._by_type[kind]]


def _places_of_outcomes(entries: list[Entry]) -> list[int]:
    return [
        place
        for place, entry in enumerate(entries)
        if entry.resource and entry.resource.resource_type == _OUTCOME
    ]


def _last_id(reference: str) -> str:
    return reference.removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1]
