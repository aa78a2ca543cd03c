"""Reads the Patient and the family history; a family history is context and never the patient's condition."""

from __future__ import annotations

from datetime import date

from cds_service.fhir.dates import read_when
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import wording
from cds_service.model.facts import Fact


def read_patient(intake: Intake, as_of: date) -> tuple[int | None, str | None]:
    """Return (age in whole years, sex) as far as they are known; a partial birth date gives the lower age."""
    for placed in intake.of("Patient"):
        born = read_when(placed.resource.birth_date)
        sex = placed.resource.gender if placed.resource.gender in {"female", "male"} else None
        if born is None:
            intake.note(
                "information", "birth-date-missing", f"{placed.path}.birthDate", "Send the birth date."
            )
            return None, sex
        day = born.latest
        age = as_of.year - day.year - ((as_of.month, as_of.day) < (day.month, day.day))
        return max(age, 0), sex
    return None, None


def read_family_history(intake: Intake) -> list[Fact]:
    """Return one fact per condition of a relative."""
    facts = []
    for placed in intake.of("FamilyMemberHistory"):
        resource = placed.resource
        if resource.status == "entered-in-error":
            continue
        relative = wording(resource.relationship) or "relative"
        for condition in resource.condition or ():
            words = wording(condition.code)
            if words:
                facts.append(
                    Fact(
                        what=words,
                        value=relative,
                        reference=f"FamilyMemberHistory/{resource.id}" if resource.id else None,
                    )
                )
    return facts
