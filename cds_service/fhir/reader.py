"""From one checked request to `PatientFacts`: calls one reader per kind of fact; reads no clock and judges nothing."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, datetime

from cds_service.fhir.conditions import ConditionReader
from cds_service.fhir.drafts import DraftReader
from cds_service.fhir.envelope import HookRequest
from cds_service.fhir.history import HistoryReader
from cds_service.fhir.labs import LabReader
from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.orders import read_orders
from cds_service.fhir.patients import read_patient
from cds_service.fhir.questionnaire_responses import read_answers, with_onset
from cds_service.fhir.resources import KIND_OF_KEY, Intake
from cds_service.fhir.symptoms import SymptomReader
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import DraftOrder, PatientFacts, PlacedOrder


def read_facts(
    request: HookRequest, vocabulary: Vocabulary, advertised: tuple[str, ...], trigger: str, as_of: datetime
) -> PatientFacts:
    """Return everything that the request says of its patient at `as_of`.

    `advertised` are the prefetch keys of the service; those that did not arrive are named in `missing_keys`.
    `trigger` tells where the presentation stands: `recorded-now` in the context, `on-problem-list`, or
    `among-drafts`, which is on the problem list or given as the reason of a draft order.
    """
    today = as_of.date()
    intake = Intake(request)
    conditions = ConditionReader(vocabulary, intake, today)
    symptoms = SymptomReader(vocabulary, intake, today)
    labs = LabReader(vocabulary, intake, today)
    measurements = labs.measurements()
    symptoms.read(labs.others)
    history = HistoryReader(vocabulary, intake, today)
    age, sex = read_patient(intake, today)
    said = read_answers(vocabulary, intake, today)
    presentations = conditions.presentations(trigger)
    drafted = request.context.drafted
    drafts: tuple[DraftOrder, ...] = ()
    if drafted is not None:
        reader = DraftReader(vocabulary, intake, drafted, today)
        drafts = reader.drafts()
        presentations += reader.presentations(conditions, presentations)
    return PatientFacts(
        patient_id=request.context.patient_id,
        encounter=request.context.encounter_id,
        age=age,
        sex=sex,
        presentations=tuple(with_onset(one, said.onset) for one in presentations),
        conditions=(
            *conditions.conditions(),
            *symptoms.signs,
            *history.procedures(),
            *history.devices(),
            *said.conditions,
        ),
        medications=(*MedicationReader(vocabulary, intake, today).medications(), *said.medications),
        measurements=measurements,
        examinations=(*symptoms.examinations, *said.examinations),
        habits=(*symptoms.habits, *said.habits),
        placed_orders=_placed_by_others(read_orders(vocabulary, intake), drafts),
        relatives=(*history.relatives(), *said.relatives),
        allergies=tuple(history.allergies()),
        arrived=frozenset(KIND_OF_KEY.get(key, key) for key in intake.answered_keys),
        missing_keys=tuple(key for key in advertised if key not in intake.arrived_keys),
        notes=tuple(intake.notes),
        denied=said.denied,
        answers=said.answers,
        history=said.history,
        drafts=drafts,
        unread_recorded=tuple(intake.unread_recorded),
    )


def _placed_by_others(
    placed: Iterable[PlacedOrder], drafts: tuple[DraftOrder, ...]
) -> tuple[PlacedOrder, ...]:
    """Return the requests without those that are being written: a draft can stand in the record as well."""
    written = {draft.fact.reference for draft in drafts if draft.fact.reference is not None}
    return tuple(one for one in placed if one.fact.reference not in written)


def records_presentation(request: HookRequest, vocabulary: Vocabulary) -> bool:
    """Whether the context of a call records a symptom that the content knows; nothing else of it is read."""
    recorded = request._replace(prefetch=None)
    reader = ConditionReader(vocabulary, Intake(recorded), date.min)  # whenever it may end
    return bool(reader.presentations("recorded-now"))
