"""Keeps and tells which cards were shown: uuids, rules and keyed digests, never their words or a value of the chart."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy import Connection, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.database import Database
from cds_service.store.moments import to_milliseconds
from cds_service.store.tables import shown_card, shown_suggestion
from cds_service.store.writer import Write

_TABLES = (shown_card, shown_suggestion)
_INSERTS = {
    "sqlite": tuple(sqlite.insert(table).on_conflict_do_nothing() for table in _TABLES),
    "postgresql": tuple(postgresql.insert(table).on_conflict_do_nothing() for table in _TABLES),
}
"""Made once: they take longer to put together than to carry out."""


class ShownCard(NamedTuple):
    """A card that was sent. `patient` and `advice` are digests, `offers` maps suggestion uuids to order ids."""

    card: str
    client: str
    service: str
    template: str
    indicator: str
    rules: tuple[str, ...]
    offers: tuple[tuple[str, str], ...]
    knowledge_version: str
    patient: str
    advice: str
    shown_at: datetime


class KeepingShown:
    """Writes shown cards and their suggestions; what is there already, after a commit of unknown end, stays."""

    def __init__(self, cards: Sequence[ShownCard]) -> None:
        """Keep what to write."""
        self.cards = tuple(cards)

    def __call__(self, connection: Connection) -> None:
        """Write them, with one statement for the cards and one for their suggestions."""
        insert_card, insert_suggestion = _INSERTS[connection.dialect.name]
        rows = [
            {
                **card._asdict(),
                "card": card.card.lower(),
                "rules": [*card.rules],
                "shown_at": to_milliseconds(card.shown_at),
            }
            for card in self.cards
        ]
        for row in rows:
            row.pop("offers")
        offers = [
            {"suggestion": uuid.lower(), "card": card.card.lower(), "rule": rule}
            for card in self.cards
            for uuid, rule in card.offers
        ]
        connection.execute(insert_card, rows)
        if offers:
            connection.execute(insert_suggestion, offers)

    def join(self, others: Sequence[KeepingShown]) -> KeepingShown:
        """Return what writes these cards and those of others."""
        return KeepingShown([*self.cards, *(card for one in others for card in one.cards)])


def keeping_shown(cards: Sequence[ShownCard]) -> Write:
    """Return what writes these cards and their suggestions."""
    return KeepingShown(cards)


def rules_of(
    database: Database, client: str, service: str, cards: Sequence[str]
) -> dict[str, tuple[str, ...]]:
    """Return the rules of those `cards` that this client was shown by this service. Raises `StoreUnavailableError`."""
    asked = (
        select(shown_card.c.card, shown_card.c.rules)
        .where(shown_card.c.card.in_(set(cards)))
        .where(shown_card.c.client == client, shown_card.c.service == service)
    )
    with database.reading() as connection:
        return {card: tuple(rules) for card, rules in connection.execute(asked)}
