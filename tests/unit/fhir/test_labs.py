"""Results are read with status, date, flag and range; what cannot be used is left out by itself, with a note."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.fhir.labs import LabReader
from cds_service.fhir.quantities import Converted, UnitTable
from cds_service.fhir.ranges import read_range
from cds_service.fhir.shapes import Quantity, ReferenceRange
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Tables
from cds_service.model.definitions import Knowledge
from cds_service.model.facts import Amount, Measurement
from tests.support.places import TERMINOLOGY
from tests.unit.fhir.content import define_lab
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import (
    CALCIUM,
    CREATININE,
    EGFR,
    LOINC,
    TODAY,
    TSH,
    UCUM,
    bundle,
    coded,
    intake,
    notes_of,
    quantity,
    result,
)

INTERPRETATION = "http://terminology.hl7.org/CodeSystem/v3-ObservationInterpretation"
PATH = "prefetch.labs.entry[0].resource"


def read(
    vocabulary: Vocabulary, *results: Any
) -> tuple[dict[str, tuple[Measurement, ...]], list[tuple[str, str]]]:
    """Return the measurements by lab, and the notes."""
    found = intake(labs=bundle(*results))
    return LabReader(vocabulary, found, TODAY).measurements(), notes_of(found.notes)


def one(vocabulary: Vocabulary, *results: Any, lab: str = "potassium") -> Measurement:
    """Return the one measurement of these results; nothing may be noted."""
    measurements, notes = read(vocabulary, *results)
    assert notes == []
    assert set(measurements) == {lab}
    (measurement,) = measurements[lab]
    return measurement


def values(vocabulary: Vocabulary, *results: Any, lab: str = "potassium") -> list[str]:
    """Return the values of one lab in their order."""
    return [str(each.value) for each in read(vocabulary, *results)[0].get(lab, ())]


def test_a_result_is_read_with_everything_that_a_card_shows(vocabulary: Vocabulary) -> None:
    """Value, unit, date, range, flag and reference arrive as the laboratory printed them."""
    sent = result(
        "k1",
        "2.80",
        interpretation=[coded((INTERPRETATION, "L"))],
        referenceRange=[{"low": quantity("3.5"), "high": quantity("5.3")}],
        specimen={"reference": "Specimen/s1"},
    )
    found = one(vocabulary, sent)
    assert (found.value, found.low, found.high) == (Decimal("2.80"), Decimal("3.5"), Decimal("5.3"))
    assert (found.flag, found.flag_critical, found.comparator) == ("L", False, None)
    assert (found.status, found.certain, found.sample, found.calculated) == (
        "final",
        True,
        "Specimen/s1",
        False,
    )
    fact = found.fact
    assert (fact.what, fact.reference, fact.value, fact.unit) == (
        "potassium",
        "Observation/k1",
        "2.80",
        "mmol/L",
    )
    assert (fact.on, fact.range, fact.canonical, fact.note) == ("2026-06-12", "3.5-5.3", None, None)
    assert not fact.by_text


def test_a_converted_result_shows_both_numbers(vocabulary: Vocabulary) -> None:
    """The value stays as reported, and the canonical one stands beside it, comparator included."""
    found = one(vocabulary, result("c", "12.60", "mg/dL", CALCIUM), lab="calcium")
    assert found.value == Decimal("3.14")
    assert (found.fact.value, found.fact.unit, found.fact.canonical) == (
        "12.60",
        "mg/dL",
        Amount("3.14", "mmol/L"),
    )
    bounded = one(
        vocabulary,
        result("c", loinc=CALCIUM, valueQuantity=quantity("12.6", "mg/dL", comparator=">")),
        lab="calcium",
    )
    assert (bounded.fact.value, bounded.fact.canonical) == (">12.6", Amount(">3.14", "mmol/L"))


@pytest.mark.parametrize("status", ["final", "amended", "corrected", "preliminary", "FINAL", " final "])
def test_a_usable_status_is_used(vocabulary: Vocabulary, status: str) -> None:
    """Finished and preliminary results count, and all but final ones say what they are."""
    found = one(vocabulary, result("k", status=status))
    plain = status.strip().lower()
    assert (found.status, found.certain) == (plain, True)
    assert found.fact.note == (None if plain == "final" else plain)


@pytest.mark.parametrize("status", ["unknown", "Unknown ", "", " ", None])
def test_an_unknown_status_is_used_and_marked(vocabulary: Vocabulary, status: str | None) -> None:
    """Whole systems send no better status: the result counts, is marked, and is not certain."""
    measurements, notes = read(vocabulary, result("k", status=status))
    (found,) = measurements["potassium"]
    assert (found.status, found.certain, found.fact.note) == ("unknown", False, "unknown")
    assert notes == [("status-unknown", f"{PATH}.status")]


@pytest.mark.parametrize(
    "status",
    [
        "entered-in-error",
        "entered-in-error ",
        "ENTERED-IN-ERROR",
        "cancelled",
        "registered",
        "this_is_invalid",
    ],
)
def test_an_unusable_status_is_not_used(vocabulary: Vocabulary, status: str) -> None:
    """A result in error, cancelled, not yet there, or of a status that nobody defined is left out with a note."""
    assert read(vocabulary, result("k", status=status)) == (
        {"potassium": ()},
        [("status-not-usable", f"{PATH}.status")],
    )


@pytest.mark.parametrize(
    ("sent", "flag", "is_critical"),
    [
        *(("N", "N", False), ("L", "L", False), ("H", "H", False), ("A", "A", False)),
        *(("LL", "LL", True), ("HH", "HH", True), ("AA", "A", True)),
        *(("LU", "L", False), ("HU", "H", False), ("<", "L", False), (">", "H", False)),
        *(
            (" hh ", "HH", True),
            ("n", "N", False),
            ("IND", None, False),
            ("POS", None, False),
        ),
    ],
)
def test_flags_are_read_from_code_and_text(
    vocabulary: Vocabulary,
    sent: str,
    flag: str | None,
    is_critical: bool,
) -> None:
    """The laboratory's flag is read in every form in which it is sent; a code of another meaning is no flag."""
    concept = coded(("urn:iso:std:iso:3166", "x"), (INTERPRETATION, sent))
    shapes = [[concept], concept, [{"text": "see below"}, concept], [{"text": sent}], {"text": sent}]
    for shape in shapes:
        found = one(vocabulary, result("k", interpretation=shape))
        assert (found.flag, found.flag_critical) == (flag, is_critical)


@pytest.mark.parametrize(
    ("ranges", "low", "high", "printed"),
    [
        ([{"low": quantity("3.5"), "high": quantity("5.3")}], "3.5", "5.3", "3.5-5.3"),
        ([{"low": quantity("3.50"), "high": quantity("5.30")}], "3.50", "5.30", "3.50-5.30"),
        ([{"low": quantity("3.5", None), "high": quantity("5.3", None)}], "3.5", "5.3", "3.5-5.3"),
        ([{"low": quantity("3.5")}], "3.5", None, ">=3.5"),
        ([{"high": quantity("5.3")}], None, "5.3", "<=5.3"),
        ([{"low": quantity("0"), "high": quantity("5.3")}], "0", "5.3", "0-5.3"),
        (
            [{"low": quantity("13.7", "mg/dL"), "high": quantity("20.7", "mg/dL")}],
            "3.5",
            "5.3",
            "13.7-20.7 mg/dL",
        ),
        ([{"text": "see note"}, {"low": quantity("3.5"), "high": quantity("5.3")}], "3.5", "5.3", "3.5-5.3"),
        (
            [
                {"type": coded(("r", "critical")), "low": quantity("2.5"), "high": quantity("6.5")},
                {"type": coded(("r", "normal")), "low": quantity("3.5"), "high": quantity("5.3")},
            ],
            *("3.5", "5.3", "3.5-5.3"),
        ),
        ([{"type": coded(("r", "recommended")), "high": quantity("5.3")}], None, "5.3", "<=5.3"),
        ([{"type": coded(("r", "treatment")), "low": quantity("4.5")}], None, None, None),
        ([{"text": "3.5-5.3"}], "3.5", "5.3", "3.5-5.3"),
        ([{"text": "(3.5 \u2013 5.3 mmol/L)"}], "3.5", "5.3", "3.5-5.3"),
        ([{"text": "13.7 to 20.7 mg/dL"}], "3.5", "5.3", "13.7-20.7 mg/dL"),
        ([{"text": "<=5.3"}], None, "5.3", "<=5.3"),
        ([{"text": "> 3.5"}], "3.5", None, ">=3.5"),
        ([], None, None, None),
    ],
)
def test_the_laboratorys_own_range_is_read(
    vocabulary: Vocabulary, ranges: Any, low: str | None, high: str | None, printed: str | None
) -> None:
    """One-sided, without unit, in another unit, the normal one among several, or in words that say nothing else."""
    found = one(vocabulary, result("k", "4.2", referenceRange=ranges))
    assert (found.low, found.high) == (low and Decimal(low), high and Decimal(high))
    assert found.fact.range == printed


@pytest.mark.parametrize(
    ("bounds", "low", "high", "printed"),
    [
        ({"low": quantity("3500", "umol/L"), "high": quantity("5.3")}, None, "5.3", "<=5.3"),
        ({"low": quantity("3.5"), "high": quantity("1e999999")}, "3.5", None, ">=3.5"),
        ({"low": quantity("3.5"), "high": quantity(None)}, "3.5", None, ">=3.5"),
    ],
)
def test_a_bound_that_cannot_be_read_is_noted_beside_the_other(
    vocabulary: Vocabulary, bounds: Any, low: str | None, high: str | None, printed: str
) -> None:
    """The bound that is understood counts, and a note says that the range is not whole."""
    measurements, notes = read(vocabulary, result("k", "4.2", referenceRange=[bounds]))
    (found,) = measurements["potassium"]
    assert (found.low, found.high) == (low and Decimal(low), high and Decimal(high))
    assert found.fact.range == printed
    assert notes == [("range-not-usable", f"{PATH}.referenceRange")]


def test_a_range_of_a_kind_that_nobody_knows_is_noted(vocabulary: Vocabulary) -> None:
    """It may have been the normal one: it is not used, and not passed over in silence."""
    odd = {"type": coded(("r", "usual")), "low": quantity("3.5"), "high": quantity("5.3")}
    measurements, notes = read(vocabulary, result("k", "4.2", referenceRange=[odd]))
    assert [(found.low, found.high) for found in measurements["potassium"]] == [(None, None)]
    assert notes == [("range-not-usable", f"{PATH}.referenceRange")]


def test_the_kind_of_a_range_has_another_name_in_dstu2(vocabulary: Vocabulary) -> None:
    """What R4 calls type is meaning there: a range to be aimed at is not the normal one."""
    aimed = {"meaning": coded(("r", "treatment")), "low": quantity("4.5")}
    usual = {"meaning": coded(("r", "normal")), "low": quantity("3.5"), "high": quantity("5.3")}
    found = one(vocabulary, result("k", "4.2", referenceRange=[aimed, usual]))
    assert (found.low, found.high) == (Decimal("3.5"), Decimal("5.3"))


@pytest.mark.parametrize(
    ("value", "is_low", "is_high"),
    [("109", False, False), ("110", False, True), ("70", False, False), ("69", True, False)],
)
def test_rounding_puts_no_value_onto_a_bound(value: str, is_low: bool, is_high: bool) -> None:
    """One mg/dL of glucose is less than the last digit in mmol/L: 110 lies above 109 all the same."""
    lab = define_lab("glucose", conversions="glucose", unit="mmol/L", decimals=1, plausible={})
    units = UnitTable(lab, Tables(TERMINOLOGY).conversions, Tables(TERMINOLOGY).spellings)
    sent = Quantity(value=Decimal(value), unit="mg/dL")
    bounds = ReferenceRange(low=Quantity(value=Decimal(70)), high=Quantity(value=Decimal(109), unit="mg/dL"))
    own = read_range([bounds], sent, units, None)
    found = units.convert(sent)
    assert isinstance(found, Converted)
    assert own.low is not None
    assert own.high is not None
    assert (found.value < own.low, found.value > own.high) == (is_low, is_high)
    assert own.printed == "70-109"


def test_an_empty_range_is_noted(vocabulary: Vocabulary) -> None:
    """A range was sent, and nothing of it can be read."""
    assert read(vocabulary, result("k", "4.2", referenceRange=[{}]))[1] == [
        ("range-not-usable", f"{PATH}.referenceRange")
    ]


@pytest.mark.parametrize("sent", ["QQ", "see below", "Hi"])
def test_a_flag_that_nobody_knows_is_noted(vocabulary: Vocabulary, sent: str) -> None:
    """The value is judged without it, and the note says so."""
    measurements, notes = read(vocabulary, result("k", interpretation=[{"text": sent}]))
    assert [found.flag for found in measurements["potassium"]] == [None]
    assert notes == [("flag-not-understood", f"{PATH}.interpretation")]


@pytest.mark.parametrize(
    "bounds",
    [
        {"low": quantity("0"), "high": quantity("0")},
        {"low": quantity("46"), "high": quantity("38")},
        {"low": quantity("4"), "high": quantity("4")},
        {"high": quantity("0")},
        {"low": quantity("3.5", "grains"), "high": quantity("5.3", "grains")},
        {"low": quantity("NaN"), "high": quantity("1e400")},
    ],
    ids=["0-0", "reversed", "one point", "at most 0", "unknown unit", "no numbers"],
)
def test_a_range_that_is_none_is_left_out(vocabulary: Vocabulary, bounds: Any) -> None:
    """A nonsensical range judges no result; the result itself counts, and a note says what to send."""
    sent = {name: {**bound, "value": str(bound["value"])} for name, bound in bounds.items()}
    measurements, notes = read(vocabulary, result("k", "4.2", referenceRange=[sent]))
    (found,) = measurements["potassium"]
    assert (found.low, found.high, found.fact.range, found.value) == (None, None, None, Decimal("4.2"))
    assert notes == [("range-not-usable", f"{PATH}.referenceRange")]


@pytest.mark.parametrize("comparator", ["<", "<=", ">", ">="])
def test_a_comparator_stays_with_its_value(vocabulary: Vocabulary, comparator: str) -> None:
    """A TSH below 0.01 is shown and kept as below 0.01."""
    sent = result("t", loinc=TSH, valueQuantity=quantity("0.01", "mIU/L", comparator=comparator))
    found = one(vocabulary, sent, lab="tsh")
    assert (found.comparator, found.value, found.fact.value) == (
        comparator,
        Decimal("0.01"),
        f"{comparator}0.01",
    )


@pytest.mark.parametrize("comparator", ["", " ", "="])
def test_an_equals_sign_is_no_comparator(vocabulary: Vocabulary, comparator: str) -> None:
    """The number stands as it is."""
    found = one(vocabulary, result("k", valueQuantity=quantity("2.8", comparator=comparator)))
    assert (found.comparator, found.fact.value, found.value) == (None, "2.8", Decimal("2.8"))


@pytest.mark.parametrize(("sent", "meant"), [(" <", "<"), ("\u2264", "<="), ("\u2265 ", ">=")])
def test_a_comparator_is_read_in_every_spelling(vocabulary: Vocabulary, sent: str, meant: str) -> None:
    """Blanks and the typographic signs are taken for what they mean."""
    found = one(vocabulary, result("k", valueQuantity=quantity("2.8", comparator=sent)))
    assert (found.comparator, found.fact.value) == (meant, f"{meant}2.8")


@pytest.mark.parametrize("comparator", ["ad", "~", "=="])
def test_a_number_with_an_unknown_comparator_is_not_used(vocabulary: Vocabulary, comparator: str) -> None:
    """It may be a bound and not the value: the result is kept for its flag, without its number."""
    sent = result("k", valueQuantity=quantity("2.8", comparator=comparator), interpretation=[{"text": "L"}])
    measurements, notes = read(vocabulary, sent)
    assert [(found.value, found.flag) for found in measurements["potassium"]] == [(None, "L")]
    assert notes == [("comparator-not-understood", f"{PATH}.valueQuantity")]


def test_a_panel_is_read_component_by_component(vocabulary: Vocabulary) -> None:
    """Each component has its own value, unit, flag and range, and the date and status of the whole."""
    panel = result("p", None, loinc="24321-2", valueQuantity=None, effectiveDateTime="2026-06-10") | {
        "component": [
            {
                "code": coded((LOINC, "2823-3")),
                "valueQuantity": quantity("2.8"),
                "interpretation": [{"text": "L"}],
            },
            {"code": coded((LOINC, CREATININE)), "valueQuantity": quantity("1.2", "mg/dL")},
            {"code": coded((LOINC, EGFR)), "valueString": ">90"},
            {"code": {"text": "Remark"}, "valueString": "hemolyzed"},
        ]
    }
    measurements, notes = read(vocabulary, panel)
    assert {name: [str(each.value) for each in found] for name, found in measurements.items()} == {
        "potassium": ["2.8"],
        "creatinine": ["106"],
        "egfr": ["None"],
    }
    assert (measurements["potassium"][0].flag, measurements["creatinine"][0].fact.on) == ("L", "2026-06-10")
    assert notes == [("unit-missing", f"{PATH}.component[2]")]


def test_a_coded_panel_without_a_value_of_its_own_is_silent(vocabulary: Vocabulary) -> None:
    """The whole of a panel has no value, and that is no fault."""
    panel = result("k", None, valueQuantity=None) | {
        "component": [{"code": coded((LOINC, TSH)), "valueQuantity": quantity("1.8", "mIU/L")}]
    }
    measurements, notes = read(vocabulary, panel)
    assert values(vocabulary, panel, lab="tsh") == ["1.8"]
    assert (measurements["potassium"], notes) == ((), [])


@pytest.mark.parametrize(
    ("members", "on"),
    [
        ({"effectiveDateTime": "2026-06-12T08:30:00+02:00"}, "2026-06-12"),
        ({"effectiveDateTime": "2026-06"}, "2026-06"),
        ({"effectiveDateTime": "2026"}, "2026"),
        ({"effectiveInstant": "2026-06-11T08:30:00Z"}, "2026-06-11"),
        ({"effectivePeriod": {"start": "2026-06-09", "end": "2026-06-10"}}, "2026-06-10"),
        ({"effectivePeriod": {"start": "2026-06-09"}}, "2026-06-09"),
        ({"issued": "2026-06-08T10:00:00Z"}, "2026-06-08"),
        ({"effectiveDateTime": "2026-06-12", "issued": "2026-06-14T10:00:00Z"}, "2026-06-12"),
    ],
)
def test_the_time_of_the_sample_is_preferred(
    vocabulary: Vocabulary, members: dict[str, Any], on: str
) -> None:
    """Taken comes before issued, in each form that FHIR has, and a date that is none is passed over."""
    found = one(vocabulary, result("k", **{"effectiveDateTime": None, **members}))
    assert found.fact.on == on
    assert found.taken is not None


def test_a_broken_date_is_noted_beside_the_one_that_counts(vocabulary: Vocabulary) -> None:
    """Issued stands in for a sample time that is no date."""
    sent = result("k", effectiveDateTime="last week", issued="2026-06-08T10:00:00Z")
    measurements, notes = read(vocabulary, sent)
    assert [found.fact.on for found in measurements["potassium"]] == ["2026-06-08"]
    assert notes == [("date-not-understood", f"{PATH}.effectiveDateTime")]


@pytest.mark.parametrize("date", [None, "soon", "2026-02-30", "2026-0", "20260612"])
def test_a_result_without_a_date_is_noted_however_many_are_newer(
    vocabulary: Vocabulary, date: str | None
) -> None:
    """It may be the newest of all: it is not left out in silence because others are read first."""
    others = [result(f"k{day}", effectiveDateTime=f"2026-06-{day:02}") for day in range(1, 9)]
    _measurements, notes = read(vocabulary, result("u", effectiveDateTime=date), *others)
    assert notes == [
        ("undated-result", PATH) if date is None else ("date-not-understood", f"{PATH}.effectiveDateTime")
    ]


@pytest.mark.parametrize("date", [None, "", "soon", "2026-02-30"])
def test_an_undated_result_is_kept_and_noted(vocabulary: Vocabulary, date: str | None) -> None:
    """It can be shown, but nothing can be dated by it; it comes behind every dated one."""
    undated = result("u", "9.9", effectiveDateTime=date)
    measurements, notes = read(vocabulary, undated, result("k", "2.8", effectiveDateTime="1999"))
    assert [str(each.value) for each in measurements["potassium"]] == ["2.8", "9.9"]
    assert measurements["potassium"][1].taken is None
    assert notes == [
        ("date-not-understood", f"{PATH}.effectiveDateTime") if date else ("undated-result", PATH)
    ]


@pytest.mark.parametrize(
    ("date", "is_used"),
    [
        ("2026-06-15", True),
        ("2026-06-16", True),
        ("2026-06-17", False),
        ("2026-06-16T23:59:00Z", True),
        ("2026-06-16T23:59:00-05:00", False),
        ("2026-06", True),
        ("2026", True),
        ("2026-07", False),
        ("2027", False),
        ("9999-12-31", False),
    ],
)
def test_a_result_of_the_future_is_not_used(vocabulary: Vocabulary, date: str, is_used: bool) -> None:
    """One day is allowed for time zones; what must lie later is left out with a note."""
    measurements, notes = read(vocabulary, result("k", effectiveDateTime=date))
    assert bool(measurements["potassium"]) is is_used
    assert notes == ([] if is_used else [("future-result", PATH)])


@pytest.mark.parametrize(
    ("value", "unit", "is_used"),
    [
        *(
            ("1.0", "mmol/L", True),
            ("10.0", "mmol/L", True),
            ("0.9", "mmol/L", False),
            ("10.1", "mmol/L", False),
        ),
        *(
            ("-4.2", "mmol/L", False),
            ("0", "mmol/L", False),
            ("1e400", "mmol/L", False),
            ("39.4", "mg/dL", False),
        ),
        *(("39.1", "mg/dL", True), ("1e999999", "grains", False), ("1e-999999", "grains", False)),
    ],
)
def test_an_implausible_value_is_not_believed(
    vocabulary: Vocabulary,
    value: str,
    unit: str,
    is_used: bool,
) -> None:
    """Outside the plausible window, after conversion, a value is a slip of unit or point and not a disease."""
    measurements, notes = read(vocabulary, result("k", value, unit))
    assert bool(measurements["potassium"]) is is_used
    assert notes == ([] if is_used else [("value-implausible", f"{PATH}.valueQuantity")])


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (quantity("2.8", None), "unit-missing"),
        (quantity("2.8", " "), "unit-missing"),
        (quantity("2.8", "grains"), "unit-not-understood"),
        (quantity("2.8", "mmol/L", system=UCUM, code="grains"), "unit-not-understood"),
        (quantity(None, "mmol/L"), "value-missing"),
        ({}, "value-missing"),
    ],
)
def test_without_a_number_the_flag_still_speaks(vocabulary: Vocabulary, sent: Any, note: str) -> None:
    """A unit is never guessed: the number is not interpreted, what was reported is shown, and the flag is kept."""
    flagged = result("k", valueQuantity=sent, interpretation=[coded((INTERPRETATION, "LL"))])
    measurements, notes = read(vocabulary, flagged)
    (found,) = measurements["potassium"]
    assert (found.value, found.flag, found.flag_critical) == (None, "LL", True)
    assert (found.fact.value, found.fact.canonical) == ("2.8" if "value" in sent else None, None)
    assert notes == [(note, f"{PATH}.valueQuantity")]


@pytest.mark.parametrize(
    ("members", "note"),
    [
        ({"valueString": "hemolyzed"}, "value-not-a-quantity"),
        ({"valueString": "2+"}, "value-not-a-quantity"),
        ({"valueString": "0-5"}, "value-not-a-quantity"),
        ({"valueString": "2,8 mmol/L"}, "value-not-a-quantity"),
        ({"valueCodeableConcept": {"text": "low"}}, "value-not-a-quantity"),
        ({"dataAbsentReason": {"text": "hemolyzed"}}, "value-absent-other"),
        ({"dataAbsentReason": coded(("d", "not-performed"))}, "value-absent-not-performed"),
        ({"dataAbsentReason": coded(("d", "masked"), text="secret")}, "value-absent-masked"),
        ({}, "value-missing"),
    ],
)
def test_a_result_without_a_quantity_is_noted(vocabulary: Vocabulary, members: Any, note: str) -> None:
    """Words are no number, and nothing is nothing; both say what to send."""
    assert read(vocabulary, result("k", **{"valueQuantity": None, **members})) == (
        {"potassium": ()},
        [(note, PATH)],
    )


def test_results_come_newest_first(vocabulary: Vocabulary) -> None:
    """Whatever precision their dates have, and in whatever order they arrive."""
    dates = [
        "2026-05",
        "2026-06-12",
        "2026-06-12T08:00:00Z",
        "2025-06-12",
        "2026-06-12T09:00:00+05:00",
        "2026-06-14",
    ]
    sent = [result(f"k{at}", str(at + 2), effectiveDateTime=date) for at, date in enumerate(dates)]
    newest = ["7", "4", "6", "3"]
    assert values(vocabulary, *sent) == newest
    assert values(vocabulary, *reversed(sent)) == newest


@pytest.mark.parametrize(
    "dated",
    [
        lambda day: {"effectiveInstant": f"{day}T10:00:00Z"},
        lambda day: {"effectivePeriod": {"start": "2020-01-01", "end": day}},
        lambda day: {"effectivePeriod": {"start": day}},
        lambda day: {"issued": f"{day}T10:00:00Z"},
    ],
    ids=["instant", "period", "start", "issued"],
)
def test_the_newest_is_found_by_every_kind_of_date(vocabulary: Vocabulary, dated: Any) -> None:
    """In a long record the newest result is looked for by whichever date it has."""
    sent = [
        result(f"k{day}", f"{day / 10}", effectiveDateTime=None, **dated(f"2026-06-{day:02}"))
        for day in (12, 11, 14, 13, 15, 10)
    ]
    assert values(vocabulary, *sent)[0] == "1.5"


def test_results_of_one_moment_keep_the_order_of_arrival(vocabulary: Vocabulary) -> None:
    """Two results of one day cannot be told apart, so the answer is the same each time."""
    assert values(vocabulary, *(result(f"k{at}", str(at + 2)) for at in range(5))) == [
        "2",
        "3",
        "4",
        "5",
        "6",
    ]


def test_an_old_result_is_read_when_the_newer_ones_cannot_be_used(vocabulary: Vocabulary) -> None:
    """Looking at the newest first never hides the only usable result behind unusable ones."""
    useless = [
        result(f"e{at}", status="cancelled", effectiveDateTime=f"2026-06-{at + 1:02}") for at in range(10)
    ]
    assert values(vocabulary, *useless, result("k", "2.9", effectiveDateTime="2001-01-01")) == ["2.9"]


def test_a_long_record_yields_its_newest_results(vocabulary: Vocabulary) -> None:
    """Of four hundred results the newest days are read, and those of the last day all together."""
    days = [f"20{year:02}-06-{day:02}" for year in range(10, 25) for day in range(1, 28)]
    found = values(vocabulary, *(result(day, "4.1", effectiveDateTime=day) for day in days))
    assert len(found) < len(days)
    on_one_day = [result(f"k{at}", str(at + 2)) for at in range(6)]
    assert len(values(vocabulary, *on_one_day, result("old", "9.9", effectiveDateTime="2020"))) == 6


@pytest.mark.parametrize(
    ("sent", "shown"),
    [
        (quantity("2.8", "mEq/L"), "mEq/L"),
        (quantity("2.8", "mmol/l", system=UCUM, code="mmol/L"), "mmol/l"),
        (quantity("2.8", "<b>mmol/L</b>", system=UCUM, code="mmol/L"), "mmol/L"),
        (quantity("2.8", "x" * 500, system=UCUM, code="mmol/L"), "mmol/L"),
    ],
)
def test_a_card_shows_no_odd_text_for_a_unit(vocabulary: Vocabulary, sent: Any, shown: str) -> None:
    """The printed unit is shown where it looks like one, else the one that was understood."""
    assert one(vocabulary, result("k", valueQuantity=sent)).fact.unit == shown


@pytest.mark.parametrize(
    ("unit", "shown"), [("grains", "grains"), ("x" * 31, None), ("<b>", None), ("a\nb", None)]
)
def test_an_odd_unit_that_was_not_understood_is_not_shown(
    vocabulary: Vocabulary, unit: str, shown: str | None
) -> None:
    """What may be a unit is shown with the value that nobody could interpret; anything else is left out."""
    measurements, _notes = read(vocabulary, result("k", "2.8", unit))
    assert [each.fact.unit for each in measurements["potassium"]] == [shown]


def test_a_component_without_a_value_is_noted(vocabulary: Vocabulary) -> None:
    """A part of a panel that should have a value and has none is named by its place."""
    panel = result("p", None, loinc="24321-2", valueQuantity=None) | {
        "component": [{"code": coded((LOINC, TSH))}]
    }
    assert read(vocabulary, panel) == ({"tsh": ()}, [("value-missing", f"{PATH}.component[0]")])


@pytest.mark.parametrize(
    ("title", "what"),
    [("Total calcium", "total calcium"), ("TSH", "TSH"), ("eGFR", "eGFR"), ("Vitamin D", "vitamin D")],
)
def test_a_fact_is_named_like_its_lab(knowledge: Knowledge, title: str, what: str) -> None:
    """The title of a lab starts small within a sentence, unless it is an abbreviation."""
    lab = define_lab("potassium", title=title, plausible={})
    vocabulary = Vocabulary(msgspec.structs.replace(knowledge, labs={"potassium": lab}))
    found = one(vocabulary, result("k", "5000"))
    assert (found.fact.what, found.value) == (what, Decimal(5000))


def test_an_unknown_code_is_no_lab(vocabulary: Vocabulary) -> None:
    """Other results, and results by text only, are not taken for one of ours."""
    others = [result("a", loinc="718-7"), result("b", code={"text": "Potassium"})]
    assert read(vocabulary, *others) == ({}, [])


def test_a_code_that_says_nothing_is_noted_each_time(vocabulary: Vocabulary) -> None:
    """What a repeated code means is looked up once; that it names nothing is noted of every result."""
    empty = {"coding": [{"system": LOINC}]}
    assert read(vocabulary, result("a", code=empty), result("b", code=empty)) == (
        {},
        [
            (code, f"prefetch.labs.entry[{place}].resource.{where}")
            for place in (0, 1)
            for code, where in (("code-missing", "code.coding[0]"),)
        ],
    )


def test_a_value_of_nothing_is_noted(vocabulary: Vocabulary) -> None:
    """A result, or a part of one, that does not say what was measured is a result that is lost."""
    part = {"valueQuantity": quantity("2.8")}
    panel = result("p", None, valueQuantity=None, loinc="718-7") | {"component": [part]}
    assert read(vocabulary, result("c", code=None), panel)[1] == [
        ("code-missing", f"{PATH}.code"),
        ("code-missing", "prefetch.labs.entry[1].resource.component[0].code"),
    ]


@settings(max_examples=80)
@given(
    st.sampled_from(
        [
            "status",
            "valueQuantity",
            "effectiveDateTime",
            "interpretation",
            "referenceRange",
            "component",
            "category",
        ]
    ),
    json_values(),
)
def test_any_json_in_any_element_costs_that_result_at_most(
    vocabulary: Vocabulary, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one result, the result beside it is read as ever."""
    sound = result("sound", "3.1", effectiveDateTime="2026-06-10")
    measurements, _notes = read(vocabulary, result("odd") | {name: wrong}, sound)
    assert "3.1" in [str(each.value) for each in measurements["potassium"]]
