"""Fetches the answers to prefetch queries, in parallel and under one deadline; it reads no clinical element."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import Future, wait
from functools import partial
from typing import NamedTuple

import requests
from urllib3.exceptions import HTTPError, NewConnectionError

from cds_service.errors import BlockedServerError
from cds_service.fetch.addresses import Base, Policy, Resolver, resolve
from cds_service.fetch.answers import Answer, Errand, Failed, Page
from cds_service.fetch.body import PIECE, Body
from cds_service.fetch.breaker import Origin, Origins, Ticket
from cds_service.fetch.limits import MOST_BYTES
from cds_service.fetch.transport import Call, session_for

_logger = logging.getLogger("cds_service.fetch")

_LEAST_LEFT_S = 0.05
_RETRY_SHARE = 0.4
_ACCEPTED = frozenset({"application/fhir+json", "application/json"})
_ACCEPT = "application/fhir+json, application/json;q=0.9"
_CLIENT_ERRORS = range(400, 500)
_OVERLOADED = frozenset({requests.codes.request_timeout, requests.codes.too_many_requests})
_OF_A_WELL_SERVER = frozenset({"refused", "not-found", "rejected", "too-long", "compressed"})
"""Failures that say something of the question, not of the server: they never open its breaker."""


class _Server(NamedTuple):
    policy: Policy
    session: requests.Session
    origin: Origin


class FHIRClient:
    """Calls registered servers; what it keeps between calls are connections and how each server has behaved."""

    def __init__(self, resolver: Resolver = resolve, clock: Callable[[], float] = time.monotonic) -> None:
        """Nothing is connected, and no thread runs, before the first call."""
        self._resolver = resolver
        self._origins = Origins(clock)
        self._servers: dict[str, _Server] = {}
        self._busy = 0
        self._lock = threading.Lock()

    def fetch(self, base: Base, policy: Policy, urls: Mapping[str, str], errand: Errand) -> dict[str, Answer]:
        """Return key → answer for URLs below `base`, all of them when the deadline has passed at the latest."""
        server = self._server(base, policy)
        if not server.origin.admit():
            return dict.fromkeys(urls, Failed("unavailable"))
        try:
            return self._fetch(base, server, urls, errand)
        finally:
            server.origin.dismiss()

    @property
    def busy(self) -> int:
        """How many threads are with a server at this moment."""
        return self._busy

    def close(self) -> None:
        """End the connections."""
        for server in self._servers.values():
            server.session.close()

    def _fetch(
        self, base: Base, server: _Server, urls: Mapping[str, str], errand: Errand
    ) -> dict[str, Answer]:
        started: dict[Future[Answer], tuple[str, Call]] = {}
        answers: dict[str, Answer] = {}
        for key, url in urls.items():
            if not base.holds(url):
                answers[key] = Failed("outside")
                continue
            future: Future[Answer] = Future()
            call = Call()
            started[future] = (key, call)
            _in_a_thread(future, partial(self._get, server, url, errand, call))
        done, late = wait(started, timeout=errand.deadline.left())
        for future in late:
            key, call = started[future]
            call.abort()
            answers[key] = Failed("timeout")
        for future in done:
            answers[started[future][0]] = future.result()
        return {key: answers[key] for key in urls}

    def _server(self, base: Base, policy: Policy) -> _Server:
        with self._lock:
            server = self._servers.get(base.text)
            if server is None:
                session = session_for(base, policy, self._resolver)
                server = _Server(policy, session, self._origins.of(base.origin))
                self._servers[base.text] = server
            return server

    def _get(self, server: _Server, url: str, errand: Errand, call: Call) -> Answer:
        origin = server.origin
        if not origin.places.acquire(timeout=errand.deadline.left()):
            return Failed("timeout")
        try:
            if errand.deadline.left() < _LEAST_LEFT_S:  # no fault of the server, which was not asked
                return Failed("timeout")
            ticket = origin.enter(errand, errand.deadline.left())
            if ticket is None:
                return Failed("unavailable")
            return self._get_now(server, url, errand, call, ticket)
        finally:
            origin.places.release()

    def _get_now(self, server: _Server, url: str, errand: Errand, call: Call, ticket: Ticket) -> Answer:
        answer: Answer = Failed("fault")
        self._count(1)
        try:
            with call:
                answer = _try(server, url, errand)
        finally:
            self._count(-1)
            is_well = isinstance(answer, Page) or answer.why in _OF_A_WELL_SERVER
            server.origin.leave(ticket, succeeded=is_well)
        return answer

    def _count(self, change: int) -> None:
        with self._lock:
            self._busy += change


def _in_a_thread(future: Future[Answer], get: Callable[[], Answer]) -> None:
    """Run in a thread of its own, which ends with it: none is left idle, and none keeps the process from ending."""

    def run() -> None:
        try:
            future.set_result(get())
        except Exception as error:  # noqa: BLE001 - whatever it is, it costs one answer and not the call
            _logger.error("a fetch failed", extra={"fault": type(error).__name__})  # noqa: TRY400 - no trace
            future.set_result(Failed("fault"))

    try:
        threading.Thread(target=run, name="fhir", daemon=True).start()
    except RuntimeError:  # the system gives no more threads
        future.set_result(Failed("unavailable"))


def _try(server: _Server, url: str, errand: Errand) -> Answer:
    answer = _once(server, url, errand)
    may_repeat = isinstance(answer, Failed) and answer.why == "unreachable"
    if may_repeat and errand.deadline.share_left >= _RETRY_SHARE and server.origin.may_retry():
        answer = _once(server, url, errand)
    return answer


def _once(server: _Server, url: str, errand: Errand) -> Answer:
    left = errand.deadline.left()
    if left < _LEAST_LEFT_S:
        return Failed("timeout")
    headers = {"Accept": _ACCEPT, "Accept-Encoding": "identity"}
    if errand.token is not None:
        headers["Authorization"] = f"Bearer {errand.token}"
    verify = server.policy.ca_file or True
    try:
        with server.session.get(
            url, headers=headers, timeout=left, stream=True, allow_redirects=False, verify=verify
        ) as response:
            return _read(response, errand)
    except BlockedServerError:
        return Failed("blocked")
    except (requests.RequestException, HTTPError, OSError, ValueError) as error:
        return Failed("timeout" if errand.deadline.left() < _LEAST_LEFT_S else _fault_of(error))


def _fault_of(error: Exception) -> str:
    """Return the word for a failed exchange; only where no connection came to be it may be repeated."""
    if isinstance(error, requests.exceptions.SSLError):
        return "insecure"
    reason = getattr(error.args[0], "reason", None) if error.args else None
    return "unreachable" if isinstance(reason, NewConnectionError) else "fault"


def _read(response: requests.Response, errand: Errand) -> Answer:
    fault = _status_fault(response.status_code) or _header_fault(response)
    if fault is not None:
        return Failed(fault)
    body = Body()
    while piece := response.raw.read1(PIECE):
        body.add(piece)
        if body.size > MOST_BYTES or not errand.allowance.take(len(piece)):
            return Failed("too-long")
        if errand.deadline.left() <= 0:
            return Failed("timeout")
    return Page(body.whole())


def _status_fault(status: int) -> str | None:
    if status == requests.codes.ok:
        return None
    if status in {requests.codes.unauthorized, requests.codes.forbidden}:
        return "refused"
    if status in {requests.codes.not_found, requests.codes.gone}:
        return "not-found"
    is_about_the_question = status in _CLIENT_ERRORS and status not in _OVERLOADED
    return "rejected" if is_about_the_question or status == requests.codes.not_implemented else "fault"


def _header_fault(response: requests.Response) -> str | None:
    kind = response.headers.get("Content-Type", "").partition(";")[0].strip().lower()
    if kind not in _ACCEPTED:
        return "not-json"
    if response.headers.get("Content-Encoding", "identity").strip().lower() != "identity":
        return "compressed"
    declared = response.headers.get("Content-Length", "")
    return "too-long" if declared.isdigit() and int(declared) > MOST_BYTES else None
