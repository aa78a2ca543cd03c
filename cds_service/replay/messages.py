"""Holds CDS Hooks messages against their JSON Schemas; it repairs nothing and repeats no value."""

from __future__ import annotations

import json
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError

_SCHEMAS = Path(__file__).parent / "schemas"
_LONGEST = 120


@cache
def _validator(name: str) -> Draft202012Validator:
    return Draft202012Validator(json.loads((_SCHEMAS / f"{name}.schema.json").read_text(encoding="utf-8")))


def schema_faults(name: str, message: Any) -> list[str]:
    """Return one line for every breach of `cds-request`, `cds-response`, `cds-discovery` or `cds-feedback`.

    A line names the place and the rule, never a value of the message.
    """
    return [_told(fault) for fault in _validator(name).iter_errors(message)]


def _told(fault: ValidationError) -> str:
    if fault.validator == "required":
        rule = fault.message  # names members only
    elif fault.validator == "type":
        rule = f"must be of type {fault.validator_value}"
    elif fault.validator == "additionalProperties":
        rule = "has a member that the standard does not know"
    else:
        rule = f"breaks {fault.validator} {fault.validator_value}"
    return f"{fault.json_path}: {rule if len(rule) <= _LONGEST else rule[:_LONGEST] + '…'}"
