"""Readiness and the keys of clients: ready once somebody can be told apart, and one client's outage is its own."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.functional.server import LiveServer
from tests.support.fhir_server import FHIRServer, fhir_server
from tests.support.production import production_environment, write_clients
from tests.support.tokens import BASE, ISSUER, OTHER_ISSUER, SERVICE, bearer, key_set, signer, token

WITHIN_S = 10.0
NOT_READY = {"status": "not-ready", "failing": ["client-keys"]}
ONE = signer("ES384", "one")


@pytest.fixture
def server() -> Iterator[FHIRServer]:
    """Return a server that publishes a key."""
    with fhir_server() as running:
        publish(running)
        yield running


def publish(server: FHIRServer) -> None:
    """Let a server publish its key."""
    server.faults["*"] = lambda end: end.send(200, orjson.dumps(key_set(ONE)), "application/json")


def withhold(server: FHIRServer) -> None:
    """Let a server have no keys to show."""
    server.faults["*"] = lambda end: end.send(503, b"", "application/json")


def client_at(server: FHIRServer, name: str = "hospital", issuer: str = ISSUER) -> dict[str, Any]:
    """Return a client whose keys are at a server."""
    return {"id": name, "issuer": issuer, "jwks_url": f"{server.base.removesuffix('/fhir')}/keys"}


def application(folder: Path, *clients: dict[str, Any], is_open: bool = False) -> FlaskClient:
    """Return a client of an application with these clients."""
    chosen: dict[str, Any] = {
        "public_base_url": BASE,
        "open": is_open,
        "clients": write_clients(folder, *clients),
        "DATABASE_URL": f"sqlite:///{folder / 'store.sqlite3'}",
    }
    return create_app(Settings(**chosen)).test_client()


def readiness(client: FlaskClient) -> object:
    """Return `ready`, or what the answer says instead."""
    reply = client.get("/health/ready")
    return "ready" if reply.status_code == 200 else reply.get_json()


def settled(client: FlaskClient, server: FHIRServer) -> object:
    """Return the readiness once the keys were asked for and no longer."""
    readiness(client)
    deadline = time.monotonic() + WITHIN_S
    while not server.seen and time.monotonic() < deadline:
        time.sleep(0.02)
    time.sleep(0.3)
    return readiness(client)


def test_a_service_is_ready_once_it_has_the_keys_of_its_client(tmp_path: Path, server: FHIRServer) -> None:
    """They are fetched by asking, once, before the first token comes."""
    client = application(tmp_path, client_at(server))
    assert settled(client, server) == "ready"
    assert [readiness(client) for _ in range(5)] == ["ready"] * 5
    assert len(server.seen) == 1
    call = client.post(f"/cds-services/{SERVICE}", headers=bearer(token(by=ONE)))
    assert (call.status_code, len(server.seen)) == (415, 1)


def test_a_service_that_can_tell_nobody_apart_is_not_ready(
    tmp_path: Path, server: FHIRServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Every call would be refused. Liveness stays, the log names the client once, and its server is asked once."""
    withhold(server)
    client = application(tmp_path, client_at(server))
    assert settled(client, server) == NOT_READY
    assert [readiness(client) for _ in range(5)] == [NOT_READY] * 5
    assert client.get("/health/live").status_code == 200
    assert len(server.seen) == 1
    told = [vars(one)["client"] for one in caplog.records if "no usable key" in one.msg]
    assert told == ["hospital"]


def test_one_client_without_keys_leaves_the_service_to_the_others(
    tmp_path: Path, server: FHIRServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Its server cannot take the service away from everybody; the log names it."""
    with fhir_server() as other:
        withhold(other)
        client = application(tmp_path, client_at(server), client_at(other, "clinic", OTHER_ISSUER))
        settled(client, other)
        assert settled(client, server) == "ready"
    assert [vars(one)["client"] for one in caplog.records if "no usable key" in one.msg] == ["clinic"]


def test_a_service_waits_until_every_client_was_asked_for_its_keys(
    tmp_path: Path, server: FHIRServer
) -> None:
    """A new process takes calls of a client whose keys it is only about to fetch a moment later, not refuses them."""
    with fhir_server() as slow:
        slow.faults["*"] = lambda _end: time.sleep(3)
        client = application(tmp_path, client_at(server), client_at(slow, "clinic", OTHER_ISSUER))
        readiness(client)
        time.sleep(0.2)
        assert readiness(client) == NOT_READY
        time.sleep(0.8)
        assert readiness(client) == "ready"


def test_keys_for_another_algorithm_are_of_no_use(tmp_path: Path, server: FHIRServer) -> None:
    """A client that may sign with RS384 alone cannot use a key of the other kind."""
    client = application(tmp_path, client_at(server) | {"algorithms": ["RS384"]})
    assert settled(client, server) == NOT_READY


def test_an_open_service_needs_no_keys(tmp_path: Path, server: FHIRServer) -> None:
    """It answers calls without a token, so it is ready, and asks for nothing."""
    client = application(tmp_path, client_at(server), is_open=True)
    assert readiness(client) == "ready"
    assert server.seen == []


def test_keys_in_the_file_are_there_from_the_start(tmp_path: Path) -> None:
    """A production service with written keys is ready without anybody's server."""
    server = LiveServer(tmp_path / "server.log", production_environment(tmp_path))
    assert server.stop() == 0
