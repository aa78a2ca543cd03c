"""What is disclosed is whole, told apart by origin, and says which reviews are overdue; signs nothing."""

from __future__ import annotations

from datetime import date, timedelta
from functools import cache
from typing import Any

import msgspec

from cds_service.knowledge.disclosure import NOT_SIGNED, disclosure, overdue, reviews
from cds_service.knowledge.library import load
from cds_service.model.definitions import Knowledge, Review
from tests.support.places import CARDS

TODAY = date(2026, 12, 1)
ATTRIBUTES = [
    "Bibliographic citation",
    "Developer",
    "Funding source",
    "Release and revision dates",
    "Use of race",
    "Use of ethnicity",
    "Use of language",
    "Use of sexual orientation",
    "Use of gender identity",
    "Use of sex",
    "Use of date of birth",
    "Use of social determinants of health",
    "Use of health status assessments",
]


@cache
def knowledge() -> Knowledge:
    """Return the shipped content."""
    return load(CARDS, "1", date(2026, 11, 25))


@cache
def told() -> dict[str, Any]:
    """Return what is disclosed about the shipped content."""
    return disclosure(knowledge(), TODAY)


def test_the_thirteen_source_attributes_are_told_in_order() -> None:
    """Each attribute of decision support that rests on evidence has its own sentences."""
    assert [one["title"] for one in told()["attributes"]] == ATTRIBUTES
    assert all(len(one["text"]) > 20 for one in told()["attributes"])


def test_every_cause_red_flag_lab_and_source_is_listed() -> None:
    """Nothing of the content that argues, warns, measures or is cited is left out."""
    for kind in ("causes", "red_flags", "labs", "sources"):
        assert {one["id"] for one in told()[kind]} == set(getattr(knowledge(), kind))


def test_origin_and_grade_stand_with_every_argument() -> None:
    """A cause of the source document may be argued from another source, and that is told."""
    causes = {one["id"]: one for one in told()["causes"]}
    assert causes["hypomagnesemia"]["origin"] == "source-document"
    assert causes["hyperkalemia"]["origin"] == "added"
    evidence = {part["finding"]: part for part in causes["hypomagnesemia"]["evidence"]}
    assert (evidence["magnesium-low"]["origin"], evidence["magnesium-low"]["grade"]) == (
        "source-document",
        "V",
    )
    assert evidence["magnesium-normal"]["origin"] == "added"


def test_a_limit_keeps_its_digits_and_its_side() -> None:
    """Numbers are text as they stand in the content, with words beside them."""
    potassium = next(one for one in told()["labs"] if one["id"] == "potassium")
    assert potassium["limits"]["marked-high"] == {"at_least": "6.0"}
    assert potassium["in_words"]["limits"]["marked-high"] == "6.0 mmol/L or more"


def test_nothing_is_overdue_until_its_day_has_passed() -> None:
    """On the day of the review it is not overdue, the day after it is."""
    first = min(due.review.next_review for due in reviews(knowledge()))
    assert overdue(knowledge(), first) == []
    after = overdue(knowledge(), first + timedelta(days=1))
    assert {due.review.next_review for due in after} == {first}
    late = disclosure(knowledge(), date(2099, 1, 1))["reviews"]
    assert len(late["overdue"]) == late["definitions"]
    assert [one["next_review"] for one in late["overdue"]] == sorted(
        one["next_review"] for one in late["overdue"]
    )


def test_signatures_are_counted_and_never_assumed() -> None:
    """Without a signature nobody has signed; one signature is one."""
    assert told()["sign_off"] == NOT_SIGNED
    cause = knowledge().causes["caffeine"]
    review = Review(written_on=TODAY, next_review=TODAY, checked_by="A clinician")
    signed = {**knowledge().causes, "caffeine": msgspec.structs.replace(cause, review=review)}
    counted = disclosure(msgspec.structs.replace(knowledge(), causes=signed), TODAY)
    assert counted["sign_off"] == f"1 of {counted['reviews']['definitions']} definitions carry a signature."
