"""The one line that is read first: what, value, unit, date and why it matters, shortened by whole parts."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.cards.markdown import clean
from cds_service.cards.summaries import differential_summary, insufficient_summary, workup_summary
from cds_service.model.decision import RankedCause, Standing, WorkupItem, WorkupStatus
from cds_service.model.definitions import Order, Template
from cds_service.model.facts import Fact
from tests.unit.cards.arguments import FIZZ, ranked
from tests.unit.engine.neutral import cause, define, fact

LEADING = define(
    Template, "t", topic={"code": "c", "display": "d"}, text={"summary": "{causes} could explain the {noun}"}
)
LISTING = define(
    Template,
    "t",
    topic={"code": "c", "display": "d"},
    text={"summary": "Of the {noun}: {missing}", "summary_plain": "Of the {noun} nothing"},
)
POP = cause("pop", ("a", "strong-for"))
LOW_ZORBIUM = cause("low-zorbium", ("a", "strong-for"))
ZORBIUM = fact("zorbium", value="8", unit="U/L", on="2026-06-14", reference="Observation/1")
QUENDITE = fact("quendite", value="<5", unit="umol/L", on="2026-06-12", reference="Observation/2")
ELIXIR = fact("elixir", reference="MedicationRequest/1", on="2026-05-01")


def summary(*causes: RankedCause) -> str:
    """Return the summary of these candidates, best first."""
    return differential_summary(list(causes), "wobble", LEADING)


@pytest.mark.parametrize(
    ("causes", "words"),
    [
        ([ranked(a=(ZORBIUM,))], "Fizz (zorbium 8 U/L, 14 Jun 2026)"),
        ([ranked(LOW_ZORBIUM, a=(ZORBIUM,))], "Low zorbium 8 U/L (14 Jun 2026)"),
        ([ranked(a=(QUENDITE,))], "Fizz (quendite <5 µmol/L, 12 Jun 2026)"),
        ([ranked(a=(fact("oddity", on="2012"),))], "Fizz"),
        ([ranked(a=(fact("x"),), b=(ZORBIUM,))], "Fizz (zorbium 8 U/L, 14 Jun 2026)"),
        ([ranked(a=(*(fact(one) for one in "wxyz"), ZORBIUM))], "Fizz"),
        ([ranked(a=(*(fact(one) for one in "xyz"), ZORBIUM))], "Fizz (zorbium 8 U/L, 14 Jun 2026)"),
        ([ranked(a=(ZORBIUM, ELIXIR))], "Fizz (zorbium 8 U/L, 14 Jun 2026) on elixir"),
        (
            [ranked(LOW_ZORBIUM, a=(ZORBIUM,)), ranked(POP, a=(fact("x"),))],
            "Low zorbium 8 U/L and pop (14 Jun 2026)",
        ),
        (
            [ranked(LOW_ZORBIUM, a=(ZORBIUM,)), ranked(POP, a=(QUENDITE,))],
            "Low zorbium 8 U/L (14 Jun 2026) and pop (quendite <5 µmol/L, 12 Jun 2026)",
        ),
    ],
)
def test_the_leading_causes_are_named_with_their_leading_fact(causes: list[RankedCause], words: str) -> None:
    """Value, unit and date stand with the cause that they speak for; one date is said once."""
    assert summary(*causes) == f"{words} could explain the wobble"


def test_at_most_two_likely_causes_are_named() -> None:
    """Possible causes stand in the table; without a likely one the first two are named."""
    likely = [ranked(one, a=(fact("x"),)) for one in (FIZZ, POP, LOW_ZORBIUM)]
    assert summary(*likely) == "Fizz and pop could explain the wobble"
    possible = [ranked(one, Standing.POSSIBLE, a=(fact("x"),)) for one in (POP, LOW_ZORBIUM, FIZZ)]
    assert summary(likely[0], *possible) == "Fizz could explain the wobble"
    assert summary(*possible) == "Pop and low zorbium could explain the wobble"


def test_a_cause_can_bring_words_of_its_own() -> None:
    """Where the leading cause has a summary it is used, with the triggers beside it."""
    own = cause("own", ("a", "strong-for"), summary="The {noun} may be nothing")
    drink = cause("drink", ("a", "strong-for"), group="trigger")
    assert summary(ranked(own, a=(ZORBIUM,))) == "The wobble may be nothing"
    assert summary(ranked(own, a=(ZORBIUM,)), ranked(drink, a=(ZORBIUM,)), ranked(a=(ZORBIUM,))) == (
        "The wobble may be nothing; possible triggers: drink"
    )


def test_a_summary_is_shortened_by_whole_parts() -> None:
    """First the medicines go, then the second value, then the second cause, and last the value."""
    long = "zorbium with a name of forty characters"
    value = fact(long, value="8", unit="U/L", on="2026-06-14", reference="Observation/1")
    other = fact("q" * 60, value="8", unit="U/L", on="2026-06-14", reference="Observation/2")
    medicine = fact("m" * 60, reference="MedicationRequest/1")
    assert (
        summary(ranked(a=(value, medicine))) == f"Fizz ({long} 8 U/L, 14 Jun 2026) could explain the wobble"
    )
    assert summary(ranked(a=(value,)), ranked(POP, a=(other,))) == (
        f"Fizz ({long} 8 U/L, 14 Jun 2026) and pop could explain the wobble"
    )
    endless = fact("z" * 200, value="8", unit="U/L", on="2026-06-14", reference="Observation/1")
    assert summary(ranked(a=(endless,)), ranked(POP, a=(endless,))) == "Fizz could explain the wobble"


facts = st.builds(
    lambda what, value, unit, on, reference: Fact(
        what=what, value=value, unit=unit, on=on, reference=reference
    ),
    st.text(max_size=90),
    st.none() | st.text(max_size=12),
    st.none() | st.text(max_size=12),
    st.sampled_from([None, "2026-06-14", "2012"]),
    st.sampled_from([None, "Observation/1", "MedicationRequest/1"]),
)


@given(st.lists(facts, max_size=3), st.lists(facts, max_size=3))
def test_any_facts_fit_into_a_summary(one: list[Fact], other: list[Fact]) -> None:
    """Whatever the chart says, the words fit on one line and begin with the leading cause."""
    words = clean(summary(ranked(a=tuple(one)), ranked(POP, a=tuple(other))))
    assert 1 <= len(words) <= 139
    assert words.startswith("Fizz")
    assert words.endswith("could explain the wobble")


def item(name: str, status: WorkupStatus = WorkupStatus.SUGGESTED, **members: Any) -> WorkupItem:
    """Return an item of the workup."""
    return WorkupItem(order=define(Order, name, **members), status=status, because="x")


def test_tests_that_could_settle_it_are_named() -> None:
    """Laboratory tests and tracings, four at most, and the rest as others."""
    tests = [item("zorbium"), item("tsh", title="TSH", kind="tracing"), item("c", kind="imaging")]
    assert workup_summary(tests, "wobble", LISTING) == "Of the wobble: zorbium and TSH"
    many = [item(f"T{number}") for number in range(5)]
    assert workup_summary(many[:4], "wobble", LISTING) == "Of the wobble: T0, T1, T2 and T3"
    assert workup_summary(many, "wobble", LISTING) == "Of the wobble: T0, T1, T2, T3 and others"


def test_what_is_pending_and_what_nobody_examined_is_named() -> None:
    """With nothing to suggest, the card says what to wait for and what to look at."""
    pending = [item(f"T{number}", WorkupStatus.ALREADY_ORDERED) for number in range(4)]
    look = item("Looking", kind="examination")
    assert insufficient_summary((*pending, look), "wobble", LISTING) == (
        "Of the wobble: T0 pending, T1 pending, T2 pending, looking not recorded"
    )
    done = item("T9", WorkupStatus.ALREADY_DONE)
    assert (
        insufficient_summary((done, item("c", kind="imaging")), "wobble", LISTING) == "Of the wobble nothing"
    )
