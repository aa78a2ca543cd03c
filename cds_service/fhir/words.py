"""The bare words of codes, concepts and categories, in every form that records give them; it judges none of them."""

from __future__ import annotations

from cds_service.fhir.shapes import Category, CodeableConcept, Component, Resource

_MAX_TEXT = 160

NOT_TRUE = frozenset({"refuted", "entered-in-error"})
"""Verification statuses of what the patient does not have, of Conditions and allergies alike."""
OVER = frozenset({"inactive", "resolved"})
"""Clinical statuses of what the patient has no more, of Conditions and allergies alike."""


def concepts(value: list[CodeableConcept] | CodeableConcept | None) -> list[CodeableConcept]:
    """Return a list of concepts, whether a record sends one or several."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def category_codes(value: list[Category | str] | Category | str | None) -> list[str]:
    """Return the codes and texts of a category, whichever of the three shapes a record uses."""
    if value is None:
        return []
    if isinstance(value, str):
        return [value]
    codes: list[str] = []
    for category in value if isinstance(value, list) else [value]:
        kind = Category(text=category) if isinstance(category, str) else category
        codes += [coding.code for coding in kind.coding or () if coding.code]
        codes += [kind.text] if kind.text else []
    return codes


def code_of(value: CodeableConcept | str | None) -> str | None:
    """Return the first code of a status, trimmed and in lower case, from an object or a bare string."""
    if value is None:
        return None
    if isinstance(value, str):
        return value.strip().lower() or None
    for coding in value.coding or ():
        if coding.code:
            return coding.code.strip().lower()
    return (value.text or "").strip().lower() or None


def wording(concept: CodeableConcept | None) -> str:
    """Return the words of a concept: its text, else its first display, shortened and on one line."""
    if concept is None:
        return ""
    text = concept.text or next((coding.display for coding in concept.coding or () if coding.display), "")
    return " ".join(text.split())[:_MAX_TEXT]


def value_text(part: Resource | Component) -> str:
    """Return the words of a value: valueString, or the words of valueCodeableConcept."""
    if part.value_string:
        return part.value_string
    value: CodeableConcept | None = part.value_codeable_concept
    return wording(value)
