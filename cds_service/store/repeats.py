"""What a patient was shown before, and how it was answered last; it finds them by keyed digests and decides nothing."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, and_, bindparam, func, select

from cds_service.store.moments import to_milliseconds, to_moment
from cds_service.store.tables import IS_THEIRS, feedback, shown_card

OVERRIDDEN = "overridden"

_OF_ADVICE = and_(
    shown_card.c.patient == bindparam("patient"),
    shown_card.c.advice.in_(bindparam("advices", expanding=True)),
    shown_card.c.shown_at <= bindparam("until"),
)
_SHOWN = (
    select(shown_card.c.advice, func.max(shown_card.c.shown_at).label("shown_at"))
    .where(_OF_ADVICE)
    .group_by(shown_card.c.advice)
)
_ANSWERED = (
    select(shown_card.c.advice, feedback.c.outcome, feedback.c.reason_system, feedback.c.reason_code)
    .join(feedback, IS_THEIRS)
    .where(_OF_ADVICE)
    .order_by(feedback.c.outcome_at, feedback.c.id)
)


class Earlier(NamedTuple):
    """When an advice was last shown, and the reason (system, code) of the last answer, if that was an override."""

    shown_at: datetime
    reason: tuple[str | None, str] | None


def earlier_of(
    connection: Connection, patient: str, advices: Collection[str], as_of: datetime
) -> dict[str, Earlier]:
    """Return, by advice, what this patient was shown until `as_of`; what was never shown is left out."""
    asked = {"patient": patient, "advices": [*advices], "until": to_milliseconds(as_of)}
    shown: dict[str, int] = {row.advice: row.shown_at for row in connection.execute(_SHOWN, asked)}
    reasons = _last_reasons(connection, asked) if shown else {}
    return {advice: Earlier(to_moment(shown_at), reasons.get(advice)) for advice, shown_at in shown.items()}


def _last_reasons(
    connection: Connection, asked: Mapping[str, Any]
) -> dict[str, tuple[str | None, str] | None]:
    """Return the reason of the last answer to each advice; None where that was no override with a reason."""
    return {
        row.advice: (row.reason_system, row.reason_code)
        if row.outcome == OVERRIDDEN and row.reason_code is not None
        else None
        for row in connection.execute(_ANSWERED, asked)
    }
