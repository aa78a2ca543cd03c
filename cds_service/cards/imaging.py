"""The lines that say what belongs on a request before it is sent; they forbid nothing and order nothing."""

from __future__ import annotations

from collections.abc import Iterable

from cds_service.cards.wording import fact_cell, lead_words
from cds_service.model.decision import OrderWarning, WorkupItem, WorkupStatus

_OPEN = frozenset({WorkupStatus.SUGGESTED, WorkupStatus.ALREADY_ORDERED})


def before_lines(items: Iterable[WorkupItem], line: str) -> list[str]:
    """Return one line with the cautions of all orders that are suggested or placed; each is said once."""
    said = dict.fromkeys(
        f"{'; '.join(fact_cell(fact, emphasis=True) for fact in one.facts)}: {one.caution.text}"
        for item in items
        if item.status in _OPEN
        for one in item.cautions
    )
    return [line.format(names=" ".join(said))] if said else []


def draft_words(cautions: Iterable[OrderWarning]) -> str:
    """Return the cautions as they stand in the note of a draft order."""
    return " ".join(
        f"{'; '.join(lead_words(fact) for fact in one.facts)}: {one.caution.text}" for one in cautions
    )
