"""The tables: made once, moved on, never taken for another release's; the same as the program believes."""

from __future__ import annotations

import stat
from pathlib import Path

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text

from cds_service.errors import StoreError, StoreUnavailableError
from cds_service.store.database import Database
from cds_service.store.schema import HEAD, known_revisions, migrate, require_current, revision_of
from cds_service.store.store import open_store
from cds_service.store.tables import METADATA


def set_revision(database: Database, revision: str) -> None:
    """Write another state into the store."""
    with database.durable() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = :it"), {"it": revision})


def test_an_empty_database_gets_every_table(empty_database: Database) -> None:
    """A first migration makes what the program works with, and says which state that is."""
    assert revision_of(empty_database) is None
    migrate(empty_database)
    assert revision_of(empty_database) == HEAD
    with empty_database.reading() as connection:
        assert set(METADATA.tables) < set(inspect(connection).get_table_names())


def test_the_migrations_and_the_tables_say_the_same(database: Database) -> None:
    """What the migrations made is what the program believes: no column, index or type differs."""
    with database.reading() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, METADATA) == []


def test_the_newest_migration_is_the_state_of_the_program() -> None:
    """`HEAD` names the newest migration."""
    assert known_revisions()[0] == HEAD


def test_migrating_twice_changes_nothing(database: Database) -> None:
    """A store of this release is left as it is, with what is in it."""
    with database.durable() as connection:
        connection.execute(text("INSERT INTO seen_token (digest, expires_at) VALUES ('d', 1)"))
    migrate(database)
    with database.reading() as connection:
        assert connection.execute(text("SELECT count(*) FROM seen_token")).scalar() == 1


def test_a_migration_that_breaks_off_leaves_nothing_half_done(
    empty_database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tables and the state are written in one transaction; the next try starts afresh and ends well."""

    def crash(connection: Connection) -> None:
        connection.execute(text("CREATE TABLE shown_card (card VARCHAR(36))"))
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr("cds_service.store.schema._apply", crash)
        with pytest.raises(RuntimeError):
            migrate(empty_database)
    assert revision_of(empty_database) is None
    migrate(empty_database)
    require_current(empty_database)


@pytest.mark.parametrize("act", [migrate, require_current])
def test_the_store_of_a_newer_release_is_refused(database: Database, act: object) -> None:
    """A program that does not know the state of the tables neither writes to them nor moves them."""
    set_revision(database, "9999")
    assert callable(act)
    with pytest.raises(StoreError, match="newer release"):
        act(database)
    assert revision_of(database) == "9999"


def test_a_missing_store_is_never_taken_for_an_empty_one(empty_database: Database, tmp_path: Path) -> None:
    """Outside development a store that is not there stops the start, and says what to do."""
    secret = tmp_path / "secret"
    secret.write_bytes(bytes(32))
    secret.chmod(0o600)
    url = empty_database.url.render_as_string(hide_password=False)
    with pytest.raises(StoreError, match="cds-service migrate"):
        open_store(url, secret, may_make=False)
    open_store(url, secret, may_make=True).close()
    open_store(url, secret, may_make=False).close()


def test_the_file_is_for_its_owner_alone(tmp_path: Path) -> None:
    """Folder, file and secret that development makes are closed to other users of the machine."""
    folder = tmp_path / "state"
    open_store(f"sqlite:///{folder / 'store.sqlite3'}", folder / "secret.key", may_make=True).close()
    modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in (folder, *folder.iterdir())}
    assert modes == {"state": 0o700, "store.sqlite3": 0o600, "secret.key": 0o600}


def test_a_broken_file_is_refused(tmp_path: Path) -> None:
    """A file that is no database is neither used nor overwritten."""
    broken = tmp_path / "store.sqlite3"
    broken.write_bytes(b"not a database " * 100)
    with pytest.raises(StoreUnavailableError):
        open_store(f"sqlite:///{broken}", tmp_path / "secret.key", may_make=True)
    assert broken.read_bytes() == b"not a database " * 100


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite://",
        "sqlite:///:memory:",
        "mysql://h/d",
        "no address",
        "sqlite+aiosqlite:///f",
        "sqlite:///f?a=b",
    ],
)
def test_another_database_is_refused_without_its_address(url: str) -> None:
    """An address may hold a password: the message names the setting only."""
    with pytest.raises(StoreError, match=r"^DATABASE_URL: must be sqlite:///file"):
        Database(url)


@pytest.mark.parametrize("name", ["postgres", "postgresql", "postgresql+psycopg"])
def test_every_common_name_of_postgresql_is_taken(name: str) -> None:
    """Operators write the address in several ways."""
    assert Database(f"{name}://u:p@db.example.org/cds").url.drivername == "postgresql+psycopg"
