"""Liveness and readiness; other servers are never part of either."""

from __future__ import annotations

from flask import Blueprint, Response

from cds_service.model.hooks import ascii_json
from cds_service.pipeline import Reasoner


def blueprint(reasoner: Reasoner) -> Blueprint:
    """Return both routes. A worker answers at all only after the knowledge has passed its gates."""
    routes = Blueprint("health", __name__)
    live = ascii_json({"status": "live"})
    ready = ascii_json({"status": "ready", "knowledge_version": reasoner.knowledge.version})

    @routes.get("/health/live")
    def is_live() -> Response:
        return Response(live, content_type="application/json")

    @routes.get("/health/ready")
    def is_ready() -> Response:
        return Response(ready, content_type="application/json")

    return routes
