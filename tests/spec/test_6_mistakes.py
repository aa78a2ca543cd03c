"""Mistakes that other CDS Hooks services made in public, each as a test of this one."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest

from tests.spec.calls import (
    DISCOVERY,
    PROBLEM,
    STORIES,
    VIEW,
    Ask,
    Message,
    all_advertised,
    bundle_of,
    cards,
    detail,
    notes,
    outcome_resource,
    recording,
    refusal,
    removed,
    replaced,
    story,
    strict_json,
    viewing,
    without_presentation,
    without_uuids,
)
from tests.support.feedback import overridden


def _actions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [
        action
        for card in found
        for suggestion in card.get("suggestions", ())
        for action in suggestion["actions"]
    ]


def test_discovery_speaks_of_titles_and_hooks_of_today(ask: Ask) -> None:
    """A service has a `title` and no `name`, and no hook that was withdrawn."""
    for service in strict_json(ask(DISCOVERY, method="GET").body)["services"]:
        assert "title" in service
        assert "name" not in service
        assert service["hook"] not in {"medication-prescribe", "order-review"}


@pytest.mark.parametrize("name", STORIES)
def test_indicators_are_those_of_the_standard(ask_app: Ask, name: str) -> None:
    """There is no `success` and no `hard-stop`."""
    for card in cards(ask_app(PROBLEM, story(name))):
        assert card["indicator"] in {"info", "warning", "critical"}


def test_an_action_is_lower_case_and_holds_an_object(ask_app: Ask) -> None:
    """An action's type is lower case and its resource is JSON, not a string of JSON."""
    found = [action for name in STORIES for action in _actions(cards(ask_app(PROBLEM, story(name))))]
    assert found
    assert {action["type"] for action in found} == {"create"}
    assert {type(action["resource"]) for action in found} == {dict}


@pytest.mark.parametrize("name", STORIES)
def test_the_new_problem_is_never_touched(ask_app: Ask, name: str) -> None:
    """The Condition that was just recorded is neither updated nor deleted; drafts may refer to it."""
    for action in _actions(cards(ask_app(PROBLEM, story(name)))):
        assert "resourceId" not in action
        assert action["resource"]["resourceType"] != "Condition"


@pytest.mark.parametrize("key", ["patient", "problems", "medications", "labs", "exam"])
def test_one_key_does_not_stand_for_all(ask: Ask, key: str) -> None:
    """A request that answers one key is not taken for complete: the others are named as not checked."""
    shown = detail(ask(PROBLEM, recording({key: story()["prefetch"][key]})))
    for other in all_advertised(ask)["muscle-spasm-problem"]:
        assert bool(re.search(rf"\b{other}\b", shown)) == (other != key)


def test_a_call_without_any_fhir_access_is_answered(ask: Ask) -> None:
    """`fhirServer` and `fhirAuthorization` may both be left out."""
    message = story()
    assert not {"fhirServer", "fhirAuthorization"} & set(message)
    assert cards(ask(PROBLEM, message))


@pytest.mark.parametrize("member", ["hookInstance", "context", "context.userId", "context.patientId"])
def test_a_missing_field_is_400_and_not_404(ask: Ask, member: str) -> None:
    """404 would tell the client that the service is gone."""
    assert refusal(ask(PROBLEM, removed(story(), member)), 400, "required") == [member]


def test_an_unknown_field_is_no_fault(ask: Ask) -> None:
    """A field of another version or vendor is read over."""
    assert cards(ask(PROBLEM, {**story(), "hookVersion": "3.0", "vendor": {"a": [1]}}))


def test_a_missing_patient_is_told(ask: Ask) -> None:
    """Without the Patient the advice does not pretend to know age and sex."""
    shown = detail(ask(PROBLEM, removed(story(), "prefetch.patient")))
    assert re.search(r"\bpatient\b", shown)


@pytest.mark.parametrize("key", [None, *story()["prefetch"]])
def test_optional_data_may_be_absent(ask_app: Ask, key: str | None) -> None:
    """Each key and the encounter can be left out on its own."""
    message = removed(story(), "context.encounterId") if key is None else removed(story(), f"prefetch.{key}")
    assert cards(ask_app(PROBLEM, message))


@pytest.mark.parametrize("method", ["GET", "POST"])
def test_cors_holds_for_post_and_preflight_too(ask: Ask, method: str) -> None:
    """A browser-based client is not left with discovery only."""
    origin = {"Origin": "https://sandbox.cds-hooks.org"}
    preflight = ask(PROBLEM, None, {**origin, "Access-Control-Request-Method": method}, "OPTIONS")
    assert preflight.status == 204
    for answer in (preflight, ask(PROBLEM, story(), origin), ask(DISCOVERY, None, origin, "GET")):
        assert answer.headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(
    ("path", "message"), [(PROBLEM, without_presentation(story())), (VIEW, without_presentation(viewing()))]
)
def test_nothing_to_say_is_200_with_no_cards(ask: Ask, path: str, message: Message) -> None:
    """No advice is neither an error nor 204."""
    answer = ask(path, message)
    assert (answer.status, answer.body) == (200, b'{"cards":[]}')


def test_feedback_wants_its_wrapper_and_has_one_address(ask: Ask) -> None:
    """The answers stand in `feedback`, and nothing is served at the address that old clients knew."""
    item = overridden("9368d37b-283f-44a0-93ea-547cebab93ed")
    path = f"{PROBLEM}/feedback"
    assert refusal(ask(path, item), 400, "required") == ["feedback"]
    assert refusal(ask(path, json.dumps([item]).encode()), 400, "structure") == ["$"]
    assert ask(path, {"feedback": [item]}).status == 200
    assert refusal(ask(f"{PROBLEM}/analytics/{item['card']}", item), 404, "not-found") == []


def test_independent_orders_are_not_exclusive(ask_app: Ask) -> None:
    """Several tests can be ordered together, so no card allows only one of them."""
    several = [
        card
        for name in STORIES
        for card in cards(ask_app(PROBLEM, story(name)))
        if len(card.get("suggestions", ())) > 1
    ]
    assert several
    assert {card["selectionBehavior"] for card in several} == {"any"}


def test_empty_null_missing_and_error_are_told_apart(ask: Ask) -> None:
    """Empty and null say that nothing is on record; missing, failed and nonsense say that nobody knows."""
    looked = [None, bundle_of(), {"resourceType": "Bundle"}]
    unknown = [outcome_resource(), bundle_of(outcome_resource()), "<html>Login</html>", 0, False, []]
    named = [
        bool(re.search(r"\blabs\b", detail(ask(PROBLEM, replaced(story(), "prefetch.labs", value)))))
        for value in (*looked, *unknown)
    ]
    assert named == [False] * len(looked) + [True] * len(unknown)
    assert re.search(r"\blabs\b", detail(ask(PROBLEM, removed(story(), "prefetch.labs"))))


@pytest.mark.parametrize("user", ["Practitioner/123", "123"])
@pytest.mark.parametrize("prefix", ["", "Patient/"])
def test_ids_are_read_with_and_without_their_type(ask: Ask, user: str, prefix: str) -> None:
    """`userId` as a bare id and `patientId` as a reference are read for what they mean."""
    plain = cards(ask(PROBLEM, story()))
    message = replaced(story(), "context.userId", user)
    message["context"]["patientId"] = prefix + message["context"]["patientId"]
    answer = ask(PROBLEM, message)
    assert cards(answer)[0]["summary"] == plain[0]["summary"]
    assert (notes(answer).get("context.patientId") == "id-with-type") == bool(prefix)


def test_a_token_without_expires_in_is_tolerated(ask: Ask) -> None:
    """A known client leaves the lifetime of the token out."""
    message = story()
    message["fhirServer"] = "https://ehr.example.org/fhir"
    message["fhirAuthorization"] = {
        "access_token": "opaque",
        "token_type": "Bearer",
        "scope": "x",
        "subject": "y",
    }
    assert without_uuids(cards(ask(PROBLEM, message))) == without_uuids(cards(ask(PROBLEM, story())))


@pytest.mark.parametrize("name", STORIES)
def test_no_html_stands_in_a_detail(ask_app: Ask, name: str) -> None:
    """Details are Markdown without a single tag."""
    for card in cards(ask_app(PROBLEM, story(name))):
        assert not re.search(r"<[A-Za-z/!?]", card["detail"])
