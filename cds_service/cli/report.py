"""`cds-service report feedback`: what became of shown cards, as table, CSV, JSON or FHIR; small numbers are hidden."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable
from datetime import UTC, datetime, time, timedelta

import click
from rich.console import Console

from cds_service.app import store_reader
from cds_service.cli.audit import record_command
from cds_service.cli.report_forms import FORMS, Report, in_cells, in_table
from cds_service.errors import CDSError
from cds_service.model.hooks import ascii_json
from cds_service.settings import read_settings
from cds_service.store.suppression import suppressed
from cds_service.store.tally import Answer, answers, tally
from cds_service.web.clock import now

_FEWEST = 5
_PERIOD = timedelta(days=365)
_TABLE = "table"


@click.group()
def report() -> None:
    """Reports from the store."""


@report.command("feedback")
@click.option("--from", "first", type=click.DateTime(["%Y-%m-%d"]), help="First day (default: a year ago).")
@click.option("--to", "last", type=click.DateTime(["%Y-%m-%d"]), help="Last day (default: today).")
@click.option(
    "--format", "form", type=click.Choice([_TABLE, *FORMS]), default=_TABLE, help="Form of the report."
)
@click.option(
    "--fewest", type=click.IntRange(1), default=_FEWEST, help="Smaller numbers are hidden (default: 5)."
)
@click.option(
    "--export", is_flag=True, help="Write the single answers instead, as csv or json (default: csv)."
)
def feedback(first: datetime | None, last: datetime | None, form: str, fewest: int, *, export: bool) -> None:
    """Count shown, accepted and overridden cards by rule, reason, service, knowledge version and indicator.

    Days are those on which cards were shown, in UTC.
    """
    until = datetime.combine(last or now().date(), time(), UTC) + timedelta(days=1)
    since = datetime.combine(first, time(), UTC) if first is not None else until - _PERIOD
    if since >= until:
        raise CDSError("--from must not be after --to.")
    settings = read_settings()
    if export and settings.is_production:
        record_command(
            settings, "report feedback --export", {"from": since.isoformat(), "to": until.isoformat()}
        )
    with store_reader(settings) as connection:
        if export:
            _export(list(answers(connection, since, until)), form)
            return
        counts = tally(connection, since, until)
    tables = {"total": suppressed({"all": counts.total}, fewest)}
    is_given = all(isinstance(cell.shown, int) for cell in tables["total"][0].cells.values())
    for name, table in counts.sections.items():
        tables[name] = suppressed(table, fewest, may_sum=is_given)
    made = Report(since, until, now(), fewest, tables, *_few((counts.unknown, counts.comments), fewest))
    if form == _TABLE:
        in_table(Console(), made)
    else:
        click.echo(FORMS[form](made), nl=False)


def _few(numbers: tuple[int, int], fewest: int) -> list[int | str]:
    return [f"<{fewest}" if 0 < number < fewest else number for number in numbers]


def _export(found: list[Answer], form: str) -> None:
    """Write one line per answer."""
    write: Callable[[list[Answer]], str] | None = {_TABLE: _as_csv, "csv": _as_csv, "json": _as_json}.get(
        form
    )
    if write is None:
        raise CDSError("--export writes csv or json; name one of them with --format.")
    click.echo(write(found), nl=False)


def _as_csv(found: list[Answer]) -> str:
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(Answer._fields)
    writer.writerows(in_cells(_flat(one).values()) for one in found)
    return sheet.getvalue()


def _as_json(found: list[Answer]) -> str:
    return "".join(ascii_json(one._asdict()).decode() + "\n" for one in found)


def _flat(one: Answer) -> dict[str, object]:
    """Return an answer with lists as words and moments as RFC 3339."""
    plain = {
        name: value.isoformat() if isinstance(value, datetime) else value
        for name, value in one._asdict().items()
    }
    return {name: " ".join(value) if isinstance(value, tuple) else value for name, value in plain.items()}
