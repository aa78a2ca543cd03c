"""The page for clinical review is whole and up to date, and nobody's signature stands on it by itself."""

from __future__ import annotations

from datetime import date
from functools import cache
from pathlib import Path

import msgspec
import pytest
from click.testing import CliRunner

from cds_service.cli.review import review
from cds_service.knowledge.library import load
from cds_service.knowledge.review_page import review_page
from cds_service.model.definitions import Knowledge, Review
from tests.support.places import CARDS, ROOT

PAGE = ROOT / "docs" / "clinical-review.md"
EMPTY = "|  | | | |"


@cache
def knowledge() -> Knowledge:
    """Return the shipped content."""
    return load(CARDS, "1", date(2026, 11, 25))


@cache
def page() -> str:
    """Return the page as the content makes it today."""
    return review_page(knowledge())


def section(heading: str) -> str:
    """Return the section below one heading."""
    _before, _, rest = page().partition(f"### {heading}\n")
    assert rest, heading
    return rest.partition("\n### ")[0]


def test_the_page_is_up_to_date() -> None:
    """docs/clinical-review.md is what the content says: `cds-service review --write docs/clinical-review.md`."""
    assert PAGE.read_text("utf-8") == page()


@pytest.mark.parametrize("kind", ["causes", "red_flags", "labs"])
def test_every_cause_red_flag_and_lab_has_a_section_to_sign(kind: str) -> None:
    """Each has its own heading, its sources, its open questions and an empty block for a signature."""
    for one in getattr(knowledge(), kind).values():
        heading = {
            "causes": one.title,
            "red_flags": f"{one.id}: {one.title}",
            "labs": f"Measurement: {one.title}",
        }
        text = section(heading[kind])
        for words in ("**Sources**", "**Open questions**", "| Read by | Role | Date |", EMPTY):
            assert words in text, (one.id, words)


def test_a_cause_shows_each_argument_with_weight_reason_and_source() -> None:
    """Every argument of every cause stands in its section."""
    for cause in knowledge().causes.values():
        text = section(cause.title)
        for part in cause.evidence:
            assert f"| {part.weight.value.replace('-', ' ')} | {part.because} |" in text
        assert all(remark["text"] in text for remark in cause.remarks)


def test_a_red_flag_shows_each_level_and_the_limits_behind_it() -> None:
    """The reader sees the level, the rule, the reason and the thresholds in their unit, on both sides."""
    text = section(f"RF10: {knowledge().red_flags['RF10'].title}")
    for words in ("**Critical** when:", "below 2.5 mmol/L", "6.5 mmol/L or more", "**Thresholds**", "(r49)"):
        assert words in text.replace("**r49**", "(r49)")
    for level in knowledge().red_flags["RF10"].levels:
        assert level.because in text


def test_what_rests_on_a_weak_source_is_an_open_question() -> None:
    """Our own judgment, pages not read, general knowledge and secondary pages are listed to be checked."""
    text = section(knowledge().causes["benign-fasciculation-syndrome"].title)
    questions = text.partition("**Open questions**")[2]
    assert "rests on our own judgment; a clinician has to decide" in questions
    assert "read through a secondary page; to be checked at the original" in questions


def test_every_finding_that_is_linked_has_its_heading() -> None:
    """A link to a finding leads somewhere."""
    for name in knowledge().rules:
        assert f"\n### {name}\n" in page()


def test_nobody_has_signed_and_a_signature_is_shown() -> None:
    """The page says that nobody has signed; a name in `checked_by` stands in its section only."""
    assert "No part of this content has been signed off by a clinician." in page()
    signed = Review(written_on=date(2026, 1, 1), next_review=date(2027, 1, 1), checked_by="A. Clinician")
    cause = msgspec.structs.replace(knowledge().causes["caffeine"], review=signed)
    causes = {**knowledge().causes, "caffeine": cause}
    told = review_page(msgspec.structs.replace(knowledge(), causes=causes))
    assert "definitions carry a signature." in told
    assert told.count("| A. Clinician | | | |") == 1


def test_the_command_writes_and_checks(tmp_path: Path) -> None:
    """The page is written, found up to date, and found out of date once something is lost."""
    file = tmp_path / "docs" / "review.md"
    run = CliRunner().invoke
    assert run(review, ["--write", str(file)]).exit_code == 0
    assert run(review, ["--check", str(file)]).exit_code == 0
    file.write_text(file.read_text("utf-8")[:-2], "utf-8")
    assert run(review, ["--check", str(file)]).exit_code == 1
    assert run(review, []).output.startswith("# For clinical review")
