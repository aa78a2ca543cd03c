"""What each card rests on, free of wording, ids and the moment, so that the same advice is known again; it shows none.

A placed order is no new ground: what was suggested and then ordered is still the same advice. A new or changed fact
that speaks, a crossed limit, another standing, and a part of the record that is missing or was are new grounds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import msgspec

from cds_service.cards.order_advice import SUSPECT, UNCHECKED, OrderCard
from cds_service.cards.stages import Stages
from cds_service.cards.treatment import DRUG_SAFETY, TREATMENT
from cds_service.model.decision import (
    Argument,
    CardBasis,
    FiredRedFlag,
    RankedCause,
    Repeating,
    Standing,
    WorkupItem,
)
from cds_service.model.definitions import Urgency
from cds_service.model.facts import Fact
from cds_service.model.hooks import Indicator
from cds_service.model.treatments import DrugWarning

TOGETHER = "recommended-together"
"""What stands for the suggestion that drafts all recommended orders of a card."""
_MAIN = "main"
RED_FLAG = "red-flag"
NORMAL = "normal"

_OF_ORDERS = {SUSPECT: Repeating.UNTIL_ANSWERED, UNCHECKED: Repeating.ALWAYS}
_ENCODER = msgspec.json.Encoder()


def offers(items: Sequence[WorkupItem], suggestions: int) -> tuple[str, ...]:
    """Return the order behind each of the suggestions, of which there is one more where some are drafted together."""
    names = tuple(item.order.id for item in items)
    return names if suggestions == len(names) else (*names, TOGETHER)


def red_flag_basis(flags: Sequence[FiredRedFlag], stages: Stages, offered: tuple[str, ...]) -> CardBasis:
    """Return the basis of a card for red flags; such a card is shown each time."""
    rules = tuple(flag.red_flag.id for flag in flags)
    fired = [[flag.red_flag.id, flag.level, _facts(flag.facts)] for flag in flags]
    return CardBasis(
        template=RED_FLAG,
        rules=rules,
        offers=offered,
        grounds=_grounds(RED_FLAG, stages, fired),
        repeating=Repeating.ALWAYS,
    )


def main_basis(
    template: str, stages: Stages, candidates: Sequence[RankedCause], offered: tuple[str, ...]
) -> CardBasis:
    """Return the basis of the one card that ranks, or says that nothing can be ranked.

    Which of its templates is used is no ground of its own: it can change with an order that was placed.
    """
    grounds = [
        [[one.cause.id, one.standing, _arguments(one)] for one in stages.ranking],
        [*_outside(stages)],
    ]
    is_urgent = stages.level is not Indicator.INFO or any(
        one.standing is Standing.LIKELY and one.cause.urgency == Urgency.EMERGENCY.word for one in candidates
    )
    return CardBasis(
        template=template,
        rules=tuple(one.cause.id for one in candidates),
        offers=offered,
        grounds=_grounds(_MAIN, stages, grounds),
        repeating=Repeating.ALWAYS if is_urgent else _repeating(Repeating.UNTIL_SEEN, stages),
    )


def safety_basis(stages: Stages, warnings: Sequence[DrugWarning]) -> CardBasis:
    """Return the basis of the drug-safety card: a warning that only an answer can quiet."""
    grounds = [[one.treatment.id, _facts((*one.active, *one.noted.facts))] for one in warnings]
    return CardBasis(
        template=DRUG_SAFETY,
        rules=tuple(one.treatment.id for one in warnings),
        offers=(),
        grounds=_grounds(DRUG_SAFETY, stages, grounds),
        repeating=_repeating(Repeating.UNTIL_ANSWERED, stages),
    )


def treatment_basis(stages: Stages) -> CardBasis:
    """Return the basis of the card with treatment options."""
    options = stages.treatment.options
    grounds = [
        [
            one.treatment.id,
            one.is_offered,
            _facts(fact for noted in (*one.ruled_out, *one.cautions) for fact in noted.facts),
            _facts(one.active),
        ]
        for one in options
    ]
    return CardBasis(
        template=TREATMENT,
        rules=tuple(one.treatment.id for one in options),
        offers=(),
        grounds=_grounds(TREATMENT, stages, grounds),
        repeating=_repeating(Repeating.UNTIL_SEEN, stages),
    )


def order_basis(card: OrderCard, stages: Stages) -> CardBasis:
    """Return the basis of a card about orders in draft.

    What speaks against a draft medicine is told each time until somebody answers it; that a check was not
    possible is told each time.
    """
    template, subject = card.written.template.id, card.subject
    alone = _OF_ORDERS.get(template, Repeating.UNTIL_SEEN)
    return CardBasis(
        template=template,
        rules=subject.rules,
        offers=(),
        grounds=_grounds(template, stages, [subject.rules, _facts(subject.facts)]),
        repeating=_repeating(alone, stages),
    )


def _grounds(kind: str, stages: Stages, grounds: Sequence[Any]) -> str:
    return _ENCODER.encode([kind, _presented(stages), grounds]).decode()


def _repeating(alone: Repeating, stages: Stages) -> Repeating:
    """Return when a card is not shown again: beside a red flag every card is shown each time."""
    return Repeating.ALWAYS if stages.red_flags else alone


def _presented(stages: Stages) -> list[Any]:
    """Return what was recorded, since when, and what could not be read of the record."""
    facts = stages.facts
    types = {name for one in facts.presentations for name in one.types}
    onsets = {one.onset.text for one in facts.presentations if one.onset is not None}
    troubles = {note.code for note in facts.notes if note.severity != "information"}
    return [sorted(types), sorted(onsets), sorted(facts.missing_keys), sorted(troubles)]


def _arguments(one: RankedCause) -> list[Any]:
    arguments: Iterable[Argument] = (*one.arguments_for, *one.arguments_against)
    return [[argument.evidence.finding, _facts(argument.facts)] for argument in arguments]


def _outside(stages: Stages) -> Iterator[list[Any]]:
    """Yield the results that are not in range, old ones included; one in range counts where an argument rests on it."""
    for name, reading in sorted(stages.readings.items()):
        bands = (reading.bands or reading.stale_bands) - {NORMAL}
        if bands:
            shown = (one for one in (reading.current, reading.stale) if one is not None)
            yield [name, sorted(bands), [_fact(one.fact) for one in shown]]


def _facts(facts: Iterable[Fact]) -> list[list[str | None]]:
    return sorted((_fact(fact) for fact in facts), key=repr)


def _fact(fact: Fact) -> list[str | None]:
    """Return what a fact says, without the id of its resource."""
    return [fact.what, fact.value, fact.unit, fact.on]
