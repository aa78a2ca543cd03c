"""The commands that README.md and docs/ show: what stands in blocks of `sh`, line by line; it runs none."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import yaml

from tests.support.places import ROOT

_BLOCK = re.compile(r"^```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_NOT_RUN = ROOT / "tests" / "functional" / "commands_not_run.yaml"


class Command(NamedTuple):
    """One command as it is shown, and the page that shows it."""

    page: str
    text: str


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
    found: dict[str, str] = yaml.safe_load(_NOT_RUN.read_text("utf-8"))
    return found


def reason_not_to_run(command: Command) -> str | None:
    """Return why a command is not run; None when it is."""
    return next((reason for start, reason in not_run().items() if command.text.startswith(start)), None)
