"""The same patient in DSTU2, STU3, R4 and R5 is the same patient: every version is read by one reader."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from typing import Any

import msgspec
import pytest

from cds_service.fhir.envelope import decode_request
from cds_service.fhir.reader import read_facts
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.library import load
from tests.support.case_files import Case, whole_patients
from tests.support.json_text import to_json
from tests.support.patients import hook_request
from tests.support.places import CARDS
from tests.support.versions import VERSIONS, request_in_version

_OTHER_NAMES = {
    "MedicationOrder/": "MedicationRequest/",
    "DiagnosticOrder/": "ServiceRequest/",
    "ProcedureRequest/": "ServiceRequest/",
}
_OTHER_WORDS = {"requested": "active", "stopped": "completed"}


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(load(CARDS, "test", date(2026, 11, 25)))


def _facts(request: dict[str, Any]) -> dict[str, Any]:
    """Return everything that is read from a call, with the names that differ between versions made one."""
    hook = request["hook"]
    trigger = "recorded-now" if hook == "problem-list-item-create" else "on-problem-list"
    facts = read_facts(
        decode_request(to_json(request).encode(), hook),
        _vocabulary(),
        tuple(request["prefetch"]),
        trigger,
        datetime(2026, 6, 15, 10, tzinfo=UTC),
    )
    text = msgspec.json.encode(facts, order="deterministic").decode()
    for theirs, ours in _OTHER_NAMES.items():
        text = text.replace(theirs, ours)
    read: dict[str, Any] = msgspec.json.decode(text)
    asked = [one["asked"] for one in read["drafts"] if one["asked"]]
    for one in (*read["medications"], *read["placed_orders"], *asked):
        one["fact"]["value"] = _OTHER_WORDS.get(one["fact"]["value"], one["fact"]["value"])
    return read


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("case", whole_patients(), ids=lambda case: case["id"])
def test_every_version_says_the_same_of_a_patient(case: Case, version: str) -> None:
    """Facts, dates, presentations and notes are those of R4, so that the decision is."""
    request = hook_request(case)
    assert _facts(request_in_version(request, version)) == _facts(request)
