"""Runs `cds-service` as a person at a terminal would, without settings from outside; it judges no outcome."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from tests.functional.server import COMMAND, clean_environment


class Outcome(NamedTuple):
    """How a command ended and what it printed."""

    status: int
    out: str
    err: str


def run(*arguments: str | Path, changes: Mapping[str, str] | None = None) -> Outcome:
    """Run one command to its end."""
    done = subprocess.run(
        [COMMAND, *map(str, arguments)],
        env=clean_environment({"NO_COLOR": "1", **(changes or {})}),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    return Outcome(done.returncode, done.stdout, done.stderr)
