"""Finds the files of a replay and opens them with care; it follows no link out of a folder and waits for no pipe."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import BinaryIO, NamedTuple

from cds_service.cards.markdown import clean
from cds_service.errors import CDSError
from cds_service.replay.plan import MOST_BYTES

STORY = "request.json"
_BUNDLE = "bundle.json"
_EXPECTED = "expected.yaml"
_SKIPPED = frozenset({"feedback.json"})
_LINES = frozenset({".ndjson", ".jsonl"})
_ENDINGS = frozenset({".json", *_LINES})


class Found(NamedTuple):
    """One file to replay; `inside` is the folder that a link may not lead out of, `group` what it is counted under."""

    path: Path
    group: str
    inside: Path | None = None

    @property
    def name(self) -> str:
        """The path as it can be printed on any terminal."""
        return printable(self.path)

    @property
    def has_lines(self) -> bool:
        """Whether each line is an item of its own."""
        return self.path.suffix.lower() in _LINES


def printable(path: Path) -> str:
    """Return a path without control characters and without bytes that are no text."""
    return clean(str(path).encode(errors="replace").decode())


def find_files(paths: Iterable[Path]) -> Iterator[Found]:
    """Yield files in order; of a folder with a story only its request, so that each patient is answered once.

    A folder without any file is yielded itself, so that it is told and not passed over.
    """
    for path in paths:
        if not path.is_dir():
            yield Found(path, printable(path if path.suffix.lower() in _LINES else path.parent))
            continue
        found = sorted(
            one for one in path.rglob("*") if one.suffix.lower() in _ENDINGS and one.name not in _SKIPPED
        )
        stories = {one.parent for one in found if one.name == STORY}
        chosen = [one for one in found if one.name == STORY or one.parent not in stories]
        yield from [Found(one, _group(one, path, stories), path.resolve()) for one in chosen] or [
            Found(path, printable(path))
        ]


def _group(path: Path, folder: Path, stories: set[Path]) -> str:
    """Return the file of lines, or the folder that holds the file or the story."""
    if path.suffix.lower() in _LINES:
        return printable(path)
    is_story = path.parent in stories and path.parent != folder
    return printable(path.parent.parent if is_story else path.parent)


def open_file(path: Path, inside: Path | None = None) -> BinaryIO:
    """Return an ordinary file, opened. Raises `CDSError` for anything else and `OSError` where it cannot be read."""
    if path.is_dir():
        raise CDSError("The folder holds no JSON file.")
    if inside is not None and not path.resolve().is_relative_to(inside):
        raise CDSError("The link leads out of the folder: name its target itself.")
    if not path.is_file():  # opening a device can already do something
        raise CDSError("This is neither a file nor a folder.")
    opened = os.fdopen(os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC), "rb")
    if not stat.S_ISREG(os.fstat(opened.fileno()).st_mode):
        opened.close()
        raise CDSError("This is neither a file nor a folder.")
    return opened


def read_file(path: Path, most_bytes: int = MOST_BYTES) -> bytes:
    """Return the content of an ordinary file. Raises as `open_file`, and `CDSError` for one that is too large."""
    with open_file(path) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise CDSError(f"The file is over {most_bytes // 1024 // 1024} MiB.")
    return content


def size_of(path: Path) -> int:
    """Return the length of a file in bytes; 0 where it has none to tell."""
    try:
        return path.stat().st_size
    except OSError:
        return 0


def expectation_of(path: Path) -> Path | None:
    """Return where the expectation of an item file stands or would stand; a file of lines has none.

    For a story that is `expected.yaml` in its folder, for `x.json` it is `x.expected.yaml` beside it.
    """
    if path.suffix.lower() in _LINES:
        return None
    alone = path.name == _BUNDLE and not (path.parent / STORY).exists()
    if path.name == STORY or (alone and (path.parent / _EXPECTED).exists()):
        return path.parent / _EXPECTED
    return path.with_name(f"{path.stem}.{_EXPECTED}")
