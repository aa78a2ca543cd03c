"""A page that tells a person how answers are made and from which sources; it holds no patient data."""

from __future__ import annotations

from flask import Blueprint, Response, render_template

from cds_service.model.definitions import Knowledge

GRADES = {
    "V": "passage read",
    "L": "page found, passage not read",
    "K": "general knowledge",
    "2nd": "read through a secondary page",
    "own": "our own judgement, awaiting clinical review",
}


def blueprint(knowledge: Knowledge) -> Blueprint:
    """Return the route of the page; it is the same for every reader."""
    routes = Blueprint("about", __name__, template_folder="templates")
    signed = sum(1 for cause in knowledge.causes.values() if cause.review.checked_by)

    @routes.get("/about")
    def about() -> Response:
        page = render_template("about.html", knowledge=knowledge, grades=GRADES, signed=signed)
        return Response(page, content_type="text/html; charset=utf-8")

    @routes.get("/")
    def root() -> Response:
        return Response(status=302, headers={"Location": "/about"})

    @routes.get("/about.css")
    def style() -> Response:
        return Response(render_template("about.css"), content_type="text/css; charset=utf-8")

    return routes
