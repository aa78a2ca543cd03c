"""Every way in which one place of a hook call can break the form of FHIR; it never changes what a sound call means.

A change breaks the form when no reader of FHIR could accept it: another type of JSON, a member that FHIR demands and
that is gone, a date that is none, or a word that is in no list of FHIR. Another value, another known code, or an
optional member that is gone are other statements and no broken form.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, NamedTuple

Steps = tuple[str | int, ...]

_DATE = re.compile(r"[0-9]{4}(?:-[0-9]{2}){0,2}(?:T.*)?")
_DATED = ("date", "datetime", "on", "issued", "start", "end", "authored")
"""How the names of members end that hold a date."""
_NO_DATES = ("2026-13-45", "yesterday", "2026-0", "15/06/2026", "2026-06-15T25:00:00Z")
_NO_WORD = "zz-unknown"
_WRONG: dict[type, tuple[Any, ...]] = {
    str: (5, 1.5, True, {"x": 1}, [1, 2], [["x"]], {}),
    int: ("abc", True, {"x": 1}, [1, 2], ""),
    float: ("abc", True, {"x": 1}, [1, 2], ""),
    bool: (5, "maybe", {"x": 1}, [1, 2]),
    list: (5, "x", True, [5], [None, "x"], [["x"]]),
    dict: (5, "x", True, [5, 6], {}, []),
}
"""Type of JSON → values of other types. One good value alone in a list is read as it is, and stands in no row."""
_DEMANDED: dict[str, tuple[Steps, ...]] = {
    "Observation": (("status",), ("code",), ("valueQuantity", "value")),
    "Condition": (("code",), ("subject",)),
    "MedicationRequest": (("status",), ("medicationCodeableConcept",), ("subject",)),
    "MedicationStatement": (("status",), ("medicationCodeableConcept",), ("subject",)),
    "ServiceRequest": (("status",), ("code",), ("subject",)),
    "Procedure": (("status",), ("code",), ("subject",)),
    "FamilyMemberHistory": (("status",), ("relationship",), ("condition", 0, "code"), ("patient",)),
    "QuestionnaireResponse": (("status",), ("questionnaire",), ("item", 0, "linkId")),
    "Patient": (),
}
"""Resource type → what must be there. A code or words are demanded of everything that could be a finding."""
_LISTED: dict[str, tuple[Steps, ...]] = {
    "Observation": (
        ("status",),
        ("category", 0, "coding", 0, "code"),
        ("interpretation", 0, "coding", 0, "code"),
        ("valueQuantity", "comparator"),
    ),
    "Condition": (("clinicalStatus", "coding", 0, "code"), ("verificationStatus", "coding", 0, "code")),
    "MedicationRequest": (("status",),),
    "MedicationStatement": (("status",),),
    "ServiceRequest": (("status",),),
    "Procedure": (("status",),),
    "FamilyMemberHistory": (("status",),),
    "QuestionnaireResponse": (("status",), ("item", 0, "linkId")),
    "Patient": (("gender",),),
}
"""Resource type → members whose words FHIR, or the questionnaire, lists."""


class Damage(NamedTuple):
    """One broken place: where, what stands there now, or that nothing does."""

    steps: Steps
    value: Any
    is_gone: bool = False

    @property
    def path(self) -> str:
        """The place as notes write it, e.g. `prefetch.labs.entry[3].resource.status`."""
        parts = (f"[{step}]" if isinstance(step, int) else f".{step}" for step in self.steps)
        return "".join(parts).removeprefix(".")

    @property
    def entry(self) -> str:
        """The path of the entry in which it stands, or of the resource that stands there alone."""
        found = re.match(r"(?:context\.conditions|prefetch\.\w+)(?:\.entry\[[0-9]+\])?", self.path)
        assert found is not None
        return found[0]


def damaged(request: Any, damage: Damage) -> Any:
    """Return the call with one place broken; the rest is shared, not copied."""
    return _with(request, damage.steps, damage)


def _with(value: Any, steps: Steps, damage: Damage) -> Any:
    if not steps:
        return damage.value
    step, *rest = steps
    copy: Any = dict(value) if isinstance(value, dict) else list(value)
    if not rest and damage.is_gone:
        del copy[step]
    else:
        copy[step] = _with(value[step], tuple(rest), damage)
    return copy


def damages(request: Any) -> list[Damage]:
    """Return every damage that is done here to what a call records and brings, in the order of its places."""
    found: list[Damage] = []
    roots: list[tuple[Steps, Any]] = [(("prefetch",), request["prefetch"])]
    if "conditions" in request["context"]:
        roots.insert(0, (("context", "conditions"), request["context"]["conditions"]))
    for root, value in roots:
        for steps, each in _places(value, root):
            found += _of_place(steps, each)
            if isinstance(each, dict) and "resourceType" in each:
                found += _of_resource(steps, each)
    return found


def _places(value: Any, steps: Steps) -> Iterator[tuple[Steps, Any]]:
    yield steps, value
    if isinstance(value, dict):
        for name, each in value.items():
            yield from _places(each, (*steps, name))
    elif isinstance(value, list):
        for number, each in enumerate(value):
            yield from _places(each, (*steps, number))


def _of_place(steps: Steps, value: Any) -> Iterator[Damage]:
    if steps == ("prefetch",) or value is None:
        return
    for wrong in _WRONG[type(value)]:
        yield Damage(steps, wrong)
    is_dated = isinstance(steps[-1], str) and steps[-1].lower().endswith(_DATED)
    if is_dated and isinstance(value, str) and _DATE.fullmatch(value):
        for text in _NO_DATES:
            yield Damage(steps, text)
    if steps[-1] in {"resourceType", "resource"}:
        yield Damage(steps, None, is_gone=True)


def _of_resource(steps: Steps, resource: dict[str, Any]) -> Iterator[Damage]:
    kind = resource["resourceType"]
    for inside in _DEMANDED.get(kind, ()):
        if _reaches(resource, inside):
            yield Damage((*steps, *inside), None, is_gone=True)
    for inside in _LISTED.get(kind, ()):
        if _reaches(resource, inside):
            yield Damage((*steps, *inside), _NO_WORD)


def _reaches(value: Any, steps: Steps) -> bool:
    for step in steps:
        there = range(len(value)) if isinstance(value, list) else value if isinstance(value, dict) else ()
        if step not in there:
            return False
        value = value[step]
    return True
