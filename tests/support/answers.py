"""Turns the answers of a case into QuestionnaireResponses, one per date and status; never answers what nobody said."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from functools import cache
from itertools import groupby
from typing import Any

import yaml

from tests.support.places import CARDS
from tests.support.resources import Resource, Row, Subject

QUESTIONNAIRE = "muscle-spasm-history"
URL = f"https://spasm-cds.org/fhir/Questionnaire/{QUESTIONNAIRE}"
SYSTEM = f"https://spasm-cds.org/fhir/CodeSystem/{QUESTIONNAIRE}-answers"

_WRITTEN: Mapping[str, Callable[[str], dict[str, Any]]] = {
    "boolean": lambda value: {"valueBoolean": {"yes": True, "no": False}[value]},
    "choice": lambda value: {"valueCoding": {"system": SYSTEM, "code": value}},
    "open-choice": lambda value: {"valueCoding": {"system": SYSTEM, "code": value}},
    "decimal": lambda value: {"valueDecimal": Decimal(value)},
    "integer": lambda value: {"valueInteger": int(value)},
    "date": lambda value: {"valueDate": value},
    "text": lambda value: {"valueString": value},
}


def _items(items: Sequence[Mapping[str, Any]]) -> Iterator[Mapping[str, Any]]:
    for item in items:
        yield item
        yield from _items(item.get("items", ()))


@cache
def questionnaire() -> Mapping[str, Any]:
    """Return the questionnaire of the content as it is written."""
    path = CARDS / "questionnaires" / f"{QUESTIONNAIRE}.yaml"
    content: Mapping[str, Any] = yaml.safe_load(path.read_text("utf-8"))
    return content


@cache
def types() -> Mapping[str, str]:
    """Return the type of every question by its linkId."""
    return {item["link"]: item["type"] for item in _items(questionnaire()["items"])}


def answer(link: str, *values: str) -> dict[str, Any]:
    """Return an answered item; raises `KeyError` for a question that is not asked."""
    written = _WRITTEN[types()[link]]
    return {"linkId": link, "answer": [written(value) for value in values]}


def response(
    items: Sequence[Mapping[str, Any]], subject: Subject, resource_id: str, **members: str
) -> Resource:
    """Return a completed QuestionnaireResponse of the day; `members` stand in place of those of the same name."""
    return {
        "resourceType": "QuestionnaireResponse",
        "id": resource_id,
        "questionnaire": URL,
        "status": "completed",
        "subject": subject.reference,
        "authored": subject.as_of,
        **members,
        "item": list(items),
    }


def responses(rows: Sequence[Row], subject: Subject, ids: Iterator[str]) -> list[Resource]:
    """Return the responses of a case's rows; rows of one date and status that follow each other stand together."""
    built = []
    for (authored, status), group in groupby(rows, key=_when_and_status):
        by_link: dict[str, list[str]] = {}
        for row in group:
            by_link.setdefault(row["link"], []).append(row["value"])
        items = [answer(link, *values) for link, values in by_link.items()]
        members = {"authored": authored or subject.as_of, "status": status}
        built.append(response(items, subject, next(ids), **members))
    return built


def _when_and_status(row: Row) -> tuple[str, str]:
    return row.get("authored", ""), row.get("status", "completed")
