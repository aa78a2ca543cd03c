"""The routes of the sandbox: pages, files, and what they need beside the public endpoints; it decides nothing.

Cards come from the same endpoints that any EHR calls. No patient is kept here, and nothing is told to other origins.
"""

from __future__ import annotations

from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from flask import Blueprint, Response, abort, render_template, request, send_from_directory

from cds_service.errors import MalformedRequestError
from cds_service.gathering import Gatherer
from cds_service.model.hooks import ascii_json
from cds_service.pipeline import Reasoner
from cds_service.settings import Settings
from cds_service.web.headers import keep_to_own_origin
from cds_service.web.hook_request import read_body
from cds_service.web.sandbox.chart_server import read_chart, read_wish
from cds_service.web.sandbox.gallery import told_stories
from cds_service.web.sandbox.markup import CardMarkup
from cds_service.web.sandbox.stories import read_stories
from cds_service.web.sandbox.validation import faults_of
from cds_service.web.sandbox.words import terms_json, words_json

_JSON = "application/json"
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'; "
    "require-trusted-types-for 'script'; trusted-types cleaned-cards"
)
_STATIC = Path(__file__).with_name("static")
_MOST_MARKDOWN_BYTES = 1024 * 1024
_READS_WITHIN_S = 8.0
"""For a chart: a person waits for it, no EHR, and a FHIR server that has just been started is slow at first."""
_THIS_MACHINE = frozenset({"127.0.0.1", "localhost", "::1"})


class _Texts(msgspec.Struct):
    texts: list[str]


def blueprint(reasoner: Reasoner, settings: Settings, gatherer: Gatherer, samples: Path) -> Blueprint:
    """Return the routes. They need the code tables, so they are made before the reasoner lets go of them."""
    routes = Blueprint("sandbox", __name__, url_prefix="/sandbox", template_folder="templates")
    _guard(routes)
    _add_pages(routes, reasoner, samples)
    _add_words(routes, reasoner)
    _add_services(routes, reasoner, settings, gatherer)
    return routes


def _guard(routes: Blueprint) -> None:
    """Refuse calls from pages of other origins, and hold the pages to a strict policy."""

    @routes.before_request
    def refuse_other_origins() -> None:
        keep_to_own_origin()
        origin = request.headers.get("Origin")
        if origin is not None and origin not in {f"http://{request.host}", f"https://{request.host}"}:
            abort(403)

    @routes.after_request
    def dress(response: Response) -> Response:
        response.headers["Cross-Origin-Resource-Policy"] = "same-origin"
        response.headers["Referrer-Policy"] = "no-referrer"
        if response.mimetype == "text/html":
            response.headers["Content-Security-Policy"] = _POLICY
        return response


def _add_pages(routes: Blueprint, reasoner: Reasoner, samples: Path) -> None:
    stories = read_stories(samples)
    markup = CardMarkup()
    version = reasoner.knowledge.version

    @routes.get("")
    def page() -> str:
        visits = [story for story in stories.values() if story.recorded]
        return render_template("sandbox/page.html", stories=visits, version=version)

    @routes.get("/explain")
    def explain() -> str:
        return render_template("sandbox/explain.html", version=version)

    @routes.get("/gallery")
    def gallery() -> str:
        told = told_stories(stories.values(), reasoner, markup)
        return render_template("sandbox/gallery.html", stories=told, version=version)

    @routes.get("/stories/<name>")
    def story(name: str) -> Response:
        if name not in stories:
            abort(404)
        return Response(stories[name].body, content_type=_JSON)

    @routes.get("/static/<path:name>")
    def static(name: str) -> Response:
        """Files are kept by the browser and asked about each time: a new release is seen at once."""
        return send_from_directory(_STATIC, name)

    @routes.post("/render")
    def render() -> Response:
        """Markdown of cards in, clean HTML out."""
        texts = _texts(read_body(request, _MOST_MARKDOWN_BYTES))
        return Response(ascii_json({"html": [markup.render(text) for text in texts]}), content_type=_JSON)


def _texts(body: bytes) -> list[str]:
    try:
        return msgspec.json.decode(body, type=_Texts).texts
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise MalformedRequestError("Send texts, a list of Markdown texts.", "texts") from None


def _add_words(routes: Blueprint, reasoner: Reasoner) -> None:
    words, terms = words_json(reasoner.knowledge), terms_json(reasoner.knowledge)

    @routes.get("/words")
    def known_words() -> Response:
        return Response(words, content_type=_JSON)

    @routes.get("/terms")
    def known_terms() -> Response:
        return Response(terms, content_type=_JSON)


def _add_services(routes: Blueprint, reasoner: Reasoner, settings: Settings, gatherer: Gatherer) -> None:
    own_hosts = _THIS_MACHINE | {urlsplit(settings.base_url).hostname}

    @routes.post("/validate/<kind>")
    def validate(kind: str) -> Response:
        """Tell what breaks CDS Hooks 2.0.1 in a request or a response."""
        faults = faults_of(kind, read_body(request, settings.most_body_bytes))
        return Response(ascii_json({"faults": faults}), content_type=_JSON)

    @routes.post("/fhir")
    def chart() -> Response:
        """Read a chart. A host name that is not this service's is refused: it may have been made to lead here."""
        if _name_of(request.host) not in own_hosts:
            abort(403)
        wish = read_wish(read_body(request, settings.most_body_bytes))
        found = read_chart(wish, gatherer, reasoner.templates, _READS_WITHIN_S)
        return Response(msgspec.json.encode(found), content_type=_JSON)


def _name_of(host: str) -> str:
    """Return the name in a Host header, without port and brackets; whatever it says, it is no fault to ask."""
    if host.startswith("["):
        return host[1:].partition("]")[0]
    return host.partition(":")[0].lower()
