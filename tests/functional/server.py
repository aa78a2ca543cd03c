"""Starts `cds-service serve` on a free loopback port and stops it again; it never leaves a process behind."""

from __future__ import annotations

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path

import pytest

COMMAND = str(Path(sys.executable).with_name("cds-service"))
READY_WITHIN_S = 30.0
STOPS_WITHIN_S = 20.0
_OURS = ("HOST", "PORT", "WORKERS", "DATABASE_URL", "FLASK_DEBUG")


def clean_environment(changes: Mapping[str, str] | None = None) -> dict[str, str]:
    """Return the environment of this process without settings of the service, then with `changes`."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith("CDS_") and name not in _OURS
    }
    return {**kept, **(changes or {})}


def free_port() -> int:
    """Return a loopback port that nobody listens on at this moment."""
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


class LiveServer:
    """One running service; `log` holds all that it printed."""

    def __init__(
        self, log: Path, changes: Mapping[str, str] | None = None, *, by_options: bool = False
    ) -> None:
        """Start the process with the environment `changes` and wait until it is ready.

        The address is given in the environment, or by options that overrule it.
        """
        self.port = free_port()
        self.log = log
        address = {"HOST": "127.0.0.1", "PORT": "1" if by_options else str(self.port)}
        options = ["--host", "127.0.0.1", "--port", str(self.port)] if by_options else []
        with log.open("wb") as sink:
            self.process = subprocess.Popen(
                [COMMAND, "serve", *options],
                env=clean_environment({**address, **(changes or {})}),
                stdout=sink,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.wait_until_ready()

    @property
    def printed(self) -> str:
        """All that the service has printed so far."""
        return self.log.read_text(encoding="utf-8", errors="replace")

    def connection(self) -> http.client.HTTPConnection:
        """Return a new connection; the caller closes it."""
        return http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)

    def stop(self) -> int:
        """Ask the process to end (SIGTERM) and return its exit status; fails the test when it stays."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        try:
            return self.process.wait(STOPS_WITHIN_S)
        except subprocess.TimeoutExpired:
            self.kill()
            pytest.fail(f"the service did not stop within {STOPS_WITHIN_S} s\n{self.printed}", pytrace=False)

    def kill(self) -> None:
        """End the service with all its processes at once, as a power cut would (SIGKILL)."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def kill_a_worker(self) -> None:
        """End one process that answers calls (SIGKILL); the service starts another in its place."""
        os.kill(self.workers[0], signal.SIGKILL)

    @property
    def workers(self) -> list[int]:
        """The ids of the processes that the service has started."""
        command = [shutil.which("ps") or "ps", "-A", "-o", "pid=,ppid="]
        listed = subprocess.run(command, capture_output=True, text=True, check=True)
        pairs = [tuple(map(int, line.split())) for line in listed.stdout.splitlines()]
        return [pid for pid, parent in pairs if parent == self.process.pid]

    def wait_until_ready(self) -> None:
        """Wait until a worker answers; fails the test when none does."""
        deadline = time.monotonic() + READY_WITHIN_S
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                break
            if self._is_ready():
                return
            time.sleep(0.05)
        else:
            self.kill()
        status = self.process.returncode
        pytest.fail(f"the service did not start (exit {status}); it printed:\n{self.printed}", pytrace=False)

    def _is_ready(self) -> bool:
        connection = self.connection()
        try:
            connection.request("GET", "/health/ready")
            return connection.getresponse().status == http.HTTPStatus.OK
        except OSError:
            return False
        finally:
            connection.close()
