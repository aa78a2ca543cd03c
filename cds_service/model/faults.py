"""What is wrong with one definition, where, and what to do; printed by `cds-service check`, fixed by a person."""

from __future__ import annotations

from collections.abc import Sequence
from difflib import get_close_matches

import msgspec

_FEW = 8
"""So many choices can be read at a glance."""


class Fault(msgspec.Struct, frozen=True, order=True):
    """One fault. `file` is relative to the content folder, `line` starts at 1, `path` is like `evidence[0].finding`.

    `folder` is empty for the content itself; for a file of a site overlay it is the name of that folder.
    """

    file: str
    line: int
    path: str
    check: str
    text: str
    remedy: str
    is_warning: bool = False
    folder: str = ""

    def __str__(self) -> str:
        """One line that an editor can jump to."""
        place = f" {self.path}" if self.path else ""
        mark = "warning " if self.is_warning else ""
        file = f"{self.folder}/{self.file}" if self.folder else self.file
        return f"{file}:{self.line}:{place} {mark}[{self.check}] {self.text} {self.remedy}"


def did_you_mean(word: str, choices: Sequence[str]) -> str:
    """Return a remedy that names the closest known words, or all of them when there are few."""
    close = get_close_matches(word, choices, n=3, cutoff=0.6)
    if close:
        return f"Did you mean {' or '.join(close)}?"
    if len(choices) <= _FEW:
        return f"Known: {', '.join(sorted(choices))}."
    return "No known name is close to it."
