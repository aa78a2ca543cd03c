"""Decides about neutral facts, up to the cards, with the words of the shipped card templates, and reads the cards."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import msgspec
import yaml

from cds_service.cards.compose import CardComposer
from cds_service.cards.stages import Stages
from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.ranking import CauseRules
from cds_service.engine.red_flags import RedFlagRules
from cds_service.engine.treatment import TreatmentPlanner
from cds_service.engine.workup import WorkupPlanner
from cds_service.model.definitions import (
    Definition,
    Knowledge,
    Order,
    OverrideReasonDefinition,
    RedFlag,
    Rule,
    Service,
    Template,
)
from cds_service.model.facts import PatientFacts
from cds_service.model.findings import State
from cds_service.model.hooks import Card, Indicator
from tests.support.places import CARDS
from tests.unit.cards.markdown_page import visible
from tests.unit.engine.neutral import AS_OF, TODAY, cause, define, knowledge, lab

ABOUT = "https://cds.example.org/about"
TEMPLATES = tuple(
    msgspec.convert(yaml.safe_load(path.read_text("utf-8")), Template)
    for path in sorted((CARDS / "templates").glob("*.yaml"))
)
REASONS = tuple(
    define(
        OverrideReasonDefinition,
        f"reason-{place}",
        system="https://example.org",
        code=f"c{place}",
        place=place,
    )
    for place in (2, 1)
)
FIZZ = cause(
    "fizz",
    ("zorbium-low", "strong-for"),
    ("has-oddity", "moderate-for"),
    ("takes-elixir", "weak-against"),
    workup=["zorbium", "quendite"],
)
POP = cause("pop", ("quendite-high", "strong-for"), ("zorbium-low", "moderate-against"), workup=["quendite"])
DRINK = cause("drink", ("hums-much", "strong-for"), group="trigger", in_source_document=[])
RULES = (
    define(Rule, "has-oddity", when={"condition": {"in": ["oddity"]}}),
    define(Rule, "takes-elixir", when={"medication": {"in": ["elixir"]}}),
    define(Rule, "hums-much", when={"habit": {"item": "humming", "at_least": "4"}}),
)
ORDERS = (
    define(Order, "zorbium", label="Zorbium", repeat_label="Repeat zorbium", settled_by=["zorbium"]),
    define(Order, "quendite", label="Quendite", settled_by=["quendite"], note="Take it at rest."),
)
CONTENT: tuple[Definition, ...] = (
    lab(),
    lab("quendite"),
    *RULES,
    *ORDERS,
    FIZZ,
    POP,
    DRINK,
    *TEMPLATES,
    *REASONS,
)


def service(most_cards: int = 4) -> Service:
    """Return a service that may show so many cards."""
    return define(
        Service,
        "s",
        hook="patient-view",
        description="d",
        usage_requirements="u",
        most_cards=most_cards,
        trigger="recorded-now",
    )


def flags(count: int, *, when: str = "zorbium-critical-low", level: str = "critical") -> tuple[RedFlag, ...]:
    """Return red flags RF1, RF2, … that fire together."""
    levels = [{"level": level, "when": when, "because": "It cannot wait."}]
    return tuple(
        define(RedFlag, f"RF{number}", title=f"Flag {number}", levels=levels)
        for number in range(1, count + 1)
    )


def decide(known: Knowledge, about: PatientFacts, given: Mapping[str, State] | None = None) -> Stages:
    """Return every stage before the cards."""
    rules = FindingRules(known)
    patient = FindingBook(rules, about, TODAY, given)
    types = tuple(dict.fromkeys(name for one in about.presentations for name in one.types))
    fired = RedFlagRules(known.red_flags, rules.sign_sets).fire(patient)
    ranking, not_assessed = CauseRules(known.causes).rank(patient, fired, types)
    planner = WorkupPlanner(known, rules.sign_sets)
    workup = planner.plan(patient, fired, ranking, types, AS_OF)
    return Stages(
        facts=about,
        as_of=AS_OF,
        is_present=patient.is_present,
        readings=patient.readings.of_all(),
        red_flags=fired,
        ranking=ranking,
        not_assessed=not_assessed,
        workup=workup,
        unrecorded=planner.unrecorded(patient, types, workup),
        level=Indicator.WARNING,
        treatment=TreatmentPlanner(known.treatments).plan(patient, urgent=bool(fired)),
    )


def compose(
    about: PatientFacts,
    *more: Definition,
    most_cards: int = 4,
    critical_as: Indicator = Indicator.CRITICAL,
    **given: State,
) -> tuple[Card, ...]:
    """Return the cards about a patient; `more` definitions stand beside the usual ones."""
    known = knowledge(*CONTENT, *more)
    states: dict[str, Any] = {name.replace("_", "-"): state for name, state in given.items()}
    composed = CardComposer(known, ABOUT, critical_as).compose(
        decide(known, about, states), service(most_cards)
    )
    return tuple(one.card for one in composed)


def kinds(cards: tuple[Card, ...]) -> list[str]:
    """Return the topic of each card."""
    return [card.source.topic.code for card in cards if card.source.topic is not None]


def page(card: Card) -> str:
    """Return what a person reads on a card."""
    return visible(card.detail or "")
