"""Moments as the store keeps them: whole milliseconds since 1970 in UTC; the clock is not read here."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def to_milliseconds(moment: datetime) -> int:
    """Return the whole milliseconds from the beginning of 1970 to `moment`, which knows its zone."""
    return (moment - _EPOCH) // _MILLISECOND


def to_moment(milliseconds: int) -> datetime:
    """Return the moment in UTC that so many milliseconds since 1970 name."""
    return _EPOCH + milliseconds * _MILLISECOND
