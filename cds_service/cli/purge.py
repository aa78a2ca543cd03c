"""`cds-service purge`: deletes what the settings say has been kept long enough; it asks nothing and undoes nothing."""

from __future__ import annotations

from datetime import timedelta

import click

from cds_service.cli.audit import record_command
from cds_service.settings import read_settings
from cds_service.store.database import Database
from cds_service.store.purge import purge
from cds_service.store.schema import require_current
from cds_service.web.clock import now

_QUARANTINE = timedelta(days=30)


@click.command("purge")
def purge_store() -> None:
    """Delete old feedback and shown cards (CDS_FEEDBACK_DAYS, CDS_SHOWN_DAYS) and feedback on unknown cards."""
    settings, moment = read_settings(), now()
    if settings.is_production:
        record_command(settings, "purge", {"days": settings.feedback_days, "shown_days": settings.shown_days})
    keeps = timedelta(days=settings.feedback_days)
    database = Database(settings.store_url)
    try:
        require_current(database)
        done = purge(
            database,
            feedback_before=moment - keeps,
            quarantine_before=moment - min(_QUARANTINE, keeps),
            shown_before=moment - timedelta(days=settings.shown_days),
        )
    finally:
        database.close()
    click.echo(
        f"Erased {done.comments} comments; deleted {done.feedback} answers and {done.shown_cards} shown cards."
    )
