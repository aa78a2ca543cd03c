"""Headers of every answer, and CORS for browser-based clients; credentials are never allowed."""

from __future__ import annotations

import re
from uuid import uuid4

from flask import Flask, Response, g, request

from cds_service.errors import MalformedRequestError

_HOST = re.compile(r"(?:[A-Za-z0-9._\-]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?")
_METHODS = "GET, POST, OPTIONS"
_HOST_IS_OPTIONAL = frozenset({"HTTP/1", "HTTP/1.0"})
_REQUEST_HEADERS = "Authorization, Content-Type"
_HTML_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)


def request_id() -> str:
    """Return the id of the answer that is being made: sent in a header, so that a log line can be matched to it."""
    made: str = g.setdefault("request_id", str(uuid4()))
    return made


def keep_to_own_origin() -> None:
    """Let no page of another origin read the answer that is being made, whatever the setting for CORS."""
    g.own_origin_only = True


def install(app: Flask, origins: frozenset[str]) -> None:
    """Answer preflights before anything else, and dress every answer."""

    @app.before_request
    def preflight() -> Response | None:
        if request.method != "OPTIONS":
            return None
        response = Response(status=204)
        del response.headers["Content-Type"]
        return response

    @app.before_request
    def refuse_odd_host() -> None:
        """No address is ever built from Host; one that is doubled or malformed is an attempt to be read in two ways."""
        host = request.environ.get("HTTP_HOST", "")
        is_optional = request.environ.get("SERVER_PROTOCOL") in _HOST_IS_OPTIONAL
        if not _HOST.fullmatch(host) and (host or not is_optional):
            raise MalformedRequestError("Bad request")

    @app.after_request
    def dress(response: Response) -> Response:
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        headers.setdefault("Cache-Control", "no-store")  # only what is the same for everybody says otherwise
        headers["X-Request-Id"] = request_id()
        headers["Server"] = "cds-service"  # else the HTTP server would name itself
        if response.mimetype == "text/html":
            headers.setdefault("Content-Security-Policy", _HTML_POLICY)
        origin = request.headers.get("Origin")
        is_shared = not g.get("own_origin_only", False)
        if is_shared and origin and ("*" in origins or origin in origins):
            headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
            headers["Access-Control-Allow-Methods"] = _METHODS
            headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
            headers["Access-Control-Max-Age"] = "600"
        if "*" not in origins:
            headers.add("Vary", "Origin")
        return response
