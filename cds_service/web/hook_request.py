"""Reads the body of a call within its limits and waits for its turn; it does not look into the JSON."""

from __future__ import annotations

from flask import Flask, Request, Response, request

from cds_service.errors import (
    MalformedRequestError,
    OverloadedError,
    RequestTooLargeError,
    UnsupportedMediaTypeError,
)
from cds_service.web.calls import admit, current

_ACCEPTED = frozenset({"application/json", "application/fhir+json"})
_UNCOMPRESSED = frozenset({"", "identity"})
_UTF8 = frozenset({"", "utf-8", "utf8"})


_PIECE = 64 * 1024
_DRAINED_TIMES = 4


def install(app: Flask, most_bytes: int) -> None:
    """Take in what is left of a body that was refused: a client that is still sending would miss the answer."""

    @app.after_request
    def drain(response: Response) -> Response:
        has_body = request.content_length or "Transfer-Encoding" in request.headers
        if has_body and "Expect" not in request.headers:
            try:
                with current().readers.reading():
                    _take_in(request, _DRAINED_TIMES * most_bytes)
            except OverloadedError:  # this very refusal: threads that wait for slow bodies are what is short
                response.headers["Connection"] = "close"
        return response


def _take_in(request: Request, most: int) -> None:
    stream = request.environ["wsgi.input"]
    while most > 0 and (piece := stream.read(_PIECE)):
        most -= len(piece)


def read_body(request: Request, most_bytes: int) -> bytes:
    """Return the body, once it may be worked on.

    Raises `UnsupportedMediaTypeError` for another media type, charset or a compressed body,
    `RequestTooLargeError` beyond `most_bytes` (chunked bodies included), `MalformedRequestError` when truncated,
    `OverloadedError` or `RateLimitedError` when it is not its turn.
    """
    encoding = request.headers.get("Content-Encoding", "").strip().lower()
    if request.mimetype not in _ACCEPTED or encoding not in _UNCOMPRESSED:
        raise UnsupportedMediaTypeError("Unsupported media type")
    if request.headers.get("Transfer-Encoding", "chunked").strip().lower() != "chunked":
        raise UnsupportedMediaTypeError("Unsupported media type")
    if request.mimetype_params.get("charset", "").lower() not in _UTF8:
        raise UnsupportedMediaTypeError("Unsupported media type")
    announced = request.content_length
    if announced is not None and announced > most_bytes:
        raise RequestTooLargeError("Body too large")
    body = _read_in_turn(request, most_bytes + 1)
    if len(body) > most_bytes:
        raise RequestTooLargeError("Body too large")
    if announced is not None and len(body) < announced:
        raise MalformedRequestError("The body was truncated.", "$")
    admit()
    return body


def _read_in_turn(request: Request, most: int) -> bytes:
    calls = current()
    try:
        with calls.readers.reading():
            return _read(request, most)
    except OverloadedError:
        calls.meter.rejected("slow-bodies")
        raise


def _read(request: Request, most: int) -> bytes:
    """Read at most `most` bytes from the raw stream; Werkzeug's own limit would cut a chunked body silently."""
    stream = request.environ["wsgi.input"]
    if request.content_length is not None:
        most = min(most, request.content_length)
    parts: list[bytes] = []
    left = most
    while left > 0:
        part = stream.read(left)
        if not part:
            break
        parts.append(part)
        left -= len(part)
    return b"".join(parts)
