"""What the service discloses about its content, as plain data; it reads no patient and no clock."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from cds_service.knowledge.lab_words import limit_words, ranges_words, unit_words
from cds_service.model.definitions import Cause, Definition, Knowledge, Lab, RedFlag, Review
from cds_service.model.trust import ADDED, IN_DOCUMENT, origin_of

GRADES: Mapping[str, str] = {
    "V": "passage read",
    "L": "page found, passage not read",
    "K": "general knowledge",
    "2nd": "read through a secondary page",
    "own": "our own judgment, awaiting clinical review",
}
METHOD: Mapping[str, str] = {
    "Reading": "The request's FHIR resources become dated facts in one unit per test. What cannot be used becomes a "
    "note; a failure never looks like an empty record.",
    "Findings": "Each fact is judged in three values: present, absent or unknown. A test never done is unknown, not "
    "normal. The laboratory's own flag is trusted first, then its range, then a default range for adults who are not "
    "pregnant. A result older than its window neither supports nor excludes.",
    "Red flags": "They are looked for before anything is ranked and stand on cards of their own.",
    "Ranking": "Arguments for and against each cause are weighed (strong 4, moderate 2, weak 1). Likely needs a strong "
    "argument and more for than against; possible needs some support; an excluding finding rules a cause out. "
    "Ties go to the more urgent cause.",
    "Workup": "Tests that would settle the candidates, less what is already resulted or ordered, as drafts that a "
    "clinician may accept.",
}
NOT_SIGNED = "No part of this content has been signed off by a clinician."


class Due(NamedTuple):
    """A definition with a review: when it was written, when it must be read again, and who signed it, if anybody."""

    kind: str
    definition: Definition
    review: Review


def reviews(knowledge: Knowledge) -> Iterator[Due]:
    """Yield every definition that carries a review."""
    for name in knowledge.__struct_fields__:
        group = getattr(knowledge, name)
        for one in group.values() if isinstance(group, Mapping) else ():
            review = getattr(one, "review", None)
            if isinstance(review, Review):
                yield Due(name, one, review)


def overdue(knowledge: Knowledge, today: date) -> list[Due]:
    """Return the reviews whose date has passed, the oldest first."""
    late = [due for due in reviews(knowledge) if due.review.next_review < today]
    return sorted(late, key=lambda due: (due.review.next_review, due.kind, due.definition.id))


def sign_off(dues: Sequence[Due]) -> str:
    """Return the sentence that says how much of the content a clinician has signed."""
    signed = _signed(dues)
    return f"{signed} of {len(dues)} definitions carry a signature." if signed else NOT_SIGNED


def _signed(dues: Sequence[Due]) -> int:
    return sum(due.review.checked_by is not None for due in dues)


def disclosure(knowledge: Knowledge, today: date) -> dict[str, Any]:
    """Return everything that is disclosed, ready for JSON."""
    dues = list(reviews(knowledge))
    return {
        "knowledge_version": knowledge.version,
        "release": knowledge.version.partition("+")[0],
        "revised_on": max((due.review.written_on for due in dues), default=today).isoformat(),
        "sign_off": sign_off(dues),
        "purpose": "Decision support for clinicians, not a diagnosis.",
        "method": [{"step": step, "text": text} for step, text in METHOD.items()],
        "attributes": [
            {"id": one.id, "title": one.title, "text": one.text}
            for one in sorted(knowledge.attributes.values(), key=lambda one: one.place)
        ],
        "reviews": {
            "definitions": len(dues),
            "signed": _signed(dues),
            "next_due": min((due.review.next_review for due in dues), default=today).isoformat(),
            "overdue": [
                {
                    "kind": due.kind,
                    "id": due.definition.id,
                    "title": due.definition.title,
                    "next_review": due.review.next_review.isoformat(),
                }
                for due in overdue(knowledge, today)
            ],
        },
        "red_flags": [_red_flag(one) for one in knowledge.red_flags.values()],
        "causes": [_cause(one, knowledge) for one in knowledge.causes.values()],
        "labs": [_lab(one) for one in knowledge.labs.values()],
        "sources": [
            {**msgspec.to_builtins(one), "grade_means": GRADES[one.grade]}
            for one in knowledge.sources.values()
        ],
    }


def _red_flag(flag: RedFlag) -> dict[str, Any]:
    return {
        "id": flag.id,
        "title": flag.title,
        "origin": origin_of(*flag.cites),
        "levels": [{"level": level.level.value, "because": level.because} for level in flag.levels],
        "action": flag.action,
        "workup": flag.workup,
        "cites": flag.cites,
        "next_review": flag.review.next_review.isoformat(),
    }


def _cause(cause: Cause, knowledge: Knowledge) -> dict[str, Any]:
    return {
        "id": cause.id,
        "title": cause.title,
        "origin": IN_DOCUMENT if cause.in_source_document else ADDED,
        "statements": cause.in_source_document,
        "urgency": cause.urgency,
        "evidence": [
            {
                "finding": part.finding,
                "weight": part.weight.value,
                "because": part.because,
                "cites": part.cites,
                "origin": origin_of(part.cites),
                "grade": knowledge.sources[part.cites].grade,
            }
            for part in cause.evidence
        ],
        "workup": cause.workup,
        "next_review": cause.review.next_review.isoformat(),
    }


def _lab(lab: Lab) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "id": lab.id,
        "title": lab.title,
        "unit": lab.unit,
        "in_words": {
            "unit": unit_words(lab.unit),
            "default_ranges": ranges_words(lab) if lab.default_ranges else "",
            "limits": {band: limit_words(limit, lab.unit) for band, limit in lab.limits.items()},
        },
        "default_ranges": [_without_empty(one) for one in lab.default_ranges],
        "limits": {band: _without_empty(limit) for band, limit in lab.limits.items()},
        "speaks_for_days": lab.fresh_days,
        "cites": lab.cites,
        "next_review": lab.review.next_review.isoformat(),
    }
    return shown


def _without_empty(part: msgspec.Struct) -> dict[str, Any]:
    members: dict[str, Any] = msgspec.to_builtins(part)
    return {name: value for name, value in members.items() if value not in (None, [], ())}
