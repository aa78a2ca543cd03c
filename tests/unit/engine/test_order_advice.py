"""What is said of drafts, on neutral content: answered already, a new argument, a caution that it brings about."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.order_advice import OrderAdvisor, with_drafts_taken
from cds_service.engine.ranking import CauseRules
from cds_service.engine.treatment import TreatmentPlanner
from cds_service.engine.workup import WorkupPlanner
from cds_service.model.decision import WorkupStatus
from cds_service.model.definitions import Cause, Definition, Order, Presentation
from cds_service.model.facts import DraftOrder, Fact, Medication, PatientFacts, PlacedOrder
from cds_service.model.order_advice import OrderAdvice
from cds_service.model.treatments import Treatment
from tests.unit.engine.neutral import (
    ALL_KINDS,
    AS_OF,
    TODAY,
    cause,
    define,
    evidence,
    facts,
    knowledge,
    lab,
    medication,
    placed,
    result,
    rule,
)

ELIXIR = rule("takes-elixir", {"medication": {"in": ["elixir"]}})
SYRUP = rule("takes-syrup", {"medication": {"in": ["syrup"]}})
WOBBLE = define(Presentation, "wobble", noun="wobble", workup=["zorbium"])
ZORBIUM = define(Order, "zorbium", settled_by=["zorbium"])
FIZZ = cause("fizz", ("takes-elixir", "moderate-for"))
BALM = define(
    Treatment,
    "balm",
    active_when="takes-elixir",
    cautions=[
        {
            "when": "takes-syrup",
            "text": "Adds to {what}.",
            "short": "balm with {what}",
            "on_order": "warning",
            "cites": "r1",
        },
        {
            "when": "zorbium-low",
            "text": "Builds up.",
            "short": "balm with low zorbium",
            "on_order": "info",
            "cites": "r1",
        },
        {"when": "zorbium-high", "text": "Said on the card alone.", "cites": "r1"},
    ],
)
CONTENT: tuple[Definition, ...] = (lab(), ELIXIR, SYRUP, WOBBLE, ZORBIUM, FIZZ, BALM)


def taking(name: str, *, in_focus: bool = True, reference: str | None = None) -> DraftOrder:
    """Return a medicine in draft."""
    fact = Fact(
        what=name, reference=reference or f"MedicationRequest/draft-{name}", value="draft", note="draft order"
    )
    medicine = Medication(
        value_sets=frozenset({name}), name=name, fact=fact, active=True, started=None, ended=None
    )
    return DraftOrder(fact=fact, medicine=medicine, in_focus=in_focus)


def asking(
    *names: str, labs: tuple[str, ...] = (), covers: tuple[str, ...] = (), in_focus: bool = True
) -> DraftOrder:
    """Return a test in draft."""
    fact = Fact(what="test", reference="ServiceRequest/s1", value="draft")
    asked = PlacedOrder(orders=frozenset({*names, *covers}), labs=frozenset(labs), fact=fact, placed=None)
    return DraftOrder(fact=fact, named=frozenset(names), asked=asked, in_focus=in_focus)


def advise(
    *drafts: DraftOrder, about: PatientFacts | None = None, content: tuple[Definition, ...] = CONTENT
) -> OrderAdvice:
    """Return what is said of these drafts."""
    known = knowledge(*content)
    rules, causes = FindingRules(known), CauseRules(known.causes)
    planner = WorkupPlanner(known, rules.sign_sets)
    read = msgspec.structs.replace(about or facts(), drafts=drafts)
    book = FindingBook(rules, read, TODAY, now=AS_OF)
    ranking, _silent = causes.rank(book, (), ("wobble",))
    workup = planner.plan(book, (), ranking, ("wobble",), AS_OF)
    advisor = OrderAdvisor(known, rules, causes, planner.statuses, TreatmentPlanner(known.treatments))
    return advisor.advise(book, (), ("wobble",), workup, AS_OF)


def statuses(advice: OrderAdvice) -> list[tuple[str, WorkupStatus]]:
    """Return the orders that are answered, and how."""
    return [(one.item.order.id, one.item.status) for one in advice.answered]


def shorts(advice: OrderAdvice) -> list[str | None]:
    """Return the cautions that drafts bring about."""
    return [one.noted.caution.short for one in advice.checks]


def test_a_result_inside_its_window_answers_a_draft() -> None:
    """A fresh result in range is enough, and the test says so."""
    advice = advise(asking("zorbium", labs=("zorbium",)), about=facts(result("15")))
    assert statuses(advice) == [("zorbium", WorkupStatus.ALREADY_DONE)]


@pytest.mark.parametrize(("on", "count"), [("2026-05-16", 1), ("2026-05-15", 0)])
def test_the_window_of_a_result_has_an_end(on: str, count: int) -> None:
    """On the last day of its window a result still answers, a day earlier it does not."""
    assert len(advise(asking("zorbium"), about=facts(result("15", on=on))).answered) == count


@pytest.mark.parametrize(("on", "count"), [("2026-06-14T11:00:00Z", 1), ("2026-06-14T09:00:00Z", 0)])
def test_an_abnormal_result_may_be_repeated_after_its_interval(on: str, count: int) -> None:
    """Within the retest interval an abnormal result answers a draft; beyond it a repeat is nobody's business."""
    assert len(advise(asking("zorbium"), about=facts(result("8", on=on))).answered) == count


def test_a_request_that_is_open_answers_a_draft() -> None:
    """What is ordered already is not ordered again unawares."""
    advice = advise(asking("zorbium"), about=facts(placed_orders=(placed("zorbium"),)))
    assert statuses(advice) == [("zorbium", WorkupStatus.ALREADY_ORDERED)]


def test_what_the_workup_wants_gets_no_note() -> None:
    """A draft of a suggested test is what was asked for."""
    assert advise(asking("zorbium")).answered == ()


def test_an_order_of_no_workup_gets_no_note() -> None:
    """A test that no cause of this symptom asks for is not looked at, however often it is ordered."""
    other = define(Order, "quendite", settled_by=["quendite"])
    content = (*CONTENT, other, lab("quendite"))
    assert (
        advise(asking("quendite"), about=facts(result("15", of="quendite")), content=content).answered == ()
    )
    wanting = cause("pop", ("quendite-high", "strong-for"), workup=["quendite"])
    advice = advise(asking("quendite"), about=facts(result("15", of="quendite")), content=(*content, wanting))
    assert statuses(advice) == [("quendite", WorkupStatus.ALREADY_DONE)]


@pytest.mark.parametrize(("results", "count"), [(("zorbium",), 0), (("zorbium", "quendite"), 1)])
def test_a_panel_is_resulted_when_all_of_it_is(results: tuple[str, ...], count: int) -> None:
    """One part of a panel does not answer it."""
    panel = define(Order, "panel", covers=["zorbium", "quendite"], offered=False)
    draft = asking("panel", labs=("quendite", "zorbium"), covers=("zorbium", "quendite"))
    about = facts(*(result("15", of=name) for name in results))
    assert len(advise(draft, about=about, content=(*CONTENT, panel, lab("quendite"))).answered) == count


def test_a_draft_out_of_focus_is_not_looked_at() -> None:
    """What stands beside the selected orders gets neither note nor card."""
    about = facts(result("15"), medications=(medication("syrup"),))
    advice = advise(asking("zorbium", in_focus=False), taking("elixir", in_focus=False), about=about)
    assert advice == OrderAdvice()


def test_a_draft_medicine_is_a_new_argument() -> None:
    """It could add to the symptom through every candidate cause for which it is a telling argument."""
    (one,) = advise(taking("elixir")).suspicions
    assert one.cause.id == "fizz"
    assert [argument.evidence.finding for argument in one.arguments] == ["takes-elixir"]


@pytest.mark.parametrize(
    "fizz",
    [
        cause("fizz", ("takes-elixir", "weak-for")),
        cause("fizz", ("takes-elixir", "moderate-for"), ("zorbium-normal", "excludes")),
        cause("fizz", ("takes-elixir", "moderate-for"), ("zorbium-normal", "strong-against")),
        cause("fizz", ("takes-elixir", "moderate-for"), presentations=["other"]),
        cause("fizz", ("takes-elixir", "moderate-against")),
        define(Cause, "fizz", evidence=[evidence("takes-elixir", "moderate-for") | {"on_order": False}]),
        cause("fizz", ("takes-syrup", "strong-for")),
    ],
)
def test_no_other_medicine_is_suspected(fizz: Definition) -> None:
    """Not by a weak argument, nor for an excluded, outweighed or foreign cause, nor where the content says no."""
    about = facts(result("15"), medications=(medication("syrup"),))
    content = tuple(one for one in CONTENT if one is not FIZZ)
    assert advise(taking("elixir"), about=about, content=(*content, fizz)).suspicions == ()


def test_a_draft_completes_a_pair_from_either_side() -> None:
    """The medicine with the caution may be the draft or what is taken, and both may be in draft."""
    for drafts, taken in (
        (("elixir",), ("syrup",)),
        (("syrup",), ("elixir",)),
        (("elixir", "syrup"), ()),
    ):
        about = facts(medications=tuple(medication(name) for name in taken))
        assert shorts(advise(*map(taking, drafts), about=about)) == ["balm with {what}"]


def test_a_pair_that_is_taken_already_is_no_matter_of_another_draft() -> None:
    """A draft that has no part in a caution does not bring it up."""
    about = facts(medications=(medication("elixir"), medication("syrup")))
    assert shorts(advise(taking("tonic"), about=about)) == []


def test_a_result_can_be_the_caution() -> None:
    """A caution that rests on the chart holds for a draft; one that no order is checked for stays silent."""
    assert shorts(advise(taking("elixir"), about=facts(result("8")))) == ["balm with low zorbium"]
    assert shorts(advise(taking("elixir"), about=facts(result("22")))) == []


@pytest.mark.parametrize("kind", ["conditions", "medications", "labs"])
def test_what_a_check_lacks_is_told(kind: str) -> None:
    """Where the record did not arrive a checked medicine is said to be unchecked; any other draft is not."""
    about = facts(arrived=ALL_KINDS - {kind})
    assert advise(taking("elixir"), about=about).unchecked == (kind,)
    assert advise(taking("tonic"), about=about).unchecked == ()
    assert advise(taking("elixir", in_focus=False), taking("tonic"), about=about).unchecked == ()


def test_a_draft_takes_the_place_of_what_it_rewrites() -> None:
    """An entry of the record that is being signed again counts once, any other medicine stays beside it."""
    about = facts(medications=(medication("elixir"), medication("syrup")))
    again = taking("elixir", reference="MedicationRequest/elixir")
    for draft, count in ((again, 2), (taking("elixir"), 3)):
        supposed = with_drafts_taken(msgspec.structs.replace(about, drafts=(draft,)))
        assert len(supposed.medications) == count
        assert [one.fact.note for one in supposed.medications][-1] == "draft order"


def test_a_rule_that_fails_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A rule that only fails with the draft taken is among the failed ones: no silence hides it."""
    known = knowledge(*CONTENT)
    rules, causes = FindingRules(known), CauseRules(known.causes)

    def fail(_view: Any) -> Any:
        raise ArithmeticError

    monkeypatch.setattr(rules, "rules", {**rules.rules, "takes-elixir": fail})
    read = msgspec.structs.replace(facts(), drafts=(taking("elixir"),))
    book = FindingBook(rules, read, TODAY, now=AS_OF)
    planner = WorkupPlanner(known, rules.sign_sets)
    advisor = OrderAdvisor(known, rules, causes, planner.statuses, TreatmentPlanner(known.treatments))
    advisor.advise(book, (), ("wobble",), (), AS_OF)
    assert book.failed == {"takes-elixir": "ArithmeticError"}
