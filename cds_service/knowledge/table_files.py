"""Reads the pinned CSV tables of one folder, row by row, with every fault of their form; it knows no code."""

from __future__ import annotations

import csv
import hashlib
import io
from collections.abc import Iterator, Mapping
from pathlib import Path

from cds_service.model.faults import Fault, did_you_mean

MANIFEST = "MANIFEST.csv"
_CODED = ("key", "system", "code", "display")
_MEANING = (*_CODED, "role", "match", "display_verified", "source", "note")
COLUMNS: Mapping[str, tuple[str, ...]] = {
    "conditions": _MEANING,
    "findings": _MEANING,
    "signs": _MEANING,
    "labs": (*_CODED, "specimen", "property", "source"),
    "orders": (*_CODED, "kind", "source"),
    "medications": ("key", "ingredient", "system", "code", "display", "tty", "source"),
    "medication_products": ("key", "ingredients", "system", "code", "display", "tty", "systemic"),
    "unit_conversions": ("concept_key", "ucum", "canonical_ucum", "factor", "offset", "molar_mass", "note"),
    "unit_spellings": ("spelling", "ucum"),
    "MANIFEST": ("file", "rows", "sha256"),
}
"""Table → its columns, in their order. Where products come from is told table by table, in the README."""

CODE_TABLES = tuple(table for table, columns in COLUMNS.items() if columns[0] == "key")

Row = dict[str, str]


class TableFolder:
    """The tables of one `terminology` folder; those of a site may be any part of the whole set."""

    def __init__(self, path: Path, label: str = "", *, is_site: bool = False) -> None:
        """Check the manifest; every fault is kept in `faults`. `label` is the folder that a fault names."""
        self.faults: list[Fault] = []
        self.is_site = is_site
        self._path = path
        self._label = label
        if not is_site or any(path.glob("*.csv")):
            self._check_manifest()
        if is_site:
            self._check_names()

    def rows(self, table: str) -> Iterator[tuple[int, Row]]:
        """Yield (line, cells) for every row of right form; a site need not have the table."""
        path = self._path / f"{table}.csv"
        if not path.is_file():
            if not self.is_site or table == "MANIFEST":
                remedy = "Pin each table in it: file,rows,sha256." if self.is_site else "Restore the file."
                self.fault(table, 1, "unknown-table", "The table is missing.", remedy)
            return
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except UnicodeDecodeError:
            self.fault(table, 1, "table-shape", "The file is not UTF-8.", "Save it as UTF-8.")
            return
        reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
        missing = [column for column in COLUMNS[table] if column not in (reader.fieldnames or ())]
        if missing:
            named = ", ".join(missing)
            remedy = f"The first line is {','.join(COLUMNS[table])}."
            self.fault(table, 1, "table-shape", f"The table lacks the columns {named}.", remedy)
            return
        try:
            for row in reader:
                if None in row or None in row.values():
                    text = "The row has another number of cells than the first line."
                    self.fault(table, reader.line_num, "table-shape", text, "Quote cells that hold a comma.")
                else:
                    yield reader.line_num, row
        except csv.Error:
            self.fault(
                table, reader.line_num, "table-shape", "This is not CSV.", "Correct the quotes of the row."
            )

    def fault(self, table: str, line: int, check: str, text: str, remedy: str) -> None:
        """Keep a fault at one line of a table."""
        file = f"{self._path.name}/{table}.csv"
        self.faults.append(Fault(file, line, "", check, text, remedy, folder=self._label))

    def _check_manifest(self) -> None:
        pinned = set[str]()
        for line, row in self.rows("MANIFEST"):
            pinned.add(row["file"])
            path = self._path / row["file"]
            if not path.is_file():
                self._changed("MANIFEST", line, f"{row['file']} is missing.", "Restore it.")
            elif hashlib.sha256(path.read_bytes()).hexdigest() != row["sha256"]:
                text = f"{row['file']} is not the pinned table."
                self._changed("MANIFEST", line, text, "Review the change, then write its new sha256 here.")
        for path in sorted(self._path.glob("*.csv")) if pinned else ():
            if path.name not in pinned | {MANIFEST}:
                self._changed(path.stem, 1, "The manifest does not pin this table.", "Add its sha256.")

    def _changed(self, table: str, line: int, text: str, remedy: str) -> None:
        self.fault(table, line, "table-changed", text, remedy)

    def _check_names(self) -> None:
        """A table of another name would be left unread, and the site would not know."""
        for path in sorted(self._path.glob("*")):
            if path.suffix == ".csv" and path.stem not in COLUMNS:
                remedy = did_you_mean(path.stem, [*COLUMNS])
                self.fault(path.stem, 1, "unknown-table", "No table has this name.", remedy)
