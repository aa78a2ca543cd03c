"""Checks messages with the JSON schemas and resources with the FHIR models; never repairs what it finds."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from typing import Any

from jsonschema import Draft202012Validator

from tests.support.places import SCHEMAS


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def schema_faults(name: str, message: Any) -> list[str]:
    """Return one line for every breach of `cds-request`, `cds-response`, `cds-discovery` or `cds-feedback`."""
    return [f"{fault.json_path}: {fault.message}" for fault in _validator(name).iter_errors(message)]


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
