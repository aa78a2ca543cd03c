"""The short chapters of the review page say what orders, treatment options and questions do; signs nothing."""

from __future__ import annotations

from types import SimpleNamespace as Thing
from typing import Any

import msgspec

from cds_service.knowledge.review_parts import ReviewParts
from cds_service.knowledge.review_tables import (
    order_lines,
    presentation_lines,
    question_lines,
    treatment_lines,
)
from cds_service.model.definitions import Order, Rule, ValueSet
from cds_service.model.hooks import Indicator
from cds_service.model.trust import Source
from tests.unit.engine.neutral import define, knowledge, lab

CONTENT = knowledge(
    lab(),
    define(Rule, "has-oddity", when={"condition": {"in": ["oddity"]}}),
    define(Rule, "zorbium-settled", when="zorbium-low"),
    define(ValueSet, "oddity", title="Oddity"),
    define(
        Order, "zorbium", label="Zorbium", settled_by=["zorbium"], note="At rest.", in_source_document=["S28"]
    ),
    define(Order, "hidden", label="Hidden", offered=False),
    define(Order, "look", label="Look", settled_by_finding="zorbium-settled"),
)


def parts(**more: Any) -> ReviewParts:
    """Return the parts of a page about neutral content, with kinds that only some content has."""
    own = define(Source, "own-judgement", publisher="Us", grade="own")
    known = msgspec.structs.replace(CONTENT, sources={**CONTENT.sources, "own-judgement": own})
    made = ReviewParts(known)
    members: dict[str, Any] = {name: getattr(known, name) for name in known.__struct_fields__}
    made.knowledge = Thing(**{**members, **more})  # type: ignore[assignment]  # content with kinds of its own
    return made


def text(lines: Any) -> str:
    """Return lines as one text."""
    return "\n".join(lines)


def test_an_order_says_what_answers_it() -> None:
    """Measurement or finding, note and origin; an order that is not offered is left out."""
    told = text(order_lines(parts()))
    assert (
        "| [Zorbium](../cards/orders/zorbium.yaml) | laboratory | Zorbium | 90 days | At rest. | S28 |"
        in told
    )
    assert "| [zorbium settled](#zorbium-settled) |" in told
    assert "Hidden" not in told


def test_a_caution_of_an_order_is_told_with_its_condition_and_doubt() -> None:
    """Content whose orders carry cautions lists each of them."""
    caution = Thing(when="has-oddity", text="Mind the oddity.", cites="own-judgement")
    order = Thing(title="Scan", offered=False, cautions=(caution,))
    told = text(order_lines(parts(orders={"scan": order})))
    assert "Said with Scan when [has oddity](#has-oddity): “Mind the oddity.” Source: Us." in told
    assert "“Mind the oddity” rests on our own judgment" in told


def test_a_presentation_says_how_it_is_recognized() -> None:
    """By words or by code only, and what it needs before it can be called benign."""
    wobble = Thing(
        id="wobble",
        title="Wobble",
        text=Thing(match=("wobbl*",), unless=("jelly*",)),
        workup=("zorbium",),
        in_source_document=(),
        needs=(Thing(name="a look"), Thing(name="zorbium")),
    )
    told = text(presentation_lines(parts(presentations={"wobble": wobble})))
    assert "| [Wobble](../cards/presentations/wobble.yaml) | wobbl… | jelly… | Zorbium | added |" in told
    assert "Wobble is called benign only with these on record: a look and zorbium." in told
    assert "by code only" in text(presentation_lines(parts()))


def test_a_treatment_option_says_when_it_is_named_and_what_rules_it_out() -> None:
    """Each caution with condition, effect and source; content without options has no such chapter."""
    assert text(treatment_lines(parts())) == ""
    caution = {"level": Indicator.INFO, "if_unknown": None, "cites": "r1", "on_order": None}
    on_order = {**caution, "on_order": Indicator.WARNING}
    option = Thing(
        id="rest",
        title="Rest",
        place=1,
        in_source_document=("S30",),
        text="Lie down.",
        when="has-oddity",
        cautions=(
            Thing(when="zorbium-low", text="Not now.", rules_out=True, **on_order),
            Thing(when=None, text="Mind it.", rules_out=False, **{**caution, "if_unknown": "Nobody looked."}),
        ),
        remarks=(Thing(when="has-oddity", text="A line.", cites="own-judgement"),),
        cites=("r1",),
        review=None,
    )
    told = text(treatment_lines(parts(treatments={"rest": option})))
    assert "Lie down. Named on the treatment card when [has oddity](#has-oddity)." in told
    assert (
        "| zorbium below range (default 10–20 U/L) | Not now. | rules it out; a draft order: warning |"
        in told
    )
    assert "| always | Mind it. While unknown: Nobody looked. | info |" in told
    assert "| A line. | line on the main card | Us |" in told
    assert "| Read by |" in told


def test_a_question_says_what_each_answer_tells() -> None:
    """Choices, yes, amounts and dates; content without questions has no such chapter."""
    assert text(question_lines(parts())) == ""
    plain = {"options": (), "signs": (), "habit": None, "examination": None, "onset": False}
    choice = Thing(display="Odd", signs=("oddity",), says="quite-odd", family=("oddity",), finds="abnormal")
    items = [
        Thing(link="1", text="How?", type="choice", **{**plain, "options": (choice,)}),
        Thing(link="2", text="Odd?", type="boolean", **{**plain, "signs": ("oddity",)}),
        Thing(link="3", text="Much?", type="integer", signs_from=4, **{**plain, "signs": ("oddity",)}),
        Thing(link="4", text="Hum?", type="decimal", **{**plain, "habit": "humming"}),
        Thing(link="5", text="When?", type="date", **{**plain, "onset": True}),
    ]
    form = Thing(
        id="form",
        title="Form",
        description="Questions.",
        fresh_days=90,
        cites=("r1",),
        review=None,
        every_item=lambda: items,
    )
    told = text(question_lines(parts(questionnaires={"form": form})))
    assert "| 1 | How? | Odd | Odd: oddity, quite odd, a relative with oddity, examination abnormal |" in told
    assert "| 2 | Odd? | boolean | yes: oddity |" in told
    assert "| 3 | Much? | integer | 4 or more: oddity |" in told
    assert "| 4 | Hum? | decimal | habit: humming |" in told
    assert "| 5 | When? | date | onset of the complaint |" in told
