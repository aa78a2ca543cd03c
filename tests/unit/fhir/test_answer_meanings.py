"""What answers mean: facts that say who said so, denials, and nothing where an answer cannot be read."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from cds_service.fhir.vocabulary import Vocabulary
from tests.unit.fhir.answered import NO, SYSTEM, YES, item, meant, read, response
from tests.unit.fhir.records import UCUM


def coding(code: str, **members: Any) -> dict[str, Any]:
    """Return a coded answer."""
    return {"valueCoding": {"code": code, **members}}


@pytest.mark.parametrize(
    "value",
    [YES, {"valueString": "Yes"}, {"valueString": "TRUE"}, coding("yes"), coding("1", display="Yes")],
)
def test_a_yes_is_a_sign_that_the_patient_reports(vocabulary: Vocabulary, value: Any) -> None:
    """It is dated, marked and refers to the response; its words are those of the question."""
    found = meant(vocabulary, item("2.1", value))
    (sign,) = found.conditions
    assert sign.value_sets == {"weakness", "clonus"}
    assert (sign.active, sign.firm, sign.onset, sign.recorded and sign.recorded.text) == (
        True,
        True,
        None,
        "2026-06-14",
    )
    fact = sign.fact
    assert (fact.what, fact.value, fact.on, fact.note, fact.reference, fact.by_text) == (
        "weakness",
        "yes",
        "2026-06-14",
        "patient-reported",
        "QuestionnaireResponse/q1",
        False,
    )
    assert found.history == {"weak": (True, fact)}
    assert found.denied == {}


@pytest.mark.parametrize("value", [NO, {"valueString": "no"}, coding("false")])
def test_a_no_denies(vocabulary: Vocabulary, value: Any) -> None:
    """The sign, and what it stands for besides, is denied in the words of the question."""
    found = meant(vocabulary, item("2.1", value))
    assert found.conditions == []
    assert set(found.denied) == {"weakness", "wasting"}
    fact = found.denied["weakness"]
    assert (fact.what, fact.value, fact.note) == ("no weakness", "no", "patient-reported")
    assert found.history == {"weak": (False, fact)}


@pytest.mark.parametrize(
    ("link", "answers", "note"),
    [
        ("2.1", [{"valueString": "perhaps"}], "answer-not-understood"),
        ("2.1", [{"valueInteger": 1}], "answer-not-understood"),
        ("2.1", [YES, NO], "answer-not-understood"),
        ("2.2", [{"valueString": "strange"}], "answer-not-understood"),
        ("2.2", [coding("odd", system="http://x.example")], "answer-not-understood"),
        ("2.2", ["odd", {"valueString": "strange"}], "answer-not-understood"),
        ("8", ["normal", "abnormal"], "answer-not-understood"),
        ("3", [{"valueBoolean": True}], "answer-not-understood"),
        ("4", [{"valueString": "many"}], "answer-not-understood"),
        ("4", [{"valueBoolean": True}], "answer-not-understood"),
        ("4", [{"valueInteger": 1}, {"valueInteger": 2}], "answer-not-understood"),
        ("4", [{"valueInteger": -1}], "value-implausible"),
        ("4", [{"valueInteger": 51}], "value-implausible"),
        ("4", [{"valueDecimal": Decimal("1e-300")}], "value-implausible"),
        ("4", [{"valueString": "NaN"}], "value-implausible"),
        ("4", [{"valueQuantity": {"value": 3, "unit": "cups"}}], "unit-not-understood"),
        ("4", [{"valueQuantity": {"value": 3, "comparator": "<"}}], "unit-not-understood"),
        ("4", [{"valueQuantity": {"unit": "drinks/day"}}], "answer-not-understood"),
        ("1", [{"valueDate": "soon"}], "answer-not-understood"),
        ("1", [{"valueDate": "2026-06-16"}], "answer-not-understood"),
        ("1", [{"valueDate": "2026"}, {"valueDate": "2025"}], "answer-not-understood"),
        ("1", [{"valueBoolean": True}], "answer-not-understood"),
        ("7", [{"valueInteger": 3}], "answer-not-understood"),
        ("7", [{"valueString": "  "}], "answer-not-understood"),
    ],
)
def test_an_answer_that_cannot_be_read_leaves_the_question_open(
    vocabulary: Vocabulary, link: str, answers: list[Any], note: str
) -> None:
    """It gives no fact and no denial, and the note names the question and never the answer."""
    found, notes = read(vocabulary, response(item(link, *answers)))
    assert (found.answers, found.conditions, found.denied, found.habits, found.examinations) == (
        {},
        [],
        {},
        [],
        [],
    )
    assert notes == [note]


@pytest.mark.parametrize(
    "value",
    [
        "odd",
        coding("odd"),
        coding("odd", system=SYSTEM, display="Otherwise"),
        coding("7", display="ODD"),
        coding("7", system="http://x.example", display="Odd"),
        {"valueString": " odd "},
    ],
)
def test_a_choice_is_known_by_code_or_words(vocabulary: Vocabulary, value: Any) -> None:
    """A code of ours counts, with or without its system; of another system only the words do."""
    found = meant(vocabulary, item("2.2", value))
    assert found.answers["2.2"].codes == {"odd"}
    assert [(set(sign.value_sets), sign.fact.what) for sign in found.conditions] == [
        ({"clonus"}, "odd wobbles")
    ]


def test_what_was_not_chosen_is_not_said(vocabulary: Vocabulary) -> None:
    """The chosen words are present, the others absent on the ground of the same answer."""
    found = meant(vocabulary, item("2.2", "even"))
    said = {word: (is_said, fact.what) for word, (is_said, fact) in found.history.items()}
    assert said == {"even": (True, "Even"), "odd": (False, "Even")}
    assert set(found.denied) == {"clonus"}


def test_several_choices_stand_beside_each_other(vocabulary: Vocabulary) -> None:
    """Each gives its own fact."""
    found = meant(vocabulary, item("2.2", "odd", "even"))
    assert found.answers["2.2"].codes == {"odd", "even"}
    assert {word: is_said for word, (is_said, _fact) in found.history.items()} == {"odd": True, "even": True}


def test_not_being_sure_says_nothing(vocabulary: Vocabulary) -> None:
    """The question counts as answered, and nothing is present or absent by it."""
    found = meant(vocabulary, item("2.2", "unsure"))
    assert found.answers["2.2"].codes == {"unsure"}
    assert (found.history, found.conditions, found.denied) == ({}, [], {})


def test_an_open_choice_takes_other_words(vocabulary: Vocabulary) -> None:
    """They answer the question and mean nothing that is known."""
    found = meant(vocabulary, item("3", {"valueString": "The  neighbor"}))
    assert (found.answers["3"].codes, found.answers["3"].fact.what) == (frozenset(), "The neighbor")
    assert found.relatives == []


def test_a_relative_is_never_the_patient(vocabulary: Vocabulary) -> None:
    """What a relative has is context, marked as reported."""
    found = meant(vocabulary, item("3", "kin"))
    (relative,) = found.relatives
    assert (set(relative.value_sets), relative.fact.what, relative.fact.note) == (
        {"clonus"},
        "A relative",
        "patient-reported",
    )
    assert found.conditions == []


@pytest.mark.parametrize(
    "value",
    [
        {"valueInteger": 5},
        {"valueDecimal": 5},
        {"valueString": "5"},
        {"valueQuantity": {"value": 5}},
        {"valueQuantity": {"value": 5, "unit": "drinks/day", "system": UCUM}},
    ],
)
def test_an_amount_is_a_habit(vocabulary: Vocabulary, value: Any) -> None:
    """It has the unit in which it was asked for."""
    (habit,) = meant(vocabulary, item("4", value)).habits
    assert (habit.item, habit.amount) == ("caffeine", Decimal(5))
    assert (habit.fact.what, habit.fact.value, habit.fact.unit, habit.fact.note) == (
        "caffeine",
        "5",
        "drinks/day",
        "patient-reported",
    )


@pytest.mark.parametrize(("value", "is_read"), [(0, True), (50, True), (51, False)])
def test_an_amount_is_read_within_its_bounds(vocabulary: Vocabulary, value: int, is_read: bool) -> None:
    """The least and the most that can be meant are still read."""
    found, _notes = read(vocabulary, response(item("4", {"valueInteger": value})))
    assert bool(found.habits) is is_read


def test_a_number_without_bounds_is_kept_with_its_digits(vocabulary: Vocabulary) -> None:
    """It answers the question and is no habit."""
    found = meant(vocabulary, item("5", {"valueDecimal": Decimal("0.50")}))
    assert (found.answers["5"].fact.value, found.habits) == ("0.50", [])


@pytest.mark.parametrize(
    "value", [{"valueDate": "2026-05"}, {"valueDateTime": "2026-05"}, {"valueString": "2026-05"}]
)
def test_a_date_is_an_onset(vocabulary: Vocabulary, value: Any) -> None:
    """The beginning of the presentation is as precise as it was told."""
    found = meant(vocabulary, item("1", value))
    assert found.onset is not None
    assert (found.onset.text, found.conditions) == ("2026-05", [])


def test_a_dated_event_is_a_sign_since_its_day(vocabulary: Vocabulary) -> None:
    """What happened has that day as its onset."""
    found = meant(vocabulary, item("9", {"valueDate": "2026-06-15"}))
    (sign,) = found.conditions
    assert (set(sign.value_sets), sign.onset and sign.onset.text, sign.fact.value) == (
        {"wasting"},
        "2026-06-15",
        "2026-06-15",
    )
    assert found.onset is None


def test_medicines_are_read_from_a_text(vocabulary: Vocabulary) -> None:
    """Each by its words, as taken or as no longer taken; signs that the text names count as well."""
    text = "furosemide 40, stopped hydrochlorothiazide and vitamin b12 (has clonus since)"
    found = meant(vocabulary, item("6", {"valueString": text}))
    told = {
        one.name: (one.active, one.fact.value, one.fact.by_text, one.fact.note) for one in found.medications
    }
    assert told == {
        "furosemide": (True, "active", True, "patient-reported"),
        "hydrochlorothiazide": (False, "stopped", True, "patient-reported"),
        "vitamin b12 (has clonus since)": (True, "active", True, "patient-reported"),
    }
    assert [(set(sign.value_sets), set(sign.by_text)) for sign in found.conditions] == [
        ({"clonus"}, {"clonus"})
    ]


def test_a_text_without_a_medicine_is_an_answer_only(vocabulary: Vocabulary) -> None:
    """Words that nobody knows give no fact; a presentation that they name starts nothing."""
    found = meant(vocabulary, item("6", {"valueString": "a cramp"}), item("7", {"valueString": "furosemide"}))
    assert (set(found.answers), found.medications, found.conditions) == ({"6", "7"}, [], [])


@pytest.mark.parametrize("result", ["normal", "abnormal"])
def test_what_the_clinician_found_is_an_examination(vocabulary: Vocabulary, result: str) -> None:
    """It is no word of the patient, and is marked as such."""
    (found,) = meant(vocabulary, item("8", result)).examinations
    assert (found.part, found.result, found.on and found.on.text) == ("strength", result, "2026-06-14")
    assert (found.fact.what, found.fact.value, found.fact.note) == (
        "strength on examination",
        result,
        "by questionnaire",
    )


def test_what_was_not_examined_is_not_known(vocabulary: Vocabulary) -> None:
    """The question is answered and the part stays unknown."""
    found = meant(vocabulary, item("8", "not-done"))
    assert (set(found.answers), found.examinations) == ({"8"}, [])


def test_an_undated_response_without_an_id_still_speaks(vocabulary: Vocabulary) -> None:
    """Its facts have no date and no reference."""
    found, _notes = read(vocabulary, response(item("2.1", YES), id=None, authored=None))
    (sign,) = found.conditions
    assert (sign.recorded, sign.fact.on, sign.fact.reference) == (None, None, None)


@pytest.mark.parametrize(("value", "is_there"), [("6.9", False), ("7", True), ("7.1", True)])
def test_a_number_is_a_sign_from_its_limit_on(vocabulary: Vocabulary, value: str, is_there: bool) -> None:
    """The limit itself counts; below it nothing is said and nothing denied."""
    found = meant(vocabulary, item("5", {"valueDecimal": Decimal(value)}))
    assert bool(found.conditions) is is_there
    assert (found.answers["5"].fact.value, found.denied) == (value, {})


def test_weeks_date_what_was_told_before(vocabulary: Vocabulary) -> None:
    """So many full weeks before the answer it began, as precise as weeks are."""
    found = meant(vocabulary, item("2.2", "odd"), item("2.3", {"valueInteger": 2}))
    plain, dated = found.conditions
    assert (set(plain.value_sets), plain.onset) == ({"clonus"}, None)
    assert set(dated.value_sets) == {"clonus"}
    assert dated.onset is not None
    days = (dated.onset.text, dated.onset.earliest.isoformat(), dated.onset.latest.isoformat())
    assert days == ("2026-05-31", "2026-05-25", "2026-05-31")


def test_weeks_of_nothing_date_nothing(vocabulary: Vocabulary) -> None:
    """Without the answer that they are weeks of, and without the day of the answer, there is no onset."""
    assert meant(vocabulary, item("2.3", {"valueInteger": 2})).conditions == []
    found, _notes = read(
        vocabulary, response(item("2.2", "odd"), item("2.3", {"valueInteger": 2}), authored=None)
    )
    assert [sign.onset for sign in found.conditions] == [None, None]


def test_a_medicine_began_or_ended_in_the_time_that_was_asked_for(vocabulary: Vocabulary) -> None:
    """Which day of it nobody said."""
    found = meant(vocabulary, item("6", {"valueString": "furosemide; stopped hydrochlorothiazide"}))
    spans = {one.name: (one.started, one.ended) for one in found.medications}
    began, ended = spans["furosemide"][0], spans["hydrochlorothiazide"][1]
    assert began is not None
    assert (began.earliest.isoformat(), began.latest.isoformat()) == ("2026-05-10", "2026-06-14")
    assert ended == began
    assert (spans["furosemide"][1], spans["hydrochlorothiazide"][0]) == (None, None)
    undated, _notes = read(vocabulary, response(item("6", {"valueString": "furosemide"}), authored=None))
    assert undated.medications[0].started is None
