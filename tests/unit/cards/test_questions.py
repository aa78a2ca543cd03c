"""The offer to ask: a draft without answers that holds what is open, and a link to the questions."""

from __future__ import annotations

from typing import Any

import msgspec
from fhir.resources.R4B.questionnaireresponse import QuestionnaireResponse

from cds_service.cards.questions import QuestionWriter
from cds_service.cards.summaries import is_medicine
from cds_service.cards.wording import lead_words
from cds_service.model.decision import WorkupItem, WorkupStatus
from cds_service.model.definitions import Order
from tests.support.questionnaires import asking
from tests.unit.engine.neutral import define, fact, facts, knowledge

ASKED = asking(
    {"link": "1", "text": "One?"},
    {
        "link": "2",
        "text": "Two",
        "type": "group",
        "items": [
            {"link": "2.1", "text": "Three?", "type": "text"},
            {"link": "2.2", "text": "Four?", "type": "date"},
        ],
    },
    {
        "link": "3",
        "text": "Five",
        "type": "group",
        "items": [{"link": "3.1", "text": "Six?", "type": "text"}],
    },
    title="Wobble history",
)
KNOWN = msgspec.structs.replace(knowledge(), questionnaires={"q": ASKED})
ORDER = define(Order, "ask", label="Ask the questions", kind="questionnaire")


def item(*links: str, questionnaire: str | None = "q") -> WorkupItem:
    """Return an item of the workup that asks these questions."""
    return WorkupItem(
        order=ORDER,
        status=WorkupStatus.SUGGESTED,
        because="x",
        questionnaire=questionnaire,
        unanswered=links,
    )


def draft(*links: str, **about: Any) -> dict[str, Any]:
    """Return the draft that one suggestion creates."""
    (suggestion,) = QuestionWriter(KNOWN, None).write_all([item(*links)], facts(**about))
    (action,) = suggestion.actions
    assert action.type == "create"
    assert action.resource is not None
    return action.resource


def test_the_suggestion_says_how_many_questions_are_open() -> None:
    """It is never recommended, and an order that is no questionnaire is left to others."""
    writer = QuestionWriter(KNOWN, None)
    (suggestion,) = writer.write_all([item("1", "2.2"), item(questionnaire=None)], facts())
    assert (suggestion.label, suggestion.is_recommended) == ("Ask the questions (2 unanswered)", None)
    assert suggestion.uuid


def test_the_draft_holds_what_is_open_and_no_answer() -> None:
    """It names the questions with their version and the patient; a group stands only with what is open in it."""
    made = draft("1", "2.2", encounter="e1")
    assert made == {
        "resourceType": "QuestionnaireResponse",
        "questionnaire": "https://spasm-cds.org/fhir/Questionnaire/q|1+0",
        "status": "in-progress",
        "subject": {"reference": "Patient/p1"},
        "encounter": {"reference": "Encounter/e1"},
        "item": [
            {"linkId": "1", "text": "One?"},
            {"linkId": "2", "text": "Two", "item": [{"linkId": "2.2", "text": "Four?"}]},
        ],
    }
    QuestionnaireResponse.model_validate(made)


def test_without_a_visit_the_draft_names_none() -> None:
    """FHIR knows no null."""
    assert "encounter" not in draft("3.1")


def test_the_link_leads_to_the_questions() -> None:
    """It is absolute, and there is none where no address is known or nothing is asked."""
    (link,) = QuestionWriter(KNOWN, "http://x.example/fhir/Questionnaire").links([item("1")])
    assert (link.label, link.url, link.type) == (
        "Wobble history",
        "http://x.example/fhir/Questionnaire/q",
        "absolute",
    )
    assert QuestionWriter(KNOWN, None).links([item("1")]) == ()
    assert QuestionWriter(KNOWN, "http://x.example").links([item(questionnaire=None)]) == ()


def test_a_summary_says_who_said_so() -> None:
    """What opens a summary is marked where it rests on the patient's own words, dated or not."""
    told = fact("weakness", value="yes", on="2026-06-15", note="patient-reported")
    assert lead_words(told) == "Weakness (reported 15 Jun 2026)"
    assert lead_words(fact("weakness", value="yes", note="patient-reported")) == "Weakness (reported)"
    assert lead_words(fact("weakness", on="2026-06-15", note="by questionnaire")) == "Weakness (15 Jun 2026)"


def test_a_medicine_that_was_named_is_a_medicine() -> None:
    """It is told from other answers, so that it is shown like one on record."""
    answers = "QuestionnaireResponse/q1"
    assert is_medicine(fact("furosemide", reference=answers, value="active"))
    assert is_medicine(fact("furosemide", reference=answers, value="stopped"))
    assert not is_medicine(fact("weakness", reference=answers, value="yes"))
    assert not is_medicine(fact("weakness", reference="Condition/c1", value="active"))
