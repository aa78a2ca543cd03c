"""The discovery document: what this server offers, composed from the knowledge; it knows no patient."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.model.hooks import CDSService, ascii_json
from cds_service.pipeline import Reasoner


def discovery_document(reasoner: Reasoner) -> bytes:
    """Return the discovery document as JSON bytes; every service advertises what the knowledge reads."""
    services = [
        CDSService(
            hook=service.hook,
            id=service.id,
            title=service.title,
            description=service.description,
            usage_requirements=service.usage_requirements,
            prefetch=reasoner.templates,
        ).to_dict()
        for service in reasoner.knowledge.services.values()
    ]
    return ascii_json({"services": services})


def blueprint(reasoner: Reasoner) -> Blueprint:
    """Return the route of the discovery document."""
    routes = Blueprint("discovery", __name__)
    document = discovery_document(reasoner)

    @routes.get("/cds-services")
    def discover() -> Response:
        return Response(document, content_type="application/json")

    return routes
