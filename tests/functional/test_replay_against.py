"""`replay --against`: the same answers as in process, foreign prefetch keys, and what is never sent or followed."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from tests.functional.commands import Outcome, run
from tests.functional.server import LiveServer
from tests.spec.calls import HOOK_OF_STORY, STORY, story, without_uuids
from tests.support.places import SAMPLES

TOKEN = "not-to-be-printed"


class _Foreign(ThreadingHTTPServer):
    """A CDS service of somebody else: it keeps what it was sent, and answers what the test wants."""

    def __init__(self, prefetch: dict[str, str], answer: Any, status: int = 200) -> None:
        self.service = {
            "hook": "problem-list-item-create",
            "id": "other",
            "description": "Another service",
            "prefetch": prefetch,
        }
        self.answer, self.answers_with = answer, status
        self.calls: list[tuple[str, dict[str, str], Any]] = []
        super().__init__(("127.0.0.1", 0), _Responder)

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"


class _Responder(BaseHTTPRequestHandler):
    server: _Foreign

    def do_GET(self) -> None:
        self._send(200, {"services": [self.server.service]})

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.calls.append((self.path, dict(self.headers), json.loads(body)))
        self._send(self.server.answers_with, self.server.answer)

    def log_message(self, *_: object) -> None:
        """Print nothing."""

    def _send(self, status: int, value: Any) -> None:
        body = json.dumps(value).encode()
        self.send_response(status)
        if status == 302:
            self.send_header("Location", "/elsewhere")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def _serving(server: _Foreign) -> Iterator[_Foreign]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _answers(outcome: Outcome) -> list[Any]:
    return [without_uuids(json.loads(line)["cards"]) for line in outcome.out.splitlines()]


def test_a_running_service_answers_like_this_process(live_server: LiveServer) -> None:
    """For every story, cards and explanations are identical apart from uuids, and every expectation holds."""
    address = {"HOST": "127.0.0.1", "PORT": str(live_server.port)}
    there = run("replay", "--json", "--against", f"http://127.0.0.1:{live_server.port}", SAMPLES)
    here = run("replay", "--json", SAMPLES, changes=address)
    assert (there.status, here.status) == (0, 0), there.err
    assert len(_answers(there)) == len(HOOK_OF_STORY)
    assert _answers(there) == _answers(here)
    verdicts = {json.loads(line)["expectation"] for line in there.out.splitlines()}
    assert verdicts == {"holds"}


def test_the_moment_is_sent(live_server: LiveServer) -> None:
    """`--as-of` reaches the service: the explanation stands at that moment."""
    where = f"http://127.0.0.1:{live_server.port}"
    (line,) = run(
        "replay", "--json", "--as-of", "2027-01-01", "--against", where, SAMPLES / STORY
    ).out.splitlines()
    assert json.loads(line)["as_of"] == "2027-01-01T12:00:00Z"


def test_a_foreign_service_gets_its_own_prefetch_keys() -> None:
    """What the request holds is searched for the templates of the service, and the token is sent and not printed."""
    prefetch = {
        "who": "Patient/{{context.patientId}}",
        "k": "Observation?patient={{context.patientId}}&code=http://loinc.org|2823-3",
    }
    with _serving(_Foreign(prefetch, {"cards": []})) as server:
        outcome = run(
            "replay", "--against", server.address, SAMPLES / STORY, changes={"CDS_REPLAY_TOKEN": TOKEN}
        )
    assert outcome.status == 1  # it says nothing, where potassium was expected
    ((path, headers, sent),) = server.calls
    assert path == "/cds-services/other"
    assert headers["Authorization"] == f"Bearer {TOKEN}"
    assert TOKEN not in outcome.out + outcome.err
    assert set(sent["prefetch"]) == {"who", "k"}
    assert sent["prefetch"]["who"]["id"] == story()["context"]["patientId"]
    (entry,) = sent["prefetch"]["k"]["entry"]
    assert entry["resource"]["valueQuantity"]["value"] == 2.8
    assert "explanation: expected one, the response has none" in outcome.err


@pytest.mark.parametrize(
    ("answer", "status", "says"),
    [
        (
            {"resourceType": "OperationOutcome", "issue": [{"details": {"text": "Go\x1baway"}}]},
            412,
            "412 Go away",
        ),
        ({}, 302, "302"),
        ({"cards": [{"summary": "x"}]}, 200, "The answer breaks CDS Hooks"),
        ([], 200, "The answer breaks CDS Hooks"),
    ],
)
def test_an_answer_that_is_none_is_told(answer: Any, status: int, says: str) -> None:
    """A refusal, a redirect and an invalid answer are told with their patient, and no redirect is followed."""
    with _serving(_Foreign({}, answer, status)) as server:
        outcome = run("replay", "--against", server.address, SAMPLES / STORY)
    assert outcome.status == 1
    assert says in outcome.err
    assert len(server.calls) == 1


def test_a_chart_is_not_sent_in_the_clear(tmp_path: Path) -> None:
    """Beyond this machine only https is called, and an address with a user name is refused."""
    for address in (
        "http://cds.example.org",
        "ftp://127.0.0.1",
        "https://user:secret@cds.example.org",
        "nowhere",
    ):
        outcome = run("replay", "--against", address, SAMPLES / STORY)
        assert outcome.status == 2
        assert "--against" in outcome.err
        assert "secret" not in outcome.err


def test_a_service_that_is_not_there_is_told() -> None:
    """Without discovery nothing is replayed, with status 2."""
    outcome = run("replay", "--against", "http://127.0.0.1:9", SAMPLES / STORY)
    assert outcome.status == 2
    assert "cannot be reached" in outcome.err
