"""`cds-service replay`: stories, folders and plain Bundles, sound and broken, and what reaches the terminal."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from cds_service.app import load_knowledge
from cds_service.cli import main as command_line
from cds_service.pipeline import decide
from cds_service.settings import Settings, read_settings
from tests.functional.commands import Outcome, run
from tests.functional.server import LiveServer
from tests.spec.calls import (
    HOOK_OF_STORY,
    PROBLEM,
    STORIES,
    STORY,
    VIEW,
    asking_over_http,
    cards,
    viewing,
    without_uuids,
)
from tests.support.json_text import from_json, to_json
from tests.support.places import SAMPLES
from tests.support.schemas import schema_faults
from tests.support.versions import VERSIONS, request_in_version

Replay = Callable[..., Outcome]
COLOR = re.compile(r"\x1b\[[0-9;]*m|\x1b\]8;[^\x1b]*\x1b\\")


@pytest.fixture(scope="module")
def knowledge() -> Any:
    """Return the content, loaded once for all replays of this module."""
    return load_knowledge(Settings())


@pytest.fixture
def replay(knowledge: Any, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Replay:
    """Return a function that runs `cds-service replay` in this process."""
    monkeypatch.setattr("cds_service.app.load_knowledge", lambda _: knowledge)

    def run_here(*arguments: str | Path) -> Outcome:
        monkeypatch.setattr(sys, "argv", ["cds-service", "replay", *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            command_line.main()
        shown = capsys.readouterr()
        status = ended.value.code
        return Outcome(status if isinstance(status, int) else 0, shown.out, shown.err)

    return run_here


def _lines(outcome: Outcome) -> list[dict[str, Any]]:
    return [json.loads(line) for line in outcome.out.splitlines()]


def _request(name: str = STORY) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((SAMPLES / name / "request.json").read_text(encoding="utf-8"))
    return found


def _written(folder: Path, name: str, value: Any) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(value if isinstance(value, bytes) else json.dumps(value).encode())
    return path


def test_a_story_is_shown_as_cards_to_read() -> None:
    """The command prints the cards of a story with their level, and ends with 0."""
    outcome = run("replay", SAMPLES / STORY / "request.json")
    assert (outcome.status, outcome.err) == (0, "")
    assert "warning" in outcome.out
    assert "Repeat potassium" in outcome.out


def test_a_folder_of_stories_gives_one_answer_per_patient(replay: Replay) -> None:
    """Of each story only the request is replayed, in order of the folders."""
    outcome = replay("--summary", SAMPLES)
    assert outcome.status == 0
    assert [line.partition(":")[0] for line in outcome.out.splitlines()] == [
        str(SAMPLES / name / "request.json") for name in HOOK_OF_STORY
    ]


def test_a_folder_with_other_files_beside_stories_passes_none_over(replay: Replay, tmp_path: Path) -> None:
    """Files that stand beside story folders are replayed too."""
    _written(tmp_path, "one/request.json", _request())
    _written(tmp_path, "one/bundle.json", {"resourceType": "Bundle"})
    _written(tmp_path, "two.json", _request(STORIES[0]))
    _written(tmp_path, "three/four.json", _request(STORIES[1]))
    _written(tmp_path, "three/feedback.json", {"feedback": []})
    outcome = replay("--json", tmp_path)
    assert outcome.status == 0
    assert [Path(line["file"]).name for line in _lines(outcome)] == ["request.json", "four.json", "two.json"]


def test_json_is_one_line_per_patient(replay: Replay) -> None:
    """`--json` prints for each patient the cards as they would be sent, the moment, notes and expectation."""
    found = _lines(replay("--json", SAMPLES))
    assert len(found) == len(HOOK_OF_STORY)
    for line in found:
        assert set(line) == {"file", "as_of", "cards", "notes", "expectation"}
        assert (line["as_of"], line["expectation"]) == ("2026-06-15T10:00:00Z", "holds")
        assert schema_faults("cds-response", {"cards": line["cards"]}) == []


def test_summary_is_one_line_per_patient(replay: Replay) -> None:
    """`--summary` names the level, the candidates, the number of notes and whether the expectation holds."""
    for line in replay("--summary", SAMPLES).out.splitlines():
        assert re.fullmatch(
            r".+request\.json: (info|warning|critical); .+; \d+ notes; expectation holds", line
        )


def test_a_plain_bundle_needs_to_be_told_what_is_recorded(replay: Replay) -> None:
    """A Bundle says what is on record and not what is being recorded; without that it is not answered."""
    outcome = replay(SAMPLES / STORY / "bundle.json")
    assert outcome.status == 2
    assert outcome.out == ""
    assert "--record" in outcome.err


def test_a_plain_bundle_is_answered_like_its_story(replay: Replay) -> None:
    """With --record and --as-of the Bundle of a story leads to the same findings as its request."""
    bundle = SAMPLES / STORY / "bundle.json"
    told = replay("--json", "--record", "fasciculation", "--as-of", "2026-06-15T10:00:00Z", bundle)
    assert told.status == 0
    (from_bundle,), (from_request,) = _lines(told), _lines(replay("--json", SAMPLES / STORY / "request.json"))
    assert from_bundle["cards"][0]["summary"] == from_request["cards"][0]["summary"]
    assert from_bundle["cards"][0]["indicator"] == from_request["cards"][0]["indicator"]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["twitching-with-tests-pending", STORY])
def test_a_plain_bundle_of_another_version_is_answered_alike(
    replay: Replay, tmp_path: Path, name: str, version: str
) -> None:
    """Orders and medicines that another version calls otherwise are found, and what the chart asks for is the same."""
    text = (SAMPLES / name / "bundle.json").read_text(encoding="utf-8")
    other = request_in_version(from_json(text), version)
    file = tmp_path / "bundle.json"
    file.write_text(to_json(other), encoding="utf-8")
    wished = ("--record", "fasciculation", "--as-of", "2026-06-15T10:00:00Z", "--json")
    ours, theirs = (_lines(replay(path, *wished))[0] for path in (SAMPLES / name / "bundle.json", file))
    shown = [[(card["summary"], card["detail"]) for card in line["cards"]] for line in (ours, theirs)]
    assert shown[0] == shown[1]


def test_a_plain_bundle_brings_what_no_query_asks_for(replay: Replay, tmp_path: Path) -> None:
    """A report with a result inside, as some systems file them, is part of the chart."""
    bundle = json.loads((SAMPLES / STORY / "bundle.json").read_text(encoding="utf-8"))
    resources = [entry["resource"] for entry in bundle["entry"]]
    patient = next(one["id"] for one in resources if one["resourceType"] == "Patient")
    result = next(
        one for one in resources if one["resourceType"] == "Observation" and "2823-3" in json.dumps(one)
    )
    bundle["entry"] = [entry for entry in bundle["entry"] if entry["resource"] is not result]
    report = {
        "resourceType": "DiagnosticReport",
        "id": "report-1",
        "status": "final",
        "subject": {"reference": f"Patient/{patient}"},
        "contained": [result],
    }
    file = _written(tmp_path, "bundle.json", {**bundle, "entry": [*bundle["entry"], {"resource": report}]})
    (line,) = _lines(replay(file, "--record", "fasciculation", "--as-of", "2026-06-15", "--json"))
    assert "Low potassium 2.8 mmol/L" in line["cards"][0]["summary"]


def test_a_plain_bundle_keeps_the_digits_of_its_results(replay: Replay) -> None:
    """A range that the laboratory printed as 0.70-1.00 is shown so, and not as 0.7-1.0."""
    bundle = SAMPLES / STORY / "bundle.json"
    assert '"value": 0.70' in bundle.read_text(encoding="utf-8")
    told = replay("--json", "--record", "fasciculation", "--as-of", "2026-06-15T10:00:00Z", bundle)
    assert "0.70-1.00" in told.out


def test_a_bundle_of_several_patients_is_answered_for_each(replay: Replay, tmp_path: Path) -> None:
    """Each patient of a Bundle is answered from their own resources."""
    entries = [
        entry
        for name in STORIES[:3]
        for entry in json.loads((SAMPLES / name / "bundle.json").read_text(encoding="utf-8"))["entry"]
    ]
    path = _written(
        tmp_path, "several.json", {"resourceType": "Bundle", "type": "collection", "entry": entries}
    )
    found = _lines(replay("--json", "--record", "fasciculation", "--as-of", "2026-06-15", path))
    patients = [line["file"].rpartition(" ")[2] for line in found]
    assert len(set(patients)) == 3
    for line, patient in zip(found, patients, strict=True):
        stem = patient.removesuffix("-patient")
        assert set(re.findall(r"/(p\d\d)-", json.dumps(line["cards"]))) == {stem}


def test_as_of_decides_the_day(replay: Replay) -> None:
    """`--as-of` overrules the moment of the request: years later the results no longer count."""
    then, later = (
        _lines(replay("--json", "--as-of", day, SAMPLES / STORY / "request.json"))[0]["cards"][0]["summary"]
        for day in ("2026-06-15", "2031-06-15")
    )
    assert then != later


@pytest.mark.parametrize("moment", ["yesterday", "15.06.2026", "2026-02-30", "0001-01-01", "9999-12-31", ""])
def test_a_moment_that_is_none_is_refused(replay: Replay, moment: str) -> None:
    """A malformed or impossible moment is told, and nothing is answered."""
    outcome = replay("--as-of", moment, SAMPLES / STORY / "request.json")
    assert outcome.status == 2
    assert outcome.out == ""
    assert "--as-of must be a date" in outcome.err


BROKEN: dict[str, tuple[bytes, str]] = {
    "empty.json": (b"", "not JSON"),
    "torn.json": (b'{"hook": "problem-list-item-create", ', "not JSON"),
    "deep.json": (b"[" * 100_000, "not JSON"),
    "array.json": (b"[1, 2]", "neither a hook request nor a FHIR resource"),
    "number.json": (b"7", "neither a hook request nor a FHIR resource"),
    "odd-type.json": (b'{"resourceType": ["Bundle"]}', "neither a hook request nor a FHIR resource"),
    "nameless.json": (b'{"resourceType": "Observation", "status": {}}', "No resource names a patient"),
    "foreign-hook.json": (b'{"hook": ["x"], "hookInstance": "1", "context": {}}', "400"),
    "no-context.json": (b'{"hook": "problem-list-item-create", "hookInstance": "1"}', "(context)"),
    "twice.json": (b'{"hook": "patient-view", "hook": "patient-view"}', "twice"),
    "no-data.json": (json.dumps(_request() | {"prefetch": {}}).encode(), "412"),
    "bad-id.json": (
        b'{"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Patient", "id": "a b"}}]}',
        "no FHIR id",
    ),
}


def test_broken_files_are_told_and_the_others_answered(replay: Replay, tmp_path: Path) -> None:
    """Each broken file is named with its trouble, every sound one is answered, and the status is 2."""
    for name, (content, _) in BROKEN.items():
        _written(tmp_path, name, content)
    _written(tmp_path, "a-first.json", _request())
    _written(tmp_path, "zz-last.json", _request(STORIES[0]))
    outcome = replay("--summary", "--record", "cramp", tmp_path)
    assert outcome.status == 2
    assert [Path(line.partition(":")[0]).name for line in outcome.out.splitlines()] == [
        "a-first.json",
        "zz-last.json",
    ]
    *troubles, closing = outcome.err.splitlines()
    assert closing.endswith(f"{len(BROKEN)} could not be answered")
    told = {Path(line.partition(":")[0]).name: line for line in troubles}
    assert set(told) == set(BROKEN)
    assert {name: trouble for name, (_, trouble) in BROKEN.items() if trouble not in told[name]} == {}


def test_broken_files_are_told_in_json_too(replay: Replay, tmp_path: Path) -> None:
    """With --json the trouble stands in the same stream as the answers, one object per file."""
    _written(tmp_path, "torn.json", b"{")
    _written(tmp_path, "whole.json", _request())
    outcome = replay("--json", tmp_path)
    assert outcome.status == 2
    assert [set(line) for line in _lines(outcome)] == [
        {"file", "error", "expectation"},
        {"file", "as_of", "cards", "notes", "expectation"},
    ]


def test_what_is_no_file_is_told(replay: Replay, tmp_path: Path) -> None:
    """An empty folder, a folder named like a file, a pipe and an unreadable path are told and never waited for."""
    (tmp_path / "empty").mkdir()
    (tmp_path / "full" / "folder.json").mkdir(parents=True)
    os.mkfifo(tmp_path / "pipe.json")
    outcome = replay(
        "--cards", tmp_path / "empty", tmp_path / "full", tmp_path / "pipe.json", SAMPLES / STORY
    )
    assert outcome.status == 2
    assert outcome.err.count("holds no JSON file") == 2
    assert outcome.err.count("neither a file nor a folder") == 1
    assert "Repeat potassium" in outcome.out


def test_a_missing_path_is_a_usage_error(replay: Replay, tmp_path: Path) -> None:
    """A path that does not exist is told before anything is read."""
    assert replay(tmp_path / "nowhere.json").status == 2


def test_a_fault_of_ours_costs_one_patient_only(
    replay: Replay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An unforeseen fault is told for its patient without the message, and the next patient is answered."""
    calls = iter((True, False))

    def fail_once(*arguments: Any) -> Any:
        if next(calls):
            raise LookupError("Xanthippe")
        return decide(*arguments)

    monkeypatch.setattr("cds_service.replay.replayer.decide", fail_once)
    _written(tmp_path, "one.json", _request())
    _written(tmp_path, "two.json", _request())
    outcome = replay("--summary", tmp_path)
    assert outcome.status == 1
    assert "LookupError" in outcome.err
    assert "Xanthippe" not in outcome.err + outcome.out
    assert "two.json" in outcome.out


ESCAPES = "\x1b[2J\x1b]0;owned\x07\x1b]52;c;b3duZWQ=\x07\x9b31m\u202e\u200b\r\x08\x7f"


def _hostile() -> dict[str, Any]:
    """Return a story with terminal escapes in every text, unit and id that a card or a note may show."""
    message = _request()
    message["context"]["conditions"]["entry"][0]["resource"]["code"]["text"] = f"Fasciculation {ESCAPES}"
    for entry in message["prefetch"]["medications"]["entry"]:
        entry["resource"]["medicationCodeableConcept"]["text"] = f"hydrochlorothiazide {ESCAPES}"
    for entry in message["prefetch"]["labs"]["entry"]:
        entry["resource"]["code"]["text"] = f"Potassium {ESCAPES}"
        entry["resource"]["id"] = f"lab{ESCAPES}"
        entry["resource"]["valueQuantity"]["unit"] = f"mmol/L{ESCAPES}"
    message["prefetch"][f"key{ESCAPES}"] = 5
    return message


@pytest.mark.parametrize("options", [[], ["--cards"], ["--summary"], ["--json"]], ids=repr)
@pytest.mark.parametrize("terminal", [True, False])
def test_chart_text_cannot_drive_the_terminal(
    replay: Replay, tmp_path: Path, options: list[str], monkeypatch: pytest.MonkeyPatch, *, terminal: bool
) -> None:
    """No control character of a chart or a file name is printed; the only escapes are our own colors and links."""
    if terminal:
        monkeypatch.setenv("FORCE_COLOR", "1")
    else:
        monkeypatch.setenv("NO_COLOR", "1")
    path = _written(tmp_path, "file\x1b[31m\u202ename.json", _hostile())
    torn = _written(tmp_path, "torn\x1b]0;x\x07.json", b"{")
    outcome = replay(*options, path, torn)
    assert outcome.status == 2
    shown = COLOR.sub("", outcome.out + outcome.err).replace("\n", "")
    assert shown
    assert [char for char in set(shown) if not char.isprintable()] == []
    links = re.findall(r"\x1b\]8;[^;]*;([^\x1b]+)\x1b", outcome.out)
    assert set(links) <= {read_settings().about_url}
    if options == ["--cards"]:
        assert "\x1b" in outcome.out if terminal else "\x1b" not in outcome.out


@pytest.mark.parametrize("name", STORIES)
def test_replay_and_http_give_the_same_cards(
    replay: Replay, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """The cards of a replay are those of the running service, apart from their uuids."""
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", str(live_server.port))
    path = SAMPLES / name / "request.json"
    (line,) = _lines(replay("--json", path))
    live = cards(asking_over_http(live_server)(PROBLEM, path.read_bytes()))
    assert without_uuids(line["cards"]) == without_uuids(live)


def test_a_chart_view_is_replayed_by_its_own_service(
    replay: Replay, live_server: LiveServer, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The hook of a request decides which service answers it."""
    monkeypatch.setenv("HOST", "127.0.0.1")
    monkeypatch.setenv("PORT", str(live_server.port))
    (line,) = _lines(replay("--json", _written(tmp_path, "view.json", viewing())))
    live = cards(asking_over_http(live_server)(VIEW, viewing()))
    assert without_uuids(line["cards"]) == without_uuids(live)
