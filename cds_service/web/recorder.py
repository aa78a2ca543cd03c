"""Writes the audit of what the service answers: ids, digests, rules and counts; no value, name or text of a chart."""

from __future__ import annotations

import re
import time
from collections import Counter
from typing import Any

from flask import g

from cds_service.store.audit import DECISION, FEEDBACK, Audit
from cds_service.store.moments import to_milliseconds
from cds_service.web.clock import now
from cds_service.web.delivery import Delivered, FeedbackTaken
from cds_service.web.headers import request_id

_UUID = re.compile(r"[0-9A-Fa-f]{8}(?:-[0-9A-Fa-f]{4}){3}-[0-9A-Fa-f]{12}")


class Recorder:
    """An observer that records every answer before it leaves; what cannot be recorded may be refused."""

    def __init__(self, audit: Audit, knowledge_version: str) -> None:
        """Keep where to record."""
        self._audit = audit
        self._version = knowledge_version

    def delivered(self, one: Delivered) -> None:
        """Record a decision. Raises `StoreUnavailableError` where the audit is required and cannot be kept."""
        content = {
            "request": request_id(),
            "client": one.client,
            "tenant": one.tenant,
            "service": one.service,
            "hook": one.hook,
            "hook_instance": _uuid_or_none(one.hook_instance),
            "patient": one.patient,
            "input": one.input_digest,
            "as_of": to_milliseconds(one.as_of),
            "knowledge": one.knowledge_version,
            "cards": [
                {
                    "uuid": card.uuid,
                    "template": card.template,
                    "indicator": card.indicator,
                    "rules": [*card.rules],
                    "offers": [order for _, order in card.offers],
                }
                for card in one.cards
            ],
            "withheld": [
                {
                    "template": card.template,
                    "rules": [*card.rules],
                    "shown_on": card.shown_on.isoformat(),
                    "answered": card.answered.id if card.answered is not None else None,
                }
                for card in one.withheld
            ],
            "notes": dict(Counter(note.code for note in one.notes)),
            "complete": one.complete,
        }
        self._record(DECISION, content)

    def feedback_taken(self, one: FeedbackTaken) -> None:
        """Record stored feedback: how many answers of each outcome, and about which cards."""
        content = {
            "request": request_id(),
            "client": one.client,
            "service": one.service,
            "input": one.input_digest,
            "knowledge": self._version,
            "outcomes": dict(Counter(one.outcomes)),
            "cards": sorted({card for card in one.cards if _uuid_or_none(card)}),
        }
        self._record(FEEDBACK, content)

    def not_kept(self, cards: int) -> None:
        """Leave it to the delivery, which logs it; the decision itself is recorded."""

    def _record(self, kind: str, content: dict[str, Any]) -> None:
        timing = {"status": 200, "ms": round((time.perf_counter() - g.began) * 1000, 1)}
        self._audit.record(to_milliseconds(now()), kind, {**content, **timing})


def _uuid_or_none(text: str) -> str | None:
    """Return an id that a client made if it is a uuid: anything else could hold a name."""
    return text if _UUID.fullmatch(text) else None
