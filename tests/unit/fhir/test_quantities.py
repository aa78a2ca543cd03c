"""Quantities become decimals in a lab's one unit: every accepted spelling, exact arithmetic, and never a guess."""

from __future__ import annotations

import csv
from decimal import Decimal
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.quantities import Converted, UnitTable, is_printable, printed_unit, unit_of
from cds_service.fhir.shapes import Quantity
from cds_service.knowledge.codes import Tables
from tests.support.places import TERMINOLOGY
from tests.unit.fhir.content import define_lab
from tests.unit.fhir.records import UCUM


@cache
def rows(name: str) -> tuple[dict[str, str], ...]:
    """Return the rows of a shipped table, read by the test itself."""
    with (TERMINOLOGY / name).open(encoding="utf-8", newline="") as stream:
        return tuple(csv.DictReader(stream))


CONVERSIONS = {(row["concept_key"], row["ucum"]): row for row in rows("unit_conversions.csv")}
KEYS = sorted({key for key, _ucum in CONVERSIONS})
SPELLINGS = {
    key: [
        (row["spelling"], row["ucum"])
        for row in rows("unit_spellings.csv")
        if (key, row["ucum"]) in CONVERSIONS
    ]
    for key in KEYS
}
MOLAR = [
    (key, ucum, row["canonical_ucum"], row["molar_mass"])
    for (key, ucum), row in CONVERSIONS.items()
    if row["molar_mass"] and "g/" in ucum and "mol/" in row["canonical_ucum"]
]
PREFIXES = {"": 0, "m": 3, "u": 6, "n": 9, "p": 12}


@cache
def tables() -> Tables:
    """Return the shipped tables as the service reads them."""
    return Tables(TERMINOLOGY)


@cache
def table(key: str, unit: str | None = None, decimals: int = 2) -> UnitTable:
    """Return the units of a lab that has `key` and this unit of its own; else the canonical one."""
    own = unit or next(row["canonical_ucum"] for (name, _ucum), row in CONVERSIONS.items() if name == key)
    lab = define_lab(key, conversions=key, unit=own, decimals=decimals, plausible={})
    return UnitTable(lab, tables().conversions, tables().spellings)


def quantity(
    value: str | Decimal, unit: str | None = None, system: str | None = None, code: str | None = None
) -> Quantity:
    """Return a Quantity as the decoder makes it."""
    return Quantity(value=Decimal(value), unit=unit, system=system, code=code)


def converted(units: UnitTable, value: str | Decimal, unit: str) -> Decimal:
    """Return the number that a value has in the lab's unit."""
    found = units.convert(quantity(value, unit))
    assert isinstance(found, Converted), found
    return found.value


def rounded_half_up(exact: Fraction, decimals: int) -> Decimal:
    """Return the decimal nearest to `exact`, ties away from zero, by whole-number arithmetic."""
    scaled = abs(exact) * 10**decimals * 2
    steps = (scaled.numerator // scaled.denominator + 1) // 2
    return Decimal(steps if exact >= 0 else -steps).scaleb(-decimals)


def in_canonical(key: str, value: Decimal, ucum: str) -> Fraction:
    """Return the exact value in the canonical unit, from the table's text."""
    row = CONVERSIONS[key, ucum]
    return Fraction(value) * Fraction(row["factor"]) + Fraction(row["offset"] or "0")


@pytest.mark.parametrize("key", KEYS)
def test_every_spelling_of_every_unit_is_converted(key: str) -> None:
    """As printed unit, as UCUM code and as code of no system, a spelling gives the independently computed value."""
    value = Decimal("7.35")
    for spelling, ucum in SPELLINGS[key]:
        exact = in_canonical(key, value, ucum)
        for sent in (
            quantity(value, spelling),
            quantity(value, None, UCUM, spelling),
            quantity(value, None, None, spelling),
            quantity(value, f" {spelling} "),
        ):
            found = table(key).convert(sent)
            assert isinstance(found, Converted), spelling
            assert found.value == (rounded_half_up(exact, 2) if found.was_converted else value), spelling
            assert found.was_converted is (exact != Fraction(value)), spelling


def test_every_spelling_is_one_of_some_lab() -> None:
    """No row of the spellings is left out of the test above, save units that no lab has."""
    tested = {spelling for spellings in SPELLINGS.values() for spelling, _ucum in spellings}
    untested = {row["ucum"] for row in rows("unit_spellings.csv") if row["spelling"] not in tested}
    assert untested <= {"fL", "s", "mm/h"}


@pytest.mark.parametrize("key", KEYS)
def test_every_unit_can_be_a_labs_own(key: str) -> None:
    """A lab may have any unit of its table: each other unit is converted into it by the same factors."""
    for _spelling, unit in SPELLINGS[key]:
        own = CONVERSIONS[key, unit]
        for _spelling, other in SPELLINGS[key]:
            reported = in_canonical(key, Decimal("3.2"), other)
            exact = (reported - Fraction(own["offset"] or "0")) / Fraction(own["factor"])
            found = converted(table(key, unit, 6), "3.2", other)
            assert abs(Fraction(found) - exact) <= Fraction(1, 10**6), (unit, other)


@pytest.mark.parametrize(("key", "mass", "molar", "grams"), MOLAR)
def test_mass_and_molar_units_agree_with_the_molar_mass(key: str, mass: str, molar: str, grams: str) -> None:
    """The factor between them is the molar mass to a part in a thousand: no phosphate ion, no swapped table row."""
    per_litre = {"/L": 1, "/dL": 10, "/mL": 1000}
    top, _, bottom = mass.partition("g/")
    moles = Fraction(per_litre[f"/{bottom}"], 10 ** PREFIXES[top]) / Fraction(grams)
    expected = moles * 10 ** PREFIXES[molar.partition("mol/")[0]]
    assert abs(Fraction(CONVERSIONS[key, mass]["factor"]) / expected - 1) < Fraction(1, 1000)


@given(st.sampled_from(MOLAR), st.decimals("0.01", "5000", places=2))
def test_mass_to_molar_and_back_is_the_same(units: tuple[str, str, str, str], value: Decimal) -> None:
    """A value that goes into the molar unit and back differs by rounding only."""
    key, mass, molar, _grams = units
    there = converted(table(key, molar, 9), value, mass)
    assert abs(converted(table(key, mass, 9), there, molar) - value) < Decimal("0.001")


@given(st.decimals("-1e6", "1e6", places=4), st.sampled_from(sorted(CONVERSIONS)), st.integers(0, 4))
def test_conversion_rounds_half_up_once(value: Decimal, unit: tuple[str, str], decimals: int) -> None:
    """The exact product is rounded once, half up, to the decimals of the lab; what needs no conversion is untouched."""
    key, ucum = unit
    found = table(key, None, decimals).convert(quantity(value, ucum))
    assert isinstance(found, Converted)
    exact = in_canonical(key, value, ucum)
    assert found.value == (rounded_half_up(exact, decimals) if found.was_converted else value)


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("7.61", "1.90"),
        ("7.59", "1.89"),
        ("7.615", "1.90"),
        ("12.02", "3.00"),
        ("14.03", "3.50"),
        ("0", "0.00"),
    ],
)
def test_values_at_a_limit_are_rounded_before_they_are_compared(value: str, expected: str) -> None:
    """A calcium in mg/dL has the two decimals of the limits in mmol/L."""
    assert str(converted(table("calcium_total"), value, "mg/dL")) == expected


def test_half_is_rounded_up() -> None:
    """mEq/L is exactly half: 4.01 and 4.03 mEq/L are ties, and both go up."""
    assert [str(converted(table("magnesium"), value, "mEq/L")) for value in ("4.01", "4.03")] == [
        "2.01",
        "2.02",
    ]


@pytest.mark.parametrize("digits", ["2.8", "2.80", "2.800", "3", "0.6949"])
def test_what_is_in_the_labs_unit_stays_as_reported(digits: str) -> None:
    """No digit is added or taken away where nothing has to be converted, mEq/L of potassium included."""
    for unit in ("mmol/L", "mEq/L"):
        found = table("potassium").convert(quantity(digits, unit))
        assert isinstance(found, Converted)
        assert (str(found.value), found.was_converted) == (digits, False)


def test_three_letters_are_told_without_their_case() -> None:
    """An INR is an INR in any case."""
    assert [converted(table("inr"), "2.5", unit) for unit in ("INR", "inr", "Inr")] == [Decimal("2.5")] * 3


def test_hba1c_has_an_offset() -> None:
    """48 mmol/mol is 6.5 %."""
    assert converted(table("hba1c", "%", 1), "48", "mmol/mol") == Decimal("6.5")
    assert converted(table("hba1c", "mmol/mol", 0), "6.5", "%") == Decimal(48)


@pytest.mark.parametrize(
    "unit", ["mg/dL", "mmol/L", "mEq/L", "MMOL/L", "Mmol/L", "mmol/l", "MG/DL", "Mg/dl", "MEq/L"]
)
def test_the_case_of_longer_spellings_does_not_matter(unit: str) -> None:
    """A spelling in another case is the same spelling, as real laboratories print it."""
    assert isinstance(table("potassium").convert(quantity("4", unit)), Converted)


@pytest.mark.parametrize(
    ("key", "known", "unknown"), [("potassium", "mM", "Mm MM mm"), ("creatinine", "uM", "UM Um um")]
)
def test_the_case_of_two_letters_matters(key: str, known: str, unknown: str) -> None:
    """While mM is a concentration, Mm is a length: two letters in another case are not understood."""
    assert isinstance(table(key).convert(quantity("4", known)), Converted)
    for unit in unknown.split():
        assert table(key).convert(quantity("4", unit)) == "unit-not-understood"


@pytest.mark.parametrize("key", KEYS)
def test_no_two_units_of_a_lab_differ_only_in_case(key: str) -> None:
    """Reading a spelling without regard to case can never choose between two units."""
    seen: dict[str, set[str]] = {}
    for spelling, ucum in SPELLINGS[key]:
        if len(spelling) > 2:
            seen.setdefault(spelling.casefold(), set()).add(CONVERSIONS[key, ucum]["factor"])
    assert [spelling for spelling, factors in seen.items() if len(factors) > 1] == []


@pytest.mark.parametrize(
    ("unit", "system", "code", "trusted"),
    [
        ("mg/dL", UCUM, "mmol/L", "mmol/L"),
        ("mg/dL", "http://unitsofmeasure.org/", "mmol/L", "mmol/L"),
        ("mg/dL", "https://unitsofmeasure.org", " mmol/L ", "mmol/L"),
        ("mg/dL", None, "mmol/L", "mg/dL"),
        ("mg/dL", "http://snomed.info/sct", "1", "mg/dL"),
        (None, "urn:iso:std:iso:3986", "mmol/L", "mmol/L"),
        (None, None, "mmol/L", "mmol/L"),
        ("  ", UCUM, None, None),
        ("mmol/L", UCUM, " ", "mmol/L"),
        ("", None, "", None),
        (None, None, None, None),
    ],
)
def test_the_ucum_code_is_trusted_before_the_printed_unit(
    unit: str | None, system: str | None, code: str | None, trusted: str | None
) -> None:
    """A code of UCUM is the unit; else the printed unit counts, and another code only where nothing is printed."""
    assert unit_of(Quantity(value=Decimal(4), unit=unit, system=system, code=code)) == trusted


def test_a_person_reads_the_printed_unit() -> None:
    """The unit that is shown is the printed one, and the code only where there is none."""
    assert printed_unit(quantity("1", "mg/100mL", UCUM, "mg/dL")) == "mg/100mL"
    assert printed_unit(quantity("1", None, UCUM, "mg/dL")) == "mg/dL"
    assert printed_unit(quantity("1", " ", UCUM, None)) is None
    assert printed_unit(quantity("1")) is None


@pytest.mark.parametrize(
    "unit",
    ["grains", "mq/dL", "mmol", "mmol/24h", "mol/L", "kmol/L", "%", "1", "L", "μ", "mmol/L/h", "mmol//L"],
)
def test_an_unknown_unit_is_not_understood(unit: str) -> None:
    """A unit of another quantity, or a slip of the pen, is never taken for the one that was meant."""
    assert table("potassium").convert(quantity("4", unit)) == "unit-not-understood"


@pytest.mark.parametrize("unit", [None, "", "  "])
def test_a_missing_unit_is_missing(unit: str | None) -> None:
    """A value without a unit is not given one."""
    assert table("potassium").convert(quantity("4", unit)) == "unit-missing"


def test_a_missing_value_is_missing() -> None:
    """A unit alone is no result."""
    assert table("potassium").convert(Quantity(unit="mmol/L")) == "value-missing"


@pytest.mark.parametrize(
    "value",
    [
        *("1e400", "-1e400", "1e15", "-1e15", "9" * 40, "1e-16", "1e-400", "0e-400", "1e999999"),
        *("NaN", "-sNaN", "Infinity", "-Infinity"),
    ],
)
@pytest.mark.parametrize("unit", ["mmol/L", "mg/dL", "grains", None])
def test_a_value_that_cannot_be_written_out_is_implausible(value: str, unit: str | None) -> None:
    """Numbers beyond every measurement, and what is no number, are refused before anything is computed or printed."""
    assert not is_printable(Decimal(value))
    assert table("potassium").convert(quantity(value, unit)) == "value-implausible"


@pytest.mark.parametrize("value", ["0", "0.0000", "-4.2", "999999999999999", "1e-15", "123456789.123456789"])
def test_an_odd_value_that_can_be_written_out_is_converted(value: str) -> None:
    """Negative, tiny and huge values are arithmetic like others; whether they are plausible is another question."""
    assert is_printable(Decimal(value))
    for unit in ("mmol/L", "mg/dL"):
        assert isinstance(table("potassium").convert(quantity(value, unit)), Converted)


@given(
    st.none() | st.decimals(allow_nan=True, allow_infinity=True),
    *[st.none() | st.text(max_size=6) | st.sampled_from(["mmol/L", "mM", UCUM]) for _part in range(3)],
)
def test_any_quantity_is_converted_or_refused(
    value: Decimal | None, unit: str | None, system: str | None, code: str | None
) -> None:
    """Nothing that a Quantity can hold raises."""
    found = table("potassium").convert(Quantity(value=value, unit=unit, system=system, code=code))
    assert isinstance(found, Converted) or found in {
        "value-missing",
        "value-implausible",
        "unit-missing",
        "unit-not-understood",
    }
