"""Makes text of the chart harmless in Markdown, HTML and one-line summaries; the words stay legible."""

from __future__ import annotations

import re

_INVISIBLE = re.compile(
    "[\u0000-\u001f\u007f-\u009f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f"
    "\u3164\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]+"
)
_SPECIAL = str.maketrans(
    {
        **{char: f"\\{char}" for char in "\\`*_[]|~#!{}$^=+"},
        "&": "&amp;",
        "<": "&lt;",
        ">": "&gt;",
    }
)
_LINK_START = re.compile(r"://|www\.|(?<=\S)@(?=\S)", re.IGNORECASE)
_LIST_START = re.compile(r"^(?:-(?=[\s-]|$)|[0-9]{1,9}[.)](?=\s|$))")
_LIST_SIGNS = frozenset("-0123456789")
_BROKEN_LINK = {"://": ": //", "@": " @ "}


def clean(text: str) -> str:
    """Return `text` on one line without control, bidirectional and zero-width characters."""
    if text.isascii() and text.isprintable():
        return text.strip() if "  " not in text else " ".join(text.split())
    return " ".join(_INVISIBLE.sub(" ", text).split())


def escape(text: str) -> str:
    """Return `text` so that Markdown and HTML show it as it is, and no client turns part of it into a link."""
    line = clean(text)
    if "://" in line or "@" in line or "www" in line.casefold():
        line = _LINK_START.sub(_break_link, line)
    line = line.translate(_SPECIAL)
    return _LIST_START.sub(_break_list, line) if line[:1] in _LIST_SIGNS else line


def _break_link(found: re.Match[str]) -> str:
    return _BROKEN_LINK.get(found.group(), found.group()[:-1] + " .")


def _break_list(found: re.Match[str]) -> str:
    return f"{found.group()[:-1]}\\{found.group()[-1]}"


def table(head: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    """Return a GitHub Flavored Markdown table; cells are already escaped."""
    lines = [f"| {' | '.join(head)} |", f"|{'---|' * len(head)}"]
    lines += [f"| {' | '.join(row)} |" for row in rows]
    return "\n".join(lines)
