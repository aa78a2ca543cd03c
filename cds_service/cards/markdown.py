"""Makes text of the chart harmless in Markdown, HTML and one-line summaries; the words stay legible."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]+"
)
_SPECIAL = re.compile(r"[\\`*_\[\]|~#!{}$^=+]")
_ENTITIES = {"&": "&amp;", "<": "&lt;", ">": "&gt;"}
_ENTITY = re.compile("[&<>]")
_LINK_START = re.compile(r"://|\bwww\.|(?<=\S)@(?=\S)", re.IGNORECASE)
_BROKEN_LINK = {"://": ": //", "@": " @ "}


def clean(text: str) -> str:
    """Return `text` on one line without control, bidirectional and zero-width characters."""
    return " ".join(_INVISIBLE.sub(" ", text).split())


def escape(text: str) -> str:
    """Return `text` so that Markdown and HTML show it as it is, and no client turns part of it into a link."""
    line = _LINK_START.sub(_break_link, clean(text))
    return _ENTITY.sub(_entity, _SPECIAL.sub(r"\\\g<0>", line))


def _entity(found: re.Match[str]) -> str:
    return _ENTITIES[found.group()]


def _break_link(found: re.Match[str]) -> str:
    return _BROKEN_LINK.get(found.group(), found.group()[:-1] + " .")


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a GitHub Flavored Markdown table; cells are already escaped."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
