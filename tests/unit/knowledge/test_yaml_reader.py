"""Strict YAML: what is read and as what, and where each member stands."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.knowledge.yaml_reader import Document, read_documents, spell_path

TEXT = """\
id: fizz
list:
  - one
  - name: two
    given: {deep: [a, b]}
text: |
  two
  lines
"""


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("a: b", {"a": "b"}),
        ("a: 5", {"a": 5}),
        ("a: -5", {"a": -5}),
        ("a: 0", {"a": 0}),
        ("a: true", {"a": True}),
        ("a: false", {"a": False}),
        ("a: null", {"a": None}),
        ('a: "5"', {"a": "5"}),
        ("a: '2026-01-01'", {"a": "2026-01-01"}),
        ('"on": "yes"', {"on": "yes"}),
        ("a: []", {"a": []}),
        ("a: {}", {"a": {}}),
        ("- [1, [2]]", [[1, [2]]]),
        ("a: >-\n  one\n  two", {"a": "one two"}),
        ("a: |\n  5\n", {"a": "5\n"}),
        ("a: 1751-7", {"a": "1751-7"}),
        ("a: 5 g/L", {"a": "5 g/L"}),
        ('a: "* & <"', {"a": "* & <"}),
    ],
)
def test_plain_values_are_read_as_they_stand(text: str, value: Any) -> None:
    """Text, whole numbers, true, false, null, lists and mappings are read without a fault."""
    document = Document("x.yaml", text)
    assert (document.faults, document.value) == ([], value)


@pytest.mark.parametrize(
    ("path", "line"),
    [
        ((), 1),
        (("id",), 1),
        (("list",), 2),
        (("list", 0), 3),
        (("list", 1), 4),
        (("list", 1, "given"), 5),
        (("list", 1, "given", "deep", 1), 5),
        (("text",), 6),
        (("list", 1, "absent", "deeper"), 4),
        (("list", 9), 2),
        (("nowhere",), 1),
    ],
)
def test_the_line_of_a_path_is_that_of_its_deepest_part(path: tuple[str | int, ...], line: int) -> None:
    """A path that leads nowhere stands where it stops leading."""
    assert Document("x.yaml", TEXT).line_of(path) == line


def test_the_path_is_spelled_as_a_reader_would() -> None:
    """Members are joined by dots, places stand in brackets."""
    assert spell_path(("evidence", 0, "finding")) == "evidence[0].finding"
    assert spell_path(()) == ""


def test_a_fault_names_file_line_path_check_text_and_remedy() -> None:
    """The line that an editor can jump to."""
    fault = Document("rules/x.yaml", TEXT).fault(("list", 1, "name"), "some-check", "It is odd.", "Even it.")
    assert str(fault) == "rules/x.yaml:4: list[1].name [some-check] It is odd. Even it."


def test_several_faults_of_one_file_are_all_kept() -> None:
    """Reading goes on after a fault."""
    faults = Document("x.yaml", "on: 1.5\na: ~\na: 2026-01-01\n").faults
    assert [(fault.line, fault.path) for fault in faults] == [
        (1, "on"),
        (1, "on"),
        (2, "a"),
        (3, "a"),
        (3, "a"),
    ]


def test_files_are_read_in_the_order_of_their_names(tmp_path: Path) -> None:
    """Only .yaml files of the folder itself are read, each named relative to the base."""
    folder = tmp_path / "rules"
    (folder / "deeper").mkdir(parents=True)
    for name in ("b.yaml", "a.yaml", "c.yml", "deeper/d.yaml"):
        (folder / name).write_text("id: x\n", "utf-8")
    assert [document.file for document in read_documents(folder, tmp_path)] == [
        "rules/a.yaml",
        "rules/b.yaml",
    ]
    assert list(read_documents(tmp_path / "nothing", tmp_path)) == []


@given(st.text(max_size=40))
def test_no_text_makes_reading_fail(text: str) -> None:
    """Whatever a file holds, it becomes a value or a fault, never an exception."""
    document = Document("x.yaml", text)
    assert document.value is not None or document.faults or "null" in text


@given(
    st.recursive(
        st.one_of(st.integers(), st.booleans(), st.none(), st.text(alphabet="abc: -\n\"'*&", max_size=6)),
        lambda parts: st.one_of(
            st.lists(parts, max_size=3),
            st.dictionaries(st.text(alphabet="abc", min_size=1), parts, max_size=3),
        ),
        max_leaves=6,
    )
)
def test_json_is_strict_yaml(value: Any) -> None:
    """What JSON can say is read back as it was: every text is quoted there."""
    document = Document("x.yaml", json.dumps(value))
    assert (document.faults, document.value) == ([], value)
