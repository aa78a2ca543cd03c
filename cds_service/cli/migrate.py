"""`cds-service migrate`: makes the store or brings it to this release; it never removes what is kept."""

from __future__ import annotations

import click

from cds_service.settings import read_settings
from cds_service.store.database import Database
from cds_service.store.schema import HEAD, migrate, revision_of


@click.command("migrate")
def migrate_store() -> None:
    """Make the store (DATABASE_URL), or bring it to the state of this release."""
    database = Database(read_settings().store_url)
    try:
        before = revision_of(database)
        migrate(database)
    finally:
        database.close()
    if before == HEAD:
        click.echo(f"The store is of this release already ({HEAD}).")
    else:
        click.echo(f"The store is now of this release ({HEAD}; before: {before or 'none'}).")
