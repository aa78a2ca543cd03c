"""Medicines are named by ingredient, by code before words, and what is not taken is no medicine."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.medications import MedicationReader
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import Medication
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import RXNORM, TODAY, bundle, coded, intake, medicine, notes_of

FUROSEMIDE = (RXNORM, "4603")
HYDROCHLOROTHIAZIDE = (RXNORM, "5487")
LOCAL = ("http://ehr.example.org/drugs", "42")
PATH = "prefetch.medications.entry[0].resource"
KINDS = ("MedicationRequest", "MedicationStatement")


def read(vocabulary: Vocabulary, *sent: Any) -> tuple[list[Medication], list[tuple[str, str]]]:
    """Return the medicines, and the notes."""
    found = intake(medications=bundle(*sent))
    return MedicationReader(vocabulary, found, TODAY).medications(), notes_of(found.notes)


def one(vocabulary: Vocabulary, *sent: Any) -> Medication:
    """Return the one medicine of these resources; nothing may be noted."""
    medicines, notes = read(vocabulary, *sent)
    assert notes == []
    (found,) = medicines
    return found


def named(vocabulary: Vocabulary, text: str | None, *codings: tuple[str, str]) -> tuple[set[str], str] | None:
    """Return the value sets and the name of a medicine; None when the content does not know it."""
    medicines, notes = read(vocabulary, medicine("MedicationRequest", "m", text, *codings))
    assert notes == []
    return (set(medicines[0].value_sets), medicines[0].name) if medicines else None


@pytest.mark.parametrize("kind", KINDS)
def test_a_medicine_is_read_with_status_and_start(vocabulary: Vocabulary, kind: str) -> None:
    """Orders and statements alike: ingredient, status, start and reference arrive."""
    found = one(vocabulary, medicine(kind, "m1", "Frusemide 40 mg", FUROSEMIDE, authoredOn="2026-05-01"))
    assert found.value_sets == {"loop-diuretic"}
    assert (found.name, found.active, found.ended) == ("furosemide", True, None)
    assert found.started is not None
    assert found.started.text == "2026-05-01"
    fact = found.fact
    assert (fact.what, fact.reference, fact.value, fact.on) == (
        "furosemide",
        f"{kind}/m1",
        "active",
        "2026-05-01",
    )
    assert not fact.by_text


@pytest.mark.parametrize("system", [RXNORM, "urn:oid:2.16.840.1.113883.6.88"])
def test_rxnorm_is_known_by_url_and_oid(vocabulary: Vocabulary, system: str) -> None:
    """Both forms of the system name the same ingredients."""
    assert named(vocabulary, None, (system, "4603")) == ({"loop-diuretic"}, "furosemide")


@pytest.mark.parametrize(
    ("text", "codings", "sets", "name"),
    [
        ("Furosemide 40 MG Oral Tablet", (), {"loop-diuretic"}, "furosemide"),
        ("FUROSEMIDE TAB 40MG", (LOCAL,), {"loop-diuretic"}, "furosemide"),
        ("Ethacrynate sodium 25 mg", (), {"loop-diuretic"}, "ethacrynate"),
        ("Frusemide 40 mg", (), {"loop-diuretic"}, "Frusemide"),
        ("Water tablets", (), {"loop-diuretic"}, "Water tablets"),
        (
            "lisinopril 20 mg / hydrochlorothiazide 25 mg",
            (),
            {"ace-inhibitor", "thiazide"},
            "hydrochlorothiazide / lisinopril",
        ),
        ("Aspirin 75 mg", (), None, ""),
        ("Aspirin 75 mg", (LOCAL,), None, ""),
        ("No furosemide", (), None, ""),
        ("Denies taking furosemide", (), None, ""),
        ("No current medication", (), None, ""),
    ],
)
def test_words_name_a_medicine_where_no_code_does(
    vocabulary: Vocabulary, text: str, codings: Any, sets: set[str] | None, name: str
) -> None:
    """Ingredients and the phrases of the content are found in words; other medicines and denials are not."""
    assert named(vocabulary, text, *codings) == (None if sets is None else (sets, name))


def test_a_medicine_by_words_alone_is_marked(vocabulary: Vocabulary) -> None:
    """The fact says that only the text told."""
    assert one(vocabulary, medicine("MedicationRequest", "m", "Furosemide")).fact.by_text


def test_a_product_is_named_by_its_ingredients(vocabulary: Vocabulary, knowledge: Any) -> None:
    """A coded product, combinations included, has the name of its ingredients and no brand, strength or form."""
    products = knowledge.codes["medication_products", "ace_inhibitor"]
    combined = next(
        row for row in products if "hydrochlorothiazide" in row.display and "lisinopril" in row.display
    )
    found = named(vocabulary, None, (RXNORM, combined.code))
    assert found is not None
    assert found[0] == {"ace-inhibitor", "thiazide"}
    for row in products[::37]:
        found = named(vocabulary, None, (RXNORM, row.code))
        assert found is not None
        assert "ace-inhibitor" in found[0]
        assert found[1] == (row.ingredient or "").replace("; ", " / ")


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Vitamin B12 1000 mcg", "Vitamin B12"),
        ("Vitamin B12 (1000 mcg) tablet", "Vitamin B12"),
        ("vitamin D3 25mcg", "vitamin D3"),
        ("Water tablets40mg", "Water tablets"),
        ("Frusemide, 40 mg", "Frusemide"),
        ("Frusemide (40 mg)", "Frusemide"),
        ("Water tablets, 2 each morning", "Water tablets"),
        ("Frusemide", "Frusemide"),
    ],
)
def test_no_strength_stands_in_a_name(vocabulary: Vocabulary, text: str, name: str) -> None:
    """From the first number on nothing is repeated, unless the number belongs to the name."""
    found = named(vocabulary, text)
    assert found is not None
    assert found[1] == name


@given(st.from_regex(r"\A[A-Za-z]{3,9}( [A-Za-z]{3,9})? ?\(?[0-9]{1,4}([.,][0-9])? ?(mg|mcg|g|%|MG)\)?\Z"))
def test_a_name_never_holds_a_strength(vocabulary: Vocabulary, text: str) -> None:
    """Whatever is written behind a name as its strength does not get into the name."""
    name = vocabulary.medicine_names(medicine_words("frusemide " + text))[1]
    assert not any(letter.isdigit() for letter in name)


def medicine_words(text: str) -> Any:
    """Return the concept of a medicine in words."""
    return (
        intake(medications=medicine("MedicationRequest", "m", text))
        .of("MedicationRequest")[0]
        .resource.medication_codeable_concept
    )


@pytest.mark.parametrize(
    ("text", "is_systemic"),
    [
        ("Hydrocortisone 10 MG Oral Tablet", True),
        ("Prednisone 5 MG", True),
        ("Hydrocortisone 1 % topical cream", False),
        ("Hydrocortisone ointment", False),
        ("Prednisolone eye drops", False),
        ("Beclomethasone inhaler", False),
        ("Budesonide nasal spray", False),
        ("Cortisone gel", False),
        ("Cortisone injection", True),
    ],
)
def test_a_steroid_that_stays_where_it_is_put_is_not_systemic(
    vocabulary: Vocabulary,
    text: str,
    is_systemic: bool,
) -> None:
    """A cream, drops or an inhaler is no systemic corticosteroid."""
    found = named(vocabulary, text)
    assert (found is not None and "corticosteroid" in found[0]) is is_systemic


def test_a_coded_steroid_is_judged_by_its_form(vocabulary: Vocabulary, tables: Any) -> None:
    """A topical product is not systemic by its code, an ingredient not where words or display name a local form."""
    rows = tables.codes["medication_products", "corticosteroid_systemic"]
    cream = next(row for row in rows if not row.systemic and "Cream" in row.display)
    tablet = next(row for row in rows if row.systemic and "Oral Tablet" in row.display)
    ingredient = (RXNORM, "5492")
    assert "hydrocortisone" in {
        row.ingredient for row in tables.codes["medications", "corticosteroid_systemic"]
    }
    assert named(vocabulary, None, (RXNORM, cream.code)) is None
    assert named(vocabulary, cream.display, (RXNORM, cream.code)) is None
    assert named(vocabulary, "Hydrocortisone", ingredient) == ({"corticosteroid"}, "hydrocortisone")
    assert not one(vocabulary, medicine("MedicationRequest", "m", "Hydrocortisone", ingredient)).fact.by_text
    assert named(vocabulary, "Hydrocortisone 1 % cream", ingredient) is None
    found = named(vocabulary, tablet.display, (RXNORM, tablet.code))
    assert found is not None
    assert found[0] == {"corticosteroid"}
    shown = coded((RXNORM, cream.code), text="Hydrocortisone", display=cream.display)
    assert read(vocabulary, medicine("MedicationRequest", "m", medicationCodeableConcept=shown)) == ([], [])


@pytest.mark.parametrize(
    ("status", "is_active"),
    [
        *(
            ("active", True),
            ("on-hold", True),
            ("unknown", True),
            ("ACTIVE ", True),
        ),
        *(("completed", False), ("stopped", False), ("ended", False), (" Completed", False)),
    ],
)
@pytest.mark.parametrize("kind", KINDS)
def test_status_tells_whether_it_is_taken_now(
    vocabulary: Vocabulary,
    kind: str,
    status: str | None,
    is_active: bool,
) -> None:
    """A medicine that was stopped stays on record and is not active."""
    found = one(vocabulary, medicine(kind, "m", "Furosemide", status=status))
    assert found.active is is_active
    assert found.fact.value == ((status or "").strip().lower() or "active")


@pytest.mark.parametrize("status", [None, "", "takes it"])
@pytest.mark.parametrize("kind", KINDS)
def test_a_status_that_nobody_knows_is_noted(vocabulary: Vocabulary, kind: str, status: str | None) -> None:
    """The medicine is taken as active, and the note says so."""
    medicines, notes = read(vocabulary, medicine(kind, "m", "Furosemide", status=status))
    assert [found.active for found in medicines] == [True]
    assert notes == [("status-not-understood", "prefetch.medications.entry[0].resource.status")]


@pytest.mark.parametrize(
    ("members", "end"),
    [
        ({"effectiveDateTime": "2026-06-14T08:00:00Z"}, "2026-06-14"),
        ({"effectivePeriod": {"start": "2026-06-13", "end": "2026-06-14"}}, "2026-06-14"),
        ({"effectiveTimeDateTime": "2026-06-14"}, "2026-06-14"),
        ({"occurenceDateTime": "2026-06-14"}, "2026-06-14"),
        ({"occurencePeriod": {"start": "2026-06-13", "end": "2026-06-14"}}, "2026-06-14"),
    ],
)
def test_a_dose_that_was_given_is_a_medicine_that_ended_then(
    vocabulary: Vocabulary, members: Any, end: str
) -> None:
    """Each version has its own word for when; the medicine is over since that time, and not taken now."""
    given = medicine("MedicationAdministration", "m", "Furosemide", status="completed", **members)
    found = one(vocabulary, given)
    assert (found.active, found.ended and found.ended.text) == (False, end)
    assert found.fact.note == f"ended {end}"
    assert found.fact.reference == "MedicationAdministration/m"


def test_an_infusion_under_way_is_taken_now(vocabulary: Vocabulary) -> None:
    """What is being given is active since it began."""
    found = one(
        vocabulary,
        medicine(
            "MedicationAdministration",
            "m",
            "Furosemide",
            status="in-progress",
            effectiveDateTime="2026-06-14",
        ),
    )
    assert (found.active, found.ended, found.started and found.started.text) == (True, None, "2026-06-14")


@pytest.mark.parametrize(
    "members",
    [{"status": "not-done"}, {"notGiven": True}, {"wasNotGiven": True}, {"status": "entered-in-error"}],
)
def test_a_dose_that_was_not_given_is_no_medicine(vocabulary: Vocabulary, members: Any) -> None:
    """R4 has a status for it, older versions a member."""
    given = medicine("MedicationAdministration", "m", "Furosemide", **{"status": "completed", **members})
    assert read(vocabulary, given) == ([], [])


@pytest.mark.parametrize(
    "members",
    [
        *(
            {"status": status}
            for status in ("entered-in-error", "cancelled", "draft", "not-taken", "intended", "DRAFT ")
        ),
        {"doNotPerform": True},
        {"doNotPerform": "true"},
        {"intent": "proposal"},
        {"intent": "option"},
        {"authoredOn": "2026-06-16"},
        {"effectivePeriod": {"start": "2026-07"}},
    ],
)
def test_what_was_never_taken_is_no_medicine(vocabulary: Vocabulary, members: Any) -> None:
    """A mistake, a draft, a proposal, a "do not give" and what begins later are left out, and are no faults."""
    assert read(vocabulary, medicine("MedicationRequest", "m", "Furosemide", **members)) == ([], [])


@pytest.mark.parametrize(
    ("end", "is_active"),
    [
        ("2026-06-14", False),
        ("2026-06-15", True),
        ("2026-06", True),
        ("2026-05", False),
        ("2025", False),
    ],
)
def test_a_course_that_ended_is_not_active(vocabulary: Vocabulary, end: str, is_active: bool) -> None:
    """The last day of a course is a day on which it is taken."""
    period = {"start": "2025-01", "end": end}
    found = one(vocabulary, medicine("MedicationStatement", "m", "Furosemide", effectivePeriod=period))
    assert found.active is is_active
    assert found.ended is not None
    assert found.fact.note == (None if is_active else f"ended {end}")


def test_an_end_that_is_no_date_is_noted(vocabulary: Vocabulary) -> None:
    """The medicine counts as taken, and the note says that its end is not known."""
    sent = medicine(
        "MedicationStatement", "m", "Furosemide", effectivePeriod={"start": "2025", "end": "later"}
    )
    medicines, notes = read(vocabulary, sent)
    assert [(found.active, found.ended) for found in medicines] == [(True, None)]
    assert notes == [("date-not-understood", "prefetch.medications.entry[0].resource.effectivePeriod.end")]


def test_a_medicine_that_is_over_without_a_date_says_so(vocabulary: Vocabulary) -> None:
    """Nobody takes the day of the prescription for the last day of taking."""
    sent = medicine("MedicationRequest", "m", "Furosemide", status="stopped", authoredOn="2026-05-01")
    assert one(vocabulary, sent).fact.note == "over, last day not on record"


@pytest.mark.parametrize(
    ("members", "started"),
    [
        ({"effectivePeriod": {"start": "2026-01"}, "dateAsserted": "2026-06-01"}, "2026-01"),
        ({"effectiveDateTime": "2026-02-03", "authoredOn": "2026-06-01"}, "2026-02-03"),
        ({"authoredOn": "2026-06-15T09:00:00+02:00"}, "2026-06-15"),
        ({"dateAsserted": "2026-06"}, "2026-06"),
        ({"authoredOn": "2026"}, "2026"),
        ({}, None),
    ],
)
def test_the_start_is_the_best_date_that_is_given(
    vocabulary: Vocabulary, members: Any, started: str | None
) -> None:
    """The period of taking comes before the day of ordering, and that before the day on which it was said."""
    found = one(vocabulary, medicine("MedicationRequest", "m", "Furosemide", **members))
    assert (found.started.text if found.started else None) == started


def by_reference(reference: Any, **members: Any) -> Any:
    """Return an order whose medicine is a reference."""
    return medicine(
        "MedicationRequest", "m", medicationCodeableConcept=None, medicationReference=reference, **members
    )


PRODUCT = {"resourceType": "Medication", "id": "drug1", "code": coded(FUROSEMIDE)}


@pytest.mark.parametrize(
    "reference",
    [
        "Medication/drug1",
        "https://ehr.example.org/fhir/Medication/drug1",
        "urn:uuid:drug1",
    ],
)
def test_a_referenced_medicine_is_found_in_the_bundle(vocabulary: Vocabulary, reference: str) -> None:
    """Wherever in the message the Medication stands, before or behind the order."""
    order = by_reference({"reference": reference})
    assert one(vocabulary, order, PRODUCT).name == "furosemide"
    assert one(vocabulary, PRODUCT, order).name == "furosemide"


def test_a_contained_medicine_is_found_in_its_order(vocabulary: Vocabulary) -> None:
    """Two orders may each contain a medicine of the same local id."""
    other = PRODUCT | {"code": coded(HYDROCHLOROTHIAZIDE)}
    first = by_reference({"reference": "#drug1"}, contained=[{"resourceType": "Patient", "id": "x"}, PRODUCT])
    second = by_reference({"reference": "#drug1"}, contained=[other]) | {"id": "m2"}
    medicines, notes = read(vocabulary, first, second)
    assert ([each.name for each in medicines], notes) == (["furosemide", "hydrochlorothiazide"], [])


@pytest.mark.parametrize(
    "medication",
    [{"concept": coded(FUROSEMIDE)}, {"reference": {"reference": "Medication/drug1"}}],
    ids=["concept", "reference"],
)
def test_r5_puts_both_forms_into_one_element(vocabulary: Vocabulary, medication: Any) -> None:
    """A concept or a reference in `medication` names the medicine like the two elements of R4."""
    order = medicine("MedicationRequest", "m", medicationCodeableConcept=None, medication=medication)
    assert one(vocabulary, order, PRODUCT).name == "furosemide"


def test_the_display_of_a_reference_stands_in_for_the_medicine(vocabulary: Vocabulary) -> None:
    """Where the Medication was not sent, or says nothing, its display is read as words."""
    named_link = {"reference": "Medication/gone", "display": "Furosemide 20 MG"}
    found = one(vocabulary, by_reference(named_link))
    assert (found.name, found.fact.by_text) == ("furosemide", True)
    assert one(vocabulary, by_reference({"display": "Furosemide"})).name == "furosemide"
    empty = {"resourceType": "Medication", "id": "gone"}
    assert one(vocabulary, by_reference(named_link), empty).name == "furosemide"


@pytest.mark.parametrize(
    "order",
    [
        by_reference({"reference": "Medication/gone"}),
        by_reference({"reference": "#gone"}, contained=[PRODUCT]),
        by_reference({"reference": "#gone"}),
        by_reference({"identifier": {"value": "7"}}),
        by_reference({}),
        by_reference(None),
        medicine("MedicationRequest", "m", medicationCodeableConcept={}),
        medicine("MedicationRequest", "m", medicationCodeableConcept={"coding": []}),
        medicine("MedicationRequest", "m", medicationCodeableConcept=None, medication={}),
    ],
    ids=[
        "absent",
        "not contained",
        "nothing contained",
        "no reference",
        "empty",
        "nothing",
        "empty concept",
        "no coding",
        "empty r5",
    ],
)
def test_a_medicine_without_a_name_is_noted(vocabulary: Vocabulary, order: Any) -> None:
    """What is taken cannot be known, so the note is a warning and asks for the name."""
    assert read(vocabulary, order) == ([], [("medicine-not-named", PATH)])


def test_a_medicine_without_an_id_has_no_reference(vocabulary: Vocabulary) -> None:
    """The fact is kept."""
    assert (
        one(vocabulary, medicine("MedicationRequest", "m", "Furosemide") | {"id": None}).fact.reference
        is None
    )


@given(
    st.sampled_from(
        ["status", "medicationCodeableConcept", "authoredOn", "doNotPerform", "effectivePeriod", "contained"]
    ),
    json_values(),
)
def test_any_json_in_any_element_costs_that_medicine_at_most(
    vocabulary: Vocabulary, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one order, the one beside it is read as ever."""
    odd = medicine("MedicationRequest", "odd", "Furosemide") | {name: wrong}
    medicines, _notes = read(
        vocabulary, odd, medicine("MedicationRequest", "sound", None, HYDROCHLOROTHIAZIDE)
    )
    assert "hydrochlorothiazide" in [each.name for each in medicines]


def directed(start: str | None, end: str | None) -> Any:
    """Return directions that hold for a span of days."""
    span = {name: day for name, day in (("start", start), ("end", end)) if day is not None}
    return [{"text": "daily"}, {"timing": {"repeat": {"boundsPeriod": span}}}]


@pytest.mark.parametrize("member", ["dosageInstruction", "dosage"])
@pytest.mark.parametrize(("end", "is_active"), [("2026-06-15", True), ("2026-06-14", False), (None, True)])
def test_directions_tell_when_a_course_begins_and_ends(
    vocabulary: Vocabulary, member: str, end: str | None, is_active: bool
) -> None:
    """The span of the directions goes before the day of the prescription: a repeat is no new medicine."""
    read = one(
        vocabulary,
        medicine(
            "MedicationRequest",
            "m",
            "Furosemide",
            authoredOn="2026-06-10",
            **{member: directed("2020-03-01", end)},
        ),
    )
    assert (read.started.text if read.started else None, read.active) == ("2020-03-01", is_active)
    assert (read.ended.text if read.ended else None) == end
