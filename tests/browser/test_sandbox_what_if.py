"""Supposing at the sandbox, in a real browser: values, conditions, medicines and history answers move the ranking."""

from __future__ import annotations

import json
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.browser.desk import Desk, explanation

pytestmark = pytest.mark.browser

BENIGN = "benign-twitch-with-caffeine"
SERVICE = "**/cds-services/muscle-spasm-problem"


@pytest.fixture
def recorded(desk: Desk) -> Desk:
    """Return the page with a benign twitch recorded and the chart open for changes."""
    desk.open_story(BENIGN)
    desk.record()
    desk.page.get_by_role("button", name="What if…").click()
    return desk


def test_a_potassium_of_2_4_brings_the_red_flag(recorded: Desk) -> None:
    """Lowering potassium from 4.2 to 2.4 makes a critical card, and the difference names flag and first cause."""
    sent = recorded.change("Value of Potassium", "2.4")
    potassium = sent["prefetch"]["labs"]["entry"][0]["resource"]
    assert potassium["valueQuantity"]["value"] == 2.4
    assert "interpretation" not in potassium  # the mark was given to the value before
    expect(recorded.cards.first).to_contain_text("Critical")
    expect(recorded.cards.first.get_by_role("heading", level=3)).to_contain_text("Potassium 2.4 mmol/L")
    expect(recorded.moved).to_contain_text("New red flag Potassium at a dangerous level")
    expect(recorded.moved).to_contain_text("Low potassium was excluded, 16th → is now likely, 1st")
    expect(recorded.page.locator("#changes")).to_contain_text(
        "4.2 mmol/L, 5 Jun 2026 → 2.4 mmol/L, 5 Jun 2026"
    )


def test_the_focus_stays_where_it_is(recorded: Desk) -> None:
    """After a change the chart is drawn anew, and the field that was tabbed to has the focus."""
    recorded.change("Value of Potassium", "2.4")
    expect(recorded.cards.first).to_contain_text("Critical")
    expect(recorded.page.get_by_label("Date of Potassium", exact=True)).to_be_focused()


def test_changes_can_be_taken_back(recorded: Desk, page: Page) -> None:
    """Taken back, the chart and the answer are as before, and the flag is told to be gone."""
    recorded.change("Value of Potassium", "2.4")
    expect(recorded.cards.first).to_contain_text("Critical")
    page.get_by_role("button", name="Take all back").click()
    expect(recorded.moved).to_contain_text("Red flag gone Potassium at a dangerous level")
    expect(page.get_by_label("Value of Potassium", exact=True)).to_have_value("4.2")
    expect(recorded.cards.first).to_contain_text("Information")
    page.get_by_label("compared with").select_option("record")
    expect(recorded.moved).to_contain_text("nothing")


def test_a_date_can_be_changed(recorded: Desk) -> None:
    """An old result no longer excludes: low potassium comes back among what is not known."""
    sent = recorded.change("Date of Potassium", "2024-01-01")
    assert "2024-01-01" in {one["resource"]["effectiveDateTime"] for one in sent["prefetch"]["labs"]["entry"]}
    expect(recorded.moved).to_contain_text("Potassium")


def test_what_is_no_number_is_not_sent(recorded: Desk, page: Page) -> None:
    """A value that cannot be read is refused at the field, and no call is made."""
    calls: list[str] = []
    page.on("request", lambda request: calls.append(request.url))
    field = page.get_by_label("Value of Potassium", exact=True)
    field.fill("low")
    page.keyboard.press("Tab")
    assert page.evaluate("document.querySelector('[aria-label=\"Value of Potassium\"]').validity.customError")
    assert calls == []


def add(page: Page, label: str, words: str) -> dict[str, Any]:
    """Suppose a condition or a medicine and return the request that is sent."""
    field = page.get_by_label(label, exact=True).and_(page.locator("input"))
    with page.expect_response("**/sandbox/terms"):
        field.focus()
    field.fill(words)
    with page.expect_request(SERVICE) as caught:
        page.keyboard.press("Enter")
    sent: dict[str, Any] = json.loads(caught.value.post_data or "")
    return sent


def test_a_condition_can_be_added_and_removed(recorded: Desk, page: Page) -> None:
    """A supposed condition is sent with its code, moves the ranking, and is gone again when removed."""
    sent = add(page, "Add a condition", "Multiple sclerosis")
    added = sent["prefetch"]["problems"]["entry"][-1]["resource"]
    assert added["code"]["coding"][0]["code"] == "24700007"
    expect(recorded.moved).to_contain_text("Multiple sclerosis")
    with page.expect_request(SERVICE) as caught:
        page.get_by_role("button", name="Remove Multiple sclerosis").click()
    problems = json.loads(caught.value.post_data or "")["prefetch"]["problems"]["entry"]
    assert "Multiple sclerosis" not in {one["resource"]["code"]["text"] for one in problems}


def test_a_medicine_can_be_added(recorded: Desk, page: Page) -> None:
    """A supposed diuretic is sent with code and start, and its effect becomes possible."""
    page.get_by_label("Since").last.fill("2026-05-01")
    sent = add(page, "Add a medicine", "Furosemide")
    added = sent["prefetch"]["medications"]["entry"][-1]["resource"]
    assert added["medicationCodeableConcept"]["coding"][0]["display"] == "furosemide"
    assert added["authoredOn"] == "2026-05-01"
    expect(recorded.moved).to_contain_text("Effect of a medicine was not ranked → is now possible")
    expect(page.locator("#changes")).to_contain_text("with Furosemide since 1 May 2026")


def test_answers_of_the_history_move_the_ranking(recorded: Desk, page: Page) -> None:
    """Answers go back as a QuestionnaireResponse, become patient-reported arguments, and the difference is shown."""
    form = recorded.view("History")
    with page.expect_response(SERVICE) as caught:
        form.get_by_role("group", name="Is the speech slurred?").get_by_label("Yes").check()
    sent = json.loads(caught.value.request.post_data or "")
    (entry,) = sent["prefetch"]["questionnaireResponses"]["entry"]
    given = entry["resource"]
    assert given["resourceType"] == "QuestionnaireResponse"
    assert given["questionnaire"].startswith("https://spasm-cds.org/fhir/Questionnaire/muscle-spasm-history|")
    assert given["status"] == "completed"
    assert '"valueBoolean": true' in json.dumps(given["item"])
    told = explanation(caught.value.json())
    facts = [
        fact
        for one in (*told["ranking"], *told["red_flags"])
        for argument in (*one.get("for", ()), *one.get("against", ()), one)
        for fact in argument.get("facts", ())
    ]
    assert [fact for fact in facts if fact.get("reference") == "QuestionnaireResponse/sandbox-history"]
    expect(recorded.moved).to_contain_text("Benign twitching or cramp")
    expect(form).to_contain_text("1 answered")
    form.get_by_role("button", name="Clear all answers").click()
    expect(recorded.moved).to_contain_text("Benign twitching or cramp was")


def test_a_question_that_depends_is_asked_only_then(recorded: Desk, page: Page) -> None:
    """The weeks of a pregnancy are asked once one is told, and its answer is not sent when the other is taken back."""
    form = recorded.view("History")
    page.wait_for_selector(".history")
    questionnaire = page.request.get("/fhir/Questionnaire/muscle-spasm-history").json()
    items = [inner for item in questionnaire["item"] for inner in (item, *item.get("item", ()))]
    depends = next(one for one in items if one["linkId"].startswith("8.") and "enableWhen" in one)
    question = form.get_by_text(depends["text"], exact=True)
    expect(question).to_be_hidden()
    form.get_by_label("Pregnant", exact=True).check()
    expect(question).to_be_visible()
    form.get_by_label(depends["text"], exact=True).fill("34")
    with page.expect_request(SERVICE) as caught:
        form.get_by_label("Neither", exact=True).check()
    assert depends["linkId"] not in {
        inner["linkId"]
        for item in json.loads(caught.value.post_data or "")["prefetch"]["questionnaireResponses"]["entry"][
            0
        ]["resource"]["item"]
        for inner in item.get("item", ())
    }


def test_the_history_is_opened_by_its_suggestion(desk: Desk, page: Page) -> None:
    """Accepting the questions shows the form with those marked that are open, and adds no order."""
    desk.open_story("ms-fasciculation-on-thiazide")
    desk.record()
    page.get_by_role("button", name="Ask the history questions").click()
    expect(page.get_by_role("tab", name="History")).to_have_attribute("aria-selected", "true")
    expect(page.locator(".open-question")).to_have_count(45)
    expect(page.locator("#orders")).to_contain_text("No open orders")


def test_another_day_of_reading_is_sent(recorded: Desk, page: Page) -> None:
    """Read as of a later day, the answer is decided then: the results of June no longer speak in December."""
    with page.expect_response(SERVICE) as caught:
        page.get_by_label("Read as of").fill("2026-12-01")
    assert explanation(caught.value.json())["as_of"] == "2026-12-01T12:00:00Z"
    expect(recorded.moved).to_contain_text("What moved")


def test_differences_are_told_whole(page: Page) -> None:
    """Standing, rank, flags and orders are compared; equal explanations do not differ."""
    page.goto("/sandbox/explain")
    before = {
        "ranking": [{"cause": "a", "standing": "likely"}, {"cause": "b", "standing": "possible"}],
        "red_flags": [],
        "workup": [],
    }
    after = {
        "ranking": [{"cause": "b", "standing": "likely"}, {"cause": "c", "standing": "possible"}],
        "red_flags": [{"id": "RF1"}],
        "workup": [{"order": "x", "status": "suggested"}, {"order": "y", "status": "already-done"}],
    }
    run = "async ([one, other]) => (await import('/sandbox/static/compare.js')).compare(one, other)"
    assert page.evaluate(run, [before, after]) == {
        "moves": [
            {
                "cause": "b",
                "before": {"rank": 2, "standing": "possible"},
                "after": {"rank": 1, "standing": "likely"},
            },
            {"cause": "c", "before": None, "after": {"rank": 2, "standing": "possible"}},
            {"cause": "a", "before": {"rank": 1, "standing": "likely"}, "after": None},
        ],
        "newFlags": ["RF1"],
        "goneFlags": [],
        "newOrders": ["x"],
        "goneOrders": [],
    }
    same = page.evaluate(run, [after, after])
    assert not any(same.values())


@pytest.mark.parametrize("width", [390, 900, 1200, 1280])
def test_what_moved_and_its_choice_stand_apart(recorded: Desk, page: Page, width: int) -> None:
    """However many words the line of what moved has, they do not run into what it is compared with."""
    page.set_viewport_size({"width": width, "height": 750})
    recorded.change("Value of Potassium", "2.4")
    expect(recorded.moved).to_contain_text("New red flag")
    apart = recorded.moved.evaluate(
        """(box) => {
            const line = document.createRange();
            line.selectNodeContents(box.querySelector("summary"));
            const choice = box.querySelector("label").getBoundingClientRect();
            const beside = (one) => one.right <= choice.left || one.left >= choice.right;
            const above = (one) => one.bottom <= choice.top || one.top >= choice.bottom;
            return [...line.getClientRects()].every((one) => beside(one) || above(one));
        }"""
    )
    assert apart
