"""The audit of a running service: a record before each answer, and what the command line says of it."""

from __future__ import annotations

import json
import shutil
import sqlite3
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.functional.commands import Outcome, run
from tests.functional.server import LiveServer
from tests.support.feedback import message, overridden
from tests.support.places import SAMPLES
from tests.support.production import production_environment

HOOK = "/cds-services/muscle-spasm-problem"
REQUEST = json.loads((SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_text("utf-8"))
WITHIN_S = 10.0


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "state" / "store.sqlite3"


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """Return a running service with a store of its own."""
    changes = {
        "CDS_STATE_FOLDER": str(tmp_path / "state"),
        "CDS_AUDIT_CHECKPOINTS": str(tmp_path / "checkpoints"),
    }
    server = LiveServer(tmp_path / "server.log", changes)
    yield server
    assert server.stop() == 0


def verify(tmp_path: Path, *options: str) -> Outcome:
    """Run `audit verify` on the store of the service."""
    changes = {
        "CDS_STATE_FOLDER": str(tmp_path / "state"),
        "CDS_AUDIT_CHECKPOINTS": str(tmp_path / "checkpoints"),
    }
    return run("audit", "verify", *options, changes=changes)


def post(server: LiveServer, path: str, body: object) -> dict[str, Any]:
    """Return the answer to one call, which succeeds."""
    connection = server.connection()
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        reply = connection.getresponse()
        assert reply.status == 200
        found: dict[str, Any] = {"id": reply.getheader("X-Request-Id"), **json.loads(reply.read())}
        return found
    finally:
        connection.close()


def kept(file: Path, kind: str) -> list[dict[str, Any]]:
    """Return the contents of all records of a kind, once there is one."""
    deadline = time.monotonic() + WITHIN_S
    rows: list[Any] = []
    while not rows and time.monotonic() < deadline:
        with closing(sqlite3.connect(file)) as connection:
            rows = connection.execute("SELECT content FROM audit_record WHERE kind = ?", (kind,)).fetchall()
    return [json.loads(content) for (content,) in rows]


def test_each_answer_and_each_feedback_has_a_record(server: LiveServer, tmp_path: Path, file: Path) -> None:
    """Who, what, by which knowledge and rules, under the request id that the client got; the chains verify."""
    answer = post(server, HOOK, REQUEST)
    fed = post(server, f"{HOOK}/feedback", message(overridden(answer["cards"][0]["uuid"])))
    assert server.stop() == 0
    (decision,) = kept(file, "decision")
    (feedback,) = kept(file, "feedback")
    card = answer["cards"][0]
    assert (decision["request"], decision["client"]) == (answer["id"], "anonymous")
    assert decision["hook_instance"] == REQUEST["hookInstance"]
    assert [one["uuid"] for one in decision["cards"]] == [one["uuid"] for one in answer["cards"]]
    assert "hypokalemia" in decision["cards"][0]["rules"]
    assert "magnesium" in decision["cards"][0]["offers"]
    assert decision["knowledge"] == card["extension"]["org.spasm-cds.explanation"]["knowledge_version"]
    assert decision["complete"] is card["extension"]["org.spasm-cds.explanation"]["complete"]
    assert (decision["status"], len(decision["input"]), decision["ms"] > 0) == (200, 64, True)
    assert (feedback["request"], feedback["outcomes"]) == (fed["id"], {"overridden": 1})
    assert feedback["cards"] == [card["uuid"]]
    verdict = json.loads(verify(tmp_path, "--json").out)
    assert (verdict["intact"], verdict["chains"], verdict["records"], verdict["unended"]) == (True, 1, 4, 0)
    assert verdict["checkpoints"] == 1


def test_the_same_body_has_the_same_digest_and_another_a_different_one(
    server: LiveServer, file: Path
) -> None:
    """What was asked can be shown later by whoever still has it."""
    for request in (REQUEST, REQUEST, {**REQUEST, "hookInstance": "another"}):
        post(server, HOOK, request)
    assert server.stop() == 0
    inputs = [one["input"] for one in kept(file, "decision")]
    assert (len(inputs), len(set(inputs))) == (3, 2)


def test_verify_ends_with_1_for_an_edit_and_a_cut(server: LiveServer, tmp_path: Path, file: Path) -> None:
    """An edited content and a shortened chain are told by their place."""
    post(server, HOOK, REQUEST)
    assert server.stop() == 0
    whole = verify(tmp_path)
    assert (whole.status, "The audit is intact." in whole.out) == (0, True), whole
    shutil.copy(file, tmp_path / "sound")
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute(
            "UPDATE audit_record SET content = replace(content, '200', '201') WHERE kind = 'decision'"
        )
    edited = verify(tmp_path)
    assert (edited.status, "is not what was signed" in edited.out) == (1, True), edited
    shutil.copy(tmp_path / "sound", file)
    with closing(sqlite3.connect(file)) as connection, connection:
        connection.execute("DELETE FROM audit_record WHERE kind = 'stop'")
    cut = verify(tmp_path)
    assert (cut.status, "are missing at the end" in cut.out) == (1, True), cut


def test_verify_without_a_store_says_so(tmp_path: Path) -> None:
    """It makes neither a secret nor a store."""
    outcome = verify(tmp_path)
    assert outcome.status == 5
    assert "CDS_SECRET_KEY_FILE" in outcome.err
    assert not (tmp_path / "state").exists()


def application(tmp_path: Path, **settings: Any) -> Flask:
    """Return an application with a store of its own."""
    return create_app(Settings(state_folder=tmp_path / "state", **settings))


def test_a_locked_store_keeps_hooks_alive_and_loses_no_record(tmp_path: Path, file: Path) -> None:
    """While another program holds the store, decisions wait on disk; afterwards they stand in the chain."""
    client = application(tmp_path, audit_required=True).test_client()
    assert client.post(HOOK, json=REQUEST).status_code == 200
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        replies = [client.post(HOOK, json=REQUEST).status_code for _ in range(5)]
        assert time.monotonic() - begun < 2
        assert replies == [200] * 5
        assert [*(tmp_path / "state" / "audit").glob("*.spool")]
    deadline = time.monotonic() + WITHIN_S
    count = 0
    while count < 7 and time.monotonic() < deadline:
        time.sleep(0.5)
        client.post(HOOK, json=REQUEST)
        count = len({one["request"] for one in kept(file, "decision")})
    assert count >= 7


def test_a_decision_that_cannot_be_recorded_is_refused_where_it_must_be(tmp_path: Path, file: Path) -> None:
    """With neither store nor disk: 503 with Retry-After where the audit is required, an answer where it is not."""
    must = application(tmp_path, audit_required=True).test_client()
    may = application(tmp_path, audit_required=False).test_client()
    shutil.rmtree(tmp_path / "state" / "audit", ignore_errors=True)
    (tmp_path / "state" / "audit").write_text("in the way")
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        refused = must.post(HOOK, json=REQUEST)
        assert (refused.status_code, refused.headers["Retry-After"]) == (503, "1")
        assert refused.get_json()["issue"][0]["code"] == "transient"
        assert may.post(HOOK, json=REQUEST).status_code == 200


def test_what_was_withheld_is_on_record(tmp_path: Path, file: Path) -> None:
    """An answer without cards because they were shown before is not recorded as one that had nothing to say."""
    app = application(tmp_path, quiet=True)
    message_ = json.loads((SAMPLES / "benign-twitch-with-caffeine" / "request.json").read_text("utf-8"))
    client = app.test_client()
    for _time in range(2):
        assert client.post(HOOK, json=message_).status_code == 200
        assert client.post(f"{HOOK}/feedback", json=message(overridden("nobody"))).status_code == 200
    first, second = kept(file, "decision")
    assert (len(first["cards"]), first["withheld"]) == (1, [])
    assert second["cards"] == []
    (withheld,) = second["withheld"]
    assert (withheld["template"], withheld["answered"]) == ("differential", None)
    assert "benign-fasciculation-syndrome" in withheld["rules"]


@pytest.mark.parametrize("arguments", [("purge",), ("report", "feedback", "--export")])
def test_commands_that_delete_or_show_single_answers_are_on_record(
    tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    """In production nobody does so unseen; a report of counts leaves no record."""
    settings = {**production_environment(tmp_path), "CDS_STATE_FOLDER": str(tmp_path)}
    assert run(*arguments, changes=settings).status == 0
    assert run("report", "feedback", changes=settings).status == 0
    (record,) = kept(tmp_path / "production.sqlite3", "cli")
    assert record["command"].startswith(arguments[0])
