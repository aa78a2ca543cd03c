"""A small `Knowledge` of its own for the tests of reading: hand-written definitions over the shipped tables.

It takes no clinical content from `cards/`, so that these tests stand whatever a clinician changes there.
"""

from __future__ import annotations

from typing import Any, TypeVar

import msgspec

from cds_service.knowledge.codes import Tables
from cds_service.model.definitions import Definition, Knowledge, Lab, Order, Presentation, ValueSet
from cds_service.model.questionnaires import Questionnaire

_REVIEW = {"written_on": "2026-06-01", "next_review": "2027-06-01"}
_NOT_READ = ("rules", "red_flags", "causes", "templates", "services", "sources", "override_reasons")
_Kind = TypeVar("_Kind", bound=Definition)

_LABS: dict[str, dict[str, Any]] = {
    "potassium": {"unit": "mmol/L", "decimals": 1, "plausible": {"low": "1.0", "high": "10.0"}},
    "calcium": {"unit": "mmol/L", "decimals": 2, "plausible": {"low": "0.50", "high": "5.00"}},
    "creatinine": {"unit": "umol/L", "decimals": 0, "plausible": {"low": "10", "high": "2500"}},
    "egfr": {"unit": "mL/min/{1.73_m2}", "decimals": 0, "plausible": {"low": "1", "high": "250"}},
    "tsh": {"unit": "m[IU]/L", "decimals": 2, "plausible": {"low": "0", "high": "500"}},
    "pth": {"unit": "pg/mL", "decimals": 0, "plausible": {"low": "0", "high": "5000"}},
}
_LAB_KEYS = {"calcium": "calcium_total", "pth": "pth_intact"}
_VALUE_SETS: dict[str, dict[str, Any]] = {
    "severe-kidney-disease": {
        "kind": "diagnosis",
        "codes": [{"table": "conditions", "key": "ckd_4_5_esrd"}],
        "text": {"match": ["kidney disease stage 4", "kidney disease stage 5"]},
    },
    "weakness": {
        "kind": "sign",
        "codes": [{"table": "findings", "key": "muscle_weakness"}],
        "text": {"match": ["weakness", "paresis"]},
    },
    "clonus": {
        "kind": "sign",
        "codes": [{"table": "findings", "key": "clonus"}],
        "text": {"match": ["clonus"], "unless": ["clonus of the jaw"]},
    },
    "wasting": {"kind": "sign", "text": {"match": ["wasting", "atroph*"]}},
    "loop-diuretic": {
        "kind": "medication",
        "codes": [{"table": "medications", "key": "loop_diuretic"}],
        "text": {"match": ["frusemide", "water tablet*"]},
    },
    "thiazide": {"kind": "medication", "codes": [{"table": "medications", "key": "thiazide_diuretic"}]},
    "ace-inhibitor": {"kind": "medication", "codes": [{"table": "medications", "key": "ace_inhibitor"}]},
    "corticosteroid": {
        "kind": "medication",
        "systemic_only": True,
        "codes": [{"table": "medications", "key": "corticosteroid_systemic"}],
        "text": {"match": ["cortisone"]},
    },
    "vitamin": {"kind": "medication", "text": {"match": ["vitamin b12", "vitamin d3"]}},
}
_PRESENTATIONS: dict[str, dict[str, Any]] = {
    "cramp": {
        "noun": "cramps",
        "codes": [{"table": "findings", "key": "muscle_cramp"}],
        "text": {"match": ["cramp*"], "unless": ["menstrua*", "abdom*"]},
    },
    "spasm": {
        "noun": "spasms",
        "codes": [{"table": "findings", "key": "muscle_spasm"}],
        "text": {"match": ["spasm", "spasms"], "unless": ["coronary"]},
    },
    "fasciculation": {
        "noun": "twitching",
        "codes": [
            {"table": "findings", "key": "fasciculation"},
            {"table": "findings", "key": "muscle_twitch"},
        ],
        "text": {"match": ["fasciculation*", "twitch*"]},
    },
}
_ORDERS: dict[str, dict[str, Any]] = {
    "potassium": {
        "kind": "laboratory",
        "codes": [{"table": "orders", "key": "potassium"}],
        "text": {"match": ["potassium"], "unless": ["urine"]},
    },
    "sodium": {"kind": "laboratory"},
    "metabolic-panel": {
        "kind": "laboratory",
        "codes": [{"table": "orders", "key": "basic_metabolic"}],
        "text": {"match": ["metabolic panel"]},
        "covers": ["potassium", "sodium", "creatinine"],
    },
    "ecg": {"kind": "tracing", "text": {"match": ["ecg", "electrocardiogra*"]}},
    "urgent-neurology": {
        "kind": "referral",
        "priority": "urgent",
        "codes": [{"table": "orders", "key": "neurology_referral"}],
    },
    "neurology": {"kind": "referral", "codes": [{"table": "orders", "key": "neurology_referral"}]},
}
_QUESTIONNAIRES: dict[str, dict[str, Any]] = {
    "wobble-history": {
        "name": "WobbleHistory",
        "description": "Questions about wobbles.",
        "order": "ecg",
        "fresh_days": 90,
        "cites": [],
        "items": [
            {
                "link": "1",
                "text": "When did it begin?",
                "type": "date",
                "words": "the beginning",
                "onset": True,
            },
            {
                "link": "2",
                "text": "More",
                "type": "group",
                "items": [
                    {
                        "link": "2.1",
                        "text": "Is it weak?",
                        "type": "boolean",
                        "words": "weakness",
                        "signs": ["weakness"],
                        "also": ["clonus"],
                        "denies": ["wasting"],
                        "says": "weak",
                    },
                    {
                        "link": "2.2",
                        "text": "What is it like?",
                        "type": "choice",
                        "repeats": True,
                        "options": [
                            {
                                "code": "odd",
                                "display": "Odd",
                                "words": "odd wobbles",
                                "signs": ["clonus"],
                                "says": "odd",
                            },
                            {"code": "even", "display": "Even", "denies": ["clonus"], "says": "even"},
                            {"code": "unsure", "display": "Not sure", "tells_nothing": True},
                        ],
                        "only_if": {"link": "2.1", "answers": ["yes"]},
                    },
                ],
            },
            {
                "link": "3",
                "text": "Who has it?",
                "type": "open-choice",
                "options": [{"code": "kin", "display": "A relative", "family": ["clonus"]}],
                "only_if": {"link": "2.2", "answers": ["odd", "even"]},
            },
            {
                "link": "4",
                "text": "How many drinks in a day?",
                "type": "integer",
                "habit": "caffeine",
                "unit": "drinks/day",
                "least": "0",
                "most": "50",
            },
            {
                "link": "5",
                "text": "How often?",
                "type": "decimal",
                "words": "often",
                "signs": ["wasting"],
                "signs_from": "7",
            },
            {
                "link": "2.3",
                "text": "For how many weeks?",
                "type": "decimal",
                "words": "weeks",
                "weeks_of": "2.2",
                "most": "60",
            },
            {"link": "6", "text": "Which medicines?", "type": "text", "medicines_within_days": 35},
            {"link": "7", "text": "What else?", "type": "text"},
            {
                "link": "8",
                "text": "Strength",
                "type": "choice",
                "examination": "strength",
                "by_clinician": True,
                "options": [
                    {"code": "normal", "display": "Normal", "finds": "normal"},
                    {"code": "abnormal", "display": "Abnormal", "finds": "abnormal"},
                    {"code": "not-done", "display": "Not done", "tells_nothing": True},
                ],
            },
            {
                "link": "9",
                "text": "When was the knock?",
                "type": "date",
                "words": "a knock",
                "signs": ["wasting"],
            },
        ],
    },
}


def define(kind: type[_Kind], name: str, /, **members: Any) -> _Kind:
    """Return one definition; what every file has stands already."""
    fixed = {"id": name, "title": name.capitalize(), "review": _REVIEW, "examples": []}
    return msgspec.convert({**fixed, **members}, kind)


def define_lab(name: str, **members: Any) -> Lab:
    """Return one of the labs of these tests."""
    key = _LAB_KEYS.get(name, name)
    fixed = {"short": name, "fresh_days": 30, "retest_hours": 24, "cites": []}
    codes = {"codes": [{"table": "labs", "key": key}], "conversions": key}
    return define(Lab, name, **{**fixed, **codes, **_LABS.get(name, {}), **members})


def knowledge_over(tables: Tables) -> Knowledge:
    """Return the definitions of this file over the tables."""
    return Knowledge(
        version="test",
        site_changes=(),
        presentations={name: define(Presentation, name, **each) for name, each in _PRESENTATIONS.items()},
        value_sets={name: define(ValueSet, name, **each) for name, each in _VALUE_SETS.items()},
        labs={name: define_lab(name) for name in _LABS},
        orders={name: define(Order, name, label=name, **each) for name, each in _ORDERS.items()},
        questionnaires={name: define(Questionnaire, name, **each) for name, each in _QUESTIONNAIRES.items()},
        codes=tables.codes,
        conversions=tables.conversions,
        spellings=tables.spellings,
        **{kind: {} for kind in _NOT_READ},
    )
