"""The audit: every change, gap and cut is found, and a store that is away costs no record."""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete, select, update

from cds_service.errors import AuditError, StoreUnavailableError
from cds_service.store.audit import COMMAND, DECISION, SPOILT, Audit
from cds_service.store.chain import Entry, Record, append, chain_heads, entry_of, records
from cds_service.store.checkpoints import read_checkpoints
from cds_service.store.database import Database
from cds_service.store.spool import Spool, orphans, read_lines
from cds_service.store.store import Store
from cds_service.store.tables import audit_record
from cds_service.store.verify import Verdict, verify

AT = 1_780_000_000_000
TAMPERED = int(os.environ.get("CDS_TEST_TAMPERED", "150"))
SECONDS = 10.0


@pytest.fixture
def audit(store: Store, tmp_path: Path) -> Audit:
    """Return an audit that is required and whose checkpoints are written."""
    return Audit(store, tmp_path / "spool", is_required=True, checkpoints=tmp_path / "checkpoints")


@pytest.fixture
def away(store: Store, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    """Take the store away until the patch is undone."""
    with monkeypatch.context() as patch:

        def refuse() -> None:
            raise StoreUnavailableError("Temporarily unavailable")

        patch.setattr(store.database, "durable", refuse)
        patch.setattr(store.database, "light", refuse)
        yield patch


def verdict_of(store: Store, checkpoints: Path | None = None) -> Verdict:
    """Return what `verify` says of this store."""
    key = store.keys.audit
    return verify(records(store.database), key, read_checkpoints(checkpoints, key) if checkpoints else ())


def fill(store: Store, writer: str, count: int) -> None:
    """Append records to a chain."""
    entries = [entry_of(AT + number, DECISION, {"number": number}) for number in range(count)]
    with store.database.durable() as connection:
        append(connection, store.keys.audit, writer, entries)


def kinds(store: Store) -> list[str]:
    """Return the kinds of all records in their order."""
    return [record.kind for record in records(store.database)]


def until(holds: Callable[[], bool]) -> None:
    """Wait until something holds."""
    deadline = time.monotonic() + SECONDS
    while not holds() and time.monotonic() < deadline:
        time.sleep(0.01)
    assert holds()


def test_a_sound_audit_is_intact(audit: Audit, store: Store, tmp_path: Path) -> None:
    """Start, two decisions and the end stand in one chain, without a flaw and up to the checkpoint."""
    audit.begin(AT, {"release": "r"})
    audit.record(AT + 1, DECISION, {"b": 1, "a": "é"}, SECONDS)
    audit.record(AT + 2, DECISION, {}, SECONDS)
    audit.close(AT + 3)
    assert kinds(store) == ["start", "decision", "decision", "stop"]
    assert verdict_of(store, tmp_path / "checkpoints") == Verdict(1, 4, 0, 1, ())


def test_many_threads_make_one_chain(audit: Audit, store: Store) -> None:
    """Records of many threads that end at once are numbered without a gap."""
    import threading  # noqa: PLC0415 - of this test alone

    def work() -> None:
        for _ in range(10):
            audit.record(AT, DECISION, {}, SECONDS)

    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    verdict = verdict_of(store)
    assert (verdict.chains, verdict.records, verdict.flaws) == (1, 80, ())


def test_every_edit_is_found(store: Store) -> None:
    """A change of any column of any record, one at a time, is found; with the old value back the chain is sound."""
    fill(store, "w", 40)
    rolled = random.Random(7)  # noqa: S311 - the same edits each time, nothing secret
    all_records = [*records(store.database)]
    for _ in range(TAMPERED):
        record = rolled.choice(all_records)
        spoilt = spoil(record, rolled)
        edited = [spoilt if one is record else one for one in all_records]
        verdict = verify(edited, store.keys.audit)
        assert verdict.flaws, (record, spoilt)
    assert verify(all_records, store.keys.audit).flaws == ()


def spoil(record: Record, rolled: random.Random) -> Record:
    """Return a record that differs from the given one in one character or number."""
    column = rolled.choice(["at", "kind", "content", "mac"])
    value = getattr(record, column)
    if isinstance(value, int):
        return record._replace(at=value + rolled.choice([-1, 1, 1000]))
    place = rolled.randrange(len(value))
    other = rolled.choice([letter for letter in "0123456789abcdef" if letter != value[place]])
    return record._replace(**{column: value[:place] + other + value[place + 1 :]})


def test_an_edit_in_the_database_is_found(store: Store) -> None:
    """What is changed, taken out and moved in the table itself is told with its place."""
    for writer in ("edited", "gap", "moved", "sound"):
        fill(store, writer, 10)
    table = audit_record
    with store.database.durable() as connection:

        def of(writer: str, sequence: int) -> object:
            return (table.c.writer == writer) & (table.c.sequence == sequence)

        connection.execute(update(table).where(of("edited", 4)).values(content='{"number":99}'))  # type: ignore[arg-type]  # an expression
        connection.execute(delete(table).where(of("gap", 5)))  # type: ignore[arg-type]  # as above
        for old, new in ((2, 100), (3, 2), (100, 3)):
            connection.execute(update(table).where(of("moved", old)).values(sequence=new))  # type: ignore[arg-type]  # as above
    found = {(flaw.kind, flaw.writer, flaw.sequence) for flaw in verdict_of(store).flaws}
    assert ("changed", "edited", 4) in found
    assert ("missing", "gap", 5) in found
    assert {("changed", "moved", 2), ("changed", "moved", 3)} <= found
    assert "sound" not in {writer for _, writer, _ in found}


def test_a_record_of_another_history_is_found(store: Store) -> None:
    """Even a record that was signed for the same place, by the same process, does not fit into another chain."""
    fill(store, "w", 6)
    one = [*records(store.database)]
    with store.database.durable() as connection:
        connection.execute(delete(audit_record))
        entries = [entry_of(AT, DECISION, {"other": number}) for number in range(6)]
        append(connection, store.keys.audit, "w", entries)
    other = [*records(store.database)]
    spliced = [*one[:3], other[3], *one[4:]]
    assert {flaw.sequence for flaw in verify(spliced, store.keys.audit).flaws} == {4, 5}


def test_another_key_signs_nothing(store: Store) -> None:
    """Whoever has the database and not the key cannot write a chain that verifies."""
    fill(store, "w", 3)
    assert len(verify(records(store.database), b"another key" * 3).flaws) == 3


@pytest.mark.parametrize("kept", [0, 1, 3])
def test_an_end_that_was_cut_is_found_by_its_checkpoint(
    audit: Audit, store: Store, tmp_path: Path, kept: int
) -> None:
    """Without checkpoints a shorter chain looks sound; with them the missing records are told, up to all of them."""
    for number in range(4):
        audit.record(AT + number, DECISION, {}, SECONDS)
    audit.close(AT + 9)
    with store.database.durable() as connection:
        connection.execute(delete(audit_record).where(audit_record.c.sequence > kept))
    assert verdict_of(store).flaws == ()
    (flaw,) = verdict_of(store, tmp_path / "checkpoints").flaws
    assert (flaw.kind, flaw.writer, flaw.sequence) == ("cut", audit.writer, kept + 1)


def test_a_forged_checkpoint_is_told(audit: Audit, store: Store, tmp_path: Path) -> None:
    """A line that was changed, and one that is none, are not believed."""
    audit.record(AT, DECISION, {}, SECONDS)
    audit.close(AT)
    file = tmp_path / "checkpoints"
    file.write_text(file.read_text().replace(f"[{AT}", f"[{AT + 1}") + "rubbish\n")
    assert [flaw.kind for flaw in verdict_of(store, file).flaws] == ["unsigned", "unsigned"]


def test_checkpoints_are_written_on_the_way(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After so many records, and after so much time."""
    monkeypatch.setattr("cds_service.store.audit.EVERY_RECORDS", 3)
    moment = [0.0]
    file = tmp_path / "checkpoints"
    audit = Audit(store, tmp_path, is_required=True, checkpoints=file, clock=lambda: moment[0])
    moment[0] = 1.0
    for _ in range(7):
        audit.record(AT, DECISION, {}, SECONDS)
    assert len(file.read_text().splitlines()) == 2
    moment[0] = 400.0
    audit.record(AT, DECISION, {}, SECONDS)
    assert len(file.read_text().splitlines()) == 3
    assert verdict_of(store, file).flaws == ()


def test_a_store_that_is_away_costs_no_record(
    audit: Audit, store: Store, away: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What is recorded meanwhile waits on disk and stands in the chain once the store is back."""
    audit.record(AT, DECISION, {"number": 1})
    audit.record(AT, DECISION, {"number": 2})
    (file,) = (tmp_path / "spool").iterdir()
    assert len(file.read_bytes().splitlines()) == 2
    away.undo()
    time.sleep(1.1)
    audit.record(AT, DECISION, {"number": 3}, SECONDS)
    until(lambda: len(kinds(store)) == 3)
    audit.close(AT)
    assert not file.exists()
    assert sorted(record.content for record in records(store.database) if record.kind == DECISION) == [
        f'{{"number":{number}}}' for number in (1, 2, 3)
    ]
    assert verdict_of(store).flaws == ()


def test_closing_takes_what_waits_into_the_chain_before_its_end(
    audit: Audit, store: Store, away: pytest.MonkeyPatch
) -> None:
    """The stop is the last record also after a time without the store."""
    audit.record(AT, DECISION, {})
    away.undo()
    audit.close(AT)
    assert kinds(store) == ["decision", "stop"]
    assert verdict_of(store).unended == 0


@pytest.mark.parametrize("is_required", [True, False])
def test_with_neither_store_nor_disk_a_duty_refuses(
    store: Store,
    away: pytest.MonkeyPatch,
    tmp_path: Path,
    is_required: bool,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Where the audit is required the call is refused; else it is logged."""
    (tmp_path / "file").write_text("no folder")
    audit = Audit(store, tmp_path / "file" / "below", is_required=is_required)
    if is_required:
        with pytest.raises(StoreUnavailableError):
            audit.record(AT, DECISION, {})
    else:
        audit.record(AT, DECISION, {})
    assert [one.msg for one in caplog.records][-1] == "an audit record could not be kept"


def test_the_spool_is_bounded(store: Store, tmp_path: Path) -> None:
    """It refuses what is beyond its size and keeps what it holds."""
    key = store.keys.audit
    spool = Spool(tmp_path, "w", key, most_bytes=320)
    entry = Entry(AT, DECISION, '{"a":1}')
    spool.add(entry)
    spool.add(entry)
    spool.add(entry)
    with pytest.raises(AuditError, match="full"):
        spool.add(entry)
    held, size = spool.held()
    assert set(held.entries) == {entry}
    spool.let_go(size)
    assert spool.is_empty
    spool.close()


def test_what_came_later_stays_in_the_spool(store: Store, tmp_path: Path) -> None:
    """Entries that come while others are taken over are neither lost nor taken twice."""
    spool = Spool(tmp_path, "w", store.keys.audit)
    first, later = (Entry(AT, DECISION, f'{{"number":{number}}}') for number in (1, 2))
    spool.add(first)
    _, size = spool.held()
    spool.add(later)
    spool.let_go(size)
    assert not spool.is_empty
    held, size = spool.held()
    assert held.entries == (later,)
    spool.let_go(size)
    assert spool.is_empty
    spool.close()
    assert [*tmp_path.glob("*.spool")] == []


def test_a_torn_or_changed_line_is_counted_and_not_taken_over(store: Store, tmp_path: Path) -> None:
    """A crash may tear the last line, a hand may change one; the others are sound."""
    spool = Spool(tmp_path, "w", store.keys.audit)
    for number in range(3):
        spool.add(Entry(AT, DECISION, f'{{"number":{number}}}'))
    spool.close()
    (file,) = tmp_path.glob("*.spool")
    written = file.read_bytes().replace(b'number\\":1', b'number\\":7')[:-5]
    held = read_lines(store.keys.audit, written)
    assert ([entry.content for entry in held.entries], held.spoilt) == (['{"number":0}'], 2)


CRASHES = """
import os, sys
from pathlib import Path
from cds_service.store.chain import Entry
from cds_service.store.spool import Spool
spool = Spool(Path(sys.argv[1]), "crashed", bytes.fromhex(sys.argv[2]))
spool.add(Entry(1, "decision", "{}"))
os.write(spool._file, b"torn")
os.kill(os.getpid(), 9)
"""


def test_what_a_killed_process_left_is_taken_over(audit: Audit, store: Store, tmp_path: Path) -> None:
    """The next start takes the records of a process that was killed into its own chain and says what is torn."""
    folder = tmp_path / "spool"
    command = [sys.executable, "-c", CRASHES, str(folder), store.keys.audit.hex()]
    assert subprocess.run(command, check=False).returncode == -9
    audit.begin(AT, {})
    until(lambda: not [*folder.iterdir()])
    assert kinds(store) == ["start", "decision", SPOILT]


def test_the_spool_of_a_living_process_is_left_alone(store: Store, tmp_path: Path) -> None:
    """Its owner holds a lock on it."""
    spool = Spool(tmp_path, "w", store.keys.audit)
    spool.add(Entry(AT, DECISION, "{}"))
    assert [*orphans(tmp_path, store.keys.audit)] == []
    spool.close()
    (orphan,) = orphans(tmp_path, store.keys.audit)
    orphan.release()


def test_the_ends_of_all_chains_are_known(store: Store) -> None:
    """One end per writer, with the digest of its last record."""
    fill(store, "a", 3)
    fill(store, "b", 1)
    heads = chain_heads(store.database)
    assert {writer: head.sequence for writer, head in heads.items()} == {"a": 3, "b": 1}
    with store.database.reading() as connection:
        assert heads["a"].mac in set(connection.execute(select(audit_record.c.mac)).scalars())


def test_a_command_is_recorded_like_a_decision(audit: Audit, database: Database) -> None:
    """What an operator runs stands in a chain too."""
    audit.record(AT, COMMAND, {"command": "replay", "operator": "o", "files": 2}, SECONDS)
    (record,) = records(database)
    assert record.content == '{"command":"replay","files":2,"operator":"o"}'
