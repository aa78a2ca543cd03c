"""The audit as it stands in the store: records chained by a keyed digest, one chain per process; it judges none.

mac = HMAC-SHA256(key, mac before, then the record): a record cannot be changed, taken out, put in or moved without the
key, which stands outside the database. Only the end of a chain can be cut unseen; checkpoints kept elsewhere show it.
"""

from __future__ import annotations

import hmac
import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from sqlalchemy import Connection, bindparam, func, insert, select

from cds_service.store.database import Database
from cds_service.store.tables import audit_record

_AT_A_TIME = 5_000
_LAST = (
    select(audit_record.c.sequence, audit_record.c.mac)
    .where(audit_record.c.writer == bindparam("writer"))
    .order_by(audit_record.c.sequence.desc())
    .limit(1)
)

_ADD = insert(audit_record)


class Entry(NamedTuple):
    """What is to be recorded: the moment in milliseconds since 1970, the kind, and the content as canonical JSON."""

    at: int
    kind: str
    content: str


class Record(NamedTuple):
    """An entry in its place of a chain, with the digest of it and of all before it."""

    writer: str
    sequence: int
    at: int
    kind: str
    content: str
    mac: str


class Head(NamedTuple):
    """The end of a chain; `sequence` 0 where there is none yet."""

    sequence: int = 0
    mac: str = ""


def entry_of(at: int, kind: str, content: Mapping[str, Any]) -> Entry:
    """Return an entry whose content is always the same text for the same content."""
    return Entry(at, kind, json.dumps(content, sort_keys=True, separators=(",", ":"), allow_nan=False))


def mac_of(key: bytes, before: str, record: Record) -> str:
    """Return the digest of a record in its place. The content, which is JSON, comes last and holds no line break."""
    said = (
        f"{before}\n{record.writer}\n{record.sequence}\n{record.at}\n{record.kind}\n{record.content}".encode(
            "utf-8", "surrogatepass"
        )
    )
    return hmac.digest(key, said, "sha256").hex()


def append(connection: Connection, key: bytes, writer: str, entries: Sequence[Entry]) -> Head:
    """Add the entries to the chain of a writer and return its end.

    Where the chain ends is read in the same transaction, so that one that is rolled back leaves no gap.
    """
    head = head_of(connection, writer)
    rows = []
    for entry in entries:
        record = Record(writer, head.sequence + 1, *entry, mac="")
        head = Head(record.sequence, mac_of(key, head.mac, record))
        rows.append(record._replace(mac=head.mac)._asdict())
    connection.execute(_ADD, rows)
    return head


def head_of(connection: Connection, writer: str) -> Head:
    """Return where the chain of a writer ends."""
    last = connection.execute(_LAST, {"writer": writer}).first()
    return Head(*last) if last is not None else Head()


def chain_heads(database: Database) -> dict[str, Head]:
    """Return where each chain ends, by its writer. Raises `StoreUnavailableError`."""
    table = audit_record.c
    ends = select(table.writer, func.max(table.sequence).label("sequence")).group_by(table.writer).subquery()
    asked = select(table.writer, table.sequence, table.mac).join(
        ends, (ends.c.writer == table.writer) & (ends.c.sequence == table.sequence)
    )
    with database.reading() as connection:
        return {writer: Head(sequence, mac) for writer, sequence, mac in connection.execute(asked)}


def records(database: Database) -> Iterator[Record]:
    """Yield every record, chain by chain, each in its order. Raises `StoreUnavailableError`."""
    table = audit_record.c
    asked = select(table.writer, table.sequence, table.at, table.kind, table.content, table.mac).order_by(
        table.writer, table.sequence
    )
    with database.reading() as connection:
        rows = connection.execution_options(yield_per=_AT_A_TIME).execute(asked)
        for some in rows.partitions():
            yield from map(Record._make, some)
