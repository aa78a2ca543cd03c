"""Rules for every test: no network beyond loopback, none at all in `tests/unit`, no silent skip where it is forbidden.

Holds no sample records and no clinical words. The guard works inside the test process; a server that a test
starts as a process of its own is outside it.
"""

from __future__ import annotations

import ipaddress
import os
import shutil
import socket
import tempfile
from collections.abc import Callable
from multiprocessing import util as processes
from pathlib import Path
from typing import Any, NoReturn

import hypothesis
import pytest

UNIT_TESTS = Path(__file__).parent / "unit"
REQUIRE_VARIABLE = "CDS_TESTS_REQUIRE"
AT_THE_START = dict(os.environ)
"""What was set when the run began: a test that changes the environment changes nothing of what must run."""
NEEDS: dict[str, tuple[str, Callable[[], bool]]] = {
    "browser": ("chromium on the PATH", lambda: shutil.which("chromium") is not None),
    "postgres": ("CDS_TEST_POSTGRES_URL", lambda: bool(AT_THE_START.get("CDS_TEST_POSTGRES_URL"))),
}

os.environ["XDG_CACHE_HOME"] = tempfile.mkdtemp(prefix="cds-tests-")
"""Content is proven once for all tests of a run, in a place of its own, which goes when the run ends."""
os.environ["XDG_STATE_HOME"] = tempfile.mkdtemp(prefix="cds-tests-")
"""So is what the service keeps: no test touches the store of whoever runs it."""
OF_THIS_RUN = tuple(os.environ[name] for name in ("XDG_CACHE_HOME", "XDG_STATE_HOME"))
AFTER_THE_AUDIT = -100
"""The app closes its audit when the process ends, with a priority above 0: a store that is gone by then is a fault."""
os.environ.pop("DATABASE_URL", None)

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, database=None)
hypothesis.settings.load_profile("house")


def is_loopback(host: object) -> bool:
    """Whether `host`, a name or an address, is this machine; no host at all counts as such."""
    if host is None or host in ("", "localhost", b"localhost"):
        return True
    try:
        return ipaddress.ip_address(_text(host)).is_loopback
    except ValueError:
        return False


def _text(host: object) -> str:
    return host.decode() if isinstance(host, bytes) else str(host)


def _is_address(host: object) -> bool:
    try:
        ipaddress.ip_address(_text(host))
    except ValueError:
        return False
    return True


def _refuse(what: str) -> NoReturn:
    pytest.fail(f"a test may not use the network: {what}", pytrace=False)


def _bar_outside_network(patch: pytest.MonkeyPatch) -> None:
    connect, connect_ex, getaddrinfo = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo

    def check(end: socket.socket, address: Any) -> None:
        if end.family in (socket.AF_INET, socket.AF_INET6) and not is_loopback(address[0]):
            _refuse(f"connecting to {address[0]}")

    def guarded_connect(end: socket.socket, address: Any) -> None:
        check(end, address)
        connect(end, address)

    def guarded_connect_ex(end: socket.socket, address: Any) -> int:
        check(end, address)
        return connect_ex(end, address)

    def guarded_getaddrinfo(host: Any, *rest: Any, **named: Any) -> Any:
        if not is_loopback(host) and not _is_address(host):
            _refuse(f"looking up {_text(host)}")
        return getaddrinfo(host, *rest, **named)

    patch.setattr(socket.socket, "connect", guarded_connect)
    patch.setattr(socket.socket, "connect_ex", guarded_connect_ex)
    patch.setattr(socket, "getaddrinfo", guarded_getaddrinfo)


def pytest_configure(config: pytest.Config) -> None:
    """Bar the network before the first test module is imported, and refuse a misspelled requirement."""
    unknown = required() - set(NEEDS)
    if unknown:
        raise pytest.UsageError(f"{REQUIRE_VARIABLE} names {sorted(unknown)}; known are {sorted(NEEDS)}")
    patch = pytest.MonkeyPatch()
    _bar_outside_network(patch)
    config.add_cleanup(patch.undo)
    processes.Finalize(None, _take_away, exitpriority=AFTER_THE_AUDIT)


def _take_away() -> None:
    """Take the proven content and the store of this run away."""
    for folder in OF_THIS_RUN:
        shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def _no_sockets_in_unit_tests(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    if not request.path.is_relative_to(UNIT_TESTS):
        return

    def refuse(_end: socket.socket, address: Any) -> NoReturn:
        _refuse(f"a unit test connects to {address}")

    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setattr(socket.socket, "connect_ex", refuse)


def required() -> set[str]:
    """Return the markers whose tests must run here and may not be skipped."""
    return {name.strip() for name in AT_THE_START.get(REQUIRE_VARIABLE, "").split(",") if name.strip()}


def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip a test whose needs are not met, or fail it where `CDS_TESTS_REQUIRE` names its marker."""
    for marker, (need, is_met) in NEEDS.items():
        if item.get_closest_marker(marker) is None or is_met():
            continue
        if marker in required():
            pytest.fail(f"needs {need}, and {REQUIRE_VARIABLE} forbids to skip it", pytrace=False)
        pytest.skip(f"needs {need}")
