"""Serves the icon that stands beside every card; it is the same for every reader."""

from __future__ import annotations

from importlib.resources import files

from flask import Blueprint, Response


def blueprint() -> Blueprint:
    """Return the route of the icon, which is read once."""
    routes = Blueprint("icon", __name__)
    picture = (files("cds_service.web") / "templates" / "icon-100.png").read_bytes()

    @routes.get("/icon-100.png")
    def icon() -> Response:
        return Response(picture, content_type="image/png", headers={"Cache-Control": "public, max-age=86400"})

    return routes
