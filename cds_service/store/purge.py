"""Deletes what has been kept long enough, free text first, in small transactions; it knows no clock."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import ColumnElement, Table, and_, delete, exists, select, update

from cds_service.store.database import Database
from cds_service.store.moments import to_milliseconds
from cds_service.store.tables import IS_THEIRS, feedback, shown_card

_AT_ONCE = 1_000
"""So many rows per transaction: the service goes on writing in between."""


class Purged(NamedTuple):
    """How much was deleted."""

    comments: int
    feedback: int
    shown_cards: int


def purge(
    database: Database, *, feedback_before: datetime, quarantine_before: datetime, shown_before: datetime
) -> Purged:
    """Delete feedback that arrived, and cards that were shown, before these moments; feedback on no card by its own.

    Broken off, it goes on where it ended when it is started again. Raises `StoreUnavailableError`.
    """
    is_old = feedback.c.received_at < to_milliseconds(feedback_before)
    is_unknown = and_(
        feedback.c.received_at < to_milliseconds(quarantine_before),
        ~exists().where(IS_THEIRS).correlate(feedback),
    )
    comments = _erase_comments(database, is_old | is_unknown)
    answers = _delete(database, feedback, feedback.c.id, is_old | is_unknown)
    is_past = shown_card.c.shown_at < to_milliseconds(shown_before)
    return Purged(comments, answers, _delete(database, shown_card, shown_card.c.card, is_past))


def _erase_comments(database: Database, which: ColumnElement[bool]) -> int:
    erasing = update(feedback).where(which, feedback.c.comment.is_not(None)).values(comment=None)
    with database.durable() as connection:
        return connection.execute(erasing).rowcount


def _delete(database: Database, table: Table, key: Any, which: ColumnElement[bool]) -> int:
    total = 0
    while True:
        batch = select(key).where(which).limit(_AT_ONCE).scalar_subquery()
        with database.durable() as connection:
            deleted = connection.execute(delete(table).where(key.in_(batch))).rowcount
        total += deleted
        if deleted < _AT_ONCE:
            return total
