"""`cds-service load-samples`: every sample patient gets onto a FHIR server, once, and faults are told."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.functional.commands import run
from tests.functional.server import free_port
from tests.spec.calls import PROBLEM, Answer, asking_in_process, cards, story
from tests.support.fhir_server import fhir_server, html, status
from tests.support.places import SAMPLES

STORY = "ms-fasciculation-on-thiazide"


def told(answer: Answer) -> list[tuple[str, str]]:
    """Return what the cards of an answer say."""
    assert answer.status == 200
    return [(card["summary"], card["detail"]) for card in cards(answer)]


def test_every_patient_is_there_once() -> None:
    """Loading twice leaves one copy of everything, and says how much there is."""
    with fhir_server() as server:
        first, second = (run("load-samples", server.base, "--folder", SAMPLES) for _time in range(2))
        patients = [one for one in server.resources if one["resourceType"] == "Patient"]
    assert first.status == second.status == 0, first.err
    stories = len(list(SAMPLES.glob("*/bundle.json")))
    assert len(patients) == stories
    assert first.out == f"{stories} patients with {len(server.resources)} resources are on the server.\n"


def test_the_service_reads_a_loaded_patient_as_if_it_were_sent() -> None:
    """A call without prefetch is answered from the server as the sample is answered from its prefetch."""
    sent = story(STORY)
    with fhir_server() as server:
        assert run("load-samples", server.base, "--folder", SAMPLES).status == 0
        ask = asking_in_process(create_app(Settings(allow_loopback_fhir=True)))
        without = {
            **{name: value for name, value in sent.items() if name != "prefetch"},
            "fhirServer": server.base,
        }
        fetched, prefetched = (told(ask(PROBLEM, message)) for message in (without, sent))
    assert fetched
    assert fetched == prefetched


def test_a_server_that_is_not_there_is_told(tmp_path: Path) -> None:
    """Nobody listens, or something that is no FHIR server: one sentence, no trace."""
    outcome = run("load-samples", f"http://127.0.0.1:{free_port()}/fhir", "--folder", SAMPLES)
    assert outcome.status == 1
    assert (
        outcome.err == "No FHIR server answers at the address; check it, or give it more time with --wait.\n"
    )
    with fhir_server() as server:
        server.faults["*"] = html()
        assert run("load-samples", server.base, "--folder", SAMPLES).err == outcome.err
        outcome = run("load-samples", server.base, "--folder", tmp_path)
    assert outcome.err.startswith("There is no story with a bundle.json in ")


@pytest.mark.parametrize("code", [400, 401, 422, 500])
def test_a_refusal_names_the_story_and_not_what_the_server_said(code: int) -> None:
    """What a server writes into an error may hold anything; the status is enough."""
    with fhir_server() as server:
        server.faults["transaction"] = status(code)
        outcome = run("load-samples", server.base, "--folder", SAMPLES)
    assert outcome.status == 1
    first = min(path.parent.name for path in SAMPLES.glob("*/bundle.json"))
    assert outcome.err == f"The server refused a story with status {code}.\n  {first}\n"
