"""The expectation that `docs/replay.md` shows is one; its commands are run with those of all other pages."""

from __future__ import annotations

import re
from pathlib import Path

import yaml

from cds_service.replay.expectation_files import read_expectation
from tests.support.places import ROOT


def test_the_expectation_of_the_page_can_be_read(tmp_path: Path) -> None:
    """The YAML that the page shows passes the schema and the checks of an expectation."""
    page = (ROOT / "docs" / "replay.md").read_text(encoding="utf-8")
    (text,) = re.findall(r"```yaml\n(.+?)```", page, re.DOTALL)
    path = tmp_path / "x.expected.yaml"
    path.write_text(text, encoding="utf-8")
    expectation = read_expectation(path)
    assert expectation is not None
    assert expectation.expect == yaml.safe_load(text)["expect"]
