"""Reads which definitions a folder of whole-patient cases names; it runs no case and judges no answer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import yaml

_KIND_OF_EXPECTATION = {
    "rank": "causes",
    "not_likely": "causes",
    "no_standing": "causes",
    "not_candidates": "causes",
    "already_done": "orders",
    "already_ordered": "orders",
}
_WORDS = frozenset({"text", "facts", "notes", "level"})


class WholePatient(NamedTuple):
    """One case: what its answer shows and what it must leave out, as (kind, id), and the statements it proves."""

    id: str
    title: str
    file: str
    shows: frozenset[tuple[str, str]]
    leaves_out: frozenset[tuple[str, str]]
    proves: frozenset[str]


def read_whole_patients(folder: Path) -> tuple[WholePatient, ...]:
    """Return every case of `folder` that stands in a file of its own, in the order of the file names."""
    pages = [(path.name, yaml.safe_load(path.read_text("utf-8"))) for path in sorted(folder.glob("*.yaml"))]
    return tuple(_read(name, page) for name, page in pages if isinstance(page, dict) and "expect" in page)


def _read(name: str, page: Mapping[str, Any]) -> WholePatient:
    shows: set[tuple[str, str]] = set()
    leaves_out: set[tuple[str, str]] = set()
    for member, value in page["expect"].items():
        bare = member.removeprefix("not_")
        if bare in _WORDS:
            continue
        kind = _KIND_OF_EXPECTATION.get(member, bare)
        is_refused = member.startswith("not_") or member == "no_standing"
        (leaves_out if is_refused else shows).update((kind, word) for word in _words_in(value))
    shows.update(("labs", row["lab"]) for row in page.get("labs", ()) if "lab" in row)
    shows.update(("questions", row["link"]) for row in page.get("answers", ()))
    shows.update(("codes", row["code"]) for row in page.get("recording", ()) if "code" in row)
    return WholePatient(
        page["id"],
        page["title"],
        name,
        frozenset(shows),
        frozenset(leaves_out),
        frozenset(page.get("proves", ())),
    )


def _words_in(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        for part in value:
            yield from _words_in(part)
