"""`cds-service doctor`: every setting, every check, no secret, and an exit status that says whether all is well."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from cds_service.cli.doctor_settings import MEANINGS
from cds_service.settings import Settings, variable_of
from tests.functional.commands import run
from tests.support.places import ROOT
from tests.support.production import production_environment


def diagnosis(changes: dict[str, str]) -> tuple[int, dict[str, Any]]:
    """Return exit status and findings."""
    outcome = run("doctor", "--json", changes=changes)
    found: dict[str, Any] = json.loads(outcome.out)
    return outcome.status, found


def states(found: dict[str, Any]) -> dict[str, str]:
    """Return the state of each check."""
    return {one["check"]: one["state"] for one in found["checks"]}


def test_every_setting_has_a_meaning_and_is_in_the_manual() -> None:
    """Fields, meanings and the table of `docs/operations.md` name the same settings."""
    fields = set(Settings.model_fields)
    assert set(MEANINGS) == fields
    manual = (ROOT / "docs" / "operations.md").read_text("utf-8")
    documented = set(re.findall(r"^\| `([A-Z0-9_]+)`", manual, re.MULTILINE))
    assert documented == {variable_of(field) for field in fields}


def test_a_fresh_machine_is_well(tmp_path: Path) -> None:
    """Without any setting: nothing is missing, it says what production would refuse, and it makes nothing."""
    status, found = diagnosis({"CDS_STATE_FOLDER": str(tmp_path / "state")})
    assert (status, found["healthy"]) == (0, True)
    assert states(found)["store"] == "note"
    told = [one["text"] for one in found["checks"] if one["check"] == "mode"]
    assert any("CDS_PUBLIC_BASE_URL must be an https address" in text for text in told)
    assert not (tmp_path / "state").exists()


def test_production_in_order_is_well(tmp_path: Path) -> None:
    """Every check of a complete installation is ok, and what is off is said to be."""
    status, found = diagnosis({**production_environment(tmp_path), "CDS_STATE_FOLDER": str(tmp_path)})
    assert status == 0, found
    seen = states(found)
    for check in (
        "mode",
        "content",
        "secret",
        "store",
        "store durability",
        "audit",
        "audit required",
        "limits",
    ):
        assert seen[check] == "ok"
    assert [state for check, state in seen.items() if check.startswith("client ")] == ["ok"]
    for check in ("metrics", "audit checkpoints", "rate limit"):
        assert seen[check] == "off"


@pytest.mark.parametrize(
    ("changes", "check"),
    [
        ({"CDS_SECRET_KEY_FILE": "/nowhere/secret"}, "secret"),
        ({"DATABASE_URL": "mysql://u:hidden-word@h/d"}, "store"),
        ({"CDS_CARDS_FOLDER": "/nowhere"}, "content"),
        ({"CDS_CLIENTS": "/nowhere.yaml"}, "clients"),
        ({"CDS_MODE": "production"}, "settings"),
        ({"PORT": "no port"}, "settings"),
    ],
)
def test_a_fault_ends_with_1_and_names_the_check(changes: dict[str, str], check: str, tmp_path: Path) -> None:
    """What would keep the service from working is a fault; the other checks are made all the same."""
    status, found = diagnosis({"CDS_STATE_FOLDER": str(tmp_path), **changes})
    assert (status, found["healthy"]) == (1, False)
    assert states(found)[check] == "fault"
    assert check == "settings" or len(found["checks"]) > 5


def test_no_secret_is_shown(tmp_path: Path) -> None:
    """Neither the token nor the password of the database, in the table or in JSON."""
    changes = {
        "CDS_STATE_FOLDER": str(tmp_path),
        "CDS_METRICS_TOKEN": "hidden-word-of-the-metrics",
        "DATABASE_URL": "postgresql://u:hidden-word@127.0.0.1:1/d",
    }
    for options in ([], ["--json"]):
        outcome = run("doctor", *options, changes=changes)
        assert "hidden-word" not in outcome.out + outcome.err
        assert "CDS_METRICS_TOKEN" in outcome.out
        assert "127.0.0.1:1/d" in outcome.out.replace("\n", "")
    assert outcome.status == 1


def test_the_table_says_where_a_value_comes_from(tmp_path: Path) -> None:
    """Variables, values, their source and the state of each check, for a person."""
    outcome = run("doctor", changes={"CDS_STATE_FOLDER": str(tmp_path), "CDS_CALLS_PER_MINUTE": "600"})
    assert outcome.status == 0, outcome
    (line,) = [line for line in outcome.out.splitlines() if line.startswith("CDS_CALLS_PER_MINUTE")]
    assert line.split()[1:3] == ["600", "environment"]
    assert re.search(r"^rate limit\s+ok\s+600 a minute", outcome.out, re.MULTILINE)
