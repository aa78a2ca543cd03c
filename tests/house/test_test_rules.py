"""The guards of `tests/conftest.py` do what they say; opens no connection that they would let out."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
OUTSIDE = ("192.0.2.1", 443)  # TEST-NET-1 (RFC 5737): never a real host


@pytest.fixture
def loopback_server() -> socket.socket:
    """Return a socket that listens on this machine."""
    return socket.create_server(("127.0.0.1", 0))


@pytest.mark.parametrize(
    "reach_out",
    [
        lambda end: end.connect(OUTSIDE),
        lambda end: end.connect_ex(OUTSIDE),
        lambda _end: socket.getaddrinfo("example.org", 443),
    ],
    ids=["connect", "connect_ex", "look-up"],
)
def test_the_network_is_barred(reach_out: Callable[[socket.socket], object]) -> None:
    """Reaching beyond this machine fails the test, and does so past any `except Exception`."""
    with (
        socket.socket() as end,
        pytest.raises(pytest.fail.Exception, match="may not use the network") as failure,
    ):
        reach_out(end)
    assert not isinstance(failure.value, Exception)


def test_loopback_is_open(loopback_server: socket.socket) -> None:
    """A functional test may talk to a server that it started here."""
    with loopback_server, socket.create_connection(loopback_server.getsockname(), timeout=5) as client:
        assert client.getpeername() == loopback_server.getsockname()


def outcome_of(folder: Path, test: str, **variables: str) -> subprocess.CompletedProcess[str]:
    """Run one test in a repository of its own that has our configuration and our conftest."""
    shutil.copy(ROOT / "pyproject.toml", folder)
    for name in ("unit", "functional"):
        (folder / "tests" / name).mkdir(parents=True)
    shutil.copy(ROOT / "tests" / "conftest.py", folder / "tests")
    where, _, source = test.partition(":")
    (folder / "tests" / where / "test_planted.py").write_text(source, "utf-8")
    environment = {name: value for name, value in os.environ.items() if not name.startswith("CDS_TEST")}
    environment |= {"PATH": str(folder), **variables}
    command = [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"]
    return subprocess.run(command, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def marked(marker: str) -> str:
    """Return a passing functional test that carries `marker`."""
    return f"functional:import pytest\n\n@pytest.mark.{marker}\ndef test_planted():\n    pass\n"


@pytest.mark.parametrize("marker", ["browser", "postgres"])
def test_a_test_whose_needs_are_missing_is_skipped(marker: str, tmp_path: Path) -> None:
    """On a bare machine such a test is skipped, and the summary says what it needs."""
    outcome = outcome_of(tmp_path, marked(marker))
    assert outcome.returncode == 0, outcome.stdout
    assert "1 skipped" in outcome.stdout
    assert "needs " in outcome.stdout


@pytest.mark.parametrize("marker", ["browser", "postgres"])
def test_a_required_test_may_not_be_skipped(marker: str, tmp_path: Path) -> None:
    """Where the marker is required, the same absence fails the run."""
    outcome = outcome_of(tmp_path, marked(marker), CDS_TESTS_REQUIRE="browser,postgres")
    assert outcome.returncode == 1, outcome.stdout
    assert "forbids to skip it" in outcome.stdout


def test_a_test_whose_needs_are_met_runs(tmp_path: Path) -> None:
    """A test is not skipped where its need is met."""
    outcome = outcome_of(tmp_path, marked("postgres"), CDS_TEST_POSTGRES_URL="postgresql://127.0.0.1/none")
    assert outcome.returncode == 0, outcome.stdout
    assert "1 passed" in outcome.stdout


def test_an_unknown_requirement_is_refused(tmp_path: Path) -> None:
    """A misspelled requirement does not quietly require nothing."""
    outcome = outcome_of(tmp_path, marked("postgres"), CDS_TESTS_REQUIRE="postgresql")
    assert outcome.returncode == pytest.ExitCode.USAGE_ERROR
    assert "postgresql" in outcome.stderr


CONNECT_HERE = (
    "import socket\n\n"
    "def test_planted():\n"
    "    with socket.create_server(('127.0.0.1', 0)) as server:\n"
    "        socket.create_connection(server.getsockname(), timeout=5).close()\n"
)


@pytest.mark.parametrize(("where", "status"), [("unit", 1), ("functional", 0)])
def test_unit_tests_may_not_even_use_loopback(where: str, status: int, tmp_path: Path) -> None:
    """A unit test that opens a connection fails, where a functional test passes."""
    outcome = outcome_of(tmp_path, f"{where}:{CONNECT_HERE}")
    assert outcome.returncode == status, outcome.stdout


LOOKS_AT_THE_END = (
    "import os\n"
    "from multiprocessing import util\n"
    "from pathlib import Path\n\n"
    "def look(folders):\n"
    "    print('at the end', *(folder.is_dir() for folder in folders), *folders)\n\n"
    "def test_planted():\n"
    "    folders = [Path(os.environ[name]) for name in ('XDG_CACHE_HOME', 'XDG_STATE_HOME')]\n"
    "    util.Finalize(None, look, (folders,), exitpriority=0)\n"
)


def test_the_folders_of_a_run_outlive_what_ends_with_the_process(tmp_path: Path) -> None:
    """The app closes its audit when the process ends: its store is still there then, and gone afterwards."""
    outcome = outcome_of(tmp_path, f"unit:{LOOKS_AT_THE_END}")
    told = outcome.stdout.partition("at the end True True ")[2].split()
    assert len(told) == 2, outcome.stdout
    assert not [folder for folder in told if Path(folder).exists()]
