"""Checks of limits, units and rules: numbers in order, conclusions that rest on facts, no circles."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from itertools import pairwise
from typing import Any

from cds_service.knowledge.draft import BANDS, Draft, lab_finding_uses
from cds_service.knowledge.expressions import Path, findings_in, leaves_in, rests_on_facts
from cds_service.knowledge.yaml_reader import Document
from cds_service.model.faults import Fault, did_you_mean


def unit_without_conversion(draft: Draft) -> Iterator[Fault]:
    """A lab needs conversions, and one into its own unit."""
    for _name, document in draft.of("labs"):
        table = draft.tables.conversions.get(document.value["conversions"])
        if table is None:
            known = sorted(draft.tables.conversions)
            text = f"No conversions are known for {document.value['conversions']!r}."
            remedy = did_you_mean(document.value["conversions"], known)
            yield document.fault(("conversions",), "unit-without-conversion", text, remedy)
        elif document.value["unit"] not in table:
            text = f"{document.value['unit']!r} cannot be converted."
            remedy = did_you_mean(document.value["unit"], sorted(table))
            yield document.fault(("unit",), "unit-without-conversion", text, remedy)


def _limit_number(limit: Mapping[str, Any]) -> Decimal:
    return Decimal(next(limit[name] for name in ("below", "at_most", "above", "at_least") if name in limit))


def overlapping_limits(draft: Draft) -> Iterator[Fault]:
    """Limits and default range stand in rising order, inside the plausible window."""
    for _name, document in draft.of("labs"):
        ranges = document.value.get("default_ranges", [{}])
        yield from dict.fromkeys(fault for one in ranges for fault in _disorder(document, one))


def _disorder(document: Document, ranges: Mapping[str, str]) -> Iterator[Fault]:
    limits = document.value.get("limits", {})
    steps = [
        *((band, _limit_number(limits[band])) for band in ("critical-low", "marked-low") if band in limits),
        *((f"default {side}", Decimal(ranges[side])) for side in ("low", "high") if side in ranges),
        *((band, _limit_number(limits[band])) for band in ("marked-high", "critical-high") if band in limits),
    ]
    for (lower, low), (upper, high) in pairwise(steps):
        if low > high or (low == high and "default" not in lower + upper):
            text = f"The limit {lower} is not below {upper}."
            yield document.fault(("limits",), "overlapping-limits", text, "Correct one of the two.")
    numbers = [number for _name, number in steps]
    plausible = document.value["plausible"]
    edge = {side: Decimal(plausible[side]) for side in ("low", "high") if side in plausible}
    if numbers and not edge.get("low", numbers[0]) <= numbers[0] <= numbers[-1] <= edge.get(
        "high", numbers[-1]
    ):
        text = "A limit lies outside the plausible values."
        yield document.fault(("plausible",), "overlapping-limits", text, "Widen the plausible window.")


def limit_direction(draft: Draft) -> Iterator[Fault]:
    """Low limits compare downwards, high limits upwards."""
    for _name, document in draft.of("labs"):
        for band, limit in document.value.get("limits", {}).items():
            right = {"below", "at_most"} if band.endswith("low") else {"above", "at_least"}
            if not right & set(limit):
                text = f"{band} compares in the wrong direction."
                remedy = f"Use {' or '.join(sorted(right))}."
                yield document.fault(("limits", band), "limit-direction", text, remedy)


def finding_without_fact(draft: Draft) -> Iterator[Fault]:
    """No conclusion may rest on silence alone."""
    for kind in ("rules", "red_flags"):
        for _name, document in draft.of(kind):
            levels = document.value.get("levels", [document.value])
            for place, level in enumerate(levels):
                path: Path = ("when",) if kind == "rules" else ("levels", place, "when")
                if not rests_on_facts(level["when"]):
                    text = "It can be present without any fact."
                    remedy = "Add a part that needs something in the record."
                    yield document.fault(path, "finding-without-fact", text, remedy)


def circular_rules(draft: Draft) -> Iterator[Fault]:
    """No finding may depend on itself."""
    graph: dict[str, set[str]] = {}
    for name, document in draft.of("rules"):
        graph[name] = {finding for _path, finding in findings_in(document.value["when"])}
        graph[name] |= {
            f"{operand['lab']}-normal"
            for _path, operator, operand in leaves_in(document.value["when"])
            if operator in {"result", "measured"}
        }
    for name, document in draft.of("labs"):
        needs = {finding for _path, finding in lab_finding_uses(document.value)}
        if "yields_to" in document.value:
            needs.add(f"{document.value['yields_to']}-normal")
        base = draft.documents["labs"].get(document.value.get("derived", {}).get("from", ""))
        if base is not None:  # a calculated result asks how its base result stands, and whether it is fresh
            needs |= {finding for _path, finding in lab_finding_uses(base.value)}
        for band in (*BANDS, "borderline"):
            graph[f"{name}-{band}"] = needs
    for name, document in (*draft.of("rules"), *draft.of("labs")):
        start = name if name in graph else f"{name}-normal"
        circle = _circle_from(start, graph)
        if circle:
            text = f"The finding depends on itself: {' → '.join(circle)}."
            yield document.fault((), "circular-rules", text, "Break the circle.")


def _circle_from(start: str, graph: Mapping[str, set[str]]) -> list[str]:
    stack: list[tuple[str, list[str]]] = [(start, [start])]
    seen: set[str] = set()
    while stack:
        node, path = stack.pop()
        for following in sorted(graph.get(node, ())):
            if following == start:
                return [*path, start]
            if following not in seen:
                seen.add(following)
                stack.append((following, [*path, following]))
    return []
