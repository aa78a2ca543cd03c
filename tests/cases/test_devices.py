"""Devices and allergies of the record reach the request they matter for, whichever resource tells of them."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.app import create_app
from cds_service.replay.card_text import actions, told
from cds_service.settings import Settings
from tests.support.case_files import whole_patients
from tests.support.json_text import to_json
from tests.support.patients import hook_request

SERVICE = "/cds-services/muscle-spasm-problem"
PATIENT = {"reference": "Patient/v56-patient"}
IMAGED = next(case for case in whole_patients() if case["id"] == "V56")


def answer(*resources: dict[str, Any]) -> dict[str, Any]:
    """Return the answer about a patient who may need an MRI and whose record holds these resources besides."""
    kept = [row for row in IMAGED["conditions"] if row["text"].startswith(("Progressive", "Wasting"))]
    body = hook_request({**IMAGED, "conditions": kept, "labs": []})
    entries = [{"resource": {"id": f"r{place}", **one}} for place, one in enumerate(resources)]
    body["prefetch"]["more"] = {"resourceType": "Bundle", "type": "collection", "entry": entries}
    reply = (
        create_app(Settings())
        .test_client()
        .post(SERVICE, data=to_json(body).encode(), content_type="application/json")
    )
    assert reply.status_code == 200, reply.get_data(as_text=True)
    found = reply.get_json()
    assert isinstance(found, dict)
    return found


def device(text: str, **members: Any) -> dict[str, Any]:
    """Return a device in words."""
    return {
        "resourceType": "Device",
        "status": "active",
        "type": {"text": text},
        "patient": PATIENT,
    } | members


@pytest.mark.parametrize(
    ("resource", "said"),
    [
        (
            device("Cardiac pacemaker"),
            "Cardiac pacemaker (by text): Belongs on the request; the device clinic",
        ),
        (device("Baclofen pump"), "Baclofen pump (by text): Belongs on the request; the pump is checked"),
        (
            {
                "resourceType": "AllergyIntolerance",
                "clinicalStatus": {"coding": [{"code": "active"}]},
                "code": {"text": "Gadolinium contrast media"},
                "patient": PATIENT,
            },
            "Gadolinium contrast media (by text): Belongs on the request; no contrast by default.",
        ),
    ],
)
def test_it_stands_before_imaging_and_on_the_draft(resource: dict[str, Any], said: str) -> None:
    """Card and draft order name the item and what belongs on the request."""
    found = answer(resource)
    assert said in told(found)
    drafts = [action["resource"] for action in actions(found) if "resource" in action]
    notes = [draft["note"][0]["text"] for draft in drafts if draft["resourceType"] == "ServiceRequest"]
    words = said.partition(": ")[2]
    assert any(words in note for note in notes)


@pytest.mark.parametrize(
    "resource",
    [device("Cardiac pacemaker", status="entered-in-error"), device("Insulin pump"), device("Hearing aid")],
)
def test_what_is_not_in_place_or_does_not_matter_is_not_named(resource: dict[str, Any]) -> None:
    """A device entered in error, or one that no scan minds, adds no line."""
    assert "Before imaging" not in told(answer(resource))
