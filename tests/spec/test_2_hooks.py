"""CDS Hooks library, hook definitions: what the context of each hook must hold, and what it may leave out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from tests.spec.calls import (
    PROBLEM,
    SELECT,
    SIGN,
    START,
    VIEW,
    Ask,
    Message,
    cards,
    draft_medicine,
    drafted,
    refusal,
    removed,
    replaced,
    starting,
    story,
    viewing,
    without_presentation,
    without_uuids,
)

CALLS: dict[str, Callable[[], Message]] = {
    PROBLEM: story,
    VIEW: viewing,
    START: starting,
    SELECT: lambda: drafted(draft_medicine("furosemide"), hook="order-select"),
    SIGN: lambda: drafted(draft_medicine("furosemide")),
}
NEEDED = [
    *((path, name) for path in CALLS for name in ("userId", "patientId")),
    (PROBLEM, "conditions"),
    (START, "encounterId"),
    (SELECT, "draftOrders"),
    (SELECT, "selections"),
    (SIGN, "draftOrders"),
]
OPTIONAL = [(path, "encounterId") for path in CALLS if path != START]


@pytest.mark.parametrize("path", CALLS)
def test_every_hook_is_answered_by_its_service(ask: Ask, path: str) -> None:
    """A sound call of each hook is answered with cards that keep the schema."""
    assert cards(ask(path, CALLS[path]()))


@pytest.mark.parametrize(("path", "name"), NEEDED)
def test_a_required_member_of_the_context_is_missed(ask: Ask, path: str, name: str) -> None:
    """Without a member that the hook requires, or with null in its place, the call is refused by its name."""
    wanted = [f"context.{name}"]
    assert refusal(ask(path, removed(CALLS[path](), f"context.{name}")), 400, "required") == wanted
    assert refusal(ask(path, replaced(CALLS[path](), f"context.{name}", None)), 400, "required") == wanted


@pytest.mark.parametrize(("path", "name"), OPTIONAL)
def test_an_optional_member_of_the_context_may_be_absent(ask: Ask, path: str, name: str) -> None:
    """Nothing is demanded that the hook does not require."""
    assert cards(ask(path, removed(CALLS[path](), f"context.{name}")))


@pytest.mark.parametrize("path", [SELECT, SIGN])
@pytest.mark.parametrize("value", ["x", 1, [], True, {"resourceType": "Patient"}])
def test_drafts_that_are_no_bundle_are_refused(ask_app: Ask, path: str, value: Any) -> None:
    """The element must be a Bundle; what else stands there is named as a fault."""
    answer = ask_app(path, replaced(CALLS[path](), "context.draftOrders", value))
    assert refusal(answer, 400, "structure") == ["context.draftOrders"]


@pytest.mark.parametrize("value", ["MedicationRequest/m1", {"a": 1}, 1, True])
def test_selections_that_are_no_array_are_refused(ask_app: Ask, value: Any) -> None:
    """The element must be an array of references."""
    answer = ask_app(SELECT, replaced(CALLS[SELECT](), "context.selections", value))
    assert refusal(answer, 400, "structure") == ["context.selections"]


def test_order_sign_knows_no_selections(ask_app: Ask) -> None:
    """Before signing every draft is looked at, whatever a client adds."""
    message = replaced(CALLS[SIGN](), "context.selections", ["MedicationRequest/other"])
    assert without_uuids(cards(ask_app(SIGN, message))) == without_uuids(cards(ask_app(SIGN, CALLS[SIGN]())))


def test_encounter_start_answers_as_the_opening_of_a_chart(ask_app: Ask) -> None:
    """The same record gets the same cards on both hooks."""
    on_start, on_view = cards(ask_app(START, starting())), cards(ask_app(VIEW, viewing()))
    assert without_uuids(on_start) == without_uuids(on_view)


@pytest.mark.parametrize("path", [START, SELECT, SIGN])
def test_nothing_is_said_without_a_presentation(ask: Ask, path: str) -> None:
    """Another problem on the list is answered with an empty array of cards."""
    assert cards(ask(path, without_presentation(CALLS[path]()))) == []


@pytest.mark.parametrize("path", [START, SELECT, SIGN])
def test_the_problem_list_is_required_data(ask: Ask, path: str) -> None:
    """Without the problems, and no access to fetch them, nobody can tell: 412."""
    message = removed(CALLS[path](), "prefetch.problems")
    assert refusal(ask(path, message), 412, "incomplete") == ["prefetch.problems"]


@pytest.mark.parametrize("path", [SELECT, SIGN])
def test_the_reason_of_a_draft_can_stand_for_the_problem_list(ask_app: Ask, path: str) -> None:
    """A draft that is for the symptom starts the look by itself; with no data at all that is 412."""
    message = removed(CALLS[path](), "prefetch.problems")
    message["context"]["draftOrders"]["entry"][0]["resource"]["reasonCode"] = [{"text": "Muscle cramps"}]
    assert cards(ask_app(path, message))
    message["prefetch"] = {}
    assert "prefetch.labs" in refusal(ask_app(path, message), 412, "incomplete")


@pytest.mark.parametrize("path", [SELECT, SIGN])
def test_an_order_is_not_answered_with_the_ranking(ask_app: Ask, path: str) -> None:
    """The general card stands on the other hooks; beside an order it would be in the way."""
    found = cards(ask_app(path, CALLS[path]()))
    assert {card["source"]["topic"]["code"] for card in found} == {"draft-medicine"}
