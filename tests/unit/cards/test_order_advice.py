"""The words of the cards about drafts, and their place among the others; on neutral content."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.compose import CardComposer
from cds_service.model.decision import Argument, WorkupItem, WorkupStatus
from cds_service.model.definitions import Order
from cds_service.model.facts import DraftOrder, Fact, ReadingNote
from cds_service.model.hooks import Card, Indicator
from cds_service.model.order_advice import AnsweredDraft, OrderAdvice, Suspicion
from cds_service.model.treatments import Caution, DrugWarning, NotedCaution, Treatment
from tests.unit.cards.decided import ABOUT, CONTENT, decide, flags, service
from tests.unit.cards.hostile import HOSTILE
from tests.unit.cards.markdown_page import structure, visible
from tests.unit.engine.neutral import cause, define, facts, knowledge, result

DRAFT = DraftOrder(fact=Fact(what="elixir", reference="MedicationRequest/m1", note="draft order"))
SUSPECT = cause("suspect", ("takes-elixir", "moderate-for"), ("has-oddity", "strong-for"))
FAILED = ReadingNote(severity="error", code="rule-failed", path="rules/x", remedy="Report the fault.")


def suspicion(*, strong: bool = False, draft: DraftOrder = DRAFT) -> Suspicion:
    """Return a draft that could add to the wobble, by a moderate or a strong argument, with a result beside it."""
    part = SUSPECT.evidence[int(strong)]
    return Suspicion(draft, SUSPECT, (Argument(part, (draft.fact, result("8").fact)),))


def answered(name: str, status: WorkupStatus, *results: str) -> AnsweredDraft:
    """Return a draft that is resulted, ordered or, without results, recorded."""
    item = WorkupItem(
        order=define(Order, name),
        status=status,
        because="",
        measured=tuple(result(value) for value in results),
        reference="Observation/zorbium",
        on="2026-06-14",
    )
    return AnsweredDraft(DRAFT, item)


def check(level: Indicator) -> DrugWarning:
    """Return a caution that an order is checked for."""
    caution = Caution(text="Not with {what}.", cites="r1", when="x", short="balm with {what}", on_order=level)
    noted = NotedCaution(caution=caution, words=caution.text, facts=(DRAFT.fact,))
    return DrugWarning(treatment=define(Treatment, "balm"), noted=noted, active=())


def cards(
    advice: OrderAdvice, *, most: int = 4, count: int = 0, notes: tuple[ReadingNote, ...] = ()
) -> tuple[Card, ...]:
    """Return the cards of an order hook, with so many red flags."""
    known = knowledge(*CONTENT, SUSPECT, *flags(count))
    about = facts(result("2") if count else result("8"), notes=notes)
    stages = decide(known, about)._replace(advice=advice)
    return tuple(one.card for one in CardComposer(known, ABOUT).compose(stages, service(most)))


def kinds(found: tuple[Card, ...]) -> list[str]:
    """Return the topic of each card."""
    return [card.source.topic.code for card in found if card.source.topic is not None]


FULL = OrderAdvice(
    answered=(answered("zorbium", WorkupStatus.ALREADY_DONE, "15"),),
    suspicions=(suspicion(),),
    checks=(check(Indicator.INFO),),
    unchecked=("labs",),
)


def test_without_anything_to_say_there_is_no_card() -> None:
    """The ranking of the same record is not shown beside an order."""
    assert cards(OrderAdvice()) == ()


def test_each_kind_has_one_card_in_order_of_weight() -> None:
    """Safety stands before what could add, that before what is answered, and last what could not be checked."""
    assert kinds(cards(FULL)) == ["drug-safety", "draft-medicine", "already-answered", "data-quality"]


@pytest.mark.parametrize(("count", "most", "expected"), [(1, 5, 1), (2, 6, 2), (3, 4, 1), (3, 2, 1)])
def test_red_flags_come_first_and_share_what_room_there_is(count: int, most: int, expected: int) -> None:
    """However many flags fire, there are never more cards than the service may show, and a flag leads them."""
    found = kinds(cards(FULL, count=count, most=most))
    assert found[:expected] == ["red-flag"] * expected
    assert (
        found[expected:]
        == ["drug-safety", "draft-medicine", "already-answered", "data-quality"][: most - expected]
    )


@pytest.mark.parametrize("level", [Indicator.INFO, Indicator.WARNING])
def test_a_check_has_the_level_that_the_content_gives_it(level: Indicator) -> None:
    """The highest of all cautions counts."""
    (card,) = cards(OrderAdvice(checks=(check(Indicator.INFO), check(level))))
    assert (card.indicator, card.summary) == (level, "Drug safety: balm with elixir")


@pytest.mark.parametrize(("strong", "level"), [(False, Indicator.INFO), (True, Indicator.WARNING)])
def test_only_a_strong_argument_warns(strong: bool, level: Indicator) -> None:
    """A moderate one informs; both name the draft once, the reason with its source, and what else it rests on."""
    (card,) = cards(OrderAdvice(suspicions=(suspicion(strong=strong),)))
    assert (card.indicator, card.summary) == (level, "Elixir could add to the wobble")
    shown = visible(card.detail or "")
    reason = "has-oddity is strong-for" if strong else "takes-elixir is moderate-for"
    assert f"Suspect: {reason} (source: The seed)" in shown
    assert "In this chart: zorbium 8 U/L" in shown
    assert shown.count("lixir (draft order)") == 1


def test_two_medicines_have_a_paragraph_each() -> None:
    """One card names both, in the order of the drafts."""
    other = DraftOrder(fact=Fact(what="syrup", reference="MedicationRequest/m2", note="draft order"))
    (card,) = cards(OrderAdvice(suspicions=(suspicion(), suspicion(draft=other))))
    assert card.summary == "Elixir and syrup could add to the wobble"
    assert visible(card.detail or "").count("could add to the wobble:") == 2


@pytest.mark.parametrize(
    ("one", "summary", "line"),
    [
        (
            answered("zorbium", WorkupStatus.ALREADY_DONE, "15"),
            "Zorbium is already resulted: 15 U/L (14 Jun 2026)",
            "Zorbium is already resulted: zorbium 15 U/L, 14 Jun 2026 (Observation/zorbium)",
        ),
        (
            answered("panel", WorkupStatus.ALREADY_DONE, "15", "16"),
            "Panel is already resulted (14 Jun 2026)",
            "zorbium 15 U/L, 14 Jun 2026 (Observation/zorbium); zorbium 16 U/L",
        ),
        (
            answered("zorbium", WorkupStatus.ALREADY_ORDERED, "15"),
            "Zorbium is already ordered (14 Jun 2026)",
            "Zorbium is already ordered: 14 Jun 2026 (Observation/zorbium)",
        ),
        (
            answered("a-look", WorkupStatus.ALREADY_DONE),
            "A look is already recorded (14 Jun 2026)",
            "A look is already recorded: 14 Jun 2026 (Observation/zorbium)",
        ),
    ],
)
def test_a_note_says_what_answers_the_draft(one: AnsweredDraft, summary: str, line: str) -> None:
    """Value, date and reference of a result, date and reference of a request or record."""
    (card,) = cards(OrderAdvice(answered=(one,)))
    assert (card.indicator, card.summary) == (Indicator.INFO, summary)
    assert line in visible(card.detail or "")


def test_several_answered_drafts_share_a_card() -> None:
    """The summary counts them, the detail has a line for each."""
    both = (
        answered("zorbium", WorkupStatus.ALREADY_DONE, "15"),
        answered("panel", WorkupStatus.ALREADY_ORDERED),
    )
    (card,) = cards(OrderAdvice(answered=both))
    assert (
        card.summary
        == "2 of these orders are already resulted, recorded or ordered: Zorbium and panel".replace(
            "panel", "Panel"
        )
    )


def test_a_rule_that_failed_is_told_on_a_card() -> None:
    """Even where there is nothing else to say, no silence hides a fault."""
    (card,) = cards(OrderAdvice(), notes=(FAILED, FAILED))
    assert kinds((card,)) == ["data-quality"]
    assert card.summary == "Not everything could be checked: 2 rules that failed"


@pytest.mark.parametrize("text", [text for text in HOSTILE if text.strip()])  # no medicine is nameless
def test_what_a_draft_is_called_cannot_break_out(text: Any) -> None:
    """The words of a draft come from outside: they are shown as text, on one line of a summary."""
    odd = DraftOrder(fact=Fact(what=text, reference="MedicationRequest/m1", note="draft order"))
    (shown,), (plain,) = (cards(OrderAdvice(suspicions=(suspicion(draft=one),))) for one in (odd, DRAFT))
    assert structure(shown.detail or "") == structure(plain.detail or "")
    assert not shown.summary.splitlines()[1:]
