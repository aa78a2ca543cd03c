"""The route of the hook calls: bytes in, cards out; every decision is made in the pipeline."""

from __future__ import annotations

from flask import Blueprint, Response, request

from cds_service.fetch.limits import Deadline
from cds_service.gathering import Gatherer
from cds_service.pipeline import Reasoner, consider
from cds_service.settings import Mode, Settings
from cds_service.web.client_trust import ClientTrust
from cds_service.web.clock import now
from cds_service.web.delivery import Delivery
from cds_service.web.hook_request import read_body


def blueprint(
    reasoner: Reasoner, settings: Settings, trust: ClientTrust, gatherer: Gatherer, delivery: Delivery
) -> Blueprint:
    """Return the route that answers every service of the knowledge."""
    routes = Blueprint("cds_services", __name__)
    may_replay = settings.mode is Mode.DEVELOPMENT

    @routes.post("/cds-services/<service_id>")
    def call(service_id: str) -> Response:
        deadline = Deadline(settings.deadline_seconds)
        reasoner.service(service_id)
        caller = trust.identify(service_id, deadline)
        client = caller.client_id if caller.is_known else None
        body = read_body(request, settings.most_body_bytes)
        considered = consider(
            body,
            service_id,
            reasoner,
            now(),
            may_replay=may_replay,
            gather=lambda request, templates: gatherer.gather(request, templates, deadline, client),
            extent=caller.explanation,
        )
        return Response(delivery.deliver(considered, caller, body), content_type="application/json")

    return routes
