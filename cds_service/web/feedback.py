"""The route of feedback: an answer of 200 means that every item is stored; it judges nothing that clients report."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.fetch.limits import Deadline
from cds_service.pipeline import Reasoner
from cds_service.settings import Settings
from cds_service.store.feedback import keeping_feedback
from cds_service.store.store import Store
from cds_service.web.client_trust import ClientTrust
from cds_service.web.clock import now
from cds_service.web.delivery import FeedbackTaken, Observer
from cds_service.web.feedback_message import read_feedback
from cds_service.web.hook_request import read_body

MOST_BYTES = 256 * 1024
_STORED = b"{}"
"""The specification leaves the answer open; an empty object says no more about a foreign card than about an own one."""


def blueprint(
    reasoner: Reasoner,
    settings: Settings,
    trust: ClientTrust,
    store: Store,
    observers: tuple[Observer, ...] = (),
) -> Blueprint:
    """Return the route that takes feedback for every service of the knowledge."""
    routes = Blueprint("feedback", __name__)

    @routes.post("/cds-services/<service_id>/feedback")
    def take(service_id: str) -> Response:
        service = reasoner.service(service_id)
        deadline = Deadline(settings.deadline_seconds)
        client = trust.identify(service.id, deadline, is_feedback=True).client_id
        body = read_body(request, MOST_BYTES)
        items = read_feedback(body, keep_comments=settings.keep_comments)
        store.writer.commit(keeping_feedback(client, service.id, items, now()), deadline.left())
        taken = FeedbackTaken(
            client=client,
            service=service.id,
            cards=tuple(item.card for item in items),
            outcomes=tuple(item.outcome for item in items),
            reasons=tuple(item.reason_code for item in items),
            input_digest=store.keys.body(body),
        )
        for observer in observers:
            observer.feedback_taken(taken)
        return Response(_STORED, content_type="application/json")

    return routes
