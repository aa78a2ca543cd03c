"""Which queries a SMART scope covers, in the words of v1 and of v2."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fetch.scopes import is_granted, is_narrowed, read_scopes, wanted_scopes

READ, SEARCH = (
    "Patient/{{context.patientId}}",
    "Observation?patient={{context.patientId}}&category=laboratory",
)
TYPES = st.sampled_from(["Patient", "Observation", "Condition", "MedicationRequest", "Procedure"])
CONTEXTS = st.sampled_from(["patient", "user", "system"])
RIGHTS = st.lists(st.sampled_from("cruds"), unique=True, min_size=1).map(
    lambda rights: "".join(sorted(rights, key="cruds".index))
)


@pytest.mark.parametrize(
    ("scope", "reads", "searches"),
    [
        ("patient/Patient.read", True, False),
        ("patient/Observation.read", False, True),
        ("patient/*.read", True, True),
        ("user/*.*", True, True),
        ("system/*.*", True, True),
        ("patient/*.write", False, False),
        ("patient/*.r", True, False),
        ("patient/*.s", False, True),
        ("patient/*.rs", True, True),
        ("patient/*.cruds", True, True),
        ("patient/*.cud", False, False),
        ("patient/Observation.rs?category=laboratory", False, True),
        ("patient/Observation.rs?category=http://terminology.example.org|laboratory", False, True),
        ("patient/Observation.rs?category=vital-signs", False, False),
        ("patient/Observation.s?status=final", False, True),
        ("patient/Condition.rs", False, False),
        ("launch openid patient/Condition.rs patient/Patient.r", True, False),
        (
            "patient/Observation.rs?category=vital-signs patient/Observation.rs?category=laboratory",
            False,
            True,
        ),
    ],
)
def test_a_scope_covers_a_read_or_a_search(scope: str, reads: bool, searches: bool) -> None:
    """A read needs r or read, a search s or read; a filter narrows what it names."""
    scopes = read_scopes(scope)
    assert scopes is not None
    assert (is_granted(READ, scopes), is_granted(SEARCH, scopes)) == (reads, searches)


@pytest.mark.parametrize(
    "scope",
    [
        None,
        "",
        "  ",
        "launch openid fhirUser offline_access",
        "patient/Observation",
        "patient/Observation.sr",
        "patient/Observation.",
        "patient/.rs",
        "patient/observation.rs",
        "patient/Observation.reads",
        "patient/*.rs patient/Observation.xyz",
    ],
)
def test_what_cannot_be_told_is_left_to_the_server(scope: str | None) -> None:
    """Without a scope for resources, or with one that cannot be read, every query may be tried."""
    assert read_scopes(scope) is None
    assert is_granted(READ, read_scopes(scope))
    assert is_granted(SEARCH, read_scopes(scope))


@given(TYPES, TYPES, CONTEXTS, RIGHTS)
def test_a_scope_of_v2_grants_its_letters_of_its_type(
    granted: str, asked: str, context: str, rights: str
) -> None:
    """Of the type that it names, and of no other, a scope covers reads by r and searches by s."""
    scopes = read_scopes(f"{context}/{granted}.{rights}")
    assert is_granted(f"{asked}/1", scopes) == (granted == asked and "r" in rights)
    assert is_granted(f"{asked}?patient=1", scopes) == (granted == asked and "s" in rights)


@given(st.lists(st.tuples(CONTEXTS, TYPES, RIGHTS), min_size=1), TYPES)
def test_another_scope_never_takes_anything_away(scopes: list[tuple[str, str, str]], asked: str) -> None:
    """What a part of the scopes covers, all of them do, in any order."""
    words = [f"{context}/{kind}.{rights}" for context, kind, rights in scopes]
    for query in (f"{asked}/1", f"{asked}?patient=1"):
        each = any(is_granted(query, read_scopes(word)) for word in words)
        assert is_granted(query, read_scopes(" ".join(words))) == each
        assert is_granted(query, read_scopes(" ".join(reversed(words)))) == each


@given(st.text())
def test_no_text_is_a_fault(text: str) -> None:
    """Whatever stands in the member, the answer is scopes or that nobody knows."""
    assert read_scopes(text) is None or is_granted("Patient/1", read_scopes(text)) in {True, False}


@given(TYPES)
def test_the_scope_that_is_named_as_wanted_would_suffice(kind: str) -> None:
    """Granting either spelling of what a note asks for covers the query."""
    for query in (f"{kind}/1", f"{kind}?patient=1&category=x"):
        for wanted in wanted_scopes(query):
            assert is_granted(query, read_scopes(wanted))


@pytest.mark.parametrize(
    ("scope", "narrows"),
    [
        ("patient/Condition.rs", False),
        ("patient/Condition.rs?category=problem-list-item", True),
        ("patient/Observation.rs?category=laboratory", False),
        ("patient/Condition.rs?category=problem-list-item patient/Condition.s", False),
        ("patient/Procedure.rs", False),
        ("launch", False),
        (None, False),
    ],
)
def test_a_filter_that_a_search_does_not_name_narrows_it(scope: str | None, *, narrows: bool) -> None:
    """Unless another scope covers the search whole; what is not covered at all is not narrowed either."""
    queries = ("Condition?patient=1", "Observation?patient=1&category=laboratory")
    assert any(is_narrowed(query, read_scopes(scope)) for query in queries) is narrows
