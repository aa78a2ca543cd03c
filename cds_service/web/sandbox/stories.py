"""Reads the sample stories from their folder; it names no file that is not in it and decides nothing."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

import msgspec

_REQUEST = "request.json"
_DESCRIPTION = "README.md"
_TITLE = re.compile(r"^\| \[`(?P<name>[a-z0-9-]+)`\]\([^)]*\) \| (?P<title>[^|]+?) \|$", re.MULTILINE)
"""A row of the table in the folder's own description."""


class Story(NamedTuple):
    """One sample: its name, what it is about in a line, what is recorded, and the body of its call of a hook.

    Only a problem that is recorded starts a visit; a sample of another hook is read in the gallery.
    """

    name: str
    hook: str
    title: str
    description: str
    recorded: str
    body: bytes


class _Code(msgspec.Struct, frozen=True):
    text: str = ""


class _Resource(msgspec.Struct, frozen=True):
    code: _Code = _Code()


class _Entry(msgspec.Struct, frozen=True):
    resource: _Resource


class _Bundle(msgspec.Struct, frozen=True):
    entry: tuple[_Entry, ...] = ()


class _Context(msgspec.Struct, frozen=True):
    conditions: _Bundle = _Bundle()


class _Call(msgspec.Struct, frozen=True):
    hook: str = ""
    context: _Context = _Context()


def read_stories(folder: Path) -> Mapping[str, Story]:
    """Return the stories by name, sorted; none where the folder is missing."""
    titles = {row["name"]: row["title"] for row in _TITLE.finditer(_text(folder / _DESCRIPTION))}
    found = sorted(path.parent for path in folder.glob(f"*/{_REQUEST}"))
    return {path.name: _story(path, titles.get(path.name, path.name)) for path in found}


def _text(path: Path) -> str:
    return path.read_text("utf-8").strip() if path.is_file() else ""


def _story(folder: Path, title: str) -> Story:
    body = (folder / _REQUEST).read_bytes()
    call = msgspec.json.decode(body, type=_Call)
    entries = call.context.conditions.entry
    return Story(
        name=folder.name,
        hook=call.hook,
        title=title,
        description=_text(folder / _DESCRIPTION),
        recorded=entries[0].resource.code.text if entries else "",
        body=body,
    )
