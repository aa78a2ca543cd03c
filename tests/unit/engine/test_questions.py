"""Questions: which are open for this person, what offers them, and what a denial or an answer makes of a finding."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.engine.questions import QuestionRules
from cds_service.engine.ranking import CauseRules
from cds_service.model.decision import WorkupItem, WorkupStatus
from cds_service.model.definitions import Order, RedFlag, ValueSet
from cds_service.model.facts import Answered, Fact, PatientFacts, Relative
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator
from tests.support.questionnaires import asking
from tests.unit.engine.neutral import (
    TODAY,
    book,
    cause,
    condition,
    define,
    examination,
    fact,
    facts,
    fired,
    habit,
    knowledge,
    medication,
    placed,
    presenting,
    rule,
)

ORDER = define(Order, "ask", kind="questionnaire")
SIGNS = (define(ValueSet, "sign", kind="sign"), define(ValueSet, "other", kind="sign"))
KNOWN = knowledge(
    ORDER,
    *SIGNS,
    rule("has-sign", {"condition": {"in": ["sign"]}}),
    rule("has-both", {"condition": {"in": ["sign", "other"]}}),
    rule("is-odd", {"any": ["history-says-odd"]}),
)


def left(*items: dict[str, Any], **about: Any) -> tuple[str, ...]:
    """Return the linkIds of what is open for a patient."""
    return open_links(book(KNOWN, facts(**about)), *items)


def open_links(patient: FindingBook, *items: dict[str, Any]) -> tuple[str, ...]:
    """Return the linkIds of what is open in a book of findings."""
    found = QuestionRules({"q": asking(*items)}, {"ask": ORDER}).items(patient, (), TODAY)
    return found[0].unanswered if found else ()


def answered(*codes: str, on: str | None = "2026-06-14") -> Answered:
    """Return an answer."""
    return Answered(codes=frozenset(codes), fact=fact("answer", reference="QuestionnaireResponse/q1", on=on))


def planned(*items: dict[str, Any], flags: tuple[Any, ...] = (), **about: Any) -> tuple[WorkupItem, ...]:
    """Return what becomes of a questionnaire."""
    patient = book(KNOWN, facts(**about))
    return QuestionRules({"q": asking(*items)}, {"ask": ORDER}).items(patient, flags, TODAY)


def test_what_is_neither_answered_nor_known_is_open() -> None:
    """Groups are no questions; those in them stand in their order."""
    group = {"link": "2", "type": "group", "items": [{"link": "2.1", "text": "So?", "type": "text"}]}
    assert left({"link": "1"}, group) == ("1", "2.1")
    assert left({"link": "1"}, group, answers={"1": answered("no")}) == ("2.1",)


OPTIONS = {"type": "choice", "options": [{"code": "a", "display": "A", "signs": ["sign"]}]}


@pytest.mark.parametrize(
    ("item", "known"),
    [
        ({"signs": ["sign"]}, {"conditions": (condition("sign"),)}),
        ({"signs": ["sign"]}, {"denied": {"sign": fact("no sign")}}),
        ({"denies": ["sign"]}, {"conditions": (condition("sign"),)}),
        (OPTIONS, {"conditions": (condition("sign"),)}),
        ({"known_by": {"value_sets": ["sign"]}}, {"conditions": (condition("sign"),)}),
        ({"known_by": {"value_sets": ["tonic"]}}, {"medications": (medication("tonic"),)}),
        ({"known_by": {"findings": ["presents-with-wobble"]}}, {}),
        ({"known_by": {"findings": ["has-sign"]}}, {"denied": {"sign": fact("no sign")}}),
        ({"habit": "caffeine"}, {"habits": (habit("caffeine", "3"),)}),
        ({"examination": "tone"}, {"examinations": (examination("tone", "normal"),)}),
        ({"onset": True}, {"presentations": (presenting(onset="2026-06-01"),)}),
        (
            {"type": "choice", "options": [{"code": "a", "display": "A", "family": ["kin"]}]},
            {"relatives": (Relative(value_sets=frozenset({"kin"}), fact=fact("kin")),)},
        ),
    ],
)
def test_what_the_record_holds_is_not_asked(item: dict[str, Any], known: dict[str, Any]) -> None:
    """A fact that the answer would give settles the question."""
    assert left({"link": "1", **item}, **known) == ()


@pytest.mark.parametrize(
    ("item", "known"),
    [
        ({"signs": ["sign"]}, {"conditions": (condition("other"),)}),
        ({"signs": ["sign"]}, {"conditions": (condition("sign", active=False),)}),
        ({**OPTIONS, "repeats": True}, {"conditions": (condition("sign"),)}),
        ({"known_by": {"findings": ["has-sign"]}}, {}),
        ({"habit": "caffeine"}, {"habits": (habit("sleep", "3"),)}),
        ({"examination": "tone"}, {"examinations": (examination("bulk", "normal"),)}),
        ({"onset": True}, {}),
        ({"text": "So?"}, {"presentations": (presenting(onset="2026-06-01"),)}),
    ],
)
def test_what_the_record_does_not_tell_is_asked(item: dict[str, Any], known: dict[str, Any]) -> None:
    """Another fact, one that is over, or one of several that can stand together settles nothing."""
    assert left({"link": "1", **item}, **known) == ("1",)


def test_a_diagnosis_that_silence_makes_absent_is_still_asked() -> None:
    """Known is what a fact tells; that nothing is on a list is no answer."""
    known = knowledge(define(ValueSet, "oddity"), rule("has-oddity", {"condition": {"in": ["oddity"]}}))
    patient = book(known, facts())
    assert patient.outcome("has-oddity") == (State.ABSENT, ())
    item = {"link": "1", "known_by": {"findings": ["has-oddity"]}}
    assert open_links(patient, item) == ("1",)


@pytest.mark.parametrize(
    ("who", "about", "is_asked"),
    [
        ({"sex": "female"}, {"sex": "female"}, True),
        ({"sex": "female"}, {"sex": "male"}, False),
        ({"sex": "female"}, {"sex": None}, True),
        ({"age_at_least": 12}, {"age": 12}, True),
        ({"age_at_least": 12}, {"age": 11}, False),
        ({"age_below": 56}, {"age": 55}, True),
        ({"age_below": 56}, {"age": 56}, False),
        ({"age_at_least": 12, "age_below": 56}, {"age": None}, True),
    ],
)
def test_only_whom_it_concerns_is_asked(who: dict[str, Any], about: dict[str, Any], is_asked: bool) -> None:
    """Who is not known to be somebody else is asked."""
    assert bool(left({"link": "1", "asked_of": who}, **about)) is is_asked


@pytest.mark.parametrize(
    ("answers", "is_asked"), [({}, False), ({"1": answered("no")}, False), ({"1": answered("yes")}, True)]
)
def test_a_question_waits_for_the_answer_it_hangs_on(answers: dict[str, Any], is_asked: bool) -> None:
    """Before that answer, and after another one, it does not concern the person."""
    second = {"link": "1.1", "only_if": {"link": "1", "answers": ["yes", "perhaps"]}}
    assert ("1.1" in left({"link": "1"}, second, answers=answers)) is is_asked


def test_open_questions_are_offered_last_and_never_recommended() -> None:
    """The item says how many are open and which."""
    (item,) = planned({"link": "1"}, {"link": "2"})
    assert (item.status, item.because, item.recommended) == (
        WorkupStatus.SUGGESTED,
        "2 questions unanswered",
        False,
    )
    assert (item.questionnaire, item.unanswered, item.on, item.reference) == ("q", ("1", "2"), None, None)


def test_answered_questions_are_done_on_the_day_of_the_newest_answer() -> None:
    """Nothing is open and somebody answered."""
    answers = {"1": answered("yes", on="2026-06-01"), "2": answered("no"), "3": answered("no", on=None)}
    (item,) = planned({"link": "1"}, {"link": "2"}, {"link": "3"}, answers=answers)
    assert (item.status, item.on, item.reference, item.unanswered) == (
        WorkupStatus.ALREADY_DONE,
        "2026-06-14",
        "QuestionnaireResponse/q1",
        (),
    )


def test_what_the_record_tells_without_an_answer_is_no_item() -> None:
    """Nothing is open and nobody was asked: there is nothing to say."""
    assert planned({"link": "1", "signs": ["sign"]}, conditions=(condition("sign"),)) == ()


@pytest.mark.parametrize(
    ("level", "status"),
    [
        (Indicator.CRITICAL, WorkupStatus.NOT_APPLICABLE),
        (Indicator.WARNING, WorkupStatus.SUGGESTED),
    ],
)
def test_beside_a_critical_flag_nobody_is_questioned(level: Indicator, status: WorkupStatus) -> None:
    """There is no time for questions then; a warning leaves it."""
    flag = fired(define(RedFlag, "RF1"), level=level)
    (item,) = planned({"link": "1"}, flags=(flag,))
    assert item.status is status


@pytest.mark.parametrize(
    ("order", "on", "status"),
    [
        ("ask", "2026-03-17", WorkupStatus.ALREADY_ORDERED),
        ("ask", "2026-03-16", WorkupStatus.SUGGESTED),
        ("ask", None, WorkupStatus.ALREADY_ORDERED),
        ("zorbium", "2026-06-14", WorkupStatus.SUGGESTED),
    ],
)
def test_a_request_to_ask_counts_while_it_is_young(order: str, on: str | None, status: WorkupStatus) -> None:
    """An open request keeps the questions from being offered again, for ninety days."""
    (item,) = planned({"link": "1"}, placed_orders=(placed(order, on=on),))
    assert (item.status, item.on) == (status, on if status is WorkupStatus.ALREADY_ORDERED else None)


def test_a_denied_sign_is_absent_on_the_ground_of_the_denial() -> None:
    """What nobody was asked for stays unknown, and so does a choice of which one was denied."""
    no_sign, no_other = fact("no sign"), fact("no other")
    assert book(KNOWN, facts()).outcome("has-sign")[0] is State.UNKNOWN
    asked = book(KNOWN, facts(denied={"sign": no_sign}))
    assert asked.outcome("has-sign") == (State.ABSENT, (no_sign,))
    assert asked.outcome("has-both")[0] is State.UNKNOWN
    both = book(KNOWN, facts(denied={"sign": no_sign, "other": no_other}))
    assert both.outcome("has-both") == (State.ABSENT, (no_sign, no_other))
    one = book(KNOWN, facts(denied={"sign": no_sign, "other": no_sign}))
    assert one.outcome("has-both") == (State.ABSENT, (no_sign,))


def test_a_record_outweighs_a_denial() -> None:
    """A sign that is on record is there, whatever the patient says; an open question stays open."""
    denied = {"sign": fact("no sign")}
    there = book(KNOWN, facts(denied=denied, conditions=(condition("sign"),)))
    assert there.outcome("has-sign")[0] is State.PRESENT
    known = knowledge(*SIGNS, rule("sure", {"condition": {"in": ["sign"], "confirmed": True}}))
    unsure = book(known, facts(denied=denied, conditions=(condition("sign", firm=False),)))
    assert unsure.outcome("sure")[0] is State.UNKNOWN


def _saying(**said: bool) -> PatientFacts:
    return facts(history={word: (is_said, fact(word)) for word, is_said in said.items()})


@pytest.mark.parametrize(
    ("about", "state"),
    [
        (_saying(odd=True), State.PRESENT),
        (_saying(odd=False), State.ABSENT),
        (_saying(even=True), State.UNKNOWN),
        (facts(), State.UNKNOWN),
    ],
)
def test_what_an_answer_says_is_a_finding(about: PatientFacts, state: State) -> None:
    """It is present or absent with the answer as its fact, and rules can read it."""
    patient = book(KNOWN, about)
    shown: tuple[Fact, ...] = () if state is State.UNKNOWN else (fact("odd"),)
    assert patient.outcome("history-says-odd") == (state, shown)
    assert patient.outcome("is-odd") == (state, shown)


@pytest.mark.parametrize(
    ("finding", "about"),
    [
        ("history-says-odd", {"history": {"odd": (True, fact("odd"))}}),
        ("presents-with-wobble", {"presentations": (presenting("wobble", "fizz"),)}),
    ],
)
def test_a_cause_that_rests_on_words_alone_is_weighed_anew(finding: str, about: dict[str, Any]) -> None:
    """That nothing was known of it in one person does not hold for the next."""
    known = knowledge(cause("fizzing", (finding, "weak-for"), presentations=["fizz"]))
    causes, findings = CauseRules(known.causes), FindingRules(known)
    silent = facts(presentations=(presenting("fizz"),))
    assert causes.rank(FindingBook(findings, silent, TODAY), (), ["fizz"])[0] == ()
    telling = FindingBook(findings, facts(**{"presentations": (presenting("fizz"),), **about}), TODAY)
    (ranked,) = causes.rank(telling, (), ["fizz"])[0]
    assert ranked.cause.id == "fizzing"
