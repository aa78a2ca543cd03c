"""The checker of whole-patient answers finds what is wrong and is silent only when nothing is."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest

from cds_service.replay.expectations import KNOWN_KEYS, differences
from tests.support.house_rules import broken_rules

NAMES = {"motor-neuron-disease": ("Motor neuron disease", "ALS"), "caffeine": ("Caffeine",)}


def _fact(value: str, unit: str = "mmol/L") -> dict[str, str]:
    return {"reference": "Observation/1", "what": "potassium", "value": value, "unit": unit}


def _ranked(cause: str, standing: str, *facts: dict[str, str]) -> dict[str, Any]:
    arguments = [{"finding": "potassium-low", "weight": "strong", "facts": list(facts)}] if facts else []
    return {"cause": cause, "standing": standing, "for": arguments, "against": [], "missing": []}


EXPLANATION: dict[str, Any] = {
    "red_flags": [{"id": "RF10", "level": "critical", "facts": [_fact("6.9")]}],
    "ranking": [
        _ranked("hypokalemia", "likely", _fact("2.8")),
        _ranked("hypomagnesemia", "likely"),
        _ranked("medication-effect", "possible"),
        _ranked("multiple-sclerosis", "less-likely"),
        _ranked("hyperkalemia", "excluded"),
    ],
    "workup": [
        {"order": "potassium", "status": "suggested"},
        {"order": "tsh", "status": "already-done"},
        {"order": "calcium", "status": "already-ordered"},
    ],
    "notes": [{"code": "unit-not-understood", "severity": "warning"}],
    "drug_safety": [{"option": "tizanidine", "level": "warning"}],
    "drafts": {"answered": [{"order": "tsh"}], "could_add": [{"cause": "hypokalemia"}], "unchecked": []},
}


def _card(
    summary: str = "Low potassium", detail: str = "Potassium **2.8** mmol/L", **more: Any
) -> dict[str, Any]:
    source = {"label": "x", "topic": {"code": "drug-safety"}}
    suggestions = [{"label": "Potassium"}]
    return {
        "summary": summary,
        "detail": detail,
        "indicator": "info",
        "source": source,
        "suggestions": suggestions,
        **more,
    }


def _response(*cards: dict[str, Any], **changed: Any) -> dict[str, Any]:
    found = list(cards) or [_card()]
    found[0] = {**found[0], "extension": {"org.spasm-cds.explanation": EXPLANATION | changed}}
    return {"cards": found}


HOLDS: list[tuple[str, Any]] = [
    ("top", "hypokalemia"),
    ("standings", {"hypokalemia": "likely", "hyperkalemia": "excluded", "caffeine": "not-ranked"}),
    ("rank", [["hypomagnesemia", "hypokalemia"], ["medication-effect"]]),
    ("rank", [["hypokalemia"], ["multiple-sclerosis"]]),
    ("rank", []),
    ("none_likely", False),
    ("not_likely", ["medication-effect", "hyperthyroidism"]),
    ("no_standing", ["multiple-sclerosis", "hyperkalemia", "hyperthyroidism"]),
    ("not_candidates", ["motor-neuron-disease", "multiple-sclerosis"]),
    ("orders", ["potassium", ["magnesium", "potassium"]]),
    ("no_orders", False),
    ("not_orders", ["tsh", "calcium", "mri-brain"]),
    ("already_done", ["tsh"]),
    ("already_ordered", [["renal-panel", "calcium"]]),
    ("level", "info"),
    ("red_flags", ["RF10"]),
    ("text", [r"\b2\.8 mmol/L", "LOW POTASSIUM"]),
    ("not_text", [r"\bstop"]),
    ("facts", [{"value": "2.8", "unit": "mmol/L"}, {"value": "6.9"}]),
    ("not_facts", [{"value": "2.1"}, {"value": "2.8", "unit": "mg/dL"}]),
    ("notes", ["unit-not-understood"]),
    ("cards", 1),
    ("cards_min", 1),
    ("cards_max", 1),
    ("topics", ["drug-safety"]),
    ("offered", ["Potassium"]),
    ("answered", ["tsh"]),
    ("could_add", ["hypokalemia"]),
    ("checks", ["tizanidine"]),
]
FAILS: list[tuple[str, Any, str]] = [
    ("top", "hypomagnesemia", "expected hypomagnesemia first, the ranking is hypokalemia (likely)"),
    ("standings", {"medication-effect": "likely"}, "medication-effect: expected likely, got possible"),
    ("rank", [["medication-effect"], ["hypokalemia"]], "medication-effect before hypokalemia"),
    ("rank", [["hyperthyroidism"]], "expected hyperthyroidism in the ranking"),
    ("rank", [["hyperkalemia"]], "it is excluded"),
    ("none_likely", True, "got hypokalemia, hypomagnesemia"),
    ("not_likely", ["hypokalemia"], "hypokalemia must not be likely"),
    ("no_standing", ["medication-effect"], "medication-effect must not be possible"),
    ("not_candidates", ["hypokalemia"], "hypokalemia must not be likely"),
    ("orders", ["magnesium"], "expected magnesium to be suggested, suggested are potassium"),
    ("orders", [["magnesium", "tsh"]], "expected magnesium or tsh"),
    ("no_orders", True, "got potassium"),
    ("not_orders", ["potassium"], "potassium must not be suggested"),
    ("already_done", ["calcium"], "already-done are tsh"),
    ("already_ordered", [["tsh", "magnesium"]], "already-ordered are calcium"),
    ("level", "critical", "expected critical, got info"),
    ("red_flags", [], "expected none, got RF10"),
    ("red_flags", ["RF10", "RF13"], "expected RF10, RF13"),
    ("text", ["magnesium"], "no card says 'magnesium'"),
    ("not_text", ["low potassium"], "forbids"),
    ("facts", [{"value": "2.8", "unit": "mg/dL"}], "no fact shows"),
    ("not_facts", [{"value": "6.9"}], "a fact shows"),
    ("notes", ["other"], "got unit-not-understood"),
    ("cards", 0, "expected 0, got 1"),
    ("cards_min", 2, "expected 2, got 1"),
    ("cards_max", 0, "expected 0, got 1"),
    ("topics", ["red-flag", "drug-safety"], "got drug-safety"),
    ("offered", [], "got Potassium"),
    ("answered", ["potassium"], "got tsh"),
    ("could_add", [], "got hypokalemia"),
    ("checks", ["opioid"], "got tizanidine"),
]


@pytest.mark.parametrize(("key", "wanted"), HOLDS)
def test_an_expectation_that_holds_gives_no_line(key: str, wanted: Any) -> None:
    """Nothing is said about an expectation that holds."""
    assert differences({key: wanted}, _response(), NAMES) == []


@pytest.mark.parametrize(("key", "wanted", "says"), FAILS)
def test_an_expectation_that_fails_says_what_came(key: str, wanted: Any, says: str) -> None:
    """One line tells what was expected and what came."""
    (line,) = differences({key: wanted}, _response(), NAMES)
    assert line.startswith(f"{key}: ")
    assert says in line


def test_every_key_is_tried_both_ways() -> None:
    """No key of the vocabulary goes without a response that fails it and one that meets it."""
    assert {key for key, _ in HOLDS} == {key for key, _, _ in FAILS} == KNOWN_KEYS - {"rank_exact_first"}


@pytest.mark.parametrize(
    ("group", "lines"),
    [(["hypokalemia", "hypomagnesemia"], 0), (["hypokalemia"], 0), (["hypomagnesemia"], 1)],
)
def test_the_first_group_stands_at_the_top(group: list[str], lines: int) -> None:
    """`rank_exact_first` is broken by any other cause at the top."""
    assert len(differences({"rank": [group], "rank_exact_first": True}, _response(), NAMES)) == lines


def test_an_expectation_that_nobody_checks_is_refused() -> None:
    """A mistyped key raises instead of passing."""
    with pytest.raises(KeyError, match="not_txt"):
        differences({"not_txt": ["x"]}, _response())


@pytest.mark.parametrize("detail", ["Consider motor neuron disease.", "Not **ALS**", "als?"])
def test_naming_a_cause_is_found_whatever_its_dress(detail: str) -> None:
    """A forbidden cause is found by its title or another name, in any case of letters and any marks."""
    assert differences({"not_candidates": ["motor-neuron-disease"]}, _response(_card(detail=detail)), NAMES)


def test_a_word_that_only_holds_the_name_does_not_name_it() -> None:
    """`also` and `decaffeinated` name no cause."""
    response = _response(_card(detail="Decaffeinated drinks also count, and so do salsa and metals."))
    assert differences({"not_candidates": ["motor-neuron-disease", "caffeine"]}, response, NAMES) == []


def test_a_suggestion_can_name_a_cause_and_say_a_forbidden_word() -> None:
    """Labels of suggestions are read for what must not be said, and not for what must."""
    response = _response(_card(suggestions=[{"label": "Stop caffeine", "actions": []}]))
    assert len(differences({"not_candidates": ["caffeine"], "not_text": [r"\bstop"]}, response, NAMES)) == 2
    assert differences({"text": ["caffeine"]}, response, NAMES)


def test_no_orders_allows_the_questions_and_sees_a_hidden_order() -> None:
    """The history questions are no order; a ServiceRequest behind a suggestion is one, whatever the workup says."""
    questions = [{"order": "muscle-spasm-history", "status": "suggested"}]
    asking = {"muscle-spasm-history"}
    assert differences({"no_orders": True}, _response(workup=questions), questionnaires=asking) == []
    assert differences({"no_orders": True}, _response(workup=questions))
    action = {"type": "create", "description": "EMG", "resource": {"resourceType": "ServiceRequest"}}
    hidden = _card(suggestions=[{"label": "EMG", "actions": [action]}])
    assert differences({"no_orders": True}, _response(hidden, workup=questions), questionnaires=asking)


def test_the_level_is_the_highest_of_all_cards() -> None:
    """A critical second card makes the answer critical."""
    response = _response(_card(), _card(indicator="critical"), _card(indicator="warning"))
    assert differences({"level": "critical"}, response) == []


@pytest.mark.parametrize("detail", ["TSH &lt;0.01", r"TSH \<0.01", "TSH **<0.01**", "TSH <\u00a00.01"])
def test_text_is_read_as_it_shows_on_the_page(detail: str) -> None:
    """Entities, escapes, marks and narrow spaces do not hide a text."""
    assert differences({"text": [r"<\s?0\.01\b"]}, _response(_card(detail=detail))) == []


def test_an_answer_without_cards_is_judged() -> None:
    """No card meets `cards: 0` and fails every expectation about the explanation."""
    silent: Mapping[str, Any] = {"cards": []}
    assert differences({"cards": 0}, silent) == []
    assert differences({"cards": 0, "rank": [["hypokalemia"]]}, silent) == [
        "explanation: expected one, the response has none"
    ]
    withheld = {"cards": [], "extension": {"org.spasm-cds.explanation": EXPLANATION}}
    assert differences({"cards": 0, "rank": [["hypokalemia"]]}, withheld) == []


@pytest.mark.parametrize(
    "detail",
    [
        "Ask your doctor.",
        "You may have low potassium.",
        "The diagnosis is low potassium.",
        "There is nothing to worry about.",
        "Give 40 mg daily.",
        "Vitamin B12 100 micrograms",
    ],
)
def test_a_broken_rule_of_the_house_is_found(detail: str) -> None:
    """Words to the patient, a claimed diagnosis, false reassurance and doses are found in any card."""
    assert len(broken_rules(_response(_card(), _card(detail=detail)))) == 1


def test_a_medicine_behind_a_suggestion_is_found() -> None:
    """No suggestion may place a medicine."""
    action = {"type": "create", "description": "x", "resource": {"resourceType": "MedicationRequest"}}
    assert broken_rules(_response(_card(suggestions=[{"label": "Replace it", "actions": [action]}])))


def test_results_and_recorded_strengths_are_no_dose() -> None:
    """A mass per volume is a result, and the record's own medicine may be repeated."""
    detail = "Calcium 12.6 mg/dL (8.6-10.3 mg / dL) on Hydrochlorothiazide 25 mg, cramps since 2026"
    assert broken_rules(_response(_card(detail=detail)), ["hydrochlorothiazide 25 mg"]) == []
    assert len(broken_rules(_response(_card(detail=detail)))) == 1


def test_a_wrong_standing_tells_what_is_missing() -> None:
    """Without findings the explanation tells why: what is unknown, and what speaks for a cause that must not stand."""
    ranking = [{**_ranked("hypokalemia", "possible"), "missing": ["potassium-low"]}]
    (line,) = differences({"standings": {"hypokalemia": "likely"}}, _response(ranking=ranking))
    assert line.endswith("expected likely, got possible; because potassium-low is unknown")
    (line,) = differences({"not_likely": ["hypokalemia"]}, _response(), NAMES)
    assert line.endswith("must not be likely; because potassium-low is present")
