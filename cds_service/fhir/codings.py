"""Looks codes up in the content's code lists; it never compares displays and never follows a hierarchy."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from cds_service.fhir.shapes import CodeableConcept
from cds_service.model.parts import CodeRow

_SYSTEMS = {
    "http://snomed.info/sct": "snomed",
    "urn:oid:2.16.840.1.113883.6.96": "snomed",
    "http://loinc.org": "loinc",
    "urn:oid:2.16.840.1.113883.6.1": "loinc",
    "http://www.nlm.nih.gov/research/umls/rxnorm": "rxnorm",
    "urn:oid:2.16.840.1.113883.6.88": "rxnorm",
    "http://hl7.org/fhir/sid/icd-10-cm": "icd",
    "http://hl7.org/fhir/sid/icd-10": "icd",
    "urn:oid:2.16.840.1.113883.6.90": "icd",
}
_NOTHING: frozenset[str] = frozenset()
_LONGEST_ICD = 7
"""ICD-10-CM has no longer code, dot aside."""


class CodeIndex:
    """From a code to the names of everything that it means."""

    def __init__(self, codes: Mapping[str, Iterable[CodeRow]]) -> None:
        """Index all rows, by name; ICD-10-CM is kept without dots, with its prefixes apart."""
        exact: dict[tuple[str, str], set[str]] = {}
        prefixes: dict[str, set[str]] = {}
        for name, rows in codes.items():
            for row in rows:
                system = _SYSTEMS[row.system]
                code = _bare(row.code) if system == "icd" else row.code
                exact.setdefault((system, code), set()).add(name)
                if system == "icd" and row.prefix:
                    prefixes.setdefault(code, set()).add(name)
        self._exact = {key: frozenset(names) for key, names in exact.items()}
        self._prefixes = {code: frozenset(names) for code, names in prefixes.items()}

    def names(self, concept: CodeableConcept | None) -> frozenset[str]:
        """Return every name that a coding of `concept` means; empty when no code is known."""
        if concept is None or not concept.coding:
            return _NOTHING
        found = _NOTHING
        for coding in concept.coding:
            code, system = coding.code, _SYSTEMS.get(coding.system or "")
            if code is None or system is None:
                continue
            if system == "icd":
                found |= self._icd(_bare(code))
            else:
                hit = self._exact.get((system, code.strip()))
                if hit:
                    found = found | hit if found else hit
        return found

    def _icd(self, code: str) -> frozenset[str]:
        found = self._exact.get(("icd", code), _NOTHING)
        for length in range(3, min(len(code), _LONGEST_ICD) + 1):
            found |= self._prefixes.get(code[:length], _NOTHING)
        return found


def _bare(code: str) -> str:
    return code.replace(".", "").strip().upper()
