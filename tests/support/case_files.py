"""Reads the whole-patient cases and refuses what it does not know; a mistyped key is never passed over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from cds_service.replay.expectations import KNOWN_KEYS
from tests.support.places import CASES

Case = dict[str, Any]

DEFAULT_AS_OF = "2026-06-15T10:00:00Z"
DEFAULT_HOOK = "problem-list-item-create"

_CODED = frozenset({"text", "code", "only", "coding"})
_RESULT = frozenset({"value", "comparator", "unit", "ucum", "range", "flag", "status", "date"})
SECTIONS: Mapping[str, frozenset[str]] = {
    "recording": _CODED | {"onset", "recorded", "clinical", "verification", "abated"},
    "conditions": _CODED | {"onset", "recorded", "clinical", "verification", "abated"},
    "medications": frozenset(
        {"text", "drug", "started", "ended", "authored", "status", "statement", "directions"}
    ),
    "labs": _RESULT | {"lab", "text", "loinc"},
    "vitals": _RESULT | _CODED | {"pressure"},
    "exam": frozenset({"date", "status", "text", "strength", "bulk", "reflexes", "tone"}),
    "social": frozenset({"habit", "text", "value", "unit", "date", "status"}),
    "orders": _CODED | {"status", "authored", "intent"},
    "family": _CODED | {"relation", "onset_age", "date", "status"},
    "answers": frozenset({"link", "value", "authored", "status"}),
    "procedures": _CODED | {"date", "status"},
    "drafts": _CODED | {"drug", "status", "intent", "priority", "reason", "for", "id"},
}
_SINGLE = frozenset(
    {
        *("id", "title", "about", "sample", "as_of", "hook", "patient", "normal_set", "selections"),
        *("not_received", "proves", "expect"),
    }
)


class CaseError(ValueError):
    """A case file says something that nobody would read."""


class _StrictLoader(yaml.SafeLoader):
    """Safe YAML that refuses a key given twice."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT002 - PyYAML's signature
        """Return the mapping of `node`; raises `CaseError` on a duplicate key."""
        keys = [self.construct_object(key, deep=True) for key, _ in node.value]
        twice = {key for key in keys if keys.count(key) > 1}
        if twice:
            raise CaseError(
                f"{node.start_mark.name}:{node.start_mark.line + 1}: given twice: {sorted(map(str, twice))}"
            )
        return super().construct_mapping(node, deep)


def read_yaml(path: Path) -> Any:
    """Return the content of a YAML file; raises `CaseError` on a duplicate key."""
    with path.open(encoding="utf-8") as stream:
        return yaml.load(stream, Loader=_StrictLoader)  # noqa: S506 - a SafeLoader that refuses more


def _refuse_unknown(where: str, found: Mapping[str, Any], known: frozenset[str]) -> None:
    unknown = sorted(set(found) - known)
    if unknown:
        raise CaseError(f"{where}: unknown {', '.join(unknown)}; known are {', '.join(sorted(known))}")


def refuse_unknown_keys(case: Case, where: str) -> None:
    """Raise `CaseError` for a key that nobody reads and for a number or date that is not quoted."""
    _refuse_unknown(where, case, _SINGLE | SECTIONS.keys())
    _refuse_unknown(f"{where} patient", case["patient"], frozenset({"sex", "born"}))
    _refuse_unknown(f"{where} expect", case["expect"], KNOWN_KEYS)
    for section, known in SECTIONS.items():
        for row in case.get(section, ()):
            _refuse_unknown(f"{where} {section}", row, known)
            for key, value in row.items():
                if not isinstance(value, (str, list)) and key != "statement":
                    raise CaseError(
                        f"{where} {section}.{key}: quote {value!r}, dates and numbers are text here"
                    )


def _normal_set(taken_on: str) -> list[dict[str, str]]:
    return [{**row, "date": taken_on} for row in read_yaml(CASES / "normal_set.yaml")]


def _complete(case: Case, where: str) -> Case:
    whole = {"as_of": DEFAULT_AS_OF, "hook": DEFAULT_HOOK, **case}
    refuse_unknown_keys(whole, where)
    if "normal_set" in whole:
        whole["labs"] = [*_normal_set(whole["normal_set"]), *whole.get("labs", ())]
    return whole


@cache
def whole_patients() -> tuple[Case, ...]:
    """Return every case of `tests/cases`, one file per patient, in the order of the file names."""
    return tuple(_complete(read_yaml(path), path.name) for path in sorted(CASES.glob("[A-Z][0-9][0-9].yaml")))


def _short_cases() -> Iterator[Case]:
    page = read_yaml(CASES / "decoys.yaml")
    for short in page["decoys"]:
        yield _complete(
            {**page["patient_of_all"], "expect": {"cards": 0}, **short}, f"decoys.yaml {short['id']}"
        )
    for short in page["controls"]:
        yield _complete(
            {**page["patient_of_all"], "expect": {"cards_min": 1}, **short}, f"decoys.yaml {short['id']}"
        )


@cache
def decoys() -> tuple[Case, ...]:
    """Return the recordings that must stay without an answer, and the near misses that must get one."""
    return tuple(_short_cases())


@cache
def samples() -> tuple[Case, ...]:
    """Return the cases that are published under `fhir_samples`."""
    return tuple(case for case in whole_patients() if "sample" in case)
