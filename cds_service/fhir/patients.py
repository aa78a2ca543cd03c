"""Reads the Patient: age and sex as far as they are known; it reads nothing of what the patient has."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.dates import read_when
from cds_service.fhir.resources import Intake

_GENDERS = frozenset({"", "female", "male", "other", "unknown"})
_SEND_GENDER = "Send a code of administrative-gender; ranges of one sex were not used."


def read_patient(intake: Intake, as_of: date) -> tuple[int | None, str | None]:
    """Return (age in whole years, sex) as far as they are known; a partial birth date gives the lower age."""
    for placed in intake.of("Patient"):
        born = read_when(placed.resource.birth_date)
        gender = (placed.resource.gender or "").strip().lower()
        sex = gender if gender in {"female", "male"} else None
        if gender not in _GENDERS:
            intake.note("information", "gender-not-understood", f"{placed.path}.gender", _SEND_GENDER)
        if born is None:
            intake.note(
                "information", "birth-date-missing", f"{placed.path}.birthDate", "Send the birth date."
            )
            return None, sex
        day = born.latest
        age = as_of.year - day.year - ((as_of.month, as_of.day) < (day.month, day.day))
        return max(age, 0), sex
    return None, None
