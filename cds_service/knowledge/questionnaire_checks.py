"""Checks of questionnaires: every question has one linkId, the answers that fit its type, and a meaning of its own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.knowledge.draft import Draft, asked_items, asked_words
from cds_service.knowledge.expressions import Path
from cds_service.knowledge.yaml_reader import Document
from cds_service.model.faults import Fault
from cds_service.model.questionnaires import NO, YES

CHECK = "questionnaire-item"
LONGEST_WORDS = 37
"""Characters of what can open a summary, before its date."""
_CHOICES = frozenset({"choice", "open-choice"})
_NUMBERS = frozenset({"integer", "decimal"})
_TYPES_OF_MEMBER: Mapping[str, frozenset[str]] = {
    "options": _CHOICES,
    "signs": _NUMBERS | {"boolean", "date"},
    "also": frozenset({"boolean"}),
    "denies": frozenset({"boolean"}),
    "says": frozenset({"boolean"}),
    "habit": _NUMBERS,
    "unit": _NUMBERS,
    "least": _NUMBERS,
    "most": _NUMBERS,
    "examination": _CHOICES,
    "onset": frozenset({"date"}),
    "signs_from": _NUMBERS,
    "weeks_of": _NUMBERS,
    "medicines_within_days": frozenset({"text"}),
    "repeats": _CHOICES,
    "items": frozenset({"group"}),
}
"""Member → the types of question whose answers it can be read from."""


def questionnaire_item(draft: Draft) -> Iterator[Fault]:
    """LinkIds and codes stand once, members fit the type, and a question depends on an answer that can be given."""
    links: dict[str, str] = {}
    for name, document in draft.of("questionnaires"):
        yield from _medicines(draft, document)
        answers: dict[str, set[str]] = {}
        for path, item in asked_items(document.value["items"]):
            link = item["link"]
            if link in links:
                text = f"The linkId {link!r} is taken in {links[link]}."
                yield document.fault((*path, "link"), CHECK, text, "Give the question its own.")
            links[link] = name
            yield from _misfits(document, path, item)
            yield from _long_words(document, path, item)
            yield from _dependence(document, path, item, answers)
            codes = [option["code"] for option in item.get("options", ())]
            answers[link] = {YES, NO} if item["type"] == "boolean" else {*codes}
            for place, code in enumerate(codes):
                if code in codes[:place]:
                    where = (*path, "options", place, "code")
                    yield document.fault(where, CHECK, "The code stands twice.", "Give each answer its own.")


def _medicines(draft: Draft, document: Document) -> Iterator[Fault]:
    """An answer names what a person has, or lacks; medicines are read from texts."""
    for path, name in asked_words(document.value, "signs", "also", "denies", "family"):
        value_set = draft.documents["value_sets"].get(name)
        if value_set is not None and value_set.value["kind"] == "medication":
            text = f"{name!r} is a value set of medicines."
            yield document.fault(path, CHECK, text, "Name a sign or a diagnosis.")


def _misfits(document: Document, path: Path, item: Mapping[str, Any]) -> Iterator[Fault]:
    kind = item["type"]
    for member, types in _TYPES_OF_MEMBER.items():
        if member in item and kind not in types:
            text = f"{member} does not go with the type {kind}."
            yield document.fault((*path, member), CHECK, text, f"Use {' or '.join(sorted(types))}.")
    for holder, needed in (*((choice, "options") for choice in _CHOICES), ("group", "items")):
        if kind == holder and needed not in item:
            text = f"A {kind} needs {needed}."
            yield document.fault((*path, "type"), CHECK, text, "Add them, or take another type.")
    if "habit" in item and "unit" not in item:
        yield document.fault((*path, "habit"), CHECK, "The amount has no unit.", "Add the unit.")
    if "weeks_of" in item and "most" not in item:
        yield document.fault(
            (*path, "weeks_of"), CHECK, "The weeks have no bound.", "Add the most they can be."
        )
    if kind in _NUMBERS and ("signs" in item) != ("signs_from" in item):
        text = "Signs of a number need the number from which on they are there."
        yield document.fault(path, CHECK, text, "Give both signs and signs_from, or neither.")


def _long_words(document: Document, path: Path, item: Mapping[str, Any]) -> Iterator[Fault]:
    """Return a fault for words that could open a summary and leave no room for the rest of it."""
    places = [(path, item, item["text"])]
    places += [
        ((*path, "options", at), option, option["display"])
        for at, option in enumerate(item.get("options", ()))
    ]
    for where, holder, plain in places:
        words = holder.get("words", plain)
        if "signs" in holder and len(words) > LONGEST_WORDS:
            text = (
                f"The words have {len(words)} characters; {LONGEST_WORDS} is the limit where signs are told."
            )
            yield document.fault((*where, "words"), CHECK, text, "Shorten them.")


def _dependence(
    document: Document, path: Path, item: Mapping[str, Any], answers: Mapping[str, set[str]]
) -> Iterator[Fault]:
    dated = item.get("weeks_of")
    if dated is not None and dated not in answers:
        text = f"No earlier question has the linkId {dated!r}."
        yield document.fault((*path, "weeks_of"), CHECK, text, "Name a question that stands before.")
    on = item.get("only_if")
    if on is None:
        return
    if on["link"] not in answers:
        text = f"No earlier question has the linkId {on['link']!r}."
        yield document.fault((*path, "only_if", "link"), CHECK, text, "Name a question that stands before.")
        return
    for place, answer in enumerate(on["answers"]):
        if answer not in answers[on["link"]]:
            text = f"The question {on['link']} has no answer {answer!r}."
            where = (*path, "only_if", "answers", place)
            yield document.fault(where, CHECK, text, "Name one of its answers.")
