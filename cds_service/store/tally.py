"""Counts what became of shown cards, and lists single answers; feedback of other clients never counts.

Of several answers about one card the last by the moment of its outcome counts. A card counts once under each of its
rules, so that the numbers by rule add up to more than the total.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import LABEL_STYLE_TABLENAME_PLUS_COL as _LABELS
from sqlalchemy import Connection, Select, func, select

from cds_service.store.moments import to_milliseconds, to_moment
from cds_service.store.tables import IS_THEIRS, accepted_suggestion, feedback, shown_card, shown_suggestion

SHOWN, ACCEPTED, OVERRIDDEN, UNANSWERED = "shown", "accepted", "overridden", "unanswered"
NO_REASON = "none given"
NOT_A_CODE = "not a code"
"""Shown for what a client sent as a code and that has blanks or reads like a sentence: it may name somebody."""
_CODE = re.compile(r"[A-Za-z0-9._~:/?#+-]{1,100}")
_AT_ONCE = 1_000

Numbers = dict[str, int]
Table = dict[str, Numbers]


class Tally(NamedTuple):
    """The counts of a period: in all, and by section and row; `unknown` answers are in quarantine."""

    total: Numbers
    sections: dict[str, Table]
    unknown: int
    comments: int


class Answer(NamedTuple):
    """One answer about a known card, as the flat export has it; nothing of the patient is in it."""

    shown_at: datetime
    client: str
    service: str
    card: str
    template: str
    indicator: str
    rules: tuple[str, ...]
    knowledge_version: str
    outcome: str
    outcome_at: datetime
    reason_system: str | None
    reason_code: str | None
    has_comment: bool
    accepted_orders: tuple[str, ...]


def tally(connection: Connection, since: datetime, until: datetime) -> Tally:
    """Return the counts of cards that were shown from `since` to before `until`."""
    total = _numbers()
    sections: dict[str, Table] = {
        name: {} for name in ("rule", "reason", "service", "knowledge", "indicator")
    }
    comments = 0
    for row in connection.execute(_cards(since, until).execution_options(yield_per=_AT_ONCE)):
        outcome = row.outcome or UNANSWERED
        comments += bool(row.has_comment)
        _count(total, outcome)
        for rule in row.rules:
            _count(sections["rule"].setdefault(rule, _numbers()), outcome)
        for section, name in (
            ("service", row.service),
            ("knowledge", row.knowledge_version),
            ("indicator", row.indicator),
        ):
            _count(sections[section].setdefault(name, _numbers()), outcome)
        if outcome == OVERRIDDEN:
            reasons = sections["reason"].setdefault(_told(row.reason_code) or NO_REASON, {OVERRIDDEN: 0})
            reasons[OVERRIDDEN] += 1
    return Tally(total, sections, _unknown(connection, since, until), comments)


def answers(connection: Connection, since: datetime, until: datetime) -> Iterator[Answer]:
    """Yield every answer about cards that were shown from `since` to before `until`, oldest first."""
    asked = (
        select(shown_card, feedback)
        .join(feedback, IS_THEIRS)
        .where(*_period(since, until))
        .order_by(shown_card.c.shown_at, feedback.c.outcome_at, feedback.c.id)
        .set_label_style(_LABELS)
    )
    orders = _accepted_orders(connection, since, until)
    for row in connection.execute(asked).mappings():
        yield Answer(
            shown_at=to_moment(row["shown_card_shown_at"]),
            client=row["shown_card_client"],
            service=row["shown_card_service"],
            card=row["shown_card_card"],
            template=row["shown_card_template"],
            indicator=row["shown_card_indicator"],
            rules=tuple(row["shown_card_rules"]),
            knowledge_version=row["shown_card_knowledge_version"],
            outcome=row["feedback_outcome"],
            outcome_at=to_moment(row["feedback_outcome_at"]),
            reason_system=_told(row["feedback_reason_system"]),
            reason_code=_told(row["feedback_reason_code"]),
            has_comment=row["feedback_has_comment"],
            accepted_orders=tuple(orders.get(row["feedback_id"], ())),
        )


def _told(code: str | None) -> str | None:
    """Return a code as it may be shown to whoever reads a report."""
    return code if code is None or _CODE.fullmatch(code) else NOT_A_CODE


def _numbers() -> Numbers:
    return {SHOWN: 0, ACCEPTED: 0, OVERRIDDEN: 0, UNANSWERED: 0}


def _count(numbers: Numbers, outcome: str) -> None:
    numbers[SHOWN] += 1
    numbers[outcome] += 1


def _period(since: datetime, until: datetime) -> tuple[Any, Any]:
    return (
        shown_card.c.shown_at >= to_milliseconds(since),
        shown_card.c.shown_at < to_milliseconds(until),
    )


def _cards(since: datetime, until: datetime) -> Select[Any]:
    """Return the query for every card of the period with its last answer, if there is one."""
    place = func.row_number().over(
        partition_by=feedback.c.card, order_by=(feedback.c.outcome_at.desc(), feedback.c.id.desc())
    )
    ordered = (
        select(
            feedback.c.card,
            feedback.c.outcome,
            feedback.c.reason_code,
            feedback.c.has_comment,
            place.label("place"),
        )
        .join(shown_card, IS_THEIRS)
        .where(*_period(since, until))
        .subquery()
    )
    last = select(ordered).where(ordered.c.place == 1).subquery()
    return (
        select(shown_card, last.c.outcome, last.c.reason_code, last.c.has_comment)
        .join(last, last.c.card == shown_card.c.card, isouter=True)
        .where(*_period(since, until))
    )


def _unknown(connection: Connection, since: datetime, until: datetime) -> int:
    """Return how many answers that arrived in the period belong to no card of their client."""
    asked = (
        select(func.count())
        .select_from(feedback)
        .join(shown_card, IS_THEIRS, isouter=True)
        .where(shown_card.c.card.is_(None))
        .where(
            feedback.c.received_at >= to_milliseconds(since), feedback.c.received_at < to_milliseconds(until)
        )
    )
    return connection.execute(asked).scalar_one()


def _accepted_orders(connection: Connection, since: datetime, until: datetime) -> dict[int, list[str]]:
    """Return, by answer, the orders behind the suggestions that were accepted."""
    asked = (
        select(accepted_suggestion.c.feedback, shown_suggestion.c.rule)
        .join(shown_suggestion, shown_suggestion.c.suggestion == accepted_suggestion.c.suggestion)
        .join(shown_card, shown_card.c.card == shown_suggestion.c.card)
        .where(*_period(since, until))
        .order_by(shown_suggestion.c.rule)
    )
    found: dict[int, list[str]] = {}
    for row in connection.execute(asked):
        found.setdefault(row.feedback, []).append(row.rule)
    return found
