"""Plans the workup of neutral content, for the tests of what becomes of each order."""

from __future__ import annotations

from typing import Any

from cds_service.engine.ranking import CauseRules
from cds_service.engine.workup import WorkupPlanner
from cds_service.model.decision import FiredRedFlag, WorkupItem, WorkupStatus
from cds_service.model.definitions import Definition, Order, RedFlag
from tests.unit.engine.neutral import (
    AS_OF,
    book,
    cause,
    define,
    facts,
    knowledge,
    lab,
)

SUGGESTED, DONE = WorkupStatus.SUGGESTED, WorkupStatus.ALREADY_DONE
ORDERED, NOT_APPLICABLE = WorkupStatus.ALREADY_ORDERED, WorkupStatus.NOT_APPLICABLE
FLAG = define(RedFlag, "RF1", workup=["zorbium"])
LIKELY = cause("fizz", ("zorbium-low", "strong-for"), workup=["zorbium"])
POSSIBLE = cause("fizz", ("zorbium-low", "weak-for"), workup=["zorbium"])
ALWAYS = cause("always", ("presents-with-wobble", "weak-for"), workup=["zorbium"])


def order(name: str = "zorbium", **members: Any) -> Order:
    """Return an order that the lab of the same name settles."""
    return define(Order, name, **{"settled_by": [name], **members})


def plan(
    *definitions: Definition,
    red_flags: tuple[FiredRedFlag, ...] = (),
    results: tuple[Any, ...] = (),
    types: tuple[str, ...] = ("wobble",),
    **about: Any,
) -> dict[str, WorkupItem]:
    """Return the items of the workup by the id of their order."""
    labs = () if any(one.id == "zorbium" and type(one).__name__ == "Lab" for one in definitions) else (lab(),)
    known = knowledge(*definitions, *labs)
    patient = book(known, facts(*results, **about))
    ranking, _ = CauseRules(known.causes).rank(patient, red_flags, types)
    items = WorkupPlanner(known, frozenset()).plan(patient, red_flags, ranking, types, AS_OF)
    return {item.order.id: item for item in items}


def status(*definitions: Definition, **about: Any) -> WorkupStatus:
    """Return the status of the zorbium order."""
    return plan(order(), *definitions, **about)["zorbium"].status
