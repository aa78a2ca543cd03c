"""CDS Hooks 2.0.1, prefetch: what may arrive for a key, and when the answer is 412."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest

from tests.spec.calls import (
    PROBLEM,
    VIEW,
    Ask,
    Message,
    all_advertised,
    bundle_of,
    cards,
    detail,
    notes,
    outcome_resource,
    recording,
    refusal,
    removed,
    replaced,
    story,
    viewing,
    without_presentation,
    without_uuids,
)

KEY = "labs"
EMPTY_ANSWERS: dict[str, Any] = {
    "null": None,
    "bundle without entry": {"resourceType": "Bundle", "type": "searchset", "total": 0},
    "bundle with no entries": bundle_of(),
}
UNUSABLE: dict[str, Any] = {
    "OperationOutcome": outcome_resource(),
    "Bundle of OperationOutcomes": bundle_of(outcome_resource(), outcome_resource()),
    "an HTML page": "<html><body>Session expired</body></html>",
    "a number": 5,
    "a list": [bundle_of()],
    "an object that is no resource": {"entry": []},
}


def _keys(ask: Ask) -> list[str]:
    return list(all_advertised(ask)["muscle-spasm-problem"])


def _names_as_unchecked(answer_detail: str, key: str) -> bool:
    return re.search(rf"\b{key}\b", answer_detail) is not None


def _labs_of(message: Message) -> list[Any]:
    entries: list[Any] = message["prefetch"][KEY]["entry"]
    return entries


@pytest.mark.parametrize("prefetch", [{}, None])
def test_a_presentation_without_any_data_is_412(ask: Ask, prefetch: Any) -> None:
    """A presentation is recorded and no advertised key arrived: 412, naming keys and nothing else."""
    answer = ask(PROBLEM, replaced(story(), "prefetch", prefetch))
    assert refusal(answer, 412, "incomplete") == [f"prefetch.{key}" for key in _keys(ask)]


def test_a_presentation_without_the_prefetch_member_is_412(ask: Ask) -> None:
    """A call without `prefetch` at all is answered alike."""
    answer = ask(PROBLEM, removed(story(), "prefetch"))
    assert refusal(answer, 412, "incomplete") == [f"prefetch.{key}" for key in _keys(ask)]


@pytest.mark.parametrize("what", UNUSABLE)
def test_keys_that_hold_nothing_usable_are_412(ask: Ask, what: str) -> None:
    """Every key arrived, and none of them usable: 412."""
    keys = _keys(ask)
    answer = ask(PROBLEM, recording(dict.fromkeys(keys, UNUSABLE[what])))
    assert refusal(answer, 412, "incomplete") == [f"prefetch.{key}" for key in keys]


def test_keys_that_nobody_asked_for_do_not_count(ask_app: Ask) -> None:
    """A key that is not advertised does not stand in for one that is."""
    answer = ask_app(PROBLEM, recording({"somethingElse": None, "encounters": bundle_of()}))
    assert refusal(answer, 412, "incomplete") == [f"prefetch.{key}" for key in _keys(ask_app)]


@pytest.mark.parametrize("what", EMPTY_ANSWERS)
def test_one_usable_key_is_enough(ask: Ask, what: str) -> None:
    """One key that arrived, null and empty Bundle included, makes it 200 with each other key named on a card."""
    for key in ("patient", "labs", "familyHistory"):
        shown = detail(ask(PROBLEM, recording({key: EMPTY_ANSWERS[what]})))
        for other in _keys(ask):
            assert _names_as_unchecked(shown, other) == (other != key), (key, other)


def test_a_context_without_a_presentation_is_200_without_cards(ask: Ask) -> None:
    """Nothing that concerns this service was recorded: no data is needed to say nothing."""
    for prefetch in ({}, {KEY: outcome_resource()}):
        assert cards(ask(PROBLEM, without_presentation(recording(prefetch)))) == []


@pytest.mark.parametrize("what", ["absent", *UNUSABLE])
def test_a_chart_view_without_its_problems_is_412(ask: Ask, what: str) -> None:
    """patient-view starts from the problem list: without that key it cannot answer."""
    message = viewing()
    if what == "absent":
        del message["prefetch"]["problems"]
    else:
        message["prefetch"]["problems"] = UNUSABLE[what]
    assert refusal(ask(VIEW, message), 412, "incomplete") == ["prefetch.problems"]


@pytest.mark.parametrize("what", EMPTY_ANSWERS)
def test_a_chart_view_of_an_empty_problem_list_has_no_cards(ask: Ask, what: str) -> None:
    """An empty problem list holds no presentation."""
    assert cards(ask(VIEW, replaced(viewing(), "prefetch.problems", EMPTY_ANSWERS[what]))) == []


@pytest.mark.parametrize("what", EMPTY_ANSWERS)
def test_an_empty_answer_is_known_to_be_empty(ask_app: Ask, what: str) -> None:
    """Null and an empty Bundle say that the client looked: the key is not named as not checked."""
    shown = detail(ask_app(PROBLEM, replaced(story(), f"prefetch.{KEY}", EMPTY_ANSWERS[what])))
    assert not _names_as_unchecked(shown, KEY)


@pytest.mark.parametrize("what", UNUSABLE)
def test_an_unusable_answer_is_not_an_empty_one(ask: Ask, what: str) -> None:
    """A failed or malformed value is named as not checked, like an absent key, and noted in the explanation."""
    answer = ask(PROBLEM, replaced(story(), f"prefetch.{KEY}", UNUSABLE[what]))
    assert _names_as_unchecked(detail(answer), KEY)
    assert any(path.startswith(f"prefetch.{KEY}") for path in notes(answer))


def test_a_bundle_that_failed_in_part_is_used_and_noted(ask: Ask) -> None:
    """The results beside an OperationOutcome count, and the card's explanation says that some are missing."""
    message = story()
    plain = cards(ask(PROBLEM, story()))
    _labs_of(message).append({"resource": outcome_resource()})
    answer = ask(PROBLEM, message)
    assert cards(answer)[0]["summary"] == plain[0]["summary"]
    assert "prefetch-incomplete" in notes(answer).values()


def test_a_bundle_with_more_pages_says_so(ask: Ask) -> None:
    """A first page is used, and what follows it is not taken for absent."""
    message = story()
    message["prefetch"][KEY]["link"] = [{"relation": "next", "url": "https://ehr.example.org/fhir?page=2"}]
    answer = ask(PROBLEM, message)
    assert notes(answer)[f"prefetch.{KEY}"] == "more-pages"
    assert f"**Not complete** {KEY}: only the first pages were read" in detail(answer)


def _of_someone_else(message: Message) -> Message:
    for entry in _labs_of(message):
        entry["resource"]["subject"] = {"reference": "Patient/someone-else"}
    return message


def test_another_patients_results_are_never_used(ask: Ask) -> None:
    """Results of another patient are dropped with a note, and the answer is that for no results."""
    foreign, none = ask(PROBLEM, _of_someone_else(story())), replaced(story(), f"prefetch.{KEY}", bundle_of())
    assert cards(foreign)[0]["summary"] == cards(ask(PROBLEM, none))[0]["summary"]
    assert cards(foreign)[0]["summary"] != cards(ask(PROBLEM, story()))[0]["summary"]
    assert list(notes(foreign).values()).count("other-patient") == len(_labs_of(story()))
    assert b"someone-else" not in foreign.body


def test_another_patient_is_not_taken_for_this_one(ask: Ask) -> None:
    """A Patient resource with another id is not used for age and sex."""
    message = replaced(story(), "prefetch.patient.id", "someone-else")
    answer = ask(PROBLEM, message)
    assert notes(answer)["prefetch.patient"] == "other-patient"
    assert _names_as_unchecked(detail(answer), "patient")
    assert b"someone-else" not in answer.body


def test_conditions_recorded_for_another_patient_start_nothing(ask: Ask) -> None:
    """A problem recorded for another patient gives no card about this one."""
    message = replaced(
        story(), "context.conditions.entry.0.resource.subject", {"reference": "Patient/someone-else"}
    )
    assert cards(ask(PROBLEM, message)) == []


def _as_string(message: Message) -> Message:
    message["prefetch"][KEY]["entry"] = "none"
    return message


def _entry_null(message: Message) -> Message:
    _labs_of(message).extend([None, {}, {"resource": None}, {"resource": "x"}, 5])
    return message


def _resource_type_wrong(message: Message) -> Message:
    for entry in _labs_of(message):
        entry["resource"]["resourceType"] = "Basic"
    return message


def _resource_type_mistyped(message: Message) -> Message:
    for entry in _labs_of(message):
        entry["resource"]["resourceType"] = ["Observation"]
    return message


def _every_member_mistyped(message: Message) -> Message:
    for entry in _labs_of(message):
        for name in set(entry["resource"]) - {"resourceType"}:
            entry["resource"][name] = [[{"value": {}}]]
    return message


def _patient_is_a_bundle(message: Message) -> Message:
    message["prefetch"]["patient"] = bundle_of(message["prefetch"]["patient"])
    return message


def _swapped(message: Message) -> Message:
    prefetch = message["prefetch"]
    prefetch["labs"], prefetch["patient"] = prefetch["patient"], prefetch["labs"]
    return message


@pytest.mark.parametrize(
    "change",
    [
        _as_string,
        _entry_null,
        _resource_type_wrong,
        _resource_type_mistyped,
        _every_member_mistyped,
        _patient_is_a_bundle,
        _swapped,
    ],
)
def test_a_malformed_value_never_breaks_the_call(ask: Ask, change: Callable[[Message], Message]) -> None:
    """Whatever stands under a key, the call is answered with cards and the other facts are kept."""
    answer = ask(PROBLEM, change(story()))
    assert cards(answer)
    assert b"hydrochlorothiazide" in answer.body


@pytest.mark.parametrize("change", [_patient_is_a_bundle, _swapped])
def test_a_resource_is_known_by_its_type(ask_app: Ask, change: Callable[[Message], Message]) -> None:
    """A resource under another key than its own is read for what it is."""
    plain, changed = (without_uuids(cards(ask_app(PROBLEM, one))) for one in (story(), change(story())))
    assert [card["summary"] for card in changed] == [card["summary"] for card in plain]
