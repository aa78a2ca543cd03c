"""Reads the moment at which a patient is decided; it knows no clock."""

from __future__ import annotations

from datetime import UTC, datetime

from cds_service.errors import CDSError
from cds_service.fhir.dates import read_when
from cds_service.pipeline import is_decidable

_NOON = 12


def moment_named(text: str | None) -> datetime | None:
    """Return the moment that `text` names, noon UTC of a day; None for None. Raises `CDSError` where it is none."""
    if text is None:
        return None
    when = read_when(text)
    if when is not None:
        day = when.latest
        moment = when.at or datetime(day.year, day.month, day.day, _NOON, tzinfo=UTC)
        if is_decidable(moment):
            return moment
    raise CDSError("The moment must be a date or date-time of our age, such as 2026-06-15.")


def spelled(moment: datetime) -> str:
    """Return a moment as the messages carry it."""
    return moment.isoformat().replace("+00:00", "Z")
