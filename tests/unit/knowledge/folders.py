"""Builds small content folders from `tests/bad_definitions`: a sound one, and the broken ones laid over it."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

from cds_service.cli.check import fhir_faults
from cds_service.examples import example_faults
from cds_service.knowledge.library import Inspection
from cds_service.model.faults import Fault
from tests.support.places import CARDS, ROOT

BAD = ROOT / "tests" / "bad_definitions"
BASE = BAD / "_base"
TODAY = date(2026, 6, 15)
EXPECTED, REMOVED = "expected.txt", "removed.txt"
SITE = "site"
"""Folder of a case that is laid over the content as a site overlay."""
CASES = sorted(path.parent.relative_to(BAD).as_posix() for path in BAD.rglob(EXPECTED))


def sound_folder(parent: Path) -> Path:
    """Return a folder whose content has no fault: our base, with the shipped schemas, templates and reasons."""
    folder = parent / "cards"
    shutil.copytree(BASE, folder)
    for name in ("schema", "templates", "override_reasons"):  # templates name reasons
        shutil.copytree(CARDS / name, folder / name, dirs_exist_ok=True)
    return folder


def overlay_of(folder: Path) -> Path | None:
    """Return the site overlay that a case has beside its content, if it has one."""
    overlay = folder.parent / SITE
    return overlay if overlay.is_dir() else None


def broken_folder(parent: Path, *cases: str) -> Path:
    """Return the sound folder with the files of some cases laid over it, and taken away what they remove."""
    folder = sound_folder(parent)
    for case in cases:
        shutil.copytree(BAD / case, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns("*.txt"))
        if (folder / SITE).is_dir():
            (folder / SITE).rename(parent / SITE)
        removed = BAD / case / REMOVED
        for name in removed.read_text("utf-8").split() if removed.is_file() else ():
            gone = folder / name
            if gone.is_dir():
                shutil.rmtree(gone)
            else:
                gone.unlink()
    return folder


def faults_of(folder: Path) -> list[Fault]:
    """Return the faults of all four gates and of the draft orders, as `cds-service check` finds them."""
    inspection = Inspection(folder, "1", TODAY, overlay_of(folder))
    if inspection.knowledge is None:
        return inspection.faults
    later = [*example_faults(inspection.knowledge), *fhir_faults(inspection.knowledge)]
    return [*inspection.faults, *(inspection.layers.placed(fault) for fault in later)]


def expected_lines(case: str) -> list[str]:
    """Return the faults that a case expects, each as one line without its text."""
    return (BAD / case / EXPECTED).read_text("utf-8").splitlines()


def line_without_text(fault: Fault) -> str:
    """Return a fault as one line: where it stands, which check found it and what to do."""
    path = f" {fault.path}" if fault.path else ""
    mark = " warning" if fault.is_warning else ""
    file = f"{fault.folder}/{fault.file}" if fault.folder else fault.file
    return f"{file}:{fault.line}:{path}{mark} [{fault.check}] {fault.remedy}"
