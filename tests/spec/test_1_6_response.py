"""CDS Hooks 2.0.1, the response: what a card holds and what it never holds."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.calls import (
    PROBLEM,
    STORIES,
    VIEW,
    Ask,
    Message,
    cards,
    replaced,
    story,
    strict_json,
    viewing,
    without_presentation,
)

KNOWN_MEMBERS = {
    "uuid",
    "summary",
    "detail",
    "indicator",
    "source",
    "suggestions",
    "selectionBehavior",
    "overrideReasons",
    "links",
    "extension",
}
INDICATORS = ("info", "warning", "critical")


def _suggestions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [suggestion for card in found for suggestion in card.get("suggestions", ())]


def _actions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [action for suggestion in _suggestions(found) for action in suggestion["actions"]]


@pytest.mark.parametrize("name", STORIES)
def test_a_card_holds_what_the_standard_knows(ask: Ask, name: str) -> None:
    """No card has a member of its own making; what is ours stands in `extension`."""
    for card in cards(ask(PROBLEM, story(name))):
        assert set(card) <= KNOWN_MEMBERS
        assert {"uuid", "detail", "extension", "overrideReasons"} <= set(card)


@pytest.mark.parametrize("name", STORIES)
def test_a_summary_is_one_short_line(ask_app: Ask, name: str) -> None:
    """A summary has fewer than 140 characters, on one line, without Markdown."""
    for card in cards(ask_app(PROBLEM, story(name))):
        assert len(card["summary"]) < 140
        assert not set("\n\r\t|`") & set(card["summary"])
        assert "**" not in card["summary"]


def test_a_summary_is_cut_however_long_the_record_is(ask_app: Ask) -> None:
    """Endless names in the record cannot lengthen the summary, and it is cut at a word."""
    message = story()
    for entry in message["prefetch"]["medications"]["entry"]:
        entry["resource"]["medicationCodeableConcept"]["text"] = "hydrochlorothiazide " * 500
    for entry in message["prefetch"]["labs"]["entry"]:
        entry["resource"]["code"]["text"] = "Potassium " * 500
        entry["resource"]["valueQuantity"]["unit"] = "mmol/L " * 500
    for card in cards(ask_app(PROBLEM, message)):
        assert len(card["summary"]) < 140


@pytest.mark.parametrize("name", STORIES)
def test_every_uuid_is_fresh_and_used_once(ask_app: Ask, name: str) -> None:
    """Cards and suggestions carry uuids for feedback, and no two are the same."""
    answers = [cards(ask_app(PROBLEM, story(name))) for _ in range(2)]
    found = [one["uuid"] for answer in answers for one in [*answer, *_suggestions(answer)]]
    assert len(set(found)) == len(found)


@pytest.mark.parametrize("name", STORIES)
def test_every_action_creates_a_draft(ask_app: Ask, name: str) -> None:
    """Only draft orders and open questions for this patient are proposed; nothing is changed or deleted."""
    message = story(name)
    patient = message["context"]["patientId"]
    for action in _actions(cards(ask_app(PROBLEM, message))):
        resource = action["resource"]
        assert action["type"] == "create"
        assert (resource["resourceType"], resource["status"], resource.get("intent")) in {
            ("ServiceRequest", "draft", "proposal"),
            ("QuestionnaireResponse", "in-progress", None),
        }
        assert resource["subject"] == {"reference": f"Patient/{patient}"}
        assert "id" not in resource


@pytest.mark.parametrize("name", STORIES)
def test_nothing_happens_without_the_clinician(ask_app: Ask, name: str) -> None:
    """No system action is ever sent."""
    assert set(strict_json(ask_app(PROBLEM, story(name)).body)) == {"cards"}


@pytest.mark.parametrize("name", STORIES)
def test_orders_can_be_chosen_together(ask_app: Ask, name: str) -> None:
    """Suggestions are independent orders, so any number of them may be accepted."""
    for card in cards(ask_app(PROBLEM, story(name))):
        assert card.get("selectionBehavior") == ("any" if "suggestions" in card else None)


@pytest.mark.parametrize("name", STORIES)
def test_the_most_urgent_card_stands_first(ask_app: Ask, name: str) -> None:
    """Cards are ordered by their level."""
    ranks = [INDICATORS.index(card["indicator"]) for card in cards(ask_app(PROBLEM, story(name)))]
    assert ranks == sorted(ranks, reverse=True)


def test_the_source_is_this_server(ask_server: Ask, ask_production: Ask) -> None:
    """`source.url` is an absolute address of the running service: in production its public one."""
    for card in cards(ask_production(PROBLEM, story())):
        assert card["source"]["url"] == "https://cds.example.org/spasm/about"
    for card in cards(ask_server(PROBLEM, story())):
        host = ask_server("/health/live", method="GET")
        assert host.status == 200
        assert card["source"]["url"].startswith("http://127.0.0.1:")
        assert not card["source"]["url"].startswith("http://127.0.0.1:8000/")


@pytest.mark.parametrize("name", STORIES)
def test_a_chart_view_is_quiet(ask: Ask, name: str) -> None:
    """Opening a chart shows at most two cards."""
    assert 1 <= len(cards(ask(VIEW, viewing(name)))) <= 2


@pytest.mark.parametrize("name", STORIES)
def test_a_chart_view_without_a_presentation_is_silent(ask: Ask, name: str) -> None:
    """Without muscle spasm on the problem list, opening a chart shows nothing, whatever else is on record."""
    message = viewing(name)
    assert cards(ask(VIEW, without_presentation(message))) == []


def _status(code: str) -> dict[str, Any]:
    system = "http://terminology.hl7.org/CodeSystem/condition-clinical"
    return {"coding": [{"system": system, "code": code}]}


def _resolved(message: Message) -> Message:
    return replaced(message, "prefetch.problems.entry.0.resource.clinicalStatus", _status("resolved"))


def _inactive(message: Message) -> Message:
    return replaced(message, "prefetch.problems.entry.0.resource.clinicalStatus", _status("inactive"))


def _in_error(message: Message) -> Message:
    status = {"coding": [{"code": "entered-in-error"}]}
    return replaced(message, "prefetch.problems.entry.0.resource.verificationStatus", status)


def _refuted(message: Message) -> Message:
    status = {"coding": [{"code": "refuted"}]}
    return replaced(message, "prefetch.problems.entry.0.resource.verificationStatus", status)


def _over(message: Message) -> Message:
    return replaced(message, "prefetch.problems.entry.0.resource.abatementDateTime", "2026-06-10")


@pytest.mark.parametrize("change", [_resolved, _inactive, _in_error, _refuted, _over])
def test_a_chart_view_speaks_of_active_problems_only(ask_app: Ask, change: Any) -> None:
    """A presentation that is resolved, refuted, entered in error or over opens no card."""
    assert cards(ask_app(VIEW, change(viewing()))) == []
