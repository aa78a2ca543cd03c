"""Renders the Markdown of cards to clean HTML for a browser; whatever is not on the short list of elements is gone."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.token import Token

_ELEMENTS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "hr", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "th": {"scope", "data-empty"}, "td": {"data-column"}}
_SCHEMES = {"http", "https"}


class CardMarkup:
    """Renders GitHub Flavored Markdown without raw HTML; no class, style, image or handler comes out of it."""

    def __init__(self) -> None:
        """Prepare both libraries once."""
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        self._markdown.core.ruler.push("columns", _name_columns)
        self._cleaner = nh3.Cleaner(
            tags=_ELEMENTS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )

    def render(self, text: str) -> str:
        """Return `text` as HTML of the allowed elements alone.

        Each cell names its column, for screens on which a row is shown as a list; a column without any text is marked.
        """
        return self._cleaner.clean(self._markdown.render(text))


def _name_columns(state: StateCore) -> None:
    for table in _tables(state.tokens):
        heads = [(cell, words) for cell, words in _cells(table) if cell.tag == "th"]
        body = [(cell, words) for cell, words in _cells(table) if cell.tag == "td"]
        for place, (head, name) in enumerate(heads):
            column = body[place :: len(heads)]
            head.attrSet("scope", "col")
            if not any(words for _cell, words in column):
                head.attrSet("data-empty", "")
            for cell, _words in column:
                cell.attrSet("data-column", name)


def _tables(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    opened = 0
    for place, token in enumerate(tokens):
        if token.type == "table_open":
            opened = place
        elif token.type == "table_close":
            yield tokens[opened:place]


def _cells(tokens: Sequence[Token]) -> Iterator[tuple[Token, str]]:
    """Yield each cell with its words; the text of a cell is the token after it."""
    for place, token in enumerate(tokens):
        if token.type in {"th_open", "td_open"}:
            parts = tokens[place + 1].children or ()
            yield token, "".join(part.content for part in parts).strip()
