"""Tells people and programs how answers are made and from which sources; it holds no patient data."""

from __future__ import annotations

from flask import Blueprint, Response, render_template, request

from cds_service.cards.wording import short_date
from cds_service.knowledge.disclosure import GRADES, METHOD, disclosure
from cds_service.model.definitions import Knowledge
from cds_service.model.hooks import ascii_json
from cds_service.web import clock

_HTML, _JSON = "text/html", "application/json"


def blueprint(knowledge: Knowledge, *, has_sandbox: bool) -> Blueprint:
    """Return the routes of the page and of its data; they are the same for every reader.

    With `has_sandbox` the page leads to the sandbox.
    """
    routes = Blueprint("about", __name__, template_folder="templates")

    @routes.get("/about")
    def about() -> Response:
        if request.accept_mimetypes.best_match([_HTML, _JSON]) == _JSON:
            response = as_json()
        else:
            told = disclosure(knowledge, clock.now().date())
            page = render_template(
                "about.html",
                knowledge=knowledge,
                told=told,
                grades=GRADES,
                method=METHOD,
                has_sandbox=has_sandbox,
                short_date=short_date,
            )
            response = Response(page, content_type=f"{_HTML}; charset=utf-8")
        response.headers.add("Vary", "Accept")
        return response

    @routes.get("/about.json")
    def as_json() -> Response:
        return Response(ascii_json(disclosure(knowledge, clock.now().date())), content_type=_JSON)

    @routes.get("/")
    def root() -> Response:
        return Response(status=302, headers={"Location": "/about"})

    @routes.get("/about.css")
    def style() -> Response:
        return Response(render_template("about.css"), content_type="text/css; charset=utf-8")

    return routes
