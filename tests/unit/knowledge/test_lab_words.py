"""Limits, ranges and windows of a measurement read as English with their unit; compares nothing."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from cds_service.knowledge.lab_words import (
    band_of,
    limit_lines,
    limit_words,
    ranges_words,
    unit_words,
    window_lines,
)
from cds_service.model.parts import Limit
from tests.unit.engine.neutral import lab


@pytest.mark.parametrize(
    ("limit", "words"),
    [
        ({"below": "4"}, "below 4 U/L"),
        ({"at_most": "4"}, "4 U/L or less"),
        ({"above": "4"}, "above 4 U/L"),
        ({"at_least": "4"}, "4 U/L or more"),
        ({"times_upper": "5"}, "above 5 times the upper limit"),
        (
            {"above": "9", "times_upper": "5"},
            "above 5 times the upper limit, or above 9 U/L where no upper limit is known",
        ),
        (
            {"below": "4", "instead": [{"when": "is-odd", "value": "3"}]},
            "below 4 U/L; 3 U/L when is odd",
        ),
        ({"below": "4", "instead": [{"when": "is-odd"}]}, "below 4 U/L; not used when is odd"),
    ],
)
def test_a_limit_says_its_side_number_and_unit(limit: dict[str, Any], words: str) -> None:
    """Above and from, below and up to, are told apart."""
    assert limit_words(msgspec.convert(limit, Limit), "U/L") == words


def test_ranges_say_for_whom_they_are() -> None:
    """A range for one sex says so; an open side is said in words."""
    assert ranges_words(lab()) == "10–20 U/L"
    both = [{"sex": "male", "low": "1", "high": "2"}, {"sex": "female", "high": "3"}]
    assert ranges_words(lab(default_ranges=both)) == "male 1–2; female up to 3 U/L"
    assert ranges_words(lab(default_ranges=[{"low": "5"}])) == "from 5 U/L"


def test_every_limit_has_its_line() -> None:
    """Range, both sides of each band, and the values that are believed."""
    lines = dict(limit_lines(lab(borderline={"low": "9", "high": "11"})))
    assert lines == {
        "Default range (adults, not pregnant)": "10–20 U/L",
        "Critically low": "below 4 U/L",
        "Markedly low": "below 7 U/L",
        "Borderline": "9–11 U/L",
        "Markedly high": "25 U/L or more",
        "Critically high": "30 U/L or more",
        "Believed only": "0–1000 U/L",
    }
    assert dict(limit_lines(lab(default_ranges=[])))["Default range (adults, not pregnant)"].startswith(
        "none"
    )


def test_every_window_and_condition_has_its_sentence() -> None:
    """How long a result speaks, and where it does not."""
    plain = list(window_lines(lab()))
    assert plain == ["A result speaks for 30 days; repeated no sooner than after 24 hours."]
    full = lab(
        shorter_windows=[{"when": "is-odd", "days": 3, "because": "It moves.", "from_its_date": True}],
        before_onset_days=7,
        unrepeated_days=90,
        critical_flags=True,
        own_range_when=["is-odd"],
        from_age=18,
        yields_to="quendite",
        derived={
            "from": "quendite",
            "adjust_by": "fribble",
            "slope": "0.02",
            "reference": "40",
            "same_sample_hours": 24,
            "not_when": ["is-odd"],
        },
    )
    said = " ".join(window_lines(full))
    for words in (
        "3 days when is odd: It moves. A normal result from before it excludes nothing.",
        "more than 7 days before the onset",
        "not repeated for 90 days",
        "own critical flag makes it critical",
        "No default range when is odd.",
        "Under the age of 18",
        "It says nothing where quendite can be interpreted.",
        "result + 0.02 × (40 - fribble); not when is odd.",
    ):
        assert words in said


def test_a_finding_is_taken_apart_in_one_way() -> None:
    """Marked-low is no low of a measurement called marked; other findings are no band."""
    labs = {"zorbium": lab()}
    assert band_of("zorbium-marked-low", labs) == ("zorbium", "marked-low")
    assert band_of("zorbium-low", labs) == ("zorbium", "low")
    assert band_of("has-oddity", labs) is None
    assert unit_words("umol/L") == "µmol/L"
    assert unit_words("g/L") == "g/L"
