"""The examples of `docs/replay.md` do what the page says; those that name somebody else's server are not run."""

from __future__ import annotations

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml

from cds_service.replay.expectation_files import read_expectation
from tests.functional.commands import run
from tests.functional.test_replay_expectations import PHOSPHATE
from tests.support.overlays import write_overlay
from tests.support.places import ROOT, SAMPLES

PAGE = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
STATUSES = {"--compare": 1}
COMMANDS = [
    line for line in re.findall(r"^cds-service (replay .+)$", PAGE, re.MULTILINE) if "example.org" not in line
]


@pytest.mark.parametrize("command", COMMANDS)
def test_an_example_of_the_page_runs(command: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each command ends as the page says, on the samples, an overlay and a folder of a reader's own."""
    shutil.copytree(SAMPLES, tmp_path / "fhir_samples")
    write_overlay(tmp_path / "site", {"labs/phosphate.yaml": PHOSPHATE})
    (tmp_path / "my-patients").mkdir()
    shutil.copy(SAMPLES / "twitch-after-marathon" / "bundle.json", tmp_path / "my-patients" / "one.json")
    monkeypatch.chdir(tmp_path)
    outcome = run(*shlex.split(command))
    expected = next((status for option, status in STATUSES.items() if option in command), 0)
    assert outcome.status == expected, outcome.err


def test_the_expectation_of_the_page_can_be_read(tmp_path: Path) -> None:
    """The YAML that the page shows passes the schema and the checks of an expectation."""
    (text,) = re.findall(r"```yaml\n(.+?)```", PAGE, re.DOTALL)
    path = tmp_path / "x.expected.yaml"
    path.write_text(text, encoding="utf-8")
    expectation = read_expectation(path)
    assert expectation is not None
    assert expectation.expect == yaml.safe_load(text)["expect"]
