"""Each import contract of pyproject.toml holds, and fails on a planted import; spoils copies, never the sources."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]

# contract id → the import that must break it: (file below cds_service, line appended to it)
PLANTED: dict[str, list[tuple[str, str]]] = {
    "layers": [
        ("model/facts.py", "import cds_service.engine.ranking"),
        ("engine/ranking.py", "import cds_service.cards"),
        ("pipeline.py", "import cds_service.settings"),
        ("web/discovery.py", "import cds_service.app"),
        ("app.py", "import cds_service.cli.main"),
        ("trust/identity.py", "import cds_service.gathering"),
        ("clients.py", "import cds_service.registrations"),
        ("registrations.py", "import cds_service.web.caller"),
        ("app.py", "import cds_service.replay.bundles"),
        ("replay/bundles.py", "import cds_service.cli.main"),
        ("unplaced.py", ""),
    ],
    "fhir-resources": [
        ("web/discovery.py", "from fhir.resources.R4B.bundle import Bundle"),
        ("knowledge/library.py", "import cds_service.knowledge.fhir_check"),
        ("replay/bundles.py", "from fhir.resources.R4B.bundle import Bundle"),
    ],
    "engine": [("engine/ranking.py", "import json"), ("engine/ranking.py", "from time import time")],
    "flask": [("pipeline.py", "import flask"), ("trust/identity.py", "import flask")],
    "hooks": [("model/hooks.py", "import cds_service.model.facts"), ("model/hooks.py", "import orjson")],
}


def contracts() -> dict[str, str]:
    """Return the name of every contract in pyproject.toml by its id."""
    project: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    return {each["id"]: each["name"] for each in project["tool"]["importlinter"]["contracts"]}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """Return a folder with the package's Python files and the contracts, free to be spoiled."""
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    for source in (ROOT / "cds_service").rglob("*.py"):
        target = tmp_path / source.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(source, target)
    return tmp_path


def lint(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """Run import-linter on the package in `folder`, not on the installed one."""
    start = "from importlinter.cli import lint_imports_command; lint_imports_command()"
    command = [sys.executable, "-c", start, "--no-cache", "--no-logo", *options]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_package_keeps_every_contract(copy: Path) -> None:
    """An untouched copy breaks nothing, so a failure below comes from the planted import."""
    outcome = lint(copy)
    assert outcome.returncode == 0, outcome.stdout + outcome.stderr


def test_every_contract_has_a_planted_import() -> None:
    """A contract cannot be added without showing that it can fail."""
    assert set(PLANTED) == set(contracts())


@pytest.mark.parametrize(
    ("contract", "file", "line"),
    [(contract, *planted) for contract, plants in PLANTED.items() for planted in plants],
)
def test_a_forbidden_import_breaks_its_contract(contract: str, file: str, line: str, copy: Path) -> None:
    """One forbidden import, or one module without a place, makes the lint fail by the contract's name."""
    spoiled = copy / "cds_service" / file
    assert line == "" or spoiled.is_file(), f"{file} has moved: plant the import elsewhere"
    with spoiled.open("a", encoding="utf-8") as source:
        source.write(f"\n{line}\n")
    outcome = lint(copy, "--contract", contract)
    assert outcome.returncode == 1, outcome.stdout + outcome.stderr
    assert f"{contracts()[contract]} BROKEN" in " ".join(outcome.stdout.split())


def loaded_by(module: str) -> set[str]:
    """Return the names of all modules that a fresh interpreter holds after importing `module`."""
    program = f"import sys, {module}; print(*sys.modules)"
    command = [sys.executable, "-c", program]
    outcome = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert outcome.returncode == 0, outcome.stderr
    return set(outcome.stdout.split())


@pytest.mark.parametrize("module", ["cds_service.app", "cds_service.cli.main"])
def test_serving_loads_no_fhir_models(module: str) -> None:
    """The serving process never pays for importing fhir.resources."""
    assert "fhir.resources" not in loaded_by(module)


def test_the_cds_hooks_nouns_load_alone() -> None:
    """Importing the nouns of the standard brings in no framework and nothing else of the service."""
    loaded = loaded_by("cds_service.model.hooks")
    ours = {name for name in loaded if name.partition(".")[0] == "cds_service"}
    assert ours <= {"cds_service", "cds_service.errors", "cds_service.model", "cds_service.model.hooks"}
    assert not loaded & {"flask", "pydantic", "orjson", "yaml", "requests"}
