"""The machine-readable trace of one decision, in the shape that travels with the first card; it adds no judgement."""

from __future__ import annotations

from typing import Any

from cds_service.cards.order_advice import draft_of
from cds_service.cards.stages import Stages
from cds_service.cards.wording import join
from cds_service.model.decision import Argument, RankedCause, WorkupItem, WorkupStatus
from cds_service.model.definitions import Knowledge, Order
from cds_service.model.explanation import ExplanationExtent
from cds_service.model.facts import Fact, PatientFacts, ReadingNote
from cds_service.model.order_advice import AnsweredDraft, OrderAdvice
from cds_service.model.treatments import NotedCaution, TreatmentOption
from cds_service.model.trust import ADDED, IN_DOCUMENT, origin_of

EXTENSION = "org.spasm-cds.explanation"


def fact_object(fact: Fact) -> dict[str, Any]:
    """Return one fact; members without a value are left out."""
    shown: dict[str, Any] = {}
    if fact.reference is not None:
        shown["reference"] = fact.reference
    shown["what"] = fact.what
    for name in ("value", "unit", "on", "range", "note"):
        value = getattr(fact, name)
        if value is not None:
            shown[name] = value
    if fact.canonical is not None:
        shown["canonical"] = {"value": fact.canonical.value, "unit": fact.canonical.unit}
    if fact.by_text:
        shown["by_text"] = True
    return shown


def note_object(note: ReadingNote) -> dict[str, str]:
    """Return one note as it travels."""
    return {"severity": note.severity, "code": note.code, "path": note.path, "remedy": note.remedy}


class ExplanationWriter:
    """Writes explanations; what never changes between patients is prepared once."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Prepare the fixed members of every cause."""
        self._version = knowledge.version
        self._causes = {
            name: {
                "cause": name,
                "in_source_document": bool(cause.in_source_document),
                "urgency": cause.urgency,
            }
            for name, cause in knowledge.causes.items()
        }
        self._evidence = {
            id(part): {
                "finding": part.finding,
                "weight": part.weight.strength,
                "because": part.because,
                "cites": part.cites,
                "origin": origin_of(part.cites),
                "grade": knowledge.sources[part.cites].grade,
            }
            for cause in knowledge.causes.values()
            for part in cause.evidence
        }

    def of(self, stages: Stages, extent: ExplanationExtent) -> dict[str, Any] | None:
        """Return the extension of the first card, at the extent that a client wants; None for none."""
        if extent is ExplanationExtent.NONE:
            return None
        return {EXTENSION: self.brief(stages) if extent is ExplanationExtent.BRIEF else self.write(stages)}

    def brief(self, stages: Stages) -> dict[str, Any]:
        """Return what was found, without arguments and facts; `notes` is their number."""
        return {
            **self._head(stages),
            "red_flags": [{"id": one.red_flag.id, "level": one.level} for one in stages.red_flags],
            "ranking": [{"cause": one.cause.id, "standing": one.standing} for one in stages.ranking],
            "notes": len(stages.facts.notes),
        }

    def _head(self, stages: Stages) -> dict[str, Any]:
        facts = stages.facts
        return {
            "knowledge_version": self._version,
            "as_of": stages.as_of.isoformat().replace("+00:00", "Z"),
            "complete": facts.is_complete,
            "presentation": _presentation(facts),
        }

    def write(self, stages: Stages) -> dict[str, Any]:
        """Return the explanation object; every listed member is present, empty lists included."""
        seen: dict[int, dict[str, Any]] = {}
        facts = stages.facts
        written = {
            **self._head(stages),
            "red_flags": [
                {
                    "id": one.red_flag.id,
                    "level": one.level,
                    "because": one.because,
                    "cites": one.red_flag.cites,
                    "origin": origin_of(*one.red_flag.cites),
                    "facts": _facts(one.facts, seen),
                }
                for one in stages.red_flags
            ],
            "ranking": [self._cause(one, seen) for one in stages.ranking],
            "not_assessed": [{"cause": one.cause, "missing": one.missing} for one in stages.not_assessed],
            "workup": [_item(item, draft_of(item, facts)) for item in stages.workup],
            "treatment": [_option(one, seen) for one in stages.treatment.options],
            "drug_safety": [
                {"option": one.treatment.id, **_caution(one.noted, seen), "taken": _facts(one.active, seen)}
                for one in stages.treatment.warnings
            ],
            "notes": [note_object(note) for note in facts.notes],
        }
        if stages.advice is not None:
            written["drafts"] = self._drafts(stages.advice, seen)
        return written

    def _drafts(self, advice: OrderAdvice, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
        """Return what was said of drafts; their cautions stand in `drug_safety`."""
        return {
            "answered": [_answered(one, seen) for one in advice.answered],
            "could_add": [
                {
                    "draft": fact_object(one.draft.fact),
                    "cause": one.cause.id,
                    "for": [self._argument(argument, seen) for argument in one.arguments],
                }
                for one in advice.suspicions
            ],
            "unchecked": advice.unchecked,
        }

    def _cause(self, one: RankedCause, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
        fixed = self._causes[one.cause.id]
        return {
            "cause": fixed["cause"],
            "standing": one.standing,
            "in_source_document": fixed["in_source_document"],
            "urgency": fixed["urgency"],
            "for": [self._argument(argument, seen) for argument in one.arguments_for],
            "against": [self._argument(argument, seen) for argument in one.arguments_against],
            "missing": one.missing,
        }

    def _argument(self, argument: Argument, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
        return {**self._evidence[id(argument.evidence)], "facts": _facts(argument.facts, seen)}


def _facts(facts: tuple[Fact, ...], seen: dict[int, dict[str, Any]]) -> list[dict[str, Any]]:
    """Return fact objects, each made once per explanation."""
    shown = []
    for fact in facts:
        made = seen.get(id(fact))
        if made is None:
            made = seen[id(fact)] = fact_object(fact)
        shown.append(made)
    return shown


def _option(one: TreatmentOption, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return one treatment option; what rules it out stands first among its cautions."""
    return {
        "option": one.treatment.id,
        "offered": one.is_offered,
        "because": one.treatment.text if one.is_offered else one.ruled_out[0].words,
        "in_source_document": bool(one.treatment.in_source_document),
        "cautions": [_caution(noted, seen) for noted in (*one.ruled_out, *one.cautions)],
    }


def _caution(noted: NotedCaution, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
    return {
        "text": noted.words.replace("{what}", join(fact.what for fact in noted.facts)),
        "level": noted.caution.level,
        "cites": noted.caution.cites,
        "facts": _facts(noted.facts, seen),
    }


def _presentation(facts: PatientFacts) -> dict[str, Any]:
    recorded = []
    for presentation in facts.presentations:
        entry: dict[str, Any] = {"text": presentation.text or presentation.fact.what}
        if presentation.reference is not None:
            entry["reference"] = presentation.reference
        if presentation.by_text:
            entry["by_text"] = True
        recorded.append(entry)
    types = dict.fromkeys(name for presentation in facts.presentations for name in presentation.types)
    return {"types": [*types], "recorded": recorded}


def _item(item: WorkupItem, draft: Fact | None = None) -> dict[str, Any]:
    """Return one order of the workup; where it is in draft already, its suggestion is left out."""
    shown: dict[str, Any] = {
        "order": item.order.id,
        "status": item.status,
        "because": item.because,
        "origin": _origin_of_order(item.order),
    }
    if item.reference is not None:
        shown["reference"] = item.reference
    if item.on is not None:
        shown["on"] = item.on
    if draft is not None:
        shown["draft"] = fact_object(draft)
    if item.cautions:
        shown["cautions"] = [
            {"text": one.caution.text, "cites": one.caution.cites, "facts": [*map(fact_object, one.facts)]}
            for one in item.cautions
        ]
    return shown


def _answered(one: AnsweredDraft, seen: dict[int, dict[str, Any]]) -> dict[str, Any]:
    """Return a draft with what answers it: a request or record by its reference, or results."""
    item = one.item
    shown = {"draft": fact_object(one.draft.fact), "order": item.order.id, "status": item.status}
    if item.reference is not None:
        shown["reference"] = item.reference
    if item.on is not None:
        shown["on"] = item.on
    results = item.measured if item.status is WorkupStatus.ALREADY_DONE else ()
    return {**shown, "facts": _facts(tuple(result.fact for result in results), seen)}


def _origin_of_order(order: Order) -> str:
    return IN_DOCUMENT if order.in_source_document else ADDED
