"""Draft ServiceRequests, one click away; never a medication order, never active, never without its reason."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from cds_service.cards.imaging import draft_words
from cds_service.cards.markdown import clean
from cds_service.cards.wording import join, lead_words
from cds_service.model.decision import WorkupItem
from cds_service.model.definitions import Knowledge, Order
from cds_service.model.facts import PatientFacts
from cds_service.model.hooks import Action, Suggestion, fresh_uuid
from cds_service.model.parts import CodeRow

_MOST_FACTS = 3
_FEWEST_TOGETHER = 2
"""So many recommended drafts are offered as one suggestion as well."""


class SuggestionWriter:
    """Fills the draft of every order; the fixed part is built once."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Prepare code and text of every order."""
        self._codes: Mapping[str, dict[str, Any]] = {
            name: _code(order, knowledge.codes) for name, order in knowledge.orders.items() if order.offered
        }

    def write(self, item: WorkupItem, facts: PatientFacts) -> Suggestion:
        """Return the suggestion for one item of the workup."""
        order = item.order
        label = order.repeat_label if item.repeat and order.repeat_label else order.label
        return Suggestion(
            label=label,
            uuid=fresh_uuid(),
            is_recommended=True if item.recommended else None,
            actions=(
                Action(type="create", description=f"Draft order: {label}", resource=self.draft(item, facts)),
            ),
        )

    def write_all(self, items: list[WorkupItem], facts: PatientFacts) -> list[Suggestion]:
        """Return one suggestion per item, then, where several are recommended, one that drafts those together."""
        alone = [self.write(item, facts) for item in items]
        recommended = [one for one in alone if one.is_recommended]
        if len(recommended) < _FEWEST_TOGETHER:
            return alone
        together = Suggestion(
            label=f"All {len(recommended)} recommended: {', '.join(one.label for one in recommended)}",
            uuid=fresh_uuid(),
            actions=tuple(action for one in recommended for action in one.actions),
        )
        return [*alone, together]

    def draft(self, item: WorkupItem, facts: PatientFacts) -> dict[str, Any]:
        """Return the draft ServiceRequest (FHIR R4) of one item."""
        resource: dict[str, Any] = {
            "resourceType": "ServiceRequest",
            "status": "draft",
            "intent": "proposal",
            "priority": "urgent" if item.urgent and item.order.priority == "routine" else item.order.priority,
            "code": self._codes[item.order.id],
            "subject": {"reference": f"Patient/{facts.patient_id}"},
        }
        if facts.encounter is not None:
            resource["encounter"] = {"reference": f"Encounter/{facts.encounter}"}
        reasons = [one.reference for one in facts.presentations if one.reference is not None]
        if reasons:
            resource["reasonReference"] = [{"reference": reference} for reference in reasons]
        else:
            texts = filter(None, (clean(one.text) for one in facts.presentations))
            resource["reasonCode"] = [{"text": text} for text in texts] or [{"text": item.because}]
        resource["note"] = [{"text": _note(item)}]
        return resource


def _code(order: Order, codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]) -> dict[str, Any]:
    row = draft_row(order, codes)
    if row is None:
        return {"text": order.title}
    coding = {"system": row.system, "code": row.code}
    if row.display_verified:
        coding["display"] = row.display
    return {"coding": [coding], "text": order.title}


def draft_row(order: Order, codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]) -> CodeRow | None:
    """Return the one code that a draft of this order carries, if any."""
    rows = [row for ref in order.codes for row in codes[ref.table, ref.key] if ref.selects(row)]
    if order.draft_code is not None:
        return next((row for row in rows if row.code == order.draft_code), None)
    return rows[0] if len(rows) == 1 else None


def _note(item: WorkupItem) -> str:
    facts = join((lead_words(fact) for fact in item.prompted_by[:_MOST_FACTS]), last="; ")
    prompted = f" Prompted by: {facts}." if facts else ""
    remark = f" {item.order.note}" if item.order.note else ""
    before = f" Before it: {draft_words(item.cautions)}" if item.cautions else ""
    return f"Considered for: {item.because}.{prompted}{before}{remark}"
