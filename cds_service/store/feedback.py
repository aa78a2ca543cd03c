"""Keeps what clients report of their cards, each answer once; whose card it is, is told when it is read.

An answer about a card that this client was not shown by this service is kept like any other and joined to no card: it
is in quarantine, counts in no report and quiets nothing. A card that another process writes a moment later takes its
answers out of quarantine by being there.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import Connection, insert
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.moments import to_milliseconds
from cds_service.store.tables import accepted_suggestion, feedback
from cds_service.store.writer import Write


class KeptFeedback(NamedTuple):
    """One answer. `comment` is None where comments are not kept, `has_comment` is true all the same."""

    card: str
    outcome: str
    outcome_at: datetime
    suggestions: tuple[str, ...] = ()
    reason_system: str | None = None
    reason_code: str | None = None
    has_comment: bool = False
    comment: str | None = None


def keeping_feedback(
    client: str, service: str, items: Sequence[KeptFeedback], received_at: datetime
) -> Write:
    """Return what writes all these answers, or, when one fails, none; those that are there already stay as they are."""
    rows = {digest_of(client, service, item): item for item in items}
    received = to_milliseconds(received_at)

    def write(connection: Connection) -> None:
        for digest in sorted(rows):  # two processes with the same answers must not wait for each other
            item = rows[digest]
            row = {"digest": digest, "client": client, "service": service, "received_at": received}
            _write(connection, {**row, **_columns(item)}, item.suggestions)

    return write


def digest_of(client: str, service: str, item: KeptFeedback) -> str:
    """Return what is the same when the same answer is reported again; a comment changes nothing."""
    said = [
        client,
        service,
        item.card,
        item.outcome,
        to_milliseconds(item.outcome_at),
        sorted(item.suggestions),
        item.reason_system,
        item.reason_code,
    ]
    return hashlib.sha256(json.dumps(said).encode()).hexdigest()


def _columns(item: KeptFeedback) -> dict[str, Any]:
    columns = {**item._asdict(), "outcome_at": to_milliseconds(item.outcome_at)}
    del columns["suggestions"]
    return columns


def _write(connection: Connection, row: dict[str, Any], suggestions: tuple[str, ...]) -> None:
    dialect = sqlite if connection.dialect.name == "sqlite" else postgresql
    statement = dialect.insert(feedback).values(row).on_conflict_do_nothing(index_elements=["digest"])
    made = connection.execute(statement.returning(feedback.c.id)).scalar()
    if made is not None and suggestions:
        accepted = [{"feedback": made, "suggestion": one} for one in suggestions]
        connection.execute(insert(accepted_suggestion), accepted)
