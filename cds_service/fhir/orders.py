"""Reads ServiceRequests that are still open; whether they answer a question is decided elsewhere."""

from __future__ import annotations

from typing import NamedTuple

from cds_service.fhir.notebook import Placed
from cds_service.fhir.resource_types import REQUESTS
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import CodeableConcept, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.fhir.words import code_of, concepts, wording
from cds_service.model.facts import Fact, PlacedOrder

_OPEN = frozenset(
    {
        *("active", "draft", "on-hold"),
        *("requested", "received", "accepted", "in-progress", "planned", "proposed", "review", "suspended"),
    }
)
"""With the words of STU3 and DSTU2 for a request that nobody has answered yet."""

_CLOSED = frozenset(
    {
        *("completed", "revoked", "entered-in-error", "unknown"),
        *("cancelled", "rejected", "failed", "aborted", "ended"),
    }
)


class Asked(NamedTuple):
    """What a request asks for: the orders that it is itself, and all that it would answer once placed."""

    named: frozenset[str]
    placed: PlacedOrder


def read_orders(vocabulary: Vocabulary, intake: Intake) -> list[PlacedOrder]:
    """Return open requests that answer an order or measure a lab that the content knows."""
    found = []
    for placed in intake.of(*REQUESTS):
        resource = placed.resource
        status = (resource.status or "").strip().lower()
        if status not in _OPEN or resource.do_not_perform:
            if status not in _CLOSED | _OPEN:
                intake.status_not_understood(placed, "status", "Send a status of FHIR; it was not used.")
            continue
        asked = asked_for(vocabulary, intake, placed)
        if asked is not None:
            found.append(asked.placed)
    return found


def asked_for(vocabulary: Vocabulary, intake: Intake, placed: Placed) -> Asked | None:
    """Return what a request asks for, whatever its status; None where the content knows nothing of it."""
    resource = placed.resource
    labs, orders, words = frozenset[str](), frozenset[str](), ""
    asked = _concepts_of(resource)
    if not asked:
        intake.is_named(placed, "code", None)
    for concept in asked:
        intake.is_named(placed, "code", concept)
        labs |= vocabulary.lab_codes.names(concept)
        orders |= vocabulary.order_codes.names(concept) | vocabulary.order_text.find(wording(concept))
        words = words or wording(concept)
    if (code_of(resource.priority) or "routine") == "routine":
        orders -= vocabulary.urgent_orders
    if not orders and not labs:
        return None
    covered = frozenset[str]().union(*(vocabulary.order_covers[order] for order in orders))
    first = resource.event[0] if resource.event else None
    placed_on = (
        intake.when(placed, "authoredOn", resource.authored_on)
        or intake.when(placed, "orderedOn", resource.ordered_on)
        or intake.when(placed, "event[0].dateTime", first.date_time if first else None)
        or intake.when(placed, "date", resource.date)
        or intake.when(placed, "occurrenceDateTime", resource.occurrence_date_time)
    )
    order = PlacedOrder(
        orders=orders | covered,
        labs=labs | (covered & vocabulary.labs.keys()),
        placed=placed_on,
        fact=Fact(
            what=words or "order",
            reference=placed.reference,
            value=resource.status,
            on=placed_on.text if placed_on else None,
        ),
    )
    return Asked(orders, order)


def _concepts_of(resource: Resource) -> list[CodeableConcept]:
    """Return what is asked for: one code, wrapped once more in R5, or that of each item in DSTU2.

    A ReferralRequest of STU3 or DSTU2 names services, or only its kind.
    """
    code = resource.code
    if resource.resource_type == "ReferralRequest":
        kind = resource.type
        named = [] if isinstance(kind, str) else concepts(kind)
        return concepts(resource.service_requested) or named
    if code is not None:
        return [code.concept if code.concept is not None else code]
    return [concept for item in resource.item or () for concept in concepts(item.code)]
