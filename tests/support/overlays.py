"""Writes site overlays for tests; holds no clinical code of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from pathlib import Path

from tests.support.terminology import rows

LOCAL_SYSTEM = "https://ehr.example.org/local-codes"

POTASSIUM = """\
id: potassium
limits:
  critical-high: {at_least: "6.2"}
examples:
  - name: A potassium of 6.1 mmol/L is markedly high, not critically
    given: {value: "6.1", unit: mmol/L}
    expect: {present: [potassium-marked-high], absent: [potassium-critical-high]}
  - name: A potassium of 6.2 mmol/L is critically high
    given: {value: "6.2", unit: mmol/L}
    expect: {present: [potassium-critical-high]}
"""
"""A site whose laboratory calls a potassium of 6.2 critical."""

PHOSPHATE = """\
id: phosphate
limits:
  critical-low: {below: "0.25"}
examples:
  - name: A phosphate of 0.24 mmol/L is critically low
    given: {value: "0.24", unit: mmol/L}
    expect: {present: [phosphate-critical-low]}
  - name: A phosphate of 0.25 mmol/L is not critically low
    given: {value: "0.25", unit: mmol/L}
    expect: {absent: [phosphate-critical-low]}
"""
"""A site with another limit on which one published patient rests."""


def write_overlay(folder: Path, files: Mapping[str, str], tables: Mapping[str, str] | None = None) -> Path:
    """Write the files, and the tables with their manifest; return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    if tables:
        terminology = folder / "terminology"
        terminology.mkdir(parents=True)
        pins = ["file,rows,sha256"]
        for table, text in tables.items():
            (terminology / f"{table}.csv").write_text(text, encoding="utf-8", newline="")
            digest = hashlib.sha256(text.encode()).hexdigest()
            pins.append(f"{table}.csv,{text.count(chr(10)) - 1},{digest}")
        (terminology / "MANIFEST.csv").write_text("\n".join(pins) + "\n", encoding="utf-8")
    return folder


def local_row(table: str, key: str, code: str, display: str) -> str:
    """Return a table with one row: a code of the site's own system under a key."""
    columns = [*rows(table)[0]]
    cells = {"key": key, "system": LOCAL_SYSTEM, "code": code, "display": display}
    cells |= {"role": "root", "match": "exact", "display_verified": "Y", "source": "our code catalog"}
    return f"{','.join(columns)}\n{','.join(cells.get(column, '') for column in columns)}\n"
