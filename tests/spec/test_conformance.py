"""Every requirement of the standard, every reported mistake and fault has its test, and the page says which."""

from __future__ import annotations

from tests.support.conformance import PAGE, gaps, page, read_sections


def test_every_requirement_has_a_test_that_is_there() -> None:
    """A requirement names tests that exist, or says why it cannot arise here."""
    assert list(gaps()) == []


def test_no_requirement_is_left_out() -> None:
    """The 45 points of the checklist, 22 reported mistakes and 20 faults are all there, in order."""
    ids = [one.id for section in read_sections() for one in section.items]
    wanted = (("R", 45), ("M", 22), ("F", 20))
    assert ids == [f"{kind}{number}" for kind, count in wanted for number in range(1, count + 1)]


def test_the_page_is_up_to_date() -> None:
    """docs/conformance.md is what the requirements say; `make pages` writes it anew."""
    assert PAGE.read_text("utf-8") == page()
