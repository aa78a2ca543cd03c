"""Every command that the documentation shows does what a reader expects: it ends well."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.functional.server import COMMAND, LiveServer, clean_environment
from tests.support.documented import Command, commands, not_run, pages, reason_not_to_run
from tests.support.places import ROOT

RUN = [command for command in commands() if reason_not_to_run(command) is None]
ADDRESS = "http://127.0.0.1:8000"
FENCE = "```"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder that looks like the checkout, in which a command may write without changing it."""
    folder = tmp_path_factory.mktemp("checkout")
    for entry in ROOT.iterdir():
        if entry.name not in {".git", "build"}:
            (folder / entry.name).symlink_to(entry)
    return folder


def as_run(command: Command, server: LiveServer) -> str:
    """Return a command as it is run here: with this environment's program, against a server of this test."""
    text = command.text.replace(ADDRESS, f"http://127.0.0.1:{server.port}")
    return text.replace(".venv/bin/cds-service", "cds-service")


@pytest.mark.parametrize("command", RUN, ids=[f"{one.page}: {one.text[:60]}" for one in RUN])
def test_a_documented_command_ends_well(command: Command, checkout: Path, live_server: LiveServer) -> None:
    """The command runs as it is shown, in the folder of the checkout, and ends with status 0."""
    if command.text.startswith("curl") and shutil.which("curl") is None:
        pytest.skip("needs curl")
    path = f"{Path(COMMAND).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["/bin/bash", "-euo", "pipefail", "-c", as_run(command, live_server)],
        cwd=checkout,
        env=clean_environment({"PATH": path, "NO_COLOR": "1"}),
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, f"{command.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr


def test_the_list_of_commands_that_are_not_run_is_needed() -> None:
    """Each exception is still shown somewhere, and has its reason."""
    shown = list(commands())
    for start, reason in not_run().items():
        assert any(one.text.startswith(start) for one in shown), start
        assert reason.strip()


def test_commands_stand_in_blocks_that_are_found() -> None:
    """A block without a language could hide a command from these tests: each one says what it holds."""
    for page in pages():
        if page.name in {"clinical-review.md", "trace.md", "conformance.md"}:
            continue
        fences = [line for line in page.read_text("utf-8").splitlines() if line.startswith(FENCE)]
        assert len(fences) % 2 == 0, page.name
        assert [line for line in fences[::2] if line == FENCE] == [], page.name
