"""Matches a site's own ATC list with the ingredients that the content knows; no ATC code is shipped or known here."""

from __future__ import annotations

import csv
import hashlib
import io
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from cds_service.errors import CDSError
from cds_service.knowledge.codes import ATC, Tables, code_holds
from cds_service.knowledge.table_files import COLUMNS, MANIFEST, Row, TableFolder
from cds_service.knowledge.yaml_reader import read_documents

TABLE = "medications"
_CODE_NAMES = frozenset({"code", "atc code"})
_NAME_NAMES = frozenset({"name", "atc name", "atc level name"})
_PARTS = re.compile(r", | and ")


class Ingredient(NamedTuple):
    """A known ingredient: its name as the content spells it, and the keys that it stands under."""

    name: str
    keys: tuple[str, ...]


class Match(NamedTuple):
    """One code of the list with the ingredients that its name names."""

    code: str
    name: str
    ingredients: tuple[Ingredient, ...]


class Matched(NamedTuple):
    """What became of a list: the matches, and how many codes were left out for which reason."""

    matches: tuple[Match, ...]
    unmatched: int
    left_out: int
    without_code: tuple[str, ...]


def known_ingredients(tables: Tables) -> dict[str, Ingredient]:
    """Return every ingredient of the medication table, by its name without case."""
    keys: dict[str, dict[str, None]] = {}
    names: dict[str, str] = {}
    for (table, key), rows in tables.codes.items():
        for row in rows if table == TABLE else ():
            name = row.ingredient or row.display
            names.setdefault(name.casefold(), name)
            keys.setdefault(name.casefold(), {})[key] = None
    return {folded: Ingredient(name, tuple(keys[folded])) for folded, name in names.items()}


def systemic_only_keys(folder: Path) -> frozenset[str]:
    """Return the keys of which only forms that act on the whole body count, by the value sets of `folder`."""
    values = [document.value for document in read_documents(folder / "value_sets", folder)]
    return frozenset(
        ref["key"]
        for value in values
        if isinstance(value, dict) and value.get("systemic_only")
        for ref in value.get("codes", ())
        if ref["table"] == TABLE
    )


def read_list(content: bytes) -> dict[str, str]:
    """Return code → name of every code of the last level. Raises `CDSError` when this is no such list."""
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise CDSError("The list is not UTF-8: save it as CSV in UTF-8.") from None
    head = text.partition("\n")[0]
    if not head.strip():
        raise CDSError("The list is empty: its first line names the columns code and name.")
    delimiter = ";" if head.count(";") > head.count(",") else ","
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    code_column, name_column = (
        _column(reader.fieldnames or (), names) for names in (_CODE_NAMES, _NAME_NAMES)
    )
    found: dict[str, str] = {}
    for row in _rows(reader):
        code = (row[code_column] or "").strip().upper()
        name = " ".join((row[name_column] or "").split())
        if not code_holds(ATC, code) or not name:
            continue
        if found.setdefault(code, name).casefold() != name.casefold():
            raise CDSError(f"The code {code} has two names, the second in line {reader.line_num}: keep one.")
    if not found:
        raise CDSError("The list holds no ATC code of seven characters with a name.")
    return found


def _rows(reader: csv.DictReader[str]) -> Iterator[dict[str, str | None]]:
    try:
        yield from reader
    except csv.Error as error:
        raise CDSError(f"The list cannot be read as CSV near line {reader.line_num}: {error}.") from None


def _column(columns: Iterable[str], wanted: frozenset[str]) -> str:
    for column in columns:
        if column.strip().casefold().replace("_", " ") in wanted:
            return column
    named, there = " or ".join(sorted(wanted)), ", ".join(columns)
    raise CDSError(f"The list has no column {named}. Its columns are: {there}.")


def match_list(
    codes: Mapping[str, str],
    known: Mapping[str, Ingredient],
    systemic_only: frozenset[str],
    systemic: tuple[str, ...],
) -> Matched:
    """Return which codes name known ingredients and nothing else.

    An ingredient that stands under several main groups has several forms. Where only those that act on the whole body
    count, its code, and that of a combination with it, is taken if it begins with one of `systemic`.
    """
    groups: dict[str, set[str]] = {}
    for code, name in codes.items():
        groups.setdefault(name.casefold(), set()).add(code[0])
    matches, left_out = [], 0
    for code, name in sorted(codes.items()):
        ingredients = _ingredients(name, known)
        if not ingredients:
            continue
        names = [one.name.casefold() for one in ingredients if systemic_only.intersection(one.keys)]
        has_forms = any(len(groups.get(each, ())) > 1 for each in names)
        if has_forms and not code.startswith(systemic):
            left_out += 1
        else:
            matches.append(Match(code, name, ingredients))
    coded = {one.name for match in matches for one in match.ingredients}
    return Matched(
        matches=tuple(matches),
        unmatched=len(codes) - len(matches) - left_out,
        left_out=left_out,
        without_code=tuple(sorted(one.name for one in known.values() if one.name not in coded)),
    )


def _ingredients(name: str, known: Mapping[str, Ingredient]) -> tuple[Ingredient, ...]:
    """Return the ingredient of that name, or all parts of a combination if every one of them is known."""
    folded = name.casefold()
    if folded in known:
        return (known[folded],)
    parts = [known.get(part) for part in _PARTS.split(folded)]
    found = tuple(part for part in parts if part is not None)
    return found if len(found) == len(parts) else ()


def write_matches(overlay: Path, matches: Iterable[Match], source: str) -> int:
    """Put the matches in place of all ATC rows of the overlay's medication table, and pin it; return its rows.

    Raises `CDSError` when the table there has a fault: a change that nobody reviewed would be pinned with it.
    """
    folder = overlay / "terminology"
    before = TableFolder(folder, overlay.name, is_site=True)
    kept = [row for _line, row in before.rows(TABLE) if row["system"] != ATC]
    pins = (
        {row["file"]: row for _line, row in before.rows("MANIFEST")} if (folder / MANIFEST).exists() else {}
    )
    if before.faults:
        places = (str(fault) for fault in before.faults)
        raise CDSError("The terminology of the overlay has faults: correct them first.", *places)
    rows = sorted((*kept, *(_row(match, source) for match in matches)), key=_order)
    content = _csv(COLUMNS[TABLE], rows)
    pin = {"file": f"{TABLE}.csv", "rows": str(len(rows)), "sha256": hashlib.sha256(content).hexdigest()}
    pins[pin["file"]] = pin
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{TABLE}.csv").write_bytes(content)
    (folder / MANIFEST).write_bytes(_csv(COLUMNS["MANIFEST"], [pins[file] for file in sorted(pins)]))
    return len(rows)


def _row(match: Match, source: str) -> Row:
    keys = dict.fromkeys(key for one in match.ingredients for key in one.keys)
    return {
        "key": "+".join(keys),
        "ingredient": "; ".join(one.name for one in match.ingredients),
        "system": ATC,
        "code": match.code,
        "display": match.name,
        "tty": "",
        "source": source,
    }


def _order(row: Row) -> tuple[str, ...]:
    return row["key"], row["system"], row["code"]


def _csv(columns: tuple[str, ...], rows: Iterable[Row]) -> bytes:
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, columns, lineterminator="\n", extrasaction="ignore")
    writer.writeheader()
    writer.writerows(rows)
    return text.getvalue().encode()
