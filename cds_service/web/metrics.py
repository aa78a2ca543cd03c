"""Counts calls, cards, answers of clinicians and refusals for Prometheus; its labels name content, never a patient.

Several workers count into files of one folder (PROMETHEUS_MULTIPROC_DIR, made by `serve`), and whoever is asked adds
them up. Whatever may come from outside is counted under a name from the content, or as `other`.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Sequence
from http import HTTPStatus
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from flask import Blueprint, Response, request
from werkzeug.exceptions import NotFound

from cds_service.errors import StoreUnavailableError
from cds_service.model.definitions import Knowledge
from cds_service.store.shown import rules_of
from cds_service.store.store import Store
from cds_service.web.delivery import Delivered, FeedbackTaken
from cds_service.web.metric_files import has_room
from cds_service.web.problems import outcome

if TYPE_CHECKING:
    from prometheus_client import CollectorRegistry

FOLDER_VARIABLE = "PROMETHEUS_MULTIPROC_DIR"
_SECONDS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.15, 0.25, 0.5, 1.0, 1.8, 2.5, 5.0)
_OTHER, _NONE, _UNKNOWN = "other", "none", "unknown"
_NOTE_CODE = re.compile(r"[a-z][a-z0-9-]{0,60}")
_STATUSES = frozenset(status.value for status in HTTPStatus)


class Known(NamedTuple):
    """What labels may say."""

    services: frozenset[str]
    rules: frozenset[str]
    reasons: frozenset[str]


def known_of(knowledge: Knowledge) -> Known:
    """Return the names of the content."""
    return Known(
        services=frozenset(knowledge.services),
        rules=frozenset((*knowledge.red_flags, *knowledge.causes, *knowledge.treatments, *knowledge.orders)),
        reasons=frozenset(reason.code for reason in knowledge.override_reasons.values()),
    )


class Meter:
    """The counters of one process; an observer of deliveries. Every method may be called from any thread."""

    def __init__(self, knowledge: Knowledge, store: Store) -> None:
        """Make the counters. Shown cards are looked up in `store` to tell by which rules feedback is counted."""
        _leave_files_without_room()
        # Here, not above: on import it decides by the environment whether to count in files.
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram  # noqa: PLC0415 - as told above

        self.registry = CollectorRegistry(auto_describe=True)
        self._known = known_of(knowledge)
        self._store = store

        def counter(name: str, what: str, labels: Sequence[str]) -> Counter:
            return Counter(name, what, labels, registry=self.registry)

        self._calls = counter("cds_calls", "Answered hook calls.", ["service", "status"])
        self._requests = counter("cds_requests", "Answered requests of every kind.", ["route", "status"])
        self._seconds = Histogram(
            "cds_call_seconds",
            "From the arrival of a hook call's head to its answer.",
            ["service"],
            buckets=_SECONDS,
            registry=self.registry,
        )
        self._cards = counter(
            "cds_cards", "Cards sent, each once per rule.", ["service", "template", "rule", "indicator"]
        )
        self._not_kept = counter("cds_cards_not_kept", "Cards sent that the store could not keep.", [])
        self._feedback = counter(
            "cds_feedback",
            "Answers of clinicians, each once per rule.",
            ["service", "rule", "outcome", "reason"],
        )
        self._notes = counter("cds_notes", "Notes on what could not be used, by kind.", ["code"])
        self._rejected = counter("cds_rejected", "Calls refused to protect the service.", ["reason"])
        self._in_flight = Gauge(
            "cds_inflight",
            "Requests being answered.",
            registry=self.registry,
            multiprocess_mode="livesum",
        )
        Gauge(
            "cds_knowledge_info",
            "The knowledge in use.",
            ["version"],
            registry=self.registry,
            multiprocess_mode="livemax",
        ).labels(knowledge.version).set(1)

    def began(self) -> None:
        """Count a request that has arrived."""
        self._in_flight.inc()

    def ended(self) -> None:
        """Count off a request that is done with."""
        self._in_flight.dec()

    def answered(self, route: str, service: str | None, status: int, seconds: float) -> None:
        """Count an answer; `service` is set for hook calls."""
        told = str(status if status in _STATUSES else _OTHER)
        self._requests.labels(route, told).inc()
        if service is not None:
            name = service if service in self._known.services else _UNKNOWN
            self._calls.labels(name, told).inc()
            self._seconds.labels(name).observe(seconds)

    def rejected(self, reason: str) -> None:
        """Count a refusal; `reason` is a constant of the code."""
        self._rejected.labels(reason).inc()

    def delivered(self, one: Delivered) -> None:
        """Count the cards and notes of an answer."""
        for card in one.cards:
            for rule in card.rules or (_NONE,):
                self._cards.labels(one.service, card.template, self._rule(rule), card.indicator).inc()
        for note in one.notes:
            self._notes.labels(note.code if _NOTE_CODE.fullmatch(note.code) else _OTHER).inc()

    def feedback_taken(self, one: FeedbackTaken) -> None:
        """Count stored answers by the rules of their cards; `unknown` where the client was not shown the card."""
        try:
            shown = rules_of(self._store.database, one.client, one.service, one.cards)
        except StoreUnavailableError:
            shown = {}
        for card, outcome_code, reason in zip(one.cards, one.outcomes, one.reasons, strict=True):
            told = self._reason(reason)
            for rule in shown.get(card, (_UNKNOWN,)) or (_NONE,):
                self._feedback.labels(one.service, self._rule(rule), outcome_code, told).inc()

    def not_kept(self, cards: int) -> None:
        """Count cards that could not be kept."""
        self._not_kept.inc(cards)

    def _rule(self, rule: str) -> str:
        return rule if rule in self._known.rules or rule in {_NONE, _UNKNOWN} else _OTHER

    def _reason(self, code: str | None) -> str:
        if code is None:
            return _NONE
        return code if code in self._known.reasons else _OTHER


def _leave_files_without_room() -> None:
    """Let this process count in its memory alone where its files would not find room: figures cost no answer."""
    folder = os.environ.get(FOLDER_VARIABLE)
    if folder and not has_room(Path(folder)):
        del os.environ[FOLDER_VARIABLE]


def exposition(registry: CollectorRegistry | None) -> tuple[bytes, str]:
    """Return the figures of all workers as text, with its media type; without a folder those of `registry` alone."""
    from prometheus_client import (  # noqa: PLC0415 - as told in Meter
        CONTENT_TYPE_LATEST,
        CollectorRegistry,
        generate_latest,
    )

    folder = os.environ.get(FOLDER_VARIABLE)
    if folder:
        from prometheus_client.multiprocess import MultiProcessCollector  # noqa: PLC0415 - as above

        forget_the_dead(Path(folder))
        registry = CollectorRegistry()
        MultiProcessCollector(registry, folder)  # type: ignore[no-untyped-call]  # the library leaves it untyped
    return generate_latest(registry or CollectorRegistry()), CONTENT_TYPE_LATEST


def forget_the_dead(folder: Path) -> None:
    """Take away what workers that are gone said of the present moment; what they counted stays."""
    from prometheus_client.multiprocess import mark_process_dead  # noqa: PLC0415 - as told in Meter

    for file in folder.glob("gauge_live*_*.db"):
        process = int(file.stem.rpartition("_")[2])
        if not Path(f"/proc/{process}").exists() and Path("/proc/self").exists():
            mark_process_dead(process, str(folder))  # type: ignore[no-untyped-call]  # as above


def blueprint(meter: Meter, token: str) -> Blueprint:
    """Return the route of the figures, for whoever has the token."""
    routes = Blueprint("metrics", __name__)
    expected = f"Bearer {token}".encode()

    @routes.get("/metrics")
    def figures() -> Response:
        given = request.headers.get("Authorization", "").encode("utf-8", "surrogateescape")
        if not hmac.compare_digest(given, expected):
            response = outcome(HTTPStatus.UNAUTHORIZED, "login", "Unauthorized")
            response.headers["WWW-Authenticate"] = "Bearer"
            return response
        body, media_type = exposition(meter.registry)
        return Response(body, content_type=media_type)

    return routes


def own_server_app(environ: dict[str, str], start_response: object) -> list[bytes]:
    """Answer on the address of the metrics alone: `GET /metrics` and nothing else."""
    body, media_type = exposition(None)
    is_asked = environ.get("PATH_INFO") == "/metrics" and environ.get("REQUEST_METHOD") == "GET"
    response = Response(body, content_type=media_type) if is_asked else NotFound().get_response()
    return [*response(environ, start_response)]  # type: ignore[arg-type]  # WSGI's own loose types
