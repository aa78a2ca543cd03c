"""Texts of any length cost bounded time, and what is not read is told."""

from __future__ import annotations

from tests.unit.fhir.records import intake


def test_a_long_text_is_cut_with_a_note() -> None:
    """Of a text beyond the limit the beginning is read, and a note names the place."""
    read = intake()
    assert len(read.bounded("x" * 50_000, "prefetch.exam.valueString")) == 20_000
    assert [(note.code, note.path) for note in read.notes] == [("text-too-long", "prefetch.exam.valueString")]


def test_a_short_text_stays_whole() -> None:
    """A text within the limit is returned as it is, without a note."""
    read = intake()
    assert read.bounded("Muscle twitching", "x") == "Muscle twitching"
    assert read.notes == []
