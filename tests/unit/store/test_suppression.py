"""Small numbers are hidden so that nobody can work them out: held against a reader who tries every possibility."""

from __future__ import annotations

from itertools import product

from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.store.suppression import HIDDEN, Row, suppressed

FEWEST = 3
COLUMNS = ("shown", "accepted", "overridden", "unanswered")
PARTS = st.tuples(*[st.integers(0, 6)] * 3).filter(any)

Numbers = dict[str, int]


def numbers(parts: tuple[int, ...]) -> Numbers:
    """Return a row whose parts add up to its size."""
    return dict(zip(COLUMNS, (sum(parts), *parts), strict=True))


def given_as(row: Row) -> list[int | str]:
    """Return the cells of a row."""
    return [cell.shown for cell in row.cells.values()]


def fits(row: Row, guess: Numbers) -> bool:
    """Whether a reader could think that these are the numbers behind a row."""
    return all(
        shown == HIDDEN or (guess[column] < FEWEST if isinstance(shown, str) else guess[column] == shown)
        for column, shown in ((column, cell.shown) for column, cell in row.cells.items())
    )


def possible(rows: list[Row], total: Numbers) -> list[tuple[Numbers, Numbers]]:
    """Return every pair of rows that agrees with two rows of a table, with their sum, and with the total."""
    pairs = []
    for parts in product(*(range(total[column] + 1) for column in COLUMNS[1:])):
        one = numbers(parts)
        other = {column: total[column] - one[column] for column in COLUMNS}
        if fits(rows[0], one) and fits(rows[1], other):
            pairs.append((one, other))
    return pairs


@settings(max_examples=400)
@given(PARTS, PARTS)
def test_no_small_number_can_be_worked_out_from_the_total(
    one: tuple[int, ...], other: tuple[int, ...]
) -> None:
    """Of two rows whose total is given each small number leaves at least two possibilities."""
    table = {"a": numbers(one), "b": numbers(other)}
    total = {column: table["a"][column] + table["b"][column] for column in COLUMNS}
    (shown_total,) = suppressed({"all": total}, FEWEST)
    if not all(isinstance(cell, int) for cell in given_as(shown_total)):
        return
    rows = {row.name: row for row in suppressed(table, FEWEST)}
    found = possible([rows["a"], rows["b"]], total)
    for place, name in enumerate("ab"):
        for column in COLUMNS:
            if 0 < table[name][column] < FEWEST:
                assert len({pair[place][column] for pair in found}) > 1, (table, column)


@given(st.dictionaries(st.text("abcdef", min_size=1, max_size=2), PARTS, max_size=6), st.integers(1, 6))
def test_every_number_that_is_given_is_none_or_large(table: dict[str, tuple[int, ...]], fewest: int) -> None:
    """Nothing from 1 to below the limit is ever given, and what is given together adds up."""
    rows = suppressed({name: numbers(parts) for name, parts in table.items()}, fewest)
    assert {row.name for row in rows if not row.together} == table.keys()
    shown = [cell for row in rows for cell in given_as(row) if isinstance(cell, int)]
    assert all(number == 0 or number >= fewest for number in shown)
    for row in (row for row in rows if row.together):
        hidden = [one.name for one in rows if not one.together and isinstance(given_as(one)[0], str)]
        assert row.together == len(hidden) > 1
        assert given_as(row)[0] == sum(sum(table[name]) for name in hidden)


def test_large_numbers_are_given_as_they_are() -> None:
    """Without a small number nothing is hidden; zeros are no secret."""
    rows = suppressed({"a": numbers((10, 0, 5)), "b": numbers((20, 5, 5))}, 5)
    assert [(row.name, given_as(row)) for row in rows] == [("b", [30, 20, 5, 5]), ("a", [15, 10, 0, 5])]


def test_the_next_smallest_row_is_hidden_with_a_small_one() -> None:
    """Else the small row would be what is missing to the total."""
    rows = suppressed({"a": numbers((100, 0, 50)), "b": numbers((9, 0, 0)), "c": numbers((2, 0, 0))}, 5)
    assert [(row.name, given_as(row)) for row in rows] == [
        ("a", [150, 100, 0, 50]),
        ("b", ["*"] * 4),
        ("c", ["<5"] * 4),
        ("hidden rows together", [11, 11, 0, 0]),
    ]


def test_rows_that_are_all_just_below_the_limit_are_not_told_to_be_small() -> None:
    """Two rows below 5 that add up to 8 would both be 4."""
    rows = suppressed({"a": numbers((4, 0, 0)), "b": numbers((4, 0, 0))}, 5)
    assert [given_as(row) for row in rows] == [["*"] * 4, ["*"] * 4, [8, 8, 0, 0]]


def test_no_sum_is_given_where_the_total_is_hidden() -> None:
    """It could tell the total."""
    table = {"a": numbers((4, 0, 0)), "b": numbers((3, 0, 0))}
    assert [row.together for row in suppressed(table, 5, may_sum=False)] == [0, 0]
