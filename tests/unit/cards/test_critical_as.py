"""A critical card that a site has sent as a warning differs in its indicator only."""

from __future__ import annotations

import re

import msgspec

from cds_service.cards.explanation import EXTENSION
from cds_service.model.hooks import Card, Indicator
from tests.unit.cards.decided import compose, flags
from tests.unit.engine.neutral import facts, result

CRITICAL = result("2")
UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


def test_a_site_may_have_critical_cards_sent_as_warnings() -> None:
    """Only the indicator of a critical card differs: its words, place and suggestions stay, and so do other levels."""
    more = (*flags(1), *flags(2, level="info")[1:])
    sent, lowered = (
        compose(facts(CRITICAL), *more, critical_as=level)
        for level in (Indicator.CRITICAL, Indicator.WARNING)
    )
    assert [card.indicator for card in sent] == [Indicator.CRITICAL, Indicator.INFO, Indicator.WARNING]
    assert [card.indicator for card in lowered] == [Indicator.WARNING, Indicator.INFO, Indicator.WARNING]
    assert [_without_ids(card) for card in lowered] == [
        _without_ids(msgspec.structs.replace(card, indicator=shown.indicator))
        for card, shown in zip(sent, lowered, strict=True)
    ]
    assert lowered[0].extension is not None
    assert lowered[0].extension[EXTENSION]["red_flags"][0]["level"] is Indicator.CRITICAL


def _without_ids(card: Card) -> str:
    return UUID.sub("uuid", str(card.to_dict()))
