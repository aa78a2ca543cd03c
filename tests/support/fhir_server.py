"""A small FHIR R4 server over HTTP for tests: reads, searches, pages, and faults on demand; loopback only."""

from __future__ import annotations

import gzip
import json
import ssl
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

from tests.support.json_text import to_json

Resource = dict[str, Any]
Fault = Callable[["_Handler"], None]
FHIR_JSON = "application/fhir+json; charset=utf-8"
CERTIFICATE = Path(__file__).parent / "tls" / "loopback.pem"
"""Signed by itself, for 127.0.0.1 and localhost; its key guards nothing."""
_used_ports: set[int] = set()


@dataclass
class Seen:
    """One request as it arrived."""

    path: str
    query: dict[str, str]
    headers: dict[str, str]


@dataclass
class FHIRServer:
    """What the server holds and how it misbehaves. `faults` are by resource type; `*` stands for all."""

    port: int
    resources: list[Resource] = field(default_factory=list)
    faults: dict[str, Fault] = field(default_factory=dict)
    page_size: int = 1000
    scheme: str = "http"
    seen: list[Seen] = field(default_factory=list)

    @property
    def base(self) -> str:
        """The FHIR base, without a trailing slash."""
        return f"{self.scheme}://127.0.0.1:{self.port}/fhir"

    def read(self, kind: str, id_: str) -> Resource | None:
        """Return one resource."""
        return next((one for one in self.resources if (one["resourceType"], one["id"]) == (kind, id_)), None)

    def put(self, transaction: Resource) -> None:
        """Take in every entry of a transaction; what was there under the same id is replaced."""
        for entry in transaction["entry"]:
            new = entry["resource"]
            key = (new["resourceType"], new["id"])
            kept = [one for one in self.resources if (one["resourceType"], one["id"]) != key]
            self.resources[:] = [*kept, new]

    def search(self, kind: str, query: dict[str, str]) -> Resource:
        """Return a page of a search by patient, category and status, newest first where that is asked for."""
        found = [one for one in self.resources if one["resourceType"] == kind and _fits(one, query)]
        if query.get("_sort", "").startswith("-"):
            found.sort(key=lambda one: str(one.get("effectiveDateTime", "")), reverse=True)
        offset = int(query.get("_offset", "0"))
        count = min(int(query.get("_count", "1000")), self.page_size)
        bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(found)}
        entries = [
            {"fullUrl": f"{self.base}/{kind}/{one['id']}", "resource": one, "search": {"mode": "match"}}
            for one in found[offset : offset + count]
        ]
        if entries:
            bundle["entry"] = entries
        if offset + count < len(found):
            more = "&".join(f"{name}={value}" for name, value in query.items() if name != "_offset")
            url = f"{self.base}/{kind}?{more}&_offset={offset + count}"
            bundle["link"] = [{"relation": "next", "url": url}]
        return bundle


def _fits(resource: Resource, query: dict[str, str]) -> bool:
    owner = (resource.get("subject") or resource.get("patient") or {}).get("reference", "")
    if "patient" in query and owner != f"Patient/{query['patient'].removeprefix('Patient/')}":
        return False
    if "status" in query and resource.get("status") != query["status"]:
        return False
    wanted = query.get("category")
    codes = [code.get("code") for each in resource.get("category", []) for code in each.get("coding", [])]
    return wanted is None or wanted in codes


class _Handler(BaseHTTPRequestHandler):
    """Answers one request, or misbehaves as it is told."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    server: _Server

    def do_GET(self) -> None:
        """Answer a read or a search."""
        held = self.server.held
        parts = urlsplit(self.path)
        query = dict(parse_qsl(parts.query))
        held.seen.append(
            Seen(parts.path, query, {name.lower(): value for name, value in self.headers.items()})
        )
        kind, _slash, id_ = parts.path.removeprefix("/fhir/").partition("/")
        fault = held.faults.get(kind) or held.faults.get("*")
        if fault is not None:
            fault(self)
        elif kind == "metadata":
            self.send(200, {"resourceType": "CapabilityStatement", "fhirVersion": "4.0.1"})
        elif id_:
            found = held.read(kind, id_)
            self.send(200 if found else 404, found or {"resourceType": "OperationOutcome", "issue": []})
        else:
            self.send(200, held.search(kind, query))

    def do_POST(self) -> None:
        """Carry out a transaction of PUTs, or misbehave."""
        held = self.server.held
        transaction = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fault = held.faults.get("transaction")
        if fault is not None:
            fault(self)
        elif all(entry["request"]["method"] == "PUT" for entry in transaction["entry"]):
            held.put(transaction)
            self.send(200, {"resourceType": "Bundle", "type": "transaction-response"})
        else:
            self.send(400, {"resourceType": "OperationOutcome", "issue": []})

    def send(self, status: int, body: Any, content_type: str = FHIR_JSON, **headers: str) -> None:
        """Send a whole answer."""
        sent = body if isinstance(body, bytes) else to_json(body).encode()
        self.send_response(status)
        self.send_header("Content-Type", content_type)
        self.send_header("Content-Length", str(len(sent)))
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(sent)

    def log_message(self, *_arguments: object) -> None:
        """Print nothing."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128  # all queries of a call connect at once
    held: FHIRServer

    def handle_error(self, *_arguments: object) -> None:
        """A client that went away is no error of the test."""


@contextmanager
def fhir_server(*resources: Resource, tls: bool = False) -> Iterator[FHIRServer]:
    """Run a server with these resources on a free loopback port, and stop it again."""
    server = _fresh_server()
    server.held = FHIRServer(server.server_address[1], list(resources), scheme="https" if tls else "http")
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(CERTIFICATE, CERTIFICATE.with_suffix(".key"))
        server.socket = context.wrap_socket(
            server.socket, server_side=True, do_handshake_on_connect=False
        )  # the handshake is made in the thread of the connection
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield server.held
    finally:
        server.shutdown()
        server.server_close()
        thread.join(5)


def _fresh_server() -> _Server:
    """Return a server on a port that no test had before: what is known of a server goes by its port."""
    while True:
        server = _Server(("127.0.0.1", 0), _Handler)
        if server.server_address[1] not in _used_ports:
            _used_ports.add(server.server_address[1])
            return server
        server.server_close()


def status(code: int, body: Any = None, **headers: str) -> Fault:
    """Answer with a status and an OperationOutcome whose text must never be copied."""
    outcome = {"resourceType": "OperationOutcome", "issue": [{"diagnostics": "SECRET-OF-THE-SERVER"}]}
    return lambda handler: handler.send(code, body or outcome, **headers)


def hang(seconds: float) -> Fault:
    """Take the request and say nothing."""
    return lambda _handler: time.sleep(seconds)


def hang_after_headers(seconds: float) -> Fault:
    """Promise a body and send none of it."""

    def fault(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.flush()
        time.sleep(seconds)

    return fault


def slow(seconds: float) -> Fault:
    """Answer with an empty search result after a while."""

    def fault(handler: _Handler) -> None:
        time.sleep(seconds)
        handler.send(200, {"resourceType": "Bundle", "type": "searchset"})

    return fault


def drip(every: float, times: int, *, headers: bool = False) -> Fault:
    """Send one byte at a time: of the body, or already of the headers."""

    def fault(handler: _Handler) -> None:
        whole = b"HTTP/1.1 200 OK\r\nContent-Type: application/fhir+json\r\nContent-Length: 100000\r\n\r\n"
        if not headers:
            handler.wfile.write(whole)
        stream = whole if headers else b" " * 100_000
        for place in range(times):
            handler.wfile.write(stream[place : place + 1])
            handler.wfile.flush()
            time.sleep(every)

    return fault


def redirect(to: str) -> Fault:
    """Point elsewhere."""
    return lambda handler: handler.send(302, b"", Location=to)


def html() -> Fault:
    """Answer with a page to log in at, as a gateway does."""
    return lambda handler: handler.send(200, b"<html>Log in</html>", "text/html")


def text(body: bytes, content_type: str = FHIR_JSON) -> Fault:
    """Answer with these bytes."""
    return lambda handler: handler.send(200, body, content_type)


def huge(mebibytes: int, *, with_length: bool = True) -> Fault:
    """Send a body of so many mebibytes."""

    def fault(handler: _Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Type", FHIR_JSON)
        handler.send_header("Connection", "close")
        if with_length:
            handler.send_header("Content-Length", str(mebibytes << 20))
        handler.end_headers()
        for _piece in range(mebibytes):
            handler.wfile.write(b" " * (1 << 20))
        handler.close_connection = True

    return fault


def compressed() -> Fault:
    """Send a small body that unpacks to a large one."""
    bomb = gzip.compress(b" " * (64 << 20))
    return lambda handler: handler.send(200, bomb, Content_Encoding="gzip")
