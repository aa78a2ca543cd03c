"""Feedback as clients send it, and what the store keeps of it; it talks to no service."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple

from sqlalchemy import select

from cds_service.store.database import Database
from cds_service.store.tables import IS_THEIRS, accepted_suggestion, feedback, shown_card

DONE = "action-completed"
STANDARD = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
AT = "2026-06-20T10:05:31Z"


def message(*items: Mapping[str, Any]) -> dict[str, Any]:
    """Return the body of a feedback call."""
    return {"feedback": [dict(item) for item in items]}


def accepted(card: str, *suggestions: str, at: str = AT, **more: Any) -> dict[str, Any]:
    """Return one acceptance."""
    return {
        "card": card,
        "outcome": "accepted",
        "acceptedSuggestions": [{"id": one} for one in suggestions],
        "outcomeTimestamp": at,
        **more,
    }


def overridden(card: str, code: str | None = DONE, *, at: str = AT, **more: Any) -> dict[str, Any]:
    """Return one override; the reason has no display, as the public sandbox sends it."""
    item = {"card": card, "outcome": "overridden", "outcomeTimestamp": at, **more}
    if code is not None:
        item["overrideReason"] = {"reason": {"system": STANDARD, "code": code}}
    return item


class Kept(NamedTuple):
    """One answer in the store; `is_known` tells whether its card was shown to this client by this service."""

    client: str
    service: str
    outcome: str
    outcome_at: int
    reason: str | None
    comment: str | None
    has_comment: bool
    suggestions: tuple[str, ...]
    is_known: bool


def kept_of(database: Database, card: str) -> list[Kept]:
    """Return what is kept about a card, in the order in which it was written."""
    asked = (
        select(feedback, shown_card.c.card.label("shown"))
        .join(shown_card, IS_THEIRS, isouter=True)
        .where(feedback.c.card == card)
        .order_by(feedback.c.id)
    )
    with database.reading() as connection:
        rows = connection.execute(asked).all()
        chosen = connection.execute(select(accepted_suggestion)).all()
    return [
        Kept(
            row.client,
            row.service,
            row.outcome,
            row.outcome_at,
            row.reason_code,
            row.comment,
            row.has_comment,
            tuple(sorted(one.suggestion for one in chosen if one.feedback == row.id)),
            row.shown is not None,
        )
        for row in rows
    ]
