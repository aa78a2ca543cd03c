"""The commands that README.md and docs/ show: what stands in blocks of `sh`, line by line; it runs none."""

from __future__ import annotations

import re
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
    """Yield every command, each once; comments are taken off and continued lines are joined."""
    seen: set[str] = set()
    for path in pages():
        for block in _BLOCK.findall(path.read_text("utf-8")):
            for line in block.replace("\\\n", " ").splitlines():
                text = " ".join(re.sub(r"(^|\s)#.*", "", line).split())
                if text and text not in seen:
                    seen.add(text)
                    yield Command(path.relative_to(ROOT).as_posix(), text)


def not_run() -> dict[str, str]:
    """Return the beginnings of commands that no test runs, each with the reason."""
    found: dict[str, str] = yaml.safe_load(_NOT_RUN.read_text("utf-8"))
    return found


def reason_not_to_run(command: Command) -> str | None:
    """Return why a command is not run; None when it is."""
    return next((reason for start, reason in not_run().items() if command.text.startswith(start)), None)
