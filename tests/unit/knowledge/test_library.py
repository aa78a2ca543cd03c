"""What loading gives: typed definitions, the version of the content, and the names that checks look up."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.engine.logic import all_of, any_of, at_least, negation, unless
from cds_service.errors import KnowledgeError
from cds_service.knowledge.expressions import findings_in, leaves_in, rests_on_facts
from cds_service.knowledge.fhir_check import draft_faults
from cds_service.knowledge.library import Inspection, load, version_of
from cds_service.model.definitions import Order
from cds_service.model.facts import Fact
from cds_service.model.findings import Outcome, State
from cds_service.model.parts import CodeRow, CodeTableRef
from tests.unit.engine.neutral import define, knowledge
from tests.unit.knowledge.folders import TODAY, broken_folder, sound_folder


def test_definitions_are_typed(tmp_path: Path) -> None:
    """Numbers become decimals, dates become dates and lists become tuples; the id is the file's name."""
    known = load(sound_folder(tmp_path), "2026.1", TODAY)
    zorbium = known.labs["zorbium"]
    assert zorbium.limits["critical-low"].below == Decimal(4)
    assert (zorbium.default_ranges[0].low, zorbium.cites) == (Decimal(10), ("r1",))
    assert zorbium.review.next_review == date(2099, 1, 1)
    assert known.causes["fizz"].evidence[0].weight.is_for
    assert [one.code for one in known.codes["orders", "emg"]] == ["18749-2", "42803009"]
    assert known.version.startswith("2026.1+")


def test_an_inspection_counts_the_files_of_each_kind(tmp_path: Path) -> None:
    """Every kind is counted, broken files included."""
    counts = Inspection(broken_folder(tmp_path, "strict-yaml/empty-file"), "1", TODAY).counts
    assert (counts["causes"], counts["labs"], counts["rules"], counts["sources"]) == (2, 1, 2, 1)


def test_loading_tells_how_many_errors_there_are(tmp_path: Path) -> None:
    """The error names the folder and each fault, but no warning."""
    folder = broken_folder(tmp_path, "schema/two-unknown-members", "review-overdue/overdue")
    with pytest.raises(KnowledgeError, match="cards/ has 2 errors") as refusal:
        load(folder, "1", TODAY)
    assert len(refusal.value.where) == 2


def test_the_version_follows_the_content(tmp_path: Path) -> None:
    """One more byte, another name or another place gives another version; the same content gives the same."""
    folder = sound_folder(tmp_path)
    first = version_of(folder, "1")
    assert version_of(folder, "1") == first
    assert version_of(folder, "2").endswith(first.removeprefix("1"))
    fizz = folder / "causes" / "fizz.yaml"
    text = fizz.read_bytes()
    fizz.write_bytes(text + b"\n")
    assert version_of(folder, "1") != first
    fizz.write_bytes(text)
    assert version_of(folder, "1") == first
    fizz.rename(folder / "causes" / "pop.yaml")
    assert version_of(folder, "1") != first


def test_the_version_leaves_out_what_is_no_content(tmp_path: Path) -> None:
    """Notes beside the content and the place of the folder change nothing."""
    folder = sound_folder(tmp_path)
    first = version_of(folder, "1")
    (folder / "README.md").write_text("notes", "utf-8")
    assert version_of(folder.rename(tmp_path / "elsewhere"), "1") == first
    assert len(first) == len("1+") + 12


def test_a_draft_that_fhir_refuses_is_a_fault() -> None:
    """What the schema of an order lets pass and FHIR does not is found before it is sent."""
    assert draft_faults(knowledge(define(Order, "fine"))) == []
    (fault,) = draft_faults(knowledge(define(Order, "odd", title="")))
    assert (fault.file, fault.check) == ("orders/odd.yaml", "draft-order")
    assert "not FHIR R4" in fault.text


def test_the_display_of_every_code_of_a_draft_is_checked() -> None:
    """A code whose display FHIR refuses is found although only one code is drafted."""
    rows = (
        CodeRow(system="http://loinc.org", code="18749-2", display="Electromyogram study"),
        CodeRow(system="http://snomed.info/sct", code="42803009", display=""),
    )
    order = define(Order, "emg", codes=[{"table": "orders", "key": "emg"}], draft_code="18749-2")
    assert order.codes == (CodeTableRef(table="orders", key="emg"),)
    assert len(draft_faults(knowledge(order, codes={("orders", "emg"): rows}))) == 1
    assert draft_faults(knowledge(order, codes={("orders", "emg"): rows[:1]})) == []


DEEP: Any = {
    "all": [
        "a",
        {"any": ["b", {"not": "c"}]},
        {"count": {"at_least": 1, "of": ["d", {"condition": {"in": ["x"]}}]}},
        {"unless": {"habit": {"item": "y", "above": "4"}}},
    ]
}


def test_every_finding_of_an_expression_is_found_with_its_path() -> None:
    """Names at any depth are seen, leaves are not taken for names."""
    assert [*findings_in(DEEP, ("when",))] == [
        (("when", "all", 0), "a"),
        (("when", "all", 1, "any", 0), "b"),
        (("when", "all", 1, "any", 1, "not"), "c"),
        (("when", "all", 2, "count", "of", 0), "d"),
    ]


def test_every_leaf_of_an_expression_is_found_with_its_path() -> None:
    """Leaves at any depth are seen with operator and operand."""
    assert [*leaves_in(DEEP, ("when",))] == [
        (("when", "all", 2, "count", "of", 1, "condition"), "condition", {"in": ["x"]}),
        (("when", "all", 3, "unless", "habit"), "habit", {"item": "y", "above": "4"}),
    ]


expressions = st.recursive(
    st.sampled_from(["a", "b", "c"]),
    lambda parts: st.one_of(
        st.builds(lambda of: {"all": of}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda of: {"any": of}, st.lists(parts, min_size=1, max_size=3)),
        st.builds(lambda of: {"not": of}, parts),
        st.builds(lambda of: {"unless": of}, parts),
        st.builds(
            lambda count, of: {"count": {"at_least": count, "of": of}},
            st.integers(min_value=1, max_value=3),
            st.lists(parts, min_size=1, max_size=3),
        ),
    ),
    max_leaves=8,
)


def outcome(expression: Any, states: dict[str, State]) -> Outcome:
    """Return the outcome where a present finding has a fact and silence makes any other absent."""
    if isinstance(expression, str):
        state = states[expression]
        return state, (Fact(what=expression),) if state is State.PRESENT else ()
    ((operator, operand),) = expression.items()
    if operator in {"not", "unless"}:
        return (negation if operator == "not" else unless)(outcome(operand, states))
    if operator == "count":
        return at_least(operand["at_least"], [outcome(part, states) for part in operand["of"]])
    return (all_of if operator == "all" else any_of)([outcome(part, states) for part in operand])


@given(expressions, st.fixed_dictionaries({name: st.sampled_from(list(State)) for name in "abc"}))
def test_what_rests_on_facts_is_never_present_without_one(expression: Any, states: dict[str, State]) -> None:
    """An expression that the check lets pass can only be present with a fact behind it."""
    state, facts = outcome(expression, states)
    assert not rests_on_facts(expression) or state is not State.PRESENT or facts


@pytest.mark.parametrize(
    ("expression", "rests"),
    [
        ("a", True),
        ({"condition": {"in": ["x"]}}, True),
        ({"not": "a"}, False),
        ({"unless": "a"}, False),
        ({"all": [{"not": "a"}, "b"]}, True),
        ({"all": [{"not": "a"}, {"unless": "b"}]}, False),
        ({"any": ["a", {"not": "b"}]}, False),
        ({"any": ["a", {"all": ["b", {"not": "c"}]}]}, True),
        ({"count": {"at_least": 2, "of": ["a", "b", {"not": "c"}]}}, True),
        ({"count": {"at_least": 1, "of": ["a", "b", {"not": "c"}]}}, False),
        ({"count": {"at_least": 2, "of": ["a", {"not": "b"}, {"not": "c"}]}}, False),
    ],
)
def test_which_expressions_rest_on_facts(expression: Any, *, rests: bool) -> None:
    """A negation proves nothing by itself, and makes nothing of a part that has to hold beside it worse."""
    assert rests_on_facts(expression) is rests
