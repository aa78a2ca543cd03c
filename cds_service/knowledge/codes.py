"""The shipped code tables, and the check digits of codes; it trusts no code that no table shows."""

from __future__ import annotations

import csv
import hashlib
import re
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

from cds_service.model.faults import Fault
from cds_service.model.parts import CodeRow

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

_SNOMED_SHAPE = re.compile(r"[0-9]{6,18}")
_LOINC_SHAPE = re.compile(r"[0-9]+-[0-9]")
_ICD_SHAPE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?")

TABLES = ("conditions", "findings", "signs", "labs", "orders", "medications", "medication_products")

_VERHOEFF_D = tuple(
    tuple(int(digit) for digit in row)
    for row in (
        "0123456789",
        "1234067895",
        "2340178956",
        "3401289567",
        "4012395678",
        "5987604321",
        "6598710432",
        "7659821043",
        "8765932104",
        "9876543210",
    )
)
_VERHOEFF_P = tuple(
    tuple(int(digit) for digit in row)
    for row in (
        "0123456789",
        "1576283094",
        "5803796142",
        "8916043527",
        "9453126870",
        "4286573901",
        "2793806415",
        "7046913258",
    )
)


def snomed_digit_holds(code: str) -> bool:
    """Whether a SNOMED CT identifier has a right Verhoeff check digit (6 to 18 digits)."""
    if not _SNOMED_SHAPE.fullmatch(code):
        return False
    check = 0
    for place, digit in enumerate(reversed(code)):
        check = _VERHOEFF_D[check][_VERHOEFF_P[place % 8][int(digit)]]
    return check == 0


def loinc_digit_holds(code: str) -> bool:
    """Whether a LOINC code has a right mod-10 check digit."""
    if not _LOINC_SHAPE.fullmatch(code):
        return False
    stem, _dash, digit = code.partition("-")
    total = 0
    for place, char in enumerate(reversed(stem)):
        number = int(char) * (2 if place % 2 == 0 else 1)
        total += number // 10 + number % 10
    return (10 - total % 10) % 10 == int(digit)


def icd_shape_holds(code: str) -> bool:
    """Whether a code has the shape of an ICD-10-CM code: letter, two characters, and up to four after the dot."""
    return _ICD_SHAPE.fullmatch(code) is not None


def code_holds(system: str, code: str) -> bool:
    """Whether the code has the form (and check digit) of its system."""
    if system == SNOMED:
        return snomed_digit_holds(code)
    if system == LOINC:
        return loinc_digit_holds(code)
    if system == ICD10CM:
        return icd_shape_holds(code)
    return system == RXNORM and code.isascii() and code.isdigit()


def _is_systemic(row: dict[str, str]) -> bool:
    """Whether a product acts on the whole body: topical and inhaled forms do not, a bare brand name does not tell."""
    form = row.get("systemic", "Y")
    return form not in {"N", "inhaled"} and not (form == "unknown" and row.get("tty") == "BN")


class Tables:
    """All code tables of one content folder, by (table, key), with the unit tables."""

    def __init__(self, folder: Path) -> None:
        """Read the tables; every fault is kept in `faults`."""
        self.faults: list[Fault] = []
        self.codes: dict[tuple[str, str], tuple[CodeRow, ...]] = {}
        self.conversions: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
        self.spellings: dict[str, str] = {}
        self._folder = folder
        self._check_manifest()
        for table in TABLES:
            self._read_codes(table)
        self._read_units()

    def _rows(self, name: str) -> Iterator[tuple[int, dict[str, str]]]:
        path = self._folder / name
        if not path.is_file():
            self._fault(name, 1, "unknown-table", "The table is missing.", "Restore the file.")
            return
        with path.open(encoding="utf-8", newline="") as stream:
            reader = csv.DictReader(stream)
            for row in reader:
                yield reader.line_num, row

    def _fault(self, name: str, line: int, check: str, text: str, remedy: str) -> None:
        self.faults.append(Fault(f"{self._folder.name}/{name}", line, "", check, text, remedy))

    def _check_manifest(self) -> None:
        pinned = set[str]()
        for line, row in self._rows("MANIFEST.csv"):
            pinned.add(row["file"])
            path = self._folder / row["file"]
            if not path.is_file():
                self._fault(
                    "MANIFEST.csv", line, "table-changed", f"{row['file']} is missing.", "Restore it."
                )
            elif hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
                self._fault(
                    "MANIFEST.csv",
                    line,
                    "table-changed",
                    f"{row['file']} is not the pinned table.",
                    "Review the change, then write its new sha256 here.",
                )
        for path in sorted(self._folder.glob("*.csv")) if pinned else ():
            if path.name not in pinned | {"MANIFEST.csv"}:
                self._fault(
                    path.name, 1, "table-changed", "The manifest does not pin this table.", "Add its sha256."
                )

    def _read_codes(self, table: str) -> None:
        grouped: dict[tuple[str, str], list[CodeRow]] = {}
        for line, row in self._rows(f"{table}.csv"):
            for key in row["key"].split("+"):
                grouped.setdefault((table, key), [])
            if not code_holds(row["system"], row["code"]):
                self._fault(
                    f"{table}.csv",
                    line,
                    "check-digit",
                    f"{row['code']} is not a code of {row['system']}.",
                    "Compare it with the source named in the row.",
                )
                continue
            entry = CodeRow(
                system=sys.intern(row["system"]),
                code=row["code"],
                display=row["display"],
                prefix=row.get("match") == "prefix",
                role=sys.intern(row.get("role") or "root"),
                ingredient=sys.intern(row.get("ingredient") or row.get("ingredients") or "") or None,
                display_verified=row.get("display_verified", "Y") == "Y",
                systemic=_is_systemic(row),
            )
            for key in row["key"].split("+"):
                grouped[table, key].append(entry)
        self.codes.update({key: tuple(rows) for key, rows in grouped.items()})

    def _read_units(self) -> None:
        for _line, row in self._rows("unit_conversions.csv"):
            self.conversions.setdefault(row["concept_key"], {})[row["ucum"]] = (
                Decimal(row["factor"]),
                Decimal(row["offset"] or "0"),
            )
        for _line, row in self._rows("unit_spellings.csv"):
            self.spellings[row["spelling"]] = row["ucum"]
