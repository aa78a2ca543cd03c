"""What belongs on a request before it is sent: on the card that suggests it, on the draft and in the explanation."""

from __future__ import annotations

from typing import Any

from cds_service.cards.explanation import EXTENSION
from cds_service.model.definitions import Definition, Order
from cds_service.model.hooks import Card
from tests.unit.cards.decided import compose, flags, page
from tests.unit.engine.neutral import condition, define, facts, placed, result

CAUTIONS = [{"when": "has-oddity", "text": "Name it on the request.", "cites": "r1"}]
SCAN = define(Order, "quendite", label="Quendite", settled_by=["quendite"], cautions=CAUTIONS)
TWIN = define(Order, "zorbium", label="Zorbium", settled_by=["zorbium"], cautions=CAUTIONS)
ODD = condition("oddity", onset="2019-05-10")
LINE = "Before imaging oddity, 10 May 2019: Name it on the request."


def cards(*more: Definition, **about: Any) -> tuple[Card, ...]:
    """Return the cards about a low zorbium, whose causes ask for quendite."""
    return compose(facts(result("8", on="2026-06-10"), **{"conditions": (ODD,)} | about), SCAN, *more)


def test_the_main_card_names_the_item_with_its_date() -> None:
    """A device on record stands beside the suggestion that it matters for."""
    assert LINE in page(cards()[0])


def test_the_number_that_asks_for_it_stands_out() -> None:
    """A value of the chart is what the eye is to find."""
    low = [{"when": "zorbium-low", "text": "No contrast.", "cites": "r1"}]
    scan = define(Order, "quendite", label="Quendite", settled_by=["quendite"], cautions=low)
    detail = compose(facts(result("8", on="2026-06-10")), scan)[0].detail or ""
    assert "zorbium **8** U/L, 10 Jun 2026: No contrast." in detail


def test_nothing_is_said_without_the_item() -> None:
    """No device on record, no line."""
    assert "Before imaging" not in page(cards(conditions=())[0])


def test_a_caution_of_two_orders_is_said_once() -> None:
    """Two scans with one device make one sentence."""
    assert page(cards(TWIN)[0]).count("Name it on the request.") == 1


def test_an_order_that_was_placed_keeps_its_caution() -> None:
    """Whoever ordered it may not have known."""
    assert LINE in page(cards(placed_orders=(placed("quendite", on="2026-06-14"),))[0])


def test_a_red_flag_card_carries_the_caution_of_its_own_order() -> None:
    """An urgent scan is suggested on the card of its flag, and so is what belongs on the request."""
    urgent = [define(type(flag), flag.id, workup=["quendite"], levels=flag.levels) for flag in flags(1)]
    about = facts(result("2"), conditions=(ODD,))
    flagged, main = compose(about, SCAN, *urgent)
    assert LINE in page(flagged)
    assert "Before imaging" not in page(main)


def test_the_draft_carries_it_too() -> None:
    """The note of the draft names item and date, before what is always true."""
    scan = define(
        Order, "quendite", label="Q", settled_by=["quendite"], cautions=CAUTIONS, note="Without contrast."
    )
    (suggestion,) = [
        one for one in compose(facts(result("8"), conditions=(ODD,)), scan)[0].suggestions if one.label == "Q"
    ]
    resource = suggestion.actions[0].resource
    assert resource is not None
    assert resource["note"][0]["text"].endswith(
        "Before it: Oddity (10 May 2019): Name it on the request. Without contrast."
    )


def test_the_explanation_gives_its_source_and_facts() -> None:
    """The item of the workup says what was said and why."""
    extension = cards()[0].extension
    assert extension is not None
    (item,) = [one for one in extension[EXTENSION]["workup"] if one["order"] == "quendite"]
    assert item["cautions"] == [
        {
            "text": "Name it on the request.",
            "cites": "r1",
            "facts": [{"reference": "Condition/oddity", "what": "oddity", "on": "2019-05-10"}],
        }
    ]
