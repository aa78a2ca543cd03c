"""The words for the ids that an explanation names, and the terms that can be recorded; it knows no patient."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from cds_service.knowledge.disclosure import GRADES
from cds_service.knowledge.plain_words import PlainWords
from cds_service.model.definitions import Knowledge, Lab
from cds_service.model.hooks import ascii_json
from cds_service.model.parts import CodeRow, CodeTableRef, ReferenceRange

_SNOMED = "http://snomed.info/sct"
_ROOT = "root"
_TOLD = "history-says-"
_TAGS = (" (finding)", " (disorder)", " (situation)", " (procedure)")


def words_json(knowledge: Knowledge) -> bytes:
    """Return id → words for causes, findings, orders, red flags, options and sources, as JSON bytes.

    `presentations` holds what can be recorded, each with its codings; `ranges` the default ranges by LOINC code;
    `questionnaires` the ids of those that are served.
    """
    plain = PlainWords(knowledge)
    asked = {part.finding for cause in knowledge.causes.values() for part in cause.evidence}
    return ascii_json(
        {
            "knowledge_version": knowledge.version,
            "causes": _titles(knowledge.causes.values()),
            "findings": {name: _finding(name, plain) for name in sorted(asked)},
            "orders": {one.id: one.label for one in knowledge.orders.values()},
            "red_flags": _titles(knowledge.red_flags.values()),
            "treatments": _titles(knowledge.treatments.values()),
            "sources": {
                one.id: {"title": one.title, "publisher": one.publisher, "grade": GRADES[one.grade]}
                for one in knowledge.sources.values()
            },
            "presentations": [
                {
                    "id": one.id,
                    "title": one.title,
                    "codings": _codings(_rows(knowledge, one.codes)),
                }
                for one in knowledge.presentations.values()
            ],
            "questionnaires": list(knowledge.questionnaires),
            "ranges": dict(_ranges(knowledge)),
        }
    )


def terms_json(knowledge: Knowledge) -> bytes:
    """Return the conditions and medicines that the content knows, each once, as names with one coding."""
    sets = knowledge.value_sets.values()
    by_kind = {
        kind: [ref for one in sets if one.kind == kind for ref in one.codes]
        for kind in ("diagnosis", "medication")
    }
    conditions = (row for row in _rows(knowledge, by_kind["diagnosis"]) if row.system == _SNOMED)
    medicines = _shortest(row for row in _rows(knowledge, by_kind["medication"]) if row.ingredient)
    return ascii_json({"conditions": _codings(conditions), "medications": _codings(medicines)})


def _finding(name: str, plain: PlainWords) -> str:
    told = name.removeprefix(_TOLD)
    return plain.finding(name) if told == name else f"an answer in the history: {plain.named(told)}"


def _titles(definitions: Iterable[Any]) -> dict[str, str]:
    return {one.id: one.title for one in definitions}


def _rows(knowledge: Knowledge, refs: Iterable[CodeTableRef]) -> Iterator[CodeRow]:
    """Yield the rows that stand for the whole of a key, not for one of its many kinds."""
    for ref in refs:
        rows = knowledge.codes.get((ref.table, ref.key), ())
        yield from (row for row in rows if ref.selects(row) and row.role == _ROOT and not row.prefix)


def _codings(rows: Iterable[CodeRow]) -> list[dict[str, str]]:
    """Return one coding for each name, sorted by name; SNOMED CT goes before other systems."""
    found: dict[str, dict[str, str]] = {}
    for row in sorted(rows, key=lambda one: one.system != _SNOMED):
        name = _plain(row.display)
        coding = {"name": name, "system": row.system, "code": row.code, "display": row.display}
        found.setdefault(name.lower(), coding)
    return [found[name] for name in sorted(found)]


def _plain(display: str) -> str:
    """Return a display without the semantic tag of SNOMED CT, with a capital: what stands on a problem list."""
    for tag in _TAGS:
        display = display.removesuffix(tag)
    return display[:1].upper() + display[1:]


def _shortest(rows: Iterable[CodeRow]) -> list[CodeRow]:
    """Return for each ingredient the row with the shortest name: the ingredient itself, not one of its salts."""
    found: dict[str, CodeRow] = {}
    for row in rows:
        known = found.get(row.ingredient or "")
        if known is None or len(row.display) < len(known.display):
            found[row.ingredient or ""] = row
    return list(found.values())


def _ranges(knowledge: Knowledge) -> Iterator[tuple[str, dict[str, str]]]:
    """Yield LOINC code → default range of adults, where there is one alone, with the unit that it is in."""
    for lab in knowledge.labs.values():
        if len(lab.default_ranges) != 1 or lab.default_ranges[0].sex is not None:
            continue
        for row in _rows(knowledge, lab.codes):
            yield row.code, _range(lab, lab.default_ranges[0])


def _range(lab: Lab, limits: ReferenceRange) -> dict[str, str]:
    sides = {"low": limits.low, "high": limits.high}
    return {"unit": lab.unit, **{side: str(value) for side, value in sides.items() if value is not None}}
