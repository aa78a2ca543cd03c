"""Every fault of content is found by its own check, at its own place, with a remedy; an error stops the service."""

from __future__ import annotations

import ast
import csv
import re
from pathlib import Path

import pytest

from cds_service import examples, knowledge
from cds_service.app import create_app
from cds_service.errors import KnowledgeError
from cds_service.knowledge.checks import CHECKS
from cds_service.knowledge.library import Inspection, load
from cds_service.settings import Settings
from tests.support.places import TERMINOLOGY
from tests.unit.knowledge.folders import (
    BAD,
    BASE,
    CASES,
    TODAY,
    broken_folder,
    expected_lines,
    faults_of,
    line_without_text,
    sound_folder,
)

CHECK_NAME = re.compile(r"[a-z]+(-[a-z]+)+|example")
GATES = ("strict-yaml", "schema", "example", "draft-order")


def test_the_base_has_no_fault(tmp_path: Path) -> None:
    """What the broken files are laid over passes every gate, so that each case shows its own fault only."""
    assert faults_of(sound_folder(tmp_path)) == []


@pytest.mark.parametrize("case", CASES)
def test_exactly_the_expected_faults_are_found(case: str, tmp_path: Path) -> None:
    """A broken definition is found by its check at file, line and path, with what is wrong and what to do."""
    faults = sorted(faults_of(broken_folder(tmp_path, case)))
    assert [line_without_text(fault) for fault in faults] == expected_lines(case)
    assert {fault.check for fault in faults} == {check_of(case)}
    assert all(fault.text.endswith(".") and fault.remedy.endswith((".", "?")) for fault in faults)


def test_every_check_and_every_gate_has_a_broken_definition() -> None:
    """No check goes untested: the folders are named after all the checks that the sources know."""
    tested = {check_of(case) for case in CASES}
    assert tested == named_in_sources()
    assert tested.issuperset({*CHECKS, *GATES})


def check_of(case: str) -> str:
    """Return the check that a case is for."""
    return case.partition("/")[0]


def named_in_sources() -> set[str]:
    """Return the name of every check that the sources give to a fault."""
    folder = Path(knowledge.__file__).parent
    names = {name for path in folder.glob("*.py") for name in _names_in(path.read_text("utf-8"))}
    return names | set(_names_in(Path(examples.__file__).read_text("utf-8")))


def _names_in(source: str) -> list[str]:
    tree = ast.parse(source)
    names = re.findall(r'^CHECK = "([a-z-]+)"$', source, re.MULTILINE)
    for call in ast.walk(tree):
        if isinstance(call, ast.Call) and ast.unparse(call.func).casefold().endswith("fault"):
            words = [one.value for one in call.args if isinstance(one, ast.Constant)]
            names += [word for word in words if isinstance(word, str) and CHECK_NAME.fullmatch(word)]
    return names


def test_a_broken_definition_expects_something() -> None:
    """Every folder of cases says what is to be found in it."""
    files = [
        path.relative_to(BAD) for path in BAD.glob("*/*/**/*") if path.is_file() and BASE not in path.parents
    ]
    assert {file.parts[:2] for file in files} == {tuple(case.split("/")) for case in CASES}
    assert all(expected_lines(case) for case in CASES)


@pytest.mark.parametrize("table", sorted(path.name for path in (BASE / "terminology").glob("*.csv")))
def test_the_codes_of_the_base_are_those_of_the_shipped_tables(table: str) -> None:
    """No code is made up for a test: each row stands in the shipped table of the same name."""
    if table == "MANIFEST.csv":
        return
    with (BASE / "terminology" / table).open(encoding="utf-8", newline="") as ours:
        rows = [tuple(row) for row in csv.reader(ours)]
    with (TERMINOLOGY / table).open(encoding="utf-8", newline="") as shipped:
        assert set(rows) <= {tuple(row) for row in csv.reader(shipped)}


SEVERAL = (
    "strict-yaml/duplicate-key",
    "schema/unknown-operator",
    "unknown-reference/lab",
    "overlapping-limits/crossed",
    "check-digit/snomed",
    "unknown-folder/cause",
)


def test_the_faults_of_several_files_are_reported_together(tmp_path: Path) -> None:
    """One run tells every fault of every file, of all gates that need no sound content, in order of the files."""
    faults = faults_of(broken_folder(tmp_path, *SEVERAL))
    assert faults == sorted(faults)
    found = [line_without_text(fault) for fault in faults]
    assert sorted(found) == sorted(line for case in SEVERAL for line in expected_lines(case))


def test_all_faults_of_one_file_are_reported_together(tmp_path: Path) -> None:
    """A file with two faults of one gate is corrected once."""
    folder = sound_folder(tmp_path)
    path = folder / "causes" / "fizz.yaml"
    text = path.read_text("utf-8")
    path.write_text(text.replace("fizz itself", "safe").replace("r1\n", "r2\n", 1), "utf-8")
    assert [(fault.check, fault.line) for fault in faults_of(folder)] == [
        ("careless-wording", 9),
        ("unknown-reference", 10),
    ]


def test_a_file_that_cannot_be_read_has_no_fault_of_others(tmp_path: Path) -> None:
    """What names a broken lab, rule, value set, source or order is not at fault itself."""
    folder = sound_folder(tmp_path)
    broken = ["labs/zorbium", "rules/has-oddity", "value_sets/oddity", "sources/r1", "orders/zorbium-test"]
    broken += ["presentations/wobble", "causes/fizz"]
    for name in broken:
        path = folder / f"{name}.yaml"
        path.write_text(path.read_text("utf-8") + "id: again\n", "utf-8")
    assert sorted((fault.file, fault.path) for fault in faults_of(folder)) == sorted(
        (f"{name}.yaml", "id") for name in broken
    )


def test_a_file_that_is_not_utf_8_is_a_fault(tmp_path: Path) -> None:
    """Other encodings are refused with the name of the file."""
    folder = sound_folder(tmp_path)
    (folder / "sources" / "r1.yaml").write_bytes("id: r1\npublisher: Müller\n".encode("latin-1"))
    (fault,) = faults_of(folder)
    assert str(fault) == "sources/r1.yaml:1: [strict-yaml] The file is not UTF-8. Save it as UTF-8."


@pytest.mark.parametrize(
    "case",
    ["strict-yaml/duplicate-key", "schema/unknown-member", "unknown-finding/evidence", "example/cause"],
)
def test_the_service_does_not_start_with_a_fault_of_any_gate(case: str, tmp_path: Path) -> None:
    """The application is not built, and the error names every fault with its place and remedy."""
    folder = broken_folder(tmp_path, case)
    with pytest.raises(KnowledgeError) as refusal:
        create_app(Settings(cards_folder=folder))
    assert refusal.value.exit_status == 3
    assert refusal.value.where == tuple(str(fault) for fault in faults_of(folder))


def test_the_service_does_not_start_without_content(tmp_path: Path) -> None:
    """A folder that holds something else is named, not searched."""
    with pytest.raises(KnowledgeError, match="1 errors") as refusal:
        create_app(Settings(cards_folder=tmp_path))
    assert "no-content" in refusal.value.where[0]


def test_the_service_starts_with_a_mere_warning(tmp_path: Path) -> None:
    """A review that is overdue is told by the check and stops nothing."""
    folder = broken_folder(tmp_path, "review-overdue/overdue")
    (fault,) = Inspection(folder, "1", TODAY).faults
    assert fault.is_warning
    with create_app(Settings(cards_folder=folder)).test_client() as client:
        assert client.get("/cds-services").status_code == 200
    assert load(folder, "1", TODAY).causes["fizz"].title == "Fizz"
