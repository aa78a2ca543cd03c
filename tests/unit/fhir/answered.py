"""Builds QuestionnaireResponses of the invented patient for the tests of reading; knows no question."""

from __future__ import annotations

from typing import Any

from cds_service.fhir.answer_meanings import AnswerMeanings
from cds_service.fhir.questionnaire_responses import read_answers
from cds_service.fhir.vocabulary import Vocabulary
from tests.unit.fhir.records import PATIENT, TODAY, bundle, intake, notes_of, without

URL = "https://spasm-cds.org/fhir/Questionnaire/wobble-history"
SYSTEM = "https://spasm-cds.org/fhir/CodeSystem/wobble-history-answers"
YES, NO = {"valueBoolean": True}, {"valueBoolean": False}


def item(link: str, *answers: Any, **members: Any) -> dict[str, Any]:
    """Return an item; an answer that is no dict stands for a code of ours."""
    made = [
        each if isinstance(each, dict) else {"valueCoding": {"system": SYSTEM, "code": each}}
        for each in answers
    ]
    return {"linkId": link, **({"answer": made} if made else {}), **members}


def response(*items: Any, **members: Any) -> dict[str, Any]:
    """Return a response completed yesterday."""
    return without(
        {
            "resourceType": "QuestionnaireResponse",
            "id": "q1",
            "questionnaire": URL,
            "status": "completed",
            "subject": {"reference": f"Patient/{PATIENT}"},
            "authored": "2026-06-14",
            "item": [*items],
            **members,
        }
    )


def read(vocabulary: Vocabulary, *responses: Any) -> tuple[AnswerMeanings, list[str]]:
    """Return what the responses mean, and the codes of the notes."""
    found = intake(questionnaireResponses=bundle(*responses))
    meanings = read_answers(vocabulary, found, TODAY)
    return meanings, [code for code, _path in notes_of(found.notes)]


def meant(vocabulary: Vocabulary, *items: Any) -> AnswerMeanings:
    """Return what these items of one response mean; nothing may be noted."""
    meanings, notes = read(vocabulary, response(*items))
    assert notes == []
    return meanings
