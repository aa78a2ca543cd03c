"""What was done, put in, not borne, and what runs in the family: none of it is a problem of today."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.history import HistoryReader
from cds_service.fhir.vocabulary import Vocabulary
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import PATIENT, RXNORM, SNOMED, TODAY, bundle, coded, intake, notes_of

CLONUS = (SNOMED, "36649002")
FUROSEMIDE = (RXNORM, "4603")


def resource(kind: str, id_: str = "r1", **members: Any) -> Any:
    """Return a resource of the patient, as each type names its patient."""
    owner = "subject" if kind == "Procedure" else "patient"
    return {"resourceType": kind, "id": id_, owner: {"reference": f"Patient/{PATIENT}"}, **members}


def reader(vocabulary: Vocabulary, **prefetch: Any) -> HistoryReader:
    """Return a reader of these prefetch values."""
    return HistoryReader(vocabulary, intake(**prefetch), TODAY)


def relative(id_: str = "f1", **members: Any) -> Any:
    """Return a relative with a disease."""
    return resource(
        "FamilyMemberHistory",
        id_,
        **{
            "status": "completed",
            "relationship": {"text": "Father"},
            "condition": [{"code": {"text": "Amyotrophic lateral sclerosis"}}],
            **members,
        },
    )


def test_a_completed_procedure_is_over_since_its_day(vocabulary: Vocabulary) -> None:
    """It holds as past, with the day it was performed as onset and a reference to itself."""
    done = resource(
        "Procedure", status="completed", code=coded(CLONUS, text="Test"), performedDateTime="2026-06-12"
    )
    (read,) = reader(vocabulary, procedures=bundle(done)).procedures()
    assert read.value_sets == {"clonus"}
    assert (read.active, read.firm, read.onset and read.onset.text) == (False, True, "2026-06-12")
    assert (read.fact.reference, read.fact.on, read.fact.by_text) == ("Procedure/r1", "2026-06-12", False)


@pytest.mark.parametrize(
    ("members", "day"),
    [
        ({"performedPeriod": {"start": "2026-06-01", "end": "2026-06-03"}}, "2026-06-03"),
        ({"performedPeriod": {"start": "2026-06-01"}}, "2026-06-01"),
        ({"occurrenceDateTime": "2026-06-02"}, "2026-06-02"),
        ({}, None),
    ],
)
def test_the_day_of_a_procedure_is_found_in_every_form(
    vocabulary: Vocabulary, members: Any, day: str | None
) -> None:
    """R4 says performed, R5 says occurrence, and some say nothing."""
    one = resource("Procedure", status="completed", code={"text": "atrophy repair"}, **members)
    (read,) = reader(vocabulary, procedures=bundle(one)).procedures()
    assert (read.onset.text if read.onset else None) == day
    assert read.fact.by_text


@pytest.mark.parametrize("status", ["not-done", "entered-in-error", "preparation", "stopped", "on-hold"])
def test_a_procedure_that_did_not_take_place_is_no_fact(vocabulary: Vocabulary, status: str) -> None:
    """A note says that it was not used."""
    found = intake(procedures=bundle(resource("Procedure", status=status, code=coded(CLONUS))))
    assert HistoryReader(vocabulary, found, TODAY).procedures() == []
    assert [code for code, _path in notes_of(found.notes)] == ["status-not-usable"]


def test_a_procedure_under_way_holds_today(vocabulary: Vocabulary) -> None:
    """A course of treatment that goes on is active."""
    one = resource("Procedure", status="in-progress", code=coded(CLONUS))
    assert [read.active for read in reader(vocabulary, procedures=bundle(one)).procedures()] == [True]


def test_a_procedure_of_tomorrow_is_no_fact(vocabulary: Vocabulary) -> None:
    """What is planned has not happened."""
    one = resource("Procedure", status="completed", code=coded(CLONUS), performedDateTime="2026-06-16")
    assert reader(vocabulary, procedures=bundle(one)).procedures() == []


@pytest.mark.parametrize(
    "members",
    [
        {"type": coded(CLONUS)},
        {"type": [coded(CLONUS)]},
        {"type": {"text": "muscle wasting stimulator"}},
        {"type": "muscle wasting stimulator"},
        {"code": coded(CLONUS)},
    ],
)
@pytest.mark.parametrize("status", ["active", "unknown", None])
def test_a_device_in_place_is_active(vocabulary: Vocabulary, members: Any, status: str | None) -> None:
    """Whichever version of FHIR says what it is, it holds today, without a date."""
    told = {**members, "status": status} if status else members
    (read,) = reader(vocabulary, devices=bundle(resource("Device", **told))).devices()
    assert (read.active, read.onset, read.fact.reference) == (True, None, "Device/r1")


@pytest.mark.parametrize("status", ["inactive", "entered-in-error", "not-available"])
def test_a_device_that_is_out_is_no_fact(vocabulary: Vocabulary, status: str) -> None:
    """Only what is in place counts; the rest is passed over with a note."""
    found = intake(devices=bundle(resource("Device", status=status, type=coded(CLONUS))))
    assert HistoryReader(vocabulary, found, TODAY).devices() == []
    assert ("device-not-in-place", "prefetch.devices.entry[0].resource.status") in notes_of(found.notes)


@pytest.mark.parametrize(
    ("kind", "members", "is_in_place"),
    [
        ("DeviceUseStatement", {"status": "active"}, True),
        ("DeviceUseStatement", {"status": "completed"}, False),
        ("DeviceUseStatement", {"status": "entered-in-error"}, False),
        ("DeviceUseStatement", {"status": "active", "timingPeriod": {"end": "2026-06-01"}}, False),
        ("DeviceUseStatement", {"status": "active", "timingPeriod": {"end": "2026-07-01"}}, True),
        ("DeviceUseStatement", {"whenUsed": {"start": "2026-01-01", "end": "2026-06-01"}}, False),
        ("DeviceUsage", {"status": "not-done"}, False),
    ],
)
def test_a_statement_of_use_tells_whether_a_device_is_in_place(
    vocabulary: Vocabulary, kind: str, members: Any, is_in_place: bool
) -> None:
    """The device itself may be active where the patient has it no more; each version has its form."""
    link: Any = {"reference": "Device/r1"}
    statement = resource(kind, "u1", device={"reference": link} if kind == "DeviceUsage" else link, **members)
    found = intake(devices=bundle(resource("Device", status="active", type=coded(CLONUS)), statement))
    assert bool(HistoryReader(vocabulary, found, TODAY).devices()) is is_in_place
    noted = ("device-not-in-place", "prefetch.devices.entry[1].resource") in notes_of(found.notes)
    assert noted is not is_in_place


def test_an_allergy_is_known_by_what_it_is_to(vocabulary: Vocabulary) -> None:
    """A medicine by its code, another thing by its words."""
    one = resource("AllergyIntolerance", code=coded(FUROSEMIDE))
    other = resource("AllergyIntolerance", "r2", code={"text": "water tablets"})
    read = reader(vocabulary, allergies=bundle(one, other)).allergies()
    assert [(set(each.value_sets), each.fact.by_text) for each in read] == [
        ({"loop-diuretic"}, False),
        ({"loop-diuretic"}, True),
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"clinicalStatus": coded(("s", "inactive"))},
        {"clinicalStatus": coded(("s", "resolved"))},
        {"verificationStatus": coded(("s", "refuted"))},
        {"verificationStatus": coded(("s", "entered-in-error"))},
        {"patient": {"reference": "Patient/p2"}},
    ],
)
def test_an_allergy_that_does_not_hold_is_no_fact(vocabulary: Vocabulary, members: Any) -> None:
    """Refuted, over, in error or another patient's."""
    one = resource("AllergyIntolerance", **{"code": coded(FUROSEMIDE), **members})
    found = intake(allergies=bundle(one))
    assert HistoryReader(vocabulary, found, TODAY).allergies() == []
    noted = "other-patient" if "patient" in members else "allergy-does-not-hold"
    assert noted in [code for code, _path in notes_of(found.notes)]


def test_a_status_of_an_allergy_that_nobody_knows_is_noted(vocabulary: Vocabulary) -> None:
    """The allergy is taken to hold: that is the safer reading."""
    one = resource("AllergyIntolerance", code=coded(FUROSEMIDE), clinicalStatus=coded(("s", "perhaps")))
    found = intake(allergies=bundle(one))
    assert len(HistoryReader(vocabulary, found, TODAY).allergies()) == 1
    assert ("status-not-understood", "prefetch.allergies.entry[0].resource.clinicalStatus") in notes_of(
        found.notes
    )


@pytest.mark.parametrize("kind", ["Procedure", "Device", "AllergyIntolerance"])
def test_what_is_not_named_is_noted(vocabulary: Vocabulary, kind: str) -> None:
    """Nobody can tell what was done, put in or not borne."""
    status = "completed" if kind == "Procedure" else "active"
    found = intake(odd=bundle(resource(kind, status=status)))
    read = HistoryReader(vocabulary, found, TODAY)
    assert (read.procedures(), read.devices(), read.allergies()) == ([], [], [])
    member = "type" if kind == "Device" else "code"
    assert ("code-missing", f"prefetch.odd.entry[0].resource.{member}") in notes_of(found.notes)


def test_a_relatives_disease_is_told_with_the_relative(vocabulary: Vocabulary) -> None:
    """Each condition of each relative is one fact with its reference; what is known of it is named."""
    read = reader(
        vocabulary,
        familyHistory=bundle(
            relative(condition=[{"code": {"text": "Muscle atrophy"}}, {"code": coded(CLONUS)}]),
            relative("f2", relationship=None),
        ),
    ).relatives()
    assert [(one.fact.what, one.fact.value, one.fact.reference, set(one.value_sets)) for one in read] == [
        ("Muscle atrophy in Father", "Father", "FamilyMemberHistory/f1", {"wasting"}),
        ("Amyotrophic lateral sclerosis in a relative", "relative", "FamilyMemberHistory/f2", set()),
    ]


@pytest.mark.parametrize(
    "members",
    [
        {"status": "entered-in-error"},
        {"condition": None},
        {"condition": []},
        {"condition": [{}]},
        {"condition": [{"code": coded(("s", "c"))}]},
        {"patient": {"reference": "Patient/p2"}},
    ],
)
def test_what_tells_nothing_of_the_family_is_left_out(vocabulary: Vocabulary, members: Any) -> None:
    """A mistaken, an empty and another patient's family history are no facts."""
    assert reader(vocabulary, familyHistory=bundle(relative(**members))).relatives() == []


@given(
    st.sampled_from(["FamilyMemberHistory", "Procedure", "Device", "AllergyIntolerance"]),
    st.sampled_from(["status", "relationship", "condition", "code", "type", "performedDateTime"]),
    json_values(),
)
def test_any_json_in_any_element_costs_that_resource_at_most(
    vocabulary: Vocabulary, kind: str, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one resource, the next is read as ever."""
    sound = relative("sound") if kind == "FamilyMemberHistory" else resource(kind, "sound")
    sound |= {"code": coded(CLONUS), "status": "completed" if kind == "Procedure" else "active"}
    sound |= {"type": coded(CLONUS)} if kind == "Device" else {}
    read = reader(vocabulary, odd=bundle(resource(kind, "odd", **{name: wrong}), sound))
    recorded = [one.fact for one in (*read.procedures(), *read.devices())]
    others = [*(one.fact for one in read.allergies()), *(one.fact for one in read.relatives())]
    assert f"{kind}/sound" in {fact.reference for fact in (*recorded, *others)}
