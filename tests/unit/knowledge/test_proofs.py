"""What counts as a proof: examples that fire or stay silent, and whole patients that name a definition or refuse it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from cds_service.knowledge.proofs import count_examples, proof_of
from cds_service.knowledge.whole_patients import read_whole_patients
from cds_service.model.definitions import Presentation
from tests.unit.engine.neutral import cause, define, lab


@pytest.mark.parametrize(
    ("expect", "fires"),
    [
        ("present", True),
        ("critical", True),
        ("absent", False),
        ("unknown", False),
        ("none", False),
        ({"standing": "possible"}, True),
        ({"standing": "less-likely", "missing": ["x"]}, False),
        ({"standing": "not-assessed"}, False),
        ({"outcome": "offered", "cautions": ["x"]}, True),
        ({"outcome": "ruled-out", "cautions": ["x"]}, False),
        ({"present": ["zorbium-low"]}, True),
        ({"present": ["zorbium-normal"], "absent": ["zorbium-low"]}, False),
        ({"unknown": ["zorbium-low"]}, False),
    ],
)
def test_an_example_fires_or_stays_silent(expect: Any, fires: bool) -> None:
    """Whatever the kind: something is there or has support, or it is not."""
    one = lab(examples=[{"name": "it", "given": {}, "expect": expect}])
    assert count_examples(one) == ((1, 0) if fires else (0, 1))


CASE = """\
id: P99
title: A patient
proves: [S1]
recording:
  - {text: Wobble, code: findings/wobble}
labs:
  - {lab: zorbium, value: "1"}
answers:
  - {link: "6.1", value: "yes"}
expect:
  rank: [[fizz, pop]]
  not_likely: [drink]
  no_standing: [flu]
  orders: [zorbium, [quendite, look]]
  not_orders: [scan]
  already_done: [blood]
  red_flags: [RF1]
  text: [fizz]
  not_text: [fizz]
  level: critical
"""


def test_a_case_shows_and_leaves_out_what_it_says(tmp_path: Path) -> None:
    """Each expectation names ids of its own kind; patterns of words name none."""
    (tmp_path / "P99.yaml").write_text(CASE, "utf-8")
    (tmp_path / "list.yaml").write_text("- not a case\n", "utf-8")
    (one,) = read_whole_patients(tmp_path)
    assert (one.id, one.title, one.file) == ("P99", "A patient", "P99.yaml")
    assert one.proves == {"S1"}
    assert one.shows == {
        ("causes", "fizz"),
        ("causes", "pop"),
        ("orders", "zorbium"),
        ("orders", "quendite"),
        ("orders", "look"),
        ("orders", "blood"),
        ("red_flags", "RF1"),
        ("labs", "zorbium"),
        ("codes", "findings/wobble"),
        ("questions", "6.1"),
    }
    assert one.leaves_out == {("causes", "drink"), ("causes", "flu"), ("orders", "scan")}


def test_a_definition_is_named_by_its_own_kind(tmp_path: Path) -> None:
    """A lab and an order of one name are told apart; a presentation is named by the code that is recorded."""
    (tmp_path / "P99.yaml").write_text(CASE, "utf-8")
    patients = read_whole_patients(tmp_path)
    wobble = define(Presentation, "wobble", codes=[{"table": "findings", "key": "wobble"}])
    assert [one.id for one in proof_of("presentations", wobble, patients).cases] == ["P99"]
    assert [one.id for one in proof_of("labs", lab(), patients).cases] == ["P99"]
    assert proof_of("causes", cause("zorbium", ("x", "strong-for")), patients).cases == ()
    assert [one.id for one in proof_of("causes", cause("flu", ("x", "weak-for")), patients).left_out_by] == [
        "P99"
    ]
