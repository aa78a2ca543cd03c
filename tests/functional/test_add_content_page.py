"""The worked example of docs/add-content.md, done as the page says: its files, its fault and its patient."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from cds_service.app import create_app
from cds_service.replay.expectations import differences
from cds_service.settings import Settings
from tests.functional.commands import run
from tests.support.case_files import DEFAULT_AS_OF, DEFAULT_HOOK
from tests.support.documented import files
from tests.support.json_text import to_json
from tests.support.overlays import write_overlay
from tests.support.patients import hook_request
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "add-content.md").read_text("utf-8")
LAB = "my-content/labs/ferritin.yaml"
CASE = "tests/cases/X01.yaml"


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """Return a folder with the files that the page has a reader write."""
    return write_overlay(tmp_path, files())


def test_the_page_holds_its_files() -> None:
    """A lab and a cause beside the shipped content, and a patient."""
    assert set(files()) == {LAB, "my-content/causes/low-iron-stores.yaml", CASE}


def test_what_check_says_is_what_the_page_shows(checkout: Path) -> None:
    """Line by line, without an error."""
    said = run("check", "--overlay", checkout / "my-content")
    assert said.status == 0
    shown = PAGE.partition("site overlay my-content")[2].partition("```")[0].strip().splitlines()
    assert len(shown) == 4
    assert [line for line in shown[1:] if line not in said.out.splitlines()] == []


def test_the_wrong_example_is_refused_as_the_page_shows(checkout: Path) -> None:
    """The fault of the page comes from the change that the page tells, at the line that it names."""
    right = "expect: {unknown: [ferritin-marked-low, ferritin-low]}"
    lab = checkout / LAB
    text = lab.read_text("utf-8")
    assert text.count(right) == 1
    lab.write_text(text.replace(right, "expect: {absent: [ferritin-marked-low]}"), "utf-8")
    said = run("check", "--overlay", checkout / "my-content")
    assert said.status != 0
    (fault,) = (line for line in PAGE.splitlines() if line.startswith(f"{LAB}:"))
    assert fault.removeprefix("my-content/") in said.out + said.err


def test_the_card_says_what_the_page_tells(checkout: Path) -> None:
    """The summary stands on the page, and without the two files there is no such cause."""
    asked = ("replay", "--record", "cramp", "--as-of", "2026-06-15")
    patient = ROOT / "docs" / "examples" / "cramp-with-ferritin.json"
    with_files = run(*asked, "--overlay", checkout / "my-content", patient)
    summary = "Low iron stores (ferritin 9 ng/mL, 10 Jun 2026) could explain the cramps"
    assert summary in with_files.out
    assert f"*{summary}*" in PAGE
    assert "Low iron stores" not in run(*asked, patient).out


def test_the_patient_of_the_page_is_answered_as_it_expects(checkout: Path) -> None:
    """Its expectation holds with the new content, and not with the shipped one."""
    case: dict[str, Any] = yaml.safe_load((checkout / CASE).read_text("utf-8"))
    case = {"as_of": DEFAULT_AS_OF, "hook": DEFAULT_HOOK, **case}
    found = {}
    for name, overlay in (("with", checkout / "my-content"), ("without", None)):
        client = create_app(Settings(cards_overlay=overlay)).test_client()
        body = to_json(hook_request(case))
        answer = client.post("/cds-services/muscle-spasm-problem", data=body, content_type="application/json")
        found[name] = [line.partition(":")[0] for line in differences(case["expect"], answer.get_json())]
    assert found == {"with": [], "without": ["standings", "text"]}
