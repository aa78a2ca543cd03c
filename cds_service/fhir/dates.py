"""FHIR dates in every precision to `When`; it never reads the clock and never guesses a day."""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import UTC, date, datetime

from cds_service.model.facts import When

_DAY_LENGTH = len("2026-06-15")
_PARTIAL = re.compile(r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2}))?)?")


def read_when(text: str | None) -> When | None:
    """Return the moment that a FHIR date, dateTime or instant names, or None when it is not one.

    Days are those of UTC for timed values; a time without a zone is taken as UTC. A year or a month keeps its
    imprecision in `earliest` and `latest`.
    """
    if not text:
        return None
    if len(text) > _DAY_LENGTH and text[_DAY_LENGTH] in "T ":
        return _timed(text)
    found = _PARTIAL.fullmatch(text)
    if found is None:
        return None
    year, month, day = found.groups()
    try:
        first = date(int(year), int(month or 1), int(day or 1))
        last_month = int(month or 12)
        last = first if day else date(int(year), last_month, monthrange(int(year), last_month)[1])
    except ValueError:
        return None
    return When(text, first, last)


def _timed(text: str) -> When | None:
    try:
        at = datetime.fromisoformat(text)
        at = at.replace(tzinfo=UTC) if at.tzinfo is None else at.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    day = at.date()
    return When(text[:_DAY_LENGTH], day, day, at)


def moment_key(when: When | None) -> tuple[date, datetime]:
    """Return a key that sorts moments, timed or not, with the undated first.

    A year or a month counts from its first day, so that it never outranks an exact day inside it.
    """
    if when is None:
        return date.min, datetime.min.replace(tzinfo=UTC)
    day = when.earliest
    return day, when.at or datetime(day.year, day.month, day.day, tzinfo=UTC)
