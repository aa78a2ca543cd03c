"""Gate two: every definition against the JSON Schema of its kind; it knows shapes, not meanings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError, best_match
from referencing import Registry, Resource

from cds_service.knowledge.yaml_reader import Document
from cds_service.model.faults import Fault, did_you_mean

CHECK = "schema"


class Schemas:
    """The schemas of one content folder, compiled once."""

    def __init__(self, folder: Path) -> None:
        """Read every `*.schema.json` of `folder`."""
        self._raw: dict[str, dict[str, Any]] = {
            path.name: json.loads(path.read_text(encoding="utf-8"))
            for path in sorted(folder.glob("*.schema.json"))
        }
        self._registry: Registry[Any] = Registry().with_resources(
            (name, Resource.from_contents(schema)) for name, schema in self._raw.items()
        )
        self._validators: dict[str, Draft202012Validator] = {}

    def faults(self, kind: str, document: Document) -> list[Fault]:
        """Return all faults of one document against the schema of its kind."""
        validator = self._validators.get(kind)
        if validator is None:
            schema = self._raw[f"{kind}.schema.json"]
            validator = Draft202012Validator(schema, registry=self._registry)
            self._validators[kind] = validator
        return [_fault(document, error) for error in validator.iter_errors(document.value)]


def _fault(document: Document, error: ValidationError) -> Fault:
    deepest = best_match(error.context) if error.validator in {"oneOf", "anyOf"} and error.context else None
    shown = deepest if deepest is not None else error
    path = [*shown.absolute_path]
    text, remedy = _words(shown)
    if shown.validator == "additionalProperties" and isinstance(shown.instance, dict):
        path.append(_unknown_members(shown)[0])
    return document.fault(path, CHECK, text, remedy)


def _unknown_members(error: ValidationError) -> list[str]:
    known = _known_members(error)
    return [name for name in error.instance if name not in known]  # type: ignore[union-attr]  # the rule is for objects


def _known_members(error: ValidationError) -> list[str]:
    return list(error.schema.get("properties", {})) if isinstance(error.schema, dict) else []


def _words(error: ValidationError) -> tuple[str, str]:  # noqa: PLR0911 - one answer per kind of fault
    if error.validator == "additionalProperties":
        unknown = _unknown_members(error)
        return f"Unknown member {unknown[0]!r}.", did_you_mean(unknown[0], _known_members(error))
    if error.validator == "required":
        return f"{error.message}.", "Add the member."
    if error.validator == "enum":
        choices = [str(choice) for choice in error.validator_value]  # type: ignore[union-attr]  # an enum's list
        return f"{error.instance!r} is not one of the allowed values.", did_you_mean(
            str(error.instance), choices
        )
    if error.validator in {"minItems", "minProperties", "minLength"}:
        return "It is empty or too short.", "Fill it, or leave the member out."
    if error.validator == "type":
        return f"It must be of type {error.validator_value}.", "Correct the value (quote numbers and dates)."
    if error.validator == "pattern":
        return f"{error.instance!r} does not have the right form.", f"It must match {error.validator_value}."
    return f"{error.message}.", "See the schema of this kind in cards/schema."
