"""Reads medicines that were ordered, stated or given; it names ingredients, never a strength or a dose."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from cds_service.fhir.notebook import Placed
from cds_service.fhir.resource_types import GIVEN, MEDICINES
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import CodeableConcept, Dosage, Period, Reference, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.fhir.words import code_of, wording
from cds_service.model.facts import Fact, Medication, When

_NEVER_TAKEN = frozenset({"entered-in-error", "cancelled", "draft", "not-taken", "not-done", "intended"})
_OVER = frozenset({"completed", "stopped", "ended"})
_STATUSES = frozenset({*_OVER, "active", "on-hold", "in-progress", "unknown"})
_SEND_STATUS = "Send a status of FHIR; the medicine was taken as active unless its end is on record."
_NOT_NAMED = "Send the code or the text of the medicine; the first of its kind without one stands here."


class MedicationReader:
    """Reads the medicines of one request."""

    def __init__(
        self, vocabulary: Vocabulary, intake: Intake, as_of: date, products: Iterable[Placed] = ()
    ) -> None:
        """Keep what is needed to read; `products` are Medications that stand outside the record."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self._unnamed: set[str | None] = set()
        self._products = {
            f"Medication/{placed.resource.id}": placed.resource
            for placed in (*intake.of("Medication"), *products)
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
        if status not in _STATUSES:
            self._intake.status_not_understood(placed, "status", _SEND_STATUS)
        concept = self.concept(resource)
        sets, name, by_text = frozenset[str](), "", False
        if concept is not None:
            sets, name, by_text = self._vocabulary.medicine_names(concept)
        if sets and by_text:
            self._intake.is_named(placed, "medicationCodeableConcept", concept)
        if not sets:
            if not self._vocabulary.is_known_medicine(concept):
                self._note_unnamed(placed)
            return None
        started, ended = self._started(placed), self._ended(placed)
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
                reference=placed.reference,
                value=status or "active",
                on=started.text if started else None,
                by_text=by_text,
                note=None if active else _ending(ended),
            ),
        )

    def _note_unnamed(self, placed: Placed) -> None:
        """Note the first medicine of its kind that nobody can name; none of its list is shown to be absent then."""
        self._intake.doubt(placed)
        kind = placed.resource.resource_type
        if kind not in self._unnamed:
            self._unnamed.add(kind)
            self._intake.note("warning", "medicine-not-named", placed.path, _NOT_NAMED)

    def _started(self, placed: Placed) -> When | None:
        """Return the first day of taking; the day of the prescription stands for it where nothing else is said."""
        resource, when = placed.resource, self._intake.when
        span = _directed_span(resource)
        times, period = _given(resource)
        return (
            when(placed, "effectivePeriod.start", period.start if period else None)
            or when(placed, "effectiveDateTime", times)
            or when(placed, "dosageInstruction.timing", span.start if span else None)
            or when(placed, "authoredOn", resource.authored_on)
            or when(placed, "dateWritten", resource.date_written)
            or when(placed, "dateAsserted", resource.date_asserted)
        )

    def _ended(self, placed: Placed) -> When | None:
        """Return the last day of taking; the validity of a prescription is no end of taking, a dose given is."""
        resource, when = placed.resource, self._intake.when
        span = _directed_span(resource)
        time, period = _given(resource)
        is_one_dose = resource.resource_type == GIVEN and _status(resource) in _OVER
        return (
            when(placed, "effectivePeriod.end", period.end if period else None)
            or when(placed, "dosageInstruction.timing", span.end if span else None)
            or when(placed, "dateEnded", resource.date_ended)
            or when(placed, "effectiveDateTime", time if is_one_dose else None)
        )

    def concept(self, resource: Resource) -> CodeableConcept | None:
        """Return what the medicine of a resource is, in codes and words; None where it does not say."""
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
    refused = (resource.do_not_perform, resource.was_not_taken, resource.not_given, resource.was_not_given)
    if any(refused):
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


def _given(resource: Resource) -> tuple[str | None, Period | None]:
    """Return the moment and the span in which a medicine was taken or given, in the words of each version."""
    time = resource.effective_date_time or resource.effective_time_date_time or resource.occurence_date_time
    return time, resource.effective_period or resource.effective_time_period or resource.occurence_period


def _directed_span(resource: Resource) -> Period | None:
    """Return the first span of time that the directions give."""
    directions: list[Dosage] = [*(resource.dosage_instruction or ()), *(resource.dosage or ())]
    for dosage in directions:
        if dosage.timing is not None and dosage.timing.repeat is not None:
            return dosage.timing.repeat.bounds_period
    return None
