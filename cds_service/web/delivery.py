"""Sends what was decided and keeps that it was shown; it changes no argument, and a lost store costs no answer."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import NamedTuple, Protocol

from cds_service.cards.withheld import TEMPLATE, Remaining, Withheld, without
from cds_service.errors import StoreUnavailableError
from cds_service.model.decision import CardBasis, Decision
from cds_service.model.definitions import Knowledge
from cds_service.model.facts import ReadingNote
from cds_service.model.hooks import Card
from cds_service.pipeline import Considered, respond
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.trust.callers import Caller
from cds_service.web.headers import request_id
from cds_service.web.quiet import Quiet

_logger = logging.getLogger("cds_service")


class DeliveredCard(NamedTuple):
    """One card that is sent. `rules` are its red flags, causes or treatments, `offers` suggestion uuids and orders."""

    uuid: str
    template: str
    indicator: str
    rules: tuple[str, ...]
    offers: tuple[tuple[str, str], ...]


class Delivered(NamedTuple):
    """What one call was answered with, for whoever keeps records; no value of the chart is in it.

    `patient` is a keyed digest, `input_digest` that of the body. `withheld` are cards that were not repeated. `notes`
    tell what could not be used; without a warning or an error among them, with all keys, it is `complete`.
    """

    client: str
    tenant: str | None
    service: str
    hook: str
    hook_instance: str
    patient: str
    input_digest: str
    as_of: datetime
    knowledge_version: str
    cards: tuple[DeliveredCard, ...]
    withheld: tuple[Withheld, ...]
    notes: tuple[ReadingNote, ...]
    complete: bool


class FeedbackTaken(NamedTuple):
    """Feedback that is stored: card, outcome and code of the reason per answer, repeated ones counted again."""

    client: str
    service: str
    cards: tuple[str, ...]
    outcomes: tuple[str, ...]
    reasons: tuple[str | None, ...]
    input_digest: str


class Observer(Protocol):
    """Is told of every answer before it leaves; what it raises becomes the answer, so that a duty to record holds."""

    def delivered(self, one: Delivered) -> None:
        """Take note of an answered call."""
        ...

    def feedback_taken(self, one: FeedbackTaken) -> None:
        """Take note of stored feedback."""
        ...

    def not_kept(self, cards: int) -> None:
        """Take note that so many shown cards could not be written; it may come from another thread."""
        ...


class Delivery:
    """Makes the response of a considered call. It is shared by all threads and keeps nothing of a call."""

    def __init__(
        self,
        store: Store,
        knowledge: Knowledge,
        quiet: Quiet | None = None,
        observers: Sequence[Observer] = (),
    ) -> None:
        """Keep where it is written and who is told; without `quiet` everything is shown each time."""
        self._store = store
        self._version = knowledge.version
        self._words = knowledge.templates[TEMPLATE]
        self._quiet = quiet
        self._observers = tuple(observers)

    def deliver(self, considered: Considered, caller: Caller, body: bytes) -> bytes:
        """Return the response bytes, after what is shown has been handed to the writer of the store.

        The observers come first: what a duty to record refuses was never shown. `body` is what was asked. The hand-over
        comes last: the writer then works while the answer is on its way, not while it is being made.
        """
        decision, keys = considered.decision, self._store.keys
        patient = keys.patient(caller.client_id, considered.request.context.patient_id, caller.tenant)
        advices = [keys.advice((basis.grounds,)) for basis in decision.bases]
        withheld = self._withheld(patient, advices, considered)
        left = self._left(decision, withheld)
        shown = [place for place in range(len(advices)) if place not in withheld]
        delivered = Delivered(
            client=caller.client_id,
            tenant=caller.tenant,
            service=considered.service.id,
            hook=considered.request.hook,
            hook_instance=considered.request.hook_instance,
            patient=patient,
            input_digest=keys.body(body),
            as_of=considered.as_of,
            knowledge_version=self._version,
            cards=tuple(map(_delivered_card, left.cards, [decision.bases[place] for place in shown])),
            withheld=tuple(withheld.values()),
            notes=decision.notes,
            complete=decision.facts.is_complete,
        )
        response = respond(left.cards, left.extension or decision.extension)
        for observer in self._observers:
            observer.delivered(delivered)
        if shown:
            self._keep(delivered, [advices[place] for place in shown])
        return response

    def _withheld(self, patient: str, advices: Sequence[str], considered: Considered) -> dict[int, Withheld]:
        if self._quiet is None:
            return {}
        candidates = list(zip(advices, considered.decision.bases, strict=True))
        return self._quiet.withheld(patient, candidates, considered.as_of)

    def _left(self, decision: Decision, withheld: Mapping[int, Withheld]) -> Remaining:
        if not withheld:
            return Remaining(decision.cards, None)
        return without(decision.cards, withheld, self._words, is_complete=decision.facts.is_complete)

    def _keep(self, delivered: Delivered, advices: Sequence[str]) -> None:
        """Hand the shown cards to the writer; whether they are written is told later, to the log and the observers."""
        cards = [
            ShownCard(
                card=card.uuid,
                client=delivered.client,
                service=delivered.service,
                template=card.template,
                indicator=card.indicator,
                rules=card.rules,
                offers=card.offers,
                knowledge_version=delivered.knowledge_version,
                patient=delivered.patient,
                advice=advice,
                shown_at=delivered.as_of,
            )
            for card, advice in zip(delivered.cards, advices, strict=True)
        ]
        request = request_id()
        try:
            task = self._store.writer.submit(keeping_shown(cards), is_durable=False)
        except StoreUnavailableError as error:
            self._tell(len(cards), request, error)
        else:
            task.add_done_callback(lambda done: self._tell_failure(len(cards), request, done))

    def _tell_failure(self, cards: int, request: str, done: Future[None]) -> None:
        error = done.exception()
        if error is not None:
            self._tell(cards, request, error)

    def _tell(self, cards: int, request: str, error: BaseException) -> None:
        told = {"count": cards, "fault": type(error).__name__, "request_id": request}
        _logger.error("shown cards were not kept", extra=told)
        for observer in self._observers:
            observer.not_kept(cards)


def _delivered_card(card: Card, basis: CardBasis) -> DeliveredCard:
    uuids = [suggestion.uuid for suggestion in card.suggestions]
    return DeliveredCard(
        uuid=card.uuid or "",
        template=basis.template,
        indicator=card.indicator.value,
        rules=basis.rules,
        offers=tuple(
            (uuid, rule) for uuid, rule in zip(uuids, basis.offers, strict=True) if uuid is not None
        ),
    )
