"""Hides small numbers of a table so that they cannot be worked out from the others; it knows not what is counted.

A row with any number from 1 to below the limit is hidden whole. Hidden rows are given together as one exact sum, and
the next smallest rows join them until every number of that sum is 0 or not below the limit. So every number that is
given is 0 or large, and nothing but those sums can be worked out from them and from the total.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

Counts = Mapping[str, int]
"""Column → number; all rows of a table have the same columns, the first of which is the size of the row."""

HIDDEN = "*"


class Cell(NamedTuple):
    """One number as it may be given: `shown` is the number, `<5` for a small one or `*` for a hidden one."""

    shown: int | str


class Row(NamedTuple):
    """One row as it may be given. `together` tells how many hidden rows it sums up; 0 for a row of its own."""

    name: str
    cells: Mapping[str, Cell]
    together: int = 0


def suppressed(rows: Mapping[str, Counts], fewest: int, *, may_sum: bool = True) -> list[Row]:
    """Return the rows, largest first, as they may be given, and the sum of those that are hidden, if there is one.

    Where the total itself is hidden, no sum may be given either (`may_sum`): it could tell the total.
    """
    ordered = sorted(rows, key=lambda name: (-_size(rows[name]), name))
    hidden = [name for name in ordered if _is_small(rows[name], fewest)]
    left = [name for name in ordered if name not in hidden]
    while left and hidden and not _may_be_given(hidden, rows, fewest):
        hidden.append(left.pop())
    is_summed = may_sum and _may_be_given(hidden, rows, fewest)
    mark = HIDDEN if is_summed and _is_telling(hidden, rows, fewest) else f"<{fewest}"
    given = [
        Row(name, {column: Cell(number) for column, number in rows[name].items()})
        if name in left
        else Row(
            name, {column: Cell(mark if _size(rows[name]) < fewest else HIDDEN) for column in rows[name]}
        )
        for name in ordered
    ]
    if is_summed:
        total = _sum(hidden, rows)
        cells = {column: Cell(number) for column, number in total.items()}
        given.append(Row("hidden rows together", cells, len(hidden)))
    return given


def _may_be_given(hidden: Sequence[str], rows: Mapping[str, Counts], fewest: int) -> bool:
    return len(hidden) > 1 and not _is_small(_sum(hidden, rows), fewest)


def _is_telling(hidden: Sequence[str], rows: Mapping[str, Counts], fewest: int) -> bool:
    """Whether a sum is so large that rows marked as below the limit could only be just below it, all of them."""
    return any(number == len(hidden) * (fewest - 1) for number in _sum(hidden, rows).values())


def _size(counts: Counts) -> int:
    return next(iter(counts.values()))


def _sum(names: Sequence[str], rows: Mapping[str, Counts]) -> dict[str, int]:
    return {column: sum(rows[name][column] for name in names) for column in rows[names[0]]}


def _is_small(counts: Counts, fewest: int) -> bool:
    return any(0 < number < fewest for number in counts.values())
