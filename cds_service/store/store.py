"""The store as the service holds it: one database, one writer, one set of keys; what is kept is told elsewhere."""

from __future__ import annotations

from pathlib import Path

from cds_service.store.database import Database
from cds_service.store.keys import Keys, make_secret, read_keys
from cds_service.store.schema import migrate, require_current
from cds_service.store.writer import Writer


class Store:
    """What is remembered between calls. Made anew in each process: connections and threads outlive no fork."""

    def __init__(self, database: Database, keys: Keys) -> None:
        """Keep the database and the keys; nothing is connected yet."""
        self.database = database
        self.keys = keys
        self.writer = Writer(database)

    def close(self) -> None:
        """Commit what waits and close every connection."""
        self.writer.close()
        self.database.close()


def open_store(url: str, secret: Path, *, may_make: bool) -> Store:
    """Return the store at `url` with the keys of the `secret` file.

    With `may_make` (development) secret and tables are made where they are missing; else that is an operator's act.
    Raises `StoreError` or `StoreUnavailableError` when it cannot be used.
    """
    database = Database(url)
    if may_make:
        make_secret(secret)
    keys = read_keys(secret)
    try:
        if may_make:
            migrate(database)
        require_current(database)
    except BaseException:
        database.close()
        raise
    return Store(database, keys)
