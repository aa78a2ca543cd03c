"""The resources of a request are laid out once: whose they are, which keys were answered, and what was left out."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.envelope import decode_request
from cds_service.fhir.resource_types import READ_TYPES
from cds_service.fhir.resources import KIND_OF_KEY, Intake
from cds_service.model.facts import ReadingNote
from tests.unit.fhir.records import (
    PATIENT,
    PROBLEM_HOOK,
    VIEW_HOOK,
    asked,
    body,
    bundle,
    condition,
    encoded,
    examined,
    intake,
    medicine,
    notes_of,
    request,
    result,
)

OTHER = {"reference": "Patient/p2"}
OUTCOME = {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "timeout"}]}


def ids(found: Intake, *kinds: str) -> list[str | None]:
    """Return the ids of the resources of these types, of all types without any."""
    return [placed.resource.id for placed in found.of(*(kinds or sorted(READ_TYPES)))]


def codes(found: Intake) -> list[str]:
    """Return the codes of the notes."""
    return [note.code for note in found.notes]


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "Patient/p1",
            "Patient/p1/_history/3",
            "https://ehr.example.org/fhir/Patient/p1",
            "urn:uuid:p1",
            "p1",
        ),
        *("http://10.0.0.1/r4/Patient/p1/_history/1", "#patient"),
    ],
)
def test_the_patient_is_known_in_every_form_of_reference(subject: str) -> None:
    """Relative, versioned, absolute and urn references, a bare id and a contained patient are the hook's patient."""
    found = intake(labs=bundle(result("o1", subject={"reference": subject})))
    assert ids(found) == ["o1"]
    assert found.notes == []


@pytest.mark.parametrize(
    "subject",
    [
        *(
            "Patient/p2",
            "Patient/p11",
            "Patient/P1",
            "https://ehr.example.org/fhir/Patient/p2",
            "urn:uuid:p2",
        ),
        *(
            "Patient/p2/_history/p1",
            "Group/p1",
            "https://ehr.example.org/fhir/Practitioner/p1",
            "Patient/",
            "p2",
            " ",
        ),
    ],
)
def test_another_patients_resource_is_left_out(subject: str) -> None:
    """It is no fact about this patient, wherever it stands, and the note is an error."""
    reference = {"reference": subject}
    found = intake(
        condition("c0", text="Cramp", subject=reference),
        labs=bundle(result("o1"), result("o2", subject=reference)),
        problems=bundle(condition("c1", text="Cramp"), condition("c2", text="Cramp", subject=reference)),
    )
    assert ids(found) == ["c1", "o1"]
    assert found.recorded == []
    assert notes_of(found.notes) == [
        ("other-patient", "context.conditions.entry[0].resource"),
        ("other-patient", "prefetch.labs.entry[1].resource"),
        ("other-patient", "prefetch.problems.entry[1].resource"),
    ]
    assert {note.severity for note in found.notes} == {"error"}


@pytest.mark.parametrize("member", ["subject", "patient"])
def test_dstu2_names_the_patient_in_another_member(member: str) -> None:
    """A Condition of DSTU2 says `patient` where R4 says `subject`; both are heeded."""
    foreign = condition("c1", text="Cramp")
    del foreign["subject"]
    found = intake(problems=bundle(foreign | {member: OTHER}, condition("c2", text="Cramp")))
    assert ids(found) == ["c2"]


@pytest.mark.parametrize("subject", [None, {}, {"display": "Somebody"}, {"identifier": {"value": "1"}}])
def test_a_resource_that_names_nobody_is_the_patients(subject: Any) -> None:
    """Where a client leaves out the reference, its answer to a query for this patient is believed."""
    assert ids(intake(labs=bundle(result("o1", subject=subject)))) == ["o1"]


def test_a_subject_that_cannot_be_read_is_not_the_patient() -> None:
    """A resource that says unreadably whose it is, is left out like another patient's."""
    found = intake(
        labs=bundle(result("o1", subject={"reference": 7}), result("o2", subject="Patient/p2"), result("o3"))
    )
    assert ids(found) == ["o3"]
    assert codes(found) == ["unreadable-element", "other-patient", "other-patient"]


def test_a_full_url_of_the_patient_is_the_patient() -> None:
    """In a bundle of urn:uuid entries the subject is the fullUrl of the Patient entry."""
    patient = {"fullUrl": "urn:uuid:7f3c", "resource": {"resourceType": "Patient", "id": PATIENT}}
    own = result("o1", subject={"reference": "urn:uuid:7f3c"})
    foreign = result("o2", subject={"reference": "urn:uuid:9999"})
    assert ids(intake(labs=bundle(own, foreign, patient)), "Observation") == ["o1"]


def test_a_stranger_in_the_bundle_lends_no_full_url() -> None:
    """Two patients in one bundle: the resources of the other one stay out, and so does that Patient."""
    found = intake(
        labs=bundle(
            {"fullUrl": "urn:uuid:7f3c", "resource": {"resourceType": "Patient", "id": "p2"}},
            result("o1", subject={"reference": "urn:uuid:7f3c"}),
            result("o2"),
        )
    )
    assert ids(found) == ["o2"]
    assert codes(found) == ["other-patient", "other-patient"]


def test_the_patient_of_the_hook_must_be_the_patient() -> None:
    """Another person's Patient resource is an error, and the key counts as absent."""
    found = intake(patient={"resourceType": "Patient", "id": "p2", "birthDate": "1950"})
    assert ids(found) == []
    assert found.arrived_keys == set()
    assert notes_of(found.notes) == [("other-patient", "prefetch.patient")]


def test_a_patient_without_an_id_is_believed() -> None:
    """The answer to a read of the hook's patient is that patient."""
    assert ids(intake(patient={"resourceType": "Patient", "gender": "female"})) == [None]


def test_null_absent_and_empty_answers_are_told_apart() -> None:
    """Only a search result says that there is nothing; null arrived but says nothing, an absent key did not arrive."""
    found = intake(labs=None, problems={"resourceType": "Bundle"}, exam=bundle(), vitals=bundle(result("o1")))
    assert found.arrived_keys == {"labs", "problems", "exam", "vitals"}
    assert found.answered_keys == {"problems", "exam", "vitals"}
    assert found.notes == []


@pytest.mark.parametrize(
    ("value", "note"),
    [
        (OUTCOME, ("prefetch-failed", "prefetch.labs")),
        (bundle(OUTCOME), ("prefetch-failed", "prefetch.labs")),
        (bundle(OUTCOME, OUTCOME), ("prefetch-failed", "prefetch.labs")),
        ({}, ("resource-type-missing", "prefetch.labs")),
        ({"id": "x"}, ("resource-type-missing", "prefetch.labs")),
        ({"resourceType": "Parameters"}, ("unexpected-resource", "prefetch.labs")),
        (condition("c1", text="Cramp"), ("unexpected-resource", "prefetch.labs")),
        (bundle(condition("c1", text="Cramp")), ("unexpected-resource", "prefetch.labs")),
        (bundle({"resourceType": "Encounter"}), ("unexpected-resource", "prefetch.labs")),
        (bundle({}, {}), ("unexpected-resource", "prefetch.labs")),
        (bundle(result("o1", subject=OTHER)), ("unexpected-resource", "prefetch.labs")),
        (result("o1", subject=OTHER), ("unexpected-resource", "prefetch.labs")),
        (
            {"resourceType": "Bundle", "entry": [{}, {"fullUrl": "x"}]},
            ("unexpected-resource", "prefetch.labs"),
        ),
        ({"resourceType": "Bundle", "entry": [1, 2]}, ("unreadable-element", "prefetch.labs.entry[0]")),
        ({"resourceType": "Bundle", "entry": "none"}, ("unreadable-element", "prefetch.labs.entry")),
        ("none", ("unreadable-element", "prefetch.labs")),
    ],
)
def test_an_answer_that_failed_is_no_answer(value: Any, note: tuple[str, str]) -> None:
    """An outcome, a wrong type, another patient's record or what cannot be read never looks like "none found"."""
    found = intake(labs=value)
    if note[1] != "prefetch.labs.entry[0]":
        assert found.arrived_keys == set()
        assert found.answered_keys == set()
    assert note in notes_of(found.notes)
    assert any(one.severity != "information" for one in found.notes)


def test_a_right_resource_under_a_wrong_key_is_read() -> None:
    """A client that swaps two answers loses the certainty of both keys, but no fact."""
    found = intake(labs=bundle(condition("c1", text="Cramp")), problems=bundle(result("o1")))
    assert ids(found) == ["c1", "o1"]
    assert found.answered_keys == set()


def test_a_partly_failed_answer_says_so() -> None:
    """An outcome beside entries means that some are missing; the entries count, and the note says where."""
    found = intake(labs=bundle(result("o1"), OUTCOME, result("o2")))
    assert ids(found) == ["o1", "o2"]
    assert found.arrived_keys == {"labs"}
    assert notes_of(found.notes) == [("prefetch-incomplete", "prefetch.labs.entry[1]")]
    assert found.notes[0].severity == "warning"


def test_a_page_with_a_next_link_says_so() -> None:
    """Only the first page was sent, which is no fault but no whole record either."""
    links = [
        {"relation": "self", "url": "https://ehr.example.org/1"},
        {"relation": "next", "url": "https://x/2"},
    ]
    found = intake(labs=bundle(result("o1"), link=links), exam=bundle(examined("e1"), link=links[:1]))
    assert notes_of(found.notes) == [("more-pages", "prefetch.labs")]


def test_an_entry_without_a_resource_costs_itself() -> None:
    """The entry is noted by its place, and its neighbours are read."""
    found = intake(
        labs={"resourceType": "Bundle", "entry": [{}, {"resource": result("o1")}, {"resource": None}]}
    )
    assert ids(found) == ["o1"]
    assert notes_of(found.notes) == [
        ("resource-missing", "prefetch.labs.entry[0]"),
        ("resource-missing", "prefetch.labs.entry[2]"),
    ]


def test_a_copy_is_read_once() -> None:
    """A resource that answers two keys, or was just recorded, is one fact; the same id of another type is another."""
    found = intake(
        condition("x", text="Cramp"),
        labs=bundle(result("o1"), result("o1", value="9.9")),
        vitals=bundle(result("o1", value="8.8"), result("o2")),
        problems=bundle(condition("x", text="Cramp"), condition("o1", text="Cramp")),
    )
    assert [placed.resource.id for placed in found.recorded] == ["x"]
    assert ids(found) == ["o1", "o1", "o2"]
    values = [placed.resource.value_quantity for placed in found.of("Observation")]
    assert [str(value.value) for value in values if value is not None] == ["2.8", "2.8"]


def test_a_strangers_copy_hides_nothing() -> None:
    """An id that another patient's resource used first is still free for the patient's own."""
    found = intake(labs=bundle(result("o1", subject=OTHER), result("o1")))
    assert ids(found) == ["o1"]


def test_resources_without_an_id_are_all_kept() -> None:
    """What has no id cannot be told to be a copy."""
    labs = bundle(*(result("o1") | {"id": None} for _copy in range(3)))
    assert ids(intake(labs=labs)) == [None, None, None]


def test_the_key_that_was_not_asked_for_is_read_by_type() -> None:
    """Some clients name their keys themselves; what is in them counts, and says so."""
    found = intake(item1=bundle(result("o1")), item2=condition("c1", text="Cramp"))
    assert ids(found) == ["c1", "o1"]
    assert notes_of(found.notes) == [("unasked-key", "prefetch.item1"), ("unasked-key", "prefetch.item2")]


def test_a_type_that_is_not_read_is_counted() -> None:
    """Encounters and the like are left aside with one note per type, and a made-up type is not repeated to anyone."""
    visits = [{"resourceType": "Encounter", "id": str(number)} for number in range(3)]
    odd = [{"resourceType": "Jane Doe, born 1980"}, {"id": "x"}, {"resourceType": "x" * 500}]
    found = intake(labs=bundle(*visits, *odd, result("o1")))
    assert notes_of(found.notes) == [
        *(("resource-type-missing", f"prefetch.labs.entry[{place}].resource") for place in (3, 4, 5)),
        ("type-not-read", "prefetch (3 x Encounter)"),
    ]


def test_what_was_recorded_is_a_condition() -> None:
    """Other types in the context are noted and left aside, whether they are somebody's or nobody's."""
    found = Intake(
        request(
            result("o1"), condition("c1", text="Cramp"), {"resourceType": "Bundle"}, {"fullUrl": "urn:uuid:1"}
        )
    )
    assert [placed.path for placed in found.recorded] == ["context.conditions.entry[1].resource"]
    assert notes_of(found.notes) == [
        ("unexpected-resource", "context.conditions.entry[0].resource"),
        ("unexpected-resource", "context.conditions.entry[2].resource"),
        ("resource-missing", "context.conditions.entry[3].resource"),
    ]


def test_each_resource_knows_its_place() -> None:
    """The path of a resource is where a client finds it in its own message."""
    found = intake(
        labs=bundle({"resourceType": "Encounter"}, result("o1")),
        patient={"resourceType": "Patient", "id": PATIENT},
    )
    assert [placed.path for placed in found.of("Observation", "Patient")] == [
        "prefetch.labs.entry[1].resource",
        "prefetch.patient",
    ]


def test_types_come_in_the_order_of_arrival() -> None:
    """Within each type the order is that of the message."""
    found = intake(
        labs=bundle(result("b"), result("a")),
        medications=bundle(medicine("MedicationRequest", "m", "x")),
        exam=examined("c"),
    )
    assert ids(found, "Observation") == ["b", "a", "c"]
    assert ids(found, "MedicationRequest", "Observation") == ["m", "b", "a", "c"]


def test_an_empty_bundle_records_nothing() -> None:
    """A Bundle without entries is a Bundle."""
    call = body()
    call["context"]["conditions"] = {"resourceType": "Bundle"}
    found = Intake(decode_request(encoded(call), PROBLEM_HOOK))
    assert (found.recorded, found.notes) == ([], [])


def test_a_message_without_prefetch_holds_what_was_recorded() -> None:
    """Nothing arrived, nothing was answered, and the hook still says what it says."""
    call = request(condition("c1", text="Cramp"))._replace(prefetch=None)
    found = Intake(call)
    assert (found.arrived_keys, found.answered_keys, ids(found)) == (set(), set(), [])
    assert len(found.recorded) == 1
    assert Intake(request(hook=VIEW_HOOK)).recorded == []


def test_every_key_has_a_type_that_answers_it() -> None:
    """Each advertised key is answered by a search result of the right type, even when it holds nothing else."""
    answers = {
        "patient": {"resourceType": "Patient", "id": PATIENT},
        "conditions": condition("c1", text="Cramp"),
        "medications": medicine("MedicationStatement", "m1", "x"),
        "labs": result("o1"),
        "vitals": result("o1"),
        "exam": examined("o1"),
        "habits": examined("o1"),
        "orders": asked("s1", text="x"),
        "family": {"resourceType": "FamilyMemberHistory", "patient": {"reference": "Patient/p1"}},
        "procedures": {"resourceType": "Procedure", "subject": {"reference": "Patient/p1"}},
        "answers": {"resourceType": "QuestionnaireResponse", "subject": {"reference": "Patient/p1"}},
    }
    for key, kind in KIND_OF_KEY.items():
        for answer in (answers[kind], bundle(answers[kind])):
            found = intake(**{key: answer})
            assert found.answered_keys == {key}
            assert found.notes == []


def test_many_faults_of_one_kind_end_in_one_line() -> None:
    """After a hundred notes of one code a last one says that there are more; other codes are not affected."""
    strangers = [result(f"o{number}", subject=OTHER) for number in range(500)]
    found = intake(labs=bundle(*strangers, result("own"), OUTCOME))
    assert codes(found).count("other-patient") == 101
    assert "prefetch-incomplete" in codes(found)
    last = [note for note in found.notes if note.code == "other-patient"][-1]
    assert last == ReadingNote(
        severity="error",
        code="other-patient",
        path="(more)",
        remedy="There are more of these than are listed.",
    )
    assert ids(found) == ["own"]
