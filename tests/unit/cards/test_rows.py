"""The table of causes: one row a cause, what speaks for and against it, and what is missing."""

from __future__ import annotations

from typing import Any

import msgspec

from cds_service.cards.rows import TableWriter
from cds_service.cards.wording import FindingNames, fact_key
from cds_service.model.decision import RankedCause, Standing
from cds_service.model.facts import Fact
from tests.unit.cards.arguments import ranked
from tests.unit.cards.markdown_page import cells
from tests.unit.engine.neutral import cause, fact, knowledge, lab

TEXT = {
    "column_cause": "Cause",
    "column_for": "For",
    "column_against": "Against",
    "column_missing": "Missing",
}


def page(*causes: RankedCause, in_range: tuple[Fact, ...] = ()) -> str:
    """Return the table as Markdown."""
    names = FindingNames(knowledge(lab(title="Zorbium")))
    return TableWriter(TEXT, names).write(list(causes), {fact_key(one) for one in in_range})


def rows(*causes: RankedCause, **members: Any) -> list[list[str]]:
    """Return the rows below the head, as a person reads them."""
    head, *found = cells(page(*causes, **members))
    assert head == ["Cause", "For", "Against", "Missing"]
    return found


def test_a_row_says_for_against_and_missing() -> None:
    """Facts speak for, reasons against, and missing findings are named by their test."""
    one = ranked(
        a=(fact("x", value="8", unit="U/L"),), c=(fact("y"),), d=(fact("y"),), missing=("zorbium-low",)
    )
    assert rows(one) == [["Fizz · likely", "x 8 U/L", "c is weak-against · d is strong-against", "zorbium"]]


def test_an_empty_cell_is_empty() -> None:
    """Nothing is written where there is nothing to say."""
    assert rows(ranked(a=(fact("x"),))) == [["Fizz · likely", "x", "", ""]]


def test_only_likely_causes_are_bold() -> None:
    """Each standing has its word, and the eye is drawn to the likely ones."""
    for standing, words in (
        (Standing.LIKELY, "| **Fizz** · likely |"),
        (Standing.POSSIBLE, "| Fizz · possible |"),
        (Standing.LESS_LIKELY, "| Fizz · less likely |"),
        (Standing.EXCLUDED, "| Fizz · excluded |"),
    ):
        assert words in page(ranked(standing=standing, a=(fact("x"),)))


def test_what_we_added_is_told_from_the_source_document() -> None:
    """A cause that the source document does not name says so."""
    added = cause("pop", ("a", "strong-for"), in_source_document=[])
    assert rows(ranked(added, a=(fact("x"),)))[0][0] == "Pop (added) · likely"


def test_a_reason_against_that_we_added_says_so() -> None:
    """It is marked beside a cause of the source document; beside an added cause the mark of the row is enough."""
    for ids, words in ((["S1"], "b is weak-against (added)"), ([], "b is weak-against")):
        one = cause("pop", ("a", "strong-for"), ("b", "weak-against"), in_source_document=ids)
        parts = tuple(msgspec.structs.replace(part, cites="r2") for part in one.evidence)
        elsewhere = msgspec.structs.replace(one, evidence=parts)
        assert rows(ranked(elsewhere, a=(fact("x"),), b=(fact("y"),)))[0][2] == words


def test_only_results_out_of_range_are_bold() -> None:
    """A normal result that speaks for a cause is shown without emphasis, with or without an id."""
    for one in (
        fact("x", value="8", unit="U/L"),
        fact("x", value="8", unit="U/L", reference="Observation/1"),
    ):
        assert "**8**" in page(ranked(a=(one,)))
        assert "**8**" not in page(ranked(a=(one,)), in_range=(one,))
    both = (fact("x", value="8", unit="U/L"), fact("y", value="9", unit="U/L"))
    text = page(ranked(a=both), in_range=both[:1])
    assert "**9**" in text
    assert "**8**" not in text


def test_a_fact_behind_two_arguments_stands_once_in_a_row() -> None:
    """The same fact, and another that reads the same, are not repeated."""
    shared = fact("x", value="8", unit="U/L")
    twin = fact("x", value="8", unit="U/L")
    assert rows(ranked(a=(shared,), b=(shared, twin)))[0][1] == "x 8 U/L"


def test_a_fact_behind_two_causes_stands_with_both() -> None:
    """Short arguments are shown wherever they hold."""
    shared = fact("x")
    other = cause("pop", ("a", "strong-for"))
    assert [row[1] for row in rows(ranked(a=(shared,)), ranked(other, a=(shared,)))] == ["x", "x"]


def test_a_long_argument_is_shown_once_in_a_table() -> None:
    """Facts of an argument of three or more stand with the first cause; what is new comes with the second."""
    many = tuple(fact(what) for what in "xyz")
    other = cause("pop", ("a", "strong-for"), ("b", "weak-for"))
    table = rows(ranked(a=many), ranked(other, a=(*many, fact("w")), b=(fact("v"),)))
    assert [row[1] for row in table] == ["x · y · z", "v · w"]
    pair = tuple(fact(what) for what in "xy")
    assert [row[1] for row in rows(ranked(a=pair), ranked(other, a=pair))] == ["x · y", "x · y"]


def test_a_row_whose_facts_all_stand_above_says_its_reason() -> None:
    """No cause is shown with an empty reason because another cause has shown the same facts."""
    many = tuple(fact(what) for what in "xyz")
    other = cause("pop", ("a", "strong-for"))
    assert rows(ranked(a=many), ranked(other, a=many))[1][1] == "a is strong-for"


def test_an_entry_read_by_code_and_by_words_stands_once() -> None:
    """The same entry of the record is shown as read by its code, in whatever order it was read."""
    by_code = fact("x", reference="Condition/1")
    by_words = fact("x", reference="Condition/1", by_text=True)
    for first, second in ((by_code, by_words), (by_words, by_code)):
        assert rows(ranked(a=(first,), b=(second,)))[0][1] == "x"
    assert rows(ranked(a=(by_words,)))[0][1] == "x (by text)"


def test_short_arguments_stand_before_long_ones() -> None:
    """What can be read at a glance comes first."""
    many = tuple(fact(what) for what in "xyz")
    assert rows(ranked(a=many, b=(fact("v"),)))[0][1] == "v · x · y · z"


def test_a_row_shows_six_facts_and_counts_the_rest() -> None:
    """Six facts are listed, a seventh is counted."""
    six = tuple(fact(f"f{number}") for number in range(6))
    assert rows(ranked(a=six))[0][1] == " · ".join(f"f{number}" for number in range(6))
    seven = (*six, fact("f6"))
    assert rows(ranked(a=seven))[0][1].endswith("f5 · and 1 more")


def test_what_is_told_is_not_called_missing() -> None:
    """A test that speaks for a cause under one finding is not missing under another."""
    known = cause("pop", ("zorbium-low", "strong-for"), ("zorbium-marked-low", "strong-for"))
    behind: dict[str, Any] = {"zorbium-low": (fact("x"),)}
    one = ranked(known, missing=("zorbium-marked-low", "other"), **behind)
    assert rows(one)[0][3] == "other"
