"""Every test of this folder runs on a real SQLite file and, where there is one, on a real PostgreSQL."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import create_engine, text

from cds_service.store.database import Database, read_url
from cds_service.store.keys import Keys
from cds_service.store.schema import migrate
from cds_service.store.store import Store

SECRET = bytes(range(32))


def _empty_postgres() -> str:
    """Return the address of the lent database, with nothing in it."""
    url = os.environ["CDS_TEST_POSTGRES_URL"]
    engine = create_engine(read_url(url))
    with engine.begin() as connection:
        connection.execute(text("DROP SCHEMA public CASCADE"))
        connection.execute(text("CREATE SCHEMA public"))
    engine.dispose()
    return url


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def url(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Return the address of a database in which there is nothing yet."""
    return (
        _empty_postgres()
        if request.param == "postgres"
        else f"sqlite:///{tmp_path / 'kept' / 'store.sqlite3'}"
    )


@pytest.fixture
def empty_database(url: str) -> Iterator[Database]:
    """Return a database without tables."""
    database = Database(url)
    yield database
    database.close()


@pytest.fixture
def database(empty_database: Database) -> Database:
    """Return a database with the tables of this release."""
    migrate(empty_database)
    return empty_database


@pytest.fixture
def store(database: Database) -> Iterator[Store]:
    """Return a store with known keys."""
    store = Store(database, Keys(SECRET))
    yield store
    store.close()
