"""Each result stands on the one line that fits it, and no result is said twice or lost."""

from __future__ import annotations

from typing import Any

import pytest

from cds_service.cards.results import ResultLines
from cds_service.cards.wording import FindingNames, fact_key
from cds_service.engine.findings import FindingBook, FindingRules
from cds_service.model.decision import Reading
from cds_service.model.facts import Measurement
from tests.unit.engine.neutral import TODAY, condition, facts, knowledge, lab, presenting, result, rule

DERIVED = {
    "from": "quendite",
    "adjust_by": "humor",
    "slope": "1",
    "reference": "40",
    "same_sample_hours": 24,
    "not_when": ["odd"],
}
KNOWN = knowledge(
    lab(
        unrepeated_days=90,
        before_onset_days=7,
        shorter_windows=[{"when": "moved", "days": 30, "because": "It moves.", "from_its_date": True}],
    ),
    lab("quendite", yields_to="quendite-adjusted"),
    lab("quendite-adjusted", derived=DERIVED),
    lab("humor", default_ranges=[], limits={}),
    lab("gall", only_with="odd", unrepeated_days=0),
    lab("pulse", category="vital-signs", marked_raises=False),
    rule("odd", {"condition": {"in": ["odd"]}}),
    rule("moved", {"condition": {"in": ["moved"]}}),
)


class LineNames(dict[str, str]):
    """The name of each line instead of the words of the content."""

    def __missing__(self, line: str) -> str:
        """Name the line and leave room for its results."""
        return f"{line}: {{labs}}"


def lines(*results: Measurement, shown: tuple[Measurement, ...] = (), **about: Any) -> list[str]:
    """Return the lines about results; `shown` stand on the card already."""
    book = FindingBook(FindingRules(KNOWN), facts(*results, **about), TODAY)
    readings: dict[str, Reading] = dict(book.readings.of_all())
    writer = ResultLines(LineNames(), KNOWN.labs, FindingNames(KNOWN))
    return writer.write(readings, {fact_key(one.fact) for one in shown})


ODD: dict[str, Any] = {"conditions": (condition("odd"),)}


@pytest.mark.parametrize(
    ("measured", "line"),
    [
        (result("15"), "done: zorbium 15 U/L, in range, 14 Jun 2026"),
        (result("8"), "other: zorbium 8 U/L, 14 Jun 2026"),
        (result("30"), "other: zorbium 30 U/L, 14 Jun 2026"),
        (result("5", of="humor"), "no_range: humor 5 U/L, 14 Jun 2026"),
        (result("15", of="gall"), "not_by_itself: gall 15 U/L, 14 Jun 2026"),
        (result("8", flag="N"), "conflict: zorbium 8 U/L, 14 Jun 2026, flag N"),
        (result("8", on="2026-01-01"), "historical: zorbium 8 U/L, 1 Jan 2026"),
        (result("6", on="2026-03-17"), "unrepeated: zorbium 6 U/L, 17 Mar 2026"),
        (result("6", on="2026-03-16"), "historical: zorbium 6 U/L, 16 Mar 2026"),
        (result("8", on="2026-05-01"), "historical: zorbium 8 U/L, 1 May 2026"),
        (result("6", of="gall", on="2026-05-01"), "historical: gall 6 U/L, 1 May 2026"),
    ],
)
def test_a_result_stands_on_the_line_that_fits_it(measured: Measurement, line: str) -> None:
    """In range, out of range, without a range, in conflict, too old, or marked and never repeated."""
    assert lines(measured) == [line]


def test_a_normal_result_that_is_too_old_is_not_mentioned() -> None:
    """What was in range long ago says nothing today."""
    assert lines(result("15", on="2026-01-01")) == []


def test_what_stands_on_the_card_is_not_said_again() -> None:
    """A result of the table or of a red flag is left out, and the others stay."""
    low, other = result("8"), result("15", of="quendite")
    assert lines(low, other, shown=(low,)) == ["done: quendite 15 U/L, in range, 14 Jun 2026"]
    assert lines(low, other, shown=(low, other)) == []


def test_a_doubt_is_said_even_of_what_stands_on_the_card() -> None:
    """A conflict of flag and number, or with an earlier result, shakes the result wherever it stands."""
    doubtful = result("22", flag="L")
    assert lines(doubtful, shown=(doubtful,)) == ["conflict: zorbium 22 U/L, 14 Jun 2026, flag L"]
    newest, earlier = result("15"), result("8")
    assert lines(newest, earlier, shown=(newest,)) == ["earlier: zorbium 8 U/L, 14 Jun 2026"]


def test_the_result_of_a_child_that_was_placed_by_an_adult_range_says_so() -> None:
    """The line names the test, beside the line of its result."""
    assert lines(result("15"), age=7) == [
        "done: zorbium 15 U/L, in range, 14 Jun 2026",
        "adult_range: zorbium",
    ]


def test_a_normal_result_from_before_onset_or_event_has_a_line_of_its_own() -> None:
    """It is not listed among the results that are done."""
    began: dict[str, Any] = {"presentations": (presenting(onset="2026-06-14"),)}
    assert lines(result("15", on="2026-06-06"), **began) == ["before_onset: zorbium 15 U/L, 6 Jun 2026"]
    moved: dict[str, Any] = {"conditions": (condition("moved", onset="2026-06-14"),)}
    assert lines(result("15", on="2026-06-10"), **moved) == ["before_change: zorbium 15 U/L, 10 Jun 2026"]


def test_results_of_one_day_share_their_date() -> None:
    """Results in range stand together by their date, the odd one out with its own."""
    measured = (result("15"), result("16", of="quendite"), result("17", of="gall", on="2026-06-01"))
    assert lines(*measured, **ODD) == [
        "done: zorbium 15 U/L, quendite 16 U/L, in range, 14 Jun 2026; gall 17 U/L, in range, 1 Jun 2026"
    ]


def test_uncertain_results_are_marked() -> None:
    """Preliminary and unknown status are said beside the number."""
    assert lines(result("15", status="preliminary")) == [
        "done: zorbium 15 U/L (preliminary), in range, 14 Jun 2026"
    ]
    assert lines(result("15", status="unknown", certain=False)) == [
        "done: zorbium 15 U/L (unknown), in range, 14 Jun 2026"
    ]


def test_a_calculated_result_shows_what_it_was_made_of() -> None:
    """The measured value stands there with the calculated one, under the name that the laboratory gave it."""
    (line, *_rest) = lines(result("14", of="quendite"), result("39", of="humor"))
    assert line == "done: quendite 14 U/L (calculated: quendite adjusted 15.0 U/L), in range, 14 Jun 2026"


def test_a_result_that_may_not_be_adjusted_is_named() -> None:
    """Where the formula would mislead the result stands there as it was measured."""
    found = lines(result("14", of="quendite"), result("39", of="humor"), **ODD)
    assert "not_adjusted: quendite 14 U/L, 14 Jun 2026" in found


def test_at_most_twelve_results_in_range_are_listed() -> None:
    """A long list is cut, across dates."""
    many = knowledge(*(lab(f"lab-{number}") for number in range(15)))
    measured = [
        result("15", of=f"lab-{number}", on="2026-06-14" if number % 2 else "2026-06-13")
        for number in range(15)
    ]
    book = FindingBook(FindingRules(many), facts(*measured), TODAY)
    (line,) = ResultLines(LineNames(), many.labs, FindingNames(many)).write(book.readings.of_all(), set())
    assert line.count("U/L") == 12


def test_lines_stand_in_a_fixed_order() -> None:
    """What is abnormal comes first, what is too old last."""
    found = lines(
        result("8", on="2026-01-01"),
        result("30", of="gall"),
        result("15", of="quendite"),
        result("5", of="humor", on="2026-06-01"),
        **ODD,
    )
    assert [line.partition(":")[0] for line in found] == ["other", "done", "no_range", "historical"]


def test_a_vital_sign_in_range_is_not_listed() -> None:
    """Nobody orders a pulse twice; one out of range is told like a result."""
    assert lines(result("15", of="pulse")) == []
    assert [line.partition(":")[0] for line in lines(result("24", of="pulse"))] == ["other"]
