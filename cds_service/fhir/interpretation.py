"""How a laboratory itself interprets a result: its flag and its reference range; nothing is judged here."""

from __future__ import annotations

from cds_service.fhir.shapes import CodeableConcept, ReferenceRange
from cds_service.fhir.words import concepts

FLAGS = {
    "N": "N",
    "L": "L",
    "LU": "L",
    "LL": "LL",
    "<": "L",
    "H": "H",
    "HU": "H",
    "HH": "HH",
    ">": "H",
    "A": "A",
    "AA": "A",
}
"""Codes of v3-ObservationInterpretation (and what real records send instead) → the flags that are told apart."""
_NORMAL_RANGE_TYPES = frozenset({"normal", "recommended"})


def flag_of(interpretation: list[CodeableConcept] | CodeableConcept | None) -> str | None:
    """Return the first known flag of an interpretation."""
    for concept in concepts(interpretation):
        for coding in concept.coding or ():
            code = (coding.code or "").strip().upper()
            if code in FLAGS:
                return code
        text = (concept.text or "").strip().upper()
        if text in FLAGS:
            return text
    return None


def is_normal_range(one: ReferenceRange) -> bool:
    """Whether a range has a bound and says what is normal, rather than what is aimed at."""
    if one.low is None and one.high is None:
        return False
    kind = range_type(one)
    if kind is None:
        return True
    return any(coding.code in _NORMAL_RANGE_TYPES for coding in kind.coding or ())


def range_type(one: ReferenceRange) -> CodeableConcept | None:
    """Return what kind of range it is, under the name of either version."""
    return one.type if one.type is not None else one.meaning
