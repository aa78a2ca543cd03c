"""Looks codes up in the content's code lists; it never compares displays and never follows a hierarchy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.fhir.shapes import CodeableConcept
from cds_service.model.parts import CodeRow

_SYSTEMS = {
    "http://snomed.info/sct": ("urn:oid:2.16.840.1.113883.6.96",),
    "http://loinc.org": ("urn:oid:2.16.840.1.113883.6.1",),
    "http://www.nlm.nih.gov/research/umls/rxnorm": ("urn:oid:2.16.840.1.113883.6.88",),
    "http://www.whocc.no/atc": ("urn:oid:2.16.840.1.113883.6.73",),
}
"""System → the other names under which real records give it. ICD-10-CM is looked up apart, by prefix."""
_ICD_SYSTEMS = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://hl7.org/fhir/sid/icd-10",
        "urn:oid:2.16.840.1.113883.6.90",
    }
)
_NOTHING: frozenset[str] = frozenset()
_LONGEST_ICD = 7
"""ICD-10-CM has no longer code, dot aside."""


class CodeIndex:
    """From a code to the names of everything that it means."""

    def __init__(self, codes: Mapping[str, Iterable[CodeRow]]) -> None:
        """Index all rows, by name; ICD-10-CM is kept without dots, with its prefixes apart."""
        exact: dict[tuple[str | None, str | None], set[str]] = {}
        icd: dict[str, set[str]] = {}
        prefixes: dict[str, set[str]] = {}
        for name, rows in codes.items():
            for row in rows:
                if row.system in _ICD_SYSTEMS:
                    group = prefixes if row.prefix else icd
                    group.setdefault(_bare(row.code), set()).add(name)
                    continue
                for system in (row.system, *_SYSTEMS.get(row.system, ())):  # a site's own has no other name
                    exact.setdefault((system, row.code), set()).add(name)
        self._exact = {key: frozenset(names) for key, names in exact.items()}
        self._icd_codes = {code: frozenset(names) for code, names in icd.items()}
        self._prefixes = {code: frozenset(names) for code, names in prefixes.items()}

    def names(self, concept: CodeableConcept | None) -> frozenset[str]:
        """Return every name that a coding of `concept` means; empty when no code is known."""
        if concept is None or not concept.coding:
            return _NOTHING
        found = _NOTHING
        exact = self._exact
        for coding in concept.coding:
            hit = exact.get((coding.system, coding.code))
            if hit is None and coding.code:
                if coding.system in _ICD_SYSTEMS:
                    hit = self._icd(_bare(coding.code))
                elif coding.code[0].isspace() or coding.code[-1].isspace():
                    hit = exact.get((coding.system, coding.code.strip()))
            if hit:
                found = found | hit if found else hit
        return found

    def _icd(self, code: str) -> frozenset[str]:
        found = self._icd_codes.get(code, _NOTHING)
        for length in range(3, min(len(code), _LONGEST_ICD) + 1):
            found |= self._prefixes.get(code[:length], _NOTHING)
        return found


def _bare(code: str) -> str:
    return code.replace(".", "").strip().upper()
