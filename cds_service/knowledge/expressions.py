"""Walks the `when` expressions of the content; it evaluates nothing."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

Path = tuple[str | int, ...]

LEAVES = frozenset(
    {
        "condition",
        "medication",
        "examination",
        "habit",
        "patient",
        "onset",
        "result",
        "measured",
        "family",
        "allergy",
    }
)


def findings_in(expression: Any, path: Path = ()) -> Iterator[tuple[Path, str]]:
    """Yield every finding that the expression names, with its path."""
    if isinstance(expression, str):
        yield path, expression
        return
    for operator, operand in expression.items():
        here = (*path, operator)
        if operator in {"all", "any"}:
            for place, part in enumerate(operand):
                yield from findings_in(part, (*here, place))
        elif operator == "count":
            for place, part in enumerate(operand["of"]):
                yield from findings_in(part, (*here, "of", place))
        elif operator in {"not", "unless"}:
            yield from findings_in(operand, here)


def leaves_in(expression: Any, path: Path = ()) -> Iterator[tuple[Path, str, dict[str, Any]]]:
    """Yield every leaf (path, operator, operand) of the expression."""
    if isinstance(expression, str):
        return
    for operator, operand in expression.items():
        here = (*path, operator)
        if operator in LEAVES:
            yield here, operator, operand
        elif operator in {"all", "any"}:
            for place, part in enumerate(operand):
                yield from leaves_in(part, (*here, place))
        elif operator == "count":
            for place, part in enumerate(operand["of"]):
                yield from leaves_in(part, (*here, "of", place))
        else:
            yield from leaves_in(operand, here)


def rests_on_facts(expression: Any) -> bool:
    """Whether the expression can be present only through at least one fact."""
    if isinstance(expression, str):
        return True
    operator, operand = next(iter(expression.items()))
    if operator in {"not", "unless"}:
        return False
    if operator == "all":
        return any(rests_on_facts(part) for part in operand)
    if operator == "any":
        return all(rests_on_facts(part) for part in operand)
    if operator == "count":
        without: int = sum(not rests_on_facts(part) for part in operand["of"])
        needed: int = operand["at_least"]
        return without < needed
    return True
