"""Reads procedures, devices, allergies and the conditions of relatives; none of them is a problem of today."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.notebook import Placed
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import CodeableConcept, Reference, Resource
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.fhir.words import NOT_TRUE, OVER, code_of, concepts, wording
from cds_service.model.facts import Allergy, Fact, RecordedCondition, Relative, When

_DONE = frozenset({"completed", "unknown", ""})
_UNDER_WAY = "in-progress"
_IN_PLACE = frozenset({"active", "unknown", "available", ""})
_ALLERGY_STATUSES = frozenset({None, "", "active", "confirmed", "unconfirmed", "presumed", "provisional"})
_USED_NO_MORE = frozenset({"completed", "entered-in-error", "stopped", "intended", "not-done"})


class HistoryReader:
    """Reads what was done to a patient, what was put in, what was not borne, and what runs in the family."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of

    def procedures(self) -> list[RecordedCondition]:
        """Return procedures that took place, as conditions that are over since the day they were performed."""
        read = []
        for placed in self._intake.of("Procedure"):
            resource = placed.resource
            status = _status(resource)
            if resource.not_done or resource.not_performed or (status not in _DONE and status != _UNDER_WAY):
                self._intake.note("information", "status-not-usable", f"{placed.path}.status", "Not used.")
                continue
            if not status:
                self._intake.status_not_understood(placed, "status", "Send a status; it was taken as done.")
            when = self._performed(placed)
            if when is not None and when.earliest > self._as_of:
                continue
            one = self._recorded(placed, resource.code, when, active=status == _UNDER_WAY)
            if one is not None:
                read.append(one)
        return read

    def devices(self) -> list[RecordedCondition]:
        """Return devices that are in place, as active conditions."""
        read = []
        out_of_use = self._devices_out_of_use()
        for placed in self._intake.of("Device"):
            resource = placed.resource
            if _status(resource) not in _IN_PLACE:
                self._intake.note(
                    "information", "device-not-in-place", f"{placed.path}.status", "It was not used."
                )
                continue
            if resource.id is not None and resource.id in out_of_use:
                continue
            kinds = _kinds_of_device(resource)
            if not kinds:
                self._intake.is_named(placed, "type", None)
            for concept in kinds:
                one = self._recorded(placed, concept, None, active=True)
                if one is not None:
                    read.append(one)
        return read

    def _devices_out_of_use(self) -> set[str]:
        """Return the ids of devices of which a statement says that they are used no more, with a note for each."""
        ids = set()
        for placed in self._intake.of("DeviceUseStatement", "DeviceUsage"):
            resource = placed.resource
            span = resource.timing_period or resource.when_used
            ended = self._intake.when(placed, "timingPeriod.end", span.end if span else None)
            is_over = ended is not None and ended.latest < self._as_of
            if _status(resource) in _USED_NO_MORE or is_over:
                link = resource.device.reference if resource.device else None
                text = link.reference if isinstance(link, Reference) else link
                ids.add((text or "").rsplit("/", maxsplit=1)[-1])
                self._intake.note(
                    "information", "device-not-in-place", placed.path, "The device it names was not used."
                )
        return ids

    def allergies(self) -> list[Allergy]:
        """Return allergies and intolerances that hold, by the medicines and things that the content knows."""
        read = []
        for placed in self._intake.of("AllergyIntolerance"):
            resource = placed.resource
            stated = {
                code_of(resource.verification_status),
                code_of(resource.clinical_status),
                _status(resource),
            }
            if stated & (NOT_TRUE | OVER):
                self._intake.note(
                    "information",
                    "allergy-does-not-hold",
                    placed.path,
                    "Refuted, in error or over; not used.",
                )
                continue
            if stated - _ALLERGY_STATUSES:
                self._intake.status_not_understood(placed, "clinicalStatus", "The allergy was taken to hold.")
            code = resource.code or resource.substance  # DSTU2 has a substance, and one status for both
            if not self._intake.is_named(placed, "code", code) or code is None:
                continue
            sets, _name, by_text = self._vocabulary.medicine_names(code)
            by_code, in_words = self._names(placed, code)
            sets |= by_code | in_words
            if sets:
                fact = Fact(
                    what=wording(code) or "allergy",
                    reference=placed.reference,
                    value="allergy or intolerance",
                    by_text=by_text and not by_code,
                )
                read.append(Allergy(value_sets=sets, fact=fact))
        return read

    def relatives(self) -> list[Relative]:
        """Return one entry per condition of a relative, with its words even where the content does not know it."""
        read = []
        for placed in self._intake.of("FamilyMemberHistory"):
            resource = placed.resource
            if _status(resource) == "entered-in-error":
                self._intake.note("information", "status-not-usable", f"{placed.path}.status", "Not used.")
                continue
            relative = wording(resource.relationship)
            if not relative:
                path = f"{placed.path}.relationship"
                self._intake.note("information", "relative-not-named", path, "Send who it is.")
            for place, condition in enumerate(resource.condition or ()):
                self._intake.is_named(placed, f"condition[{place}].code", condition.code)
                words = wording(condition.code)
                if words and condition.code is not None:
                    by_code, in_words = self._names(placed, condition.code)
                    fact = Fact(
                        what=f"{words} in {relative or 'a relative'}",
                        value=relative or "relative",
                        reference=placed.reference,
                        by_text=bool(in_words) and not by_code,
                    )
                    read.append(Relative(value_sets=by_code | in_words, fact=fact))
        return read

    def _recorded(
        self, placed: Placed, concept: CodeableConcept | None, when: When | None, *, active: bool
    ) -> RecordedCondition | None:
        if not self._intake.is_named(placed, "code", concept) or concept is None:
            self._intake.doubt(placed)
            return None
        by_code, by_text = self._names(placed, concept)
        sets = by_code | by_text
        if not sets:
            return None
        return RecordedCondition(
            value_sets=sets,
            by_text=by_text - by_code,
            active=active,
            firm=True,
            onset=when,
            recorded=when,
            fact=Fact(
                what=wording(concept),
                reference=placed.reference,
                value=_status(placed.resource) or "recorded",
                on=when.text if when else None,
                by_text=not by_code,
            ),
        )

    def _performed(self, placed: Placed) -> When | None:
        resource, when = placed.resource, self._intake.when
        period = resource.performed_period or resource.occurrence_period
        return (
            when(placed, "performedDateTime", resource.performed_date_time)
            or when(placed, "performedPeriod", (period.end or period.start) if period else None)
            or when(placed, "occurrenceDateTime", resource.occurrence_date_time)
        )

    def _names(self, placed: Placed, concept: CodeableConcept) -> tuple[frozenset[str], frozenset[str]]:
        """Return value sets by code and by words; displays are read as words only where no code is known."""
        by_code = self._vocabulary.problem_codes.names(concept)
        texts = [concept.text] if concept.text else []
        if not by_code and not texts:
            texts = [coding.display for coding in concept.coding or () if coding.display]
        by_text = frozenset[str]()
        for text in texts:
            by_text |= self._vocabulary.problem_text.find(self._intake.bounded(text, f"{placed.path}.code"))
        return _without_presentations(by_code), _without_presentations(by_text)


def _without_presentations(names: frozenset[str]) -> frozenset[str]:
    return frozenset(name for name in names if not name.startswith(PRESENTATION))


def _status(resource: Resource) -> str:
    return (resource.status or "").strip().lower()


def _kinds_of_device(resource: Resource) -> list[CodeableConcept]:
    """Return what a device is: its type, its code (DSTU2 to R5 differ), or a bare word."""
    kind = resource.type
    found = [CodeableConcept(text=kind)] if isinstance(kind, str) else concepts(kind)
    return [*found, resource.code] if resource.code is not None else found
