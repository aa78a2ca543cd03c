"""Cards at the sandbox, in a real browser: recorded, read, accepted, dismissed, and explained."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, Request, Route, expect

from cds_service.settings import Settings
from cds_service.store.database import Database
from tests.browser.desk import Desk, explanation
from tests.spec.calls import STORIES
from tests.support.case_files import read_yaml
from tests.support.feedback import Kept, kept_of
from tests.support.places import SAMPLES

pytestmark = pytest.mark.browser

THIAZIDE = "ms-fasciculation-on-thiazide"
FEEDBACK = "**/cds-services/muscle-spasm-problem/feedback"


def expected(name: str) -> dict[str, Any]:
    """Return what the answer to a sample must be."""
    found: dict[str, Any] = read_yaml(SAMPLES / name / "expected.yaml")["expect"]
    return found


def ranked(answer: dict[str, Any]) -> list[str]:
    """Return the causes in their order."""
    return [one["cause"] for one in explanation(answer)["ranking"]]


def test_a_recorded_problem_brings_the_right_cards(desk: Desk) -> None:
    """The sample's own problem stands ready; recorded, it joins the problem list and the expected cards are read."""
    desk.open_story(THIAZIDE)
    expect(desk.page.get_by_label("Patient", exact=True)).to_contain_text("Woman, 46 years")
    answer = desk.record()
    first = desk.cards.first
    expect(first).to_contain_text("Warning")
    expect(first).to_contain_text("hydrochlorothiazide since 1 May 2026")
    expect(first.get_by_role("table")).to_be_visible()
    assert set(ranked(answer)[:2]) == set(expected(THIAZIDE)["rank"][0])
    expect(desk.chart.locator("section", has_text="Problems").first).to_contain_text(
        "Fasciculation of calves"
    )


def test_the_page_asks_as_an_ehr_does(desk: Desk, page: Page) -> None:
    """The call holds exactly the keys that discovery asks for, the and the recorded condition."""
    desk.open_story(THIAZIDE)
    with page.expect_request("**/cds-services/muscle-spasm-problem") as caught:
        desk.record()
    sent = caught.value.post_data or ""
    body = json.loads(sent)
    services = page.request.get("/cds-services").json()["services"]
    prefetch = next(one["prefetch"] for one in services if one["id"] == "muscle-spasm-problem")
    assert body["prefetch"].keys() == prefetch.keys()
    assert body["context"]["conditions"]["entry"][0]["resource"]["id"] == "p02-recorded-1"
    labs = body["prefetch"]["labs"]["entry"]
    assert len(labs) == 5


def told(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return level and summary of every card."""
    return [(card["indicator"], card["summary"]) for card in answer["cards"]]


def test_every_sample_is_answered_as_by_its_own_request(desk: Desk, page: Page) -> None:
    """What the page sends for a sample brings the cards and the ranking that the sample's own request brings."""
    differing = []
    for path in (SAMPLES / name / "request.json" for name in STORIES):
        headers = {"Content-Type": "application/json"}
        own = page.request.post(
            "/cds-services/muscle-spasm-problem", data=path.read_bytes(), headers=headers
        ).json()
        desk.open_story(path.parent.name)
        expect(page.get_by_label("Patient", exact=True)).to_contain_text(patient_of(path.read_bytes()))
        shown = desk.record()
        if told(shown) != told(own) or ranked(shown) != ranked(own):
            differing.append(path.parent.name)
    assert differing == []


def patient_of(request: bytes) -> str:
    """Return how the banner names the patient of a request."""
    return f"ID {json.loads(request)['context']['patientId']}"


def test_words_of_ones_own_and_known_terms_can_be_recorded(desk: Desk) -> None:
    """Typing finds the coded terms; a chosen one is sent with its code, other words are sent as they are."""
    desk.open_story("benign-twitch-with-caffeine")
    field = desk.page.get_by_label("Problem", exact=True)
    field.fill("fascic")
    desk.page.get_by_role("button", name="Muscle fasciculation").click()
    with desk.page.expect_request("**/cds-services/muscle-spasm-problem") as caught:
        desk.record()
    code = json.loads(caught.value.post_data or "")["context"]["conditions"]["entry"][0]["resource"]["code"]
    assert code["coding"][0]["code"] == "82470000"
    assert desk.record("bronchospasm") == {"cards": []}
    expect(desk.page.get_by_role("tabpanel", name="Cards")).to_contain_text("nothing to say")


def accept_first_order(desk: Desk) -> tuple[dict[str, Any], dict[str, Any]]:
    """Accept the first suggestion of the first card; return the suggestion and the feedback that was sent."""
    answer = desk.record()
    suggestion = answer["cards"][0]["suggestions"][0]
    with desk.page.expect_request(FEEDBACK) as caught:
        desk.cards.first.get_by_role("button", name=suggestion["label"], exact=True).click()
    return suggestion, {"card": answer["cards"][0]["uuid"], **json.loads(caught.value.post_data or "")}


def test_an_accepted_suggestion_becomes_an_order_and_feedback(desk: Desk, page: Page) -> None:
    """The draft stands among the orders, the service has stored which suggestion of which card, and that is told."""
    desk.open_story(THIAZIDE)
    suggestion, sent = accept_first_order(desk)
    (item,) = sent["feedback"]
    assert item["card"] == sent["card"]
    assert item["outcome"] == "accepted"
    assert item["acceptedSuggestions"] == [{"id": suggestion["uuid"]}]
    assert item["outcomeTimestamp"].endswith("Z")
    orders = page.locator("#orders")
    expect(orders).to_contain_text("Potassium")
    expect(orders).to_contain_text("draft")
    expect(desk.cards.first).to_contain_text("Feedback sent.")
    (kept,) = stored(sent["card"])
    assert (kept.outcome, kept.suggestions, kept.is_known) == ("accepted", (suggestion["uuid"],), True)


def stored(card: str) -> list[Kept]:
    """Return the feedback on a card that is in the store of the service."""
    database = Database(Settings().store_url)
    kept = kept_of(database, card)
    database.close()
    return kept


def test_one_at_most_is_taken_where_the_card_says_so(desk: Desk, page: Page) -> None:
    """On a card with `at-most-one` the other suggestions are closed; update and delete are carried out."""
    sample = json.loads((SAMPLES / "twitching-with-tests-pending" / "request.json").read_bytes())
    order = sample["prefetch"]["serviceRequests"]["entry"][0]["resource"]
    medicine = sample["prefetch"]["medications"]["entry"][0]["resource"]
    changed = {**order, "code": {"text": "Changed order"}}
    actions = [
        {"type": "delete", "description": "x", "resourceId": f"MedicationRequest/{medicine['id']}"},
        {"type": "update", "description": "x", "resource": changed},
    ]
    card = {
        "uuid": "c0000000-0000-4000-8000-000000000001",
        "summary": "A choice",
        "indicator": "info",
        "source": {"label": "Test"},
        "selectionBehavior": "at-most-one",
        "suggestions": [
            {"label": "Change it", "uuid": "c0000000-0000-4000-8000-000000000002", "actions": actions},
            {"label": "Leave it", "uuid": "c0000000-0000-4000-8000-000000000003"},
        ],
    }
    page.route("**/cds-services/muscle-spasm-problem", lambda route: route.fulfill(json={"cards": [card]}))
    desk.open_story("twitching-with-tests-pending")
    desk.record()
    expect(desk.chart).to_contain_text(medicine["medicationCodeableConcept"]["text"])
    page.get_by_role("button", name="Change it").click()
    expect(page.locator("#orders")).to_contain_text("Changed order")
    expect(desk.chart).not_to_contain_text(medicine["medicationCodeableConcept"]["text"])
    expect(page.get_by_role("button", name="Leave it")).to_be_disabled()


def test_a_signed_order_is_not_suggested_again(desk: Desk, page: Page) -> None:
    """Once signed the order is active, the service is asked again, and calls it already ordered."""
    desk.open_story(THIAZIDE)
    accept_first_order(desk)
    with page.expect_response("**/cds-services/muscle-spasm-problem") as caught:
        page.get_by_role("button", name="Sign Potassium").click()
    workup = {item["order"]: item["status"] for item in explanation(caught.value.json())["workup"]}
    assert workup["potassium"] == "already-ordered"
    expect(desk.moved).to_contain_text("No longer suggested Potassium")


@pytest.mark.parametrize("status", [404, 503])
def test_feedback_that_is_not_stored_is_told(desk: Desk, page: Page, status: int) -> None:
    """A service without feedback, or one that cannot store it, loses no order and says so."""
    page.route(FEEDBACK, lambda route: route.fulfill(status=status))
    desk.open_story(THIAZIDE)
    accept_first_order(desk)
    expect(desk.cards.first).to_contain_text("Feedback not stored")
    expect(page.locator("#orders")).to_contain_text("Potassium")


def test_a_card_is_dismissed_with_a_reason(desk: Desk, page: Page) -> None:
    """Reason and comment are sent as an override and the reason is stored; the card folds away and can be had back."""
    desk.open_story(THIAZIDE)
    answer = desk.record()
    reason = next(
        one for one in answer["cards"][0]["overrideReasons"] if one["display"] == "Cause already known"
    )
    card = desk.cards.first
    card.get_by_text("Dismiss…").click()
    card.get_by_label("Cause already known").check()
    card.get_by_label("Comment").fill("seen last week")
    with page.expect_request(FEEDBACK) as caught:
        card.get_by_role("button", name="Dismiss", exact=True).click()
    (item,) = json.loads(caught.value.post_data or "")["feedback"]
    assert item["outcome"] == "overridden"
    assert item["overrideReason"] == {
        "reason": {"code": reason["code"], "system": reason["system"]},
        "userComment": "seen last week",
    }
    expect(card).to_contain_text("Dismissed: Cause already known. Feedback sent.")
    (kept,) = stored(answer["cards"][0]["uuid"])
    assert (kept.outcome, kept.reason, kept.comment) == ("overridden", reason["code"], None)
    expect(card.locator(".detail")).to_be_hidden()
    card.get_by_role("button", name="Show again").click()
    expect(card.locator(".detail")).to_be_visible()


def test_a_refusal_is_shown_with_its_reason(desk: Desk, page: Page) -> None:
    """What the service answers instead of cards stands there in its own words, and no old card beside it."""
    refusal = {
        "resourceType": "OperationOutcome",
        "issue": [{"details": {"text": "Required data"}, "expression": ["prefetch.labs"]}],
    }

    def refuse(route: Route, _request: Request) -> None:
        route.fulfill(status=412, json=refusal)

    desk.open_story(THIAZIDE)
    desk.record()
    page.route("**/cds-services/muscle-spasm-problem", refuse)
    desk.record()
    expect(page.get_by_role("tabpanel", name="Cards")).to_contain_text(
        "Required data (prefetch.labs). Answered with status 412."
    )
    expect(desk.cards).to_have_count(0)
    page.unroute("**/cds-services/muscle-spasm-problem")
    page.get_by_role("button", name="Ask again").click()
    expect(desk.cards.first).to_be_visible()


def test_all_that_is_recommended_is_taken_at_once(desk: Desk, page: Page) -> None:
    """It stands first; taken, every order of it is there once, and none can be added a second time."""
    desk.open_story(THIAZIDE)
    answer = desk.record()
    names = [one["label"] for one in answer["cards"][0]["suggestions"] if one.get("isRecommended")]
    assert len(names) == 3
    group = desk.cards.first.get_by_role("region", name="Recommended")
    expect(group.get_by_role("button")).to_have_count(4)
    group.get_by_role("button").first.click()
    expect(page.locator("#orders .entry")).to_have_count(3)
    for name in names:
        expect(group.get_by_role("button", name=name, exact=True)).to_be_disabled()
    expect(desk.cards.first.get_by_role("button", name="Medication review")).to_be_enabled()


def test_one_that_is_recommended_closes_all_at_once(desk: Desk) -> None:
    """Once one of them is among the orders, the others can be taken, but not all together."""
    desk.open_story(THIAZIDE)
    accept_first_order(desk)
    group = desk.cards.first.get_by_role("region", name="Recommended")
    expect(group.get_by_role("button", name="All 3 recommended")).to_be_disabled()
    expect(group.get_by_role("button", name="ECG", exact=True)).to_be_enabled()


def test_a_waiting_problem_is_recorded_where_the_cards_will_be(desk: Desk, page: Page) -> None:
    """Before anything is recorded, the place of the cards offers to record what stands in the form at the moment."""
    desk.open_story(THIAZIDE)
    place = page.get_by_role("tabpanel", name="Cards")
    expect(place.get_by_role("button", name="Record “Fasciculation of calves and thighs”")).to_be_visible()
    page.get_by_label("Problem", exact=True).fill("twitching of both calves")
    with page.expect_request("**/cds-services/muscle-spasm-problem") as caught:
        place.get_by_role("button", name="Record “twitching of both calves”").click()
    recorded = json.loads(caught.value.post_data or "")["context"]["conditions"]["entry"][0]["resource"]
    assert recorded["code"]["text"] == "twitching of both calves"
    expect(desk.cards.first).to_contain_text("Low potassium 2.8 mmol/L")


def test_a_long_explanation_leads_to_its_parts(desk: Desk, page: Page) -> None:
    """A button for each part brings it into view, opens it where it is folded, and moves the focus there."""
    desk.open_story(THIAZIDE)
    desk.record()
    why = desk.view("Why")
    why.get_by_role("navigation", name="Jump to").get_by_role("button", name="Not assessed").click()
    expect(why.locator("details.folded").first).to_have_attribute("open", "")
    expect(why.locator("details.folded > summary").first).to_be_focused()
    expect(why.locator("details.folded > summary").first).to_be_in_viewport()


def test_why_draws_the_explanation(desk: Desk, page: Page) -> None:
    """Every ranked cause stands in order with standing, arguments, values, dates and a mark for the source document."""
    desk.open_story(THIAZIDE)
    answer = desk.record()
    told = explanation(answer)
    why = desk.view("Why")
    causes = why.locator(".ranking > li")
    expect(causes).to_have_count(len(told["ranking"]))
    first = causes.first
    expect(first).to_contain_text("Low potassium")
    expect(first).to_contain_text("likely")
    expect(first).to_contain_text("potassium 2.8 mmol/L (range 3.5-5.3), 12 Jun 2026")
    expect(first).to_contain_text("source document")
    expect(first.locator(".origin", has_text="added")).to_have_count(1)
    expect(why).to_contain_text(told["knowledge_version"])
    first.get_by_role("button", name="Show in chart: Observation/p02-lab-1").click()
    expect(desk.chart.locator("tr.shown")).to_contain_text("Potassium")


def test_how_it_was_worked_out_leads_to_the_method(desk: Desk, page: Page) -> None:
    """The link on the card opens the page of the method; one at a cause leads to its place there."""
    desk.open_story(THIAZIDE)
    desk.record()
    with page.context.expect_page() as opened:
        desk.cards.first.get_by_role("link", name="how this was worked out", exact=True).click()
    expect(opened.value.get_by_role("heading", level=1)).to_have_text("How the cards are made")
    assert "p02" not in opened.value.url
    link = desk.view("Why").get_by_role("link", name="All that is weighed").first
    assert page.context.request.get(link.get_attribute("href") or "").ok
    assert 'id="hypokalemia"' in page.context.request.get("/about").text()


def test_a_card_in_hand_is_explained(desk: Desk, page: Page) -> None:
    """A pasted answer is drawn without any stored data; what holds no explanation is told."""
    answer = page.request.post(
        "/cds-services/muscle-spasm-problem",
        data=(SAMPLES / "high-potassium-in-kidney-disease" / "request.json").read_bytes(),
        headers={"Content-Type": "application/json"},
    )
    page.goto("/sandbox/explain")
    page.wait_for_selector("html[data-ready]")
    field, button = (
        page.get_by_label("Card or answer"),
        page.get_by_role("button", name="Explain", exact=True),
    )
    for pasted in (answer.text(), json.dumps(answer.json()["cards"][0])):
        field.fill(pasted)
        button.click()
        expect(page.get_by_label("Explanation")).to_contain_text("RF10")
        expect(page.get_by_label("Explanation")).to_contain_text("6.9 mmol/L")
    field.fill(json.dumps(answer.json()["cards"][1]))
    button.click()
    expect(page.get_by_role("alert")).to_contain_text("points at the first card")
    for pasted in ("{", "{}", "null", "[1]"):
        field.fill(pasted)
        button.click()
        expect(page.get_by_role("alert")).to_be_visible()
        expect(page.get_by_label("Explanation")).to_be_empty()


def test_the_inspector_shows_the_call(desk: Desk, page: Page) -> None:
    """Request, answer, time and validation are there, and the copied command holds the very request."""
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    desk.open_story(THIAZIDE)
    with page.expect_request("**/cds-services/muscle-spasm-problem") as caught:
        desk.record()
    panel = desk.view("Inspector")
    expect(panel).to_contain_text("Request: keeps to CDS Hooks 2.0.1.")
    expect(panel).to_contain_text("Response: keeps to CDS Hooks 2.0.1.")
    expect(panel).to_contain_text(" ms, seen from this page")
    panel.get_by_text("Request", exact=True).last.click()
    expect(panel.get_by_label("Request", exact=True)).to_contain_text('"hook": "problem-list-item-create"')
    panel.get_by_role("button", name="Copy as curl").click()
    expect(panel.get_by_role("button", name="Copied")).to_be_visible()
    copied = page.evaluate("navigator.clipboard.readText()")
    assert copied.startswith("curl -s 'http://127.0.0.1:")
    assert caught.value.post_data in copied
