"""Whatever stands in a chart, a card keeps its structure, its limits and the standard."""

from __future__ import annotations

import json
from typing import Any

import msgspec
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from cds_service.cards.markdown import clean
from cds_service.model.facts import Measurement, PatientFacts, Relative
from cds_service.model.hooks import CDSResponse
from tests.support.schemas import schema_faults
from tests.unit.cards.decided import compose, flags
from tests.unit.cards.hostile import HOSTILE
from tests.unit.cards.markdown_page import AUTOLINK, INVISIBLE, structure, visible
from tests.unit.engine.neutral import (
    condition,
    facts,
    habit,
    medication,
    presenting,
    result,
)

CRITICAL = result("2")


hostile = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=30))


def said_by(text: str, value: str) -> PatientFacts:
    """Return facts in which every text that a chart can bring is this one."""

    def dressed(one: Measurement) -> Measurement:
        fact = msgspec.structs.replace(one.fact, what=text, value=value, unit=text, range=text, note=text)
        return msgspec.structs.replace(one, fact=fact)

    named = [
        msgspec.structs.replace(one, fact=msgspec.structs.replace(one.fact, what=text, note=text))
        for one in (condition("oddity"), medication("elixir"), habit("humming", "6"))
    ]
    shown: dict[str, Any] = {
        "conditions": named[:1],
        "medications": named[1:2],
        "habits": named[2:],
        "relatives": (Relative(value_sets=frozenset(), fact=named[0].fact),),
        "presentations": (presenting(text=text),),
    }
    return facts(dressed(CRITICAL), dressed(result("15", of="quendite")), **shown)


PLAIN = compose(said_by("x", "5"), *flags(1))


@settings(max_examples=100)
@given(hostile, hostile)
def test_no_text_of_the_chart_changes_the_structure_of_a_card(text: str, value: str) -> None:
    """Whatever a chart says, the card has the elements of one about plain words, and one link: our own."""
    assume(clean(text) and clean(value))
    for card, plain in zip(compose(said_by(text, value), *flags(1)), PLAIN, strict=True):
        detail = card.detail or ""
        assert structure(detail) == structure(plain.detail or "")
        assert not AUTOLINK.search(visible(detail))
        assert not INVISIBLE.search(detail.replace("\n", ""))
        assert not INVISIBLE.search(card.summary)


@settings(max_examples=60)
@given(hostile, hostile, st.integers(min_value=0, max_value=5))
def test_every_answer_meets_the_standard(text: str, value: str, count: int) -> None:
    """With any text in the chart the summary has 1 to 139 characters on one line, and the answer validates."""
    cards = compose(said_by(text, value), *flags(count))
    for card in cards:
        assert 1 <= len(card.summary) <= 139
        assert len(card.summary.splitlines()) == 1
    assert schema_faults("cds-response", json.loads(CDSResponse(cards=cards).to_json())) == []


@settings(max_examples=40)
@given(st.text(min_size=1, max_size=200), st.sampled_from(["2", "15", "30"]))
def test_a_long_text_is_cut_and_not_refused(text: str, value: str) -> None:
    """A name of any length leaves room for the summary's own words, or is cut with them."""
    long = presenting(text=text * 20)
    shown = result(value)
    named = msgspec.structs.replace(shown, fact=msgspec.structs.replace(shown.fact, what=text * 20))
    for card in compose(facts(named, presentations=(long,)), *flags(2)):
        assert 1 <= len(card.summary) <= 139
