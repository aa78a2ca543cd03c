"""The wheel carries the clinical content and the locks pin every dependency; installs and fetches nothing."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
import zipfile
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
PINNED = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;\\]+).*\\$", re.MULTILINE)


def pins(lock: str) -> dict[str, str]:
    """Return the version that the lock file pins for each distribution."""
    return {found["name"]: found["version"] for found in PINNED.finditer((ROOT / lock).read_text("utf-8"))}


def names(requirements: list[str]) -> set[str]:
    """Return the normalised distribution names of some requirements."""
    found = (re.match(r"[\w.-]+", each) for each in requirements)
    return {re.sub(r"[-_.]+", "-", each[0]).lower() for each in found if each}


def test_each_lock_pins_what_the_project_asks_for() -> None:
    """Every declared dependency is in its lock, and both locks agree on each version."""
    runtime, development = pins("requirements.lock"), pins("requirements-dev.lock")
    assert names(PROJECT["project"]["dependencies"]) <= set(runtime)
    assert names(PROJECT["dependency-groups"]["dev"]) <= set(development)
    assert runtime.items() <= development.items()


@pytest.mark.parametrize("lock", ["requirements.lock", "requirements-dev.lock"])
def test_a_lock_has_hashes_and_names_no_host(lock: str) -> None:
    """Where packages come from is the installer's choice; what they are is fixed by their hashes."""
    text = (ROOT / lock).read_text("utf-8")
    blocks = re.split(r"^(?=[a-z0-9-]+==)", text, flags=re.MULTILINE)[1:]
    assert len(blocks) == len(
        PINNED.findall(text)
    )  # a newer Python may have another version of the same package
    assert [block.splitlines()[0] for block in blocks if "--hash=sha256:" not in block] == []
    assert re.findall(r"https?://\S+|--(?:extra-)?index-url|--find-links", text) == []


def test_the_wheel_carries_the_content(tmp_path: Path) -> None:
    """An installed service finds each content file, the sandbox's pages, its type marker, and the licence texts."""
    command = [sys.executable, "-m", "hatchling", "build", "--target", "wheel", "--directory", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    (wheel,) = tmp_path.glob("*.whl")
    with zipfile.ZipFile(wheel) as archive:
        carried = set(archive.namelist())
    content = {path.relative_to(ROOT / "cards") for path in (ROOT / "cards").rglob("*") if path.is_file()}
    assert content
    assert {f"cds_service/_cards/{path.as_posix()}" for path in content} <= carried
    assert "cds_service/py.typed" in carried
    pages = ("templates/sandbox/page.html", "static/main.js", "static/vendor/uPlot.LICENSE")
    assert {f"cds_service/web/sandbox/{name}" for name in pages} <= carried
    assert {name.rpartition("/")[2] for name in carried} >= {"LICENSE", "NOTICE"}
