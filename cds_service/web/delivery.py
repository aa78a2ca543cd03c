"""Sends what was decided and keeps that it was shown; it changes no argument, and a lost store costs no answer."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import Future
from datetime import datetime
from typing import NamedTuple, Protocol

from cds_service.errors import StoreUnavailableError
from cds_service.model.decision import CardBasis
from cds_service.model.facts import ReadingNote
from cds_service.model.hooks import Card
from cds_service.pipeline import Considered, respond
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.web.headers import request_id

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

    `patient` is a keyed digest, `input_digest` that of the body. `notes` tell what could not be used; without them in
    warning or error it is `complete`.
    """

    client: str
    service: str
    hook: str
    hook_instance: str
    patient: str
    input_digest: str
    as_of: datetime
    knowledge_version: str
    cards: tuple[DeliveredCard, ...]
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

    def __init__(self, store: Store, knowledge_version: str, observers: Sequence[Observer] = ()) -> None:
        """Keep where it is written and who is told."""
        self._store = store
        self._version = knowledge_version
        self._observers = tuple(observers)

    def deliver(self, considered: Considered, client: str, body: bytes) -> bytes:
        """Return the response bytes, after what is shown has been handed to the writer of the store.

        The observers come first: what a duty to record refuses was never shown. `body` is what was asked.
        """
        decision = considered.decision
        patient = self._store.keys.patient(client, considered.request.context.patient_id)
        shown = list(zip(decision.cards, decision.bases, strict=True))
        delivered = self._delivered(considered, client, patient, shown)
        delivered = delivered._replace(input_digest=self._store.keys.body(body))
        for observer in self._observers:
            observer.delivered(delivered)
        if shown:
            self._keep(delivered, [basis for _, basis in shown])
        return respond(decision.cards)

    def _delivered(
        self, considered: Considered, client: str, patient: str, shown: Sequence[tuple[Card, CardBasis]]
    ) -> Delivered:
        request, decision = considered.request, considered.decision
        return Delivered(
            client=client,
            service=considered.service.id,
            hook=request.hook,
            hook_instance=request.hook_instance,
            patient=patient,
            input_digest="",
            as_of=considered.as_of,
            knowledge_version=self._version,
            cards=tuple(_delivered_card(card, basis) for card, basis in shown),
            notes=decision.notes,
            complete=not any(note.severity != "information" for note in decision.notes)
            and not decision.facts.missing_keys,
        )

    def _keep(self, delivered: Delivered, bases: Sequence[CardBasis]) -> None:
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
                advice=advice_of(self._store, basis),
                shown_at=delivered.as_of,
            )
            for card, basis in zip(delivered.cards, bases, strict=True)
        ]
        request = request_id()
        try:
            task = self._store.writer.submit(keeping_shown(cards))
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


def advice_of(store: Store, basis: CardBasis) -> str:
    """Return the digest by which the same advice on the same grounds is known again."""
    return store.keys.advice((basis.grounds,))


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
