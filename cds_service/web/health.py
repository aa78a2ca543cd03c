"""Liveness and readiness; other servers are never part of either."""

from __future__ import annotations

from http import HTTPStatus

from flask import Blueprint, Response

from cds_service.model.hooks import ascii_json
from cds_service.pipeline import Reasoner
from cds_service.web.lifecycle import Lifecycle


def blueprint(reasoner: Reasoner, lifecycle: Lifecycle) -> Blueprint:
    """Return both routes. A worker answers at all only after the knowledge has passed its gates."""
    routes = Blueprint("health", __name__)
    live = ascii_json({"status": "live"})
    ready = ascii_json({"status": "ready", "knowledge_version": reasoner.knowledge.version})

    @routes.get("/health/live")
    def is_live() -> Response:
        return Response(live, content_type="application/json")

    @routes.get("/health/ready")
    def is_ready() -> Response:
        failing = lifecycle.failing()
        if not failing:
            return Response(ready, content_type="application/json")
        told = ascii_json({"status": "not-ready", "failing": list(failing)})
        return Response(
            told,
            status=HTTPStatus.SERVICE_UNAVAILABLE,
            content_type="application/json",
            headers={"Retry-After": "1"},
        )

    return routes
