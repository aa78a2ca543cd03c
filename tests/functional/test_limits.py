"""Overload, rates and slow bodies: refused early and with Retry-After, while health and other calls go on."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.functional.server import LiveServer
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
BODY = (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_bytes()
THREADS = 256


def app_with(tmp_path: Path, **settings: int) -> Flask:
    """Return an application with a store of its own."""
    return create_app(Settings(state_folder=tmp_path, **settings))  # type: ignore[arg-type]  # numbers by name


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """Return a service that works on two calls at a time."""
    changes = {"CDS_STATE_FOLDER": str(tmp_path / "state"), "CDS_MOST_IN_FLIGHT": "2"}
    server = LiveServer(tmp_path / "server.log", changes)
    yield server
    assert server.stop() == 0


def timed(server: LiveServer) -> tuple[int, str | None, float]:
    """Return status, Retry-After and seconds of one hook call."""
    connection = server.connection()
    begun = time.monotonic()
    try:
        connection.request("POST", HOOK, BODY, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        reply.read()
        return reply.status, reply.getheader("Retry-After"), time.monotonic() - begun
    finally:
        connection.close()


def test_too_many_calls_at_once_are_refused_with_retry_after(server: LiveServer) -> None:
    """Of sixty calls at once some are answered, all others are refused with 503; afterwards everything is as before."""
    with ThreadPoolExecutor(60) as pool:
        replies = [*pool.map(lambda _: timed(server), range(60))]
    statuses = [status for status, _, _ in replies]
    assert set(statuses) == {200, 503}
    assert {after for status, after, _ in replies if status == 503} == {"1"}
    assert [timed(server)[0] for _ in range(3)] == [200, 200, 200]


def test_health_is_answered_under_overload(tmp_path: Path) -> None:
    """With every place taken a hook call gets 503, and so does a page; liveness and readiness are answered."""
    app = app_with(tmp_path, most_in_flight=1)
    gate = app.extensions["calls"].gate
    client = app.test_client()
    gate.enter(0)
    begun = time.monotonic()
    reply = client.post(HOOK, data=BODY, content_type="application/json")
    assert time.monotonic() - begun < 0.5
    assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
    assert reply.get_json()["issue"][0]["code"] == "transient"
    assert client.get("/about.json").status_code == 503
    assert client.get("/health/live").status_code == 200
    assert client.get("/health/ready").status_code == 200
    gate.leave()
    assert client.get("/about.json").status_code == 200


def test_every_answer_gives_its_place_back(tmp_path: Path) -> None:
    """Good, refused and failed calls, more than there are places, leave every place free."""
    client = app_with(tmp_path, most_in_flight=1).test_client()
    for _ in range(3):
        for body in (BODY, b"{", b"[]"):
            reply = client.post(HOOK, data=body, content_type="application/json")
            assert reply.status_code in {200, 400}
        assert client.get("/nowhere").status_code == 404
        assert client.post(f"{HOOK}/feedback", data=b"{}", content_type="application/json").status_code == 400
        assert client.options(HOOK).status_code == 204


def test_a_client_over_its_rate_is_told_when_to_come_back(tmp_path: Path) -> None:
    """Two calls a minute: the third gets 429 with the seconds to wait; pages and health are not counted."""
    client = app_with(tmp_path, calls_per_minute=2).test_client()
    statuses = [client.post(HOOK, data=BODY, content_type="application/json").status_code for _ in range(2)]
    assert statuses == [200, 200]
    reply = client.post(HOOK, data=BODY, content_type="application/json")
    assert (reply.status_code, reply.get_json()["issue"][0]["code"]) == (429, "throttled")
    assert 25 <= int(reply.headers["Retry-After"]) <= 30
    assert client.get("/cds-services").status_code == 200
    assert client.get("/health/ready").status_code == 200


def test_slow_bodies_never_take_every_thread(server: LiveServer) -> None:
    """With more dawdling clients than threads are left to them, health and discovery are still answered."""
    head = (
        f"POST {HOOK} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 1000\r\n\r\n"
    )
    ends = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(THREADS + 20)]
    try:
        for end in ends:
            end.sendall(head.encode() + b"{")
        time.sleep(1)
        for path in ("/health/ready", "/cds-services"):
            connection = server.connection()
            begun = time.monotonic()
            connection.request("GET", path)
            assert connection.getresponse().status == 200
            assert time.monotonic() - begun < 3
            connection.close()
    finally:
        for end in ends:
            end.close()
    deadline = time.monotonic() + 10
    while timed(server)[0] != 200 and time.monotonic() < deadline:
        time.sleep(0.1)
    assert timed(server)[0] == 200


def test_a_refused_call_is_counted_and_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    """Operators see how many calls were refused, and why."""
    caplog.set_level("INFO", "cds_service.calls")
    app = app_with(tmp_path, most_in_flight=1)
    app.extensions["calls"].gate.enter(0)
    thread = threading.Thread(target=app.test_client().get, args=("/about.json",))
    thread.start()
    thread.join()
    refused = app.extensions["calls"].meter.registry.get_sample_value(
        "cds_rejected_total", {"reason": "overload"}
    )
    assert refused == 1
    (line,) = [vars(record) for record in caplog.records]
    assert (line["status"], line["route"]) == (503, "about")
    assert json.dumps(line["ms"])
