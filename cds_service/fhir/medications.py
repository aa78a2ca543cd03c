"""Reads MedicationRequests and MedicationStatements; it names ingredients, never a strength or a dose."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.dates import read_when
from cds_service.fhir.resource_types import MEDICINES
from cds_service.fhir.resources import Intake, Placed
from cds_service.fhir.shapes import CodeableConcept, Dosage, Period, Reference, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.fhir.words import code_of, wording
from cds_service.model.facts import Fact, Medication, When

_NEVER_TAKEN = frozenset({"entered-in-error", "cancelled", "draft", "not-taken", "intended"})
_OVER = frozenset({"completed", "stopped", "ended"})
_NOT_NAMED = "Send the code or the text of the medicine; the first of its kind without one stands here."


class MedicationReader:
    """Reads the medicines of one request."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self._unnamed: set[str | None] = set()
        self._products = {
            f"Medication/{placed.resource.id}": placed.resource
            for placed in intake.of("Medication")
            if placed.resource.id
        }

    def medications(self) -> list[Medication]:
        """Return every medicine that the content knows."""
        read = [self._medication(placed) for placed in self._intake.of(*MEDICINES)]
        return [medication for medication in read if medication is not None]

    def _medication(self, placed: Placed) -> Medication | None:
        resource = placed.resource
        status = _status(resource)
        if status in _NEVER_TAKEN or resource.intent in {"proposal", "option"} or _is_not_taken(resource):
            return None
        concept = self._concept(resource)
        sets, name, by_text = frozenset[str](), "", False
        if concept is not None:
            sets, name, by_text = self._vocabulary.medicine_names(concept)
        if not sets:
            if (
                not self._vocabulary.is_known_medicine(concept)
                and resource.resource_type not in self._unnamed
            ):
                self._unnamed.add(resource.resource_type)
                self._intake.note("warning", "medicine-not-named", placed.path, _NOT_NAMED)
            return None
        started, ended = _started(resource), read_when(_end(resource))
        active = status not in _OVER and (ended is None or ended.latest >= self._as_of)
        if started is not None and started.earliest > self._as_of:
            return None
        return Medication(
            value_sets=sets,
            name=name,
            active=active,
            started=started,
            ended=ended,
            fact=Fact(
                what=name,
                reference=f"{resource.resource_type}/{resource.id}" if resource.id else None,
                value=status or "active",
                on=started.text if started else None,
                by_text=by_text,
                note=None if active else _ending(ended),
            ),
        )

    def _concept(self, resource: Resource) -> CodeableConcept | None:
        if resource.medication_codeable_concept is not None:
            return resource.medication_codeable_concept
        both = resource.medication
        if both is not None and both.concept is not None:
            return both.concept
        link = resource.medication_reference or (both.reference if both is not None else None)
        if isinstance(link, str):
            link = Reference(reference=link)
        if link is None:
            return None
        product = self._product(resource, link.reference) if link.reference else None
        named = self._named_in(product, resource) if product is not None else None
        if named is None or (link.display and not wording(named)):
            return CodeableConcept(coding=named.coding if named else None, text=link.display)
        return named

    def _named_in(self, product: Resource, holder: Resource) -> CodeableConcept | None:
        """Return what a Medication says it is: its code and words, else those of all that it contains."""
        if product.code is not None and (product.code.coding or product.code.text):
            return product.code
        parts = []
        made_of = product.product  # DSTU2
        for ingredient in (*(product.ingredient or ()), *((made_of.ingredient if made_of else None) or ())):
            item = ingredient.item
            concept = ingredient.item_codeable_concept or (item.concept if item else None)
            if concept is None and item is not None and isinstance(item.reference, str):
                part = self._product(product, item.reference) or self._product(holder, item.reference)
                concept = part.code if part is not None else None
            if concept is not None:
                parts.append(concept)
        return _joined(parts)

    def _product(self, resource: Resource, reference: str) -> Resource | None:
        """Return the Medication that a reference leads to: contained, by its address, or by its id."""
        if reference.startswith("#"):
            return next((part for part in resource.contained or () if part.id == reference[1:]), None)
        bare = reference.split("/_history/", maxsplit=1)[0]
        return (
            self._products.get(bare)
            or self._intake.by_address.get(bare)
            or self._products.get("Medication/" + bare.removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1])
        )


def _joined(parts: list[CodeableConcept]) -> CodeableConcept | None:
    """Return all ingredients as one concept."""
    if not parts:
        return None
    codings = [coding for part in parts for coding in part.coding or ()]
    return CodeableConcept(coding=codings or None, text=" / ".join(filter(None, map(wording, parts))) or None)


def _is_not_taken(resource: Resource) -> bool:
    """Whether a record says that a medicine is not taken, in the word of its version of FHIR."""
    if resource.do_not_perform or resource.was_not_taken:
        return True
    return (resource.taken or "").strip().lower() == "n"


def _status(resource: Resource) -> str:
    """Return the status as a bare word; R5 says in another member whether a medicine is taken."""
    adherence = code_of(resource.adherence.code) if resource.adherence is not None else None
    if adherence is not None and adherence.startswith("stopped"):
        return "stopped"
    if adherence == "not-taking":
        return "not-taken"
    status = (resource.status or "").strip().lower()
    return "active" if status == "recorded" else status


def _ending(ended: When | None) -> str:
    """Return the note on a medicine that is no longer taken."""
    return f"ended {ended.text}" if ended is not None else "over, last day not on record"


def _started(resource: Resource) -> When | None:
    """Return the first day of taking; the day of the prescription stands for it where nothing else is said."""
    period, span = resource.effective_period, _directed_span(resource)
    return (
        read_when(period.start if period else None)
        or read_when(resource.effective_date_time)
        or read_when(span.start if span else None)
        or read_when(resource.authored_on)
        or read_when(resource.date_written)
        or read_when(resource.date_asserted)
    )


def _end(resource: Resource) -> str | None:
    """Return the last day of taking; the validity of a prescription is no end of taking."""
    period, span = resource.effective_period, _directed_span(resource)
    return (period.end if period else None) or (span.end if span else None) or resource.date_ended


def _directed_span(resource: Resource) -> Period | None:
    """Return the first span of time that the directions give."""
    directions: list[Dosage] = [*(resource.dosage_instruction or ()), *(resource.dosage or ())]
    for dosage in directions:
        if dosage.timing is not None and dosage.timing.repeat is not None:
            return dosage.timing.repeat.bounds_period
    return None
