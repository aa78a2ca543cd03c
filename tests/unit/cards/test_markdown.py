"""Text of the chart stays text in Markdown and HTML, and stays legible."""

from __future__ import annotations

import re

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from cds_service.cards.markdown import clean, escape, table
from tests.unit.cards.hostile import HOSTILE
from tests.unit.cards.markdown_page import AUTOLINK, INVISIBLE, cells, structure, visible

awkward = st.text(alphabet="<>&[]()|\\`*_~#!-+=.:/@1 wa\n\u200b\u202e", max_size=30)
anything = st.one_of(awkward, st.text(max_size=40), st.sampled_from(HOSTILE))
PARAGRAPH = ["paragraph_open", "inline", "paragraph_close"]


def same_words(one: str, other: str) -> bool:
    """Whether two texts differ in spaces only."""
    return re.sub(r"\s", "", one) == re.sub(r"\s", "", other)


@pytest.mark.parametrize("text", HOSTILE)
def test_hostile_text_becomes_one_plain_paragraph(text: str) -> None:
    """No tag, link, image, heading, list, rule, code or emphasis comes of it, and its words stand there."""
    assert structure(escape(text)) == (PARAGRAPH if clean(text) else [])
    assert same_words(visible(escape(text)), clean(text))
    assert not AUTOLINK.search(visible(escape(text)))
    assert not INVISIBLE.search(escape(text))


@given(anything)
@example("1." + " " * 5 + "x")
def test_any_text_becomes_one_plain_paragraph(text: str) -> None:
    """The same holds for whatever a chart can say, alone on its line."""
    assert structure(escape(text)) == (PARAGRAPH if clean(text) else [])
    assert same_words(visible(escape(text)), clean(text))
    assert not AUTOLINK.search(visible(escape(text)))
    assert not INVISIBLE.search(escape(text))


@given(anything, anything)
def test_any_text_stays_in_its_cell(one: str, other: str) -> None:
    """A table with escaped cells has the rows and cells that were written, with their words."""
    page = table(("A", "B"), [(escape(one), escape(other)), (escape(other), f"**{escape('5')}**")])
    found = cells(page)
    assert [len(row) for row in found] == [2, 2, 2]
    assert same_words(found[1][0], clean(one))
    assert same_words(found[1][1], clean(other))
    assert not AUTOLINK.search(visible(page))


@given(anything)
def test_any_text_stays_inside_a_sentence(text: str) -> None:
    """In the middle of a line, beside bold words, escaped text changes nothing around it."""
    assert structure(f"**Already done** {escape(text)}, 12 Jun 2026.") == structure(
        "**Already done** x, 12 Jun 2026."
    )


@given(anything)
def test_a_bold_value_stays_bold(text: str) -> None:
    """A value between the stars of the card neither ends them nor takes them for its own."""
    if clean(text):
        assert structure(f"K **{escape(text)}** mmol/L") == structure("K **5** mmol/L")


@pytest.mark.parametrize(
    "text",
    [
        "O'Neil",
        "<5 mmol/L",
        ">90",
        "2*3",
        "5 % & more",
        "a_b_c",
        "µmol/L",
        "1.73 m²",
        "K+ (H+)",
        "[H+] ~7 #2",
        "10^9/L",
        "{1.73_m2}",
        "12.5",
        "-5",
        "1.5 - 2.0",
        "C\\D",
        "Ødegård-Müller",
        "Łukasz",
        "王小明",
        "محمد",
        "co-amoxiclav 500/125",
    ],
)
def test_names_and_units_stay_legible(text: str) -> None:
    """A person reads on the page exactly what the chart says."""
    assert visible(escape(text)) == text


@pytest.mark.parametrize(
    ("text", "raw"),
    [("O'Neil", "O'Neil"), ("12.5", "12.5"), ("-5", "-5"), ("25-OH vitamin D", "25-OH vitamin D")],
)
def test_plain_words_need_no_escape(text: str, raw: str) -> None:
    """What is harmless is not dressed up: the card survives being read as raw text."""
    assert escape(text) == raw


@pytest.mark.parametrize("text", ["a b", " a b ", "a  b", "  a   b", "a\tb", "a\u00a0b", "a\u200b b\n"])
def test_every_gap_becomes_one_space(text: str) -> None:
    """Leading, trailing, double and strange spaces are evened out."""
    assert clean(text) == "a b"


@given(st.text(max_size=60))
def test_cleaning_leaves_one_line_of_what_can_be_seen(text: str) -> None:
    """No control, bidirectional or zero-width character stays, nor any line break or double space."""
    line = clean(text)
    assert not INVISIBLE.search(line)
    assert "\n" not in line
    assert line == " ".join(line.split())
    assert clean(line) == line


@given(
    st.text(alphabet=st.characters(categories=["L", "N", "P", "S"], exclude_characters="\u00ad"), max_size=40)
)
def test_cleaning_keeps_what_can_be_seen(text: str) -> None:
    """Letters, digits, marks and signs stay, but for the few letters that are drawn as nothing."""
    invisible_letters = "\u115f\u1160\u3164\uffa0"
    assert clean(text) == " ".join(
        "".join(" " if char in invisible_letters else char for char in text).split()
    )


def test_a_table_has_a_head_and_a_row_for_each_entry() -> None:
    """Empty cells stay empty, and the page has one table."""
    page = table(("A", "B"), [("1", ""), ("", "2")])
    assert cells(page) == [["A", "B"], ["1", ""], ["", "2"]]
    assert structure(page).count("table_open") == 1
