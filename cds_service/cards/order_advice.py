"""The words of the cards about orders in draft; it looks nothing up and changes no order."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cds_service.cards.markdown import clean, escape
from cds_service.cards.treatment import Written
from cds_service.cards.wording import fact_cell, join, short_date, value_words
from cds_service.model.decision import WorkupItem, WorkupStatus
from cds_service.model.definitions import Template, Weight
from cds_service.model.facts import Fact, PatientFacts, ReadingNote
from cds_service.model.hooks import Indicator
from cds_service.model.order_advice import AnsweredDraft, OrderAdvice, Suspicion
from cds_service.model.treatments import DrugWarning
from cds_service.model.trust import Source

ANSWERED, SUSPECT, UNCHECKED = "already-answered", "draft-medicine", "not-checked"
RULE_FAILED = "rule-failed"


class Subject(NamedTuple):
    """What a card is about: ids of the content, and the facts that it rests on."""

    rules: tuple[str, ...]
    facts: tuple[Fact, ...] = ()


class OrderCard(NamedTuple):
    """One card in words, with its level and what it is about."""

    written: Written
    level: Indicator
    subject: Subject


class OrderAdviceWriter:
    """Writes what there is to say of drafts; it keeps nothing of a patient."""

    def __init__(self, templates: Mapping[str, Template], sources: Mapping[str, Source]) -> None:
        """Keep the words of the cards and the names of sources."""
        self._templates = templates
        self._names = {name: source.name for name, source in sources.items()}

    def cards(self, advice: OrderAdvice, noun: str, notes: Iterable[ReadingNote]) -> list[OrderCard]:
        """Return at most three cards: medicines that could add to the `noun`, answered orders, what is not checked."""
        failed = sum(note.code == RULE_FAILED for note in notes)
        found = [
            self._suspicions(advice.suspicions, noun) if advice.suspicions else None,
            self._answered(advice.answered) if advice.answered else None,
            self._unchecked(advice.unchecked, failed) if advice.unchecked or failed else None,
        ]
        return [card for card in found if card is not None]

    def _suspicions(self, suspicions: tuple[Suspicion, ...], noun: str) -> OrderCard:
        template = self._templates[SUSPECT]
        text = template.text
        names = join(clean(one.draft.fact.what) for one in suspicions)
        by_draft: dict[Fact, list[Suspicion]] = {}
        for one in suspicions:
            by_draft.setdefault(one.draft.fact, []).append(one)
        parts = [self._suspicion(fact, ones, noun, text) for fact, ones in by_draft.items()]
        is_strong = any(
            argument.evidence.weight is Weight.STRONG_FOR for one in suspicions for argument in one.arguments
        )
        summary = text["summary"].format(names=_first_upper(names), noun=noun)
        return OrderCard(
            Written(template, summary, "\n\n".join([*parts, text["footer"]])),
            Indicator.WARNING if is_strong else Indicator.INFO,
            _subject_of(suspicions),
        )

    def _suspicion(self, draft: Fact, ones: list[Suspicion], noun: str, text: Mapping[str, str]) -> str:
        """Return one medicine with the reasons against it, and what else of the chart they rest on."""
        arguments = [argument for one in ones for argument in one.arguments]
        facts = dict.fromkeys(fact for argument in arguments for fact in argument.facts if fact != draft)
        head = text["line"].format(names=_first_upper(escape(draft.what)), noun=noun)
        parts = [head, "\n".join(self._reason(one, text["reason"]) for one in ones)]
        if facts:
            shown = "; ".join(fact_cell(fact, emphasis=True) for fact in facts)
            parts.append(text["data"].format(facts=shown))
        return "\n\n".join(parts)

    def _reason(self, one: Suspicion, line: str) -> str:
        added = "" if one.cause.in_source_document else " (added)"
        because = " ".join(argument.evidence.because for argument in one.arguments)
        return line.format(
            title=f"{one.cause.title}{added}:",
            because=because.removesuffix("."),
            what=join(self._names[argument.evidence.cites] for argument in one.arguments),
        )

    def _answered(self, answered: tuple[AnsweredDraft, ...]) -> OrderCard:
        template = self._templates[ANSWERED]
        text = template.text
        items = [one.item for one in answered]
        parts = [
            text[_kind(item)].format(names=item.order.title, facts="; ".join(_answer_words(item)))
            for item in items
        ]
        names = join(dict.fromkeys(item.order.title for item in items))
        if len(items) > 1:
            summary = text["summary_several"].format(count=len(items), names=names)
        else:
            summary = text[f"summary_{_kind(items[0])}"].format(
                names=names, value=_value(items[0]), on=_on(items[0].on)
            )
        parts = [*dict.fromkeys(parts), text["footer"]]
        facts = tuple(one.fact for item in items for one in item.measured)
        subject = Subject(tuple(dict.fromkeys(item.order.id for item in items)), facts)
        return OrderCard(Written(template, summary, "\n\n".join(parts)), Indicator.INFO, subject)

    def _unchecked(self, kinds: tuple[str, ...], failed: int) -> OrderCard:
        template = self._templates[UNCHECKED]
        text = template.text
        names = [text[kind] for kind in kinds] + ([text["rules"].format(count=failed)] if failed else [])
        parts = [text["detail"].format(names=join(names)), text["footer"]]
        summary = text["summary"].format(names=join(names))
        return OrderCard(Written(template, summary, "\n\n".join(parts)), Indicator.INFO, Subject(()))


def _subject_of(suspicions: tuple[Suspicion, ...]) -> Subject:
    facts = [fact for one in suspicions for argument in one.arguments for fact in argument.facts]
    return Subject(
        tuple(dict.fromkeys(one.cause.id for one in suspicions)),
        tuple(dict.fromkeys([*(one.draft.fact for one in suspicions), *facts])),
    )


def level_of_checks(checks: tuple[DrugWarning, ...]) -> Indicator:
    """Return the highest level that the cautions have for an order."""
    levels = (one.noted.caution.on_order or Indicator.INFO for one in checks)
    return max(levels, key=lambda level: level.rank, default=Indicator.INFO)


def is_drafted(item: WorkupItem, facts: PatientFacts) -> bool:
    """Whether a draft asks already for what an item would suggest, by its code or its words."""
    return draft_of(item, facts) is not None


def draft_of(item: WorkupItem, facts: PatientFacts) -> Fact | None:
    """Return the draft that asks already for what an item would suggest."""
    for draft in facts.drafts:
        if draft.asked is not None and item.order.is_answered_by(draft.asked.orders, draft.asked.labs):
            return draft.fact
    return None


def _first_upper(words: str) -> str:
    return words[:1].upper() + words[1:]


def _kind(item: WorkupItem) -> str:
    if item.status is WorkupStatus.ALREADY_ORDERED:
        return "ordered"
    return "done" if item.measured else "recorded"


def _value(item: WorkupItem) -> str:
    """Return the one value of a test as a summary names it; a panel has too many."""
    facts = [one.fact for one in item.measured]
    return f": {value_words(facts[0])}" if len(facts) == 1 else ""


def _on(day: str | None) -> str:
    return f" ({short_date(day)})" if day else ""


def _answer_words(item: WorkupItem) -> list[str]:
    """Return each result with value, date and reference, or the request or record that answers."""
    if item.measured and item.status is WorkupStatus.ALREADY_DONE:
        return [fact_cell(one.fact, emphasis=True) + _place(one.fact.reference) for one in item.measured]
    return [" ".join(filter(None, (short_date(item.on), _place(item.reference).strip()))) or item.order.title]


def _place(reference: str | None) -> str:
    return f" ({escape(reference)})" if reference else ""
