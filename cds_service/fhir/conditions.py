"""Reads Conditions: what is on record, whether it holds today, and which of them start a differential."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.dates import read_when
from cds_service.fhir.notebook import Placed
from cds_service.fhir.resources import CONTEXT, Intake
from cds_service.fhir.shapes import CodeableConcept, Resource
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.fhir.words import NOT_TRUE, OVER, code_of, wording
from cds_service.model.facts import Fact, RecordedCondition, RecordedPresentation, When

_NOT_FIRM = frozenset({"provisional", "differential", "unconfirmed"})
_VERIFICATIONS = frozenset({*NOT_TRUE, *_NOT_FIRM, "confirmed", "unknown"})
_LASTING = frozenset({"remission", "relapse", "recurrence"})
"""The illness is still the patient's: an end that is recorded with it is the end of an episode."""
_STATUSES = frozenset({"active", *OVER, *_LASTING})
_SEND_VERIFICATION = "Send a code of condition-ver-status; the condition was taken as confirmed."
_SEND_STATUS = (
    "Send a code of condition-clinical; the condition was taken as active unless its end is on record."
)
_SEND_WORDS = "Send a code of SNOMED CT or ICD-10-CM beside it, or its words."
_SEND_ONSET = "Send onsetDateTime; an onset by age or in words is not placed in time."


class ConditionReader:
    """Reads the Conditions of one request."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self._named: dict[int, tuple[frozenset[str], frozenset[str]]] = {}

    def conditions(self) -> list[RecordedCondition]:
        """Return every condition or sign that the content knows, recorded now or before."""
        read = [self._condition(placed) for placed in (*self._intake.recorded, *self._intake.of("Condition"))]
        return [condition for condition in read if condition is not None]

    def presentations(self, trigger: str) -> list[RecordedPresentation]:
        """Return the presentations that count: those recorded now, or those active on the problem list."""
        source = self._intake.recorded if trigger == "recorded-now" else self._intake.of("Condition")
        read = [self.presentation(placed) for placed in source]
        return [presentation for presentation in read if presentation is not None]

    def _condition(self, placed: Placed) -> RecordedCondition | None:
        by_code, by_text = self._names(placed)
        sets = frozenset(name for name in by_code | by_text if not name.startswith(PRESENTATION))
        if not sets:
            return None
        verification = self._verification(placed)
        if verification in NOT_TRUE:
            self._intake.note(
                "information", "not-true", placed.path, f"The condition is {verification}; it was not used."
            )
            return None
        onset, recorded = self._onset(placed), self._recorded(placed)
        return RecordedCondition(
            value_sets=sets,
            by_text=frozenset(by_text - by_code),
            fact=_fact(
                placed, onset, recorded, by_text=not (by_code & sets), firm=verification not in _NOT_FIRM
            ),
            active=self._is_active(placed),
            firm=verification not in _NOT_FIRM,
            onset=onset,
            recorded=recorded,
        )

    def presentation(self, placed: Placed) -> RecordedPresentation | None:
        """Return the presentation that one Condition records, wherever it stands; None where none counts."""
        resource = placed.resource
        by_code, by_text = self._names(placed)
        coded = sorted(name.removeprefix(PRESENTATION) for name in by_code if name.startswith(PRESENTATION))
        texted = sorted(name.removeprefix(PRESENTATION) for name in by_text if name.startswith(PRESENTATION))
        types = coded or texted
        if not types:
            return None
        if self._verification(placed) in NOT_TRUE or not self._is_active(placed):
            self._intake.note(
                "information",
                "not-current",
                placed.path,
                "The recorded problem is refuted, in error or over.",
            )
            return None
        onset, recorded = self._onset(placed), self._recorded(placed)
        return RecordedPresentation(
            types=tuple(_specific(types, texted)),
            reference=placed.reference,
            text=wording(resource.code),
            onset=onset,
            recorded=recorded,
            by_text=not coded,
            fact=_fact(placed, onset, recorded, by_text=not coded, firm=True),
        )

    def _names(self, placed: Placed) -> tuple[frozenset[str], frozenset[str]]:
        """Return names by code and by text, read once per resource."""
        named = self._named.get(id(placed.resource))
        if named is None:
            named = self._named[id(placed.resource)] = self._read_names(placed)
        return named

    def _read_names(self, placed: Placed) -> tuple[frozenset[str], frozenset[str]]:
        """Return names by code and by text; displays are read as text only where no code is known."""
        concept = placed.resource.code
        if not self._intake.is_named(placed, "code", concept) or concept is None:
            self._intake.doubt(placed)
            if placed.where == CONTEXT:
                self._intake.unread_recorded.append(placed.path)
            return frozenset(), frozenset()
        by_code = self._vocabulary.problem_codes.names(concept)
        text = self._intake.bounded(concept.text, f"{placed.path}.code.text") if concept.text else None
        by_text = self._vocabulary.problem_text.find(text)
        if not by_code and not concept.text:
            for coding in concept.coding or ():
                by_text |= self._vocabulary.problem_text.find(coding.display)
            self._note_unread_system(placed, concept)
        return by_code, by_text

    def _note_unread_system(self, placed: Placed, concept: CodeableConcept) -> None:
        """Note a code without words of a system that is not read, such as ICD-9: nobody can tell what it says."""
        codings = concept.coding or ()
        if any(coding.display or self._vocabulary.problem_codes.reads(coding.system) for coding in codings):
            return
        self._intake.doubt(placed)
        self._intake.note("warning", "code-system-not-read", f"{placed.path}.code", _SEND_WORDS)

    def _onset(self, placed: Placed) -> When | None:
        resource, when = placed.resource, self._intake.when
        period = resource.onset_period
        onset = (
            when(placed, "onsetDateTime", resource.onset_date_time)
            or when(placed, "onsetPeriod.start", period.start if period else None)
            or read_when(resource.onset_string)
        )
        if onset is None and (placed.resource.onset_age is not None or placed.resource.onset_string):
            self._intake.note("information", "onset-not-a-date", f"{placed.path}.onset", _SEND_ONSET)
        return onset

    def _is_active(self, placed: Placed) -> bool:
        """Whether a condition holds today; a status that says nothing known is no end of it, and is noted."""
        resource = placed.resource
        status = _status(resource)
        if resource.clinical_status is not None and status not in _STATUSES:
            self._intake.note(
                "information", "status-not-understood", f"{placed.path}.clinicalStatus", _SEND_STATUS
            )
        if status in OVER or status in _LASTING:
            return status in _LASTING
        period, when = resource.abatement_period, self._intake.when
        ended = when(placed, "abatementDateTime", resource.abatement_date_time) or when(
            placed, "abatementPeriod.end", period.end if period else None
        )
        if ended is not None:
            return ended.latest > self._as_of
        return not (resource.abatement_boolean or resource.abatement_string)

    def _recorded(self, placed: Placed) -> When | None:
        resource, when = placed.resource, self._intake.when
        return (
            when(placed, "recordedDate", resource.recorded_date)
            or when(placed, "assertedDate", resource.asserted_date)
            or when(placed, "dateRecorded", resource.date_recorded)
        )

    def _verification(self, placed: Placed) -> str | None:
        """Return how sure the condition is; a word that FHIR does not have is noted and taken for sure."""
        sent = placed.resource.verification_status
        verification = code_of(sent)
        if sent is not None and verification not in _VERIFICATIONS:
            self._intake.status_not_understood(placed, "verificationStatus", _SEND_VERIFICATION)
        return verification


def _specific(types: list[str], texted: list[str]) -> list[str]:
    """Narrow a code that means several presentations (ICD-10-CM R25.2) to the one that the words name."""
    named = [name for name in types if name in texted]
    return named if len(types) > 1 and named else types


def _status(resource: Resource) -> str | None:
    """Return the clinical status in the words of FHIR; where its code is another system's, its display tells."""
    sent = resource.clinical_status
    status = code_of(sent)
    if status in _STATUSES or sent is None or isinstance(sent, str):
        return status
    words = [coding.display or coding.code for coding in sent.coding or ()] + [sent.text]
    return next((each for word in words if word and (each := word.strip().lower()) in _STATUSES), status)


def _fact(placed: Placed, onset: When | None, recorded: When | None, *, by_text: bool, firm: bool) -> Fact:
    resource, when = placed.resource, onset or recorded
    return Fact(
        what=wording(resource.code) or "condition without words",
        reference=placed.reference,
        value=(_status(resource) or "active") if firm else "provisional",
        on=when.text if when else None,
        by_text=by_text,
    )
