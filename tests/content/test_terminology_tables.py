"""Checks the shipped code tables byte by byte and digit by digit; it never asks a terminology server.

The check-digit functions are written from the published algorithms and not imported from the service, so that
an error in the one does not hide in the other.
"""

import csv
import hashlib
import io
import re
from collections import defaultdict
from collections.abc import Mapping
from decimal import Decimal
from functools import cache
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "cards" / "terminology"
SNOMED = "http://snomed.info/sct"
LOINC = "http://loinc.org"
ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"
RXNORM = "http://www.nlm.nih.gov/research/umls/rxnorm"

MEANING_COLUMNS = "key,system,code,display,role,match,display_verified,source,note"
COLUMNS = {
    "conditions.csv": MEANING_COLUMNS,
    "findings.csv": MEANING_COLUMNS,
    "signs.csv": MEANING_COLUMNS,
    "labs.csv": "key,system,code,display,specimen,property,source",
    "orders.csv": "key,system,code,display,kind,source",
    "medications.csv": "key,ingredient,system,code,display,tty,source",
    "medication_products.csv": "key,ingredients,system,code,display,tty,systemic",
    "unit_conversions.csv": "concept_key,ucum,canonical_ucum,factor,offset,molar_mass,note",
    "unit_spellings.csv": "spelling,ucum",
}
SYSTEMS = {
    "conditions.csv": {SNOMED, ICD10CM},
    "findings.csv": {SNOMED, ICD10CM},
    "signs.csv": {SNOMED, ICD10CM, LOINC},
    "labs.csv": {LOINC},
    "orders.csv": {SNOMED, LOINC},
    "medications.csv": {RXNORM},
    "medication_products.csv": {RXNORM},
}
MEANING_TABLES = [name for name, columns in COLUMNS.items() if columns == MEANING_COLUMNS]
MAY_BE_EMPTY = {"note", "specimen", "property", "molar_mass"}
ROLES = ["root", "descendant", "implies", "nonspecific", "legacy"]
VOCABULARY = {
    "role": set(ROLES),
    "match": {"exact", "prefix"},
    "display_verified": {"Y", "N"},
    "systemic": {"Y", "N", "inhaled", "route-dependent", "unknown"},
}
LONGEST = {"source": 100, "note": 160}
KEY_SHAPE = re.compile(r"[a-z][a-z0-9_]*(\+[a-z][a-z0-9_]*)*")
ICD10CM_SHAPE = re.compile(r"[A-Z][0-9][0-9A-Z](\.[0-9A-Z]{1,4})?")
RXNORM_SHAPE = re.compile(r"[1-9][0-9]{0,7}")

VITAL_SIGNS = {
    *("body_temperature", "blood_pressure", "heart_rate", "respiratory_rate", "oxygen_saturation"),
    *("coma_score", "body_mass_index", "vital_capacity"),
}
"""Quantities whose codes stand among the signs."""
UNITS_WITHOUT_CONVERSION = {"fL", "s"}  # mean cell volume, prothrombin time: only ever seen in this unit
MICRO_SIGN, GREEK_MU = "\N{MICRO SIGN}", "\N{GREEK SMALL LETTER MU}"
DIVALENT = {"calcium_total", "calcium_corrected", "calcium_ionized", "magnesium"}  # two charges per ion
PREFIX = {"": 0, "m": -3, "u": -6, "n": -9, "p": -12, "d": -1}
CONCENTRATION = re.compile(r"([munpd]?)(g|mol|eq)/([munpd]?)L")

Row = Mapping[str, str]


@cache
def rows_of(name: str) -> tuple[Row, ...]:
    """Return the records of a table, header names as keys, every cell a string."""
    with (FOLDER / name).open(encoding="utf-8", newline="") as table:
        return tuple(csv.DictReader(table, strict=True))


def codes_of(system: str) -> list[tuple[str, str]]:
    """Return (table, code) for every row of one code system."""
    return [(name, row["code"]) for name in SYSTEMS for row in rows_of(name) if row["system"] == system]


def sort_key(name: str, row: Row) -> tuple[str | int, ...]:
    """Return what the rows of a table are ordered by."""
    if name == "unit_spellings.csv":
        return row["ucum"], row["spelling"]
    if name == "unit_conversions.csv":
        return row["concept_key"], row["ucum"]
    return row["key"], ROLES.index(row.get("role", "root")), row["system"], row["code"]


def dihedral(left: int, right: int) -> int:
    """Return the product of two symmetries of the pentagon (0-4 are turns, 5-9 reflections)."""
    turned = left + right if left < 5 else left - right
    return turned % 5 + 5 * ((left < 5) != (right < 5))


def verhoeff_holds(code: str) -> bool:
    """Return whether the last digit is the Verhoeff check digit of the others (SNOMED CT identifiers)."""
    step = (1, 5, 7, 6, 2, 8, 3, 0, 9, 4)
    checksum = 0
    for position, character in enumerate(reversed(code)):
        digit = int(character)
        for _ in range(position % 8):
            digit = step[digit]
        checksum = dihedral(checksum, digit)
    return checksum == 0


def mod_10_holds(code: str) -> bool:
    """Return whether the digit after the hyphen is the mod-10 check digit of the digits before it (LOINC)."""
    if not re.fullmatch(r"[0-9]{1,7}-[0-9]", code):
        return False
    doubled = [int(c) * (2 - place % 2) for place, c in enumerate(reversed(code[:-2]))]
    return (sum(number // 10 + number % 10 for number in doubled) + int(code[-1])) % 10 == 0


def misread(code: str) -> set[str]:
    """Return the code with each one digit replaced by each other digit."""
    places = [place for place, character in enumerate(code) if character.isdigit()]
    return {code[:p] + str(d) + code[p + 1 :] for p in places for d in range(10) if str(d) != code[p]}


def moles_per_liter(unit: str, molar_mass: Decimal, charge: int) -> Decimal:
    """Return how many mol/L one of this unit is, for a substance of this molar mass in g/mol."""
    shape = CONCENTRATION.fullmatch(unit)
    assert shape is not None, f"{unit} is not a concentration"
    scale = Decimal(10) ** (PREFIX[shape[1]] - PREFIX[shape[3]])
    return scale / {"g": molar_mass, "mol": Decimal(1), "eq": Decimal(charge)}[shape[2]]


@pytest.mark.parametrize("name", COLUMNS)
def test_table_is_written_one_way(name: str) -> None:
    """A table is UTF-8 with LF, minimal quoting, the documented columns and sorted rows."""
    header = COLUMNS[name].split(",")
    rows = rows_of(name)
    canonical = io.StringIO(newline="")
    writer = csv.DictWriter(canonical, header, lineterminator="\n")
    writer.writeheader()
    writer.writerows(sorted(rows, key=lambda row: sort_key(name, row)))
    assert rows
    assert (FOLDER / name).read_bytes() == canonical.getvalue().encode()


@pytest.mark.parametrize("name", COLUMNS)
def test_cells_are_filled_and_in_vocabulary(name: str) -> None:
    """Needed cells are filled, none has stray white space, coded columns hold only known words."""
    for row in rows_of(name):
        for column, cell in row.items():
            where = f"{name} {row}"
            assert cell or column in MAY_BE_EMPTY, where
            assert cell == " ".join(cell.split()), where
            assert cell in VOCABULARY.get(column, {cell}), where
            assert len(cell) <= LONGEST.get(column, len(cell)), where
        assert KEY_SHAPE.fullmatch(row.get("key", "absent")), row


@pytest.mark.parametrize("name", SYSTEMS)
def test_each_code_stands_once_under_a_key_of_a_known_system(name: str) -> None:
    """A table holds only the code systems it is meant for, and no (key, system, code) twice."""
    rows = rows_of(name)
    assert {row["system"] for row in rows} == SYSTEMS[name]
    assert len({(row["key"], row["system"], row["code"]) for row in rows}) == len(rows)


def test_a_code_has_one_display_everywhere() -> None:
    """The same code carries the same display in every table that lists it."""
    displays = defaultdict(set)
    for name in SYSTEMS:
        for row in rows_of(name):
            displays[row["system"], row["code"]].add(row["display"])
    assert {code: texts for code, texts in displays.items() if len(texts) > 1} == {}


def test_snomed_codes_are_concept_ids_with_a_valid_check_digit() -> None:
    """Every SNOMED CT code has a Verhoeff check digit that holds and the partition of a concept."""
    codes = codes_of(SNOMED)
    assert [c for c in codes if not re.fullmatch(r"[1-9][0-9]{5,17}", c[1]) or not verhoeff_holds(c[1])] == []
    assert {code[-3:-1] for _, code in codes} <= {"00", "10"}


def test_loinc_codes_have_a_valid_check_digit() -> None:
    """Every LOINC code is digits, a hyphen and the mod-10 check digit."""
    assert [found for found in codes_of(LOINC) if not mod_10_holds(found[1])] == []


def test_check_digits_catch_any_one_wrong_digit() -> None:
    """Changing one digit of a code of the findings or lab table makes it fail, so the two checks can fail."""
    snomed = {code for name, code in codes_of(SNOMED) if name == "findings.csv"}
    loinc = {code for name, code in codes_of(LOINC) if name == "labs.csv"}
    assert [code for code in snomed for wrong in misread(code) if verhoeff_holds(wrong)] == []
    assert [code for code in loinc for wrong in misread(code) if mod_10_holds(wrong)] == []


@pytest.mark.parametrize(("system", "shape"), [(ICD10CM, ICD10CM_SHAPE), (RXNORM, RXNORM_SHAPE)])
def test_codes_without_check_digit_have_their_shape(system: str, shape: re.Pattern[str]) -> None:
    """ICD-10-CM codes are written with the dot, RxNorm codes are plain numbers."""
    assert [found for found in codes_of(system) if not shape.fullmatch(found[1])] == []


@pytest.mark.parametrize("name", MEANING_TABLES)
def test_keys_have_a_root_and_only_icd_matches_by_prefix(name: str) -> None:
    """Every key has a root row, prefix matching is kept to ICD-10-CM, and legacy rows are SNOMED CT."""
    rows = rows_of(name)
    assert {row["key"] for row in rows if row["role"] == "root"} == {row["key"] for row in rows}
    assert {row["system"] for row in rows if row["match"] == "prefix"} == {ICD10CM}
    assert {row["system"] for row in rows if row["role"] == "legacy"} == {SNOMED}


def test_product_keys_are_medication_keys() -> None:
    """Every class of a product is a class of an ingredient, and every class has a product."""
    classes = {name: {k for row in rows_of(name) for k in row["key"].split("+")} for name in SYSTEMS}
    assert classes["medication_products.csv"] == classes["medications.csv"]


def test_no_atc_is_shipped() -> None:
    """No table names the ATC system or has an ATC column: its license does not allow shipping it here."""
    text = {path.name: path.read_text(encoding="utf-8").lower() for path in FOLDER.glob("*.csv")}
    marks = ("whocc", "2.16.840.1.113883.6.73")
    assert [name for name, content in text.items() if any(mark in content for mark in marks)] == []
    assert [name for name, content in text.items() if "atc" in content.split("\n")[0].split(",")] == []


def test_manifest_names_every_table_with_its_rows_and_hash() -> None:
    """MANIFEST.csv lists exactly the tables of the folder, and the README describes each of them."""
    manifest = rows_of("MANIFEST.csv")
    assert [record["file"] for record in manifest] == sorted(COLUMNS)
    assert {path.name for path in FOLDER.glob("*.csv")} == {*COLUMNS, "MANIFEST.csv"}
    for record in manifest:
        content = (FOLDER / record["file"]).read_bytes()
        assert record["rows"] == str(len(rows_of(record["file"]))), record
        assert record["sha256"] == hashlib.sha256(content).hexdigest(), record
    readme = (FOLDER / "README.md").read_text(encoding="utf-8")
    assert [name for name in COLUMNS if f"`{name}`" not in readme] == []


def test_each_lab_converts_to_one_canonical_unit() -> None:
    """A key has one canonical unit, that unit converts to itself unchanged, and no unit is listed twice."""
    units: dict[str, dict[str, Row]] = defaultdict(dict)
    for row in rows_of("unit_conversions.csv"):
        assert row["ucum"] not in units[row["concept_key"]], row
        assert Decimal(row["factor"]) > 0, row
        units[row["concept_key"]][row["ucum"]] = row
    for key, of_key in units.items():
        canonical = {row["canonical_ucum"] for row in of_key.values()}
        assert len(canonical) == 1, key
        identity = of_key[canonical.pop()]
        assert Decimal(identity["factor"]) == 1, key
        assert Decimal(identity["offset"]) == 0, key
    labs = {row["key"] for row in rows_of("labs.csv")} | {"urea", "urea_nitrogen"}
    assert set(units) == (set(units) & labs) | VITAL_SIGNS


def test_every_unit_can_be_read_and_converted() -> None:
    """A converted unit spells itself; a spelling leads to a conversion or a declared unit."""
    spellings = {row["spelling"]: row["ucum"] for row in rows_of("unit_spellings.csv")}
    converted = {row["ucum"] for row in rows_of("unit_conversions.csv")}
    assert [unit for unit in converted if spellings.get(unit) != unit] == []
    assert set(spellings.values()) - converted == UNITS_WITHOUT_CONVERSION


def test_spellings_are_unambiguous() -> None:
    """No spelling occurs twice, case never changes the unit, and the two micro characters are read alike."""
    rows = rows_of("unit_spellings.csv")
    spellings = {row["spelling"]: row["ucum"] for row in rows}
    assert len(spellings) == len(rows)
    assert len({spelling.casefold() for spelling in spellings}) == len(
        {(spelling.casefold(), unit) for spelling, unit in spellings.items()}
    )
    micro = {spelling: unit for spelling, unit in spellings.items() if MICRO_SIGN in spelling}
    assert {s.replace(MICRO_SIGN, GREEK_MU): unit for s, unit in micro.items()}.items() <= spellings.items()


def test_factors_agree_with_the_molar_mass() -> None:
    """Where a molar mass is given, the factor is what it and the two units imply, to 0.1 percent."""
    checked = 0
    for row in rows_of("unit_conversions.csv"):
        if row["molar_mass"]:
            mass, charge = Decimal(row["molar_mass"]), 2 if row["concept_key"] in DIVALENT else 1
            given, wanted = (moles_per_liter(row[c], mass, charge) for c in ("ucum", "canonical_ucum"))
            assert abs(Decimal(row["factor"]) * wanted / given - 1) <= Decimal("0.001"), row
            checked += 1
    assert checked > 0
