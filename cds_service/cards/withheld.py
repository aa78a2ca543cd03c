"""Takes cards that are not repeated out of an answer and says so on what is left; it does not judge which ones.

What was withheld is never lost: the explanation names it, on the first card that is shown or, where none is left, on
the response itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any, NamedTuple

import msgspec

from cds_service.cards.explanation import EXTENSION
from cds_service.cards.wording import short_date
from cds_service.model.definitions import OverrideReasonDefinition, Template
from cds_service.model.hooks import Card

TEMPLATE = "withheld"


class Withheld(NamedTuple):
    """A card that is not shown again: when it was last shown, and how it was answered, if that is why."""

    template: str
    rules: tuple[str, ...]
    shown_on: date
    answered: OverrideReasonDefinition | None


class Remaining(NamedTuple):
    """What is left of an answer: the cards, and the extension of the response where no card is left."""

    cards: tuple[Card, ...]
    extension: Mapping[str, Any] | None


def without(
    cards: Sequence[Card], withheld: Mapping[int, Withheld], words: Template, *, is_complete: bool
) -> Remaining:
    """Return the cards that are not withheld, by their places, the first of them with a line and the explanation.

    A client that wants no explanation gets the line alone; where no card is left to hold the line, it is told what was
    withheld and whether the record was whole (`is_complete`): its clinician would read "nothing to say" otherwise.
    """
    left = [card for place, card in enumerate(cards) if place not in withheld]
    wants_none = cards[0].extension is None
    explanation = {
        "complete": is_complete,
        **((cards[0].extension or {}).get(EXTENSION, {})),
        "withheld": [_shown(one) for one in withheld.values()],
    }
    if not left:
        return Remaining((), {EXTENSION: explanation})
    first, *others = left
    detail = "\n\n".join(filter(None, (first.detail, line_of([*withheld.values()], words))))
    if wants_none:
        return Remaining((msgspec.structs.replace(first, detail=detail), *others), None)
    return Remaining(
        (
            msgspec.structs.replace(
                first, detail=detail, extension={**(first.extension or {}), EXTENSION: explanation}
            ),
            *(_pointing(card, first) for card in others),
        ),
        None,
    )


def line_of(withheld: Sequence[Withheld], words: Template) -> str:
    """Return the one line for what is not repeated."""
    last = short_date(max(one.shown_on for one in withheld).isoformat())
    if len(withheld) > 1:
        return words.text["several"].format(count=len(withheld), date=last)
    answered = withheld[0].answered
    if answered is None:
        return words.text["one"].format(date=last)
    return words.text["one_answered"].format(date=last, title=answered.title)


def _pointing(card: Card, first: Card) -> Card:
    """Return a further card with the place where the explanation is now."""
    return msgspec.structs.replace(card, extension={**(card.extension or {}), EXTENSION: {"see": first.uuid}})


def _shown(one: Withheld) -> dict[str, Any]:
    return {
        "template": one.template,
        "rules": [*one.rules],
        "shown_on": one.shown_on.isoformat(),
        "because": "already-shown" if one.answered is None else one.answered.id,
    }
