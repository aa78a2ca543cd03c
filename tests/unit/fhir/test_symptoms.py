"""Observations apart from results: examinations, habits and signs, each read only as far as it says something."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.labs import LabReader
from cds_service.fhir.symptoms import SymptomReader
from cds_service.fhir.vocabulary import Vocabulary
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import (
    SNOMED,
    TODAY,
    UCUM,
    bundle,
    coded,
    examined,
    intake,
    notes_of,
    quantity,
    result,
    without,
)

CLONUS = coded((SNOMED, "36649002"), text="Clonus")
PATH = "prefetch.exam.entry[0].resource"
SOCIAL = [coded(("http://terminology.hl7.org/CodeSystem/observation-category", "social-history"))]


def read(vocabulary: Vocabulary, *observations: Any) -> tuple[SymptomReader, list[tuple[str, str]]]:
    """Return the reader after reading, and the notes."""
    found = intake(exam=bundle(*observations))
    labs = LabReader(vocabulary, found, TODAY)
    labs.measurements()
    reader = SymptomReader(vocabulary, found, TODAY)
    reader.read(labs.others)
    return reader, notes_of(found.notes)


def parts(vocabulary: Vocabulary, *observations: Any) -> dict[str, str]:
    """Return part → result of these examinations; nothing may be noted."""
    reader, notes = read(vocabulary, *observations)
    assert notes == []
    return {each.part: each.result for each in reader.examinations}


def signs(vocabulary: Vocabulary, **members: Any) -> dict[str, bool]:
    """Return sign → whether only words told, of one examination."""
    reader, _notes = read(vocabulary, examined("e", **members))
    return {name: name in sign.by_text for sign in reader.signs for name in sign.value_sets}


def habit(words: str, value: str | None = None, unit: str | None = None, **members: Any) -> Any:
    """Return a habit with its amount."""
    amount = quantity(value, unit) if value is not None else None
    return without(examined("h", category=SOCIAL, code={"text": words}, valueQuantity=amount, **members))


def amounts(vocabulary: Vocabulary, words: str, value: str, unit: str | None) -> list[tuple[str, Decimal]]:
    """Return (item, amount) of one habit."""
    reader, _notes = read(vocabulary, habit(words, value, unit))
    return [(each.item, each.amount) for each in reader.habits]


def test_an_examination_is_read_with_date_and_reference(vocabulary: Vocabulary) -> None:
    """Each part is a fact of its own that says where it was written."""
    reader, notes = read(vocabulary, examined("e1", valueString="Strength normal, reflexes brisk"))
    assert notes == []
    strength, reflexes = sorted(reader.examinations, key=lambda each: each.part, reverse=True)
    assert (strength.part, strength.result, reflexes.part, reflexes.result) == (
        "strength",
        "normal",
        "reflexes",
        "abnormal",
    )
    assert strength.on is not None
    assert (strength.on.text, strength.fact.on) == ("2026-06-12", "2026-06-12")
    assert (strength.fact.reference, strength.fact.value) == ("Observation/e1", "normal")
    assert "strength" in strength.fact.what


@pytest.mark.parametrize(
    "category",
    [
        coded(("c", "exam")),
        [coded(("c", "exam"))],
        [coded(("c", "survey")), coded(("c", "exam"))],
        "exam",
        [{"text": "exam"}],
        {"text": "exam"},
        None,
    ],
    ids=repr,
)
def test_an_examination_is_known_in_every_form_of_its_category(vocabulary: Vocabulary, category: Any) -> None:
    """As code or text, alone or in a list; without a category its title tells."""
    assert parts(vocabulary, examined("e", category=category, valueString="Tone normal")) == {
        "tone": "normal"
    }


def test_an_examination_is_known_by_its_code(vocabulary: Vocabulary) -> None:
    """A coded neurological examination needs neither category nor words, and "normal" is normal in every part."""
    sent = examined("e", category=None, code=coded((SNOMED, "84728005")), valueString="normal")
    assert set(parts(vocabulary, sent).values()) == {"normal"}
    assert len(parts(vocabulary, sent)) == 4


@pytest.mark.parametrize(
    "members",
    [
        {"category": [coded(("c", "vital-signs"))]},
        {"category": [coded(("c", "laboratory"))]},
        {"category": [coded(("c", "survey"))]},
        {"category": [coded(("c", "survey")), coded(("c", "vital-signs"))]},
        {"category": None, "code": {"text": "Letter"}},
        {"category": None, "code": None},
        {"category": None, "valueString": None, "valueQuantity": quantity("5", "1")},
    ],
)
def test_what_is_no_examination_is_not_read_as_one(vocabulary: Vocabulary, members: Any) -> None:
    """A vital sign, a laboratory remark or a letter says nothing about an examination."""
    reader, _notes = read(
        vocabulary, examined("e", **{"valueString": "Strength normal, tone normal", **members})
    )
    assert (reader.examinations, reader.signs, reader.habits) == ([], [], [])


def test_a_result_is_never_a_sign(vocabulary: Vocabulary) -> None:
    """An Observation that is a lab of ours stays one, whatever its category says."""
    sent = result("k", category=[coded(("c", "exam"))], valueQuantity=None, valueString="weakness")
    reader, notes = read(vocabulary, sent)
    assert (reader.signs, reader.examinations) == ([], [])
    assert notes == [("value-not-a-quantity", PATH)]


def test_another_examination_has_no_normal_parts(vocabulary: Vocabulary) -> None:
    """A normal abdomen does not stand for normal muscles and nerves."""
    assert (
        parts(vocabulary, examined("e", code={"text": "Abdominal examination"}, valueString="Normal")) == {}
    )


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered", " Cancelled "])
def test_an_unusable_status_is_noted(vocabulary: Vocabulary, status: str) -> None:
    """What was withdrawn is not read, and a note says so."""
    reader, notes = read(vocabulary, examined("e", status=status, valueString="Weakness of the arm"))
    assert (reader.examinations, reader.signs) == ([], [])
    assert notes == [("status-not-usable", f"{PATH}.status")]


def component(name: str, **value: Any) -> Any:
    """Return one part of an examination."""
    return {"code": {"text": name}, **value}


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ("normal", "normal"),
        ("Full", "normal"),
        ("5/5", "normal"),
        ("4/5 left arm", "abnormal"),
        ("not normal", "abnormal"),
        ("not entirely normal", "abnormal"),
        ("reduced", "abnormal"),
        ("no weakness", "normal"),
        ("weakness of the hand", "abnormal"),
        ("not reduced", None),
        ("not tested", None),
        ("see letter", None),
        ("", None),
    ],
)
def test_a_component_is_judged_by_its_value(vocabulary: Vocabulary, value: str, expected: str | None) -> None:
    """Value as text or as concept: judged like a sentence, and unknown when it judges nothing."""
    found = [
        parts(vocabulary, examined("e", component=[component("Strength", **form)]))
        for form in ({"valueString": value}, {"valueCodeableConcept": {"text": value}})
    ]
    assert found == [{"strength": expected} if expected else {}] * 2


def test_components_come_before_the_summary(vocabulary: Vocabulary) -> None:
    """A part with a component of its own is that component; the text speaks for the others."""
    sent = examined(
        "e",
        valueString="Strength, bulk, reflexes, tone normal",
        component=[
            component("Reflexes", valueString="brisk"),
            component("Tone", valueString="not tested"),
            component("Sensation", valueString="absent"),
            component("Bulk"),
        ],
    )
    assert parts(vocabulary, sent) == {
        "strength": "normal",
        "bulk": "normal",
        "reflexes": "abnormal",
        "tone": "normal",
        "sensation": "abnormal",
    }


@pytest.mark.parametrize(
    ("words", "value", "unit", "expected"),
    [
        ("Caffeine", "6", "drinks/day", [("caffeine", Decimal(6))]),
        ("Caffeine intake", "42", "cups per week", [("caffeine", Decimal(6))]),
        ("Coffee per day", "4", "cups", [("caffeine", Decimal(4))]),
        ("Coffee", "2", "cups a day", [("caffeine", Decimal(2))]),
        ("Caffeine", "2", "{drinks}/d", [("caffeine", Decimal(2))]),
        ("Sleep", "5", "h/night", [("sleep", Decimal(5))]),
        ("Sleep", "5.5", "hours per night", [("sleep", Decimal("5.5"))]),
        ("Sleep duration each night", "7", "h", [("sleep", Decimal(7))]),
        ("Sleep", "35", "h/wk", [("sleep", Decimal(5))]),
        ("Alcohol", "18", "units/week", [("alcohol", Decimal(18))]),
        ("Alcohol", "2", "drinks/day", [("alcohol", Decimal(14))]),
        ("Alcohol", "0", "units/week", [("alcohol", Decimal(0))]),
        ("ALCOHOL USE", "3", "Units a Day", [("alcohol", Decimal(21))]),
    ],
)
def test_a_habit_is_an_amount_per_day_or_week(
    vocabulary: Vocabulary, words: str, value: str, unit: str, expected: list[tuple[str, Decimal]]
) -> None:
    """Caffeine and sleep are counted by the day, alcohol by the week, whichever of the two was recorded."""
    assert amounts(vocabulary, words, value, unit) == expected


def test_a_habit_shows_what_was_recorded(vocabulary: Vocabulary) -> None:
    """The fact keeps value, unit, date and reference as they were."""
    reader, notes = read(vocabulary, habit("Alcohol", "2.50", "drinks/day"))
    (found,) = reader.habits
    assert notes == []
    fact = found.fact
    assert (fact.what, fact.value, fact.unit, fact.on) == ("alcohol", "2.50", "drinks/day", "2026-06-12")
    assert fact.reference == "Observation/h"


@pytest.mark.parametrize(
    ("words", "value", "unit"),
    [
        ("Caffeine", "300", "mg/day"),
        ("Caffeine", "6", "drinks"),
        ("Caffeine", "6", None),
        ("Sleep", "300", "min/night"),
        ("Sleep", "5", "h"),
        ("Sleep", "5", "nights/week"),
        ("Alcohol", "18", "g/week"),
        ("Alcohol", "18", "units/month"),
    ],
)
def test_a_habit_whose_unit_does_not_tell_is_noted(
    vocabulary: Vocabulary, words: str, value: str, unit: str | None
) -> None:
    """An amount of something else, or of no known span of time, is not guessed."""
    reader, notes = read(vocabulary, habit(words, value, unit))
    assert reader.habits == []
    assert notes == [("unit-not-understood", f"{PATH}.valueQuantity")]


@pytest.mark.parametrize("value", ["-1", "1e400", "1e-400"])
def test_a_habit_that_cannot_be_is_noted(vocabulary: Vocabulary, value: str) -> None:
    """A negative or endless amount is a slip of the pen."""
    reader, notes = read(vocabulary, habit("Alcohol", value, "units/week"))
    assert reader.habits == []
    assert notes == [("value-implausible", f"{PATH}.valueQuantity")]


@pytest.mark.parametrize("value", ["NaN", "Infinity"])
def test_a_habit_without_a_number_is_noted(vocabulary: Vocabulary, value: str) -> None:
    """What is no number in quotes is no amount."""
    sent = habit("Alcohol") | {"valueQuantity": {"value": value, "unit": "units/week"}}
    reader, notes = read(vocabulary, sent)
    assert reader.habits == []
    assert notes == [("value-implausible", f"{PATH}.valueQuantity")]


@pytest.mark.parametrize(
    "sent", [habit("Smoking", "20", "cigarettes/day"), habit("Alcohol"), habit("Alcohol", valueString="none")]
)
def test_what_is_no_amount_of_a_habit_is_silent(vocabulary: Vocabulary, sent: Any) -> None:
    """Other habits, and habits in words, are no faults."""
    reader, notes = read(vocabulary, sent)
    assert (reader.habits, notes) == ([], [])


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("weakness of the left hand", {"weakness": True}),
        ("wasting and clonus", {"wasting": True, "clonus": True}),
        ("no weakness", {}),
        ("clonus of the jaw", {}),
        ("weakness not present", {}),
        ("tone normal", {}),
        ("cramps", {}),
    ],
)
def test_signs_are_read_from_words(vocabulary: Vocabulary, text: str, expected: dict[str, bool]) -> None:
    """A sign in the words of an examination is a finding by text; a denied one and a presentation are none."""
    assert signs(vocabulary, valueString=text) == expected
    assert signs(vocabulary, valueCodeableConcept={"text": text}) == expected
    assert signs(vocabulary, component=[component("Remark", valueString=text)]) == expected


def test_a_sign_keeps_words_date_and_reference(vocabulary: Vocabulary) -> None:
    """It stands beside the conditions, active and dated."""
    reader, _notes = read(vocabulary, examined("e1", valueString="weakness   of the\nleft hand"))
    (sign,) = reader.signs
    assert (sign.active, sign.firm, sign.onset) == (True, True, None)
    assert sign.recorded is not None
    fact = sign.fact
    assert (fact.what, fact.value, fact.reference) == (
        "weakness of the left hand",
        "Neurological examination",
        "Observation/e1",
    )
    assert (fact.on, fact.by_text) == ("2026-06-12", True)


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"valueString": "present"},
        {"valueString": "3 beats at the left ankle"},
        {"valueString": "positive"},
        {"valueCodeableConcept": {"text": "Present"}},
        {"valueBoolean": True},
        {"valueInteger": 3},
    ],
)
def test_a_coded_sign_is_there_when_it_is_affirmed(vocabulary: Vocabulary, value: Any) -> None:
    """An Observation whose code is a sign says that the sign is there, unless its value takes it back."""
    assert signs(vocabulary, code=CLONUS, **value) == {"clonus": False}


@pytest.mark.parametrize(
    "value",
    [
        *(
            {"valueString": text}
            for text in (
                "absent",
                "Absent.",
                "negative",
                "none",
                "No",
                "no clonus",
                "not present",
                "nil",
                "normal",
                "0",
            )
        ),
        *(
            {"valueString": text}
            for text in ("Clonus negative", "Clonus was not elicited", "neg", "denied", "false")
        ),
        {"valueCodeableConcept": {"text": "Negative"}},
        {
            "valueCodeableConcept": coded(
                ("http://ehr.example.org/answers", "0"), display="Absent (qualifier value)"
            )
        },
        {"valueBoolean": False},
        {"valueInteger": 0},
    ],
)
def test_a_coded_sign_that_is_denied_is_not_there(vocabulary: Vocabulary, value: Any) -> None:
    """A negative test is no positive one, in whatever form the answer is sent."""
    assert signs(vocabulary, code=CLONUS, **value) == {}


def test_an_answer_without_words_affirms_nothing(vocabulary: Vocabulary) -> None:
    """A coded answer that nobody can read is neither yes nor no; a note asks for its words."""
    reader, notes = read(
        vocabulary, examined("e", code=CLONUS, valueCodeableConcept=coded(("http://ehr.example.org", "X1")))
    )
    assert reader.signs == []
    assert notes == [("value-missing", PATH)]


def test_a_sign_as_the_answer_is_there(vocabulary: Vocabulary) -> None:
    """A general question answered with a coded sign states the sign."""
    assert signs(vocabulary, valueCodeableConcept=CLONUS) == {"clonus": False}


def test_the_answer_comes_before_the_question(vocabulary: Vocabulary) -> None:
    """A coded sign as the answer is the sign, whether or not the question names one, and needs no words."""
    weakness = coded((SNOMED, "26544005"))
    assert signs(vocabulary, code=CLONUS, valueCodeableConcept=weakness) == {"weakness": False}
    reader, notes = read(
        vocabulary, examined("e", code=CLONUS, valueCodeableConcept=coded((SNOMED, "36649002")))
    )
    assert ([set(sign.value_sets) for sign in reader.signs], notes) == ([{"clonus"}], [])


def test_a_sign_is_shown_with_the_words_that_there_are(vocabulary: Vocabulary) -> None:
    """Words of the value, else of the code, on one short line; a code without words has no title to show."""
    (by_code,) = read(vocabulary, examined("e", code=CLONUS))[0].signs
    assert (by_code.fact.what, by_code.fact.value) == ("Clonus", "Clonus")
    untitled = examined("e", code=coded((SNOMED, "36649002")), valueString="present " * 40)
    (by_value,) = read(vocabulary, untitled)[0].signs
    assert (len(by_value.fact.what), by_value.fact.value) == (120, None)


def test_an_endless_text_is_read_as_far_as_it_is_bounded(vocabulary: Vocabulary) -> None:
    """A text of a megabyte is read at its beginning, the rest is noted, in the whole and in its parts."""
    endless = "tone normal. " * 100_000 + "weakness"
    for form in ({"valueString": endless}, {"component": [component("Tone", valueString=endless)]}):
        reader, notes = read(vocabulary, examined("e", **form))
        assert [each.part for each in reader.examinations] == ["tone"]
        assert reader.signs == []
        assert notes == [("text-too-long", f"{PATH}.valueString")]


def test_a_history_can_hold_signs(vocabulary: Vocabulary) -> None:
    """Words in a social history are read for signs as well."""
    reader, _notes = read(vocabulary, habit("Activity", valueString="leg weakness on stairs"))
    assert [set(sign.value_sets) for sign in reader.signs] == [{"weakness"}]


@pytest.mark.parametrize(
    ("members", "on"),
    [
        ({"effectiveDateTime": "2026-06-12T23:30:00-05:00"}, "2026-06-12"),
        ({"effectiveDateTime": None, "effectivePeriod": {"start": "2026-06-01"}}, "2026-06-01"),
        (
            {"effectiveDateTime": None, "effectivePeriod": {"start": "2026-06-01", "end": "2026-06-03"}},
            "2026-06-03",
        ),
        ({"effectiveDateTime": None, "issued": "2026-06-02T10:00:00Z"}, "2026-06-02"),
        ({"effectiveDateTime": None}, None),
    ],
)
def test_an_examination_is_dated_like_a_result(vocabulary: Vocabulary, members: Any, on: str | None) -> None:
    """Time of examination first, else when it was issued; without a date it still counts."""
    reader, _notes = read(vocabulary, examined("e", valueString="tone normal, wasting", **members))
    assert [each.fact.on for each in reader.examinations] == [on, on]
    assert [each.fact.on for each in reader.signs] == [on]


@given(
    st.sampled_from(
        ["category", "code", "valueString", "valueQuantity", "component", "status", "valueCodeableConcept"]
    ),
    json_values(),
)
def test_any_json_in_any_element_costs_that_observation_at_most(
    vocabulary: Vocabulary, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one examination, the one beside it is read as ever."""
    odd = habit("Alcohol", "2", "units/week") | {"id": "odd", name: wrong}
    reader, _notes = read(vocabulary, odd, examined("sound", valueString="Tone normal", valueQuantity=None))
    assert "Observation/sound" in [each.fact.reference for each in reader.examinations]


def test_the_unit_may_stand_in_the_code(vocabulary: Vocabulary) -> None:
    """A quantity with a UCUM code and no printed unit tells its unit as well."""
    sent = habit("Sleep") | {"valueQuantity": quantity("6", None, system=UCUM, code="h/d")}
    reader, _notes = read(vocabulary, sent)
    assert [each.amount for each in reader.habits] == [Decimal(6)]


def in_words(name: str, value: str | None, **members: Any) -> Any:
    """Return a laboratory result in words."""
    return result("w", None, None, loinc="718-7", code={"text": name}, valueString=value, **members)


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Biopsy", "marked atrophy of fibres", {"wasting"}),
        ("Muscle wasting score", "present", {"wasting"}),
        ("Biopsy", "no atrophy", set()),
        ("Biopsy", "normal", set()),
    ],
)
def test_a_result_in_words_is_read_with_the_name_of_the_test(
    vocabulary: Vocabulary, name: str, value: str, expected: set[str]
) -> None:
    """Test and answer make one sentence; what that denies is not there, and what it says is by text."""
    reader, _notes = read(vocabulary, in_words(name, value))
    assert {each for sign in reader.signs for each in sign.value_sets} == expected
    assert all(sign.fact.by_text and sign.by_text == sign.value_sets for sign in reader.signs)


@pytest.mark.parametrize("status", ["entered-in-error", "cancelled", "registered"])
def test_a_result_in_words_that_does_not_count_is_no_sign(vocabulary: Vocabulary, status: str) -> None:
    """A result that is not one says nothing."""
    reader, _notes = read(vocabulary, in_words("Biopsy", "atrophy", status=status))
    assert reader.signs == []


def in_report(observation: Any) -> Any:
    """Return a report that holds an Observation, as its holder is found: the Observation itself is not."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "rep1",
        "status": "final",
        "subject": observation["subject"],
        "contained": [observation | {"id": "c1"}],
    }


@pytest.mark.parametrize(
    "sent",
    [
        examined("e1", valueString="Reflexes brisk"),
        examined("e1", component=[component("Reflexes", valueString="brisk")]),
        examined("e1", valueString="weakness of the left hand"),
        habit("Alcohol", "2", "drinks/day"),
        in_words("Biopsy", "atrophy"),
    ],
    ids=["examination", "component", "sign", "habit", "result in words"],
)
def test_what_a_report_holds_is_found_in_the_report(vocabulary: Vocabulary, sent: Any) -> None:
    """A contained Observation has no address of its own: its fact names what holds it."""
    reader, notes = read(vocabulary, in_report(sent))
    found = [one.fact for one in reader.examinations]
    found += [one.fact for one in reader.habits]
    found += [one.fact for one in reader.signs]
    assert ({fact.reference for fact in found}, notes) == ({"DiagnosticReport/rep1"}, [])
