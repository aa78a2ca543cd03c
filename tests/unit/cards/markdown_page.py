"""Renders Markdown as a client would and tells what stands on the page; it trusts no escaping."""

from __future__ import annotations

import re
from collections.abc import Iterator

from markdown_it import MarkdownIt
from markdown_it.token import Token

PAGE = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
INVISIBLE = re.compile(
    "[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff"
    "\U000e0000-\U000e007f]"
)
AUTOLINK = re.compile(r"(?:https?|ftp)://|www\.|(?:mailto|xmpp):\S*@\S|[\w.+-]@[\w-]", re.IGNORECASE)
"""What GitHub Flavored Markdown turns into a link without any bracket."""


def tokens(text: str) -> Iterator[Token]:
    """Yield every token of a page, inline ones included."""
    for token in PAGE.parse(text):
        yield token
        yield from token.children or ()


def structure(text: str) -> list[str]:
    """Return the structure of a page: every element in order, without its text."""
    return [token.type for token in tokens(text) if token.type != "text"]


def visible(text: str) -> str:
    """Return what a person reads on the page."""
    return "\n".join(_words(token) for token in PAGE.parse(text) if token.type == "inline")


def _words(inline: Token) -> str:
    return "".join(child.content for child in inline.children or () if child.type == "text")


def cells(text: str) -> list[list[str]]:
    """Return the rows of every table of a page, as a person reads them."""
    rows: list[list[str]] = []
    for token in PAGE.parse(text):
        if token.type == "tr_open":
            rows.append([])
        elif token.type == "inline" and rows and token.level > 2:
            rows[-1].append(_words(token))
    return rows
