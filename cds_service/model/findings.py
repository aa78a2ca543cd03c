"""Findings: what facts mean, in three values; this module evaluates nothing."""

from __future__ import annotations

from enum import Enum

from cds_service.model.facts import Fact


class State(Enum):
    """Three-valued truth. A test never done is UNKNOWN, never ABSENT."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


Outcome = tuple[State, tuple[Fact, ...]]
"""The state of a finding and the facts behind it; empty when it is unknown or merely not on record."""
