"""Goes along with every request: lets it in, measures it, counts it and writes its log line; it reads no body."""

from __future__ import annotations

import logging
import time
from typing import NamedTuple, cast

from flask import Flask, Request, Response, current_app, g, request

from cds_service.errors import OverloadedError, RateLimitedError
from cds_service.web.admission import Gate, Priority, Rates, Readers
from cds_service.web.caller import caller_id, current_caller
from cds_service.web.delivery import Delivered, FeedbackTaken
from cds_service.web.headers import request_id
from cds_service.web.lifecycle import Lifecycle
from cds_service.web.metrics import Meter

_EXTENSION = "calls"
_HOOK, _FEEDBACK = "hook", "feedback"
_ROUTES = {"cds_services": _HOOK, "feedback": _FEEDBACK}
_PRIORITIES = {_HOOK: Priority.HOOK, _FEEDBACK: Priority.FEEDBACK}
_ALWAYS_LET_IN = frozenset({"health", "metrics"})
_WITHOUT_A_LINE = frozenset({"health", "metrics"})
_GOOD = 400
_logger = logging.getLogger("cds_service.calls")


class Calls(NamedTuple):
    """What every request of one process passes."""

    gate: Gate
    rates: Rates
    readers: Readers
    meter: Meter
    lifecycle: Lifecycle
    services: frozenset[str]


def install(app: Flask, calls: Calls) -> None:
    """Measure each request from its head to its answer. Installed first, so that nothing of it is missed."""
    app.extensions[_EXTENSION] = calls

    @app.before_request
    def begin() -> None:
        g.began = time.perf_counter()
        g.is_counted = True
        calls.meter.began()
        if not _has_body(request) and route_of(request) not in _ALWAYS_LET_IN:
            _enter(calls)

    @app.after_request
    def end(response: Response) -> Response:
        if calls.lifecycle.is_draining:
            response.headers["Connection"] = "close"
        _conclude(calls, response)
        return response

    @app.teardown_request
    def leave(_error: BaseException | None) -> None:
        if g.pop("has_entered", False):
            calls.gate.leave()
        if g.pop("is_counted", False):
            calls.meter.ended()


def current() -> Calls:
    """Return what the requests of this process pass."""
    return cast("Calls", current_app.extensions[_EXTENSION])


def admit() -> None:
    """Let a request whose body has been read be worked on.

    Raises `RateLimitedError` when its client calls too often, `OverloadedError` when there is no place.
    """
    calls = current()
    try:
        calls.rates.take(caller_id())
    except RateLimitedError:
        calls.meter.rejected("rate")
        raise
    _enter(calls)


def route_of(asked: Request) -> str:
    """Return which part of the service is asked, by the name of its blueprint."""
    return _ROUTES.get(asked.blueprint or "", asked.blueprint or "other")


class Witness:
    """An observer that keeps what was delivered until the log line of the call is written."""

    def delivered(self, one: Delivered) -> None:
        """Keep an answer, for this request alone."""
        g.delivered = one

    def feedback_taken(self, one: FeedbackTaken) -> None:
        """Keep feedback, for this request alone."""
        g.taken = one

    def not_kept(self, cards: int) -> None:
        """Leave it to the delivery, which logs it."""


def _has_body(asked: Request) -> bool:
    return bool(asked.content_length) or "Transfer-Encoding" in asked.headers


def _enter(calls: Calls) -> None:
    if g.get("has_entered"):
        return
    try:
        calls.gate.enter(_PRIORITIES.get(route_of(request), Priority.OTHER))
    except OverloadedError:
        calls.meter.rejected("overload")
        raise
    g.has_entered = True


def _conclude(calls: Calls, response: Response) -> None:
    """Count the answer and write one line, without anything that came from outside."""
    route = route_of(request)
    seconds = time.perf_counter() - g.began
    service = _service_of(route)
    calls.meter.answered(route, service if route == _HOOK else None, response.status_code, seconds)
    if route in _WITHOUT_A_LINE and response.status_code < _GOOD:
        return
    line: dict[str, object] = {
        "request_id": request_id(),
        "client": caller_id(),
        "tenant": current_caller().tenant,
        "route": route,
        "service": service,
        "status": response.status_code,
        "ms": round(seconds * 1000, 1),
    }
    delivered: Delivered | None = g.get("delivered")
    if delivered is not None and response.status_code < _GOOD:
        line |= {
            "hook": delivered.hook,
            "cards": len(delivered.cards),
            "withheld": len(delivered.withheld) or None,
            "rules": sorted({rule for card in delivered.cards for rule in card.rules}),
            "notes": sorted({note.code for note in delivered.notes}),
        }
    taken: FeedbackTaken | None = g.get("taken")
    if taken is not None:
        line["count"] = len(taken.cards)
    _logger.info("call", extra=line)


def _service_of(route: str) -> str | None:
    """Return the service that is asked, if there is such a one: what else stands in a path is not repeated."""
    if route not in _PRIORITIES:
        return None
    named = (request.view_args or {}).get("service_id")
    return named if named in current().services else "unknown"
