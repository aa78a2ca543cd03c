"""Reads from the clinical content what is needed to judge an answer: names and ids; judges no content."""

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


@cache
def asking_orders() -> frozenset[str]:
    """Return the orders that ask a patient questions."""
    found = (path for path in (CARDS / "orders").glob("*.yaml") if read_yaml(path)["kind"] == "questionnaire")
    return frozenset(path.stem for path in found)


def ids_in(folder: str) -> frozenset[str]:
    """Return the ids of one folder of `cards`: the file names."""
    return frozenset(path.stem for path in (CARDS / folder).glob("*.yaml"))
