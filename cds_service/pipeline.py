"""One request to one Decision: reads, finds, fires, ranks, plans and composes; pure, and the same every time.

`Reasoner` holds the compiled knowledge and no patient. The clock is an argument.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cds_service.cards.compose import CardComposer
from cds_service.cards.explanation import EXTENSION as EXPLANATION
from cds_service.cards.explanation import note_object
from cds_service.cards.stages import Stages
from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.levels import LevelRules
from cds_service.engine.order_advice import OrderAdvisor
from cds_service.engine.ranking import CauseRules
from cds_service.engine.red_flags import RedFlagRules
from cds_service.engine.remarks import with_failures, with_lowered
from cds_service.engine.treatment import TreatmentPlanner
from cds_service.engine.workup import WorkupPlanner
from cds_service.errors import MalformedRequestError, RequiredDataUnavailableError, UnknownServiceError
from cds_service.fhir.dates import read_when
from cds_service.fhir.envelope import AS_OF_EXTENSION, HookRequest, decode_request
from cds_service.fhir.prefetch import prefetch_templates
from cds_service.fhir.reader import read_facts, records_presentation
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.gathering import Gather
from cds_service.model.decision import Decision
from cds_service.model.definitions import Knowledge, Service
from cds_service.model.explanation import ExplanationExtent
from cds_service.model.facts import PatientFacts, ReadingNote
from cds_service.model.hooks import Card, CDSResponse, Indicator
from cds_service.model.treatments import TreatmentPlan

_YEARS = range(1900, 2200)
_WHAT_IS_ASKED = ("context.", "prefetch.problems")
"""Where the recorded problems, the problems on the list and the drafts stand."""


class Reasoner:
    """The knowledge, compiled for deciding."""

    def __init__(
        self,
        knowledge: Knowledge,
        about_url: str | None = None,
        critical_as: Indicator = Indicator.CRITICAL,
        questionnaires_url: str | None = None,
        icon_url: str | None = None,
    ) -> None:
        """Compile once; `about_url` explains the method to a person, `critical_as` is sent for `critical`.

        Under `questionnaires_url` the questionnaires are served, under `icon_url` the icon of every card.
        """
        self.knowledge = knowledge
        self.critical_as = critical_as
        self.templates = prefetch_templates(knowledge)
        self.vocabulary = Vocabulary(knowledge)
        self.findings = FindingRules(knowledge)
        self.red_flags = RedFlagRules(knowledge.red_flags, self.findings.sign_sets)
        self.causes = CauseRules(knowledge.causes)
        self.levels = LevelRules(knowledge.labs, knowledge.rules)
        self.planner = WorkupPlanner(knowledge, self.findings.sign_sets)
        self.treatments = TreatmentPlanner(knowledge.treatments)
        self.advisor = OrderAdvisor(
            knowledge, self.findings, self.causes, self.planner.statuses, self.treatments
        )
        self.composer = CardComposer(knowledge, about_url, critical_as, questionnaires_url, icon_url)

    def release_tables(self) -> None:
        """Let go of the code tables, which are compiled by now: a serving process has no other use for them."""
        self.knowledge = msgspec.structs.replace(self.knowledge, codes={})

    def needs_a_chart(self, request: HookRequest, service: Service) -> bool:
        """Whether anything could be said of this call: a presentation was recorded, or the problem list decides."""
        if service.trigger != "recorded-now":
            return True
        return records_presentation(request, self.vocabulary)

    def service(self, service_id: str) -> Service:
        """Return one service. Raises `UnknownServiceError`."""
        service = self.knowledge.services.get(service_id)
        if service is None:
            raise UnknownServiceError("Not found")
        return service


class Considered(NamedTuple):
    """One call with what was decided of it, before anything is remembered or sent."""

    request: HookRequest
    service: Service
    as_of: datetime
    decision: Decision


def answer(  # noqa: PLR0913 - one argument per thing that an answer depends on
    body: bytes,
    service_id: str,
    reasoner: Reasoner,
    now: datetime,
    *,
    may_replay: bool,
    extent: ExplanationExtent = ExplanationExtent.FULL,
) -> bytes:
    """Return the response bytes for the bytes of a hook call, of which nothing is remembered.

    Raises an `AnswerError` by the answer contract.
    """
    decision = consider(body, service_id, reasoner, now, may_replay=may_replay, extent=extent).decision
    return respond(decision.cards, decision.extension)


def consider(  # noqa: PLR0913 - one argument per thing that an answer depends on
    body: bytes,
    service_id: str,
    reasoner: Reasoner,
    now: datetime,
    *,
    may_replay: bool,
    gather: Gather | None = None,
    extent: ExplanationExtent = ExplanationExtent.FULL,
) -> Considered:
    """Return what is decided for the bytes of a hook call. Raises an `AnswerError` by the answer contract.

    With `may_replay` the request may name the moment at which it stands, so that dated samples answer alike on
    any day; else that wish is left aside with a note. `gather` fetches what the client did not send. `extent` is how
    much explanation the client wants.
    """
    service = reasoner.service(service_id)
    request = decode_request(body, service.hook)
    if gather is not None and reasoner.needs_a_chart(request, service):
        request = gather(request, reasoner.templates)
    request, as_of = moment_of(request, now, may_replay=may_replay)
    return Considered(request, service, as_of, decide(request, service, reasoner, as_of, extent))


def moment_of(request: HookRequest, now: datetime, *, may_replay: bool) -> tuple[HookRequest, datetime]:
    """Return the request and the moment at which it is decided. Raises `MalformedRequestError` for a bad moment."""
    wished = request.extension.get(AS_OF_EXTENSION)
    if wished is None:
        return request, now
    path = f"extension[{AS_OF_EXTENSION}]"
    if not may_replay:
        note = ReadingNote(
            severity="information", code="as-of-ignored", path=path, remedy="Only development mode replays."
        )
        return request._replace(notes=(*request.notes, note)), now
    when = read_when(wished) if isinstance(wished, str) else None
    if when is None or when.at is None or not is_decidable(when.at):
        raise MalformedRequestError("The element must be an RFC 3339 date-time of our age.", path)
    return request, when.at


def is_decidable(moment: datetime) -> bool:
    """Whether a record can be read at `moment`: near the ends of the calendar the days around it do not exist."""
    return moment.year in _YEARS


def respond(cards: tuple[Card, ...], extension: Mapping[str, Any] | None = None) -> bytes:
    """Return the CDS Hooks response with these cards, as bytes."""
    return CDSResponse(cards=cards, extension=dict(extension) if extension else msgspec.UNSET).to_json()


def decide(
    request: HookRequest,
    service: Service,
    reasoner: Reasoner,
    as_of: datetime,
    extent: ExplanationExtent = ExplanationExtent.FULL,
) -> Decision:
    """Return the whole argument for one request at `as_of`, ending in cards that explain as much as `extent` says.

    Raises `RequiredDataUnavailableError` when nothing arrived that anything could be said from.
    """
    facts = read_facts(request, reasoner.vocabulary, tuple(reasoner.templates), service.trigger, as_of)
    _require_something(facts, service, reasoner.templates)
    types = tuple(dict.fromkeys(name for one in facts.presentations for name in one.types))
    book = FindingBook(reasoner.findings, facts, as_of.date(), now=as_of)
    if not types:
        return _silent(facts, book)
    fired = reasoner.red_flags.fire(book)
    ranking, not_assessed = reasoner.causes.rank(book, fired, types)
    workup = reasoner.planner.plan(book, fired, ranking, types, as_of)
    advice = None
    if request.context.drafted is not None:
        advice = reasoner.advisor.advise(book, fired, types, workup, as_of)
        treatment = TreatmentPlan(warnings=advice.checks)
    else:
        treatment = reasoner.treatments.plan(book, urgent=bool(fired))
    facts = with_failures(facts, book)
    readings = book.readings.of_all()
    level = reasoner.levels.level_of(book, readings, fired)
    if reasoner.critical_as is not Indicator.CRITICAL:
        facts = with_lowered(facts, {level, *(flag.level for flag in fired)})
    stages = Stages(
        facts=facts,
        as_of=as_of,
        is_present=book.is_present,
        readings=readings,
        red_flags=fired,
        ranking=ranking,
        not_assessed=not_assessed,
        workup=workup,
        unrecorded=reasoner.planner.unrecorded(book, types, workup),
        level=level,
        treatment=treatment,
        advice=advice,
    )
    composed = reasoner.composer.compose(stages, service, extent)
    return Decision(
        facts=facts,
        findings=book.made(),
        readings=readings,
        red_flags=fired,
        ranking=ranking,
        not_assessed=not_assessed,
        workup=workup,
        treatment=treatment,
        notes=facts.notes,
        level=level,
        cards=tuple(one.card for one in composed),
        bases=tuple(one.basis for one in composed),
        extension=None if composed else _notes_alone(facts),
    )


def _silent(facts: PatientFacts, book: FindingBook) -> Decision:
    """Return the decision for a record without a presentation: evaluated, and nothing to say."""
    return Decision(
        facts=facts,
        findings=book.made(),
        readings={},
        red_flags=(),
        ranking=(),
        not_assessed=(),
        workup=(),
        treatment=TreatmentPlan(),
        notes=facts.notes,
        level=Indicator.INFO,
        cards=(),
        bases=(),
        extension=_notes_alone(facts),
    )


def _notes_alone(facts: PatientFacts) -> Mapping[str, Any] | None:
    """Return the notes for an answer without cards, where something may have been a symptom or an order and was lost.

    A client that wants no explanation gets them too: without them its clinician would read "nothing to say".
    """
    if not any(
        note.severity != "information" and note.path.startswith(_WHAT_IS_ASKED) for note in facts.notes
    ):
        return None
    return {EXPLANATION: {"complete": False, "notes": [note_object(note) for note in facts.notes]}}


def _require_something(facts: PatientFacts, service: Service, templates: Mapping[str, str]) -> None:
    """Hold the 412 rule: a presentation and no answer to any advertised key, or no word of it and no problems.

    A recorded problem that cannot be read is refused where it may be the symptom: silence would say that it is none.
    """
    if facts.unread_recorded and not facts.presentations and service.trigger == "recorded-now":
        raise MalformedRequestError("The recorded problem cannot be read.", *facts.unread_recorded)
    if service.trigger == "on-problem-list" or (
        service.trigger == "among-drafts" and not facts.presentations
    ):
        if "problems" in facts.missing_keys:
            raise RequiredDataUnavailableError("Required data not available", "prefetch.problems")
    elif facts.presentations and len(facts.missing_keys) == len(templates):
        raise RequiredDataUnavailableError(
            "Required data not available", *(f"prefetch.{key}" for key in facts.missing_keys)
        )
