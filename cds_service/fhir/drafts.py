"""Reads the drafts of an order hook: what they would order or have taken, and which symptom they are for.

A draft is never a medicine taken, a request placed or a problem of the record.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import date

import msgspec

from cds_service.fhir.conditions import ConditionReader
from cds_service.fhir.draft_orders import DRAFTS, Drafted, Reasons
from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.notebook import Placed
from cds_service.fhir.orders import asked_for
from cds_service.fhir.resource_types import REQUESTS
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import CodeableConcept, Entry, Reference, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import DraftOrder, Fact, Medication, RecordedPresentation

DRAFT = "draft order"
"""The note of a fact that is only about to be true."""
_MEDICINES = frozenset({"MedicationRequest", "MedicationOrder"})
_NOT_MEANT = frozenset(
    {"entered-in-error", "cancelled", "revoked", "stopped", "completed", "ended", "rejected"}
)
_NAME_IT = "Send the code or the text of the order; it could not be looked at."


class DraftReader:
    """Reads the drafts of one call."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, drafted: Drafted, as_of: date) -> None:
        """Keep the drafts of this patient, each with its place."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._drafted = drafted
        entries = drafted.bundle.entry or []
        intake.learn_addresses(entries)
        self._entries = [*self._usable(entries)]
        inside = [placed for _entry, placed in self._entries]
        self._medicines = MedicationReader(
            vocabulary,
            intake,
            as_of,
            [placed for placed in inside if placed.resource.resource_type == "Medication"],
        )
        self._conditions = {
            placed.reference: placed for placed in inside if placed.resource.resource_type == "Condition"
        }

    def drafts(self) -> tuple[DraftOrder, ...]:
        """Return every draft that the content knows something of."""
        read = (self._draft(entry, placed) for entry, placed in self._entries)
        return tuple(draft for draft in read if draft is not None)

    def presentations(
        self, reader: ConditionReader, known: Iterable[RecordedPresentation]
    ) -> list[RecordedPresentation]:
        """Return the presentations that the drafts are for and that are not among the `known` ones."""
        types = {name for one in known for name in one.types}
        found = []
        for _entry, placed in self._entries:
            reasons = self._drafted.reasons.get(placed.place or 0, Reasons())
            for condition in self._conditions_of(placed, reasons):
                one = reader.presentation(condition)
                if one is not None and not types.issuperset(one.types):
                    types.update(one.types)
                    found.append(one)
        return found

    def _usable(self, entries: list[Entry]) -> Iterator[tuple[Entry, Placed]]:
        for place, entry in enumerate(entries):
            path = f"{DRAFTS}.entry[{place}].resource"
            resource = entry.resource
            if resource is None or resource.resource_type is None:
                self._intake.note("warning", "resource-missing", path, "Send the resource of the entry.")
            elif self._intake.is_foreign(resource):
                self._intake.note(
                    "error", "other-patient", path, "Send resources of the patient of the hook only."
                )
            else:
                yield entry, Placed(resource, DRAFTS, place)

    def _draft(self, entry: Entry, placed: Placed) -> DraftOrder | None:
        resource = placed.resource
        if (resource.status or "").strip().lower() in _NOT_MEANT or resource.do_not_perform:
            return None
        in_focus = self._drafted.selects(entry)
        if resource.resource_type in _MEDICINES:
            return self._medicine(placed, in_focus=in_focus)
        if resource.resource_type in REQUESTS:
            return self._request(placed, in_focus=in_focus)
        return None

    def _medicine(self, placed: Placed, *, in_focus: bool) -> DraftOrder | None:
        concept = self._medicines.concept(placed.resource)
        if concept is None or not self._vocabulary.is_known_medicine(concept):
            self._intake.note("warning", "draft-not-named", placed.path, _NAME_IT)
            return None
        sets, name, by_text = self._vocabulary.medicine_names(concept)
        if not sets:
            return None
        fact = Fact(what=name, reference=placed.reference, value="draft", by_text=by_text, note=DRAFT)
        medicine = Medication(value_sets=sets, name=name, fact=fact, active=True, started=None, ended=None)
        return DraftOrder(fact=fact, medicine=medicine, in_focus=in_focus)

    def _request(self, placed: Placed, *, in_focus: bool) -> DraftOrder | None:
        resource = placed.resource
        if resource.code is None and not resource.item:
            self._intake.note("warning", "draft-not-named", placed.path, _NAME_IT)
            return None
        asked = asked_for(self._vocabulary, self._intake, placed)
        if asked is None:
            return None
        fact = Fact(what=asked.placed.fact.what, reference=placed.reference, value="draft", note=DRAFT)
        return DraftOrder(fact=fact, named=asked.named, asked=asked.placed, in_focus=in_focus)

    def _conditions_of(self, placed: Placed, reasons: Reasons) -> Iterator[Placed]:
        """Yield what a draft is for as Conditions: those it leads to, and its words as if they were recorded."""
        for concept in reasons.concepts:
            yield self._as_condition(concept, placed)
        for reference in reasons.references:
            found = self._referenced(reference, placed)
            if found is not None:
                yield found
            elif reference.display and not self._is_on_record(reference):
                yield self._as_condition(CodeableConcept(text=reference.display), placed)

    def _referenced(self, reference: Reference, placed: Placed) -> Placed | None:
        """Return the Condition among the drafts, or inside one, that a reference leads to."""
        address = reference.reference or ""
        if address.startswith("#"):
            for one in placed.resource.contained or ():
                if one.id == address[1:] and one.resource_type == "Condition":
                    # outside of what holds it, nothing can be found by the id of a contained resource
                    nameless = msgspec.structs.replace(one, id=None)
                    return Placed(nameless, DRAFTS, placed.place, ".contained")
            return None
        return self._conditions.get(_relative(address))

    def _is_on_record(self, reference: Reference) -> bool:
        """Whether the record holds the Condition itself: then its own status decides whether it counts."""
        wanted = _relative(reference.reference or "")
        return any(placed.reference == wanted for placed in self._intake.of("Condition"))

    def _as_condition(self, concept: CodeableConcept, placed: Placed) -> Placed:
        return Placed(Resource(resource_type="Condition", code=concept), DRAFTS, placed.place, ".reason")


def _relative(address: str) -> str:
    return "/".join(address.split("/_history/", maxsplit=1)[0].split("/")[-2:])
