"""Shows that the store takes a write, on the disk and not only in name; it leaves nothing behind."""

from __future__ import annotations

from uuid import uuid4

from sqlalchemy import Connection, delete, insert

from cds_service.store.tables import seen_token


def write_and_take_back(connection: Connection) -> None:
    """Write a row that expired long ago and take it away again: both reach the disk when they are committed.

    A transaction without a row would be committed on a full disk too. The table is the one that a role which may only
    add to the audit may delete from.
    """
    digest = f"probe {uuid4()}"
    connection.execute(insert(seen_token).values(digest=digest, expires_at=0))
    connection.execute(delete(seen_token).where(seen_token.c.digest == digest))
