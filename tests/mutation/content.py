"""First half of `make mutate`: changes one number or operator of the content at a time; lists what no example notices.

Labs: each limit, default range and window is shifted by the smallest step both ways, and each comparison made to
include or to exclude its number. Rules and red flags: each number is shifted by one both ways, each part of an
`all`, `any` or `count` left out, `all` and `any` swapped, `not` and `unless` taken away, the levels of a red flag
swapped. A mutant counts as noticed when an example of the definition itself no longer holds. Nothing is written.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, NamedTuple

import msgspec

from cds_service.engine.findings import FindingRules
from cds_service.engine.red_flags import RedFlagRules
from cds_service.examples import Examples
from cds_service.folders import default_cards_folder
from cds_service.knowledge.library import load
from cds_service.model.definitions import Lab, RedFlag, Rule
from cds_service.pipeline import Reasoner
from cds_service.settings import RELEASE

_NUMBERS = frozenset(
    {
        *("onset_within_days", "onset_before_days", "not_older_than_days", "started_within_days"),
        *("taken_within_days", "ended_within_days", "within_days", "within_hours", "before_days"),
        *("age_at_least", "age_below"),
    }
)
_AMOUNTS = frozenset({"at_least", "above", "below"})
_INCLUDING = {"below": "at_most", "at_most": "below", "above": "at_least", "at_least": "above"}


class Mutant(NamedTuple):
    """A definition in which one thing was changed, and what that is."""

    definition: Lab | Rule | RedFlag
    change: str


def of_lab(lab: Lab) -> Iterator[Mutant]:
    """Yield every mutant of one lab."""
    yield from _of_limits(lab)
    yield from _of_ranges(lab)
    yield from _of_windows(lab)


def _of_limits(lab: Lab) -> Iterator[Mutant]:
    step = Decimal(1).scaleb(-lab.decimals)
    for band, limit in lab.limits.items():
        for word, opposite in _INCLUDING.items():
            number = getattr(limit, word)
            if number is None:
                continue
            for other in (number - step, number + step):
                changed = msgspec.structs.replace(limit, **{word: other})
                yield _with_limit(lab, band, changed, f"{band} {word} {number} -> {other}")
            turned = msgspec.structs.replace(limit, **{word: None, opposite: number})
            yield _with_limit(lab, band, turned, f"{band} {word} -> {opposite} {number}")


def _of_ranges(lab: Lab) -> Iterator[Mutant]:
    step = Decimal(1).scaleb(-lab.decimals)
    for place, reference in enumerate(lab.default_ranges):
        for side in ("low", "high"):
            number = getattr(reference, side)
            for other in (number - step, number + step) if number is not None else ():
                ranges = list(lab.default_ranges)
                ranges[place] = msgspec.structs.replace(reference, **{side: other})
                changed_lab = msgspec.structs.replace(lab, default_ranges=tuple(ranges))
                yield Mutant(changed_lab, f"default {side} {number} -> {other}")


def _of_windows(lab: Lab) -> Iterator[Mutant]:
    for name in ("fresh_days", "before_onset_days", "from_age"):
        number = getattr(lab, name)
        for other in (number - 1, number + 1) if number is not None else ():
            yield Mutant(msgspec.structs.replace(lab, **{name: other}), f"{name} {number} -> {other}")
    for kind in ("shorter_windows", "longer_windows"):
        windows = getattr(lab, kind)
        for place, window in enumerate(windows):
            for other in (window.days - 1, window.days + 1):
                shifted = list(windows)
                shifted[place] = msgspec.structs.replace(window, days=other)
                changed_lab = msgspec.structs.replace(lab, **{kind: tuple(shifted)})
                yield Mutant(changed_lab, f"{kind} {window.when} {window.days} -> {other}")


def _with_limit(lab: Lab, band: str, limit: Any, change: str) -> Mutant:
    return Mutant(msgspec.structs.replace(lab, limits={**lab.limits, band: limit}), change)


def of_rule(rule: Rule) -> Iterator[Mutant]:
    """Yield every mutant of one rule."""
    for changed, change in _of_expression(rule.when):
        yield Mutant(msgspec.structs.replace(rule, when=changed), change)


def of_red_flag(flag: RedFlag) -> Iterator[Mutant]:
    """Yield every mutant of one red flag."""
    levels = flag.levels
    for place, level in enumerate(levels):
        for changed, change in _of_expression(level.when):
            made = [*levels]
            made[place] = msgspec.structs.replace(level, when=changed)
            yield Mutant(msgspec.structs.replace(flag, levels=tuple(made)), f"levels[{place}] {change}")
        if len(levels) > 1:
            without = (*levels[:place], *levels[place + 1 :])
            yield Mutant(msgspec.structs.replace(flag, levels=without), f"levels[{place}] left out")


def _of_expression(expression: Any) -> Iterator[tuple[Any, str]]:
    """Yield (changed expression, change) for every single change of an expression."""
    if isinstance(expression, str):
        return
    operator, operand = next(iter(expression.items()))
    if operator in {"all", "any"}:
        other = "any" if operator == "all" else "all"
        if len(operand) > 1:
            yield {other: operand}, f"{operator} -> {other}"
        for parts, change in _of_parts(operand):
            yield {operator: parts}, change
    elif operator == "count":
        yield from _of_count(operand)
    elif operator in {"not", "unless"}:
        yield operand, f"{operator} taken away"
        for changed, change in _of_expression(operand):
            yield {operator: changed}, f"{operator} {change}"
    else:
        for changed, change in _of_leaf(operand):
            yield {operator: changed}, f"{operator} {change}"


def _of_count(operand: Mapping[str, Any]) -> Iterator[tuple[Any, str]]:
    for number in (operand["at_least"] - 1, operand["at_least"] + 1):
        if number > 0:
            yield {"count": {**operand, "at_least": number}}, f"count {operand['at_least']} -> {number}"
    for parts, change in _of_parts(operand["of"]):
        yield {"count": {**operand, "of": parts}}, change


def _of_parts(parts: list[Any]) -> Iterator[tuple[list[Any], str]]:
    for place, part in enumerate(parts):
        if len(parts) > 1:
            yield [*parts[:place], *parts[place + 1 :]], f"without part {place} ({_short(part)})"
        for changed, change in _of_expression(part):
            yield [*parts[:place], changed, *parts[place + 1 :]], change


def _of_leaf(operand: Mapping[str, Any]) -> Iterator[tuple[dict[str, Any], str]]:
    for name, value in operand.items():
        if name in _NUMBERS:
            for number in (value - 1, value + 1):
                if number >= 0:
                    yield {**operand, name: number}, f"{name} {value} -> {number}"
        elif name in _AMOUNTS:
            for step in (Decimal(-1), Decimal(1)):
                yield {**operand, name: str(Decimal(value) + step)}, f"{name} {value} by {step}"
        elif name == "status" and value == "past-or-active":
            yield {key: each for key, each in operand.items() if key != "status"}, "only active"
        elif name in {"in", "bands"} and len(value) > 1:
            for place in range(len(value)):
                yield {**operand, name: [*value[:place], *value[place + 1 :]]}, f"without {value[place]}"


def _short(part: Any) -> str:
    return part if isinstance(part, str) else next(iter(part))


def is_noticed(reasoner: Reasoner, mutant: Mutant) -> bool:
    """Whether an example of the changed definition fails."""
    knowledge, definition = reasoner.knowledge, mutant.definition
    kind = {Lab: "labs", Rule: "rules", RedFlag: "red_flags"}[type(definition)]
    changed = msgspec.structs.replace(
        knowledge, **{kind: {**getattr(knowledge, kind), definition.id: definition}}
    )
    rules = FindingRules(changed)
    flags = RedFlagRules(changed.red_flags, rules.sign_sets)
    held = reasoner.knowledge, reasoner.findings, reasoner.red_flags
    reasoner.knowledge, reasoner.findings, reasoner.red_flags = changed, rules, flags
    try:
        return any(True for _ in Examples(reasoner).differences(definition))
    finally:
        reasoner.knowledge, reasoner.findings, reasoner.red_flags = held


def main() -> None:
    """Run every mutant and print those that nothing noticed, then the shares."""
    parser = argparse.ArgumentParser(description=__doc__)
    kinds = ["labs", "rules", "red_flags"]
    parser.add_argument("--only", choices=kinds, action="append")
    wanted = parser.parse_args().only or kinds
    reasoner = Reasoner(load(default_cards_folder(), RELEASE, datetime.now(UTC).date()))
    known = reasoner.knowledge
    mutants: dict[str, list[Mutant]] = {
        "labs": [mutant for lab in known.labs.values() for mutant in of_lab(lab)],
        "rules": [mutant for rule in known.rules.values() for mutant in of_rule(rule)],
        "red_flags": [mutant for flag in known.red_flags.values() for mutant in of_red_flag(flag)],
    }
    for kind in wanted:
        unnoticed = [mutant for mutant in mutants[kind] if not is_noticed(reasoner, mutant)]
        for mutant in unnoticed:
            print(f"{kind}/{mutant.definition.id}.yaml: {mutant.change}")
        print(f"{kind}: {len(unnoticed)} of {len(mutants[kind])} mutants were noticed by no example")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
