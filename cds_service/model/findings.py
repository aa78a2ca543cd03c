"""Findings: what facts mean, in three values; this module evaluates nothing."""

from __future__ import annotations

from enum import Enum

import msgspec

from cds_service.model.facts import Fact


class State(Enum):
    """Three-valued truth. A test never done is UNKNOWN, never ABSENT."""

    PRESENT = "present"
    ABSENT = "absent"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True, gc=False):
    """A named meaning with its state and the facts behind it (empty when unknown or merely not on record)."""

    id: str
    state: State
    facts: tuple[Fact, ...] = ()
