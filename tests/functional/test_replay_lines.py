"""NDJSON: one request or Bundle a line, consecutive resources of one patient, and lines that are neither."""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest

from cds_service.replay.lines import Line, Run, read_lines, runs_of_patients
from tests.functional.commands import run
from tests.spec.calls import STORIES, STORY, story
from tests.support.places import SAMPLES

AS_OF = ("--as-of", "2026-06-15T10:00:00Z")
RECORD = ("--record", "fasciculation")


def _bundle(name: str = STORY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / name / "bundle.json").read_text(encoding="utf-8"))
    return found


def _written(folder: Path, *lines: Any) -> Path:
    path = folder / "patients.ndjson"
    path.write_text("".join(f"{json.dumps(line)}\n" for line in lines), encoding="utf-8")
    return path


def _resources(name: str) -> list[dict[str, Any]]:
    return [entry["resource"] for entry in _bundle(name)["entry"]]


def test_a_line_is_a_request_or_a_bundle(tmp_path: Path) -> None:
    """Each line is answered under its number; blank lines count and are passed over."""
    path = _written(tmp_path, story(), _bundle())
    path.write_text("\n" + path.read_text("utf-8") + "\n", encoding="utf-8")
    outcome = run("replay", "--summary", *RECORD, *AS_OF, path)
    assert outcome.status == 0, outcome.err
    assert [line.split(": ")[0] for line in outcome.out.splitlines()] == [f"{path}:2", f"{path}:3"]


def test_faulty_lines_are_named_and_the_others_answered(tmp_path: Path) -> None:
    """A torn line and a single resource are told with their number, and the status is 2."""
    path = _written(tmp_path, story(), _resources(STORY)[0])
    with path.open("a", encoding="utf-8") as file:
        file.write('{"hook": \n' + json.dumps(story()))
    outcome = run("replay", "--summary", *RECORD, path)
    assert outcome.status == 2
    assert [line.split(": ")[0] for line in outcome.out.splitlines()] == [f"{path}:1", f"{path}:4"]
    assert f"{path}:2: The line is a single resource." in outcome.err
    assert "--by-patient" in outcome.err
    assert f"{path}:3: The line is not JSON" in outcome.err


def test_consecutive_resources_of_one_patient_are_one_item(tmp_path: Path) -> None:
    """With `--by-patient` a file sorted by patient gives the answers of the patients' Bundles."""
    names = STORIES[:3]
    path = _written(tmp_path, *(one for name in names for one in _resources(name)))
    outcome = run("replay", "--json", "--by-patient", *RECORD, *AS_OF, path)
    assert outcome.status == 0, outcome.err
    lines = [json.loads(line) for line in outcome.out.splitlines()]
    bundles = [SAMPLES / name / "bundle.json" for name in names]
    alone = run("replay", "--json", *RECORD, *AS_OF, *bundles)
    expected = [json.loads(line) for line in alone.out.splitlines()]
    assert lines[0]["file"].startswith(f"{path}:1-")
    assert [[card["summary"] for card in line["cards"]] for line in lines] == [
        [card["summary"] for card in line["cards"]] for line in expected
    ]


@pytest.mark.parametrize("chunks", [b"one\ntwo\n\n  \nfive", b"one\r\ntwo\r\n\r\n \r\nfive\r\n"])
def test_lines_are_numbered_as_an_editor_numbers_them(chunks: bytes) -> None:
    """Blank lines are passed over and counted, whatever the line ends and with or without the last one."""
    assert [*read_lines(io.BytesIO(chunks), 100)] == [Line(1, b"one"), Line(2, b"two"), Line(5, b"five")]


def test_a_line_that_is_too_long_is_passed_over() -> None:
    """Only its number is kept, however many chunks it fills, and the next line is read."""
    file = io.BytesIO(b"a\n" + b"x" * 3_000_000 + b"\nb\n" + b"y" * 101)
    assert [*read_lines(file, 100)] == [Line(1, b"a"), Line(2, None), Line(3, b"b"), Line(4, None)]


def _line(number: int, **resource: Any) -> Line:
    return Line(number, json.dumps(resource).encode())


def _of(number: int, patient: str) -> Line:
    return _line(number, resourceType="Observation", subject={"reference": f"Patient/{patient}"})


def test_a_run_ends_with_its_patient() -> None:
    """Another patient begins a new run; a resource without one stays in the run; a Bundle or a fault ends it."""
    lines = [
        _line(1, resourceType="Patient", id="a"),
        _line(2, resourceType="Medication", id="m"),
        _of(3, "a"),
        _of(4, "b"),
        _line(5, resourceType="Bundle"),
        _of(6, "b"),
        Line(7, b"{"),
        Line(8, None),
    ]
    found = [*runs_of_patients(lines, 10_000)]
    assert [(one.first, one.last) if isinstance(one, Run) else one.number for one in found] == [
        *((1, 3), (4, 4), 5, (6, 6), 7, 8)
    ]
    first = found[0]
    assert first.body is not None
    assert [entry["resource"]["resourceType"] for entry in json.loads(first.body)["entry"]] == [
        *("Patient", "Medication", "Observation")
    ]


def test_a_run_that_grows_too_long_is_let_go() -> None:
    """Its numbers are kept and its content is not; the next patient is read."""
    lines = [*(_of(number, "a") for number in range(1, 50)), _of(50, "b")]
    found = [*runs_of_patients(lines, 1_000)]
    assert [(one.first, one.last, one.body is None) for one in found if isinstance(one, Run)] == [
        *((1, 49, True), (50, 50, False))
    ]
