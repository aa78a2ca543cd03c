"""The case files are read strictly, and what is built from them keeps what they say."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.support.case_files import CaseError, decoys, read_yaml, refuse_unknown_keys
from tests.support.json_text import from_json, to_json
from tests.support.observations import lab, vital
from tests.support.patients import bundle, hook_request
from tests.support.resources import Subject, condition, medication_request, medication_statement
from tests.support.terminology import NoCodeError, codings, drug_coding, lab_coding

SUBJECT = Subject(patient_id="x-patient", encounter_id="x-encounter", as_of="2026-06-15T10:00:00Z")
CASE: dict[str, Any] = {
    "id": "X01",
    "title": "a case",
    "as_of": "2026-06-15T10:00:00Z",
    "hook": "patient-view",
    "patient": {"sex": "male", "born": "1990-01-01"},
    "recording": [{"text": "Muscle cramp"}],
    "expect": {"cards": 1},
}


@pytest.mark.parametrize(
    "change",
    [
        {"lab": []},
        {"patient": {"sex": "male", "birthdate": "1990-01-01"}},
        {"labs": [{"lab": "potassium", "values": "4.2"}]},
        {"labs": [{"lab": "potassium", "value": 4.2}]},
        {"expect": {"ranks": []}},
    ],
)
def test_what_nobody_would_read_is_refused(change: dict[str, Any]) -> None:
    """A key that is not known and a number that is not quoted raise an error that names the place."""
    refuse_unknown_keys(CASE, "X01.yaml")
    with pytest.raises(CaseError, match=r"X01\.yaml"):
        refuse_unknown_keys(CASE | change, "X01.yaml")


def test_a_key_given_twice_is_refused(tmp_path: Path) -> None:
    """YAML would silently keep the second value."""
    path = tmp_path / "twice.yaml"
    path.write_text("level: info\nlevel: critical\n", encoding="utf-8")
    with pytest.raises(CaseError, match="given twice"):
        read_yaml(path)


def test_there_are_decoys_enough_and_controls() -> None:
    """At least twelve recordings must stay silent, and some must not, so that silence proves something."""
    expected = [case["expect"] for case in decoys()]
    assert expected.count({"cards": 0}) >= 12
    assert expected.count({"cards_min": 1}) >= 3


def test_numbers_keep_their_digits() -> None:
    """A value written as 0.70 is read back as 0.70, and text that looks like a number stays text."""
    text = to_json({"value": Decimal("0.70"), "code": "0.70", "count": 2})
    assert '"value": 0.70,' in text
    assert str(from_json(text)) == "{'value': Decimal('0.70'), 'code': '0.70', 'count': 2}"
    with pytest.raises(TypeError, match="object has no place"):
        to_json({"value": object()})


def test_a_condition_entered_in_error_has_no_clinical_status() -> None:
    """FHIR R4 forbids a clinical status there; a refuted one keeps it, so that only the verification speaks."""
    assert "clinicalStatus" not in condition({"text": "x", "verification": "entered-in-error"}, SUBJECT, "c1")
    refuted = condition({"text": "x", "verification": "refuted"}, SUBJECT, "c1")
    assert refuted["clinicalStatus"]["coding"][0]["code"] == "active"


def test_a_blood_pressure_has_two_components() -> None:
    """The first number is the systolic one, and neither stands for the whole."""
    built = vital({"pressure": "168/112", "date": "2026-06-15"}, SUBJECT, "v1")
    shown = [
        (part["code"]["coding"][0]["code"], str(part["valueQuantity"]["value"]))
        for part in built["component"]
    ]
    assert shown == [("8480-6", "168"), ("8462-4", "112")]
    assert "valueQuantity" not in built


def test_a_laboratory_result_in_words_has_no_number() -> None:
    """What the laboratory wrote stands in the value, and the name of the test in the code."""
    built = lab({"text": "Urine protein dipstick", "value": "3+", "date": "2026-06-15"}, SUBJECT, "l1")
    assert (built["code"], built["valueString"]) == ({"text": "Urine protein dipstick"}, "3+")


@pytest.mark.parametrize("given", [{"started": "2026-01-02"}, {"ended": "2026-06-09"}, {}])
def test_the_days_of_a_medicine_stand_where_they_were_given(given: dict[str, str]) -> None:
    """An order bounds its dosage and a statement its period, with neither day where neither is known."""
    names = {"started": "start", "ended": "end"}
    period = {names[name]: day for name, day in given.items()} or None
    order = medication_request({"text": "x", **given}, SUBJECT, "m1")
    dosage = order.get("dosageInstruction", [{}])[0]
    assert dosage.get("timing", {}).get("repeat", {}).get("boundsPeriod") == period
    assert medication_statement({"text": "x", **given}, SUBJECT, "m2").get("effectivePeriod") == period


def test_patient_view_carries_the_problem_in_the_record() -> None:
    """That hook has no conditions in its context: the recorded problem comes with the problem list."""
    request = hook_request(CASE)
    assert "conditions" not in request["context"]
    assert request["prefetch"]["problems"]["total"] == 1
    assert [entry["resource"]["resourceType"] for entry in bundle(CASE)["entry"]] == [
        "Patient",
        "Encounter",
        "Condition",
    ]


@pytest.mark.parametrize(
    ("lab", "unit", "display"),
    [
        ("potassium", "mmol/L", "Potassium [Moles/volume] in Serum or Plasma"),
        ("phosphate", "mg/dL", "Phosphate [Mass/volume] in Serum or Plasma"),
        ("calcium-adjusted", "mmol/L", "Calcium [Moles/volume] corrected for albumin in Serum or Plasma"),
    ],
)
def test_a_lab_gets_the_plain_code_that_fits_its_unit(lab: str, unit: str, display: str) -> None:
    """Mass and amount of substance have codes of their own, and serum comes before blood."""
    assert lab_coding(lab, unit)["display"] == display


def test_a_code_that_the_tables_do_not_hold_is_an_error() -> None:
    """A case cannot use a code, a drug or a choice of roots that the shipped tables do not give."""
    for call in (
        lambda: codings("conditions/multiple_sclerosis", ["1"]),
        lambda: codings("conditions/ckd_4_5_esrd"),
        lambda: drug_coding("no such drug"),
        lambda: lab_coding("tsh", "mmol/L"),
    ):
        with pytest.raises(NoCodeError):
            call()
