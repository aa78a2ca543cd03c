"""A laboratory's own judgment: its flag in every form in which it is sent, and which of its ranges is normal."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.interpretation import FLAGS, flag_of, is_normal_range
from cds_service.fhir.shapes import CodeableConcept, Coding, Quantity, ReferenceRange

BOUND = Quantity()


def concept(*codes: str | None, text: str | None = None) -> CodeableConcept:
    """Return a concept of these codes."""
    return CodeableConcept(coding=[Coding(code=code) for code in codes] or None, text=text)


@pytest.mark.parametrize("flag", sorted(FLAGS))
def test_every_flag_is_known_as_code_and_as_text(flag: str) -> None:
    """In any case and with space around it, alone or in a list."""
    for sent in (
        concept(flag),
        concept(f" {flag.lower()} "),
        concept(text=flag),
        concept("IND", text=f" {flag} "),
    ):
        assert flag_of(sent) == flag
        assert flag_of([concept(), sent]) == flag


@pytest.mark.parametrize(
    "sent",
    [None, [], concept(), concept(None, ""), concept("IND"), concept(text="see report"), [concept(text="")]],
)
def test_what_is_no_flag_is_none(sent: list[CodeableConcept] | CodeableConcept | None) -> None:
    """Another code and words are no flag."""
    assert flag_of(sent) is None


def test_the_first_flag_counts() -> None:
    """A code stands before the text of its concept, and one concept before the next."""
    assert flag_of(concept("IND", "H", "L", text="LL")) == "H"
    assert flag_of([concept("IND"), concept("L"), concept("H")]) == "L"


@pytest.mark.parametrize(
    ("one", "is_normal"),
    [
        (ReferenceRange(low=BOUND), True),
        (ReferenceRange(high=BOUND), True),
        (ReferenceRange(low=BOUND, type=concept("normal")), True),
        (ReferenceRange(low=BOUND, type=concept("x", "recommended")), True),
        (ReferenceRange(low=BOUND, type=concept("critical")), False),
        (ReferenceRange(low=BOUND, type=concept()), False),
        (ReferenceRange(text="3.5-5.3"), False),
        (ReferenceRange(type=concept("normal")), False),
    ],
)
def test_a_normal_range_has_a_bound_and_no_other_type(one: ReferenceRange, *, is_normal: bool) -> None:
    """A range for treatment or of critical values is not normal, and words alone are no range."""
    assert is_normal_range(one) is is_normal


@given(st.lists(st.builds(concept, st.none() | st.text(max_size=4), text=st.none() | st.text(max_size=4))))
def test_any_interpretation_is_a_flag_or_none(sent: list[CodeableConcept]) -> None:
    """Nothing that stands there raises, and only known flags come out."""
    assert flag_of(sent) in {None, *FLAGS}
