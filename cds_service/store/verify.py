"""Walks the chains of the audit and tells every gap, change and cut; it repairs nothing."""

from __future__ import annotations

import hmac
from collections.abc import Collection, Iterable, Mapping
from typing import NamedTuple

from cds_service.store.audit import STOP
from cds_service.store.audit_purge import Account, furthest
from cds_service.store.chain import Head, Record, mac_of
from cds_service.store.checkpoints import Checkpoint


class Flaw(NamedTuple):
    """What is wrong with a chain, from record `sequence` on; `kind` is changed, missing, cut, overdue or unsigned.

    `overdue` is what a purge has accounted for as deleted and is there all the same.
    """

    kind: str
    writer: str
    sequence: int
    text: str


class Verdict(NamedTuple):
    """What was walked and what is wrong. `unended` chains belong to processes that run, or were killed.

    `purged` records are accounted for by purges: they were past their time.
    """

    chains: int
    records: int
    unended: int
    checkpoints: int
    flaws: tuple[Flaw, ...]
    purged: int = 0


class _Chain:
    """The walk along one chain, from where a purge has cut it."""

    def __init__(self, key: bytes, expected: Mapping[int, Checkpoint], cut: Head) -> None:
        self._key = key
        self._expected = expected
        self._cut = cut
        self.last: Record | None = None
        self.flaws: list[Flaw] = []

    def walk(self, record: Record) -> None:
        if record.sequence <= self._cut.sequence:
            text = f"record {record.sequence} was to be deleted; run `cds-service purge` again"
            self.flaws.append(Flaw("overdue", record.writer, record.sequence, text))
            return
        before = self.last
        position, mac = (before.sequence, before.mac) if before is not None else self._cut
        if record.sequence != position + 1:
            text = f"records {position + 1} to {record.sequence - 1} are missing"
            self.flaws.append(Flaw("missing", record.writer, position + 1, text))
        if not hmac.compare_digest(mac_of(self._key, mac, record).encode(), record.mac.encode()):
            text = f"record {record.sequence} is not what was signed, or does not follow the one before it"
            self.flaws.append(Flaw("changed", record.writer, record.sequence, text))
        noted = self._expected.get(record.sequence)
        if noted is not None and noted.mac != record.mac:
            text = f"record {record.sequence} is not the one of the checkpoint"
            self.flaws.append(Flaw("changed", record.writer, record.sequence, text))
        self.last = record


def verify(
    records: Iterable[Record],
    key: bytes,
    checkpoints: Iterable[tuple[int, Checkpoint | None]] = (),
    purges: Collection[Account] = (),
) -> Verdict:
    """Return what is right and wrong with all chains, whose records come one chain after the other.

    `purges` are what the purges said whose own digest holds.
    """
    cuts = furthest(purges)
    purged_before = max((account.before for account in purges), default=0)
    noted: dict[str, dict[int, Checkpoint]] = {}
    unsigned: list[Flaw] = []
    lines = 0
    for number, checkpoint in checkpoints:
        lines += 1
        if checkpoint is None:
            unsigned.append(Flaw("unsigned", "", number, f"line {number} of the checkpoints is not signed"))
        else:
            noted.setdefault(checkpoint.writer, {})[checkpoint.sequence] = checkpoint
    count, chains = 0, dict[str, _Chain]()
    for record in records:
        count += 1
        chain = chains.get(record.writer)
        if chain is None:
            chain = chains[record.writer] = _Chain(
                key, noted.get(record.writer, {}), cuts.get(record.writer, Head())
            )
        chain.walk(record)
    flaws = [flaw for chain in chains.values() for flaw in chain.flaws]
    flaws += [
        flaw
        for writer, known in noted.items()
        for flaw in _cut(writer, known, chains.get(writer), purged_before)
    ]
    unended = sum(chain.last is not None and chain.last.kind != STOP for chain in chains.values())
    purged = sum(account.records for account in purges)
    return Verdict(len(chains), count, unended, lines, tuple(flaws + unsigned), purged)


def _cut(
    writer: str, known: Mapping[int, Checkpoint], chain: _Chain | None, purged_before: int
) -> list[Flaw]:
    """Return the flaw of a chain that does not reach as far as a checkpoint says that it did.

    What a checkpoint saw before the moment of the last purge may have been deleted by it, with the whole chain.
    """
    last = chain.last.sequence if chain is not None and chain.last is not None else 0
    reached = max((one.sequence for one in known.values() if one.at >= purged_before), default=0)
    if last >= reached:
        return []
    return [Flaw("cut", writer, last + 1, f"records {last + 1} to {reached} are missing at the end")]
