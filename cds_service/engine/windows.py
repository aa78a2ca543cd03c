"""Compares imprecise dates with windows of days, in three values; it reads no clock and knows no fact."""

from __future__ import annotations

from datetime import date, timedelta

from cds_service.model.facts import When


def is_since(moment: When, day: date) -> bool | None:
    """Whether a moment lies on or after a day; None when its precision does not tell."""
    return True if moment.earliest >= day else (False if moment.latest < day else None)


def is_by(moment: When, day: date) -> bool | None:
    """Whether a moment lies on or before a day; None when its precision does not tell."""
    return True if moment.latest <= day else (False if moment.earliest > day else None)


def both(one: bool | None, other: bool | None) -> bool | None:  # noqa: FBT001 - two answers of equal rank
    """Kleene's conjunction of two answers."""
    if one is False or other is False:
        return False
    return None if one is None or other is None else True


def lies_within(moment: When | None, today: date, within: int | None, before: int | None) -> bool | None:
    """Whether a moment lies within the last, and before the last, so many days; None when its date does not tell."""
    if within is None and before is None:
        return True
    if moment is None:
        return None
    return both(
        True if within is None else is_since(moment, today - timedelta(days=within)),
        True if before is None else is_by(moment, today - timedelta(days=before)),
    )


def is_known_older(moment: When | None, today: date, days: int) -> bool:
    """Whether a moment surely lies more than so many days back; an undated one does not."""
    return moment is not None and moment.latest < today - timedelta(days=days)


def is_known_later(moment: When | None, other: When | None) -> bool:
    """Whether a moment surely lies after another one; what is not dated, or overlaps, does not."""
    return moment is not None and other is not None and moment.earliest > other.latest
