"""Finds the questions of a questionnaire that neither an answer nor the record has settled; it words none of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from typing import NamedTuple

from cds_service.engine.findings import FindingBook
from cds_service.model.decision import FiredRedFlag, WorkupItem, WorkupStatus
from cds_service.model.definitions import Order
from cds_service.model.facts import Fact, PatientFacts, PlacedOrder
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator
from cds_service.model.questionnaires import AskedOf, OnlyIf, QuestionItem, Questionnaire


class _Question(NamedTuple):
    """A question with what settles it: value sets that are on record or denied, relatives, amounts, findings."""

    link: str
    only_if: OnlyIf | None
    asked_of: AskedOf | None
    onset: bool
    habit: str | None
    examination: str | None
    value_sets: frozenset[str]
    families: frozenset[str]
    findings: tuple[str, ...]


class QuestionRules:
    """The questions of all questionnaires, compiled from the content."""

    def __init__(self, questionnaires: Mapping[str, Questionnaire], orders: Mapping[str, Order]) -> None:
        """Compile every question once."""
        self._compiled = [
            (name, orders[one.order], [_compiled(item) for item in one.every_item() if not item.is_group])
            for name, one in questionnaires.items()
        ]

    def items(
        self, book: FindingBook, red_flags: tuple[FiredRedFlag, ...], today: date
    ) -> tuple[WorkupItem, ...]:
        """Return one item of the workup per questionnaire that has open questions or answers.

        Beside a critical red flag there is no time for questions: they do not apply then.
        """
        is_critical = any(flag.level is Indicator.CRITICAL for flag in red_flags)
        items = []
        for name, order, questions in self._compiled:
            links = _unanswered(questions, book)
            if links and is_critical:
                status, fact = WorkupStatus.NOT_APPLICABLE, None
            elif links:
                placed = _placed(order, book, today)
                status = WorkupStatus.ALREADY_ORDERED if placed else WorkupStatus.SUGGESTED
                fact = placed.fact if placed else None
            else:
                status, fact = WorkupStatus.ALREADY_DONE, _newest_answer(questions, book.facts)
                if fact is None:
                    continue
            items.append(
                WorkupItem(
                    order=order,
                    status=status,
                    because=f"{len(links)} questions unanswered" if links else "All questions answered",
                    reference=fact.reference if fact else None,
                    on=fact.on if fact else None,
                    questionnaire=name,
                    unanswered=links,
                )
            )
        return (*items,)


def _compiled(item: QuestionItem) -> _Question:
    return _Question(
        item.link,
        item.only_if,
        item.asked_of,
        item.onset,
        item.habit,
        item.examination,
        frozenset(_sets_of(item)),
        frozenset(name for option in item.options for name in option.family),
        item.known_by.findings,
    )


def _sets_of(item: QuestionItem) -> Iterator[str]:
    """Yield the value sets that tell the answer: of several answers that can stand together none tells the rest."""
    yield from item.signs
    yield from item.denies
    yield from item.known_by.value_sets
    if not item.repeats:
        yield from (name for option in item.options for name in option.signs)


def _unanswered(questions: list[_Question], book: FindingBook) -> tuple[str, ...]:
    """Return the linkIds of the questions that concern this person and are still open, in their order."""
    facts = book.facts
    there = (name for name, found in book.conditions.items() if any(one.active for one in found))
    told = {*there, *facts.denied, *book.medications}
    families = {name for relative in facts.relatives for name in relative.value_sets}
    return tuple(
        one.link
        for one in questions
        if one.link not in facts.answers
        and (one.only_if is None or _hangs_on_what_was_said(one.only_if, facts))
        and (one.asked_of is None or _may_be(one.asked_of, facts))
        and one.value_sets.isdisjoint(told)
        and one.families.isdisjoint(families)
        and one.habit not in book.habits
        and one.examination not in book.examinations
        and not (one.onset and book.onset is not None)
        and not (one.findings and _is_told_by_one(one.findings, book))
    )


def _hangs_on_what_was_said(only_if: OnlyIf, facts: PatientFacts) -> bool:
    """Whether a question that hangs on another one has got that answer."""
    other = facts.answers.get(only_if.link)
    return other is not None and not other.codes.isdisjoint(only_if.answers)


def _may_be(who: AskedOf, facts: PatientFacts) -> bool:
    """Whether the person is, or may be, whom a question concerns."""
    age, sex = facts.age, facts.sex
    if who.sex is not None and sex is not None and sex != who.sex:
        return False
    if age is None:
        return True
    is_old_enough = who.age_at_least is None or age >= who.age_at_least
    return is_old_enough and (who.age_below is None or age < who.age_below)


def _is_told_by_one(findings: tuple[str, ...], book: FindingBook) -> bool:
    """Whether facts, and not mere silence, settle one of the findings."""
    outcomes = (book.outcome(finding) for finding in findings)
    return any(state is not State.UNKNOWN and facts for state, facts in outcomes)


def _newest_answer(questions: list[_Question], facts: PatientFacts) -> Fact | None:
    found = [facts.answers[one.link].fact for one in questions if one.link in facts.answers]
    return max(found, key=lambda fact: fact.on or "", default=None)


def _placed(order: Order, book: FindingBook, today: date) -> PlacedOrder | None:
    """Return an open request to take the history that is not too old to count."""
    for placed in book.facts.placed_orders:
        day = placed.placed.latest if placed.placed else today
        if order.id in placed.orders and (today - day).days <= order.pending_days:
            return placed
    return None
