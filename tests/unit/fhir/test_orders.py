"""Requests that are still open: what they ask for, by code, by panel and by words."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.orders import read_orders
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import PlacedOrder
from tests.unit.fhir.json_values import json_values
from tests.unit.fhir.records import LOINC, SNOMED, asked, bundle, intake, notes_of

POTASSIUM = (LOINC, "2823-3")
PANEL = (LOINC, "24320-4")
REFERRAL = (SNOMED, "308474002")


def read(vocabulary: Vocabulary, *sent: Any) -> list[PlacedOrder]:
    """Return the open orders; nothing may be noted."""
    found = intake(serviceRequests=bundle(*sent))
    orders = read_orders(vocabulary, found)
    assert notes_of(found.notes) == []
    return orders


def answers(vocabulary: Vocabulary, *codings: tuple[str, str], **members: Any) -> set[str]:
    """Return the orders that one request answers."""
    return {name for order in read(vocabulary, asked("s", *codings, **members)) for name in order.orders}


def test_an_open_request_is_read_with_date_and_reference(vocabulary: Vocabulary) -> None:
    """What was asked for, in its own words, when, and what its code measures."""
    (found,) = read(vocabulary, asked("s1", POTASSIUM, text="Serum potassium"))
    assert found.orders == {"potassium"}
    assert found.labs == {"potassium"}
    assert found.placed is not None
    fact = found.fact
    assert (fact.what, fact.reference, fact.value, fact.on) == (
        "Serum potassium",
        "ServiceRequest/s1",
        "active",
        "2026-06-14",
    )


@pytest.mark.parametrize(
    ("status", "is_open"),
    [
        *(("active", True), ("draft", True), ("on-hold", True), (" Active ", True)),
        *(
            ("completed", False),
            ("revoked", False),
            ("entered-in-error", False),
            ("unknown", False),
        ),
    ],
)
def test_only_open_requests_count(vocabulary: Vocabulary, status: str | None, is_open: bool) -> None:
    """What is done, withdrawn or of no known status keeps nobody from asking."""
    assert bool(answers(vocabulary, POTASSIUM, status=status)) is is_open


@pytest.mark.parametrize("status", ["", None, "open"])
def test_a_request_of_no_known_status_is_not_used_and_noted(
    vocabulary: Vocabulary, status: str | None
) -> None:
    """It keeps nobody from asking, and the note says why."""
    found = intake(serviceRequests=bundle(asked("s", POTASSIUM, status=status)))
    assert read_orders(vocabulary, found) == []
    assert notes_of(found.notes) == [
        ("status-not-understood", "prefetch.serviceRequests.entry[0].resource.status")
    ]


@pytest.mark.parametrize(
    ("members", "on"),
    [
        (
            {"serviceRequested": [{"text": "Nerve conduction study"}, {"text": "ECG"}], "date": "2026-06-13"},
            "2026-06-13",
        ),
        ({"serviceRequested": [{"text": "ECG"}], "authoredOn": "2026-06-12"}, "2026-06-12"),
        ({"type": {"text": "ECG"}}, None),
        ({"type": [{"text": "ECG"}]}, None),
    ],
)
@pytest.mark.parametrize("status", ["requested", "active", "accepted", "draft"])
def test_a_referral_before_r4_is_a_request(
    vocabulary: Vocabulary, members: Any, on: str | None, status: str
) -> None:
    """STU3 and DSTU2 have a resource of its own for it, which names services or only a kind."""
    referral = asked("s", status=status, authoredOn=None) | {
        "resourceType": "ReferralRequest",
        "code": None,
        **members,
    }
    (found,) = read(vocabulary, referral)
    assert found.orders == {"ecg"}
    assert (found.fact.reference, found.fact.on) == ("ReferralRequest/s", on)


@pytest.mark.parametrize("status", ["completed", "cancelled", "rejected"])
def test_a_referral_that_is_over_is_no_request(vocabulary: Vocabulary, status: str) -> None:
    """Answered or turned down, it keeps nobody from asking."""
    referral = asked("s", status=status) | {
        "resourceType": "ReferralRequest",
        "serviceRequested": [{"text": "ECG"}],
    }
    assert read(vocabulary, referral) == []


@pytest.mark.parametrize("flag", [True, "true"])
def test_a_prohibition_is_no_request(vocabulary: Vocabulary, flag: Any) -> None:
    """A "do not perform" asks for nothing."""
    assert answers(vocabulary, POTASSIUM, doNotPerform=flag) == set()


def test_a_panel_covers_its_parts(vocabulary: Vocabulary) -> None:
    """A panel answers itself and what it covers, and measures those of its parts that are labs."""
    (found,) = read(vocabulary, asked("s", PANEL))
    assert found.orders == {"metabolic-panel", "potassium", "sodium", "creatinine"}
    assert found.labs == {"potassium", "creatinine"}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ECG", {"ecg"}),
        ("12-lead electrocardiogram", {"ecg"}),
        ("Potassium and ECG", {"potassium", "ecg"}),
        ("Basic metabolic panel", {"metabolic-panel", "potassium", "sodium", "creatinine"}),
        ("Urine potassium", set()),
        ("No ECG", set()),
        ("Chest x-ray", set()),
    ],
)
def test_words_ask_where_no_code_does(vocabulary: Vocabulary, text: str | None, expected: set[str]) -> None:
    """The phrases of an order are found in the words of a request; decoys and denials are not."""
    assert answers(vocabulary, text=text) == expected


def test_words_and_codes_add_up(vocabulary: Vocabulary) -> None:
    """A coded request whose words name more asks for both."""
    assert answers(vocabulary, POTASSIUM, text="Potassium, then ECG") == {"potassium", "ecg"}


def test_a_lab_without_an_order_is_measured(vocabulary: Vocabulary) -> None:
    """A code that measures a lab counts for it even where no order has that code."""
    (found,) = read(vocabulary, asked("s", (LOINC, "6298-4")))
    assert found.orders == set()
    assert found.labs == {"potassium"}


@pytest.mark.parametrize(
    ("priority", "expected"),
    [
        (None, {"neurology"}),
        ("routine", {"neurology"}),
        (" Routine", {"neurology"}),
        ("urgent", {"neurology", "urgent-neurology"}),
        ("asap", {"neurology", "urgent-neurology"}),
        ("stat", {"neurology", "urgent-neurology"}),
    ],
)
def test_a_routine_request_answers_no_urgent_one(
    vocabulary: Vocabulary, priority: str | None, expected: set[str]
) -> None:
    """A routine referral leaves the urgent one to be asked for; an urgent one answers both."""
    assert answers(vocabulary, REFERRAL, priority=priority) == expected


def test_what_nobody_asks_for_is_left_out(vocabulary: Vocabulary) -> None:
    """Requests that the content does not know are no facts."""
    assert read(vocabulary, asked("s", (LOINC, "1-8"), text="Chest x-ray")) == []


def test_a_request_for_nothing_is_noted(vocabulary: Vocabulary) -> None:
    """Nobody can tell what was asked for."""
    found = intake(serviceRequests=bundle(asked("t") | {"code": None}))
    assert read_orders(vocabulary, found) == []
    assert notes_of(found.notes) == [("code-missing", "prefetch.serviceRequests.entry[0].resource.code")]


@pytest.mark.parametrize(
    ("members", "on"),
    [
        ({"authoredOn": "2026-06"}, "2026-06"),
        ({"authoredOn": None, "occurrenceDateTime": "2026-06-20"}, "2026-06-20"),
        ({"authoredOn": None}, None),
    ],
)
def test_the_day_of_ordering_is_preferred(vocabulary: Vocabulary, members: Any, on: str | None) -> None:
    """When it was written comes before when it is due, and an undated request is still a request."""
    (found,) = read(vocabulary, asked("s", POTASSIUM, **members))
    assert (found.fact.on, found.placed.text if found.placed else None) == (on, on)


def test_a_day_of_ordering_that_is_no_date_is_noted(vocabulary: Vocabulary) -> None:
    """The request still counts, with the next date that is one."""
    sent = asked("s", POTASSIUM, authoredOn="soon", occurrenceDateTime="2026-06-20T08:00:00Z")
    found = intake(serviceRequests=bundle(sent))
    assert [one.fact.on for one in read_orders(vocabulary, found)] == ["2026-06-20"]
    assert notes_of(found.notes) == [
        ("date-not-understood", "prefetch.serviceRequests.entry[0].resource.authoredOn")
    ]


def test_a_request_without_words_or_id_has_a_name(vocabulary: Vocabulary) -> None:
    """A card can show it all the same."""
    (found,) = read(vocabulary, asked("s", POTASSIUM) | {"id": None})
    assert (found.fact.what, found.fact.reference) == ("order", None)


@given(st.sampled_from(["status", "code", "authoredOn", "priority", "doNotPerform", "intent"]), json_values())
def test_any_json_in_any_element_costs_that_request_at_most(
    vocabulary: Vocabulary, name: str, wrong: Any
) -> None:
    """Whatever stands in one element of one request, the one beside it is read as ever."""
    found = intake(
        serviceRequests=bundle(asked("odd", POTASSIUM) | {name: wrong}, asked("sound", text="ECG"))
    )
    assert "ServiceRequest/sound" in [order.fact.reference for order in read_orders(vocabulary, found)]
