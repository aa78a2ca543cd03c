"""Looks codes up in the content's code lists; it never compares displays and never follows a hierarchy."""

from __future__ import annotations

import re
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
_SPELLINGS = {
    **{system: system for system in (*_SYSTEMS, *_ICD_SYSTEMS)},
    "loinc": "http://loinc.org",
    "icd-10": "http://hl7.org/fhir/sid/icd-10",
}
"""System in lower case, without blanks and last slash → the system that is meant."""
_NOT_IN_A_CODE = re.compile(r"[\s\u200b-\u200f\u2060\ufeff\ufffd]+")
"""White space, what has no width, and the character that stands for one that was lost on the way."""
LOINC = "http://loinc.org"
_LOINC_SHAPE = re.compile(r"\s*[0-9]{1,7}-[0-9]\s*")
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
        self._systems = frozenset(system for system, _code in exact) | _ICD_SYSTEMS
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
                hit = self._less_exact(coding.system, coding.code)
            if hit:
                found = found | hit if found else hit
        return found

    def reads(self, system: str | None) -> bool:
        """Whether codes of a system are looked up at all, however its name is written."""
        return system is not None and (system in self._systems or meant_system(system) in self._systems)

    def _less_exact(self, system: str | None, code: str) -> frozenset[str] | None:
        """Look up an ICD code by its prefixes, and a code or a system that was not written quite as it should be."""
        if system in self._systems:
            if code.isascii() and not (
                code[0].isspace() or code[-1].isspace()
            ):  # the usual case: just not ours
                return self._icd(_bare(code)) if system in _ICD_SYSTEMS else None
        elif system:
            system = meant_system(system)
        if system in _ICD_SYSTEMS:
            return self._icd(_bare(_NOT_IN_A_CODE.sub("", code)))
        return self._exact.get((system, _NOT_IN_A_CODE.sub("", code)))

    def _icd(self, code: str) -> frozenset[str]:
        found = self._icd_codes.get(code, _NOTHING)
        for length in range(3, min(len(code), _LONGEST_ICD) + 1):
            found |= self._prefixes.get(code[:length], _NOTHING)
        return found


def meant_system(system: str) -> str:
    """Return the system that is meant, where blanks, case, a last slash or its bare name stand in the way."""
    bare = "".join(system.split()).rstrip("/").lower()
    return _SPELLINGS.get(bare) or _SPELLINGS.get(bare.replace("https://", "http://", 1)) or system


def has_loinc(concept: CodeableConcept | None) -> bool:
    """Whether a concept carries a code of LOINC, known here or not: then its words are not asked what it is."""
    if concept is None or not concept.coding:
        return False
    for coding in concept.coding:
        code, system = coding.code, coding.system
        if code is None or system is None or not (system == LOINC or meant_system(system) == LOINC):
            continue
        if _LOINC_SHAPE.fullmatch(code) is not None:
            return True
    return False


def _bare(code: str) -> str:
    return code.replace(".", "").strip().upper()
