"""Makes one result out of two and says how far it may go; it chooses neither of them."""

from __future__ import annotations

from decimal import Decimal

from cds_service.model.definitions import Lab
from cds_service.model.facts import Amount, Fact, Measurement


def capped(bands: frozenset[str] | None, base_direction: str | None) -> frozenset[str] | None:
    """A limit that only the formula crosses raises nothing: without the base result's support, no marked band."""
    if bands is None:
        return None
    side = next((side for side in ("low", "high") if side in bands), None)
    return bands if side is None or base_direction == side else frozenset({side, "calculated-only"})


def calculated(lab: Lab, value: Decimal, base: Measurement, companion: Measurement) -> Measurement:
    """Return the calculated result: the value of the formula on the result as it was reported."""
    other = companion.fact
    fact = Fact(
        what=base.fact.what,
        reference=base.fact.reference,
        value=base.fact.value,
        unit=base.fact.unit,
        on=base.fact.on,
        canonical=Amount(str(value), lab.unit),
        range=base.fact.range,
        note=f"calculated, adjusted for {other.what} {other.value} {other.unit}",
    )
    return Measurement(
        lab=lab.id,
        fact=fact,
        value=value,
        comparator=None,
        taken=base.taken,
        status=base.status,
        certain=base.certain and companion.certain,
        sample=base.sample,
        calculated=True,
    )
