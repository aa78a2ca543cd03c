"""What README.md and docs/ show: commands in blocks of `sh` and how they end, files, tables; it runs nothing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from textwrap import dedent
from typing import Any, NamedTuple

import yaml

from tests.support.places import ROOT

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_FILE = re.compile(r"^( *)```yaml\n *# (\S+\.yaml)\n(.*?)^ *```$", re.MULTILINE | re.DOTALL)
_EXCEPTIONS = ROOT / "tests" / "functional" / "documented_commands.yaml"
_PROGRAMS = ".venv/bin/"


class Command(NamedTuple):
    """One command as it is shown, and the page that shows it."""

    page: str
    text: str

    @property
    def bare(self) -> str:
        """The command without the folder of its program."""
        return self.text.removeprefix(_PROGRAMS)

    @property
    def is_run(self) -> bool:
        """Whether a test runs it."""
        return not any(self.bare.startswith(start) for start in not_run())

    @property
    def status(self) -> int:
        """The exit status that a reader is told to expect."""
        told = (one["status"] for start, one in ends_with().items() if self.bare.startswith(start))
        return next(told, 0)


def pages() -> list[Path]:
    """Return every page on which a person reads commands."""
    return [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").glob("*.md"))]


def commands() -> Iterator[Command]:
    """Yield every command, each once, without comments; it goes on until its quotes are closed."""
    seen: set[str] = set()
    for path in pages():
        for block in _BLOCK.findall(path.read_text("utf-8")):
            for text in _commands_of(block):
                if text not in seen:
                    seen.add(text)
                    yield Command(path.relative_to(ROOT).as_posix(), text)


def files() -> dict[str, str]:
    """Return the files that pages have a reader write, by path: blocks of YAML whose first line is their path."""
    found: dict[str, str] = {}
    for path in pages():
        for _indent, name, body in _FILE.findall(path.read_text("utf-8")):
            assert name not in found, f"{name} is shown twice"
            found[name] = f"# {name}\n{dedent(body)}"
    return found


def table_rows(text: str, first: str) -> list[list[str]]:
    """Return the cells of the table whose first column has this head; fails where there is none, or a second one."""
    (found,) = re.findall(rf"^\| {re.escape(first)} \|.*\n\|[-|]+\n((?:\|.*\n)+)", text, re.MULTILINE)
    return [[cell.strip() for cell in line.strip().strip("|").split(" | ")] for line in found.splitlines()]


def _commands_of(block: str) -> Iterator[str]:
    begun = ""
    for line in block.replace("\\\n", " ").splitlines():
        begun = f"{begun}\n{line}" if begun else re.sub(r"(^|\s)#\s.*", "", line).strip()
        if begun and _is_whole(begun):
            yield begun
            begun = ""


def _is_whole(text: str) -> bool:
    try:
        shlex.split(text)
    except ValueError:
        return False
    return True


def not_run() -> dict[str, str]:
    """Return the beginnings of commands that no test runs, each with the reason."""
    found: dict[str, str] = _exceptions()["not_run"]
    return found


def ends_with() -> dict[str, dict[str, Any]]:
    """Return the beginnings of commands that end otherwise than with 0, each with its `status` and `because`."""
    found: dict[str, dict[str, Any]] = _exceptions()["ends_with"]
    return found


@cache
def _exceptions() -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(_EXCEPTIONS.read_text("utf-8"))
    return found
