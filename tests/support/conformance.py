"""From the requirements of the standard to the tests that hold them, as a page; it runs no test.

`python -m tests.support.conformance` writes docs/conformance.md from tests/spec/requirements.yaml.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path

import msgspec
import yaml

from tests.support.places import ROOT

REQUIREMENTS = ROOT / "tests" / "spec" / "requirements.yaml"
PAGE = ROOT / "docs" / "conformance.md"
TESTS = ROOT / "tests"

_OPENING = """\
# Conformance

What CDS Hooks 2.0.1 asks of a service, and mistakes and faults that others were reported with, each with the tests
that hold it here. SHALL, SHOULD and MAY are the standard's words; "ours" marks a rule of this project. Written from
`tests/spec/requirements.yaml` by `make pages`; a test fails while it is out of date, or a requirement has no test.
"""


class Requirement(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One requirement; `tests` names functions by file below tests/, `not_ours` says why it cannot arise here."""

    id: str
    level: str
    what: str
    tests: Mapping[str, list[str]] = {}
    not_ours: str | None = None
    note: str | None = None


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Requirements that belong together."""

    title: str
    items: list[Requirement]


def read_sections() -> list[Section]:
    """Return all requirements. Raises `msgspec.ValidationError` for a member that nobody knows."""
    found = yaml.safe_load(REQUIREMENTS.read_text("utf-8"))
    return msgspec.convert(found["sections"], list[Section])


@cache
def tests_of(file: str) -> Mapping[str, int]:
    """Return the test functions of a file below tests/ with the lines where they begin."""
    path = TESTS / f"{file}.py"
    if not path.is_file():
        return {}
    tree = ast.parse(path.read_text("utf-8"))
    return {
        node.name: node.lineno
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.name.startswith("test_")
    }


def gaps() -> Iterator[str]:
    """Yield what lacks: a requirement without a test or a reason, and a test that there is not."""
    for section in read_sections():
        for one in section.items:
            if not any(one.tests.values()) and one.not_ours is None:
                yield f"{one.id} has no test"
            for file, names in one.tests.items():
                for name in names:
                    if name not in tests_of(file):
                        yield f"{one.id} names {file}::{name}, which is not there"


def page() -> str:
    """Return the whole page as Markdown."""
    lines = [_OPENING]
    for section in read_sections():
        lines += [f"## {section.title}", "", "| Id | Level | Requirement | Tests |", "|---|---|---|---|"]
        lines += [f"| {one.id} | {one.level} | {_words(one)} | {_links(one)} |" for one in section.items]
        lines.append("")
    return "\n".join(lines)


def _words(one: Requirement) -> str:
    return " ".join(filter(None, (f"{one.what}.", one.not_ours and f"*{one.not_ours}*", one.note)))


def _links(one: Requirement) -> str:
    return "<br>".join(
        f"[{name.removeprefix('test_').replace('_', ' ')}](../tests/{file}.py)"
        for file, names in one.tests.items()
        for name in names
    )


if __name__ == "__main__":
    Path(PAGE).write_text(page(), "utf-8")
