"""The history as it is served and used: a valid Questionnaire, and answers that move the cards."""

from __future__ import annotations

import json
from typing import Any

import pytest
from fhir.resources.R4B.questionnaire import Questionnaire
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from cds_service.app import create_app
from cds_service.replay.card_text import explanation
from cds_service.settings import Settings
from tests.functional.server import LiveServer
from tests.support.answers import QUESTIONNAIRE, URL, answer, response, types
from tests.support.case_files import Case, whole_patients
from tests.support.json_text import to_json
from tests.support.patients import hook_request, subject_of

PATH = f"/fhir/Questionnaire/{QUESTIONNAIRE}"
LINKS_OF_THE_CONTRACT = (
    *("1", "2.1", "2.2", "3.1", "3.2", "4", "5"),
    *(f"6.{number}" for number in range(1, 13)),
    *("7.1", "7.2", "7.3", "7.4", "7.5", "8.1", "8.2", "9.1", "10.1", "10.2", "10.3", "10.4", "10.5"),
)
"""The linkIds that other systems may hold answers to."""


def served(server: LiveServer, path: str) -> tuple[int, str | None, bytes]:
    """Return status, content type and body of a page."""
    connection = server.connection()
    connection.request("GET", path)
    reply = connection.getresponse()
    found = reply.status, reply.getheader("Content-Type"), reply.read()
    connection.close()
    return found


def _every(items: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [found for item in items for found in (item, *_every(item.get("item", [])))]


def test_the_questionnaire_is_served_as_fhir(live_server: LiveServer) -> None:
    """It is valid FHIR R4 of the running version, and holds every question of the contract once."""
    status, kind, body = served(live_server, PATH)
    assert (status, kind) == (200, "application/fhir+json")
    resource = json.loads(body)
    Questionnaire.model_validate(resource)
    assert (resource["url"], resource["title"], resource["status"]) == (URL, "Muscle spasm history", "active")
    links = [item["linkId"] for item in _every(resource["item"])]
    assert len(set(links)) == len(links)
    assert set(LINKS_OF_THE_CONTRACT) <= set(links)
    _status, _kind, about = served(live_server, "/about")
    assert resource["version"] in about.decode()


@pytest.mark.parametrize("path", ["/fhir/Questionnaire/other", "/fhir/Questionnaire/", "/fhir/Questionnaire"])
def test_another_questionnaire_is_not_found(live_server: LiveServer, path: str) -> None:
    """The answer is an OperationOutcome."""
    status, kind, body = served(live_server, path)
    assert (status, kind) == (404, "application/fhir+json")
    assert json.loads(body)["resourceType"] == "OperationOutcome"


@pytest.fixture(scope="module")
def twitching() -> Case:
    """Return a patient with twitching, weakness answered and much left to ask."""
    return next(case for case in whole_patients() if case["id"] == "Q01")


def ask(case: Case, *items: dict[str, Any]) -> dict[str, Any]:
    """Return the answer for the patient of a case who gave these answers and no others."""
    request = hook_request({**case, "answers": []})
    given = response(items, subject_of(case), "given")
    QuestionnaireResponse.model_validate(given)
    request["prefetch"]["questionnaireResponses"] = {
        "resourceType": "Bundle",
        "type": "searchset",
        "entry": [{"resource": given}],
    }
    client = create_app(Settings(public_base_url="https://cds.example.org")).test_client()
    reply = client.post(
        "/cds-services/muscle-spasm-problem", data=to_json(request).encode(), content_type="application/json"
    )
    assert reply.status_code == 200
    found = reply.get_json()
    assert isinstance(found, dict)
    return found


def explained(answered: dict[str, Any]) -> dict[str, Any]:
    """Return the explanation of an answer."""
    found = explanation(answered)
    assert found is not None
    return dict(found)


def questionnaires_linked(card: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the links of a card that lead to the questions."""
    return [link for link in card.get("links", ()) if "/fhir/Questionnaire/" in link["url"]]


def test_answers_move_the_ranking(twitching: Case) -> None:
    """Weakness that is reported raises the red flag and names a neuromuscular disorder; denied, it does neither."""
    there = explained(ask(twitching, answer("6.1", "yes")))
    denied = explained(ask(twitching, answer("6.1", "no")))
    assert [flag["id"] for flag in there["red_flags"]] == ["RF1"]
    assert denied["red_flags"] == []
    standing = {one["cause"]: one["standing"] for one in there["ranking"]}
    assert standing["motor-neuron-disease"] == "possible"
    assert "motor-neuron-disease" not in {one["cause"] for one in denied["ranking"]}


@pytest.mark.parametrize(
    ("flag", "answers"),
    [
        ("RF1", {"6.1": "yes"}),
        ("RF1", {"6.2": "yes"}),
        ("RF2", {"6.1": "yes", "6.4": "yes"}),
        ("RF3", {"6.3.2": "yes"}),
        ("RF4", {"6.7.1": "yes", "6.7.2": "yes"}),
        ("RF5", {"6.8": "yes"}),
        ("RF8", {"6.6.1": "yes", "6.6.2": "yes"}),
        ("RF14", {"6.10": "yes"}),
        ("RF17", {"8.2": "2026-06-14", "6.7.3": "yes"}),
    ],
)
def test_answers_raise_red_flags(twitching: Case, flag: str, answers: dict[str, str]) -> None:
    """What was answered stands on the card of the flag, in the words of the questions and as reported."""
    unmeasured = {**twitching, "labs": []}
    found = ask(unmeasured, *(answer(link, value) for link, value in answers.items()))
    fired = {one["id"]: one["facts"] for one in explained(found)["red_flags"]}
    assert flag in fired
    told = [fact for fact in fired[flag] if fact.get("reference") == "QuestionnaireResponse/given"]
    assert told
    assert {fact["note"] for fact in told} == {"patient-reported"}


@pytest.mark.parametrize("link", ["6.1", "6.2", "6.3.2", "6.4", "6.7.1", "6.8", "6.10"])
def test_answers_that_deny_raise_none(twitching: Case, link: str) -> None:
    """No is no."""
    assert explained(ask(twitching, answer(link, "no")))["red_flags"] == []


def test_what_is_open_is_offered_and_nothing_else(twitching: Case) -> None:
    """The draft is valid FHIR, holds the questions that were not answered, and the card links to all of them."""
    answered = ask(twitching, answer("6.1", "no"), answer("2.1", "2026-06-01"))
    card = answered["cards"][-1]
    assert questionnaires_linked(card) == [
        {"label": "Muscle spasm history", "url": f"https://cds.example.org{PATH}", "type": "absolute"}
    ]
    suggestion = next(one for one in card["suggestions"] if one["label"].startswith("Ask the history"))
    assert "isRecommended" not in suggestion
    draft = suggestion["actions"][0]["resource"]
    QuestionnaireResponse.model_validate(draft)
    open_links = {item["linkId"] for item in _every(draft["item"]) if "item" not in item}
    assert suggestion["label"] == f"Ask the history questions ({len(open_links)} unanswered)"
    assert {"6.2", "6.4", "7.2", "10.1"} <= open_links
    assert open_links.isdisjoint({"1", "2.1", "6.1"})
    assert "answer" not in json.dumps(draft["item"])


ANSWERS = {"boolean": "no", "date": "2026-06-01", "text": "none", "integer": "3", "decimal": "3"}


def test_the_history_is_done_when_everything_is_answered(twitching: Case) -> None:
    """Nothing is offered then, and the workup says when it was answered."""
    known = {link: kind for link, kind in types().items() if kind in ANSWERS}
    items = [answer(link, ANSWERS[kind]) for link, kind in known.items() if link not in {"8.1.1", "9.1.1"}]
    for link, code in (
        *(("2.2", "same"), ("3.1", "hand-right"), ("3.2", "one"), ("4", "daily"), ("5", "seconds")),
        *(("6.5", "none"), ("6.9", "none"), ("7.5", "ordinary"), ("8.1", "neither"), ("9.1", "none")),
        *(("10.1", "normal"), ("10.2", "normal"), ("10.3", "normal"), ("10.4", "normal")),
        *(("10.5.1", "normal"), ("10.5.2", "none"), ("10.5.3", "negative"), ("10.5.4", "normal")),
    ):
        items.append(answer(link, code))
    answered = ask(twitching, *items)
    (item,) = (one for one in explained(answered)["workup"] if one["order"] == QUESTIONNAIRE)
    assert (item["status"], item["on"], item["reference"]) == (
        "already-done",
        "2026-06-15",
        "QuestionnaireResponse/given",
    )
    card = answered["cards"][-1]
    assert questionnaires_linked(card) == []
    assert "QuestionnaireResponse" not in json.dumps(card.get("suggestions", []))


def test_beside_a_critical_flag_the_history_is_left_out(twitching: Case) -> None:
    """There is no time for questions: no card offers them or links to them."""
    high = {"lab": "potassium", "value": "6.9", "unit": "mmol/L", "flag": "HH", "date": "2026-06-15"}
    answered = ask({**twitching, "labs": [high]}, answer("6.2", "no"))
    assert answered["cards"][0]["indicator"] == "critical"
    labels = [one["label"] for card in answered["cards"] for one in card.get("suggestions", ())]
    assert not [label for label in labels if "history" in label]
    assert not [card for card in answered["cards"] if questionnaires_linked(card)]
