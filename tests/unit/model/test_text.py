"""Text on its way out: summaries that fit, JSON that no proxy can garble, and remedies that name what is close."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.model.definitions import Urgency, Weight
from cds_service.model.faults import Fault, did_you_mean
from cds_service.model.hooks import SUMMARY_LIMIT, Card, Indicator, Source, ascii_json, cut_to_summary

json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda parts: st.lists(parts, max_size=3) | st.dictionaries(st.text(), parts, max_size=3),
    max_leaves=8,
)


@given(json_values)
def test_json_is_ascii_and_loses_nothing(value: Any) -> None:
    """Every character beyond ASCII is escaped, and any parser reads it back."""
    body = ascii_json(value)
    assert body.isascii()
    assert json.loads(body) == value


@pytest.mark.parametrize(
    ("text", "body"),
    [
        ("plain", b'"plain"'),
        ("µ", rb'"\u00b5"'),
        ("\u2028", rb'"\u2028"'),
        ("\U0001d6fcb", rb'"\ud835\udefcb"'),
        ("\U0001f9eaé", rb'"\ud83e\uddea\u00e9"'),
        ("\uffff", rb'"\uffff"'),
    ],
)
def test_characters_beyond_ascii_are_escaped(text: str, body: bytes) -> None:
    """Characters beyond the basic plane become a pair of surrogates."""
    assert ascii_json(text) == body


@given(st.text(max_size=400))
def test_a_cut_summary_fits_on_one_line(text: str) -> None:
    """Any text becomes at most 139 characters on one line, and a card takes what is not blank."""
    cut = cut_to_summary(text)
    assert len(cut) <= SUMMARY_LIMIT
    assert len(cut.splitlines()) <= 1
    if cut:
        Card(summary=cut, indicator=Indicator.INFO, source=Source(label="x"))
    else:
        assert not text.strip()


@given(st.text(max_size=400), st.integers(min_value=2, max_value=200))
def test_a_summary_is_cut_only_when_it_must_be(text: str, limit: int) -> None:
    """A line that fits stays as it is; a longer one ends in an ellipsis and begins like the text."""
    line, cut = " ".join(text.split()), cut_to_summary(text, limit)
    if len(line) <= limit:
        assert cut == line
    else:
        assert cut.endswith("…")
        assert line.startswith(cut[:-1])


@pytest.mark.parametrize(
    ("text", "cut"),
    [
        ("one two three four", "one two…"),
        ("one two, three", "one two…"),
        ("one two (three)", "one two…"),
        ("unbreakable-word", "unbreakab…"),
        ("a unbreakable-word", "a unbreak…"),
        ("one two   \n", "one two"),
    ],
)
def test_a_summary_is_cut_at_a_word(text: str, cut: str) -> None:
    """No word is torn where there is a gap in the second half, and no mark is left hanging."""
    assert cut_to_summary(text, 10) == cut


@pytest.mark.parametrize(
    ("word", "choices", "remedy"),
    [
        ("zorbum", ["zorbium", "quendite"], "Did you mean zorbium?"),
        ("low", ["slow", "flow", "below", "grow"], "Did you mean slow or flow or below?"),
        ("xyz", ["zorbium", "quendite"], "Known: quendite, zorbium."),
        ("xyz", [f"zorbium-{number}" for number in range(9)], "No known name is close to it."),
    ],
)
def test_a_remedy_names_what_is_close(word: str, choices: list[str], remedy: str) -> None:
    """Close names come first; without one, all are named when they are few."""
    assert did_you_mean(word, choices) == remedy


def test_a_fault_is_one_line_for_an_editor() -> None:
    """File and line stand first, a path only when there is one, and a warning says so."""
    assert str(Fault("a.yaml", 3, "b[0]", "c", "Odd.", "Even it.")) == "a.yaml:3: b[0] [c] Odd. Even it."
    warning = Fault("a.yaml", 3, "", "c", "Odd.", "Even it.", is_warning=True)
    assert str(warning) == "a.yaml:3: warning [c] Odd. Even it."


def test_faults_sort_by_file_and_line() -> None:
    """A report reads from the top of the first file."""
    faults = [Fault(file, line, "", "c", "t", "r") for file, line in (("b", 1), ("a", 10), ("a", 9))]
    assert [(fault.file, fault.line) for fault in sorted(faults)] == [("a", 9), ("a", 10), ("b", 1)]


@pytest.mark.parametrize(
    ("word", "urgency"),
    [
        ("emergency", Urgency.EMERGENCY),
        ("same-day", Urgency.SAME_DAY),
        ("soon", Urgency.SOON),
        ("routine", Urgency.ROUTINE),
    ],
)
def test_urgencies_are_named_as_in_the_content(word: str, urgency: Urgency) -> None:
    """The words of the files and the members say the same both ways."""
    assert Urgency.of(word) is urgency
    assert urgency.word == word


def test_urgencies_fall() -> None:
    """The most urgent has the lowest number."""
    assert sorted(Urgency) == [Urgency.EMERGENCY, Urgency.SAME_DAY, Urgency.SOON, Urgency.ROUTINE]


@pytest.mark.parametrize(
    ("weight", "is_for", "strength"),
    [
        ("strong-for", True, "strong"),
        ("moderate-for", True, "moderate"),
        ("weak-for", True, "weak"),
        ("weak-against", False, "weak"),
        ("moderate-against", False, "moderate"),
        ("strong-against", False, "strong"),
        ("excludes", False, "excludes"),
    ],
)
def test_weights_have_a_direction_and_a_strength(weight: str, *, is_for: bool, strength: str) -> None:
    """As the explanation shows them."""
    assert (Weight(weight).is_for, Weight(weight).strength) == (is_for, strength)
