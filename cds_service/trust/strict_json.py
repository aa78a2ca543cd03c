"""Reads JSON that a stranger signed or published, in one way only; what can be read in two ways is refused."""

from __future__ import annotations

import json
from typing import Any, NoReturn


def strict_object(body: bytes) -> dict[str, Any]:
    """Return the members of a JSON object in UTF-8.

    Raises `ValueError` for any other text, a name that stands twice at any depth, NaN, Infinity, half of a
    surrogate pair, and too deep nesting.
    """
    try:
        text = body.decode("utf-8")
        found = json.loads(text, object_pairs_hook=_members, parse_constant=_no_constant)
        if not isinstance(found, dict):
            raise ValueError("The text is no JSON object.")  # noqa: TRY004 - one kind of fault for the caller
        json.dumps(found, ensure_ascii=False).encode("utf-8")  # half of a surrogate pair cannot be encoded
    except RecursionError:
        raise ValueError("The JSON is nested too deeply.") from None
    return found


def _members(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    members = dict(pairs)
    if len(members) < len(pairs):
        raise ValueError("A member name stands twice.")
    return members


def _no_constant(_name: str) -> NoReturn:
    raise ValueError("NaN and Infinity are no JSON.")
