"""Whole patients through the web application: what the cards say, suggest and leave out."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app
from cds_service.replay.card_text import explanation, told
from cds_service.replay.expectations import differences
from cds_service.settings import Settings
from tests.support.case_files import Case, decoys, whole_patients
from tests.support.causes import asking_orders, cause_names, ids_in
from tests.support.house_rules import broken_rules
from tests.support.json_text import to_json
from tests.support.patients import hook_request
from tests.support.schemas import schema_faults

SERVICE_OF_HOOK = {
    "problem-list-item-create": "/cds-services/muscle-spasm-problem",
    "patient-view": "/cds-services/muscle-spasm-patient-view",
    "encounter-start": "/cds-services/muscle-spasm-encounter-start",
    "order-select": "/cds-services/muscle-spasm-order-select",
    "order-sign": "/cds-services/muscle-spasm-order-sign",
}
CASES = (*whole_patients(), *decoys())


Ask = Callable[[Case], dict[str, Any]]


def _new_client() -> FlaskClient:
    return create_app(Settings()).test_client()


@pytest.fixture(scope="module")
def ask() -> Ask:
    """Return a function that asks one application about a case, once: a repeated call may be answered otherwise."""
    client = _new_client()
    answers: dict[str, dict[str, Any]] = {}

    def ask_once(case: Case) -> dict[str, Any]:
        if case["id"] not in answers:
            answers[case["id"]] = _ask(client, case)
        return answers[case["id"]]

    return ask_once


@pytest.fixture(scope="module")
def other_client() -> FlaskClient:
    """Return a client of a second application."""
    return _new_client()


def _ask(client: FlaskClient, case: Case) -> dict[str, Any]:
    # Sent as text of our own making: a JSON library would turn 0.70 into 0.7.
    body = to_json(hook_request(case)).encode()
    reply = client.post(SERVICE_OF_HOOK[case["hook"]], data=body, content_type="application/json")
    assert reply.status_code == 200, reply.get_data(as_text=True)
    answer = reply.get_json()
    assert isinstance(answer, dict)
    return answer


def _recorded_texts(case: Case) -> list[str]:
    rows = [
        row
        for section in ("recording", "conditions", "medications", "drafts")
        for row in case.get(section, ())
    ]
    return [row[key] for row in rows for key in ("text", "drug", "directions", "reason") if key in row]


def _named(case: Case, *keys: str) -> Iterator[str]:
    for entry in (entry for key in keys for entry in case["expect"].get(key, ())):
        yield from [entry] if isinstance(entry, str) else entry


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_the_answer_is_what_the_case_expects(ask: Ask, case: Case) -> None:
    """The answer ranks, suggests, warns and says what the case expects, and nothing that it forbids."""
    answer = ask(case)
    assert not schema_faults("cds-response", answer)
    found = differences(case["expect"], answer, cause_names(), asking_orders())
    assert not found, "\n".join([case["title"], *found])


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["id"])
def test_no_card_breaks_the_rules_of_the_house(ask: Ask, case: Case) -> None:
    """No card speaks to the patient, claims a diagnosis, gives a dose or proposes a medicine."""
    found = broken_rules(ask(case), _recorded_texts(case))
    assert not found, "\n".join(found)


@pytest.mark.parametrize("case", whole_patients(), ids=lambda case: case["id"])
def test_every_id_that_a_case_names_has_its_file(case: Case) -> None:
    """A cause, order or red flag that a case forbids or expects exists, so that no check passes for want of it."""
    causes = set(_named(case, "rank", "not_likely", "no_standing", "not_candidates", "could_add")) - ids_in(
        "causes"
    )
    orders = set(
        _named(case, "orders", "not_orders", "already_done", "already_ordered", "answered")
    ) - ids_in("orders")
    flags = {flag.lower() for flag in case["expect"].get("red_flags", ())}
    flags -= {name.lower() for name in ids_in("red_flags")}
    assert not causes | orders | flags


@pytest.mark.parametrize("case", whole_patients(), ids=lambda case: case["id"])
def test_two_applications_give_the_same_answer(ask: Ask, other_client: FlaskClient, case: Case) -> None:
    """The same request gets the same words and the same explanation from an application started anew."""
    first, second = ask(case), _ask(other_client, case)
    assert told(first) == told(second)
    assert explanation(first) == explanation(second)
