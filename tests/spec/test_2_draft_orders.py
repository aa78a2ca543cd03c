"""CDS Hooks library, order-select and order-sign: what real clients send as drafts, and what is said of it."""

from __future__ import annotations

from typing import Any

import pytest

from tests.spec.calls import (
    EXPLANATION,
    SELECT,
    SIGN,
    Ask,
    Message,
    cards,
    draft_medicine,
    draft_test,
    drafted,
    notes,
    replaced,
    story,
)

FUROSEMIDE = draft_medicine("furosemide")
NOTHING_WRONG = draft_medicine("Furosemide 40 mg tablet", id="m9")
ODD: dict[str, Any] = {
    "no medication": {"resourceType": "MedicationRequest", "id": "m1"},
    "empty medication": draft_medicine("", id="m1"),
    "category as an object": draft_medicine("ibuprofen", category={"coding": [{"code": "outpatient"}]}),
    "category as a string": draft_medicine("ibuprofen", category="outpatient"),
    "DSTU2": {
        "resourceType": "MedicationOrder",
        "id": "m1",
        "medicationCodeableConcept": {"text": "ibuprofen"},
        "reasonCodeableConcept": {"text": "headache"},
    },
    "status as a number": draft_medicine("ibuprofen", status=3),
    "intent as a list": draft_medicine("ibuprofen", intent=["order"]),
    "medication as a string": draft_medicine(None, medicationCodeableConcept="ibuprofen"),
    "reason as a number": draft_medicine("ibuprofen", reasonCode=7),
    "reasons that are no objects": draft_medicine("ibuprofen", reasonCode=[7, None, [], True]),
    "a reason of odd codings": draft_medicine("ibuprofen", reasonCode=[{"coding": "x"}]),
    "a reference that leads nowhere": draft_medicine("ibuprofen", reasonReference=[{"reference": "#none"}]),
    "no resource type": {"id": "x"},
    "no order": {"resourceType": "Patient", "id": "other"},
    "another patient's": draft_medicine("furosemide", subject={"reference": "Patient/other"}),
    "a text as code": {"resourceType": "ServiceRequest", "id": "s1", "code": "Potassium"},
    "a test without code": {"resourceType": "ServiceRequest", "id": "s1", "status": "draft"},
    "no id": {"resourceType": "ServiceRequest", "code": {"text": "X-ray of the hip"}},
}


def topics(found: list[dict[str, Any]]) -> list[str]:
    """Return the topic of each card."""
    return [card["source"]["topic"]["code"] for card in found]


def explained(found: list[dict[str, Any]]) -> dict[str, Any]:
    """Return what is told of the drafts."""
    told: dict[str, Any] = found[0]["extension"][EXPLANATION]["drafts"]
    return told


@pytest.mark.parametrize("name", ODD)
def test_one_odd_draft_never_costs_the_others(ask: Ask, name: str) -> None:
    """Whatever one draft looks like, the call is answered, and the sound draft beside it as if it stood alone."""
    found = cards(ask(SIGN, drafted(ODD[name], NOTHING_WRONG)))
    assert topics(found) == ["draft-medicine"]
    assert {one["draft"]["reference"] for one in explained(found)["could_add"]} == {"MedicationRequest/m9"}


@pytest.mark.parametrize("name", ODD)
def test_an_odd_draft_alone_is_no_fault(ask_app: Ask, name: str) -> None:
    """On opening an order screen there is often nothing in the draft yet; that is answered in silence."""
    assert cards(ask_app(SIGN, drafted(ODD[name]))) == []


@pytest.mark.parametrize("entry", [None, {}, {"resource": None}, "x", 7, []])
def test_an_entry_without_a_resource_is_passed_over(ask_app: Ask, entry: Any) -> None:
    """Only that entry is lost."""
    message = drafted(FUROSEMIDE)
    message["context"]["draftOrders"]["entry"].insert(0, entry)
    assert topics(cards(ask_app(SIGN, message))) == ["draft-medicine"]


@pytest.mark.parametrize("bundle", [{}, {"resourceType": "Bundle", "entry": []}, {"entry": []}])
def test_no_drafts_are_no_fault(ask_app: Ask, bundle: Message) -> None:
    """A Bundle without entries is answered in silence; an object that is no Bundle is not taken for one."""
    answer = ask_app(SIGN, replaced(drafted(), "context.draftOrders", bundle))
    if bundle:
        assert cards(answer) == []
    else:
        assert answer.status == 400


def test_a_bundle_may_lack_its_types(ask_app: Ask) -> None:
    """The sandbox sends no `type`, others no `resourceType`."""
    message = drafted(FUROSEMIDE)
    for name in ("type", "resourceType"):
        del message["context"]["draftOrders"][name]
        assert topics(cards(ask_app(SIGN, message))) == ["draft-medicine"]


def test_the_drafts_of_dstu2_are_read(ask_app: Ask) -> None:
    """A MedicationOrder and a DiagnosticOrder say the same as their later forms."""
    order = {
        "resourceType": "MedicationOrder",
        "id": "m1",
        "status": "draft",
        "medicationCodeableConcept": {"text": "furosemide"},
    }
    test = {"resourceType": "DiagnosticOrder", "id": "d1", "item": [{"code": {"text": "Potassium"}}]}
    found = cards(ask_app(SIGN, drafted(order, test)))
    assert topics(found) == ["draft-medicine"]
    assert explained(found)["could_add"][0]["draft"]["reference"] == "MedicationOrder/m1"


@pytest.mark.parametrize(
    "link", ["#p", "Medication/p", "https://ehr.example.org/fhir/Medication/p", "urn:uuid:p"]
)
def test_a_medicine_may_stand_in_a_resource_of_its_own(ask_app: Ask, link: str) -> None:
    """A reference leads to a contained Medication, or to one among the drafts by id or address."""
    product = {"resourceType": "Medication", "id": "p", "code": {"text": "furosemide"}}
    draft = draft_medicine(None, medicationReference={"reference": link}, contained=[product])
    message = drafted(draft)
    if link != "#p":
        del message["context"]["draftOrders"]["entry"][0]["resource"]["contained"]
        message["context"]["draftOrders"]["entry"].append({"fullUrl": "urn:uuid:p", "resource": product})
    assert topics(cards(ask_app(SIGN, message))) == ["draft-medicine"]


@pytest.mark.parametrize(
    "selection",
    [
        "MedicationRequest/m1",
        "https://ehr.example.org/fhir/MedicationRequest/m1",
        "MedicationRequest/m1/_history/3",
        "m1",
    ],
)
def test_a_selection_is_a_reference_in_any_form(ask_app: Ask, selection: str) -> None:
    """The selected draft is found by reference, address or id, and others are not looked at."""
    other = draft_medicine("hydrochlorothiazide", id="m2")
    message = replaced(drafted(other, FUROSEMIDE, hook="order-select"), "context.selections", [selection, 7])
    told = explained(cards(ask_app(SELECT, message)))["could_add"]
    assert {one["draft"]["what"] for one in told} == {"furosemide"}
    assert notes(ask_app(SELECT, message))["context.selections[1]"] == "unreadable-element"


def test_a_selection_that_is_not_among_the_drafts_says_nothing(ask_app: Ask) -> None:
    """What is not known is not guessed."""
    message = replaced(
        drafted(FUROSEMIDE, hook="order-select"), "context.selections", ["MedicationRequest/x"]
    )
    assert cards(ask_app(SELECT, message)) == []


@pytest.mark.parametrize(
    "reason",
    [
        {"reasonCode": [{"text": "Muscle cramps"}]},
        {"reasonCode": {"text": "Muscle cramps"}},
        {"reasonCode": [{"coding": [{"system": "http://snomed.info/sct", "code": "55300003"}]}]},
        {"reason": [{"concept": {"text": "Muscle cramps"}}]},
        {"reason": [{"text": "Muscle cramps"}]},
        {"reasonCodeableConcept": {"text": "Muscle cramps"}},
        {"reasonReference": [{"reference": "Condition/elsewhere", "display": "Muscle cramps"}]},
        {"reasonReference": {"display": "Muscle cramps"}},
        {"reasonReference": [{"reference": "#c"}]},
        {"reason": [{"reference": {"reference": "#c"}}]},
    ],
)
def test_the_symptom_may_be_the_reason_of_a_draft(ask_app: Ask, reason: Message) -> None:
    """The reason is read as each version of FHIR writes it, and what is said is about that symptom."""
    inside = [{"resourceType": "Condition", "id": "c", "code": {"text": "Muscle cramps"}}]
    message = drafted(draft_medicine("simvastatin", contained=inside, **reason))
    message["prefetch"]["problems"] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    (card,) = cards(ask_app(SIGN, message))
    assert card["summary"] == "Simvastatin could add to the cramps"
    shown = card["extension"][EXPLANATION]["presentation"]
    assert shown["types"] == ["cramp"]
    assert "reference" not in shown["recorded"][0]


@pytest.mark.parametrize("text", ["Headache", "No muscle cramps", "Bronchospasm", "Bladder spasm"])
def test_another_reason_starts_nothing(ask_app: Ask, text: str) -> None:
    """Decoys and denials are none of it."""
    message = drafted(draft_medicine("simvastatin", reasonCode=[{"text": text}]))
    message["prefetch"]["problems"] = {"resourceType": "Bundle", "type": "searchset", "total": 0}
    assert cards(ask_app(SIGN, message)) == []


def test_a_reason_on_record_counts_by_its_own_status(ask_app: Ask) -> None:
    """A draft that is for a problem which is resolved by now starts nothing, whatever the reference is called."""
    problem = story()["context"]["conditions"]["entry"][0]["resource"]
    problem["clinicalStatus"] = {"coding": [{"code": "resolved"}]}
    link = {"reference": f"Condition/{problem['id']}", "display": "Muscle cramps"}
    message = drafted(draft_medicine("simvastatin", reasonReference=[link]))
    message["prefetch"]["problems"]["entry"] = [{"resource": problem}]
    assert cards(ask_app(SIGN, message)) == []


def test_a_draft_is_neither_taken_nor_ordered(ask_app: Ask) -> None:
    """The ranking is the same with drafts as without; what it suggests stays suggested."""
    plain = drafted(
        draft_test("ECG 12 lead"), draft_medicine("simvastatin"), name="high-potassium-in-kidney-disease"
    )
    heavy = drafted(
        *(draft_medicine(name, id=f"m{place}") for place, name in enumerate(("citalopram", "oxycodone"))),
        draft_test("ECG 12 lead"),
        name="high-potassium-in-kidney-disease",
    )
    told = [cards(ask_app(SIGN, one))[0]["extension"][EXPLANATION] for one in (plain, heavy)]
    for member in ("ranking", "red_flags", "not_assessed", "workup"):
        assert told[0][member] == told[1][member]


def test_a_suggestion_that_is_in_draft_is_left_out(ask_app: Ask) -> None:
    """A red flag offers what is not in draft yet, by words as by codes; the explanation names the draft."""
    name = "high-potassium-in-kidney-disease"
    flagged = [
        cards(ask_app(SIGN, drafted(*drafts, name=name)))[0] for drafts in ([], [draft_test("ECG 12 lead")])
    ]
    labels = [[one["label"] for one in card["suggestions"]] for card in flagged]
    assert "ECG" in labels[0]
    assert not [label for label in labels[1] if "ECG" in label]
    (item,) = (one for one in flagged[1]["extension"][EXPLANATION]["workup"] if one["order"] == "ecg")
    assert item["draft"]["reference"] == "ServiceRequest/s1"


def test_a_draft_proposes_no_change_of_itself(ask_app: Ask) -> None:
    """No card about an order bears an action that updates or deletes it."""
    for card in cards(ask_app(SIGN, drafted(FUROSEMIDE, draft_medicine("diazepam", id="m2")))):
        assert "suggestions" not in card


def test_the_reasons_for_dismissing_fit_the_card(ask_app: Ask) -> None:
    """A card about a draft offers reasons of its own, one of the standard's list among them."""
    (card,) = cards(ask_app(SIGN, drafted(FUROSEMIDE)))
    reasons = {one["code"]: one["system"] for one in card["overrideReasons"]}
    standard = "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes"
    assert reasons["cds-not-applicable"] == standard
    assert set(reasons) == {"risk-considered", "cds-not-applicable", "chart-incorrect"}
