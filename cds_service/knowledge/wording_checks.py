"""Checks of words: summaries that fit, placeholders that are filled, no promise, dose or instruction."""

from __future__ import annotations

import re
import string
from collections.abc import Iterator, Mapping
from datetime import date
from typing import Any

from cds_service.knowledge.draft import Draft, every
from cds_service.knowledge.expressions import Path
from cds_service.model.faults import Fault, did_you_mean
from cds_service.model.hooks import SUMMARY_LIMIT

LONGEST_LEAD = 62
"""Characters of the longest rendered fact that a summary must have room for."""

_CARELESS = re.compile(
    r"\bstop(?:ping)?\b|\bsafe\b|nothing to worry|\byou have\b|\b\d+(?:\.\d+)? ?(?:mg|mcg|g)\b(?!/)",
    re.IGNORECASE,
)
_CARD_TEXT = {
    "because",
    "text",
    "short",
    "if_unknown",
    "action",
    "detail",
    "summary",
    "note",
    "label",
    "repeat_label",
    "title",
}

PLACEHOLDERS = frozenset(
    {
        "lead",
        "noun",
        "presentation",
        "causes",
        "facts",
        "labs",
        "names",
        "missing",
        "what",
        "on",
        "count",
        "text",
        "action",
        "because",
        "detail",
        "date",
        "value",
        "because_of",
        "title",
        "keys",
        "days",
    }
)


def summary_too_long(draft: Draft) -> Iterator[Fault]:
    """A summary fits into 139 characters with the longest fact in it."""
    for _name, document in draft.of("red_flags"):
        length = len(document.value["summary"].replace("{lead}", "x" * LONGEST_LEAD))
        if length > SUMMARY_LIMIT:
            text = f"The summary can reach {length} characters; {SUMMARY_LIMIT} is the limit."
            yield document.fault(("summary",), "summary-too-long", text, "Shorten it.")
    for _name, document in draft.of("templates"):
        for member, words in document.value["text"].items():
            if member.startswith("summary") and len(re.sub(r"\{[^}]*\}", "", words)) > SUMMARY_LIMIT // 2:
                text = "The fixed words take more than half of a summary."
                yield document.fault(("text", member), "summary-too-long", text, "Shorten it.")


def unknown_placeholder(draft: Draft) -> Iterator[Fault]:
    """Something fills every placeholder."""
    for kind, allowed in (
        ("templates", PLACEHOLDERS),
        ("red_flags", frozenset({"lead"})),
        ("causes", frozenset({"noun", "missing", "value"})),
        ("treatments", frozenset({"what"})),
    ):
        for _name, document in draft.of(kind):
            for path, sentence in _filled_sentences(kind, document.value):
                try:
                    used = _placeholders(sentence)
                except ValueError as error:
                    text = f"The braces cannot be read: {error}."
                    yield document.fault(path, "unknown-placeholder", text, "Double a brace that is meant.")
                    continue
                for name in sorted(used - allowed):
                    remedy = did_you_mean(name, sorted(allowed))
                    yield document.fault(path, "unknown-placeholder", f"Nothing fills {{{name}}}.", remedy)


def _filled_sentences(kind: str, value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield every sentence of a definition in which a card fills placeholders."""
    if kind == "templates":
        yield from ((("text", member), words) for member, words in value["text"].items())
    elif kind == "treatments":
        for place, part in enumerate(value.get("cautions", ())):
            yield from ((("cautions", place, name), part[name]) for name in ("text", "short") if name in part)
    elif "summary" in value:
        yield ("summary",), value["summary"]
    for place, remark in enumerate(value.get("remarks", ())):
        if "unmeasured" in remark or "measured" in remark:
            yield ("remarks", place, "text"), remark["text"]


def _placeholders(sentence: str) -> set[str]:
    """Return what stands in braces, a conversion or format included. Raises `ValueError` for a lone brace."""
    return {
        name + (f"!{conversion}" if conversion else "") + (f":{form}" if form else "")
        for _text, name, form, conversion in string.Formatter().parse(sentence)
        if name is not None
    }


def review_overdue(draft: Draft) -> Iterator[Fault]:
    """A definition whose review date has passed is warned about."""
    for _kind, _name, document in every(draft):
        review = document.value.get("review", {})
        dates = {member: _day(review[member]) for member in ("written_on", "next_review") if member in review}
        for member in [member for member, day in dates.items() if day is None]:
            text = f"There is no day {review[member]}."
            yield document.fault(("review", member), "review-overdue", text, "Correct the date.")
        due = dates.get("next_review")
        if due is not None and due < draft.today:
            text = f"The review of {review['next_review']} is overdue."
            fault = document.fault(
                ("review", "next_review"), "review-overdue", text, "Read it again and set a new date."
            )
            yield Fault(
                fault.file, fault.line, fault.path, fault.check, fault.text, fault.remedy, is_warning=True
            )


def _day(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None


def careless_wording(draft: Draft) -> Iterator[Fault]:
    """No text promises, instructs or doses."""
    for kind in ("causes", "red_flags", "treatments", "orders", "templates", "labs"):
        for _name, document in draft.of(kind):
            for path, words in _sentences(document.value, ()):
                found = _CARELESS.search(words)
                if found:
                    text = f"{found.group()!r} sounds like an instruction, a dose or a promise."
                    yield document.fault(path, "careless-wording", text, "Word it as an option to consider.")


def _sentences(value: Any, path: Path) -> Iterator[tuple[Path, str]]:
    if isinstance(value, dict):
        for key, part in value.items():
            if key == "examples":
                continue
            if isinstance(part, str) and (key in _CARD_TEXT or (path and path[0] == "text")):
                yield (*path, key), part
            else:
                yield from _sentences(part, (*path, key))
    elif isinstance(value, list):
        for place, part in enumerate(value):
            yield from _sentences(part, (*path, place))
