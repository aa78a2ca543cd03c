"""Remembers which tokens were used, for all processes that share the store; it keeps digests, never a token.

One statement decides: of any number of callers with the same token, on any number of machines, one is told yes.
"""

from __future__ import annotations

import hashlib
import itertools
import json
from datetime import datetime
from types import ModuleType

from sqlalchemy import Connection, Executable, bindparam, delete, select
from sqlalchemy.dialects import postgresql, sqlite

from cds_service.store.database import Database
from cds_service.store.moments import to_milliseconds
from cds_service.store.tables import seen_token

_CLAIMS_BETWEEN_PURGES = 100
_MOST_PURGED = 500


class StoredTokens:
    """The used tokens of one store."""

    def __init__(self, database: Database) -> None:
        """Keep where they are remembered."""
        self._database = database
        self._claims = itertools.count(1)

    def claim(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Use a token up: true for exactly one of any number of callers, false for all others until it expires.

        Raises `StoreUnavailableError` when that cannot be said.
        """
        digest = hashlib.sha256(json.dumps([issuer, jti]).encode()).hexdigest()
        moment = to_milliseconds(now)
        asked = {"digest": digest, "expires_at": to_milliseconds(expires_at), "now": moment}
        with self._database.light() as connection:
            if next(self._claims) % _CLAIMS_BETWEEN_PURGES == 0:
                _purge(connection, moment)
            return connection.execute(_CLAIM[connection.dialect.name], asked).first() is not None


def _claiming(made_by: ModuleType) -> Executable:
    statement = made_by.insert(seen_token).values(
        digest=bindparam("digest"), expires_at=bindparam("expires_at")
    )
    claimed: Executable = statement.on_conflict_do_update(
        index_elements=["digest"],
        set_={"expires_at": statement.excluded.expires_at},
        where=seen_token.c.expires_at <= bindparam("now"),  # one that has expired is as good as forgotten
    ).returning(seen_token.c.digest)
    return claimed


_CLAIM = {"sqlite": _claiming(sqlite), "postgresql": _claiming(postgresql)}
"""Made once: it takes longer to put together than to carry out."""


def _purge(connection: Connection, now: int) -> None:
    """Forget some expired tokens: more than came since the last time, few enough to hold nobody up."""
    expired = (
        select(seen_token.c.digest)
        .where(seen_token.c.expires_at <= now)
        .order_by(seen_token.c.expires_at)
        .limit(_MOST_PURGED)
        .with_for_update(skip_locked=True)  # two processes that purge at once take different ones
    )
    connection.execute(delete(seen_token).where(seen_token.c.digest.in_(expired)))
