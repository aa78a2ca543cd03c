"""Conditions: what is on record, whether it holds today, and which of them start a differential."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.conditions import ConditionReader
from cds_service.fhir.resources import Intake
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import RecordedCondition, RecordedPresentation
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import (
    ICD10CM,
    SNOMED,
    TODAY,
    bundle,
    coded,
    condition,
    intake,
    notes_of,
    without,
)

CKD = (SNOMED, "431857002")
CRAMP = (SNOMED, "55300003")
CRAMP_OR_SPASM = (ICD10CM, "R25.2")
LOCAL = ("http://ehr.example.org/codes", "42")
PATH = "context.conditions.entry[0].resource"


def reader(vocabulary: Vocabulary, found: Intake) -> ConditionReader:
    """Return the reader of one request."""
    return ConditionReader(vocabulary, found, TODAY)


def on_record(vocabulary: Vocabulary, *listed: Any) -> list[RecordedCondition]:
    """Return the conditions of a problem list."""
    return reader(vocabulary, intake(problems=bundle(*listed))).conditions()


def one(vocabulary: Vocabulary, **members: Any) -> RecordedCondition:
    """Return a severe kidney disease with some members set, as it stands on the problem list."""
    (found,) = on_record(vocabulary, without(condition("c", CKD, text="CKD stage 4") | members))
    return found


def presented(vocabulary: Vocabulary, *recorded: Any) -> list[RecordedPresentation]:
    """Return what just-recorded conditions present with."""
    return reader(vocabulary, intake(*recorded)).presentations("recorded-now")


def types(vocabulary: Vocabulary, *codings: tuple[str, str], text: str | None = None) -> tuple[str, ...]:
    """Return the presentation types of one recorded condition; none when it is no presentation."""
    found = presented(vocabulary, condition("c", *codings, text=text))
    return found[0].types if found else ()


def status(code: str) -> Any:
    """Return a status as R4 has it."""
    return coded(("http://terminology.hl7.org/CodeSystem/condition-clinical", code))


def test_a_condition_is_read_with_its_words_and_dates(vocabulary: Vocabulary) -> None:
    """Code, words, onset, date of recording and reference arrive."""
    found = one(vocabulary, onsetDateTime="2024-03", recordedDate="2026-01-05")
    assert found.value_sets == {"severe-kidney-disease"}
    assert found.by_text == set()
    assert (found.active, found.firm) == (True, True)
    assert found.onset is not None
    assert found.recorded is not None
    assert (found.onset.text, found.recorded.text) == ("2024-03", "2026-01-05")
    fact = found.fact
    assert (fact.what, fact.reference, fact.value, fact.on) == (
        "CKD stage 4",
        "Condition/c",
        "active",
        "2024-03",
    )
    assert not fact.by_text


@pytest.mark.parametrize(
    ("members", "onset", "shown"),
    [
        ({"onsetDateTime": "2012"}, "2012", "2012"),
        ({"onsetDateTime": "2026-06-14T10:00:00Z"}, "2026-06-14", "2026-06-14"),
        ({"onsetPeriod": {"start": "2020-05", "end": "2021"}}, "2020-05", "2020-05"),
        ({"onsetString": "last spring", "recordedDate": "2026-06-01"}, None, "2026-06-01"),
        ({"onsetAge": {"value": 50}, "assertedDate": "2026-05-01"}, None, "2026-05-01"),
        ({"onsetDateTime": "2026-02-30"}, None, None),
        ({"onsetPeriod": {"end": "2021"}}, None, None),
        ({}, None, None),
    ],
)
def test_onset_is_read_in_every_form_that_names_a_date(
    vocabulary: Vocabulary, members: Any, onset: str | None, shown: str | None
) -> None:
    """Date and period name one, an age or words do not; without an onset the fact shows when it was recorded."""
    found = one(vocabulary, **members)
    assert (found.onset.text if found.onset else None) == onset
    assert found.fact.on == shown


@pytest.mark.parametrize(
    ("members", "is_active"),
    [
        ({"clinicalStatus": None}, True),
        ({"clinicalStatus": status("active")}, True),
        ({"clinicalStatus": status("recurrence")}, True),
        ({"clinicalStatus": status("relapse")}, True),
        ({"clinicalStatus": status("remission")}, True),
        ({"clinicalStatus": status("remission"), "abatementDateTime": "2024-03"}, True),
        ({"clinicalStatus": status("relapse"), "abatementDateTime": "2024-03"}, True),
        ({"clinicalStatus": status("recurrence"), "abatementBoolean": True}, True),
        ({"clinicalStatus": status("active"), "abatementDateTime": "2024-03"}, False),
        ({"clinicalStatus": status("inactive")}, False),
        ({"clinicalStatus": status("resolved")}, False),
        ({"clinicalStatus": "resolved"}, False),
        ({"clinicalStatus": " Resolved "}, False),
        ({"clinicalStatus": {"text": "Inactive"}}, False),
        ({"clinicalStatus": [status("resolved")]}, False),
        ({"clinicalStatus": {}}, True),
        ({"abatementDateTime": "2026-06-14"}, False),
        ({"abatementDateTime": "2026-06-15"}, False),
        ({"abatementDateTime": "2026-06-16"}, True),
        ({"abatementDateTime": "2025"}, False),
        ({"abatementDateTime": "2026"}, True),
        ({"abatementPeriod": {"start": "2025-01", "end": "2025-03"}}, False),
        ({"abatementPeriod": {"start": "2025-01"}}, True),
        ({"abatementBoolean": True}, False),
        ({"abatementBoolean": "true"}, False),
        ({"abatementBoolean": False}, True),
        ({"abatementString": "after surgery"}, False),
        ({"abatementString": ""}, True),
        ({"abatementDateTime": "unknown"}, True),
        ({"clinicalStatus": status("resolved"), "abatementDateTime": "2030"}, False),
    ],
)
def test_a_condition_holds_until_it_is_over(vocabulary: Vocabulary, members: Any, is_active: bool) -> None:
    """Status as object, string or list, and every form of abatement, tell whether it holds on the day."""
    assert one(vocabulary, **members).active is is_active


@pytest.mark.parametrize(
    ("verification", "is_firm", "shown"),
    [
        (None, True, "active"),
        (status("confirmed"), True, "active"),
        ("confirmed", True, "active"),
        (status("provisional"), False, "provisional"),
        (status("differential"), False, "provisional"),
        (status("unconfirmed"), False, "provisional"),
        ("Unconfirmed", False, "provisional"),
    ],
)
def test_what_is_not_confirmed_is_not_firm(
    vocabulary: Vocabulary,
    verification: Any,
    is_firm: bool,
    shown: str,
) -> None:
    """A provisional diagnosis is on record, and shown as provisional."""
    found = one(vocabulary, verificationStatus=verification)
    assert (found.firm, found.fact.value) == (is_firm, shown)


@pytest.mark.parametrize(
    "verification", [status("refuted"), status("entered-in-error"), "refuted", " Entered-In-Error "]
)
def test_what_is_not_true_is_not_used(vocabulary: Vocabulary, verification: Any) -> None:
    """A refuted or mistaken diagnosis is no fact, and a note says that it was left out."""
    found = intake(problems=bundle(condition("c", CKD, verificationStatus=verification)))
    assert reader(vocabulary, found).conditions() == []
    assert notes_of(found.notes) == [("not-true", "prefetch.problems.entry[0].resource")]


@pytest.mark.parametrize(
    "category",
    ["problem-list-item", coded(("x", "problem-list-item")), [coded(("x", "y"))], [], None, 7],
    ids=repr,
)
def test_the_category_is_not_asked_for(vocabulary: Vocabulary, category: Any) -> None:
    """Published examples have a bare string there; nothing rests on it."""
    assert one(vocabulary, category=category).active


@pytest.mark.parametrize(
    ("codings", "text", "sets", "by_text"),
    [
        ((CKD,), None, {"severe-kidney-disease"}, set()),
        ((LOCAL, CKD), "Kidneys", {"severe-kidney-disease"}, set()),
        ((), "Chronic kidney disease stage 4", {"severe-kidney-disease"}, {"severe-kidney-disease"}),
        ((LOCAL,), "Chronic kidney disease stage 4", {"severe-kidney-disease"}, {"severe-kidney-disease"}),
        ((CKD,), "Chronic kidney disease stage 4", {"severe-kidney-disease"}, set()),
        ((CKD,), "CKD 4 with leg weakness", {"severe-kidney-disease", "weakness"}, {"weakness"}),
        ((), "Wasting of the hand and leg weakness", {"wasting", "weakness"}, {"wasting", "weakness"}),
    ],
)
def test_a_code_is_stronger_than_words(
    vocabulary: Vocabulary, codings: Any, text: str | None, sets: set[str], by_text: set[str]
) -> None:
    """Codes and words both tell, and what only the words told is marked."""
    (found,) = on_record(vocabulary, condition("c", *codings, text=text))
    assert found.value_sets == sets
    assert found.by_text == by_text
    assert found.fact.by_text is (sets == by_text)


@pytest.mark.parametrize(
    "text", ["Chronic kidney disease stage 3", "No weakness", "Family history of weakness", "Headache"]
)
def test_what_the_content_does_not_know_is_no_fact(vocabulary: Vocabulary, text: str) -> None:
    """Another diagnosis, a denial and a relative's illness are no facts about this patient, and no faults."""
    found = intake(problems=bundle(condition("c", LOCAL, text=text)))
    assert reader(vocabulary, found).conditions() == []
    assert found.notes == []


ICD_9 = "http://hl7.org/fhir/sid/icd-9-cm"


@pytest.mark.parametrize(
    ("system", "display", "text", "is_read"),
    [
        (ICD_9, None, None, False),
        ("urn:oid:2.16.840.1.113883.6.103", None, None, False),
        (None, None, None, False),
        (ICD_9, "Multiple sclerosis", None, True),
        (ICD_9, None, "Multiple sclerosis", True),
        ("http://hl7.org/fhir/sid/ICD-10-CM/", None, None, True),
    ],
)
def test_a_wordless_code_of_a_system_that_is_not_read_is_noted(
    vocabulary: Vocabulary, system: str | None, display: str | None, text: str | None, *, is_read: bool
) -> None:
    """Code 340 of ICD-9 alone says nothing here: it is told, and the list shows no absence; words are read."""
    coding = {"system": system, "code": "340", "display": display}
    code = {"coding": [{name: value for name, value in coding.items() if value}], "text": text}
    named = {name: value for name, value in code.items() if value}
    found = intake(problems=bundle({**condition("d"), "code": named}))
    reader(vocabulary, found).conditions()
    told = ("code-system-not-read", "prefetch.problems.entry[0].resource.code")
    assert (told in notes_of(found.notes)) is not is_read
    assert ("problems" in found.answered_keys) is is_read


@pytest.mark.parametrize("code", [None, {}, {"coding": []}, {"text": ""}])
def test_a_condition_that_is_not_named_is_noted_and_leaves_room_for_doubt(
    vocabulary: Vocabulary, code: Any
) -> None:
    """Nobody can tell what it is, so that the list it stands in shows nothing to be absent."""
    found = intake(problems=bundle(condition("c", LOCAL, text="Headache"), {**condition("d"), "code": code}))
    assert reader(vocabulary, found).conditions() == []
    assert notes_of(found.notes) == [("code-missing", "prefetch.problems.entry[1].resource.code")]
    assert "problems" not in found.answered_keys


@pytest.mark.parametrize(
    "member", ["onsetDateTime", "abatementDateTime", "recordedDate", "assertedDate", "dateRecorded"]
)
def test_a_date_that_is_none_is_noted_where_it_stands(vocabulary: Vocabulary, member: str) -> None:
    """What rests on it is lost, and the note says which member to mend."""
    found = intake(problems=bundle(condition("c", text="Leg weakness") | {member: "2026-13-45"}))
    (read,) = reader(vocabulary, found).conditions()
    assert (read.active, read.onset, read.recorded) == (True, None, None)
    assert notes_of(found.notes) == [("date-not-understood", f"prefetch.problems.entry[0].resource.{member}")]


def test_a_verification_that_nobody_knows_is_noted(vocabulary: Vocabulary) -> None:
    """The condition is taken as confirmed, and the note says so."""
    sent = condition("c", text="Leg weakness") | {"verificationStatus": coded(("s", "surely"))}
    found = intake(problems=bundle(sent))
    assert [one.firm for one in reader(vocabulary, found).conditions()] == [True]
    assert notes_of(found.notes) == [
        ("status-not-understood", "prefetch.problems.entry[0].resource.verificationStatus")
    ]


def test_a_display_is_read_only_where_nothing_else_tells(vocabulary: Vocabulary) -> None:
    """The display of an unknown code stands in for missing words; beside words or a known code it is not read."""
    shown = coded(LOCAL, display="Leg weakness")
    assert [found.by_text for found in on_record(vocabulary, condition("c") | {"code": shown})] == [
        {"weakness"}
    ]
    assert on_record(vocabulary, condition("c") | {"code": shown | {"text": "Fall"}}) == []
    known = {"coding": [*coded(CKD)["coding"], *shown["coding"]]}
    assert [found.value_sets for found in on_record(vocabulary, condition("c") | {"code": known})] == [
        {"severe-kidney-disease"}
    ]


def test_recorded_and_listed_conditions_both_count(vocabulary: Vocabulary) -> None:
    """What is recorded now is on record like the list; the same resource in both is one."""
    now = condition("c1", CKD)
    found = intake(now, problems=bundle(now, condition("c2", text="Leg weakness")))
    assert [each.fact.reference for each in reader(vocabulary, found).conditions()] == [
        "Condition/c1",
        "Condition/c2",
    ]


@pytest.mark.parametrize(
    ("clinical", "shown"),
    [(None, "active"), (status("relapse"), "relapse"), (status("resolved"), "resolved")],
)
def test_a_fact_shows_the_status_as_recorded(vocabulary: Vocabulary, clinical: Any, shown: str) -> None:
    """A card can say that a disease has relapsed or is over; without a status it counts as active."""
    assert one(vocabulary, clinicalStatus=clinical).fact.value == shown


def test_a_condition_without_words_says_so(vocabulary: Vocabulary) -> None:
    """A code alone is a fact, and a presentation that is not confirmed is shown by its status."""
    assert one(vocabulary, code=coded(CKD)).fact.what == "condition without words"
    (found,) = presented(vocabulary, condition("c", CRAMP, verificationStatus=status("provisional")))
    assert (found.fact.what, found.fact.value, found.text) == ("condition without words", "active", "")


def test_a_condition_without_an_id_has_no_reference(vocabulary: Vocabulary) -> None:
    """A new Condition has no id before it is saved."""
    (found,) = presented(vocabulary, condition("c", CRAMP) | {"id": None})
    assert (found.reference, found.fact.reference) == (None, None)


@pytest.mark.parametrize(
    ("codings", "text", "expected"),
    [
        ((CRAMP,), None, {"cramp"}),
        ((CRAMP,), "Charley horse", {"cramp"}),
        (((ICD10CM, "R25.3"),), None, {"fasciculation"}),
        (((ICD10CM, "M62831"),), None, {"spasm"}),
        ((CRAMP_OR_SPASM,), None, {"cramp", "spasm"}),
        ((CRAMP_OR_SPASM,), "Cramp and spasm", {"cramp", "spasm"}),
        ((CRAMP_OR_SPASM,), "Leg cramps", {"cramp"}),
        ((CRAMP_OR_SPASM,), "Muscle spasm of the back", {"spasm"}),
        ((CRAMP_OR_SPASM,), "Twitching of the calf", {"cramp", "spasm"}),
        ((CRAMP_OR_SPASM,), "Menstrual cramps", {"cramp", "spasm"}),
        ((CRAMP,), "Muscle spasm", {"cramp"}),
        ((CRAMP, (ICD10CM, "R25.3")), None, {"cramp", "fasciculation"}),
        ((), "Cramps and twitching", {"cramp", "fasciculation"}),
        ((LOCAL,), "Twitching of the left calf", {"fasciculation"}),
        ((), "Muscle twitching, denies weakness", {"fasciculation"}),
        ((), "Coronary artery spasm", set()),
        ((), "Bronchospasm", set()),
        ((), "No cramps", set()),
        ((), "Family history of cramps", set()),
        ((LOCAL,), "Headache", set()),
        ((), None, set()),
    ],
)
def test_a_presentation_is_known_by_code_then_by_words(
    vocabulary: Vocabulary, codings: Any, text: str | None, expected: set[str]
) -> None:
    """A code decides; a code of two presentations is narrowed by words that name one of them; else the words decide."""
    assert set(types(vocabulary, *codings, text=text)) == expected


def test_a_presentation_keeps_the_clinicians_words(vocabulary: Vocabulary) -> None:
    """The text is shown as it was written, and a presentation by words alone is marked."""
    coded_one, texted = presented(
        vocabulary,
        condition("c1", CRAMP, text="Night  cramps\n of both calves", onsetDateTime="2026-05"),
        condition("c2", text="Twitching", recordedDate="2026-06-15"),
    )
    assert (coded_one.text, coded_one.by_text, coded_one.reference) == (
        "Night cramps of both calves",
        False,
        "Condition/c1",
    )
    assert coded_one.onset is not None
    assert coded_one.onset.text == "2026-05"
    assert (texted.text, texted.by_text, texted.fact.by_text) == ("Twitching", True, True)
    assert texted.recorded is not None


@pytest.mark.parametrize(
    "members",
    [
        {"verificationStatus": status("refuted")},
        {"verificationStatus": status("entered-in-error")},
        {"clinicalStatus": status("inactive")},
        {"clinicalStatus": status("resolved")},
        {"abatementDateTime": "2026-05-20"},
        {"abatementBoolean": True},
    ],
)
def test_what_is_not_current_starts_no_differential(vocabulary: Vocabulary, members: Any) -> None:
    """A recorded problem that is refuted, mistaken or over is noted and starts nothing."""
    found = intake(condition("c", CRAMP, **members))
    assert reader(vocabulary, found).presentations("recorded-now") == []
    assert notes_of(found.notes) == [("not-current", PATH)]


def test_the_trigger_tells_where_a_presentation_stands(vocabulary: Vocabulary) -> None:
    """For the one hook it is what was recorded, for the other the problem list."""
    found = intake(condition("now", CRAMP), problems=bundle(condition("listed", (ICD10CM, "R25.3"))))
    made = reader(vocabulary, found)
    assert [each.types for each in made.presentations("recorded-now")] == [("cramp",)]
    assert [each.types for each in made.presentations("on-problem-list")] == [("fasciculation",)]


def test_a_presentation_is_no_condition(vocabulary: Vocabulary) -> None:
    """The two share an index, and neither name ever shows up as the other."""
    found = intake(condition("c", CRAMP, text="Cramps and weakness"))
    made = reader(vocabulary, found)
    assert [each.value_sets for each in made.conditions()] == [{"weakness"}]
    assert [each.types for each in made.presentations("recorded-now")] == [("cramp",)]


def test_an_endless_text_is_read_as_far_as_it_is_bounded(vocabulary: Vocabulary) -> None:
    """What stands behind the bound is not read, once noted and never the end of the request."""
    found = intake(condition("c", text="Cramps. " + "and so on " * 100_000 + ". Weakness"))
    made = reader(vocabulary, found)
    assert [each.types for each in made.presentations("recorded-now")] == [("cramp",)]
    assert made.conditions() == []
    assert notes_of(found.notes) == [("text-too-long", f"{PATH}.code.text")]


def test_words_are_shown_shortened(vocabulary: Vocabulary) -> None:
    """A page of text in `code.text` does not become a page on a card."""
    (found,) = presented(vocabulary, condition("c", CRAMP, text="cramp " * 1000))
    assert len(found.text) <= 160


@given(
    st.sampled_from(
        [
            "clinicalStatus",
            "verificationStatus",
            "code",
            "onsetDateTime",
            "abatementBoolean",
            "abatementPeriod",
        ]
    ),
    json_values(),
)
def test_any_json_in_any_element_costs_that_condition_at_most(
    vocabulary: Vocabulary, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one condition, the one beside it is read as ever."""
    found = on_record(
        vocabulary, condition("odd", CKD) | {name: wrong}, condition("sound", text="Leg weakness")
    )
    assert "Condition/sound" in [each.fact.reference for each in found]
