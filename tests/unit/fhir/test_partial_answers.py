"""A partial answer is used, and what it does not name is unknown rather than absent."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.resources import Intake
from tests.unit.fhir.records import bundle, condition, intake, request

OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


@pytest.mark.parametrize(
    "broken",
    [
        {"entry": [{"resource": condition("c2", text="Gout")}, {"resource": OUTCOME}]},
        {"link": [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]},
        {"entry": [{"resource": condition("c2", text="Gout")}, {"resource": None}]},
    ],
    ids=["failed-entry", "next-page", "unreadable-entry"],
)
def test_silence_in_a_partial_answer_shows_no_absence(broken: dict[str, Any]) -> None:
    """The key has arrived and its resources are read, but it does not count as answered."""
    read = intake(problems={**bundle(condition("c2", text="Gout")), **broken})
    assert "problems" in read.arrived_keys
    assert "problems" not in read.answered_keys
    assert len(read.of("Condition")) == 1


def test_a_whole_answer_shows_absence() -> None:
    """Without a failure, a further page or an unreadable entry the key counts as answered."""
    assert "problems" in intake(problems=bundle(condition("c2", text="Gout"))).answered_keys


def test_an_answer_that_may_lack_something_without_a_word_shows_no_absence() -> None:
    """What was fetched with a scope that lets the server leave entries out is used, and proves nothing by silence."""
    sent = request(problems=bundle(condition("c2", text="Gout")))
    read = Intake(sent._replace(in_part=frozenset({"problems"})))
    assert len(read.of("Condition")) == 1
    assert "problems" in read.arrived_keys
    assert "problems" not in read.answered_keys
