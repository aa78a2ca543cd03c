"""Every command that the documentation shows does what a reader expects: it ends as the page says."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.functional.server import COMMAND, LiveServer, clean_environment
from tests.support.documented import Command, commands, ends_with, files, not_run, pages
from tests.support.overlays import PHOSPHATE, POTASSIUM, write_overlay
from tests.support.places import ROOT, SAMPLES

RUN = [command for command in commands() if command.is_run]
ADDRESS = "http://127.0.0.1:8000"
FENCE = "```"


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder like a reader's checkout, with the files that the pages have a reader write."""
    folder = tmp_path_factory.mktemp("checkout")
    for entry in ROOT.iterdir():
        if entry.name not in {".git", "build"}:
            (folder / entry.name).symlink_to(entry)
    write_overlay(folder / "site", {"labs/phosphate.yaml": PHOSPHATE, "labs/potassium.yaml": POTASSIUM})
    write_overlay(folder, {name: text for name, text in files().items() if name.startswith("my-content/")})
    bundle = SAMPLES / "twitch-after-marathon" / "bundle.json"
    shutil.copy(bundle, folder / "my-bundle.json")
    (folder / "my-patients").mkdir()
    shutil.copy(bundle, folder / "my-patients" / "one.json")
    return folder


def as_run(command: Command, server: LiveServer) -> str:
    """Return a command as it is run here: with this environment's program, against a server of this test."""
    text = command.text.replace(ADDRESS, f"http://127.0.0.1:{server.port}")
    return text.replace(".venv/bin/cds-service", "cds-service")


@pytest.mark.parametrize("command", RUN, ids=[f"{one.page}: {one.text[:60]}" for one in RUN])
def test_a_documented_command_ends_as_it_should(
    command: Command, checkout: Path, live_server: LiveServer
) -> None:
    """The command runs as it is shown, in the folder of the checkout, and ends with its status, which is mostly 0."""
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
    assert done.returncode == command.status, f"{command.text}\n{done.stdout[-2000:]}\n{done.stderr[-2000:]}"
    assert "Traceback" not in done.stderr


def test_most_commands_are_run() -> None:
    """There are commands, and those that no test runs are the fewer."""
    assert len(RUN) > len([*commands()]) / 2


def test_the_list_of_exceptions_is_needed() -> None:
    """Each exception is still shown somewhere and has its reason; what ends otherwise is run."""
    shown = list(commands())
    reasons = not_run() | {start: one["because"] for start, one in ends_with().items()}
    for start, reason in reasons.items():
        assert any(one.bare.startswith(start) for one in shown), start
        assert reason.strip()
    for start in ends_with():
        assert any(one.bare.startswith(start) for one in RUN), start


def test_commands_stand_in_blocks_that_are_found() -> None:
    """A block without a language could hide a command from these tests: each one says what it holds."""
    for page in pages():
        if page.name in {"clinical-review.md", "trace.md", "conformance.md"}:
            continue
        fences = [line for line in page.read_text("utf-8").splitlines() if line.startswith(FENCE)]
        assert len(fences) % 2 == 0, page.name
        assert [line for line in fences[::2] if line == FENCE] == [], page.name
