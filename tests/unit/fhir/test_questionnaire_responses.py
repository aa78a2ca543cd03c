"""Which answers to our questionnaires count today, and that everything else is left out with a note."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.dates import read_when
from cds_service.fhir.questionnaire_responses import read_answers, with_onset
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import Fact, RecordedPresentation
from tests.unit.fhir.answered import NO, URL, YES, item, read, response
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import TODAY, bundle, intake, notes_of

WEAK, NOT_WEAK = item("2.1", YES), item("2.1", NO)


@pytest.mark.parametrize(
    "address",
    [
        URL,
        f"{URL}|2026.12.0+0123456789ab",
        f"{URL}|1",
        "http://ehr.example.org/fhir/Questionnaire/wobble-history",
        "Questionnaire/wobble-history",
    ],
)
def test_a_response_is_known_by_the_address_of_its_questionnaire(
    vocabulary: Vocabulary, address: str
) -> None:
    """The canonical counts with and without version, and so does a copy on a server that keeps the id."""
    meanings, notes = read(vocabulary, response(WEAK, questionnaire=address))
    assert (set(meanings.answers), notes) == ({"2.1"}, [])


@pytest.mark.parametrize(
    ("address", "note"),
    [
        (None, "questionnaire-not-named"),
        ("", "questionnaire-not-named"),
        ("wobble-history", "questionnaire-not-ours"),
        ("http://x.example/fhir/Questionnaire/other", "questionnaire-not-ours"),
        ("http://x.example/fhir/NoQuestionnaire/wobble-history", "questionnaire-not-ours"),
        ("http://x.example/fhir/Library/wobble-history", "questionnaire-not-ours"),
    ],
)
def test_answers_to_other_questions_are_not_read(
    vocabulary: Vocabulary, address: str | None, note: str
) -> None:
    """Without the address nobody knows whose question "2.1" is, even where every linkId is one of ours."""
    meanings, notes = read(vocabulary, response(WEAK, questionnaire=address))
    assert (meanings.answers, meanings.conditions, notes) == ({}, [], [note])


@pytest.mark.parametrize(
    ("status", "is_used", "notes"),
    [
        ("completed", True, []),
        ("amended", True, []),
        (" Completed ", True, []),
        ("in-progress", True, ["answers-in-progress"]),
        ("entered-in-error", False, ["status-not-usable"]),
        ("stopped", False, ["status-not-usable"]),
        ("draft", False, ["status-not-usable"]),
        (None, False, ["status-not-usable"]),
    ],
)
def test_only_given_answers_are_used(
    vocabulary: Vocabulary, status: str | None, is_used: bool, notes: list[str]
) -> None:
    """Finished answers are used, unfinished ones as well and noted; those in error or without status are not."""
    meanings, noted = read(vocabulary, response(WEAK, status=status))
    assert (bool(meanings.answers), noted) == (is_used, notes)


@pytest.mark.parametrize(
    ("authored", "is_used", "notes"),
    [
        ("2026-06-15", True, []),
        ("2026-06-15T09:30:00+02:00", True, []),
        ("2026-03-17", True, []),
        ("2026-03-16", False, ["answers-too-old"]),
        ("2026-03", True, []),
        ("2026-02", False, ["answers-too-old"]),
        ("2026-06-16", False, ["answers-not-yet-given"]),
        ("2026", True, []),
        (None, True, ["answers-undated"]),
        ("yesterday", True, ["answers-undated"]),
    ],
)
def test_answers_speak_for_ninety_days(
    vocabulary: Vocabulary, authored: str | None, is_used: bool, notes: list[str]
) -> None:
    """The ninetieth day still counts and the next does not; a month counts while a day of it does."""
    meanings, noted = read(vocabulary, response(WEAK, authored=authored))
    assert (bool(meanings.answers), noted) == (is_used, notes)


def test_the_newest_answer_to_each_question_counts(vocabulary: Vocabulary) -> None:
    """A later answer is not overruled, whatever order they arrive in; an older one to another question stays."""
    old = response(WEAK, item("5", {"valueDecimal": 3}), id="q0", authored="2026-06-01")
    new = response(NOT_WEAK, id="q2", authored="2026-06-13")
    for sent in ((old, new), (new, old)):
        meanings, _notes = read(vocabulary, *sent)
        assert meanings.answers["2.1"].codes == {"no"}
        assert meanings.answers["2.1"].fact.reference == "QuestionnaireResponse/q2"
        assert meanings.answers["5"].fact.on == "2026-06-01"
        assert meanings.conditions == []
        assert set(meanings.denied) == {"weakness", "wasting"}


def test_a_newer_answer_that_cannot_be_read_is_not_replaced_by_an_older_one(vocabulary: Vocabulary) -> None:
    """What was said last is not known then, so that nothing is."""
    old = response(WEAK, id="q0", authored="2026-06-01")
    new = response(item("2.1", {"valueString": "perhaps"}), id="q2", authored="2026-06-13")
    meanings, notes = read(vocabulary, old, new)
    assert (meanings.answers, meanings.conditions, notes) == ({}, [], ["answer-not-understood"])


def test_an_item_without_an_answer_leaves_the_older_answer(vocabulary: Vocabulary) -> None:
    """A question that was left out, or carries a mere extension, is not answered."""
    old = response(WEAK, id="q0", authored="2026-06-01")
    for left_out in (
        item("2.1"),
        {"linkId": "2.1", "answer": [{"extension": []}]},
        {"linkId": "2.1", "answer": []},
    ):
        meanings, notes = read(vocabulary, old, response(left_out, id="q2"))
        assert (set(meanings.answers["2.1"].codes), notes) == ({"yes"}, [])


@pytest.mark.parametrize(
    "items",
    [
        [item("2", item=[WEAK])],
        [item("2", item=[item("2.9", item=[WEAK])])],
        [item("7", {"valueString": "x", "item": [WEAK]})],
        [WEAK],
    ],
)
def test_answers_are_found_at_any_depth(vocabulary: Vocabulary, items: list[Any]) -> None:
    """Groups, answers that hold items, and flat lists are read alike."""
    meanings, _notes = read(vocabulary, response(*items))
    assert meanings.answers["2.1"].codes == {"yes"}


def test_an_unknown_question_costs_only_itself(vocabulary: Vocabulary) -> None:
    """A linkId that is not asked is noted once and the rest is read; a group has no answer of its own."""
    meanings, notes = read(vocabulary, response(item("99", YES), item("2", YES), WEAK))
    assert (set(meanings.answers), notes) == ({"2.1"}, ["unknown-question"])


def test_answers_of_another_patient_are_refused(vocabulary: Vocabulary) -> None:
    """They are somebody's, and not of whom the hook is about."""
    meanings, notes = read(vocabulary, response(WEAK, subject={"reference": "Patient/p2"}))
    assert (meanings.answers, notes) == ({}, ["other-patient", "unexpected-resource"])


def test_an_onset_that_was_told_stands_where_none_was_recorded() -> None:
    """It is marked as told by the patient, and never replaces what the clinician wrote."""
    fact = Fact(what="Cramp", reference="Condition/c1", on="2026-06-15")
    bare = RecordedPresentation(
        types=("cramp",), reference=None, text="Cramp", onset=None, recorded=None, by_text=False, fact=fact
    )
    told = with_onset(bare, read_when("2026-05"))
    assert told.onset == read_when("2026-05")
    assert (told.fact.on, told.fact.note, told.fact.reference) == (
        "2026-05",
        "onset patient-reported",
        "Condition/c1",
    )
    assert with_onset(told, read_when("2020")) == told
    assert with_onset(bare, None) == bare


@given(st.lists(json_values(), max_size=3), json_values(), json_values(), json_values())
def test_no_answer_breaks_the_reading(
    vocabulary: Vocabulary, items: list[Any], status: Any, authored: Any, questionnaire: Any
) -> None:
    """Whatever stands in a response, it costs that response at most."""
    odd = response(status=status, authored=authored, questionnaire=questionnaire) | {"item": items}
    odd_items = response(*items, id="q3")
    found = intake(
        questionnaireResponses=bundle(odd, odd_items, response(WEAK, id="q2", authored="2026-06-15"))
    )
    assert "2.1" in read_answers(vocabulary, found, TODAY).answers
    assert all(path.startswith("prefetch.") for _code, path in notes_of(found.notes))
