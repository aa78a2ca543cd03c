"""Shapes in which real records come, one by one: each is used as it was meant, or noted, and never guessed at."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.fhir.conditions import ConditionReader
from cds_service.fhir.labs import LabReader
from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.orders import read_orders
from cds_service.fhir.resources import Intake
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.library import load
from cds_service.model.facts import Measurement, RecordedCondition
from tests.support.places import CARDS
from tests.unit.fhir.records import (
    AS_OF,
    ICD10CM,
    LOINC,
    PATIENT,
    RXNORM,
    SNOMED,
    TODAY,
    UCUM,
    asked,
    bundle,
    coded,
    condition,
    intake,
    notes_of,
    quantity,
    result,
)

PATH = "prefetch.labs.entry[0].resource"
LOCAL = "urn:local"
FUROSEMIDE = (RXNORM, "4603")


@pytest.fixture(scope="module")
def words() -> Vocabulary:
    """The shipped content, compiled for reading: its phrases are what real records meet."""
    return Vocabulary(load(CARDS, "test", AS_OF.date()))


def measured(vocabulary: Vocabulary, *results: Any) -> tuple[dict[str, list[Measurement]], list[str]]:
    """Return the measurements by lab, without the labs that have none, and the codes of the notes."""
    found = intake(labs=bundle(*results))
    read = LabReader(vocabulary, found, TODAY).measurements()
    return {lab: list(each) for lab, each in read.items() if each}, [note.code for note in found.notes]


def recorded(vocabulary: Vocabulary, **members: Any) -> tuple[list[RecordedCondition], list[str]]:
    """Return what one Condition of the problem list is read as, and the codes of the notes."""
    sent = {name: each for name, each in (condition("c") | members).items() if each is not None}
    found = intake(problems=bundle(sent))
    return ConditionReader(vocabulary, found, TODAY).conditions(), [note.code for note in found.notes]


@pytest.mark.parametrize(
    ("code", "value", "unit", "lab"),
    [
        (coded((LOINC, "6298-4")), "4.2", "mmol/L", "potassium"),
        (coded((LOINC, "49765-1")), "9.6", "mg/dL", "calcium-total"),
        (coded((LOINC, "38483-4")), "1.0", "mg/dL", "creatinine"),
        (coded((LOINC, "2947-0")), "140", "mmol/L", "sodium"),
        (coded((LOINC, "33914-3")), "80", "mL/min", "egfr"),
        (coded((LOINC, "\t\n2823-3")), "4.2", "mmol/L", "potassium"),
        (coded((LOINC, "\ufffd2823-3")), "4.2", "mmol/L", "potassium"),
        (coded((LOINC, "2823-3\u200b")), "4.2", "mmol/L", "potassium"),
        (coded(("LOINC", "2823-3")), "4.2", "mmol/L", "potassium"),
        (coded(("http: //loinc.org", "2823-3")), "4.2", "mmol/L", "potassium"),
        (coded(("https://loinc.org/", "2823-3")), "4.2", "mmol/L", "potassium"),
        (coded(("urn:oid:2.16.840.1.113883.6.1", "2823-3")), "4.2", "mmol/L", "potassium"),
        (coded((LOCAL, "1"), (LOINC, "2823-3"), text="Potassium Level"), "4.2", "mmol/L", "potassium"),
    ],
)
def test_a_code_is_known_in_the_spellings_that_are_sent(
    words: Vocabulary, code: Any, value: str, unit: str, lab: str
) -> None:
    """Whole blood or serum, with blanks, a lost character, no width, or a system written by its name."""
    found, notes = measured(words, result("o", code=code, valueQuantity=quantity(value, unit)))
    assert ({name: [one.fact.by_text for one in each] for name, each in found.items()}, notes) == (
        {lab: [False]},
        [],
    )


@pytest.mark.parametrize(
    ("code", "value", "unit", "lab"),
    [
        (coded((SNOMED, "196411000000103"), text="Serum potassium"), "4.2", "mmol/L", "potassium"),
        (coded((LOCAL, "21704910"), display="Potassium Level"), "13.2", "mg/dL", "potassium"),
        (coded(text="BR- E-GFR"), "80", "mL/min/1.73m2", "egfr"),
        (coded(text="BR- E-GFR, AFRICAN AMERICAN"), "80", "mL/min/1.73m2", "egfr"),
        (coded(text="Serum adjusted calcium concentration"), "2.4", "mmol/L", "calcium-adjusted"),
        (coded(text="Serum TSH level"), "1.2", "milli enzyme unit per liter", "tsh"),
        (coded(text="Serum vitamin B12"), "300", "nanogram per liter", "vitamin-b12"),
        (coded(text="Creatine kinase"), "90", "U/L", "creatine-kinase"),
        (coded((LOINC, "N/A"), text="Potassium"), "4.2", "mmol/L", "potassium"),
        (coded((LOINC, "1271AAAA"), text="Potassium"), "4.2", "mmol/L", "potassium"),
    ],
)
def test_where_no_code_is_known_the_words_tell(
    words: Vocabulary, code: Any, value: str, unit: str, lab: str
) -> None:
    """A local, degraded or missing code leaves the words; the result is marked as known by them only."""
    found, notes = measured(words, result("o", code=code, valueQuantity=quantity(value, unit)))
    assert notes == []
    assert {name: [(one.fact.by_text, one.certain) for one in each] for name, each in found.items()} == {
        lab: [(True, False)]
    }


def test_the_words_beside_a_repeated_code_are_read_each_time(words: Vocabulary) -> None:
    """A code of nobody's that comes with two names stands for two results."""
    results = [
        result(name, code=coded((LOCAL, "17"), text=name), valueQuantity=quantity(value))
        for name, value in (("potassium", "4.2"), ("sodium", "139"))
    ]
    found, notes = measured(words, *results)
    assert notes == []
    assert {lab: [str(one.value) for one in each] for lab, each in found.items()} == {
        "potassium": ["4.2"],
        "sodium": ["139"],
    }


@pytest.mark.parametrize(
    ("code", "unit", "members", "notes"),
    [
        (coded(text="CK-MB"), "ng/mL", {}, []),
        (coded(text="CK MB Percent"), "%", {}, []),
        (coded(text="Urine potassium"), "mmol/L", {}, []),
        (coded(text="Potassium, 24 hour urine"), "mmol/L", {}, []),
        (coded(text="Alkaline phosphatase"), "U/L", {}, []),
        (coded(text="Urine albumin/creatinine ratio"), "mg/mmol", {}, []),
        (coded(text="Potassium and sodium"), "mmol/L", {}, ["lab-ambiguous"]),
        (coded(text="Potassium"), None, {}, ["unit-missing"]),
        (coded(text="Potassium"), "%", {}, ["unit-not-understood"]),
        (coded((LOINC, "99999-9"), text="Potassium"), "mmol/L", {}, []),
        (coded(text="Potassium"), "mmol/L", {"category": [coded((LOCAL, "social-history"))]}, []),
    ],
)
def test_words_that_may_mean_something_else_are_not_used(
    words: Vocabulary, code: Any, unit: str | None, members: Any, notes: list[str]
) -> None:
    """Another specimen, an isoenzyme, two names, no fitting unit, or a LOINC code that is not ours."""
    sent = result("o", code=code, valueQuantity=quantity("4.2", unit), **members)
    assert measured(words, sent) == ({}, notes)


@pytest.mark.parametrize(
    "code",
    [
        coded((LOINC, "2823-3"), display="Phosphate [Mass/volume] in Serum"),
        coded((LOINC, "2823-3"), text="Urine potassium"),
        coded((LOINC, "15074-8"), display="Creatinine [Mass/volume] in Urine", text="Creatinine"),
        coded((LOINC, "17861-6"), text="Ionised calcium"),
    ],
)
def test_a_display_that_contradicts_the_code_is_noted_and_nothing_is_used(
    words: Vocabulary, code: Any
) -> None:
    """Which of the two is wrong cannot be known."""
    sent = result("o", code=code, valueQuantity=quantity("4.2", "mmol/L"))
    assert measured(words, sent) == ({}, ["display-contradicts-code"])


def test_the_creatinine_order_behind_an_egfr_is_no_contradiction(words: Vocabulary) -> None:
    """A second coding that names the sample's order does not unsay the first."""
    code = coded((LOINC, "33914-3"), display="Glomerular filtration rate")
    code["coding"].append({"system": LOCAL, "code": "09015C", "display": "Creatinine (B)"})
    found, notes = measured(words, result("o", "32", "mL/min/1.73m2", code=code))
    assert ([*found], notes) == (["egfr"], [])


@pytest.mark.parametrize("flag", [None, "N"])
def test_the_band_of_a_kidney_stage_is_no_normal_range(words: Vocabulary, flag: str | None) -> None:
    """An eGFR of 32 with the range 30-59 is not in range, whatever its flag says."""
    band = {
        "low": quantity("30", "mL/min/1.73\u33a1"),
        "high": quantity("59", "mL/min/1.73\u33a1"),
        "text": "[N:60,s3:30~59][]",
    }
    sent = result("o", "32", "mL/min/1.73m2", "33914-3", referenceRange=[band])
    if flag:
        sent["interpretation"] = [{"text": flag}]
    found, notes = measured(words, sent)
    (egfr,) = found["egfr"]
    assert ((egfr.low, egfr.high, egfr.flag), notes) == ((None, None, None), ["range-not-usable"])


@pytest.mark.parametrize(
    "ranges",
    [
        [{"low": quantity("0"), "high": quantity("0")}],
        [{"text": "[N:60,s3:30~59]"}],
        [
            {"low": quantity("3.5"), "high": quantity("5.3")},
            {"low": quantity("3.0"), "high": quantity("5.0")},
        ],
        [{"text": "3.5-5.3"}, {"text": "3.0-5.0"}],
    ],
    ids=["0-0", "words", "two", "two in words"],
)
def test_a_range_that_cannot_be_used_is_noted(words: Vocabulary, ranges: Any) -> None:
    """The result stays, without a range of its own."""
    found, notes = measured(words, result("o", "4.2", referenceRange=ranges))
    (potassium,) = found["potassium"]
    assert ((potassium.low, potassium.high), notes) == ((None, None), ["range-not-usable"])


@pytest.mark.parametrize(
    ("sent", "loinc", "value", "note"),
    [
        (quantity("9.6", "mq/dL", system=UCUM, code="mg/dL"), "17861-6", "2.40", None),
        (quantity("9.6", "MG/DL", system=UCUM, code="Mg/dl"), "17861-6", "2.40", None),
        (
            quantity("9.6", "mg/dL", system="http://unitsofmeasure.org/", code="mg/dL"),
            "17861-6",
            "2.40",
            None,
        ),
        (quantity("2.4", "mmol/L", system=UCUM, code="mg/dL"), "17861-6", "None", "unit-mismatch"),
        (quantity("2.4", "mmol/L", system=LOCAL, code="mg/dL"), "17861-6", "None", "unit-mismatch"),
        (quantity("9.6", None, system=LOCAL, code="mg/dL"), "17861-6", "2.40", None),
        (quantity("9.6", " mg / dL"), "17861-6", "2.40", None),
        (
            quantity("238", "millimole per liter", system=UCUM, code="mmol/L"),
            "17861-6",
            None,
            "value-implausible",
        ),
        (quantity("22", "mmol/L"), "2823-3", None, "value-implausible"),
        (quantity("-4", "mmol/L"), "2823-3", None, "value-implausible"),
        (quantity("0", "mmol/L"), "14879-1", None, "value-implausible"),
        ({"value": "4.2", "unit": "mmol/L"}, "2823-3", "4.2", None),
        (quantity("1234567890123456789", "mmol/L"), "15074-8", None, "value-implausible"),
        (quantity("2", "mEq/L"), "19123-9", "1.00", None),
        (quantity("80", "umol/L", system=SNOMED, code="258814008"), "2160-0", "80", None),
        (quantity("80", "\u00b5mol/l"), "2160-0", "80", None),
        (quantity("80", "\u03bcmol/l"), "2160-0", "80", None),
    ],
)
def test_a_unit_is_read_as_sent_and_never_guessed(
    words: Vocabulary, sent: Any, loinc: str, value: str | None, note: str | None
) -> None:
    """Spelled oddly it counts; two units that differ, and values that cannot be, are noted."""
    found, notes = measured(words, result("o", loinc=loinc, valueQuantity=sent))
    read = [str(one.value) for each in found.values() for one in each]
    assert (read, notes) == ([] if value is None else [value], [] if note is None else [note])


@pytest.mark.parametrize(
    ("text", "loinc", "value"),
    [
        (">20", "2823-3", "None"),
        ("4.2 mmol/L", "2823-3", "4.2"),
        ("4.2mmol/L", "2823-3", "4.2"),
        ("> 90 mL/min/1.73m2", "33914-3", "90"),
        ("\u2265 90 mL/min/1.73m2", "33914-3", "90"),
        ("2+", "2823-3", None),
        ("0-5", "2823-3", None),
        ("4,2 mmol/L", "2823-3", None),
        ("see comment", "2823-3", None),
    ],
)
def test_a_number_in_a_string_counts_if_nothing_else_stands_there(
    words: Vocabulary, text: str, loinc: str, value: str | None
) -> None:
    """With its comparator and unit; without a unit it is kept as reported, and what is no number is noted."""
    found, notes = measured(words, result("o", loinc=loinc, valueQuantity=None, valueString=text))
    read = [str(one.value) for each in found.values() for one in each]
    assert read == ([] if value is None else [value])
    assert notes == (
        [] if value not in {None, "None"} else ["unit-missing" if value else "value-not-a-quantity"]
    )


def report(*contained: Any, **members: Any) -> dict[str, Any]:
    """Return a report that holds its results."""
    return {
        "resourceType": "DiagnosticReport",
        "id": "r1",
        "status": "final",
        "subject": {"reference": f"Patient/{PATIENT}"},
        "effectiveDateTime": "2026-06-11",
        "contained": list(contained),
        **members,
    }


def test_results_inside_a_report_are_results(words: Vocabulary) -> None:
    """They have the date of the report where they have none, and are found in it."""
    inner = result("i", "2.8", subject=None, effectiveDateTime=None)
    found, notes = measured(words, report({"resourceType": "Specimen", "id": "s"}, inner))
    (potassium,) = found["potassium"]
    assert (str(potassium.value), potassium.fact.on, potassium.fact.reference) == (
        "2.8",
        "2026-06-11",
        "DiagnosticReport/r1",
    )
    assert notes == []


@pytest.mark.parametrize(
    ("sent", "note"),
    [
        (report(result("i"), status="entered-in-error"), "status-not-usable"),
        (report(result("i", subject={"reference": "Patient/other"})), "other-patient"),
    ],
)
def test_results_inside_what_is_not_ours_are_not_used(words: Vocabulary, sent: Any, note: str) -> None:
    """A report in error, or a stranger's result in the patient's report."""
    assert measured(words, sent) == ({}, [note])


@pytest.mark.parametrize(
    ("status", "is_active", "notes"),
    [
        (None, True, []),
        ("active", True, []),
        ("resolved", False, []),
        (coded((LOCAL, "over"), display="Inactive"), False, []),
        (coded((SNOMED, "55561003"), display="Active"), True, []),
        (coded((SNOMED, "81323004")), True, ["status-not-understood"]),
        ("this_is_invalid", True, ["status-not-understood"]),
    ],
)
def test_a_clinical_status_is_read_in_every_form(
    words: Vocabulary, status: Any, is_active: bool, notes: list[str]
) -> None:
    """Missing, a bare word, another system's code with its display; what is not understood ends nothing."""
    found, noted = recorded(words, code={"text": "Chronic kidney disease stage 4"}, clinicalStatus=status)
    assert ({one.active for one in found}, noted) == ({is_active}, notes)


def test_active_with_an_end_in_the_past_is_over(words: Vocabulary) -> None:
    """Whole record systems leave the status behind."""
    found, _ = recorded(
        words, code={"text": "Chronic kidney disease stage 4"}, abatementDateTime="2020-01-01"
    )
    assert {one.active for one in found} == {False}


@pytest.mark.parametrize(
    ("members", "onset", "notes"),
    [
        ({"onsetString": "2020-03"}, "2020-03", []),
        ({"onsetString": "as a child"}, None, ["onset-not-a-date"]),
        ({"onsetAge": {"value": 40, "unit": "years"}}, None, ["onset-not-a-date"]),
        ({"onsetPeriod": {"start": "2020"}}, "2020", []),
    ],
)
def test_an_onset_that_is_no_date_is_noted(
    words: Vocabulary, members: Any, onset: str | None, notes: list[str]
) -> None:
    """An age or words place nothing in time."""
    found, noted = recorded(words, code={"text": "Chronic kidney disease stage 4"}, **members)
    assert [one.onset.text if one.onset else None for one in found] == [onset]
    assert noted == notes


@pytest.mark.parametrize(
    "coding",
    [
        (ICD10CM, "N184"),
        ("urn:oid:2.16.840.1.113883.6.90", "N18.4"),
        ("icd-10", "N18.4"),
        (ICD10CM, " N18.4\t"),
        ("http://hl7.org/fhir/sid/icd-10-cm/", "n184"),
    ],
)
def test_an_icd_code_is_known_without_dot_and_by_every_name_of_its_system(
    words: Vocabulary, coding: tuple[str, str]
) -> None:
    """N184 is N18.4."""
    found, _ = recorded(words, code=coded(coding))
    assert [one.fact.by_text for one in found] == [False]


def test_a_root_code_leaves_the_display_to_tell(words: Vocabulary) -> None:
    """A code that only says "finding" is no code of ours; its display counts as words, and is marked."""
    found, _ = recorded(words, code=coded((SNOMED, "404684003"), display="Chronic kidney disease stage 4"))
    assert [one.fact.by_text for one in found] == [True]


@pytest.mark.parametrize(
    "text",
    [
        "Angina pectoris with documented spasm",
        "Right fascicular block",
        "Coronary arteriosclerosis",
        "Age-related nuclear sclerosis",
        "Secondary hyperparathyroidism of renal origin",
        "Family history of amyotrophic lateral sclerosis",
        "Encounter for screening for diabetes mellitus",
        "Pain (shooting, stabbing, or spasms) from your affected hip",
        "Screening for hypothyroidism",
        "Assessment of hyperthyroidism",
    ],
)
def test_words_that_only_look_alike_name_no_presentation_and_no_wrong_disease(
    words: Vocabulary, text: str
) -> None:
    """No vessel, heart block, lens or relative starts a differential or stands for a disease of thyroid or nerve."""
    found = words.problem_text.find(text)
    assert not {name for name in found if name.startswith("presentation:")}, found
    assert not {
        name for name in found if "hypothyroid" in name or "motor-neuron" in name or "hyperthyroid" in name
    }
    assert not {name for name in found if "multiple-sclerosis" in name or "als" in name.split("-")}


def medicines(*resources: Any) -> tuple[Intake, list[str]]:
    """Return the resources of a medication list, laid out."""
    found = intake(medications=bundle(*resources))
    return found, [note.code for note in found.notes]


def order(kind: str = "MedicationRequest", **members: Any) -> dict[str, Any]:
    """Return an order without a medicine."""
    subject = {"reference": f"Patient/{PATIENT}"}
    return {"resourceType": kind, "id": "m", "status": "active", "subject": subject, **members}


PRODUCT = {"resourceType": "Medication", "id": "d1", "code": coded(FUROSEMIDE)}


@pytest.mark.parametrize(
    "sent",
    [
        [
            order(medicationReference={"reference": "urn:uuid:0-1"}),
            {"fullUrl": "urn:uuid:0-1", "resource": PRODUCT},
        ],
        [order(medicationReference={"reference": "Medication/d1"}), PRODUCT],
        [order(medicationReference={"reference": "https://ehr.example/Medication/d1/_history/2"}), PRODUCT],
        [order(medicationReference={"reference": "#d1"}, contained=[PRODUCT])],
        [order(medication={"reference": {"reference": "Medication/d1"}}), PRODUCT],
        [order(medication={"concept": coded(FUROSEMIDE)})],
        [order("MedicationOrder", medicationCodeableConcept=coded(FUROSEMIDE), dateWritten="2026-05-01")],
        [order("MedicationStatement", medicationCodeableConcept=coded(FUROSEMIDE), taken="y")],
        [
            order(medicationReference={"reference": "#x"})
            | {
                "contained": [
                    {
                        "resourceType": "Medication",
                        "id": "x",
                        "ingredient": [{"itemCodeableConcept": coded(FUROSEMIDE)}],
                    }
                ]
            }
        ],
        [
            order(medicationReference={"reference": "#x"})
            | {
                "contained": [
                    {
                        "resourceType": "Medication",
                        "id": "x",
                        "ingredient": [{"item": {"concept": coded(FUROSEMIDE)}}],
                    }
                ]
            }
        ],
        [order(medicationReference={"reference": "Medication/gone", "display": "Furosemide 40 MG"})],
        [order(medicationReference={"display": "Furosemide"})],
        [
            order(medicationReference={"reference": "Medication/ndc", "display": "Furosemide"}),
            {"resourceType": "Medication", "id": "ndc", "code": coded(("http://hl7.org/fhir/sid/ndc", "1"))},
        ],
    ],
)
def test_a_medicine_is_found_wherever_its_name_stands(words: Vocabulary, sent: Any) -> None:
    """Coded, in a resource beside it or inside it, in its ingredients, or as the words of the reference."""
    found, _ = medicines(*sent)
    read = MedicationReader(words, found, TODAY).medications()
    assert [(one.name, one.active) for one in read] == [("furosemide", True)]
    assert found.notes == []


@pytest.mark.parametrize(
    "members",
    [
        {"medicationCodeableConcept": coded(("http://hl7.org/fhir/sid/ndc", "0143-1425"))},
        {"medicationReference": {"reference": "Medication/gone"}},
        {
            "medicationReference": {"reference": "#x"},
            "contained": [{"resourceType": "Medication", "id": "x"}],
        },
        {},
    ],
)
def test_medicines_without_a_name_are_noted_once(words: Vocabulary, members: Any) -> None:
    """Thousands of nameless orders give one note for their kind."""
    found, _ = medicines(order(**members), order(**members) | {"id": "n"})
    assert MedicationReader(words, found, TODAY).medications() == []
    assert notes_of(found.notes) == [("medicine-not-named", "prefetch.medications.entry[0].resource")]


@pytest.mark.parametrize(
    ("kind", "members"),
    [
        ("MedicationStatement", {"taken": "n"}),
        ("MedicationStatement", {"wasNotTaken": True}),
        ("MedicationStatement", {"adherence": {"code": coded((LOCAL, "not-taking"))}}),
        ("MedicationRequest", {"doNotPerform": True}),
    ],
)
def test_what_is_not_taken_is_no_medicine(words: Vocabulary, kind: str, members: Any) -> None:
    """Each version of FHIR has its own word for it."""
    found, _ = medicines(order(kind, medicationCodeableConcept=coded(FUROSEMIDE), **members))
    assert MedicationReader(words, found, TODAY).medications() == []


@pytest.mark.parametrize(
    "sent",
    [
        asked("s", text="Serum potassium"),
        asked("s", text="Serum potassium") | {"resourceType": "ProcedureRequest"},
        asked("s") | {"code": {"concept": {"text": "Serum potassium"}}},
        asked("s")
        | {
            "resourceType": "DiagnosticOrder",
            "status": "requested",
            "item": [{"code": {"text": "Serum potassium"}}],
        },
    ],
    ids=["R4", "STU3", "R5", "DSTU2"],
)
def test_a_request_is_read_in_every_version(words: Vocabulary, sent: Any) -> None:
    """Its type, its status and the place of its code have changed four times."""
    sent = {name: each for name, each in sent.items() if each != {} or name != "code"}
    read = read_orders(words, intake(serviceRequests=bundle(sent)))
    assert ["potassium" in {*one.orders, *one.labs} for one in read] == [True]


def test_a_subject_without_a_reference_is_used_and_noted_once() -> None:
    """Who is known by an identifier only is taken for the patient who was asked for."""
    nameless = {"identifier": {"value": "12"}}
    found = intake(labs=bundle(result("a", subject=nameless), result("b", subject=nameless)))
    assert len(found.of("Observation")) == 2
    assert [note.code for note in found.notes] == ["subject-not-referenced"]
