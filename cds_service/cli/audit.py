"""`cds-service audit`: checks the chains of the audit, and records commands that show or delete what is kept."""

from __future__ import annotations

import getpass
import json
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import click

from cds_service.settings import Settings, read_settings
from cds_service.store.audit import COMMAND, Audit
from cds_service.store.audit_purge import accounts
from cds_service.store.chain import records
from cds_service.store.checkpoints import read_checkpoints
from cds_service.store.database import Database
from cds_service.store.keys import read_keys
from cds_service.store.moments import to_milliseconds
from cds_service.store.schema import require_current
from cds_service.store.store import open_store
from cds_service.store.verify import Verdict, verify
from cds_service.web.clock import now

_WITHIN_S = 2.0
_MOST_TOLD = 50


@click.group()
def audit() -> None:
    """Work with the audit of decisions, feedback and commands."""


@audit.command("verify")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as one JSON object.")
@click.option(
    "--checkpoints",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    help="File of the signed checkpoints (default: CDS_AUDIT_CHECKPOINTS).",
)
def verify_audit(checkpoints: Path | None, *, as_json: bool) -> None:
    """Walk every chain and tell each change, gap and cut. Exits with 1 when there is one."""
    settings = read_settings()
    verdict = verdict_of(settings, checkpoints or settings.audit_checkpoints)
    click.echo(json.dumps(_plain(verdict)) if as_json else "\n".join(_lines(verdict)))
    if verdict.flaws:
        sys.exit(1)


def verdict_of(settings: Settings, checkpoints: Path | None) -> Verdict:
    """Return what is right and wrong with the audit of these settings.

    Raises `StoreError` or `StoreUnavailableError` for a store, `AuditError` for checkpoints that cannot be read.
    """
    key = read_keys(settings.secret_file).audit
    noted = read_checkpoints(checkpoints, key) if checkpoints is not None else ()
    database = Database(settings.store_url)
    try:
        require_current(database)
        return verify(records(database), key, noted, accounts(database, key))
    finally:
        database.close()


def record_command(settings: Settings, command: str, content: Mapping[str, Any]) -> None:
    """Record that an operator runs a command on what is kept, before it shows anything.

    `content` holds ids and counts, never a value. Raises `StoreError` or `StoreUnavailableError` when it cannot.
    """
    store = open_store(settings.store_url, settings.secret_file, may_make=not settings.is_production)
    kept = Audit(store, settings.audit_folder, is_required=True)
    at = to_milliseconds(now())
    try:
        kept.record(at, COMMAND, {"command": command, "operator": getpass.getuser(), **content}, _WITHIN_S)
        kept.close(at)
    finally:
        store.close()


def _plain(verdict: Verdict) -> dict[str, Any]:
    return {
        **verdict._asdict(),
        "intact": not verdict.flaws,
        "flaws": [flaw._asdict() for flaw in verdict.flaws],
    }


def _lines(verdict: Verdict) -> list[str]:
    lines = [f"{flaw.writer or 'checkpoints'}: {flaw.text}" for flaw in verdict.flaws[:_MOST_TOLD]]
    if len(verdict.flaws) > _MOST_TOLD:
        lines.append(f"... and {len(verdict.flaws) - _MOST_TOLD} more (--json lists all)")
    lines.append(
        f"{verdict.records} records in {verdict.chains} chains, {verdict.unended} of them without an end "
        "(still running, or killed)"
    )
    if verdict.purged:
        lines.append(
            f"{verdict.purged} records were past their time and were purged, as the audit itself says"
        )
    lines.append(f"{verdict.checkpoints} checkpoints compared" if verdict.checkpoints else _NO_CHECKPOINTS)
    lines.append(f"{len(verdict.flaws)} flaws found" if verdict.flaws else "The audit is intact.")
    return lines


_NO_CHECKPOINTS = "no checkpoints: an end that was cut off would not be seen"
