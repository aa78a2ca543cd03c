"""Age and sex, as far as they are known."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.patients import read_patient
from tests.unit.fhir.records import PATIENT, TODAY, bundle, intake, notes_of


def read(as_of: date = TODAY, **members: Any) -> tuple[tuple[int | None, str | None], list[tuple[str, str]]]:
    """Return (age, sex) of a Patient, and the notes."""
    found = intake(patient={"resourceType": "Patient", "id": PATIENT, **members})
    return read_patient(found, as_of), notes_of(found.notes)


@pytest.mark.parametrize(
    ("born", "age"),
    [
        ("1980-06-15", 46),
        ("1980-06-16", 45),
        ("1980-06-14", 46),
        ("1980-12-31", 45),
        ("1980-06", 45),
        ("1980-05", 46),
        ("1980", 45),
        ("2026-06-15", 0),
        ("2026-06-16", 0),
        ("2030", 0),
        ("1904-02-29", 122),
    ],
)
def test_age_is_counted_in_whole_years(born: str, age: int) -> None:
    """The birthday itself counts; a vague birth date gives the lower age, and the unborn are not negative."""
    assert read(birthDate=born) == ((age, None), [])


@pytest.mark.parametrize("gender", [" Female", "FEMALE"])
def test_the_case_of_a_gender_does_not_matter(gender: str) -> None:
    """A capital letter costs nobody the ranges of their sex."""
    found = intake(patient={"resourceType": "Patient", "id": PATIENT, "birthDate": "1980", "gender": gender})
    assert read_patient(found, TODAY) == (45, "female")
    assert found.notes == []


def test_a_gender_that_nobody_knows_is_noted() -> None:
    """No range of one sex is used, and the note says why."""
    found = intake(patient={"resourceType": "Patient", "id": PATIENT, "birthDate": "1980", "gender": "f"})
    assert read_patient(found, TODAY) == (45, None)
    assert notes_of(found.notes) == [("gender-not-understood", "prefetch.patient.gender")]


def test_a_leap_day_birthday_falls_on_the_first_of_march() -> None:
    """In common years the year is full on the day after 28 February."""
    assert [read(date(2026, *day), birthDate="2000-02-29")[0][0] for day in ((2, 28), (3, 1))] == [25, 26]


@pytest.mark.parametrize(
    ("gender", "sex"),
    [
        ("female", "female"),
        ("male", "male"),
        ("other", None),
        ("unknown", None),
        ("", None),
        (None, None),
        ("F", None),
    ],
)
def test_sex_is_told_or_unknown(gender: str | None, sex: str | None) -> None:
    """Only what decides between two ranges is kept."""
    assert read(gender=gender, birthDate="1980")[0] == (45, sex)


@pytest.mark.parametrize("born", [None, "", "unknown", "1980-02-30", {}])
def test_an_unknown_birth_date_is_noted(born: Any) -> None:
    """The age stays unknown, the sex does not, and a note asks for the date."""
    (age, sex), notes = read(birthDate=born, gender="female")
    assert (age, sex) == (None, "female")
    assert notes[-1] == ("birth-date-missing", "prefetch.patient.birthDate")


def test_without_a_patient_nothing_is_known() -> None:
    """No Patient, or another person's, tells neither age nor sex."""
    assert read_patient(intake(), TODAY) == (None, None)
    stranger = {"resourceType": "Patient", "id": "p2", "birthDate": "1950", "gender": "male"}
    assert read_patient(intake(patient=stranger), TODAY) == (None, None)
    assert read_patient(intake(labs=bundle(stranger)), TODAY) == (None, None)


def test_a_patient_in_a_bundle_is_the_patient() -> None:
    """Some clients answer the read with a search result."""
    patient = {"resourceType": "Patient", "id": PATIENT, "birthDate": "1980-01-01", "gender": "male"}
    assert read_patient(intake(patient=bundle(patient)), TODAY) == (46, "male")


@given(st.dates(date(1900, 1, 1), TODAY))
def test_an_age_is_never_overstated(born: date) -> None:
    """As many birthdays have passed as the age says, and a month or a year alone never makes older."""
    exact = read(birthDate=born.isoformat())[0][0]
    assert exact == sum((year, born.month, born.day) <= (2026, 6, 15) for year in range(born.year + 1, 2027))
    for length in (4, 7):
        vague = read(birthDate=born.isoformat()[:length])[0][0]
        assert vague is not None
        assert exact - 1 <= vague <= exact
