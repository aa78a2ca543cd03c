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
_OTHER_FLAGS = frozenset(
    {
        *(
            "B",
            "D",
            "U",
            "W",
            "S",
            "R",
            "I",
            "MS",
            "VS",
            "SDD",
            "SYN-R",
            "SYN-S",
            "NS",
            "NCL",
            "NR",
            "RR",
            "WR",
        ),
        *(
            "POS",
            "NEG",
            "DET",
            "ND",
            "IND",
            "E",
            "IE",
            "EX",
            "HX",
            "LX",
            "CAR",
            "OBX",
            "TOX",
            "QCF",
            "HM",
            "MDF",
        ),
        *("EXP", "UNE", "AC", "ANR"),
    }
)
"""Codes of v3-ObservationInterpretation that say nothing of high or low."""
_NORMAL_RANGE_TYPES = frozenset({"normal", "recommended"})
_OTHER_RANGE_TYPES = frozenset(
    {
        *("type", "treatment", "therapeutic", "pre", "post", "endocrine", "pre-puberty", "follicular"),
        *("midcycle", "luteal", "postmenopausal", "postmeopausal"),
    }
)
"""Codes of referencerange-meaning that do not say what is normal for everybody, one as FHIR misspells it."""
_ABSENCES = frozenset(
    {
        *(
            "unknown",
            "asked-unknown",
            "temp-unknown",
            "not-asked",
            "asked-declined",
            "masked",
            "not-applicable",
        ),
        *("unsupported", "as-text", "error", "not-a-number", "negative-infinity", "positive-infinity"),
        *("not-performed", "not-permitted"),
    }
)
"""Codes of data-absent-reason."""


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


def is_flag_unknown(interpretation: list[CodeableConcept] | CodeableConcept | None) -> bool:
    """Whether a flag was sent that nobody can read; codes that say nothing of high or low are known."""
    if interpretation is None or flag_of(interpretation) is not None:
        return False
    sent = [coding.code for concept in concepts(interpretation) for coding in concept.coding or ()]
    sent += [concept.text for concept in concepts(interpretation)]
    words = [word.strip().upper() for word in sent if word]
    return not any(word in _OTHER_FLAGS for word in words)


def absence_of(reason: CodeableConcept) -> str:
    """Return the kind of reason for which there is no value; a word of the client's own is `other`."""
    codes = ((coding.code or "").strip().lower() for coding in reason.coding or ())
    return next((code for code in codes if code in _ABSENCES), "other")


def is_range_type_unknown(one: ReferenceRange) -> bool:
    """Whether nobody can tell of what kind a range is."""
    kind = range_type(one)
    codes = [coding.code for coding in kind.coding or ()] if kind is not None else []
    return bool(codes) and not any(code in _NORMAL_RANGE_TYPES | _OTHER_RANGE_TYPES for code in codes)


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
