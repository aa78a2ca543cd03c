"""Deletes audit records past their time so that what is left still verifies; it keeps a signed account of what went.

Of each chain only the beginning goes: the records before the first that is not old. Before anything is deleted, a
record of kind `purge` says how far each chain is cut and by which digest the rest continues. It opens a chain of its
own, so that its digest can be checked without any other record, and it repeats what earlier ones said of chains that
still have records: they may themselves be deleted by a later purge.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple
from uuid import uuid4

from sqlalchemy import Connection, delete, func, select

from cds_service.store.chain import Head, Record, append, entry_of, mac_of
from cds_service.store.checkpoints import write_checkpoint
from cds_service.store.database import Database
from cds_service.store.tables import audit_record

PURGE = "purge"
_AT_ONCE = 1_000
"""So many rows per transaction: the service goes on writing in between."""
_table = audit_record.c


class Order(NamedTuple):
    """What is to be purged: at which moment it is told to, before which one records are old (milliseconds since 1970).

    `said` stands in the account beside what it says itself. With `checkpoints` the account has a checkpoint, so that it
    cannot be taken away unseen.
    """

    at: int
    before: int
    said: Mapping[str, Any]
    checkpoints: Path | None = None


class Account(NamedTuple):
    """What one purge said: what is before this moment may be gone, how many it counted, and where chains continue."""

    before: int
    records: int
    cuts: Mapping[str, Head]


def accounts(database: Database, key: bytes) -> tuple[Account, ...]:
    """Return what all purges said whose digest holds. Raises `StoreUnavailableError`."""
    asked = select(_table.writer, _table.sequence, _table.at, _table.kind, _table.content, _table.mac).where(
        _table.kind == PURGE, _table.sequence == 1
    )
    with database.reading() as connection:
        _take_time(connection)
        found = [Record._make(row) for row in connection.execute(asked)]
    return tuple(_account(one) for one in found if hmac.compare_digest(mac_of(key, "", one), one.mac))


def furthest(them: Iterable[Account]) -> dict[str, Head]:
    """Return where each chain continues, by the purge that went furthest."""
    cuts: dict[str, Head] = {}
    for account in them:
        for writer, head in account.cuts.items():
            cuts[writer] = max(head, cuts.get(writer, Head()))
    return cuts


def has_records_before(database: Database, before: int) -> bool:
    """Whether anything was recorded before a moment (milliseconds since 1970). Raises `StoreUnavailableError`."""
    with database.reading() as connection:
        return connection.execute(select(_table.at).where(_table.at < before).limit(1)).first() is not None


def purge_audit(database: Database, key: bytes, order: Order) -> Account:
    """Delete what an order calls old, and return the account that was recorded.

    Without such records nothing is written. Broken off, it is finished by the next one. Raises `StoreUnavailableError`
    or `AuditError`; nothing is deleted before the account and its checkpoint are on disk.
    """
    earlier = furthest(accounts(database, key))
    with database.durable() as connection:
        _take_time(connection)
        ends = _ends(connection, order.before)
        account = Account(
            order.before, _count(connection, ends), {**_with_records(connection, earlier), **ends}
        )
        writer, head = str(uuid4()), Head()
        if ends:
            head = append(
                connection, key, writer, [entry_of(order.at, PURGE, {**order.said, **account._asdict()})]
            )
    if not ends:
        return account
    if order.checkpoints is not None:
        write_checkpoint(order.checkpoints, key, order.at, writer, head)
    for chain, end in ends.items():
        _delete(database, chain, end.sequence)
    return account


def _take_time(connection: Connection) -> None:
    """Let a walk through years of records take longer than a call of the service may."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout TO 0")


def _account(record: Record) -> Account:
    said = json.loads(record.content)
    return Account(
        said["before"], said["records"], {writer: Head(*head) for writer, head in said["cuts"].items()}
    )


def _ends(connection: Connection, before: int) -> dict[str, Head]:
    """Return the last record of each chain that goes, for chains of which one goes at least."""
    kept = (
        select(_table.writer, func.min(_table.sequence).label("first"))
        .where(_table.at >= before)
        .group_by(_table.writer)
        .subquery()
    )
    last = (
        select(_table.writer, func.max(_table.sequence).label("sequence"))
        .join(kept, kept.c.writer == _table.writer, isouter=True)
        .where(_table.at < before, (kept.c.first.is_(None)) | (_table.sequence < kept.c.first))
        .group_by(_table.writer)
        .subquery()
    )
    asked = select(_table.writer, _table.sequence, _table.mac).join(
        last, (last.c.writer == _table.writer) & (last.c.sequence == _table.sequence)
    )
    return {writer: Head(sequence, mac) for writer, sequence, mac in connection.execute(asked)}


def _with_records(connection: Connection, cuts: Mapping[str, Head]) -> dict[str, Head]:
    """Return the cuts of chains that have records yet."""
    writers = set(connection.execute(select(_table.writer).distinct()).scalars())
    return {writer: head for writer, head in cuts.items() if writer in writers}


def _count(connection: Connection, ends: Mapping[str, Head]) -> int:
    return sum(
        connection.execute(
            select(func.count()).where(_table.writer == writer, _table.sequence <= head.sequence)
        ).scalar_one()
        for writer, head in ends.items()
    )


def _delete(database: Database, writer: str, sequence: int) -> None:
    """Delete the beginning of a chain, its first records first."""
    is_past = (_table.writer == writer, _table.sequence <= sequence)
    while True:
        batch = select(_table.sequence).where(*is_past).order_by(_table.sequence).limit(_AT_ONCE)
        with database.durable() as connection:
            deleted = connection.execute(
                delete(audit_record).where(*is_past, _table.sequence.in_(batch.scalar_subquery()))
            ).rowcount
        if deleted < _AT_ONCE:
            return
