"""Every unit against an independent reading of UCUM: what it measures, how it converts, what it never becomes.

The dimensions and prefixes below are those of UCUM, written out by hand; none comes from the code under test.
"""

from __future__ import annotations

import csv
import re
from datetime import date
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest

from cds_service.fhir.quantities import Converted, UnitTable
from cds_service.fhir.shapes import Quantity
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Tables
from cds_service.knowledge.library import load
from tests.support.places import CARDS, TERMINOLOGY
from tests.unit.fhir.content import define_lab
from tests.unit.fhir.records import UCUM

Dimension = tuple[tuple[str, int], ...]

_PREFIXES = {"": 0, "k": 3, "d": -1, "m": -3, "u": -6, "n": -9, "p": -12, "f": -15}
_ATOMS: dict[str, tuple[dict[str, int], Fraction]] = {
    "g": ({"mass": 1}, Fraction(1)),
    "mol": ({"amount": 1}, Fraction(1)),
    "eq": ({"equivalents": 1}, Fraction(1)),
    "L": ({"volume": 1}, Fraction(1)),
    "s": ({"time": 1}, Fraction(1)),
    "min": ({"time": 1}, Fraction(60)),
    "h": ({"time": 1}, Fraction(3600)),
    "U": ({"catalysis": 1}, Fraction(1)),
    "kat": ({"catalysis": 1}, Fraction(60_000_000)),
    "[IU]": ({"international units": 1}, Fraction(1)),
    "m2": ({"area": 1}, Fraction(1)),
    "{1.73_m2}": ({"body surface": 1}, Fraction(1)),
    "m[Hg]": ({"pressure": 1}, Fraction(133_322, 1)),
    "Pa": ({"pressure": 1}, Fraction(1)),
    "Cel": ({"temperature": 1}, Fraction(1)),
    "[degF]": ({"temperature": 1}, Fraction(5, 9)),
    "m": ({"length": 1}, Fraction(1)),
    "1": ({}, Fraction(1)),
    "%": ({}, Fraction(1, 100)),
    "{INR}": ({}, Fraction(1)),
    "{score}": ({}, Fraction(1)),
}
"""Atom → what it measures, and how much of the first unit of its kind it is (1 U is 1 µmol/min, 1 kat 60 million U)."""
_COUNT = re.compile(r"10\*(-?[0-9]+)")
_OTHER_KINDS = {
    ("body_temperature", "[degF]"): "a scale with another zero",
    ("blood_pressure", "kPa"): "to six digits",
    ("egfr", "mL/min"): "of the whole body, taken only under a code of eGFR",
    ("hba1c", "mmol/mol"): "the IFCC equation, with an offset",
    ("hemoglobin", "mmol/L"): "of the monomer",
    ("albumin", "umol/L"): "by an assumed molar mass",
    ("tsh", "mU/L"): "printed for international units",
    ("tsh", "uU/mL"): "printed for international units",
}
"""Conversions that are no mere change of size, each with its reason; the table notes the same."""
_VALENCE = {
    "calcium_total": 2,
    "calcium_ionized": 2,
    "calcium_corrected": 2,
    "magnesium": 2,
    "potassium": 1,
    "sodium": 1,
    "bicarbonate": 1,
    "lithium_level": 1,
}


@cache
def _rows(name: str) -> tuple[dict[str, str], ...]:
    with (TERMINOLOGY / name).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


def _atom(text: str) -> tuple[dict[str, int], Fraction]:
    """Return what one atom with its prefix measures, and its size."""
    if count := _COUNT.fullmatch(text):
        return {}, Fraction(10) ** int(count[1])
    for prefix, power in sorted(_PREFIXES.items(), key=lambda one: len(one[0])):
        rest = text.removeprefix(prefix)
        if text.startswith(prefix) and rest in _ATOMS:
            dimension, size = _ATOMS[rest]
            return dimension, size * Fraction(10) ** power
    raise AssertionError(f"{text} is no unit of this test")


@cache
def _measures(ucum: str) -> tuple[Dimension, Fraction]:
    """Return the dimension of a UCUM unit and its size; the numerator may be empty ("/min")."""
    powers: dict[str, int] = {}
    size = Fraction(1)
    for place, part in enumerate(ucum.split("/")):
        if not part:
            continue
        dimension, factor = _atom(part)
        sign = 1 if place == 0 else -1
        size *= factor**sign
        for name, power in dimension.items():
            powers[name] = powers.get(name, 0) + sign * power
    return tuple(sorted((name, power) for name, power in powers.items() if power)), size


def _conversions() -> list[dict[str, str]]:
    return [row for row in _rows("unit_conversions.csv") if row["ucum"] != row["canonical_ucum"]]


def _expected(row: dict[str, str]) -> Fraction:
    """Return the factor between two units from their sizes, the molar mass and the charge of the ion."""
    (mine, size), (canonical, own_size) = _measures(row["ucum"]), _measures(row["canonical_ucum"])
    ratio = size / own_size
    if mine == canonical:
        return ratio
    kinds = {name for name, _power in {*mine} ^ {*canonical}}
    if kinds == {"mass", "amount"}:
        return ratio / Fraction(row["molar_mass"])
    if kinds == {"equivalents", "amount"}:
        return ratio / _VALENCE[row["concept_key"]]
    if kinds == {"catalysis", "international units"}:  # one is printed for the other
        return ratio
    raise AssertionError(
        f"{row['concept_key']}: {row['ucum']} is of another kind than {row['canonical_ucum']}"
    )


@pytest.mark.parametrize("row", _conversions(), ids=lambda row: f"{row['concept_key']} {row['ucum']}")
def test_every_factor_follows_from_the_units_alone(row: dict[str, str]) -> None:
    """A factor is the ratio of two prefixes, over the molar mass or the charge where the kind changes."""
    if (row["concept_key"], row["ucum"]) in _OTHER_KINDS:
        assert row["note"] or row["concept_key"] in {"tsh", "hemoglobin"}
        return
    assert Fraction(row["factor"]) == pytest.approx(_expected(row), rel=5e-6)
    assert Fraction(row["offset"] or "0") == 0


@pytest.mark.parametrize("spelling", _rows("unit_spellings.csv"), ids=lambda row: row["spelling"])
def test_every_spelling_leads_to_a_unit_of_ucum(spelling: dict[str, str]) -> None:
    """What a spelling stands for has a dimension that this test can work out by itself."""
    assert _measures(spelling["ucum"])[1] > 0


@cache
def _tables() -> Tables:
    return Tables(TERMINOLOGY)


@cache
def _units(key: str, own: str) -> UnitTable:
    """Return the units of a lab that has `own` for its unit and rounds where no value of these tests ends."""
    lab = define_lab(key, conversions=key, unit=own, decimals=18, plausible={})
    return UnitTable(lab, _tables().conversions, _tables().spellings)


def _number(units: UnitTable, value: Decimal, unit: str) -> Decimal:
    found = units.convert(Quantity(value=value, unit=unit))
    assert isinstance(found, Converted), (unit, found)
    return found.value


@pytest.mark.parametrize(
    "row", _rows("unit_conversions.csv"), ids=lambda row: f"{row['concept_key']} {row['ucum']}"
)
def test_every_spelling_goes_to_the_canonical_unit_and_back(row: dict[str, str]) -> None:
    """In the canonical unit and back again a value is the same to twelve digits, however the unit is spelt."""
    key, ucum, canonical = row["concept_key"], row["ucum"], row["canonical_ucum"]
    spellings = [one["spelling"] for one in _rows("unit_spellings.csv") if one["ucum"] == ucum]
    assert spellings
    for spelling in spellings:
        for value in (Decimal("7.35"), Decimal("0.011"), Decimal(404)):
            there = _number(_units(key, canonical), value, spelling)
            back = _number(_units(key, ucum), there, canonical)
            assert abs(back - value) <= value * Decimal("1e-12"), (spelling, value, there, back)


@cache
def _vocabulary() -> Vocabulary:
    return Vocabulary(load(CARDS, "test", date(2026, 11, 25)))


@pytest.mark.parametrize("name", sorted(path.stem for path in (CARDS / "labs").glob("*.yaml")))
def test_no_other_unit_is_ever_converted(name: str) -> None:
    """A spelling that the lab has no conversion for gives no number: printed, as code, in any case, with any system."""
    units, lab = _vocabulary().units[name], _vocabulary().labs[name]
    own = {row["ucum"] for row in _rows("unit_conversions.csv") if row["concept_key"] == lab.conversions}
    foreign = [row for row in _rows("unit_spellings.csv") if row["ucum"] not in own]
    assert foreign
    known = {row["spelling"].casefold() for row in _rows("unit_spellings.csv") if row["ucum"] in own}
    for spelling in (row["spelling"] for row in foreign):
        if spelling.casefold() in known:  # a ratio may be an INR or a share: the lab tells
            continue
        for sent in (
            Quantity(value=Decimal("7.35"), unit=spelling),
            Quantity(value=Decimal("7.35"), code=spelling, system=UCUM),
            Quantity(value=Decimal("7.35"), code=spelling),
            Quantity(value=Decimal("7.35"), unit=spelling.upper()),
            Quantity(value=Decimal("7.35"), unit=spelling, system=UCUM, code=spelling),
            Quantity(value=Decimal("7.35"), unit=lab.unit, system=UCUM, code=spelling),
        ):
            if (sent.unit or "").casefold() in known and sent.code is None:
                continue
            assert units.convert(sent) in {"unit-not-understood", "unit-mismatch"}, (spelling, sent)
