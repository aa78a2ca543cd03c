"""The commands that README.md and docs/ show in blocks of `sh`, line by line, and how they end; it runs none."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from tests.support.places import ROOT

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
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
