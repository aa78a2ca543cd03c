"""Reads how much of a habit a patient has, per day or week; an amount whose unit does not tell is noted."""

from __future__ import annotations

import re
from decimal import Decimal

from cds_service.fhir.notebook import Notebook, Placed, observed_on
from cds_service.fhir.quantities import is_printable
from cds_service.fhir.shapes import Resource
from cds_service.fhir.words import wording
from cds_service.model.facts import Fact, SocialAmount

_HABITS = {
    "caffeine": re.compile(r"\b(?:caffeine|coffee)\b", re.IGNORECASE),
    "sleep": re.compile(r"\bsleep\b", re.IGNORECASE),
    "alcohol": re.compile(r"\balcohol\b", re.IGNORECASE),
}
_PER = re.compile(r"(?:/|\bper\b|\ba\b|\beach\b)\s*(day|d|night|week|wk)\b", re.IGNORECASE)
_AMOUNT_WORDS = {
    "caffeine": re.compile(r"drink|cup|serving|coffee", re.IGNORECASE),
    "sleep": re.compile(r"^\s*\{?(?:h|hr|hrs|hour|hours)\b", re.IGNORECASE),
    "alcohol": re.compile(r"unit|drink", re.IGNORECASE),
}
_WANTED_SPAN = {"caffeine": "day", "sleep": "day", "alcohol": "week"}
_UNIT_SHOWN = {"caffeine": "drinks/day", "sleep": "h/night", "alcohol": "units/week"}
_DAYS = {"day": Decimal(1), "d": Decimal(1), "night": Decimal(1), "week": Decimal(7), "wk": Decimal(7)}


def names_habit(resource: Resource) -> bool:
    """Whether the words of an Observation name a habit that is read."""
    return _habit_in(wording(resource.code)) is not None


def _habit_in(words: str) -> str | None:
    return next((item for item, pattern in _HABITS.items() if pattern.search(words)), None)


def read_habit(placed: Placed, notebook: Notebook) -> SocialAmount | None:
    """Return the amount of the habit that an Observation names; None, with a note, where it cannot be told."""
    resource = placed.resource
    words = wording(resource.code)
    item = _habit_in(words)
    quantity = resource.value_quantity
    if item is None or quantity is None:
        return None
    path = f"{placed.path}.valueQuantity"
    if quantity.value is None:
        notebook.note("warning", "value-missing", path, "Send valueQuantity with a number.")
        return None
    if not is_printable(quantity.value) or quantity.value < 0:
        notebook.note("warning", "value-implausible", path, "Check the value and its unit.")
        return None
    unit = (quantity.unit or quantity.code or "").strip()
    amount = _amount(item, quantity.value, unit, words)
    if amount is None:
        notebook.note("warning", "unit-not-understood", path, f"Send {_UNIT_SHOWN[item]}.")
        return None
    when = observed_on(placed, notebook)
    fact = Fact(
        what=item,
        reference=placed.reference,
        value=format(quantity.value, "f"),
        unit=unit,
        on=when.text if when else None,
    )
    return SocialAmount(item=item, amount=amount, fact=fact)


def _amount(item: str, value: Decimal, unit: str, words: str) -> Decimal | None:
    """Return the habit per day or week; None when the unit does not tell."""
    if not _AMOUNT_WORDS[item].search(unit):
        return None
    per = _PER.search(unit) or _PER.search(words)
    if per is None:
        return None
    span = _DAYS[per.group(1).lower()]
    wanted = _DAYS[_WANTED_SPAN[item]]
    return value * wanted / span
