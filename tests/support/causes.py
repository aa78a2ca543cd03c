"""Reads the names of the causes from the clinical content; judges no content."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from tests.support.case_files import read_yaml
from tests.support.places import CARDS


def _names(path: Path) -> tuple[str, ...]:
    content = read_yaml(path)
    return (content["title"], *content.get("names", ()))


@cache
def cause_names() -> dict[str, tuple[str, ...]]:
    """Return the words that name each cause on a card: its title and its other names."""
    return {path.stem: _names(path) for path in sorted((CARDS / "causes").glob("*.yaml"))}


def ids_in(folder: str) -> frozenset[str]:
    """Return the ids of one folder of `cards`: the file names."""
    return frozenset(path.stem for path in (CARDS / folder).glob("*.yaml"))
