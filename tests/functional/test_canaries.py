"""What a chart or a client says appears in no log line, figure, error body or audit record, however a call ends."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from cds_service.store.chain import records
from cds_service.store.database import Database
from tests.functional.server import LiveServer
from tests.support.feedback import message, overridden
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
CANARY = "Zebedee-Canary-4711"
TOKEN = "a-token-of-this-test-only"
_TEXTS = ("text", "display", "family", "given", "userId", "hookInstance")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return where the service keeps its state."""
    return tmp_path_factory.mktemp("canaries")


@pytest.fixture(scope="module", params=["json", "plain"])
def server(request: pytest.FixtureRequest, folder: Path) -> Iterator[LiveServer]:
    """Return a service for each kind of log."""
    changes = {
        "CDS_STATE_FOLDER": str(folder / request.param),
        "CDS_LOG_FORMAT": request.param,
        "CDS_METRICS_TOKEN": TOKEN,
    }
    server = LiveServer(folder / f"{request.param}.log", changes)
    yield server
    assert server.stop() == 0


def spoken(value: Any, name: str = "") -> Any:
    """Return a message whose names, free texts and ids of persons all hold the canary."""
    if isinstance(value, dict):
        return {key: spoken(inner, key) for key, inner in value.items()}
    if isinstance(value, list):
        return [spoken(inner, name) for inner in value]
    return f"{value} {CANARY}" if name in _TEXTS and isinstance(value, str) else value


def story() -> dict[str, Any]:
    """Return a request that is answered with cards."""
    found: dict[str, Any] = json.loads(
        (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_text()
    )
    return found


def exchange(server: LiveServer, sent: bytes) -> bytes:
    """Send bytes as they are, and return the answer."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=10) as end:
        end.sendall(sent)
        parts = []
        while part := end.recv(65_536):
            parts.append(part)
    return b"".join(parts)


def call(server: LiveServer, path: str, body: bytes, *more: str) -> bytes:
    """Return the answer to a POST with further header lines."""
    head = [
        f"POST {path} HTTP/1.1",
        "Host: localhost",
        "Connection: close",
        f"Content-Length: {len(body)}",
        *(more or ("Content-Type: application/json",)),
    ]
    return exchange(server, "\r\n".join(head).encode() + b"\r\n\r\n" + body)


def failing(server: LiveServer) -> list[bytes]:
    """Return the answers to calls that fail, each with the canary in another place."""
    torn = json.dumps(spoken(story())).encode()[:-40]
    no_data = {**spoken(story()), "prefetch": {}}
    missing = spoken(story())
    del missing["context"]["patientId"]
    odd = spoken({**story(), "hook": CANARY})
    typed = "Content-Type: application/json"
    return [
        call(server, HOOK, torn),
        call(server, HOOK, json.dumps(no_data).encode()),
        call(server, HOOK, json.dumps(missing).encode()),
        call(server, HOOK, json.dumps(odd).encode()),
        call(server, f"/cds-services/{CANARY}?{CANARY}", json.dumps(spoken(story())).encode()),
        call(server, HOOK, b"{}", f"Content-Type: text/{CANARY}"),
        call(server, HOOK, b"{}", typed, f"Content-Encoding: {CANARY}"),
        call(server, HOOK, b"{}", typed, f"Host: {CANARY}@x"),
        call(server, f"{HOOK}/feedback", json.dumps({"feedback": [{"card": CANARY}]}).encode()),
        exchange(server, f"GET /{CANARY} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()),
        exchange(server, f"{CANARY} / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n".encode()),
        exchange(server, f"{CANARY}\r\n\r\n".encode()),
    ]


def test_no_canary_comes_out(server: LiveServer, folder: Path) -> None:
    """Answered and failing calls, in body, path, query and headers; only cards may name what the chart says."""
    headers = ("Content-Type: application/json", f"Authorization: Bearer {CANARY}", f"X-Request-Id: {CANARY}")
    answered = call(server, f"{HOOK}?patient={CANARY}", json.dumps(spoken(story())).encode(), *headers)
    assert answered.startswith(b"HTTP/1.1 200"), answered[:200]
    assert b'"cards":[{' in answered
    item = overridden(CANARY)
    item["overrideReason"] = {"reason": {"code": CANARY}, "userComment": CANARY}
    assert call(server, f"{HOOK}/feedback", json.dumps(message(item)).encode()).startswith(b"HTTP/1.1 200")
    for refused in failing(server):
        assert refused.startswith(b"HTTP/1.1 4"), refused[:200]
        assert CANARY.encode() not in refused
    asked = f"GET /metrics HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {TOKEN}\r\nConnection: close\r\n\r\n"
    figures = exchange(server, asked.encode())
    assert b"cds_calls_total" in figures
    assert CANARY.encode() not in figures
    assert server.stop() == 0
    assert "Canary" not in server.printed
    state = server.log.with_suffix("")
    database = Database(f"sqlite:///{state / 'store.sqlite3'}")
    kept = [*records(database)]
    database.close()
    assert {"start", "decision", "feedback", "stop"} == {record.kind for record in kept}
    assert "Canary" not in str(kept)
    lines = server.printed.splitlines()
    assert sum("muscle-spasm-problem" in line and "hook" in line for line in lines) >= 7


def test_a_json_log_holds_json_lines(folder: Path) -> None:
    """After the lines of the start every line is one object with event, level, time and the id of its request."""
    log = folder / "json.log"
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    calls = [line for line in lines if line["event"] == "call"]
    assert len(calls) >= 12
    assert all({"time", "level", "request_id", "status", "ms", "route"} <= set(line) for line in calls)
    (answered,) = [line for line in calls if line.get("cards")]
    assert "hypokalemia" in answered["rules"]
