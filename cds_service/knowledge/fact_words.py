"""Words for the questions that rules ask of facts, as far as they name no definition; it evaluates nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

SPAN = "{} days"
PERIODS = {"caffeine": "a day", "sleep": "a night", "alcohol": "a week"}
CONDITION_SPANS = {
    "onset_within_days": "begun within {}",
    "onset_before_days": "begun {} ago or earlier",
    "not_older_than_days": "not known to be older than {}",
}
MEDICATION_SPANS = {
    "started_within_days": "started within {}",
    "taken_within_days": "taken now or within {}",
    "ended_within_days": "ended within {}",
}
MEMBERS: Mapping[str, frozenset[str]] = {
    "condition": frozenset({"in", "status", "confirmed", "not_after_onset", *CONDITION_SPANS}),
    "medication": frozenset({"in", "status", "started", *MEDICATION_SPANS}),
    "examination": frozenset({"part", "is", "within_days"}),
    "habit": frozenset({"item", "at_least", "above", "below"}),
    "patient": frozenset({"age_at_least", "age_below", "sex"}),
    "onset": frozenset({"within_days", "before_days"}),
    "result": frozenset({"lab", "bands", "within_hours", "within_days"}),
    "measured": frozenset({"lab", "at_least", "below", "above_upper"}),
    "family": frozenset({"in"}),
    "allergy": frozenset({"in"}),
}
"""The members of each question that have words of their own."""


def spans(operand: Mapping[str, Any], words: Mapping[str, str]) -> str:
    """Return the spans of days that a question names, each after a comma."""
    return "".join(
        f", {text.format(SPAN.format(operand[member]))}"
        for member, text in words.items()
        if member in operand
    )


def examination(operand: Mapping[str, Any]) -> str:
    """Return the words for what an examination found."""
    words = f"{operand['part']} found {operand['is']} on examination"
    return words + (f" within {SPAN.format(operand['within_days'])}" if "within_days" in operand else "")


def habit(operand: Mapping[str, Any]) -> str:
    """Return the words for an amount of a habit."""
    sides = [
        text.format(operand[side])
        for side, text in (("at_least", "{} or more"), ("above", "above {}"), ("below", "below {}"))
        if side in operand
    ]
    return f"{operand['item']} {' and '.join(sides)} {PERIODS.get(operand['item'], '')}".strip()


def patient(operand: Mapping[str, Any]) -> str:
    """Return the words for age and sex."""
    words = [
        text.format(operand[member])
        for member, text in (
            ("age_at_least", "aged {} or over"),
            ("age_below", "aged under {}"),
            ("sex", "{}"),
        )
        if member in operand
    ]
    return " and ".join(words)


def onset(operand: Mapping[str, Any]) -> str:
    """Return the words for when the complaint began."""
    if "within_days" in operand:
        return f"the complaint began within {SPAN.format(operand['within_days'])}"
    return f"the complaint began {SPAN.format(operand['before_days'])} ago or earlier"
