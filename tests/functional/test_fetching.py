"""The FHIR client against a real server that misbehaves in every way: in time, within bounds, nothing leaked."""

from __future__ import annotations

import logging
import resource
import socket
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import Any

import pytest

from cds_service.fetch.addresses import Base, Policy
from cds_service.fetch.answers import Answer, Errand, Failed, Page
from cds_service.fetch.client import FHIRClient
from cds_service.fetch.limits import Allowance, Deadline
from tests.support import fhir_server as served
from tests.support.fhir_server import CERTIFICATE, FHIRServer, fhir_server
from tests.support.timing import best_of_three

PATIENT = {"resourceType": "Patient", "id": "p1"}
TOKEN = "token-that-nobody-else-may-see"
LOOPBACK = Policy(loopback=True)


@pytest.fixture
def server() -> Iterator[FHIRServer]:
    """Return a server that holds one patient."""
    with fhir_server(PATIENT) as running:
        yield running


@pytest.fixture
def client() -> Iterator[FHIRClient]:
    """Return a client without a past."""
    made = FHIRClient()
    yield made
    made.close()


def errand(seconds: float) -> Errand:
    """Return the token and limits of one hook call."""
    return Errand(TOKEN, Deadline(seconds), Allowance())


def fetch(client: FHIRClient, server: FHIRServer, seconds: float = 2.0, path: str = "/Patient/p1") -> Answer:
    """Fetch one URL below the base of the server."""
    urls = {"patient": server.base + path}
    return client.fetch(Base(server.base), LOOPBACK, urls, errand(seconds))["patient"]


def test_an_answer_comes_with_the_token_and_nothing_else(client: FHIRClient, server: FHIRServer) -> None:
    """The token goes along as a bearer, no cookie does, and the body comes back as it was sent."""
    server.faults["Patient"] = served.status(200, PATIENT, Set_Cookie="session=1")
    assert isinstance(fetch(client, server), Page)
    del server.faults["Patient"]
    answer = fetch(client, server)
    assert isinstance(answer, Page)
    assert b'"p1"' in answer.body
    for seen in server.seen:
        assert seen.headers["authorization"] == f"Bearer {TOKEN}"
        assert "cookie" not in seen.headers


def test_proxies_of_the_environment_play_no_part(
    client: FHIRClient, server: FHIRServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A proxy set for the process is not used: it would see the token."""
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert isinstance(fetch(client, server), Page)


FAULTS = {
    "500": (served.status(500), "fault"),
    "503": (served.status(503, Retry_After="1"), "fault"),
    "429": (served.status(429), "fault"),
    "401": (served.status(401), "refused"),
    "403": (served.status(403), "refused"),
    "400": (served.status(400), "rejected"),
    "404": (served.status(404), "not-found"),
    "410": (served.status(410), "not-found"),
    "501": (served.status(501), "rejected"),
    "204": (served.status(204, b" "), "fault"),
    "html": (served.html(), "not-json"),
    "xml": (served.text(b"<Patient/>", "application/fhir+xml"), "not-json"),
    "no-type": (served.text(b"{}", ""), "not-json"),
    "metadata": (served.redirect("http://169.254.169.254/latest/meta-data"), "fault"),
    "gzip": (served.compressed(), "compressed"),
    "100-mib": (served.huge(100), "too-long"),
    "100-mib-without-length": (served.huge(100, with_length=False), "too-long"),
    "hang": (served.hang(3), "timeout"),
    "hang-after-headers": (served.hang_after_headers(3), "timeout"),
    "drip": (served.drip(0.1, 30), "timeout"),
    "drip-headers": (served.drip(0.1, 30, headers=True), "timeout"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_every_fault_is_told_in_time(name: str) -> None:
    """Whatever the server does, there is a word for it before the deadline and 200 ms have passed."""
    fault, why = FAULTS[name]

    def attempt() -> float:
        with fhir_server(PATIENT) as server, closing(FHIRClient()) as client:
            server.faults["Patient"] = fault
            began = time.monotonic()
            answer = fetch(client, server, 0.5)
            took = time.monotonic() - began
            assert answer == Failed(why)
            assert len(server.seen) == 1, "a fault of the server is not asked for again"
        return took

    assert best_of_three(attempt, 0.7) < 0.7


def test_a_redirect_to_the_server_itself_is_not_followed(client: FHIRClient, server: FHIRServer) -> None:
    """Not even to itself, not even in a loop."""
    server.faults["Patient"] = served.redirect(f"{server.base}/Patient/p1")
    assert fetch(client, server) == Failed("fault")
    assert len(server.seen) == 1


def test_a_large_answer_is_not_kept_in_memory(client: FHIRClient, server: FHIRServer) -> None:
    """The peak grows by far less than the body."""
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    server.faults["Patient"] = served.huge(100, with_length=False)
    assert fetch(client, server, 5) == Failed("too-long")
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 60 * 1024


@pytest.mark.parametrize("scheme", ["http", "https"])
@pytest.mark.parametrize("is_full", [False, True], ids=["never answers", "never accepts"])
def test_a_black_hole_is_left_at_the_deadline(scheme: str, is_full: bool) -> None:
    """Neither a connection that does not come to be, nor a handshake that is not answered, holds the call."""

    def attempt() -> float:
        with socket.create_server(("127.0.0.1", 0), backlog=0) as hole, closing(FHIRClient()) as client:
            address = hole.getsockname()
            fillers = [socket.socket() for _filler in range(3 if is_full else 0)]
            for filler in fillers:
                filler.settimeout(0)
                filler.connect_ex(address)
            base = f"{scheme}://127.0.0.1:{address[1]}/fhir"
            began = time.monotonic()
            answers = client.fetch(Base(base), LOOPBACK, {"x": f"{base}/Patient/1"}, errand(0.5))
            took = time.monotonic() - began
            for filler in fillers:
                filler.close()
            assert answers == {"x": Failed("timeout")}
        return took

    assert best_of_three(attempt, 0.7) < 0.7


def test_nobody_listens(client: FHIRClient, server: FHIRServer) -> None:
    """A refused connection is told at once, after at most one repetition."""
    base = "http://127.0.0.1:9/fhir"
    began = time.monotonic()
    answers = client.fetch(Base(base), LOOPBACK, {"x": f"{base}/Patient/1"}, errand(2))
    assert answers == {"x": Failed("unreachable")}
    assert time.monotonic() - began < 1


@pytest.mark.parametrize("policy", [Policy(), Policy(private=True)])
def test_loopback_is_not_called_unless_it_is_allowed(
    client: FHIRClient, server: FHIRServer, policy: Policy
) -> None:
    """The address is checked after the name was resolved, just before the connection."""
    urls = {"patient": f"{server.base}/Patient/p1"}
    assert client.fetch(Base(server.base), policy, urls, errand(2)) == {"patient": Failed("blocked")}
    assert server.seen == []


def test_a_url_outside_the_base_is_not_called(client: FHIRClient, server: FHIRServer) -> None:
    """Neither another origin nor another path of the same one ever sees the token."""
    with fhir_server() as other:
        urls = {
            "other": f"{other.base}/Patient/p1",
            "path": f"http://127.0.0.1:{server.port}/admin",
            "up": f"{server.base}/../admin",
        }
        answers = client.fetch(Base(server.base), LOOPBACK, urls, errand(2))
        assert set(answers.values()) == {Failed("outside")}
        assert (server.seen, other.seen) == ([], [])


def test_many_queries_run_at_once(client: FHIRClient, server: FHIRServer) -> None:
    """Eight slow answers take as long as one, and one that hangs does not cost the others."""
    urls = {kind: f"{server.base}/{kind}?patient=p1" for kind in ("A", "B", "C", "D", "E", "F", "G")}
    server.faults["*"] = served.slow(0.2)
    server.faults["G"] = served.hang(3)
    began = time.monotonic()
    answers = client.fetch(Base(server.base), LOOPBACK, urls, errand(0.8))
    assert time.monotonic() - began < 1.0
    assert {key for key, answer in answers.items() if isinstance(answer, Page)} == set("ABCDEF")
    assert answers["G"] == Failed("timeout")


def test_a_thread_that_waited_is_free_again(client: FHIRClient, server: FHIRServer) -> None:
    """At the deadline the socket is closed, so that no thread stays with a server that drips."""
    server.faults["Patient"] = served.drip(0.05, 200)
    urls = {str(number): f"{server.base}/Patient/p1" for number in range(12)}
    before = threading.active_count()  # other tests of this run have left some
    client.fetch(Base(server.base), LOOPBACK, urls, errand(0.3))
    until = time.monotonic() + 2
    while client.busy and time.monotonic() < until:
        time.sleep(0.02)
    assert client.busy == 0
    assert threading.active_count() < before + 60


def test_a_server_that_keeps_failing_is_left_alone(client: FHIRClient, server: FHIRServer) -> None:
    """After five failures it is not called for a while, and another server still is."""
    server.faults["Patient"] = served.status(500)
    answers = [fetch(client, server) for _time in range(7)]
    assert answers == [Failed("fault")] * 5 + [Failed("unavailable")] * 2
    assert len(server.seen) == 5
    with fhir_server(PATIENT) as other:
        assert isinstance(fetch(client, other), Page)


def test_a_pooled_connection_that_died_is_made_anew(client: FHIRClient, server: FHIRServer) -> None:
    """After a call was cut, the next one is answered."""
    server.faults["Patient"] = served.drip(0.05, 50)
    assert fetch(client, server, 0.3) == Failed("timeout")
    del server.faults["Patient"]
    assert isinstance(fetch(client, server), Page)


def test_no_work_starts_when_hardly_any_time_is_left(client: FHIRClient, server: FHIRServer) -> None:
    """With less than 50 ms the server is not even asked."""
    assert fetch(client, server, 0.04) == Failed("timeout")
    assert server.seen == []


QUESTIONS = {"404": 404, "400": 400, "401": 401, "501": 501}


@pytest.mark.parametrize("status", QUESTIONS.values(), ids=QUESTIONS)
def test_a_server_that_refuses_a_question_is_no_failing_server(
    client: FHIRClient, server: FHIRServer, status: int
) -> None:
    """A resource type that it does not know, or a token that it does not take, never opens the breaker."""
    server.faults["Patient"] = served.status(status)
    for _time in range(8):
        fetch(client, server)
    del server.faults["Patient"]
    assert isinstance(fetch(client, server), Page)


def test_a_deadline_that_was_over_is_no_failure_of_the_server(client: FHIRClient, server: FHIRServer) -> None:
    """Who was not asked did not fail: a token without a life does not close the server to others."""
    for _time in range(8):
        assert fetch(client, server, 0.01) == Failed("timeout")
    assert isinstance(fetch(client, server), Page)


def test_a_server_that_comes_back_is_asked_again(server: FHIRServer) -> None:
    """After five seconds one probe finds out."""
    moved = 0.0
    with closing(FHIRClient(clock=lambda: time.monotonic() + moved)) as client:
        server.faults["Patient"] = served.status(503)
        for _time in range(5):
            fetch(client, server)
        del server.faults["Patient"]
        assert fetch(client, server) == Failed("unavailable")
        moved = 6.1
        assert isinstance(fetch(client, server), Page)


def test_the_call_that_finds_a_server_well_again_is_answered_whole(server: FHIRServer) -> None:
    """Its other queries wait for the probe; judged on the one query that was first, a card would say too little."""
    moved = 0.0
    with closing(FHIRClient(clock=lambda: time.monotonic() + moved)) as client:
        server.faults["Patient"] = served.status(503)
        for _time in range(5):
            fetch(client, server)
        server.faults["Patient"] = served.slow(0.3)
        moved = 6.1
        urls = {str(number): f"{server.base}/Patient/p02-patient?page={number}" for number in range(12)}
        answers = client.fetch(Base(server.base), LOOPBACK, urls, errand(3))
    assert [type(one) for one in answers.values()] == [Page] * 12


def test_one_origin_that_hangs_costs_another_nothing(client: FHIRClient, server: FHIRServer) -> None:
    """While as many calls as are let in wait at one server, another answers as fast as before."""

    def slowest_of(times: int) -> float:
        return sorted(_seconds_of(client, server) for _time in range(times))[int(times * 0.8)]

    with fhir_server() as dead, ThreadPoolExecutor(20) as callers:
        dead.faults["*"] = served.hang(2)
        alone = slowest_of(20)
        urls = {str(number): f"{dead.base}/Observation?page={number}" for number in range(12)}
        waiting = [
            callers.submit(client.fetch, Base(dead.base), LOOPBACK, urls, errand(1.2)) for _call in range(20)
        ]
        time.sleep(0.2)
        beside = slowest_of(20)
        answers = [one.result() for one in waiting]
    assert beside < alone * 1.1 + 0.05
    assert sum(set(one.values()) == {Failed("unavailable")} for one in answers) >= 4
    assert all(isinstance(one, Failed) for answer in answers for one in answer.values())


def _seconds_of(client: FHIRClient, server: FHIRServer) -> float:
    began = time.monotonic()
    assert isinstance(fetch(client, server), Page)
    return time.monotonic() - began


def test_all_answers_of_a_call_share_one_allowance(client: FHIRClient, server: FHIRServer) -> None:
    """Many answers that are each just short enough do not fill the memory together."""
    server.faults["*"] = served.huge(8)
    urls = {str(number): f"{server.base}/Observation?page={number}" for number in range(8)}
    answers = client.fetch(Base(server.base), LOOPBACK, urls, errand(5)).values()
    assert sum(isinstance(answer, Page) for answer in answers) <= 2
    assert Failed("too-long") in answers


@pytest.mark.parametrize("ca_file", [None, str(CERTIFICATE)], ids=["usual authorities", "its own"])
def test_a_certificate_of_nobodys_is_refused(client: FHIRClient, ca_file: str | None) -> None:
    """A self-signed server is called only where its certificate is registered, and never by plain http instead."""
    policy = Policy(loopback=True, ca_file=ca_file)
    with fhir_server(PATIENT, tls=True) as server:
        urls = {"patient": f"{server.base}/Patient/p1"}
        answer = client.fetch(Base(server.base), policy, urls, errand(2))["patient"]
        assert answer == Failed("insecure") if ca_file is None else isinstance(answer, Page)
        assert len(server.seen) == (0 if ca_file is None else 1)


def test_a_certificate_for_another_name_is_refused() -> None:
    """The name that is registered must be the one that the certificate is for."""
    policy = Policy(loopback=True, ca_file=str(CERTIFICATE))
    with (
        fhir_server(PATIENT, tls=True) as server,
        closing(FHIRClient(resolver=lambda _host, _port: ["127.0.0.1"])) as client,
    ):
        base = f"https://ehr.example.org:{server.port}/fhir"
        answers = client.fetch(Base(base), policy, {"patient": f"{base}/Patient/p1"}, errand(2))
        assert answers == {"patient": Failed("insecure")}
        assert server.seen == []


def test_https_to_a_server_that_speaks_http_fails(client: FHIRClient, server: FHIRServer) -> None:
    """Nothing of the request is sent in the open."""
    base = server.base.replace("http:", "https:")
    answers = client.fetch(Base(base), LOOPBACK, {"patient": f"{base}/Patient/p1"}, errand(2))
    assert answers == {"patient": Failed("insecure")}
    assert server.seen == []


def test_a_name_is_resolved_once_for_a_connection_and_then_pinned(server: FHIRServer) -> None:
    """A resolver that changes its mind between check and connection has nobody to fool; a new address is checked."""
    addresses = iter([["127.0.0.1"], ["169.254.169.254"]])
    with closing(FHIRClient(resolver=lambda _host, _port: next(addresses))) as client:
        base = f"http://localhost:{server.port}/fhir"
        urls = {"patient": f"{base}/Patient/p1"}
        assert isinstance(client.fetch(Base(base), LOOPBACK, urls, errand(2))["patient"], Page)
        assert isinstance(client.fetch(Base(base), LOOPBACK, urls, errand(2))["patient"], Page)
        server.faults["Patient"] = served.slow(0.3)  # the one connection that there is cannot serve both
        both = {**urls, "again": urls["patient"]}
        answers = client.fetch(Base(base), LOOPBACK, both, errand(2)).values()
        assert Failed("blocked") in answers
    assert {seen.headers["host"] for seen in server.seen} == {f"localhost:{server.port}"}


def test_the_token_is_nowhere_but_in_the_request(
    client: FHIRClient, server: FHIRServer, caplog: pytest.LogCaptureFixture
) -> None:
    """No log line of any library and no `repr` shows it, whether the call succeeds or fails; nor the server's words."""
    caplog.set_level(logging.DEBUG)
    assert isinstance(fetch(client, server), Page)
    for fault in (served.status(401), served.status(500), served.html(), served.drip(0.1, 9, headers=True)):
        server.faults["Patient"] = fault
        fetch(client, server, 0.3)
    assert TOKEN not in caplog.text
    assert "SECRET" not in caplog.text
    assert TOKEN not in repr(errand(1))
    assert TOKEN not in repr(vars(client))


def test_a_fault_of_ours_costs_one_answer(
    client: FHIRClient, server: FHIRServer, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """What nobody foresaw in one query is logged by its kind, and the other queries are answered."""
    get = client._get

    def fail_once(held: Any, url: str, *rest: Any) -> Any:
        if url.endswith("/odd"):
            raise ZeroDivisionError("canary")
        return get(held, url, *rest)

    monkeypatch.setattr(client, "_get", fail_once)
    urls = {"good": f"{server.base}/Patient/p1", "odd": f"{server.base}/Patient/odd"}
    answers = client.fetch(Base(server.base), LOOPBACK, urls, errand(1.0))
    assert isinstance(answers["good"], Page)
    assert answers["odd"] == Failed("fault")
    assert [vars(record)["fault"] for record in caplog.records] == ["ZeroDivisionError"]
    assert "canary" not in caplog.text
