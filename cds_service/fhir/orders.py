"""Reads ServiceRequests that are still open; whether they answer a question is decided elsewhere."""

from __future__ import annotations

from cds_service.fhir.dates import read_when
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import wording
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.facts import Fact, PlacedOrder

_OPEN = frozenset({"active", "draft", "on-hold"})


def read_orders(vocabulary: Vocabulary, intake: Intake) -> list[PlacedOrder]:
    """Return open requests that answer an order or measure a lab that the content knows."""
    found = []
    for placed in intake.of("ServiceRequest"):
        resource = placed.resource
        if (resource.status or "").strip().lower() not in _OPEN or resource.do_not_perform:
            continue
        labs = vocabulary.lab_codes.names(resource.code)
        orders = vocabulary.order_codes.names(resource.code)
        words = wording(resource.code)
        orders |= vocabulary.order_text.find(words)
        if (resource.priority or "routine").strip().lower() == "routine":
            orders -= vocabulary.urgent_orders
        if not orders and not labs:
            continue
        covered = frozenset[str]().union(*(vocabulary.order_covers[order] for order in orders))
        placed_on = read_when(resource.authored_on) or read_when(resource.occurrence_date_time)
        found.append(
            PlacedOrder(
                orders=orders | covered,
                labs=labs | (covered & vocabulary.labs.keys()),
                placed=placed_on,
                fact=Fact(
                    what=words or "order",
                    reference=f"ServiceRequest/{resource.id}" if resource.id else None,
                    value=resource.status,
                    on=placed_on.text if placed_on else None,
                ),
            )
        )
    return found
