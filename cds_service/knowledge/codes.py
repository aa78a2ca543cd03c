"""The shipped code tables, and the check digits of codes; it trusts no code that no table shows."""

from __future__ import annotations

import re
import sys
from collections import Counter
from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import NamedTuple

from cds_service.knowledge.table_files import CODE_TABLES, Row, TableFolder
from cds_service.model.faults import Fault
from cds_service.model.parts import CodeRow

SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"
ATC = "http://www.whocc.no/atc"

SYSTEMS = {SNOMED: "SNOMED CT", ICD10CM: "ICD-10-CM", LOINC: "LOINC", RXNORM: "RxNorm"}
"""The systems of the shipped tables. ATC may not be shipped: a site loads its own list into its overlay."""

_SNOMED_SHAPE = re.compile(r"[0-9]{6,18}")
_LOINC_SHAPE = re.compile(r"[0-9]+-[0-9]")
_ICD_SHAPE = re.compile(r"[A-Z][0-9][0-9A-Z](?:\.[0-9A-Z]{1,4})?")
_ATC_SHAPE = re.compile(r"[A-Z][0-9]{2}[A-Z]{2}[0-9]{2}")
_URI = re.compile(r"(?:https?://|urn:)\S+")

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
    if system == ATC:
        return _ATC_SHAPE.fullmatch(code) is not None
    return system == RXNORM and code.isascii() and code.isdigit()


def _is_systemic(row: Row) -> bool:
    """Whether a product acts on the whole body: topical and inhaled forms do not, a bare brand name does not tell."""
    form = row.get("systemic", "Y")
    return form not in {"N", "inhaled"} and not (form == "unknown" and row.get("tty") == "BN")


class Tables:
    """All code tables of one content folder, by (table, key), with the unit tables; a site's rows come after them."""

    def __init__(self, folder: Path, site: Path | None = None, label: str = "") -> None:
        """Read the tables; every fault is kept in `faults`. `label` is what faults call the folder of the site."""
        self.codes: dict[tuple[str, str], tuple[CodeRow, ...]] = {}
        self.conversions: dict[str, dict[str, tuple[Decimal, Decimal]]] = {}
        self.spellings: dict[str, str] = {}
        self.added: dict[str, int] = {}
        """Table → how many rows a site adds."""
        folders = [TableFolder(folder)]
        if site is not None:
            folders.append(TableFolder(site, label, is_site=True))
        for one in folders:
            for table in CODE_TABLES:
                self._read_codes(one, table)
            self._read_conversions(one)
            self._read_spellings(one)
        self.faults: list[Fault] = [fault for one in folders for fault in one.faults]

    def _rows(self, source: TableFolder, table: str) -> Iterator[tuple[int, Row]]:
        for line, row in source.rows(table):
            if source.is_site:
                self.added[table] = self.added.get(table, 0) + 1
            yield line, row

    def _read_codes(self, source: TableFolder, table: str) -> None:
        grouped: dict[tuple[str, str], list[CodeRow]] = {}
        for line, row in self._rows(source, table):
            keys = row["key"].split("+")
            for key in keys:
                grouped.setdefault((table, key), [])
            faults = [*row_faults(row, is_site=source.is_site)]
            for one in faults:
                source.fault(table, line, *one)
            if not faults:
                entry = _entry(row)
                for key in keys:
                    grouped[table, key].append(entry)
        for place, rows in grouped.items():
            self.codes[place] = (*self.codes.get(place, ()), *rows)

    def _read_conversions(self, source: TableFolder) -> None:
        for line, row in self._rows(source, "unit_conversions"):
            units = self.conversions.setdefault(row["concept_key"], {})
            try:
                found = Decimal(row["factor"]), Decimal(row["offset"] or "0")
            except InvalidOperation:
                text = "The factor or the offset is no number."
                source.fault("unit_conversions", line, "table-shape", text, "Write digits and a point.")
                continue
            if source.is_site and units.get(row["ucum"], found) != found:
                source.fault("unit_conversions", line, *_ALREADY)
            units.setdefault(row["ucum"], found)

    def _read_spellings(self, source: TableFolder) -> None:
        for line, row in self._rows(source, "unit_spellings"):
            if source.is_site and self.spellings.get(row["spelling"], row["ucum"]) != row["ucum"]:
                source.fault("unit_spellings", line, *_ALREADY)
            self.spellings.setdefault(row["spelling"], row["ucum"])


_ALREADY = ("table-shape", "The shipped table says otherwise.", "An overlay adds rows: leave this one out.")


class RowFault(NamedTuple):
    """What keeps a row from proving its code."""

    check: str
    text: str
    remedy: str


def row_faults(row: Row, *, is_site: bool) -> Iterator[RowFault]:
    """Yield what is wrong with the form of a code, its display and its source."""
    system, code = row["system"], row["code"]
    if not is_site and system not in SYSTEMS:
        text = f"{system} is no system of the shipped tables."
        yield RowFault("check-digit", text, "Correct it, or put the row into a site overlay.")
    elif is_site and system not in {*SYSTEMS, ATC}:
        if not (_URI.fullmatch(system) and code and code == code.strip()):
            text = f"{code!r} of {system!r} is no code."
            yield RowFault("check-digit", text, "Give the URI of the system, and the code.")
    elif not code_holds(system, code):
        text = f"{code} is not a code of {system}."
        yield RowFault("check-digit", text, "Compare it with the source named in the row.")
    if not row["display"].strip():
        yield RowFault(
            "code-without-display", f"{code} has no display.", "Write the text that its source gives."
        )
    if row.get("display_verified", "Y") not in {"Y", "N"}:
        yield RowFault(
            "code-without-display",
            f"Nothing says whether the display of {code} is official.",
            "Write Y or N.",
        )
    if not row.get("source", "in the README").strip():
        yield RowFault(
            "code-without-source", f"{code} has no source.", "Name the source that shows the code."
        )


def _entry(row: Row) -> CodeRow:
    return CodeRow(
        system=sys.intern(row["system"]),
        code=row["code"],
        display=row["display"],
        prefix=row.get("match") == "prefix",
        role=sys.intern(row.get("role") or "root"),
        ingredient=sys.intern(row.get("ingredient") or row.get("ingredients") or "") or None,
        display_verified=row.get("display_verified", "Y") == "Y",
        systemic=_is_systemic(row),
    )


def summary_of(codes: Mapping[tuple[str, str], tuple[CodeRow, ...]]) -> str:
    """Return how many codes of each system there are, and how many of them have a display that is not official."""
    displays = {(row.system, row.code): row.display_verified for rows in codes.values() for row in rows}
    counts = Counter(system for system, _code in displays)
    named = ", ".join(f"{count} {SYSTEMS.get(system, system)}" for system, count in counts.most_common())
    return (
        f"{named}; {sum(not verified for verified in displays.values())} with a display that is not official"
    )
