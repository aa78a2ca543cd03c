"""How much of the explanation travels: all of it, the outcome alone, or nothing; the cards themselves stay the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.app import reasoner_for
from cds_service.model.explanation import ExplanationExtent
from cds_service.pipeline import Reasoner, answer
from cds_service.settings import Settings
from tests.spec.calls import (
    EXPLANATION,
    STORIES,
    bundle_of,
    draft_medicine,
    drafted,
    empty_members,
    story,
    viewing,
    without_uuids,
)
from tests.support.schemas import schema_faults
from tests.unit.fhir.records import AS_OF

BRIEF = {"knowledge_version", "as_of", "complete", "presentation", "red_flags", "ranking", "notes"}


@pytest.fixture(scope="module")
def reasoner() -> Reasoner:
    """Return the reasoner of the shipped content."""
    return reasoner_for(Settings())


def asked(
    reasoner: Reasoner, message: dict[str, Any], extent: ExplanationExtent, service: str
) -> dict[str, Any]:
    """Return the answer at an extent, of which the schema is kept."""
    body = json.dumps(message).encode()
    found = json.loads(
        answer(body, f"muscle-spasm-{service}", reasoner, AS_OF, may_replay=True, extent=extent)
    )
    assert schema_faults("cds-response", found) == []
    assert empty_members(found) == []
    assert isinstance(found, dict)
    return found


def _without_extension(response: dict[str, Any]) -> list[dict[str, Any]]:
    cards = [
        {name: value for name, value in card.items() if name != "extension"} for card in response["cards"]
    ]
    found: list[dict[str, Any]] = without_uuids(cards)
    return found


@pytest.mark.parametrize("name", STORIES)
def test_the_cards_are_the_same_at_every_extent(reasoner: Reasoner, name: str) -> None:
    """Only the extension differs: summaries, details, suggestions and links do not depend on it."""
    answers = [asked(reasoner, story(name), extent, "problem") for extent in ExplanationExtent]
    first, *others = map(_without_extension, answers)
    assert all(one == first for one in others)


@pytest.mark.parametrize("name", STORIES)
def test_brief_is_the_outcome_of_full(reasoner: Reasoner, name: str) -> None:
    """A brief explanation says what the full one says of flags and causes, less their arguments and facts."""
    full, brief = (
        asked(reasoner, story(name), extent, "problem")["cards"][0]["extension"][EXPLANATION]
        for extent in (ExplanationExtent.FULL, ExplanationExtent.BRIEF)
    )
    assert set(brief) == BRIEF
    for member in ("knowledge_version", "as_of", "complete", "presentation"):
        assert brief[member] == full[member]
    assert brief["red_flags"] == [{"id": one["id"], "level": one["level"]} for one in full["red_flags"]]
    assert brief["ranking"] == [
        {"cause": one["cause"], "standing": one["standing"]} for one in full["ranking"]
    ]
    assert brief["notes"] == len(full["notes"])


def test_none_leaves_the_extension_out(reasoner: Reasoner) -> None:
    """No card carries an extension, nor a pointer to one, on any hook."""
    order = drafted(draft_medicine("furosemide"), draft_medicine("diazepam", id="m2"))
    for message, service in ((story("meningitis"), "problem"), (order, "order-sign")):
        found = asked(reasoner, message, ExplanationExtent.NONE, service)["cards"]
        assert found
        assert not any("extension" in card for card in found)


def test_full_is_what_is_sent_unless_asked_otherwise(reasoner: Reasoner) -> None:
    """Without a wish the whole argument travels, and later cards point at it."""
    body = json.dumps(story("meningitis")).encode()
    first, second, *_ = json.loads(answer(body, "muscle-spasm-problem", reasoner, AS_OF, may_replay=True))[
        "cards"
    ]
    assert first["extension"][EXPLANATION]["workup"]
    assert second["extension"][EXPLANATION] == {"see": first["uuid"]}


@pytest.mark.parametrize("extent", ExplanationExtent)
def test_what_was_lost_is_told_at_every_extent(reasoner: Reasoner, extent: ExplanationExtent) -> None:
    """Without any card a problem list or a draft that could not be read is told, also to whom wants no explanation."""
    chart = viewing()
    chart["prefetch"] = {"problems": bundle_of({"resourceType": "Condition", "code": 5})}
    signing = drafted({"resourceType": "MedicationRequest", "id": "nameless"})
    for message, service, path in (
        (chart, "patient-view", "prefetch.problems.entry[0]"),
        (signing, "order-sign", "context.draftOrders.entry[0]"),
    ):
        answered = asked(reasoner, message, extent, service)
        assert answered["cards"] == []
        explained = answered["extension"][EXPLANATION]
        assert explained["complete"] is False
        assert any(note["path"].startswith(path) for note in explained["notes"])
