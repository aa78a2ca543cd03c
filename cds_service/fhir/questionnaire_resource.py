"""Builds the FHIR R4 Questionnaire that is served from what the content asks; the meaning of answers stays here."""

from __future__ import annotations

from typing import Any

from cds_service.model.hooks import ascii_json
from cds_service.model.questionnaires import YES, QuestionItem, Questionnaire

PUBLISHER = "Muscle spasm decision support"


def questionnaire_resource(questionnaire: Questionnaire, version: str) -> dict[str, Any]:
    """Return the resource; `version` is that of the knowledge, so that answers tell which questions were asked."""
    types = {item.link: item.type for item in questionnaire.every_item()}
    return {
        "resourceType": "Questionnaire",
        "id": questionnaire.id,
        "url": questionnaire.url,
        "version": version,
        "name": questionnaire.name,
        "title": questionnaire.title,
        "status": "active",
        "subjectType": ["Patient"],
        "date": questionnaire.review.written_on.isoformat(),
        "publisher": PUBLISHER,
        "description": questionnaire.description,
        "item": [_item(item, questionnaire.answer_system, types) for item in questionnaire.items],
    }


def questionnaire_json(questionnaire: Questionnaire, version: str) -> bytes:
    """Return the resource as it is served."""
    return ascii_json(questionnaire_resource(questionnaire, version))


def _item(item: QuestionItem, system: str, types: dict[str, str]) -> dict[str, Any]:
    built: dict[str, Any] = {"linkId": item.link, "text": item.text, "type": item.type}
    if item.only_if is not None:
        other = item.only_if.link
        built["enableWhen"] = [
            {"question": other, "operator": "=", **_answer(answer, types[other], system)}
            for answer in item.only_if.answers
        ]
        if len(item.only_if.answers) > 1:
            built["enableBehavior"] = "any"
    if not item.is_group:
        built["required"] = False
    if item.repeats:
        built["repeats"] = True
    if item.options:
        built["answerOption"] = [
            {"valueCoding": {"system": system, "code": option.code, "display": option.display}}
            for option in item.options
        ]
    if item.items:
        built["item"] = [_item(inner, system, types) for inner in item.items]
    return built


def _answer(code: str, kind: str, system: str) -> dict[str, Any]:
    if kind == "boolean":
        return {"answerBoolean": code == YES}
    return {"answerCoding": {"system": system, "code": code}}
