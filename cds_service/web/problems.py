"""Answers that are not cards: OperationOutcomes with constant words; no value, path on disk or trace leaves here."""

from __future__ import annotations

import logging
from http import HTTPStatus

from flask import Flask, Response
from werkzeug.exceptions import HTTPException

from cds_service.errors import AnswerError
from cds_service.model.hooks import ascii_json
from cds_service.web.headers import request_id

FHIR_JSON = "application/fhir+json"

_logger = logging.getLogger("cds_service")

_BY_STATUS = {
    HTTPStatus.NOT_FOUND: ("not-found", "Not found"),
    HTTPStatus.METHOD_NOT_ALLOWED: ("not-supported", "Method not allowed"),
    HTTPStatus.REQUEST_ENTITY_TOO_LARGE: ("too-long", "Body too large"),
    HTTPStatus.UNSUPPORTED_MEDIA_TYPE: ("not-supported", "Unsupported media type"),
    HTTPStatus.BAD_REQUEST: ("structure", "Bad request"),
}


def outcome(status: int, code: str, text: str, where: tuple[str, ...] = ()) -> Response:
    """Return an OperationOutcome with one issue; `where` names elements of the request."""
    issue: dict[str, object] = {"severity": "error", "code": code, "details": {"text": text}}
    if where:
        issue["expression"] = list(where)
    body = ascii_json({"resourceType": "OperationOutcome", "issue": [issue]})
    return Response(body, status=status, content_type=FHIR_JSON)


def install(app: Flask) -> None:
    """Answer every error of the app by the contract."""
    app.register_error_handler(AnswerError, _answer_error)
    app.register_error_handler(HTTPException, _http_error)
    app.register_error_handler(Exception, _unforeseen)


def _answer_error(error: AnswerError) -> Response:
    response = outcome(error.http_status, error.issue_code, error.text, error.where)
    if error.http_status == HTTPStatus.UNAUTHORIZED:
        response.headers["WWW-Authenticate"] = "Bearer"
    if error.retry_after is not None:
        response.headers["Retry-After"] = str(error.retry_after)
    return response


def _http_error(error: HTTPException) -> Response:
    status = error.code or HTTPStatus.INTERNAL_SERVER_ERROR
    code, text = _BY_STATUS.get(HTTPStatus(status), ("processing", HTTPStatus(status).phrase))
    response = outcome(status, code, text)
    for name, value in error.get_headers():
        if name.lower() == "allow":
            response.headers["Allow"] = ", ".join(sorted(value.split(", ")))
    return response


def fault_place(error: Exception) -> str:
    """Return the kind of a fault and where in the code it arose, never its message, which may hold a value."""
    trace = error.__traceback__
    while trace is not None and trace.tb_next is not None:
        trace = trace.tb_next
    place = f"{trace.tb_frame.f_code.co_qualname}:{trace.tb_lineno}" if trace is not None else "unknown"
    return f"{type(error).__name__} at {place}"


def _unforeseen(error: Exception) -> Response:
    """A fault of ours, logged under the request id that the client got."""
    fault, _, place = fault_place(error).partition(" at ")
    _logger.error("unforeseen", extra={"fault": fault, "place": place, "request_id": request_id()})
    return outcome(HTTPStatus.INTERNAL_SERVER_ERROR, "exception", "Internal error")
