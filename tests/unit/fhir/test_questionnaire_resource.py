"""The questions as a FHIR Questionnaire: valid, whole, and in the words of the content."""

from __future__ import annotations

import json
from typing import Any

from fhir.resources.R4B.questionnaire import Questionnaire as FHIRQuestionnaire

from cds_service.fhir.questionnaire_resource import questionnaire_json, questionnaire_resource
from cds_service.model.definitions import Knowledge
from tests.unit.fhir.answered import SYSTEM, URL


def built(knowledge: Knowledge) -> dict[str, Any]:
    """Return the resource of the questionnaire of these tests."""
    return questionnaire_resource(knowledge.questionnaires["wobble-history"], "1+0")


def test_it_is_fhir(knowledge: Knowledge) -> None:
    """The resource passes the FHIR R4 model, and is served with every character escaped."""
    FHIRQuestionnaire.model_validate(built(knowledge))
    served = questionnaire_json(knowledge.questionnaires["wobble-history"], "1+0")
    assert served.isascii()
    assert json.loads(served) == built(knowledge)


def test_it_says_what_it_is(knowledge: Knowledge) -> None:
    """Address, version, title and subject are those by which responses name it."""
    resource = built(knowledge)
    wanted = {
        "resourceType": "Questionnaire",
        "id": "wobble-history",
        "url": URL,
        "version": "1+0",
        "name": "WobbleHistory",
        "title": "Wobble-history",
        "status": "active",
        "subjectType": ["Patient"],
        "date": "2026-06-01",
    }
    assert {name: resource[name] for name in wanted} == wanted


def test_every_question_can_be_left_out(knowledge: Knowledge) -> None:
    """Groups hold questions, and no question is required; one repeats where several answers can stand."""
    date, group, *rest = built(knowledge)["item"]
    assert date == {"linkId": "1", "text": "When did it begin?", "type": "date", "required": False}
    assert ("required" in group, [one["linkId"] for one in group["item"]]) == (False, ["2.1", "2.2"])
    assert [one["required"] for one in rest] == [False] * len(rest)
    assert [one.get("repeats") for one in group["item"]] == [None, True]


def test_the_answers_to_choose_from_are_coded(knowledge: Knowledge) -> None:
    """Each has a code of our own system and its words."""
    choice = built(knowledge)["item"][1]["item"][1]
    assert choice["answerOption"] == [
        {"valueCoding": {"system": SYSTEM, "code": code, "display": display}}
        for code, display in (("odd", "Odd"), ("even", "Even"), ("unsure", "Not sure"))
    ]


def test_a_question_waits_for_the_answer_it_hangs_on(knowledge: Knowledge) -> None:
    """It is enabled by a boolean, or by any of several coded answers."""
    items = built(knowledge)["item"]
    inner = items[1]["item"][1]
    assert inner["enableWhen"] == [{"question": "2.1", "operator": "=", "answerBoolean": True}]
    assert "enableBehavior" not in inner
    assert items[2]["enableWhen"] == [
        {"question": "2.2", "operator": "=", "answerCoding": {"system": SYSTEM, "code": code}}
        for code in ("odd", "even")
    ]
    assert items[2]["enableBehavior"] == "any"
