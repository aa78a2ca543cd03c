"""Keys that clients publish, fetched from a real server by a real application: rotation, faults, limits, no detours."""

from __future__ import annotations

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import orjson
import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.errors import BlockedServerError
from cds_service.fetch.addresses import Location, Policy
from cds_service.fetch.answers import Document
from cds_service.fetch.documents import MOST_BYTES, fetch_document
from cds_service.settings import Settings
from tests.support.fhir_server import CERTIFICATE, Fault, FHIRServer, fhir_server
from tests.support.production import write_clients
from tests.support.tokens import BASE, ISSUER, SERVICE, Signer, bearer, key_set, signer, token

LOOPBACK = Policy(loopback=True)
OLD, NEW = signer("ES384", "old"), signer("ES384", "new")
JSON = "application/json"


def publishing(*signers: Signer, content_type: str = JSON, **headers: str) -> Fault:
    """Return a server's answer with these keys."""
    return lambda end: end.send(200, orjson.dumps(key_set(*signers)), content_type, **headers)


@pytest.fixture
def server() -> Iterator[FHIRServer]:
    """Return a server that publishes one key."""
    with fhir_server() as running:
        running.faults["*"] = publishing(OLD)
        yield running


def location(server: FHIRServer) -> Location:
    """Return the address of the keys, with a dot as such addresses have it."""
    return Location(f"{server.base.removesuffix('/fhir')}/.well-known/jwks.json")


def fetch(server: FHIRServer, seconds: float = 2.0) -> Document | None:
    """Fetch the keys once."""
    return fetch_document(location(server), LOOPBACK, seconds)


@pytest.mark.parametrize("kind", [JSON, "application/jwk-set+json", "application/json; charset=utf-8"])
@pytest.mark.parametrize(
    ("cache", "max_age"),
    [
        ("", None),
        ("public, max-age=600", 600),
        ("MAX-AGE=5", 5),
        ("no-store", 0),
        ("max-age=60, no-cache", 0),
        ("max-age=x", None),
    ],
)
def test_keys_come_with_how_long_they_hold(
    server: FHIRServer, kind: str, cache: str, max_age: int | None
) -> None:
    """The body as it is, and max-age; no token and no cookie go along."""
    server.faults["*"] = publishing(OLD, content_type=kind, **({"Cache_Control": cache} if cache else {}))
    assert fetch(server) == Document(orjson.dumps(key_set(OLD)), max_age)
    assert not {"authorization", "cookie"} & set(server.seen[0].headers)
    assert server.seen[0].path == "/.well-known/jwks.json"


def _dripping(end: Any) -> None:
    end.send_response(200)
    end.send_header("Content-Type", JSON)
    end.send_header("Content-Length", "1000")
    end.end_headers()
    for _ in range(40):
        end.wfile.write(b" ")
        end.wfile.flush()
        time.sleep(0.1)


FAULTS: dict[str, Fault] = {
    "404": lambda end: end.send(404, b"{}", JSON),
    "500": lambda end: end.send(500, b"{}", JSON),
    "204": lambda end: end.send(204, b"", JSON),
    "HTML": lambda end: end.send(200, b"<html>", "text/html"),
    "no content type": lambda end: end.send(200, b"{}", ""),
    "compressed": lambda end: end.send(200, b"{}", JSON, Content_Encoding="gzip"),
    "over 256 KiB": lambda end: end.send(200, b" " * (MOST_BYTES + 1), JSON),
    "dripping": _dripping,
    "hanging": lambda _end: time.sleep(3),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_what_is_no_whole_answer_is_none(server: FHIRServer, fault: Fault) -> None:
    """And it is none in time, however slowly it comes."""
    server.faults["*"] = fault
    began = time.monotonic()
    assert fetch(server, 0.5) is None
    assert time.monotonic() - began < 1.5


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_no_redirect_is_followed(server: FHIRServer, status: int) -> None:
    """Not even to the same server."""
    server.faults["*"] = lambda end: end.send(status, b"", JSON, Location=f"{server.base}/elsewhere")
    assert fetch(server) is None
    assert len(server.seen) == 1


def test_keys_come_over_tls_from_a_server_that_is_trusted() -> None:
    """By the authority that is registered for the client; by the public ones it is not."""
    with fhir_server(tls=True) as server:
        server.faults["*"] = publishing(OLD)
        assert fetch(server) is None
        assert (
            fetch_document(location(server), Policy(loopback=True, ca_file=str(CERTIFICATE)), 2.0) is not None
        )


@pytest.mark.parametrize("address", ["169.254.169.254", "10.0.0.1", "127.0.0.1", "::1", "64:ff9b::7f00:1"])
def test_a_name_that_leads_elsewhere_is_not_called(address: str) -> None:
    """Metadata, private networks and this machine are as closed as they are for FHIR servers."""
    assert (
        fetch_document(
            Location("https://ehr.example.org/keys"), Policy(), 1.0, lambda _host, _port: [address]
        )
        is None
    )


@pytest.mark.parametrize(
    "text",
    [
        "file:///etc/passwd",
        "data:application/json,{}",
        "ftp://ehr.example.org/keys",
        "https://ehr.example.org",
        "https://ehr.example.org/../keys",
        "https://ehr.example.org/a/./keys",
        "https://ehr.example.org/keys?x=1",
        "https://ehr.example.org/keys#x",
        "https://user@ehr.example.org/keys",
        "https://EHR.example.org/keys",
        "https://ehr.example.org\\keys",
        "https://ehr.example.org/%2e%2e/keys",
        "https://ehr.example.org/keys/",
        "https://ehr.example.org//keys",
        "",
    ],
)
def test_an_address_is_written_in_one_way(text: str) -> None:
    """Anything that two readers could take for two addresses is none."""
    with pytest.raises(BlockedServerError):
        Location(text)


def application(folder: Path, server: FHIRServer) -> FlaskClient:
    """Return a client of an application with one client, whose keys are at the server."""
    client = {"id": "hospital", "issuer": ISSUER, "jwks_url": location(server).text}
    chosen: dict[str, Any] = {
        "public_base_url": BASE,
        "open": False,
        "clients": write_clients(folder, client),
        "DATABASE_URL": f"sqlite:///{folder / 'store.sqlite3'}",
        "deadline_seconds": 4.5,
    }
    return create_app(Settings(**chosen)).test_client()


def call(client: FlaskClient, by: Signer, **header: Any) -> int:
    """Return the status of an empty call: 400 once the caller is known."""
    return client.post(f"/cds-services/{SERVICE}", headers=bearer(token(by=by, header=header))).status_code


KNOWN = 415
"""What a known caller is answered who sends no JSON."""


def test_a_token_is_verified_with_the_keys_of_its_client(tmp_path: Path, server: FHIRServer) -> None:
    """With its `jku` or without; the keys are fetched once."""
    client = application(tmp_path, server)
    assert server.seen == []
    assert [call(client, OLD), call(client, OLD, jku=location(server).text)] == [KNOWN, KNOWN]
    assert [call(client, NEW), call(client, NEW)] == [401, 401]
    assert len(server.seen) == 1


def test_a_foreign_jku_is_never_fetched(tmp_path: Path, server: FHIRServer) -> None:
    """Neither is the registered one, for a token that is refused already."""
    client = application(tmp_path, server)
    with fhir_server() as evil:
        evil.faults["*"] = publishing(NEW)
        assert call(client, NEW, jku=location(evil).text) == 401
        assert call(client, OLD, jku=f"{location(server).text}x") == 401
        assert evil.seen == []
    assert server.seen == []


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS.keys())
def test_keys_that_cannot_be_had_are_a_refusal_like_any_other(
    tmp_path: Path, server: FHIRServer, fault: Fault
) -> None:
    """Never a 500, and in time."""
    server.faults["*"] = fault
    client = application(tmp_path, server)
    began = time.monotonic()
    assert call(client, OLD) == 401
    assert time.monotonic() - began < 2.0


def test_a_flood_of_unknown_key_ids_fetches_once(tmp_path: Path, server: FHIRServer) -> None:
    """From many callers at once, each with another id."""
    client = application(tmp_path, server)
    with ThreadPoolExecutor(8) as pool:
        statuses = list(pool.map(lambda number: call(client, NEW, kid=f"unknown-{number}"), range(100)))
    assert set(statuses) == {401}
    assert len(server.seen) == 1
    assert call(client, OLD) == KNOWN
