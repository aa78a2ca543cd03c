"""Check digits find every slip of a digit, and the tables are read into rows by table and key."""

from __future__ import annotations

import csv
import shutil
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.knowledge.codes import (
    ATC,
    ICD10CM,
    LOINC,
    RXNORM,
    SNOMED,
    Tables,
    code_holds,
    icd_shape_holds,
    loinc_digit_holds,
    row_faults,
    snomed_digit_holds,
    summary_of,
)
from tests.support.places import TERMINOLOGY
from tests.unit.knowledge.folders import BASE


def codes_of(table: str, system: str) -> list[str]:
    """Return every code of one system in a shipped table."""
    with (TERMINOLOGY / table).open(encoding="utf-8", newline="") as stream:
        return sorted({row["code"] for row in csv.DictReader(stream) if row["system"] == system})


SNOMED_CODES = codes_of("findings.csv", SNOMED) + codes_of("orders.csv", SNOMED)
LOINC_CODES = codes_of("labs.csv", LOINC) + codes_of("orders.csv", LOINC)


@pytest.mark.parametrize("table", ["conditions.csv", "findings.csv", "signs.csv", "labs.csv", "orders.csv"])
@pytest.mark.parametrize("system", [SNOMED, LOINC, ICD10CM])
def test_every_shipped_code_holds(table: str, system: str) -> None:
    """The codes of the shipped tables, read from their sources, pass the check of their system."""
    assert [code for code in codes_of(table, system) if not code_holds(system, code)] == []


def test_both_check_digits_were_tried_on_real_codes() -> None:
    """The lists that the tests below take their codes from are not empty."""
    assert len(SNOMED_CODES) > 100
    assert len(LOINC_CODES) > 100


@given(st.sampled_from(SNOMED_CODES), st.data())
def test_a_wrong_digit_breaks_a_snomed_code(code: str, data: st.DataObject) -> None:
    """Any single digit changed is found."""
    place = data.draw(st.integers(min_value=0, max_value=len(code) - 1))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    assert not snomed_digit_holds(code[:place] + digit + code[place + 1 :])


@given(st.sampled_from(SNOMED_CODES), st.data())
def test_swapped_digits_break_a_snomed_code(code: str, data: st.DataObject) -> None:
    """Any two neighbors that change places are found."""
    places = [place for place in range(len(code) - 1) if code[place] != code[place + 1]]
    place = data.draw(st.sampled_from(places))
    assert not snomed_digit_holds(code[:place] + code[place + 1] + code[place] + code[place + 2 :])


@given(st.sampled_from(LOINC_CODES), st.data())
def test_a_wrong_digit_breaks_a_loinc_code(code: str, data: st.DataObject) -> None:
    """Any single digit changed is found, the check digit included."""
    places = [place for place, char in enumerate(code) if char != "-"]
    place = data.draw(st.sampled_from(places))
    digit = data.draw(st.sampled_from([digit for digit in "0123456789" if digit != code[place]]))
    assert not loinc_digit_holds(code[:place] + digit + code[place + 1 :])


@given(st.sampled_from(LOINC_CODES), st.data())
def test_swapped_digits_break_a_loinc_code(code: str, data: st.DataObject) -> None:
    """Any two neighbors of the stem that change places are found, but for 0 and 9, which mod 10 cannot tell."""
    stem, _, digit = code.partition("-")
    places = [
        place
        for place in range(len(stem) - 1)
        if stem[place] != stem[place + 1] and {*stem[place : place + 2]} != {"0", "9"}
    ]
    if places:
        place = data.draw(st.sampled_from(places))
        swapped = stem[:place] + stem[place + 1] + stem[place] + stem[place + 2 :]
        assert not loinc_digit_holds(f"{swapped}-{digit}")


@pytest.mark.parametrize(
    "code", ["", "-", "1751", "1751-", "-7", "1751-77", "17a1-7", "1751–7", "¹751-7", "1751-²", " 1751-7"]
)
def test_what_is_not_formed_like_loinc_is_refused(code: str) -> None:
    """A LOINC code is ASCII digits, one hyphen and one digit."""
    assert not loinc_digit_holds(code)


@pytest.mark.parametrize(
    "code", ["", "36649", "0" * 19, "36649002 ", "3664900²", "\uff13\uff166649002", "+36649002"]
)
def test_what_is_not_formed_like_snomed_is_refused(code: str) -> None:
    """A SNOMED CT identifier is 6 to 18 ASCII digits."""
    assert not snomed_digit_holds(code)


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("R25", True),
        ("R25.2", True),
        ("T43.611", True),
        ("T43.611A", True),
        ("C7A.00", True),
        ("r25.2", False),
        ("R25.", False),
        ("R252", False),
        ("R25.12345", False),
        ("25.2", False),
        ("R2", False),
        ("R25.2\n", False),
    ],
)
def test_the_form_of_an_icd_code(code: str, *, holds: bool) -> None:
    """A letter, two characters, and after a dot one to four more."""
    assert icd_shape_holds(code) is holds


def test_the_check_belongs_to_the_system() -> None:
    """A right code under the wrong system, or under a system we do not know, does not hold."""
    assert code_holds(LOINC, "1751-7")
    assert not code_holds(SNOMED, "1751-7")
    assert not code_holds("urn:oid:1.2.3", "1751-7")
    assert code_holds(RXNORM, "18867")
    assert not code_holds(RXNORM, "18867a")


@pytest.mark.parametrize(
    ("code", "holds"),
    [
        ("X99XX01", True),
        ("X99XX1", False),
        ("X99XX011", False),
        ("x99xx01", False),
        ("X99X", False),
        ("X99XX01\n", False),
    ],
)
def test_the_form_of_an_atc_code(code: str, *, holds: bool) -> None:
    """A letter, two digits, two letters and two digits: the last level, and no other, can be matched."""
    assert code_holds(ATC, code) is holds


@pytest.mark.parametrize(
    ("system", "code", "holds"),
    [
        ("https://ehr.example.org/codes", "C1", True),
        ("urn:oid:1.2.3", "C 1", True),
        ("https://ehr.example.org/codes", "C1 ", False),
        ("https://ehr.example.org/codes", "", False),
        ("ehr.example.org", "C1", False),
    ],
)
def test_the_form_of_a_local_code(system: str, code: str, *, holds: bool) -> None:
    """A site's own system is a URI and its code is not blank at either end; no shipped table may hold one."""
    row = {"system": system, "code": code, "display": "Ours", "source": "our list"}
    assert ([*row_faults(row, is_site=True)] == []) is holds
    assert [one.check for one in row_faults(row, is_site=False)] == ["check-digit"]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of small tables that may be changed."""
    return shutil.copytree(BASE / "terminology", tmp_path / "terminology")


def test_tables_are_read_by_table_and_key(folder: Path) -> None:
    """Rows keep system, code, display, role and how they match; units keep exact factors."""
    tables = Tables(folder)
    assert tables.faults == []
    exact, prefix = tables.codes["conditions", "caffeine"]
    assert (exact.system, exact.code, exact.role, exact.prefix) == (SNOMED, "308374001", "root", False)
    assert (prefix.system, prefix.code, prefix.role, prefix.prefix) == (
        ICD10CM,
        "T43.611",
        "descendant",
        True,
    )
    assert [row.ingredient for row in tables.codes["medications", "ace_inhibitor"]] == ["benazepril"] * 2
    assert tables.conversions["albumin"] == {
        "g/L": (Decimal("1.0"), Decimal(0)),
        "g/dL": (Decimal("10.0"), Decimal(0)),
    }
    assert tables.spellings["g/dL"] == "g/dL"


@pytest.mark.parametrize("name", ["findings.csv", "unit_spellings.csv", "MANIFEST.csv"])
def test_a_table_that_is_not_text_is_told(folder: Path, name: str) -> None:
    """Bytes that are no UTF-8 are a fault of that table, and the others are read."""
    path = folder / name
    path.write_bytes(path.read_bytes() + b"\xb5\n")
    tables = Tables(folder)
    assert (f"terminology/{name}", "table-shape") in [(one.file, one.check) for one in tables.faults]
    assert tables.codes["orders", "emg"]


def test_codes_are_counted_by_system(folder: Path) -> None:
    """A code counts once however many keys and tables it has, and unofficial displays are counted apart."""
    path = folder / "findings.csv"
    path.write_text(path.read_text("utf-8").replace("exact,Y", "exact,N"), "utf-8")
    codes = Tables(folder).codes
    codes["orders", "again"] = codes["orders", "emg"]
    assert (
        summary_of(codes)
        == "3 SNOMED CT, 3 RxNorm, 2 ICD-10-CM, 2 LOINC; 1 with a display that is not official"
    )


def test_a_row_of_several_keys_stands_under_each(folder: Path) -> None:
    """Keys joined with a plus are split."""
    path = folder / "medications.csv"
    path.write_text(path.read_text("utf-8").replace("ace_inhibitor,", "ace_inhibitor+elixir,"), "utf-8")
    codes = Tables(folder).codes
    assert codes["medications", "ace_inhibitor"] == codes["medications", "elixir"]
    assert len(codes["medications", "elixir"]) == 2


@pytest.mark.parametrize(
    ("form", "term_type", "systemic"),
    [
        ("Y", "SBD", True),
        ("N", "SBD", False),
        ("inhaled", "SBD", False),
        ("unknown", "BN", False),
        ("unknown", "SBD", True),
        ("route-dependent", "SBD", True),
    ],
)
def test_products_that_stay_on_the_skin_or_in_the_lungs_are_told_apart(
    form: str, term_type: str, *, systemic: bool, folder: Path
) -> None:
    """Topical and inhaled products, and brand names that do not tell, are not systemic."""
    path = folder / "medication_products.csv"
    path.write_text(path.read_text("utf-8").replace("SBD,Y", f"{term_type},{form}"), "utf-8")
    (row,) = Tables(folder).codes["medication_products", "ace_inhibitor"]
    assert (row.systemic, row.ingredient) == (systemic, "lisinopril")


def test_a_display_that_is_not_official_is_marked(folder: Path) -> None:
    """Rows whose text is not a verified description say so, and rows of tables without that column are verified."""
    path = folder / "findings.csv"
    path.write_text(path.read_text("utf-8").replace("exact,Y", "exact,N"), "utf-8")
    codes = Tables(folder).codes
    assert [row.display_verified for row in codes["findings", "clonus"]] == [False]
    assert all(row.display_verified for row in codes["orders", "emg"])
