"""Causes that were ranked with given facts, for the tests of tables and summaries."""

from __future__ import annotations

from cds_service.model.decision import Argument, RankedCause, Standing
from cds_service.model.definitions import Cause
from cds_service.model.facts import Fact
from tests.unit.engine.neutral import cause

FIZZ = cause(
    "fizz", ("a", "strong-for"), ("b", "moderate-for"), ("c", "weak-against"), ("d", "strong-against")
)


def ranked(
    one: Cause = FIZZ,
    standing: Standing = Standing.LIKELY,
    missing: tuple[str, ...] = (),
    **behind: tuple[Fact, ...],
) -> RankedCause:
    """Return a cause with the arguments whose findings are named, each with these facts."""
    arguments = [Argument(part, behind[part.finding]) for part in one.evidence if part.finding in behind]
    return RankedCause(
        cause=one,
        standing=standing,
        score=0,
        arguments_for=tuple(found for found in arguments if found.evidence.weight.is_for),
        arguments_against=tuple(found for found in arguments if not found.evidence.weight.is_for),
        missing=missing,
    )
