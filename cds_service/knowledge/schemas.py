"""Gate two: every definition against the JSON Schema of its kind; it knows shapes, not meanings.

Whether a file is sound is asked of a compiled validator, which is what makes a start fast; only what it refuses is
read again by the one whose faults can be put into words.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import jsonschema_rs
from jsonschema import Draft202012Validator
from jsonschema.exceptions import ValidationError
from referencing import Registry, Resource

from cds_service.knowledge.yaml_reader import Document
from cds_service.model.faults import Fault, did_you_mean

CHECK = "schema"
_SEE = "See the schema of this kind in cards/schema."


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
        self._compiled_registry = jsonschema_rs.Registry([*self._raw.items()])
        self._compiled: dict[str, jsonschema_rs.Draft202012Validator] = {}
        self._validators: dict[str, Draft202012Validator] = {}

    def faults(self, kind: str, document: Document) -> list[Fault]:
        """Return all faults of one document against the schema of its kind."""
        compiled = self._compiled.get(kind)
        if compiled is None:
            schema = self._raw[f"{kind}.schema.json"]
            compiled = jsonschema_rs.Draft202012Validator(schema, registry=self._compiled_registry)
            self._compiled[kind] = compiled
        if compiled.is_valid(document.value):
            return []
        validator = self._validators.get(kind)
        if validator is None:
            schema = self._raw[f"{kind}.schema.json"]
            validator = Draft202012Validator(schema, registry=self._registry)
            self._validators[kind] = validator
        return [
            document.fault(path, CHECK, text, remedy)
            for error in validator.iter_errors(document.value)
            for path, text, remedy in _told(error)
        ]


_Told = tuple[Sequence[str | int], str, str]
"""Where, what and remedy of one fault."""


def _told(error: ValidationError) -> Iterator[_Told]:
    if error.validator in {"oneOf", "anyOf"}:
        yield from _told_of_choice(error)
    elif error.validator == "additionalProperties" and isinstance(error.instance, dict):
        known = _members(error.schema)
        yield from _unknown_members(error, known)
    else:
        yield [*error.absolute_path], *_words(error)


def _unknown_members(error: ValidationError, known: list[str]) -> Iterator[_Told]:
    for name in error.instance if isinstance(error.instance, dict) else ():
        if name not in known:
            yield [*error.absolute_path, name], f"Unknown member {name!r}.", did_you_mean(name, known)


def _told_of_choice(error: ValidationError) -> Iterator[_Told]:
    """Tell the faults of the one alternative that was meant, if its members show which one that is."""
    here = [*error.absolute_path]
    branches = _branches(error)
    meant = [faults for faults in branches if all(fault.relative_path for fault in faults)]
    alternatives: Any = error.validator_value
    known = [name for alternative in alternatives for name in _members(alternative)]
    unknown = [*_unknown_members(error, known)] if known else []
    if not branches:
        yield here, "More than one alternative fits.", "Keep the members of one."
    elif len(meant) == 1:
        for fault in meant[0]:
            yield from _told(fault)
    elif unknown:
        yield from unknown
    elif isinstance(error.instance, dict) and min(branches, key=len)[0].validator != "required":
        yield here, f"The members {', '.join(error.instance)} do not go together.", _SEE
    else:
        yield here, *_words(min(branches, key=len)[0])


def _branches(error: ValidationError) -> list[list[ValidationError]]:
    """Return the faults of each alternative that is of the instance's own type."""
    branches: dict[str | int, list[ValidationError]] = {}
    for fault in error.context or ():
        branches.setdefault(fault.relative_schema_path[0], []).append(fault)
    found = [*branches.values()]
    return [faults for faults in found if faults[0].validator != "type" or faults[0].relative_path] or found


def _members(schema: Any) -> list[str]:
    return list(schema.get("properties", {})) if isinstance(schema, dict) else []


def _words(error: ValidationError) -> tuple[str, str]:
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
    return f"{error.message}.", _SEE
