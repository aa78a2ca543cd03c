"""Metrics: who may read them, what is counted by which labels, and that several workers are added up."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from tests.functional.server import LiveServer, free_port
from tests.support.feedback import accepted, message, overridden
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
TOKEN = "a-token-of-this-test-only"
BODY = (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_bytes()
CALLS = 12


@pytest.fixture(scope="module")
def bind() -> str:
    """Return the own address of the metrics."""
    return f"127.0.0.1:{free_port()}"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory, bind: str) -> Iterator[LiveServer]:
    """Return a service with two workers whose figures are open in both ways."""
    folder = tmp_path_factory.mktemp("metrics")
    changes = {
        "WORKERS": "2",
        "CDS_STATE_FOLDER": str(folder / "state"),
        "CDS_METRICS_TOKEN": TOKEN,
        "CDS_METRICS_BIND": bind,
    }
    server = LiveServer(folder / "server.log", changes)
    yield server
    assert server.stop() == 0


def send(
    server: LiveServer, path: str, body: bytes | None = None, port: int | None = None, **headers: str
) -> tuple[int, bytes]:
    """Return status and body of one request on a connection of its own."""
    connection = server.connection()
    connection.port = port or connection.port
    try:
        method = "GET" if body is None else "POST"
        connection.request(method, path, body, {"Content-Type": "application/json", **headers})
        reply = connection.getresponse()
        return reply.status, reply.read()
    finally:
        connection.close()


def figures(server: LiveServer) -> dict[str, float]:
    """Return every figure by its name with labels."""
    status, body = send(server, "/metrics", Authorization=f"Bearer {TOKEN}")
    assert status == 200
    lines = (line.rpartition(" ") for line in body.decode().splitlines() if not line.startswith("#"))
    return {name: float(value) for name, _, value in lines}


def grown(before: dict[str, float], after: dict[str, float], name: str, **labels: str) -> float:
    """Return by how much the figures of a name with these labels have grown."""

    def total(of: dict[str, float]) -> float:
        return sum(
            value
            for key, value in of.items()
            if key.partition("{")[0] == name
            and all(f'{label}="{text}"' in key for label, text in labels.items())
        )

    return total(after) - total(before)


def test_calls_of_all_workers_are_counted(server: LiveServer) -> None:
    """Calls, their durations and their cards by rule and indicator, whichever worker answered."""
    before = figures(server)
    for _ in range(CALLS):
        status, body = send(server, HOOK, BODY)
        assert status == 200
    card: dict[str, Any] = json.loads(body)["cards"][0]
    assert send(server, HOOK, b"{")[0] == 400
    after = figures(server)
    service = "muscle-spasm-problem"
    assert grown(before, after, "cds_calls_total", service=service, status="200") == CALLS
    assert grown(before, after, "cds_calls_total", service=service, status="400") == 1
    assert grown(before, after, "cds_call_seconds_count", service=service) == CALLS + 1
    counted = grown(
        before,
        after,
        "cds_cards_total",
        template="differential",
        rule="hypokalemia",
        indicator=card["indicator"],
    )
    assert counted == CALLS
    assert [value for name, value in after.items() if name.startswith("cds_knowledge_info")] == [1]


def test_feedback_is_counted_by_the_rules_of_its_card(server: LiveServer) -> None:
    """Outcome and reason by rule; a reason that is not ours is `other`, a card that was not shown `unknown`."""
    card = json.loads(send(server, HOOK, BODY)[1])["cards"][0]
    before = figures(server)
    foreign = {**overridden(str(uuid.uuid4()))}
    sent = message(accepted(card["uuid"], card["suggestions"][0]["uuid"]), overridden(card["uuid"]), foreign)
    assert send(server, f"{HOOK}/feedback", json.dumps(sent).encode())[0] == 200
    after = figures(server)
    for outcome in ("accepted", "overridden"):
        assert grown(before, after, "cds_feedback_total", rule="hypokalemia", outcome=outcome) == 1
    assert grown(before, after, "cds_feedback_total", rule="unknown", outcome="overridden") == 1


def test_paths_and_codes_from_outside_make_no_label(server: LiveServer) -> None:
    """Unknown services, paths and reasons are counted under constant names."""
    odd = json.loads(json.dumps(overridden("card-canary")))
    odd["overrideReason"] = {"reason": {"code": "reason-canary", "system": "https://example.org/canary"}}
    assert send(server, f"{HOOK}/feedback", json.dumps(message(odd)).encode())[0] == 200
    for path in ("/cds-services/canary", "/canary", "/cds-services/canary/feedback"):
        assert send(server, path, b"{}")[0] == 404
    after = figures(server)
    assert "canary" not in " ".join(after)
    assert any('reason="other"' in name for name in after)
    assert any(name.startswith("cds_calls_total") and 'service="unknown"' in name for name in after)


@pytest.mark.parametrize(
    "given", ["", "Bearer", f"Bearer {TOKEN}x", f"Bearer {TOKEN[:-1]}", f"Basic {TOKEN}", TOKEN]
)
def test_without_the_token_there_are_no_figures(server: LiveServer, given: str) -> None:
    """Every other credential gets the constant 401."""
    status, body = send(server, "/metrics", Authorization=given)
    assert (status, json.loads(body)["issue"][0]["code"]) == (401, "login")


def test_without_the_settings_there_is_no_such_route(live_server: LiveServer) -> None:
    """The public port has no metrics unless a token is set."""
    assert send(live_server, "/metrics", Authorization=f"Bearer {TOKEN}")[0] == 404


def test_the_own_address_gives_the_same_figures_and_nothing_else(server: LiveServer, bind: str) -> None:
    """No token is needed there, and no part of the service is reached over it."""
    port = int(bind.rpartition(":")[2])
    status, body = send(server, "/metrics", port=port)
    assert status == 200
    names = set(re.findall(r"^# TYPE (\w+)", body.decode(), re.MULTILINE))
    assert {"cds_calls", "cds_call_seconds", "cds_cards", "cds_inflight"} <= {
        name.removesuffix("_total") for name in names
    }
    assert send(server, "/cds-services", port=port)[0] == 404
    assert send(server, HOOK, BODY, port=port)[0] in {404, 501}


def test_nothing_is_in_flight_when_all_is_answered(server: LiveServer) -> None:
    """Only the call that asks is being answered."""
    send(server, HOOK, b"{")
    assert figures(server)["cds_inflight"] == 1
