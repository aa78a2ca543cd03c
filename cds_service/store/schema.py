"""Which state the tables are in, and bringing them to that of this program; it never makes up for a lost store.

The history of the tables stands in `migrations/versions`; Alembic applies it.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import Connection, inspect, text

from cds_service.errors import StoreError
from cds_service.store.database import Database

if TYPE_CHECKING:
    from alembic.config import Config

HEAD = "0001"
"""The state of the tables that this program works with; a test holds that it is the newest migration."""

_TABLE = "alembic_version"
_ONE_AT_A_TIME = 7_203_114_652
"""Number of the lock that PostgreSQL keeps while somebody migrates."""
_FOLDER = Path(__file__).parent / "migrations"


def revision_of(database: Database) -> str | None:
    """Return the state of the tables; None where there are none. Raises `StoreUnavailableError`."""
    if database.file is not None and not database.file.exists():
        return None
    with database.reading() as connection:
        return _revision(connection)


def migrate(database: Database) -> None:
    """Bring the tables to the state of this program; started again after a crash, it goes on.

    Raises `StoreError` when the tables belong to a newer program, `StoreUnavailableError` when the database fails.
    """
    if database.file is not None:
        database.file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    with database.durable() as connection:
        if not database.is_sqlite:
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_AT_A_TIME})
        found = _revision(connection)
        if found == HEAD:
            return
        _refuse_unknown(found)
        _apply(connection)
    if database.file is not None:
        database.file.chmod(0o600)


def require_current(database: Database) -> None:
    """Raise `StoreError` unless the tables are those of this program: an empty store is never taken for the old one."""
    found = revision_of(database)
    if found is None:
        raise StoreError(
            "DATABASE_URL: there is no store. Make one with `cds-service migrate`, or put the lost one back."
        )
    _refuse_unknown(found)
    if found != HEAD:
        raise StoreError("DATABASE_URL: the store is of an older release. Run `cds-service migrate`.")


def known_revisions() -> tuple[str, ...]:
    """Return every state that this program knows how to go on from, newest first."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415 - only needed where the tables are not current

    return tuple(script.revision for script in ScriptDirectory.from_config(_config()).walk_revisions())


def _revision(connection: Connection) -> str | None:
    if not inspect(connection).has_table(_TABLE):
        return None
    return connection.execute(text(f"SELECT version_num FROM {_TABLE}")).scalar()  # noqa: S608 - a constant


def _refuse_unknown(found: str | None) -> None:
    if found not in {None, HEAD} and found not in known_revisions():
        raise StoreError(
            "DATABASE_URL: the store is of a newer release than this program. Start that release."
        )


def _apply(connection: Connection) -> None:
    from alembic import command  # noqa: PLC0415 - takes its time to load, and is seldom needed

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, HEAD)


def _config() -> Config:
    from alembic.config import Config  # noqa: PLC0415 - as above

    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("path_separator", "os")
    return config
