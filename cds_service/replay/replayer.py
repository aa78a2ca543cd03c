"""Decides the items of a replay in this process and holds each answer to what is expected; it prints nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from cds_service.app import reasoner_for
from cds_service.cards.markdown import clean
from cds_service.errors import AnswerError
from cds_service.fhir.envelope import decode_request
from cds_service.model.decision import Decision
from cds_service.model.definitions import Service
from cds_service.model.facts import PatientFacts
from cds_service.pipeline import Reasoner, decide, moment_of, respond
from cds_service.replay.card_text import explanation
from cds_service.replay.comparison import moved
from cds_service.replay.expectation_files import first_expectation
from cds_service.replay.expectations import differences
from cds_service.replay.moments import spelled
from cds_service.replay.plan import Plan, Result, Task
from cds_service.replay.reading import JSON, Item, items_of
from cds_service.replay.reasons import reasons_in
from cds_service.web.problems import fault_place

_ANSWER = msgspec.json.Decoder()


class _Decided(NamedTuple):
    """A decision and the moment at which it was made."""

    decision: Decision
    moment: datetime


class _Refused(NamedTuple):
    """Why there is no decision; `ours` where that is a fault of this program."""

    trouble: str
    ours: bool


class Content(NamedTuple):
    """What a comparison must know of the content.

    `names` are the words that name each cause on a card: its title and its other names. `questionnaires` are the
    orders that ask a patient questions.
    """

    names: Mapping[str, tuple[str, ...]]
    questionnaires: frozenset[str]

    @classmethod
    def of(cls, reasoner: Reasoner) -> Content:
        """Return it for the content of a reasoner."""
        known = reasoner.knowledge
        names = {name: (cause.title, *cause.names) for name, cause in known.causes.items()}
        asking = (name for name, order in known.orders.items() if order.kind == "questionnaire")
        return cls(names, frozenset(asking))


class Replayer:
    """The content of a plan, loaded once, and what it answers."""

    def __init__(self, plan: Plan) -> None:
        """Load the content, and the other one of a comparison. Raises `KnowledgeError`."""
        self._plan = plan
        self._reasoner = reasoner_for(plan.settings)
        self._other = None if plan.other is None else reasoner_for(plan.other)
        self._content = Content.of(self._reasoner)

    def results(self, task: Task) -> list[Result]:
        """Return what became of every patient of a task."""
        found = items_of(task, self._plan, self._reasoner.templates)
        return [self._result(item, task.group) for item in found]

    def _result(self, item: Item, group: str) -> Result:
        base = Result(name=item.name, group=group, expected=item.expectation is not None, read=item.resources)
        if item.body is None:
            return msgspec.structs.replace(base, trouble=item.trouble, expected=False)
        decided = decided_by(self._reasoner, item, self._plan)
        if self._other is not None:
            lines = self._moved(item, decided)
            base = msgspec.structs.replace(base, compared=True, moved=lines)
        if isinstance(decided, _Refused):
            return msgspec.structs.replace(base, trouble=decided.trouble, ours=decided.ours)
        return self._judged(item, with_decision(base, decided.decision, decided.moment), decided.decision)

    def _judged(self, item: Item, result: Result, decision: Decision) -> Result:
        """Return the result with what is wrong about it."""
        plan = self._plan
        needs_answer = item.expectation or plan.strict or plan.with_answers or plan.recording
        if not needs_answer:
            return result
        body = respond(decision.cards, decision.extension)
        reasons = reasons_in(decision, self._reasoner.knowledge)
        result = judged(result, item, body, plan, self._content, reasons)
        if plan.with_answers:
            result = msgspec.structs.replace(result, answer=body)
        return result

    def _moved(self, item: Item, decided: _Decided | _Refused) -> tuple[str, ...]:
        other = None if self._other is None else decided_by(self._other, item, self._plan)
        if self._other is None or other is None:
            return ()
        if isinstance(decided, _Refused) or isinstance(other, _Refused):
            one, two = (
                each.trouble if isinstance(each, _Refused) else "answered" for each in (decided, other)
            )
            return (f"answer: {one} → {two}",) if one != two else ()
        return tuple(
            moved(
                (decided.decision, self._reasoner.knowledge),
                (other.decision, self._other.knowledge),
                worded=self._plan.worded,
            )
        )


def judged(  # noqa: PLR0913, PLR0917 - one argument for each thing that a judgement rests on
    result: Result,
    item: Item,
    body: bytes,
    plan: Plan,
    content: Content,
    reasons: Callable[[str, bool], str] | None,
) -> Result:
    """Return the result with the differences from its expectation, what `--strict` found, or a first expectation."""
    answer: dict[str, Any] = _ANSWER.decode(body)
    found: dict[str, Any] = {}
    if item.expectation is not None:
        lines = differences(item.expectation.expect, answer, content.names, content.questionnaires, reasons)
        found["differences"] = tuple(clean(line) for line in lines)
    if plan.strict:
        from cds_service.replay.strict import inspect  # noqa: PLC0415 - loads fhir.resources

        found["breaches"], found["remarks"] = inspect(
            JSON.decode(item.body or b""), item.is_built, JSON.decode(body)
        )
    if plan.recording and item.expectation is None and item.expectation_path is not None:
        record = plan.record if item.is_built else None
        explained = explanation(answer) or {}
        found["recorded"] = first_expectation(
            explained, result.level, len(answer["cards"]), result.as_of or "", record
        )
        found["expectation"] = item.expectation_path
    return msgspec.structs.replace(result, **found)


def decided_by(reasoner: Reasoner, item: Item, plan: Plan) -> _Decided | _Refused:
    """Return the decision, or why there is none; one patient's trouble never keeps the others from an answer."""
    try:
        return _decide(reasoner, item, plan)
    except AnswerError as error:
        where = f" ({', '.join(clean(place) for place in error.where)})" if error.where else ""
        return _Refused(f"{error.http_status} {error.text}{where}", ours=False)
    except Exception as error:  # noqa: BLE001 - a fault of ours; its message may hold a value of the chart
        return _Refused(f"500 Internal error ({fault_place(error)})", ours=True)


def _decide(reasoner: Reasoner, item: Item, plan: Plan) -> _Decided:
    body = item.body or b""
    service = _service_for(item.hook, reasoner)
    request = decode_request(body, service.hook)
    moment = item.moment
    if moment is None:
        request, moment = moment_of(request, plan.started_at, may_replay=True)
    return _Decided(decide(request, service, reasoner, moment), moment)


def _service_for(hook: Any, reasoner: Reasoner) -> Service:
    """Return the service that is advertised for a hook, else the first, whose check then tells."""
    services = list(reasoner.knowledge.services.values())
    return next((service for service in services if service.hook == hook), services[0])


def with_decision(result: Result, decision: Decision, moment: datetime) -> Result:
    """Return the result with what a decision says in short."""
    level = max((card.indicator for card in decision.cards), key=lambda one: one.rank, default=None)
    return msgspec.structs.replace(
        result,
        as_of=spelled(moment),
        notes=decision.notes,
        level="none" if level is None else level.value,
        candidates=tuple((one.cause.id, one.standing.value) for one in decision.ranking if one.is_candidate),
        red_flags=tuple(flag.red_flag.id for flag in decision.red_flags),
        used=_used(decision.facts),
    )


def _used(facts: PatientFacts) -> int:
    """Return how many facts were taken from the record."""
    lists = (
        *(facts.presentations, facts.conditions, facts.medications, facts.examinations, facts.habits),
        *(facts.placed_orders, facts.relatives, facts.allergies, facts.answers),
        *facts.measurements.values(),
    )
    return sum(len(one) for one in lists)
