"""Finds the FHIR resources of a message, beside the check of the message itself; never repairs what it finds."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.replay.messages import schema_faults

__all__ = ["resources_in", "schema_faults"]


def resources_in(value: Any) -> Iterator[dict[str, Any]]:
    """Yield every outermost FHIR resource of a message."""
    if isinstance(value, dict):
        if "resourceType" in value:
            yield value
            return
        value = list(value.values())
    if isinstance(value, list):
        for member in value:
            yield from resources_in(member)
