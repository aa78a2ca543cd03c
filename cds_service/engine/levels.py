"""How urgent the main card is, by the results that nothing more urgent speaks of; it words nothing."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.engine.findings import FindingBook
from cds_service.model.decision import FiredRedFlag, Reading
from cds_service.model.definitions import Lab, Rule
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator
from cds_service.model.parts import CRITICAL, MARKED


class LevelRules:
    """What can raise a card's level; it holds no patient."""

    def __init__(self, labs: Mapping[str, Lab], rules: Mapping[str, Rule]) -> None:
        """Keep the labs, and the rules that raise."""
        self._labs = labs
        self._raising = tuple((name, rule.raises) for name, rule in rules.items() if rule.raises is not None)

    def level_of(
        self, book: FindingBook, readings: Mapping[str, Reading], fired: tuple[FiredRedFlag, ...]
    ) -> Indicator:
        """Return the level of the main card: raised only by marked or critical results that no fired flag names."""
        named = {fact.reference for flag in fired for fact in flag.facts if fact.reference is not None}
        level = Indicator.INFO
        for name, reading in readings.items():
            if reading.current is not None and reading.current.fact.reference in named:
                continue
            lab = self._labs[name]
            if lab.marked_raises:
                level = _higher(level, _level_of_reading(reading, lab.unrepeated_days))
        for name, raised in self._raising:
            state, facts = book.outcome(name)
            if state is State.PRESENT and not (facts and all(fact.reference in named for fact in facts)):
                level = _higher(level, raised)
        return level


def _higher(one: Indicator, other: Indicator) -> Indicator:
    return other if other.rank > one.rank else one


def _level_of_reading(reading: Reading, unrepeated_days: int) -> Indicator:
    bands = reading.bands
    if bands is not None:
        if bands & CRITICAL:
            return Indicator.CRITICAL
        return Indicator.WARNING if bands & MARKED else Indicator.INFO
    if reading.stale_bands & MARKED and (reading.stale_days or 0) <= unrepeated_days:
        return Indicator.WARNING
    return Indicator.INFO
