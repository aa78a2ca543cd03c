"""The forms of the feedback report; each writes the same numbers, hidden ones as they were hidden, and judges none."""

from __future__ import annotations

import csv
import io
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from typing import Any, NamedTuple

from rich.console import Console
from rich.table import Table
from rich.text import Text

from cds_service.cards.markdown import clean
from cds_service.model.hooks import ascii_json
from cds_service.store.suppression import Cell, Row

MEASURE = "https://spasm-cds.org/fhir/Measure/card-feedback"
_MASKED = {
    "url": "http://hl7.org/fhir/StructureDefinition/data-absent-reason",
    "valueCode": "masked",
}
_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_ONE_DAY = timedelta(days=1)
_TITLES = {
    "total": "All cards",
    "rule": "By rule",
    "reason": "Overridden, by reason",
    "service": "By service",
    "knowledge": "By knowledge version",
    "indicator": "By indicator",
}


class Report(NamedTuple):
    """The numbers of a period from `since` to before `until`, by section, as they may be given."""

    since: datetime
    until: datetime
    made_at: datetime
    fewest: int
    tables: Mapping[str, list[Row]]
    unknown: int | str
    comments: int | str


def in_table(console: Console, report: Report) -> None:
    """Print one table per section for a person at a terminal."""
    console.print(f"Cards shown from {report.since.date()} to {(report.until - _ONE_DAY).date()} (UTC)")
    for section, rows in report.tables.items():
        if rows:
            console.print(_table(section, rows))
    console.print(f"Answers about unknown cards: {report.unknown}; answers with a comment: {report.comments}")
    console.print(f"Numbers below {report.fewest} are hidden; * is hidden so that they cannot be worked out.")


def in_csv(report: Report) -> str:
    """Return one line per section, row and column."""
    sheet = io.StringIO()
    writer = csv.writer(sheet)
    writer.writerow(("section", "row", "column", "number"))
    for section, rows in report.tables.items():
        for row in rows:
            for column, cell in row.cells.items():
                writer.writerow(in_cells((section, row.name, column, cell.shown)))
    return sheet.getvalue()


def in_json(report: Report) -> str:
    """Return the report as one JSON object; a hidden number is a string."""
    return (
        ascii_json(
            {
                "from": report.since.date(),
                "to": (report.until - _ONE_DAY).date(),
                "made_at": report.made_at,
                "fewest": report.fewest,
                "sections": {
                    section: [
                        {"row": row.name, **{name: cell.shown for name, cell in row.cells.items()}}
                        for row in rows
                    ]
                    for section, rows in report.tables.items()
                },
                "unknown_answers": report.unknown,
                "comments": report.comments,
            }
        ).decode()
        + "\n"
    )


def in_fhir(report: Report) -> str:
    """Return a FHIR R4 MeasureReport: the total as populations, every section as a stratifier."""
    (total,) = report.tables["total"]
    group: dict[str, Any] = {"population": _populations(total.cells)}
    stratifiers = [
        {
            "code": [{"text": section}],
            "stratum": [
                {"value": {"text": clean(row.name)}, "population": _populations(row.cells)} for row in rows
            ],
        }
        for section, rows in report.tables.items()
        if section != "total" and rows
    ]
    if stratifiers:
        group["stratifier"] = stratifiers
    measured = {
        "resourceType": "MeasureReport",
        "status": "complete",
        "type": "summary",
        "measure": MEASURE,
        "date": report.made_at.isoformat(timespec="seconds"),
        "period": {"start": str(report.since.date()), "end": str((report.until - _ONE_DAY).date())},
        "group": [group],
    }
    return ascii_json(measured).decode() + "\n"


FORMS: Mapping[str, Callable[[Report], str]] = {"csv": in_csv, "json": in_json, "fhir": in_fhir}


def in_cells(values: Iterable[object]) -> list[str]:
    """Return values as cells that no spreadsheet takes for a formula."""
    texts = ["" if value is None else clean(str(value)) for value in values]
    return [f"'{text}" if text.startswith(_FORMULA) else text for text in texts]


def _table(section: str, rows: list[Row]) -> Table:
    table = Table(title=_TITLES[section], title_justify="left")
    table.add_column("")
    columns = [*rows[0].cells]
    for column in columns:
        table.add_column(column, justify="right")
    for row in rows:
        table.add_row(Text(clean(row.name)), *(str(row.cells[column].shown) for column in columns))
    return table


def _populations(cells: Mapping[str, Cell]) -> list[dict[str, Any]]:
    return [{"code": {"text": column}, **_count(cell)} for column, cell in cells.items()]


def _count(cell: Cell) -> dict[str, Any]:
    """Return a number, or that it is masked."""
    return {"count": cell.shown} if isinstance(cell.shown, int) else {"_count": {"extension": [_MASKED]}}
