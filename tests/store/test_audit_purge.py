"""Purging the audit: what is old goes, what is left verifies, and nothing else can go by the same way."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner
from sqlalchemy import delete, insert, update

from cds_service.cli.main import cli
from cds_service.errors import StoreUnavailableError
from cds_service.store.audit import DECISION, STOP
from cds_service.store.audit_purge import PURGE, Account, Order, accounts, purge_audit
from cds_service.store.chain import append, entry_of, head_of, records
from cds_service.store.checkpoints import read_checkpoints, write_checkpoint
from cds_service.store.store import Store
from cds_service.store.tables import audit_record
from cds_service.store.verify import Verdict, verify

DAY = 86_400_000
NOW = 3_000 * DAY
BEFORE = 1_000 * DAY
TABLE = audit_record.c


def fill(store: Store, writer: str, *days: int, ends: bool = True) -> None:
    """Record a decision on each of these days, then the end of the process."""
    entries = [entry_of(day * DAY, DECISION, {"request": f"{writer}-{day}"}) for day in days]
    if ends:
        entries.append(entry_of(days[-1] * DAY, STOP, {}))
    with store.database.durable() as connection:
        append(connection, store.keys.audit, writer, entries)


def purged(store: Store, before: int = BEFORE, checkpoints: Path | None = None) -> Account:
    """Purge what was recorded before a moment."""
    return purge_audit(store.database, store.keys.audit, Order(NOW, before, {"days": 1}, checkpoints))


def verdict_of(store: Store, checkpoints: Path | None = None) -> Verdict:
    """Return what `audit verify` says."""
    key = store.keys.audit
    noted = read_checkpoints(checkpoints, key) if checkpoints is not None else ()
    return verify(records(store.database), key, noted, accounts(store.database, key))


def left(store: Store) -> list[tuple[str, int]]:
    """Return the records that are left by chain and number, without those of purges."""
    return [(one.writer, one.sequence) for one in records(store.database) if one.kind != PURGE]


@pytest.fixture
def three(store: Store) -> Store:
    """Return a store with a chain that is old, one that is old in part, and one that is new."""
    fill(store, "gone", 1, 2, 3)
    fill(store, "part", 10, 20, 1_500, 30, 1_600)
    fill(store, "new", 2_000, 2_001, ends=False)
    return store


def test_what_is_left_verifies(three: Store) -> None:
    """The beginning of each chain goes up to the first record that is not old, and the account says how far."""
    assert purged(three).records == 6
    assert left(three) == [("new", 1), ("new", 2), ("part", 3), ("part", 4), ("part", 5), ("part", 6)]
    verdict = verdict_of(three)
    assert (verdict.flaws, verdict.records, verdict.purged) == ((), 7, 6)
    (record,) = (one for one in records(three.database) if one.kind == PURGE)
    said = json.loads(record.content)
    assert (said["before"], said["records"], said["days"]) == (BEFORE, 6, 1)
    assert {writer: cut[0] for writer, cut in said["cuts"].items()} == {"gone": 4, "part": 2}


def test_without_old_records_nothing_is_written(three: Store) -> None:
    """Neither a record nor a deletion."""
    before = [*records(three.database)]
    assert purged(three, before=0).records == 0
    assert [*records(three.database)] == before


def test_more_than_one_batch_goes(three: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long past is deleted piece by piece."""
    monkeypatch.setattr("cds_service.store.audit_purge._AT_ONCE", 2)
    purged(three)
    assert ("gone", 1) not in left(three)
    assert verdict_of(three).flaws == ()


def test_a_chain_goes_on_after_it_was_cut(three: Store) -> None:
    """The process that writes it notices nothing."""
    fill(three, "new", 2_500)
    purged(three, before=2_400 * DAY)
    fill(three, "new", 2_900)
    assert [sequence for writer, sequence in left(three) if writer == "new"] == [3, 4, 5, 6]
    assert verdict_of(three).flaws == ()


def test_a_later_purge_takes_the_account_of_an_earlier_one_along(three: Store) -> None:
    """The record of the first purge is itself deleted; what it said of chains that still have records stays said."""
    purged(three)
    with three.database.durable() as connection:
        ancient = entry_of(1, DECISION, {})
        append(connection, three.keys.audit, "another", [ancient])
    purge_audit(three.database, three.keys.audit, Order(NOW + DAY, NOW + 1, {}))
    assert left(three) == []
    fill(three, "late", 3_001, 3_500)
    assert verdict_of(three).flaws == ()


def test_what_an_earlier_purge_cut_stays_cut(three: Store) -> None:
    """A second purge that touches another chain repeats where the first one cut this one."""
    purged(three)
    fill(three, "other", 900, 2_999)
    purged(three)
    (first, second) = sorted(accounts(three.database, three.keys.audit), key=lambda one: one.records)
    assert second.cuts["part"] == first.cuts["part"]
    with three.database.durable() as connection:  # as a later purge would
        old = min(
            one for one in records(three.database) if one.kind == PURGE and '"other"' not in one.content
        )
        connection.execute(delete(audit_record).where(TABLE.writer == old.writer))
    assert verdict_of(three).flaws == ()


def test_records_that_go_without_an_account_are_found(three: Store) -> None:
    """One more record than the purge accounted for, at the same place."""
    purged(three)
    with three.database.durable() as connection:
        connection.execute(delete(audit_record).where(TABLE.writer == "part", TABLE.sequence == 3))
    assert [(flaw.kind, flaw.writer, flaw.sequence) for flaw in verdict_of(three).flaws] == [
        ("missing", "part", 3),
        ("changed", "part", 4),
    ]


def test_an_account_that_was_taken_away_is_found(three: Store, tmp_path: Path) -> None:
    """The cut chains then lack their beginning, and a checkpoint shows that the account itself is missing."""
    purged(three, checkpoints=tmp_path / "checkpoints")
    assert verdict_of(three, tmp_path / "checkpoints").flaws == ()
    with three.database.durable() as connection:
        connection.execute(delete(audit_record).where(TABLE.kind == PURGE))
    assert {(flaw.kind, flaw.writer) for flaw in verdict_of(three).flaws} == {
        ("missing", "part"),
        ("changed", "part"),
    }
    assert "cut" in {flaw.kind for flaw in verdict_of(three, tmp_path / "checkpoints").flaws}


@pytest.mark.parametrize("old", ['"part":[2,', '"records":6', f'"before":{BEFORE}'])
def test_an_account_that_was_edited_is_found_and_not_believed(three: Store, old: str) -> None:
    """Whoever has the database cannot widen what was purged."""
    purged(three)
    (record,) = (one for one in records(three.database) if one.kind == PURGE)
    assert old in record.content
    edited = record.content.replace(old, old.translate(str.maketrans("2601", "3912")))
    with three.database.durable() as connection:
        connection.execute(update(audit_record).where(TABLE.writer == record.writer).values(content=edited))
    assert accounts(three.database, three.keys.audit) == ()
    assert ("changed", record.writer) in {(flaw.kind, flaw.writer) for flaw in verdict_of(three).flaws}


def test_a_forged_account_is_not_believed(three: Store) -> None:
    """Neither one of another key, nor one that stands anywhere but at the beginning of its chain."""
    with three.database.durable() as connection:
        said = {"before": NOW, "records": 0, "cuts": {"part": [3, "0" * 64]}}
        append(connection, b"another key" * 3, "forged", [entry_of(NOW, PURGE, said)])
    assert accounts(three.database, three.keys.audit) == ()
    assert {flaw.writer for flaw in verdict_of(three).flaws} == {"forged"}


def test_a_record_that_was_put_back_is_found(three: Store) -> None:
    """What was accounted for as deleted cannot come back with another content."""
    (old,) = (one for one in records(three.database) if (one.writer, one.sequence) == ("part", 2))
    purged(three)
    back = old._replace(content='{"request":"invented"}')
    with three.database.durable() as connection:
        connection.execute(insert(audit_record), [back._asdict()])
    (flaw,) = verdict_of(three).flaws
    assert (flaw.kind, flaw.writer, flaw.sequence) == ("overdue", "part", 2)


def test_a_purge_that_is_broken_off_is_finished_by_the_next(
    three: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Until then `verify` names what is still there; nothing that should stay is ever gone."""
    with monkeypatch.context() as patch:

        def end(*_rest: object) -> None:
            raise StoreUnavailableError("Temporarily unavailable")

        patch.setattr("cds_service.store.audit_purge._delete", end)
        with pytest.raises(StoreUnavailableError):
            purged(three)
    assert {flaw.kind for flaw in verdict_of(three).flaws} == {"overdue"}
    purged(three)
    assert verdict_of(three).flaws == ()
    assert len(left(three)) == 6


@pytest.mark.parametrize(("day", "kinds"), [(3, []), (1_600, ["cut"])])
def test_a_checkpoint_of_what_was_purged_is_no_cut(
    three: Store, tmp_path: Path, day: int, kinds: list[str]
) -> None:
    """One that was written before the moment of the purge is past its time too; a later one is held to."""
    file = tmp_path / "checkpoints"
    with three.database.reading() as connection:
        head = head_of(connection, "gone")
    write_checkpoint(file, three.keys.audit, day * DAY, "gone", head)
    purged(three)
    assert [flaw.kind for flaw in verdict_of(three, file).flaws] == kinds


def days_ago(store: Store, writer: str, *days: int) -> None:
    """Record a decision so many days before today, for the command, which reads the clock."""
    now = datetime.now(UTC)
    entries = [
        entry_of(int((now - timedelta(days=one)).timestamp() * 1000), DECISION, {"days": one}) for one in days
    ]
    with store.database.durable() as connection:
        append(connection, store.keys.audit, writer, entries)


def test_the_command_keeps_six_years_or_what_the_setting_says(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It deletes, says how much, and leaves an audit that `verify` calls intact."""
    secret = tmp_path / "secret.key"
    secret.write_bytes(bytes(range(32)))
    secret.chmod(0o600)
    days_ago(store, "w", 2_200, 2_190, 500, 10)
    monkeypatch.setenv("CDS_SECRET_KEY_FILE", str(secret))
    monkeypatch.setenv("CDS_STATE_FOLDER", str(tmp_path))
    monkeypatch.setenv("DATABASE_URL", store.database.url.render_as_string(hide_password=False))
    assert "and 1 audit records." in CliRunner().invoke(cli, ["purge"]).output
    monkeypatch.setenv("CDS_AUDIT_DAYS", "400")
    assert "and 2 audit records." in CliRunner().invoke(cli, ["purge"]).output
    assert "and 0 audit records." in CliRunner().invoke(cli, ["purge"]).output
    assert left(store) == [("w", 4)]
    told = CliRunner().invoke(cli, ["audit", "verify"])
    assert (told.exit_code, "3 records were past their time" in told.output) == (0, True), told.output
