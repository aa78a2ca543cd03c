"""Draft orders: valid FHIR, with their reason and what prompted them, never active and never a medicine."""

from __future__ import annotations

from typing import Any

import pytest
from fhir.resources.R4B.servicerequest import ServiceRequest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.cards.suggestions import SuggestionWriter, draft_row
from cds_service.model.decision import WorkupItem, WorkupStatus
from cds_service.model.definitions import Order
from cds_service.model.facts import Fact, PatientFacts
from cds_service.model.hooks import Suggestion
from cds_service.model.parts import CodeRow
from tests.unit.cards.decided import compose, flags
from tests.unit.cards.hostile import HOSTILE
from tests.unit.engine.neutral import define, facts, knowledge, presenting, result

LOINC_ROW = CodeRow(system="http://loinc.org", code="18749-2", display="Electromyogram study")
SNOMED_ROW = CodeRow(
    system="http://snomed.info/sct", code="42803009", display="Electromyography", display_verified=False
)
CODES = {("orders", "two"): (LOINC_ROW, SNOMED_ROW), ("orders", "one"): (LOINC_ROW,)}
PROMPT = Fact(what="zorbium", reference="Observation/1", value="8", unit="U/L", on="2026-06-14")


def suggest(order: Order, about: PatientFacts | None = None, **members: Any) -> Suggestion:
    """Return the suggestion for one order."""
    item = WorkupItem(order=order, status=WorkupStatus.SUGGESTED, because="Fizz", **members)
    return SuggestionWriter(knowledge(order, codes=CODES)).write(item, about or facts())


def draft(order: Order, about: PatientFacts | None = None, **members: Any) -> dict[str, Any]:
    """Return the draft of one order."""
    resource = suggest(order, about, **members).actions[0].resource
    assert resource is not None
    return resource


def order(**members: Any) -> Order:
    """Return an order for zorbium."""
    return define(Order, "zorbium", **{"label": "Zorbium test", "repeat_label": "Repeat zorbium"} | members)


def test_a_draft_carries_code_text_reason_and_note() -> None:
    """Whoever opens the draft sees what it is, why, and which result prompted it."""
    given_order = order(codes=[{"table": "orders", "key": "one"}], note="Take it at rest.")
    assert draft(given_order, facts(encounter="e1"), prompted_by=(PROMPT,)) == {
        "resourceType": "ServiceRequest",
        "status": "draft",
        "intent": "proposal",
        "priority": "routine",
        "code": {
            "coding": [
                {"system": "http://loinc.org", "code": "18749-2", "display": "Electromyogram study"},
            ],
            "text": "Zorbium",
        },
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "reasonReference": [{"reference": "Condition/p"}],
        "note": [
            {"text": "Considered for: Fizz. Prompted by: Zorbium 8 U/L (14 Jun 2026). Take it at rest."},
        ],
    }


def test_a_presentation_without_an_id_is_the_reason_in_words() -> None:
    """Where nothing can be referred to the recorded words are the reason, and failing these the cause."""
    nameless = facts(presentations=(presenting(reference=None, text="wobbly\u202e tail"),))
    found = draft(order(), nameless)
    assert found["reasonCode"] == [{"text": "wobbly tail"}]
    assert "reasonReference" not in found
    wordless = facts(presentations=(presenting(reference=None, text="\u200b"),))
    assert draft(order(), wordless)["reasonCode"] == [{"text": "Fizz"}]


@pytest.mark.parametrize(
    ("members", "coded"),
    [
        ({}, None),
        ({"codes": [{"table": "orders", "key": "one"}]}, "18749-2"),
        ({"codes": [{"table": "orders", "key": "two"}]}, None),
        ({"codes": [{"table": "orders", "key": "two"}], "draft_code": "42803009"}, "42803009"),
        ({"codes": [{"table": "orders", "key": "two", "only": ["18749-2"]}]}, "18749-2"),
        ({"codes": [{"table": "orders", "key": "two"}], "draft_code": "1751-7"}, None),
    ],
)
def test_a_draft_carries_one_code_or_words_alone(members: dict[str, Any], coded: str | None) -> None:
    """Where several codes could be meant and none is named, the draft says it in words."""
    row = draft_row(order(**members), CODES)
    assert (row.code if row else None) == coded
    assert [one["code"] for one in draft(order(**members))["code"].get("coding", ())] == (
        [coded] if coded else []
    )


def test_a_display_that_is_not_official_is_not_sent() -> None:
    """A code goes without its text rather than with one that its system does not know."""
    found = draft(order(codes=[{"table": "orders", "key": "two"}], draft_code="42803009"))
    assert found["code"]["coding"] == [{"system": "http://snomed.info/sct", "code": "42803009"}]


@pytest.mark.parametrize(
    ("priority", "urgent", "drafted"),
    [
        ("routine", False, "routine"),
        ("routine", True, "urgent"),
        ("stat", True, "stat"),
        ("asap", False, "asap"),
    ],
)
def test_an_urgent_wish_makes_a_routine_order_urgent(priority: str, drafted: str, *, urgent: bool) -> None:
    """A graver priority of the order's own stays."""
    assert draft(order(priority=priority), urgent=urgent)["priority"] == drafted


def test_the_label_says_when_a_test_is_repeated() -> None:
    """A repeat is called one where the order has a name for it; the description names the same action."""
    assert suggest(order()).label == "Zorbium test"
    again = suggest(order(), repeat=True)
    assert (again.label, again.actions[0].description) == ("Repeat zorbium", "Draft order: Repeat zorbium")
    assert suggest(order(repeat_label=None), repeat=True).label == "Zorbium test"


def test_only_what_is_recommended_is_preselected() -> None:
    """`isRecommended` is said or left out, and each suggestion has a uuid of its own."""
    assert suggest(order(), recommended=True).is_recommended is True
    assert suggest(order()).is_recommended is None
    assert suggest(order()).uuid != suggest(order()).uuid


def test_the_note_names_at_most_three_facts() -> None:
    """A note stays readable: the first three facts, each once."""
    prompts = tuple(Fact(what=what) for what in ("a", "a", "b", "c", "d"))
    text = draft(order(), prompted_by=prompts)["note"][0]["text"]
    assert text == "Considered for: Fizz. Prompted by: A; B."


@settings(max_examples=60)
@given(text=st.one_of(st.sampled_from(HOSTILE), st.text(max_size=40)), with_reference=st.booleans())
def test_every_draft_is_a_fhir_r4_service_request(*, text: str, with_reference: bool) -> None:
    """Whatever the chart says, the drafts of all cards validate, and they are ServiceRequests in draft."""
    presentation = presenting(text=text, reference="Condition/p" if with_reference else None)
    shown = result("2")
    drafts = [
        action.resource or {}
        for card in compose(facts(shown, presentations=(presentation,), encounter="e1"), *flags(1))
        for suggestion in card.suggestions
        for action in suggestion.actions
    ]
    assert len(drafts) == 2
    for one in drafts:
        ServiceRequest.model_validate(one)
        assert (one["resourceType"], one["status"], one["intent"]) == ("ServiceRequest", "draft", "proposal")
        assert one["note"][0]["text"].startswith("Considered for: ")
        assert one.get("reasonReference") or one.get("reasonCode")


def items(*recommended: bool) -> list[WorkupItem]:
    """Return one item per truth: whether its order is recommended."""
    return [
        WorkupItem(
            order=define(Order, f"o{place}", label=f"Test {place}"),
            status=WorkupStatus.SUGGESTED,
            because="Fizz",
            recommended=one,
        )
        for place, one in enumerate(recommended)
    ]


def labels(*recommended: bool) -> list[str]:
    """Return the labels of everything that is offered."""
    wanted = items(*recommended)
    writer = SuggestionWriter(knowledge(*(item.order for item in wanted)))
    return [one.label for one in writer.write_all(wanted, facts())]


def test_several_recommended_drafts_can_be_taken_together() -> None:
    """Every order has its own suggestion, and those that are recommended have one more for all of them."""
    wanted = items(*(place != 1 for place in range(3)))
    writer = SuggestionWriter(knowledge(*(item.order for item in wanted)))
    *alone, together = writer.write_all(wanted, facts())
    assert [one.label for one in alone] == ["Test 0", "Test 1", "Test 2"]
    assert together.label == "All 2 recommended: Test 0, Test 2"
    assert [action.resource for action in together.actions] == [
        alone[0].actions[0].resource,
        alone[2].actions[0].resource,
    ]
    assert together.is_recommended is None
    assert len({one.uuid for one in (*alone, together)}) == 4


@pytest.mark.parametrize("recommended", [(), (True,), (False, False), (True, False)])
def test_one_recommended_draft_needs_no_suggestion_of_its_own_kind(recommended: tuple[bool, ...]) -> None:
    """A suggestion for all of one would say the same twice."""
    assert labels(*recommended) == [f"Test {place}" for place in range(len(recommended))]
