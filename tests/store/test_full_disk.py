"""A running service whose disk takes nothing more: it refuses, loses nothing, and goes on once there is room again.

A limit on the size of files stands for the full disk: every write of the service fails, as it does without room.
"""

from __future__ import annotations

import http
import json
import os
import resource
import sqlite3
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from cds_service.store.keys import make_secret
from cds_service.web.metric_files import has_room
from tests.functional.server import LiveServer
from tests.store.serving import FEEDBACK, HOOK, STORY, Reply, post
from tests.support.feedback import message, overridden

WITHIN_S = 10.0
UNLIMITED = (resource.RLIM_INFINITY, resource.RLIM_INFINITY)
BLOCK = 512
ROOM_FOR_A_LOG = 256 << 10


@pytest.fixture
def server(tmp_path: Path) -> Iterator[LiveServer]:
    """Return a service of two workers that must record what it answers."""
    changes = {"CDS_STATE_FOLDER": str(tmp_path / "s"), "CDS_AUDIT_REQUIRED": "true", "WORKERS": "2"}
    server = LiveServer(tmp_path / "server.log", changes)
    yield server
    assert server.stop() == 0


def run_without_room(code: str, *arguments: Path) -> subprocess.CompletedProcess[str]:
    """Run code in a process that can write nothing into a file. The tests' own output may go to one."""
    limit = "import resource; resource.setrlimit(resource.RLIMIT_FSIZE, (0, resource.RLIM_INFINITY))"
    return subprocess.run(
        [sys.executable, "-c", f"{limit}\n{code}", *map(str, arguments)],
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )


def set_full(server: LiveServer, *, is_full: bool) -> None:
    """Let the processes of a service write nothing, or all they want."""
    for pid in (server.process.pid, *server.workers):
        resource.prlimit(pid, resource.RLIMIT_FSIZE, (0, UNLIMITED[1]) if is_full else UNLIMITED)


def readiness(server: LiveServer) -> tuple[int, Any]:
    """Return status and body."""
    connection = server.connection()
    try:
        connection.request("GET", "/health/ready")
        reply = connection.getresponse()
        return reply.status, json.loads(reply.read())
    finally:
        connection.close()


def is_refused(reply: Reply) -> bool:
    """Whether a reply asks to come again."""
    return (reply.status, reply.headers.get("retry-after")) == (http.HTTPStatus.SERVICE_UNAVAILABLE, "1")


def test_a_full_disk_refuses_and_is_not_ready_until_there_is_room(server: LiveServer, tmp_path: Path) -> None:
    """Calls get 503 with Retry-After and no worker ends; with room the same feedback is stored, once."""
    workers = server.workers
    set_full(server, is_full=True)
    bodies = [message(overridden(str(uuid.uuid4()))) for _ in range(20)]
    assert all(is_refused(post(server, FEEDBACK, body)) for body in bodies)
    assert all(is_refused(post(server, HOOK, STORY)) for _ in range(20))
    assert readiness(server) == (503, {"status": "not-ready", "failing": ["store-writes"]})
    assert server.workers == workers
    set_full(server, is_full=False)
    deadline = time.monotonic() + WITHIN_S
    while readiness(server)[0] != http.HTTPStatus.OK and time.monotonic() < deadline:
        time.sleep(0.1)
    assert [post(server, FEEDBACK, body).status for body in bodies] == [200] * len(bodies)
    assert post(server, HOOK, STORY).status == http.HTTPStatus.OK
    assert server.workers == workers
    with closing(sqlite3.connect(tmp_path / "s" / "store.sqlite3")) as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (len(bodies),)


def test_a_worker_that_starts_without_room_for_its_metrics_serves(server: LiveServer) -> None:
    """The end of a worker meanwhile costs a worker, not the service: the next one counts in its memory."""
    resource.prlimit(server.process.pid, resource.RLIMIT_FSIZE, (ROOM_FOR_A_LOG, UNLIMITED[1]))
    server.kill_a_worker()
    deadline = time.monotonic() + WITHIN_S
    while "counts for itself" not in server.printed and time.monotonic() < deadline:
        time.sleep(0.1)
    assert "counts for itself" in server.printed
    server.wait_until_ready()
    assert [post(server, HOOK, STORY).status for _ in range(20)] == [http.HTTPStatus.OK] * 20


def test_the_files_of_the_metrics_have_their_room_from_the_start(server: LiveServer) -> None:
    """No page of them is a hole, which a full disk would turn into the end of the process."""
    (folder,) = {Path(text) for text in _run_folders(server)}
    files = [*(folder / "metrics").glob("*.db")]
    assert {file.stem.rpartition("_")[0] for file in files} == {
        "counter",
        "histogram",
        "gauge_livesum",
        "gauge_livemax",
    }
    assert all(file.stat().st_blocks * BLOCK >= file.stat().st_size for file in files)


def _run_folders(server: LiveServer) -> Iterator[str]:
    for pid in server.workers:
        for line in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8").splitlines():
            if "/metrics/counter_" in line:
                yield line.split(maxsplit=5)[5].partition("/metrics/")[0]


def test_without_room_no_file_of_the_metrics_is_left(tmp_path: Path) -> None:
    """What was made in part is taken away, and the log says that this process counts for itself."""
    code = (
        "import sys\nfrom pathlib import Path\nfrom cds_service.web.metric_files import has_room\n"
        "print(has_room(Path(sys.argv[1])))"
    )
    told = run_without_room(code, tmp_path)
    assert told.stdout == "False\n"
    assert "counts for itself" in told.stderr
    assert [*tmp_path.iterdir()] == []


def test_files_of_the_metrics_that_are_there_stay(tmp_path: Path) -> None:
    """A process with the id of one that ended goes on with its figures."""
    file = tmp_path / f"counter_{os.getpid()}.db"
    file.write_bytes(b"figures")
    assert has_room(tmp_path)
    assert file.read_bytes() == b"figures"


def test_a_secret_that_is_there_needs_no_room(tmp_path: Path) -> None:
    """A start beside it writes nothing."""
    secret = tmp_path / "secret.key"
    make_secret(secret)
    written = secret.read_bytes()
    code = (
        "import sys\nfrom pathlib import Path\nfrom cds_service.store.keys import make_secret\n"
        "make_secret(Path(sys.argv[1]))"
    )
    tmp_path.chmod(0o500)
    try:
        run_without_room(code, secret)
    finally:
        tmp_path.chmod(0o700)
    assert secret.read_bytes() == written
