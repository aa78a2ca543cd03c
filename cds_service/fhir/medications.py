"""Reads MedicationRequests and MedicationStatements; it names ingredients, never a strength or a dose."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.dates import read_when
from cds_service.fhir.resources import Intake, Placed
from cds_service.fhir.shapes import CodeableConcept, Dosage, Period, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import Fact, Medication, When

_NEVER_TAKEN = frozenset({"entered-in-error", "cancelled", "draft", "not-taken", "intended"})
_OVER = frozenset({"completed", "stopped", "ended"})


class MedicationReader:
    """Reads the medicines of one request."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self._products = {
            f"Medication/{placed.resource.id}": placed.resource
            for placed in intake.of("Medication")
            if placed.resource.id
        }

    def medications(self) -> list[Medication]:
        """Return every medicine that the content knows."""
        read = [
            self._medication(placed) for placed in self._intake.of("MedicationRequest", "MedicationStatement")
        ]
        return [medication for medication in read if medication is not None]

    def _medication(self, placed: Placed) -> Medication | None:
        resource = placed.resource
        status = (resource.status or "").strip().lower()
        if resource.do_not_perform or status in _NEVER_TAKEN or resource.intent in {"proposal", "option"}:
            return None
        concept = self._concept(resource)
        if concept is None or not (concept.text or concept.coding):
            self._intake.note(
                "warning", "medicine-not-named", placed.path, "Send the code or the text of the medicine."
            )
            return None
        sets, name, by_text = self._vocabulary.medicine_names(concept)
        if not sets:
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
        if link is None or not link.reference:
            return None
        if link.reference.startswith("#"):
            inside = (part for part in resource.contained or () if part.id == link.reference[1:])
            product = next(inside, None)
        else:
            product = self._products.get(link.reference) or self._products.get(
                "Medication/" + link.reference.removeprefix("urn:uuid:").rsplit("/", maxsplit=1)[-1]
            )
        if product is not None and product.code is not None:
            return product.code
        return CodeableConcept(text=link.display) if link.display else None


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
        or read_when(resource.date_asserted)
    )


def _end(resource: Resource) -> str | None:
    """Return the last day of taking; the validity of a prescription is no end of taking."""
    period, span = resource.effective_period, _directed_span(resource)
    return (period.end if period else None) or (span.end if span else None)


def _directed_span(resource: Resource) -> Period | None:
    """Return the first span of time that the directions give."""
    directions: list[Dosage] = [*(resource.dosage_instruction or ()), *(resource.dosage or ())]
    for dosage in directions:
        if dosage.timing is not None and dosage.timing.repeat is not None:
            return dosage.timing.repeat.bounds_period
    return None
