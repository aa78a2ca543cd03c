"""Made-up definitions and facts for the unit tests of engine and cards; nothing here names anything clinical."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, TypeVar

import msgspec

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.readings import Readings
from cds_service.fhir.dates import read_when
from cds_service.model.decision import FiredRedFlag
from cds_service.model.definitions import (
    Cause,
    Definition,
    Knowledge,
    Lab,
    Order,
    OverrideReasonDefinition,
    Presentation,
    RedFlag,
    Rule,
    Service,
    Template,
    ValueSet,
)
from cds_service.model.facts import (
    Examination,
    Fact,
    Measurement,
    Medication,
    PatientFacts,
    PlacedOrder,
    RecordedCondition,
    RecordedPresentation,
    SocialAmount,
    When,
)
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator
from cds_service.model.parts import CodeRow
from cds_service.model.treatments import Treatment
from cds_service.model.trust import Source

AS_OF = datetime(2026, 6, 15, 10, tzinfo=UTC)
TODAY = AS_OF.date()
ALL_KINDS = frozenset({"conditions", "medications", "labs", "orders"})
LIMITS: Mapping[str, Any] = {
    "critical-low": {"below": "4"},
    "marked-low": {"below": "7"},
    "marked-high": {"at_least": "25"},
    "critical-high": {"at_least": "30"},
}
PAIR = {
    "text": "Not with {what}.",
    "short": "balm with {what}",
    "level": "warning",
    "when": "takes-elixir",
    "cites": "r1",
}
ALWAYS = {"text": "Mind it always.", "cites": "r1"}
_REVIEW = {"written_on": "2026-01-01", "next_review": "2027-01-01", "checked_by": None}
_BASE: dict[type[Definition], dict[str, Any]] = {
    Lab: {
        "short": "Z",
        "conversions": "none",
        "unit": "U/L",
        "decimals": 1,
        "plausible": {"low": "0", "high": "1000"},
        "default_ranges": [{"low": "10", "high": "20"}],
        "limits": LIMITS,
        "fresh_days": 30,
        "retest_hours": 24,
    },
    Rule: {},
    RedFlag: {
        "levels": [{"level": "critical", "when": "x", "because": "It cannot wait."}],
        "summary": "{lead}: look now",
        "action": "Look now",
        "detail": "It can get worse.",
        "workup": ["zorbium"],
    },
    Order: {"label": "Order it", "kind": "laboratory"},
    Cause: {
        "presentations": ["wobble"],
        "urgency": "routine",
        "in_source_document": ["S1"],
        "evidence": [],
    },
    Presentation: {"noun": "wobble", "workup": []},
    ValueSet: {"kind": "diagnosis"},
    Treatment: {
        "place": 1,
        "in_source_document": ["S1"],
        "medicine": True,
        "text": "It soothes.",
        "when": "presents-with-wobble",
    },
}
Kind = TypeVar("Kind", bound=Definition)
_REVIEWED = (Lab, Rule, RedFlag, Order, Cause, Presentation, ValueSet, Treatment)


def define(kind: type[Kind], name: str, /, **members: Any) -> Kind:
    """Return a definition with plain defaults for what a test does not care about."""
    base: dict[str, Any] = {"id": name, "title": name.replace("-", " ").capitalize()}
    if kind in _REVIEWED:
        base |= {"review": _REVIEW, "cites": ["r1"], "examples": []}
    return msgspec.convert(base | _BASE.get(kind, {}) | members, kind)


def lab(name: str = "zorbium", **members: Any) -> Lab:
    """Return a lab: default range 10 to 20 U/L, marked from 7 and 25, critical from 4 and 30."""
    return define(Lab, name, **members)


def rule(name: str, when: Any, **members: Any) -> Rule:
    """Return a rule."""
    return define(Rule, name, when=when, **members)


def evidence(finding: str, weight: str) -> dict[str, str]:
    """Return one piece of evidence."""
    return {"finding": finding, "weight": weight, "because": f"{finding} is {weight}.", "cites": "r1"}


def cause(name: str, *parts: tuple[str, str], **members: Any) -> Cause:
    """Return a cause from (finding, weight) pairs."""
    return define(Cause, name, evidence=[evidence(*part) for part in parts], **members)


def knowledge(
    *definitions: Definition, codes: Mapping[tuple[str, str], tuple[CodeRow, ...]] | None = None
) -> Knowledge:
    """Return the knowledge that these definitions make, with one presentation called wobble."""
    kinds: dict[type[Definition], str] = {
        Presentation: "presentations",
        ValueSet: "value_sets",
        Lab: "labs",
        Rule: "rules",
        RedFlag: "red_flags",
        Order: "orders",
        Cause: "causes",
        Treatment: "treatments",
        Template: "templates",
        Service: "services",
        OverrideReasonDefinition: "override_reasons",
    }
    folders: dict[str, dict[str, Any]] = {folder: {} for folder in (*kinds.values(), "sources")}
    folders["sources"]["r1"] = define(Source, "r1", publisher="The seed", grade="V")
    for one in (define(Presentation, "wobble"), *definitions):
        folders[kinds[type(one)]][one.id] = one
    return Knowledge(
        version="1+0", site_changes=(), codes=codes or {}, conversions={}, spellings={}, **folders
    )


def when(text: str) -> When:
    """Return a moment as precise as `text`."""
    moment = read_when(text)
    assert moment is not None
    return moment


def fact(what: str, **members: Any) -> Fact:
    """Return a fact."""
    return Fact(what=what, **members)


def result(  # noqa: PLR0913 - one keyword per member that a test varies
    value: str | None,
    *,
    of: str = "zorbium",
    on: str | None = "2026-06-14",
    low: str | None = None,
    high: str | None = None,
    reference: str | None = None,
    **members: Any,
) -> Measurement:
    """Return a measurement in the lab's unit."""
    shown = fact(of, reference=reference or f"Observation/{of}", value=value or "?", unit="U/L", on=on)
    return Measurement(
        lab=of,
        fact=shown,
        value=Decimal(value) if value is not None else None,
        comparator=members.pop("comparator", None),
        taken=when(on) if on else None,
        low=Decimal(low) if low is not None else None,
        high=Decimal(high) if high is not None else None,
        **members,
    )


def condition(  # noqa: PLR0913 - one keyword per member that a test varies
    name: str,
    *,
    active: bool = True,
    firm: bool = True,
    onset: str | None = None,
    recorded: str | None = None,
    reference: str | None = None,
) -> RecordedCondition:
    """Return a problem on record that belongs to one value set."""
    return RecordedCondition(
        value_sets=frozenset({name}),
        fact=fact(name, reference=reference or f"Condition/{name}", on=onset),
        active=active,
        firm=firm,
        onset=when(onset) if onset else None,
        recorded=when(recorded) if recorded else None,
    )


def medication(
    name: str, *, active: bool = True, started: str | None = None, ended: str | None = None
) -> Medication:
    """Return a medicine on record that belongs to one value set."""
    return Medication(
        value_sets=frozenset({name}),
        name=name,
        fact=fact(name, reference=f"MedicationRequest/{name}", on=started),
        active=active,
        started=when(started) if started else None,
        ended=when(ended) if ended else None,
    )


def examination(part: str, outcome: str, on: str | None = "2026-06-14") -> Examination:
    """Return one part of an examination."""
    shown = fact(part, value=outcome, on=on, reference=f"Observation/{part}-{outcome}")
    return Examination(part=part, result=outcome, fact=shown, on=when(on) if on else None)


def habit(item: str, amount: str, on: str | None = None) -> SocialAmount:
    """Return a habit with its amount."""
    return SocialAmount(item=item, amount=Decimal(amount), fact=fact(item, value=amount, on=on))


def presenting(*types: str, onset: str | None = None, text: str = "wobbles", **members: Any) -> Any:
    """Return a recorded presentation."""
    found = members.pop("reference", "Condition/p")
    return RecordedPresentation(
        types=types or ("wobble",),
        reference=found,
        text=text,
        onset=when(onset) if onset else None,
        recorded=when("2026-06-15"),
        by_text=members.pop("by_text", False),
        fact=fact(text, reference=found, on=onset),
    )


def placed(
    order: str | None = None, *, labs: Iterable[str] = (), on: str | None = "2026-06-14"
) -> PlacedOrder:
    """Return a request that is still open."""
    return PlacedOrder(
        orders=frozenset({order} if order else ()),
        labs=frozenset(labs),
        fact=fact("request", reference="ServiceRequest/1", on=on),
        placed=when(on) if on else None,
    )


def facts(*results: Measurement, **members: Any) -> PatientFacts:
    """Return the facts of a woman of 50 who presents with wobble; every kind of fact arrived."""
    measured: dict[str, tuple[Measurement, ...]] = {}
    for one in results:
        measured[one.lab] = (*measured.get(one.lab, ()), one)
    given: dict[str, Any] = {
        "patient_id": "p1",
        "age": 50,
        "sex": "female",
        "presentations": (presenting(),),
        "conditions": (),
        "medications": (),
        "measurements": measured,
        "examinations": (),
        "habits": (),
        "placed_orders": (),
        "relatives": (),
        "arrived": ALL_KINDS,
        "notes": (),
    }
    return PatientFacts(**given | members)


def read(
    measurement: Measurement, of: Lab | None = None, present: frozenset[str] = frozenset(), **about: Any
) -> tuple[set[str] | None, tuple[str, ...]]:
    """Return the bands of a result, and the remarks."""
    of = of or lab()
    readings = Readings({of.id: of}, facts(measurement, **about), TODAY, None, present.__contains__)
    reading = readings.of(of.id)
    return (None if reading.bands is None else set(reading.bands)), reading.remarks


def book(known: Knowledge, about: PatientFacts, **given: State) -> FindingBook:
    """Return the findings of one patient today; `given` states stand before the record."""
    states = {name.replace("_", "-"): state for name, state in given.items()}
    return FindingBook(FindingRules(known), about, TODAY, states or None, now=AS_OF)


def fired(flag: RedFlag, *behind: Fact, level: Indicator = Indicator.CRITICAL) -> FiredRedFlag:
    """Return a red flag that fired on these facts."""
    shown = behind or (fact("zorbium", reference="Observation/zorbium", value="2", unit="U/L"),)
    return FiredRedFlag(red_flag=flag, level=level, because="It cannot wait.", facts=shown)
