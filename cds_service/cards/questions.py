"""Offers the open questions as a draft QuestionnaireResponse without answers; it answers none of them itself."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from typing import Any

from cds_service.model.decision import WorkupItem
from cds_service.model.definitions import Knowledge
from cds_service.model.facts import PatientFacts
from cds_service.model.hooks import Action, Link, Suggestion, fresh_uuid
from cds_service.model.questionnaires import QuestionItem, Questionnaire

_MOST_KEPT = 100
"""So many lists of open questions are kept, each a few kilobytes."""


class QuestionWriter:
    """Writes suggestions and links for questionnaires. `served_at` is the address under which they are served."""

    def __init__(self, knowledge: Knowledge, served_at: str | None) -> None:
        """Keep what is asked, and the version under which it is asked."""
        self._questionnaires: Mapping[str, Questionnaire] = knowledge.questionnaires
        self._version = knowledge.version
        self._served_at = served_at
        self._made: dict[tuple[str, tuple[str, ...]], list[dict[str, Any]]] = {}

    def write_all(self, items: Iterable[WorkupItem], facts: PatientFacts) -> list[Suggestion]:
        """Return one suggestion per questionnaire among the items; other orders are none of its business."""
        return [
            self._write(item, item.questionnaire, facts) for item in items if item.questionnaire is not None
        ]

    def _write(self, item: WorkupItem, name: str, facts: PatientFacts) -> Suggestion:
        label = f"{item.order.label} ({len(item.unanswered)} unanswered)"
        draft = self.draft(name, item.unanswered, facts)
        return Suggestion(
            label=label,
            uuid=fresh_uuid(),
            actions=(Action(type="create", description=f"Draft answers: {label}", resource=draft),),
        )

    def draft(self, name: str, links: tuple[str, ...], facts: PatientFacts) -> dict[str, Any]:
        """Return the QuestionnaireResponse (FHIR R4) that holds the questions with these linkIds, in their groups."""
        questionnaire = self._questionnaires[name]
        draft: dict[str, Any] = {
            "resourceType": "QuestionnaireResponse",
            "questionnaire": f"{questionnaire.url}|{self._version}",
            "status": "in-progress",
            "subject": {"reference": f"Patient/{facts.patient_id}"},
        }
        if facts.encounter is not None:
            draft["encounter"] = {"reference": f"Encounter/{facts.encounter}"}
        draft["item"] = self._open_items(name, links)
        return draft

    def _open_items(self, name: str, links: tuple[str, ...]) -> list[dict[str, Any]]:
        """Return the items of a draft; they hold nothing of a patient, and the same are open in most records."""
        made = self._made.get((name, links))
        if made is None:
            made = _items(self._questionnaires[name].items, frozenset(links))
            if len(self._made) < _MOST_KEPT:
                self._made[name, links] = made
        return made

    def links(self, items: Iterable[WorkupItem]) -> tuple[Link, ...]:
        """Return a link to each questionnaire among the items, where its address is known."""
        names = [item.questionnaire for item in items if item.questionnaire is not None]
        return tuple(
            Link(label=self._questionnaires[name].title, url=f"{self._served_at}/{name}", type="absolute")
            for name in names
            if self._served_at is not None
        )


def _items(items: tuple[QuestionItem, ...], links: Collection[str]) -> list[dict[str, Any]]:
    """Return the open questions, and the groups that hold some."""
    built = []
    for item in items:
        inner = _items(item.items, links)
        if item.link in links or inner:
            one: dict[str, Any] = {"linkId": item.link, "text": item.text}
            if inner:
                one["item"] = inner
            built.append(one)
    return built
