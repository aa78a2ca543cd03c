"""Fires red flags before anything is ranked; it words nothing."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.engine.expressions import compile_expression
from cds_service.engine.findings import FindingBook
from cds_service.engine.view import Evaluator
from cds_service.model.decision import FiredRedFlag
from cds_service.model.definitions import RedFlag
from cds_service.model.findings import State
from cds_service.model.hooks import Indicator


class RedFlagRules:
    """All red flags, compiled, most severe level first."""

    def __init__(self, red_flags: Mapping[str, RedFlag], sign_sets: frozenset[str]) -> None:
        """Compile every level."""
        self._flags: list[tuple[RedFlag, list[Evaluator]]] = [
            (flag, [compile_expression(level.when, sign_sets) for level in flag.levels])
            for flag in sorted(red_flags.values(), key=_number)
        ]

    def fire(self, book: FindingBook) -> tuple[FiredRedFlag, ...]:
        """Return the flags that fire, critical ones first, then by number. The first level that holds wins."""
        fired = []
        for flag, evaluators in self._flags:
            for level, evaluate in zip(flag.levels, evaluators, strict=True):
                state, facts = evaluate(book)
                if state is State.PRESENT:
                    fired.append(
                        FiredRedFlag(red_flag=flag, level=level.level, because=level.because, facts=facts)
                    )
                    break
        return tuple(sorted(_heard(fired), key=lambda one: -one.level.rank))


def _heard(fired: list[FiredRedFlag]) -> list[FiredRedFlag]:
    """Leave out flags that yield while another one is critical."""
    return [
        one
        for one in fired
        if not one.red_flag.yields_to_critical
        or not any(other.level is Indicator.CRITICAL for other in fired if other is not one)
    ]


def _number(flag: RedFlag) -> int:
    return int(flag.id.removeprefix("RF"))
