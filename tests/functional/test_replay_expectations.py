"""Expectations beside the samples: read, held, faulty, recorded for review, and told in JUnit and by exit status."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
import yaml

from tests.functional.commands import run
from tests.spec.calls import HOOK_OF_STORY, STORY, story
from tests.support.overlays import PHOSPHATE, write_overlay
from tests.support.places import SAMPLES

REFEEDING = "refeeding-with-very-low-phosphate"


@pytest.fixture
def one(tmp_path: Path) -> Path:
    """Return a copy of one story, free to be spoiled."""
    return Path(shutil.copytree(SAMPLES / STORY, tmp_path / STORY))


@pytest.fixture
def site(tmp_path: Path) -> Path:
    """Return an overlay with the planted limit."""
    return write_overlay(tmp_path / "site", {"labs/phosphate.yaml": PHOSPHATE})


def _expect(folder: Path, **changed: Any) -> None:
    path = folder / "expected.yaml"
    content = yaml.safe_load(path.read_text(encoding="utf-8"))
    content["expect"] = changed
    path.write_text(yaml.safe_dump(content, sort_keys=False), encoding="utf-8")


def test_every_published_story_holds() -> None:
    """All samples are read in one call, each is held to its expectation, and the status is 0."""
    outcome = run("replay", SAMPLES)
    assert outcome.status == 0, outcome.err
    assert f"{len(HOOK_OF_STORY)} of {len(HOOK_OF_STORY)} expectations hold" in outcome.out.replace("\n", " ")
    for name in HOOK_OF_STORY:
        assert (SAMPLES / name / "expected.yaml").is_file()
        assert (SAMPLES / name / "bundle.json").is_file()
        assert len((SAMPLES / name / "README.md").read_text("utf-8").strip().splitlines()) == 1


def test_a_wrong_standing_is_told_with_its_reason(one: Path) -> None:
    """The difference says what was expected, what came, and which finding made it so."""
    _expect(one, standings={"hyperthyroidism": "likely", "hypokalemia": "excluded"})
    outcome = run("replay", one)
    assert outcome.status == 1
    assert "standing of hyperthyroidism: expected likely, got not-ranked; because " in outcome.err
    assert "tsh-low is unknown: no result within 180 days" in outcome.err
    assert (
        "standing of hypokalemia: expected excluded, got likely; because potassium-low is present"
        in outcome.err
    )
    assert "2.8 mmol/L" in outcome.err


def test_a_planted_limit_is_caught(site: Path) -> None:
    """With one limit of one lab changed, the patient that rests on it fails, and no other."""
    outcome = run("replay", "--overlay", site, SAMPLES)
    assert outcome.status == 1
    failed = [line for line in outcome.err.splitlines() if not line.startswith(" ")]
    assert failed == [f"{SAMPLES / REFEEDING / 'request.json'}:"]
    assert "red_flags: expected RF13, got none" in outcome.err


def test_a_comparison_names_whose_answer_moved_and_why(site: Path) -> None:
    """`--compare` shows the patients that are answered otherwise, what moved, and the finding behind it."""
    outcome = run("replay", "--compare", site, SAMPLES)
    assert outcome.status == 1
    moved = [line for line in outcome.err.splitlines() if not line.startswith(" ")]
    assert moved == [f"{SAMPLES / REFEEDING / 'request.json'}:"]
    for line in (
        "red flag RF13: gone",
        "level: critical → warning",
        "because phosphate-critical-low: present → absent (phosphate 0.28 mmol/L, 2026-06-15)",
        "--text shows it",
    ):
        assert f"  {line}" in outcome.err or line in outcome.err
    assert f"1 of {len(HOOK_OF_STORY)} patients are answered otherwise" in outcome.out.replace("\n", " ")


def test_a_comparison_can_show_the_changed_words(site: Path) -> None:
    """With `--text` the lines that went and came stand as a unified diff."""
    outcome = run("replay", "--compare", site, "--text", SAMPLES / REFEEDING)
    assert "--- this content" in outcome.err
    assert "  -Phosphate 0.28 mmol/L" in outcome.err


def test_equal_contents_do_not_differ(tmp_path: Path) -> None:
    """The same content under another name answers every patient alike, and the status is 0."""
    copy = shutil.copytree(SAMPLES.parent / "cards", tmp_path / "cards")
    outcome = run("replay", "--compare", copy, SAMPLES)
    assert outcome.status == 0, outcome.err
    assert f"0 of {len(HOOK_OF_STORY)} patients are answered otherwise" in outcome.out.replace("\n", " ")


def test_content_that_does_not_pass_is_not_compared(tmp_path: Path) -> None:
    """The other content passes the gates first, and its faults are told with file and line."""
    copy = Path(shutil.copytree(SAMPLES.parent / "cards", tmp_path / "cards"))
    lab = copy / "labs" / "phosphate.yaml"
    lab.write_text(lab.read_text("utf-8").replace('below: "0.32"', 'below: "0.25"'), encoding="utf-8")
    outcome = run("replay", "--compare", copy, SAMPLES)
    assert outcome.status == 3
    assert "labs/phosphate.yaml:" in outcome.err


FAULTY: dict[str, tuple[str, str]] = {
    "unknown key": (
        "expect:\n  leval: critical\n",
        ":2: expect.leval [schema] Unknown member 'leval'. Did you mean level?",
    ),
    "wrong word": ("expect:\n  level: high\n", ":2: expect.level [schema]"),
    "given twice": ("expect:\n  cards: 1\n  cards: 2\n", ":3: expect.cards [strict-yaml]"),
    "no moment": ("as_of: '2026-13-01'\nexpect: {cards: 1}\n", ":1: as_of [expectation] This is no date"),
    "no pattern": (
        "expect:\n  text:\n    - '('\n",
        ":3: expect.text[0] [expectation] The regular expression",
    ),
    "nothing first": ("expect: {rank_exact_first: true}\n", ":1: expect.rank_exact_first [expectation]"),
    "no YAML": ("expect: [\n", "This is not YAML"),
    "empty": ("", ":1: [strict-yaml] The file is empty."),
    "binary": ("expect: \udcff", ":1: The file is not UTF-8."),
}


@pytest.mark.parametrize("name", FAULTY)
def test_a_faulty_expectation_is_told_with_its_line(one: Path, name: str) -> None:
    """Nothing is held to an expectation with a fault: the file, the line and the remedy are told, with status 2."""
    text, says = FAULTY[name]
    (one / "expected.yaml").write_bytes(text.encode(errors="surrogateescape"))
    outcome = run("replay", one)
    assert outcome.status == 2
    assert f"{one / 'expected.yaml'}" in outcome.err
    assert says in outcome.err


def test_a_first_expectation_is_recorded_once(one: Path) -> None:
    """What the answer says is written for review, holds from then on, and is never overwritten."""
    place = one / "expected.yaml"
    place.unlink()
    outcome = run("replay", "--record-expectations", one)
    assert outcome.status == 0
    text = place.read_text(encoding="utf-8")
    assert "Nobody has reviewed it" in text
    recorded = yaml.safe_load(text)
    assert recorded["as_of"] == "2026-06-15T10:00:00Z"
    assert recorded["expect"]["top"] == "hypokalemia"
    assert recorded["expect"]["standings"]["hypokalemia"] == "likely"
    assert recorded["expect"]["level"] == "warning"
    again = run("replay", "--record-expectations", one)
    assert again.status == 0
    assert "The expectation holds" in again.out
    assert place.read_text(encoding="utf-8") == text


def test_a_bundle_has_its_expectation_beside_it(tmp_path: Path) -> None:
    """`x.expected.yaml` names the moment and the problem to record, so that the Bundle needs no option."""
    shutil.copy(SAMPLES / STORY / "bundle.json", tmp_path / "patient.json")
    recorded = run(
        "replay", "--record", "fasciculation", "--as-of", "2026-06-15", "--record-expectations", tmp_path
    )
    assert recorded.status == 0, recorded.err
    assert (
        yaml.safe_load((tmp_path / "patient.expected.yaml").read_text("utf-8"))["record"] == "fasciculation"
    )
    outcome = run("replay", tmp_path / "patient.json")
    assert outcome.status == 0, outcome.err
    assert "The expectation holds." in outcome.out


def test_a_request_that_is_refused_does_not_hold_its_expectation(one: Path) -> None:
    """An expectation wants an answer; a request that is answered with an error fails it."""
    (one / "request.json").write_text(json.dumps(story() | {"prefetch": {}}), encoding="utf-8")
    outcome = run("replay", one)
    assert outcome.status == 1
    assert "412" in outcome.err


def test_junit_has_a_case_for_every_patient(one: Path, tmp_path: Path) -> None:
    """The report counts tests, failures and errors; a failure holds the differences, an error the trouble."""
    _expect(one, level="critical")
    (tmp_path / "torn\x1b[1m.json").write_text("{", encoding="utf-8")
    shutil.copytree(SAMPLES / REFEEDING, tmp_path / REFEEDING)
    report = tmp_path / "report.xml"
    assert run("replay", "--junit", report, tmp_path).status == 1
    suites = ET.fromstring(report.read_bytes())  # noqa: S314 - a file that this test has just made
    (suite,) = suites
    assert (suites.tag, suite.tag) == ("testsuites", "testsuite")
    assert {name: suite.get(name) for name in ("tests", "failures", "errors")} == {
        "tests": "3",
        "failures": "1",
        "errors": "1",
    }
    by_name = {case.get("name", "").removeprefix(f"{tmp_path}/"): case for case in suite}
    assert [*by_name] == [f"{STORY}/request.json", f"{REFEEDING}/request.json", "torn [1m.json"]
    failure = by_name[f"{STORY}/request.json"].find("failure")
    assert failure is not None
    assert failure.text == "level: expected critical, got warning"
    assert [*by_name[f"{REFEEDING}/request.json"]] == []
    error = by_name["torn [1m.json"].find("error")
    assert error is not None
    assert error.get("type") == "unreadable"


def test_json_tells_what_differs(one: Path) -> None:
    """A program reads the verdict and the differences from the line of the patient."""
    _expect(one, cards=0)
    (line,) = run("replay", "--json", one).out.splitlines()
    assert json.loads(line)["expectation"] == "fails"
    assert json.loads(line)["differences"][0].startswith("cards: expected 0, got ")


def test_strict_holds_resources_and_messages_to_the_standard(one: Path) -> None:
    """A sound story has no breach; a wrong type, an unknown member and a message without its hookInstance are told."""
    assert run("replay", "--strict", one).status == 0
    message = story()
    message["hookInstance"] = "none"
    message["prefetch"]["labs"]["entry"][0]["resource"]["status"] = 7
    message["prefetch"]["labs"]["entry"][0]["resource"]["colour"] = "Xanthippe"
    message["prefetch"]["problems"]["entry"].append(
        {"resource": {"resourceType": "Condition", "clinicalStatus": "active", "code": {"text": "Gout"}}}
    )
    (one / "request.json").write_text(json.dumps(message), encoding="utf-8")
    outcome = run("replay", "--strict", one)
    assert outcome.status == 1
    assert "strict: request $.hookInstance: breaks pattern" in outcome.err
    assert "strict: request prefetch.labs.entry[0]: Observation: status: string type" in outcome.err
    assert "colour: extra forbidden" in outcome.err
    assert "Xanthippe" not in outcome.err
    assert "Condition looks like DSTU2 or STU3 and was not validated" in outcome.err


@pytest.mark.parametrize(
    "arguments",
    [
        ["--json", "--summary"],
        ["--text"],
        ["--against", "https://cds.example.org", "--compare", SAMPLES],
        ["--jobs", "0"],
    ],
    ids=str,
)
def test_options_that_contradict_each_other_are_refused(arguments: list[str | Path]) -> None:
    """Wrong usage is told before anything is read, with status 2."""
    outcome = run("replay", *arguments, SAMPLES / STORY)
    assert outcome.status == 2
    assert outcome.out == ""


def test_a_link_out_of_the_folder_is_not_followed(tmp_path: Path) -> None:
    """A link inside the folder is read, one that leads out of it is told and not read."""
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "own.json").write_text(json.dumps(story()), encoding="utf-8")
    (folder / "inner.json").symlink_to(folder / "own.json")
    outside = tmp_path / "outside.json"
    outside.write_text(json.dumps(story()), encoding="utf-8")
    (folder / "outer.json").symlink_to(outside)
    outcome = run("replay", "--summary", folder)
    assert outcome.status == 2
    assert [Path(line.partition(":")[0]).name for line in outcome.out.splitlines()] == [
        "inner.json",
        "own.json",
    ]
    assert "outer.json: The link leads out of the folder" in outcome.err
