"""Finds codings in the shipped code tables by concept; never holds a clinical code of its own."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from functools import cache

from tests.support.places import TERMINOLOGY

Coding = dict[str, str]

SHORT_SYSTEMS = {
    "snomed": "http://snomed.info/sct",
    "loinc": "http://loinc.org",
    "icd-10-cm": "http://hl7.org/fhir/sid/icd-10-cm",
}
UCUM = "http://unitsofmeasure.org"

# Lab ids whose key in the table of codes is spelled otherwise.
_LAB_KEYS = {
    "calcium-adjusted": "calcium_corrected",
    "urea": "urea_bun",
    "pth": "pth_intact",
    "folate": "folate_serum",
    "bilirubin": "bilirubin_total",
}
_MASS = "Mass/volume"
_MOLES = "Moles/volume"
_PROPERTY_OF_UNIT = {
    **dict.fromkeys(("mg/dL", "g/dL", "g/L", "ng/dL", "ng/L", "ng/mL", "pg/mL"), _MASS),
    **dict.fromkeys(("mmol/L", "umol/L", "nmol/L", "pmol/L", "meq/L"), _MOLES),
}


class NoCodeError(LookupError):
    """The tables hold no such concept, code or drug name."""


@cache
def rows(table: str) -> tuple[dict[str, str], ...]:
    """Return the rows of one table of `cards/terminology`."""
    with (TERMINOLOGY / f"{table}.csv").open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _coding(row: dict[str, str]) -> Coding:
    return {"system": row["system"], "code": row["code"], "display": row["display"]}


def _only_root(concept: str, found: Sequence[dict[str, str]]) -> list[Coding]:
    roots = [row for row in found if row["role"] == "root"]
    systems = [row["system"] for row in roots]
    if not roots or len(set(systems)) < len(systems):
        raise NoCodeError(f"{concept} has {len(roots)} root codes: name the codes with `only`")
    return [_coding(row) for row in sorted(roots, key=lambda row: row["system"], reverse=True)]


def codings(concept: str, only: Sequence[str] = ()) -> list[Coding]:
    """Return the codings of a concept such as `conditions/multiple_sclerosis`.

    With `only`, the named codes of the concept in that order; else its one root code per code system,
    SNOMED CT first. Raises `NoCodeError` when the tables do not hold them.
    """
    table, key = concept.split("/")
    found = [row for row in rows(table) if row["key"] == key]
    if not only:
        return _only_root(concept, found)
    by_code = {row["code"]: row for row in found}
    missing = [code for code in only if code not in by_code]
    if missing:
        raise NoCodeError(f"{concept} does not hold {', '.join(missing)}")
    return [_coding(by_code[code]) for code in only]


def drug_coding(name: str) -> Coding:
    """Return the RxNorm coding whose display is `name`, product before ingredient."""
    for table in ("medication_products", "medications"):
        for row in rows(table):
            if row["display"] == name:
                return _coding(row)
    raise NoCodeError(f"no drug is called {name!r} in the tables")


def ucum_code(unit: str) -> str | None:
    """Return the UCUM code for a unit as printed, or None when the spelling is not known."""
    spellings = {row["spelling"]: row["ucum"] for row in rows("unit_spellings")}
    return spellings.get(unit)


def _oddity(row: dict[str, str]) -> tuple[bool, int, str]:
    return row["specimen"] != "Serum or Plasma", len(row["display"]), row["code"]


def lab_coding(lab: str, unit: str, loinc: str | None = None) -> Coding:
    """Return the LOINC coding of a lab id that fits the unit; `loinc` picks another code of the same lab.

    The plainest code is taken: of serum or plasma if there is one, then the shortest name, which has no method and
    no second specimen.
    """
    key = _LAB_KEYS.get(lab, lab.replace("-", "_"))
    if loinc is not None:
        return codings(f"labs/{key}", [loinc])[0]
    wanted = _PROPERTY_OF_UNIT.get(ucum_code(unit) or unit)
    found = [row for row in rows("labs") if row["key"] == key and wanted in {None, row["property"]}]
    if not found:
        raise NoCodeError(f"no code of {lab} is measured in {unit}")
    return _coding(min(found, key=_oddity))
