"""`cds-service purge`: deletes what the settings say has been kept long enough; it asks nothing and undoes nothing."""

from __future__ import annotations

import getpass
from datetime import datetime, timedelta

import click

from cds_service.cli.audit import record_command
from cds_service.settings import Settings, read_settings
from cds_service.store.audit_purge import Order, has_records_before, purge_audit
from cds_service.store.database import Database
from cds_service.store.keys import read_keys
from cds_service.store.moments import to_milliseconds
from cds_service.store.purge import purge
from cds_service.store.schema import require_current
from cds_service.web.clock import now

_QUARANTINE = timedelta(days=30)


@click.command("purge")
def purge_store() -> None:
    """Delete old feedback, shown cards and audit records (CDS_FEEDBACK_DAYS, CDS_SHOWN_DAYS, CDS_AUDIT_DAYS).

    Feedback on unknown cards goes after 30 days. What is left of the audit verifies as before.
    """
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
        records = _purge_audit(settings, database, moment)
    finally:
        database.close()
    click.echo(
        f"Erased {done.comments} comments; deleted {done.feedback} answers, {done.shown_cards} shown cards "
        f"and {records} audit records."
    )


def _purge_audit(settings: Settings, database: Database, moment: datetime) -> int:
    """Return how many records were deleted; without old ones neither the secret nor the checkpoints are needed."""
    before = to_milliseconds(moment - timedelta(days=settings.audit_days))
    if not has_records_before(database, before):
        return 0
    said = {"days": settings.audit_days, "operator": getpass.getuser()}
    key = read_keys(settings.secret_file).audit
    order = Order(to_milliseconds(moment), before, said, settings.audit_checkpoints)
    return purge_audit(database, key, order).records
