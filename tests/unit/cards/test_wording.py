"""Words for facts, dates and names: every number keeps its unit and its date."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.wording import (
    FindingNames,
    fact_cell,
    fact_key,
    join,
    lead_words,
    lower_first,
    short_date,
    unit_words,
    value_words,
)
from cds_service.model.facts import Amount, Fact
from tests.support.questionnaires import asking
from tests.unit.engine.neutral import knowledge, lab, rule


@pytest.mark.parametrize(
    ("iso", "words"),
    [
        ("2026-06-12", "12 Jun 2026"),
        ("2026-01-01", "1 Jan 2026"),
        ("2026-12-31T23:59:59Z", "31 Dec 2026"),
        ("2026-04", "Apr 2026"),
        ("2012", "2012"),
        ("", ""),
        (None, ""),
    ],
)
def test_a_date_is_short_and_unambiguous(iso: str | None, words: str) -> None:
    """Day, month by name and year, as precise as the record and no more."""
    assert short_date(iso) == words


@given(st.dates())
def test_every_day_has_words(day: Any) -> None:
    """No month is missing, and no day has a leading zero."""
    number, month, year = short_date(day.isoformat()).split(" ")
    assert (int(number), len(month), int(year)) == (day.day, 3, day.year)
    assert not number.startswith("0")


@pytest.mark.parametrize(
    ("unit", "words"),
    [
        ("mmol/L", "mmol/L"),
        ("umol/L", "µmol/L"),
        ("m[IU]/L", "mIU/L"),
        ("mL/min/{1.73_m2}", "mL/min/1.73 m²"),
        ("{INR}", ""),
        ("{score}", ""),
        ("mm[Hg]", "mmHg"),
        ("Cel", "°C"),
        ("[degF]", "°F"),
        ("mmol\u200b/L\n", "mmol /L"),
        (None, ""),
    ],
)
def test_a_unit_is_written_as_a_person_writes_it(unit: str | None, words: str) -> None:
    """UCUM spellings that nobody reads are replaced, all others stay as reported."""
    assert unit_words(unit) == words


@pytest.mark.parametrize(
    ("words", "joined"),
    [
        ([], ""),
        (["a"], "a"),
        (["a", "b"], "a and b"),
        (["a", "b", "c"], "a, b and c"),
        (["a", "", "a", "b"], "a and b"),
    ],
)
def test_words_are_joined_as_in_a_sentence(words: list[str], joined: str) -> None:
    """Each once, empty ones left out."""
    assert join(words) == joined
    assert join(words, last="; ") == joined.replace(" and ", "; ")


@pytest.mark.parametrize(
    ("words", "inside"), [("Zorbium", "zorbium"), ("TSH", "TSH"), ("", ""), ("Z", "Z"), ("25-OH", "25-OH")]
)
def test_abbreviations_keep_their_capitals_inside_a_sentence(words: str, inside: str) -> None:
    """Only a word that goes on in small letters loses its capital."""
    assert lower_first(words) == inside


def test_a_converted_value_stands_in_brackets() -> None:
    """What a limit used is shown beside what was reported, and a calculated one is called adjusted."""
    converted = Fact(what="zorbium", value="12.6", unit="mg/dL", canonical=Amount("3.14", "mmol/L"))
    assert value_words(converted) == "12.6 mg/dL [3.14 mmol/L]"
    calculated = Fact(
        what="zorbium",
        value="2.1",
        unit="mmol/L",
        canonical=Amount("2.3", "mmol/L"),
        note="calculated, adjusted",
    )
    assert value_words(calculated) == "2.1 mmol/L [adjusted 2.3 mmol/L]"
    assert fact_cell(converted, emphasis=False) == "zorbium 12.6 mg/dL \\[3.14 mmol/L\\]"
    assert "\\[adjusted 2.3 mmol/L\\]" in fact_cell(calculated, emphasis=True)


@pytest.mark.parametrize(
    ("members", "cell"),
    [
        ({"value": "2.8", "unit": "mmol/L"}, "zorbium **2.8** mmol/L"),
        ({"value": "2.8", "unit": "mmol/L", "on": "2026-06-12"}, "zorbium **2.8** mmol/L, 12 Jun 2026"),
        (
            {"value": "2.8", "unit": "mmol/L", "on": "2026-06-12", "range": "3.5–5.3"},
            "zorbium **2.8** mmol/L (3.5–5.3), 12 Jun 2026",
        ),
        ({"value": "<0.01", "unit": "m[IU]/L"}, "zorbium **&lt;0.01** mIU/L"),
        ({"value": "1.2", "unit": "{INR}"}, "zorbium **1.2**"),
        ({"value": "active", "on": "2012"}, "zorbium, 2012"),
        ({"value": "active"}, "zorbium"),
        ({"value": "normal", "on": "2026-06-12"}, "zorbium normal, 12 Jun 2026"),
        ({"value": "provisional"}, "zorbium (provisional)"),
        ({"reference": "MedicationRequest/1", "on": "2026-05-01"}, "zorbium since 1 May 2026"),
        ({"reference": "MedicationRequest/1"}, "zorbium"),
        (
            {"reference": "MedicationRequest/1", "on": "2026-05-01", "note": "ended 2026-06-09"},
            "zorbium since 1 May 2026 (ended 9 Jun 2026)",
        ),
        ({"by_text": True}, "zorbium (by text)"),
        ({"by_text": True, "note": "hemolyzed", "on": "2026"}, "zorbium, 2026 (by text; hemolyzed)"),
        (
            {"value": "2.8", "unit": "mmol/L", "note": "status unknown"},
            "zorbium **2.8** mmol/L (status unknown)",
        ),
    ],
)
def test_a_fact_in_a_cell(members: dict[str, Any], cell: str) -> None:
    """A number has its unit, range and date; anything else has its date; marks stand last."""
    assert fact_cell(Fact(what="zorbium", **members), emphasis=True) == cell
    assert fact_cell(Fact(what="zorbium", **members), emphasis=False) == cell.replace("**", "")


@pytest.mark.parametrize(
    ("fact", "words"),
    [
        (Fact(what="zorbium", value="6.9", unit="U/L", on="2026-06-15"), "Zorbium 6.9 U/L (15 Jun 2026)"),
        (Fact(what="zorbium", value="6.9", unit="U/L"), "Zorbium 6.9 U/L"),
        (Fact(what="wobbly\u202e tail\n", value="active", on="2026-06"), "Wobbly tail (Jun 2026)"),
        (Fact(what="x" * 200), "X" + "x" * 79),
    ],
)
def test_a_fact_at_the_head_of_a_summary(fact: Fact, words: str) -> None:
    """What, value, unit and date on one line, without what cannot be seen."""
    assert lead_words(fact) == words


def test_facts_are_told_apart_by_reference_or_by_themselves() -> None:
    """Two results without an id are two facts, also when they say the same."""
    assert fact_key(Fact(what="x", reference="Observation/1")) == "Observation/1"
    one, other = Fact(what="x"), Fact(what="x")
    assert fact_key(one) == fact_key(one)
    assert fact_key(one) != fact_key(other)


def test_what_is_missing_is_named_without_a_direction() -> None:
    """A missing result is the test's name, a missing rule its title, each once and at most three."""
    names = FindingNames(
        knowledge(lab(title="Zorbium"), lab("quendite", title="QTE"), rule("has-x", "y", title="An x"))
    )
    assert names.some(["zorbium-low", "zorbium-marked-high", "quendite-normal", "has-x", "no-name"]) == (
        "zorbium, QTE, an x"
    )
    assert names.of("presents-with-wobble") == "presents with wobble"
    assert names.of("zorbium-calculated-only") == "zorbium"
    assert names.some([]) == ""


def test_what_only_the_patient_can_say_is_not_named_as_missing() -> None:
    """The history questions on the card ask for it; a name for it would say nothing to a clinician."""
    asked = asking({"link": "1", "says": "odd"})
    known = msgspec.structs.replace(knowledge(lab(title="Zorbium")), questionnaires={"q": asked})
    assert FindingNames(known).some(["history-says-odd", "zorbium-low"]) == "zorbium"
    assert FindingNames(knowledge(lab(title="Zorbium"))).some(["has-odd"]) == "has odd"
