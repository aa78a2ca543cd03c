"""Hypothesis strategies for JSON that no schema restrains; it knows nothing of hooks or FHIR."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

NAMES = st.text(max_size=6) | st.sampled_from(
    ["resourceType", "entry", "resource", "code", "coding", "value"]
)
SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**20), 10**20)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8)
    | st.sampled_from(["", " ", "1", "true", "2026-06-15", "NaN", "Bundle", "Condition"])
)


def json_values(depth: int = 8) -> st.SearchStrategy[Any]:
    """Return any JSON value of up to `depth` leaves."""
    return st.recursive(
        SCALARS,
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(NAMES, inner, max_size=3),
        max_leaves=depth,
    )


def json_objects(depth: int = 8) -> st.SearchStrategy[dict[str, Any]]:
    """Return any JSON object whose members have up to `depth` leaves each."""
    return st.dictionaries(NAMES, json_values(depth), max_size=4)
