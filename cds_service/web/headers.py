"""Headers of every answer, and CORS for browser-based clients; credentials are never allowed."""

from __future__ import annotations

from uuid import uuid4

from flask import Flask, Response, request

_METHODS = "GET, POST, OPTIONS"
_REQUEST_HEADERS = "Authorization, Content-Type"
_HTML_POLICY = (
    "default-src 'none'; style-src 'self'; base-uri 'none'; frame-ancestors 'none'; form-action 'none'"
)


def install(app: Flask, origins: frozenset[str]) -> None:
    """Answer preflights before anything else, and dress every answer."""

    @app.before_request
    def preflight() -> Response | None:
        return Response(status=204) if request.method == "OPTIONS" else None

    @app.after_request
    def dress(response: Response) -> Response:
        headers = response.headers
        headers["X-Content-Type-Options"] = "nosniff"
        headers["Cache-Control"] = "no-store"
        headers["X-Request-Id"] = str(uuid4())
        if response.mimetype == "text/html":
            headers["Content-Security-Policy"] = _HTML_POLICY
        origin = request.headers.get("Origin")
        if origin and ("*" in origins or origin in origins):
            headers["Access-Control-Allow-Origin"] = "*" if "*" in origins else origin
            headers["Access-Control-Allow-Methods"] = _METHODS
            headers["Access-Control-Allow-Headers"] = _REQUEST_HEADERS
            headers["Access-Control-Max-Age"] = "600"
        if "*" not in origins:
            headers.add("Vary", "Origin")
        return response
