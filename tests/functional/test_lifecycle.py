"""Readiness and the end: not ready at once, answering on for a while, and no accepted call lost."""

from __future__ import annotations

import http.client
import json
import signal
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest
from sqlalchemy import Connection, func, select

from cds_service.app import create_app
from cds_service.errors import StoreUnavailableError
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.schema import migrate
from cds_service.store.store import open_store
from cds_service.store.tables import seen_token
from cds_service.store.writer import Write
from cds_service.web.lifecycle import store_checks
from tests.functional.server import LiveServer
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
BODY = (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_bytes()
CALLERS, PER_SECOND = 20, 100
WITHIN_S = 10.0


class Reply(NamedTuple):
    """Status, reason for closing, and body."""

    status: int
    connection: str | None
    body: bytes


def get(server: LiveServer, path: str) -> Reply:
    """Return the answer to a GET."""
    connection = server.connection()
    try:
        connection.request("GET", path)
        reply = connection.getresponse()
        return Reply(reply.status, reply.getheader("Connection"), reply.read())
    finally:
        connection.close()


class Load:
    """Callers at a steady rate that, as a load balancer would, send nothing more once the service is not ready."""

    def __init__(self, server: LiveServer) -> None:
        """Begin to call."""
        self._server = server
        self._over = threading.Event()
        self.answered: list[int] = []
        self.lost: list[str] = []
        self._threads = [threading.Thread(target=self._call) for _ in range(CALLERS)]
        self._threads.append(threading.Thread(target=self._watch))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Wait for the last answers."""
        for thread in self._threads:
            thread.join()

    def _watch(self) -> None:
        while get(self._server, "/health/ready").status == 200:
            time.sleep(0.2)
        self._over.set()

    def _call(self) -> None:
        connection = self._server.connection()
        while not self._over.wait(CALLERS / PER_SECOND):
            try:
                connection.request("POST", HOOK, BODY, {"Content-Type": "application/json"})
                reply = connection.getresponse()
                reply.read()
                self.answered.append(reply.status)
            except (OSError, http.client.HTTPException) as fault:
                self.lost.append(type(fault).__name__)
        connection.close()


def test_nothing_is_lost_when_it_ends_under_load(tmp_path: Path) -> None:
    """SIGTERM under a hundred calls a second: not ready at once, every call answered, status 0 within ten seconds."""
    server = LiveServer(
        tmp_path / "server.log",
        {"CDS_STATE_FOLDER": str(tmp_path / "state"), "CDS_DRAIN_SECONDS": "3", "WORKERS": "2"},
    )
    load = Load(server)
    time.sleep(2)
    began = time.monotonic()
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.2)
    ready = get(server, "/health/ready")
    assert (ready.status, json.loads(ready.body)["failing"]) == (503, ["draining"])
    assert ready.connection == "close"
    assert get(server, "/health/live").status == 200
    load.end()
    assert server.stop() == 0
    assert time.monotonic() - began < 10
    assert load.lost == []
    assert set(load.answered) <= {200, 503}
    assert load.answered.count(200) > PER_SECOND
    with closing(sqlite3.connect(tmp_path / "state" / "store.sqlite3")) as connection:
        (records,) = connection.execute(
            "SELECT count(*) FROM audit_record WHERE kind = 'decision'"
        ).fetchone()
    assert records >= load.answered.count(200)


def test_the_folder_of_the_workers_is_gone_afterwards(tmp_path: Path) -> None:
    """What `serve` makes for its workers lives as long as they do."""
    (tmp_path / "temporary").mkdir()
    changes = {"CDS_STATE_FOLDER": str(tmp_path / "state"), "TMPDIR": str(tmp_path / "temporary")}
    server = LiveServer(tmp_path / "server.log", changes)
    assert len([*(tmp_path / "temporary").glob("cds-service-*")]) == 1
    assert server.stop() == 0
    assert [*(tmp_path / "temporary").iterdir()] == []


def test_a_second_signal_stops_at_once(tmp_path: Path) -> None:
    """Whoever cannot wait asks twice."""
    server = LiveServer(
        tmp_path / "server.log", {"CDS_STATE_FOLDER": str(tmp_path / "state"), "CDS_DRAIN_SECONDS": "60"}
    )
    server.process.send_signal(signal.SIGTERM)
    time.sleep(0.3)
    began = time.monotonic()
    assert server.stop() == 0
    assert time.monotonic() - began < 6


@pytest.mark.parametrize(
    ("fault", "failing"),
    [("UPDATE alembic_version SET version_num = 'x'", "store-schema"), ("BEGIN EXCLUSIVE", "store-writes")],
)
def test_readiness_names_what_is_missing(tmp_path: Path, fault: str, failing: str) -> None:
    """Another state of the tables, or a store that takes no writes: 503 with the name, 200 once it is well again."""
    file = tmp_path / "store.sqlite3"
    database = Database(f"sqlite:///{file}")
    migrate(database)
    database.close()
    client = create_app(Settings(state_folder=tmp_path)).test_client()
    assert client.get("/health/ready").status_code == 200
    with closing(sqlite3.connect(file)) as other:
        (before,) = other.execute("SELECT version_num FROM alembic_version").fetchone()
        other.isolation_level = None
        other.execute(fault)
        reply = client.get("/health/ready")
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
        assert reply.get_json() == {"status": "not-ready", "failing": [failing]}
        assert client.get("/health/live").status_code == 200
        if other.in_transaction:
            other.execute("ROLLBACK")
        other.execute("UPDATE alembic_version SET version_num = ?", (before,))
    assert client.get("/health/ready").status_code == 200


def test_others_add_their_checks(tmp_path: Path) -> None:
    """Readiness takes further conditions by name."""
    app = create_app(Settings(state_folder=tmp_path))
    app.extensions["calls"].lifecycle.add("keys-of-clients", lambda: False)
    assert app.test_client().get("/health/ready").get_json()["failing"] == ["keys-of-clients"]


def waiting_for(gate: threading.Event) -> Write:
    """Return what holds the writer up until the gate opens."""

    def wait(_connection: Connection) -> None:
        gate.wait(WITHIN_S)

    return wait


def test_a_store_that_is_busy_is_ready(tmp_path: Path) -> None:
    """What waits before the probe is committed piece by piece: calls wait, but none has to go elsewhere."""
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path / "secret.key", may_make=True)
    first, second = threading.Event(), threading.Event()
    store.writer.submit(waiting_for(first))
    time.sleep(0.1)
    store.writer.submit(waiting_for(second))
    threading.Timer(0.3, first.set).start()
    assert store_checks(store)["store-writes"]()
    second.set()
    store.close()


def test_a_store_that_commits_nothing_is_not_ready(tmp_path: Path) -> None:
    """One write that does not end is not progress."""
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path / "secret.key", may_make=True)
    ends = threading.Event()
    store.writer.submit(waiting_for(ends))
    began = time.monotonic()
    assert not store_checks(store)["store-writes"]()
    assert time.monotonic() - began < 3
    ends.set()
    store.close()


def test_the_probe_leaves_nothing_behind(tmp_path: Path) -> None:
    """It writes for sure: a store whose table refuses rows is not ready. And it takes its row away again."""
    store = open_store(f"sqlite:///{tmp_path / 'store.sqlite3'}", tmp_path / "secret.key", may_make=True)
    check = store_checks(store)["store-writes"]
    assert check()
    with store.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(seen_token)).scalar() == 0
    with store.database.durable() as connection:
        connection.exec_driver_sql(
            "CREATE TRIGGER full BEFORE INSERT ON seen_token BEGIN SELECT RAISE(ABORT, 'full'); END"
        )
    with pytest.raises(StoreUnavailableError):
        check()
    store.close()
