"""Renders the Markdown of cards to clean HTML for a browser; whatever is not on the short list of elements is gone."""

from __future__ import annotations

import nh3
from markdown_it import MarkdownIt

_ELEMENTS = {
    *("p", "br", "strong", "em", "s", "code", "pre", "blockquote", "hr", "ul", "ol", "li", "a"),
    *("h3", "h4", "h5", "h6", "table", "thead", "tbody", "tr", "th", "td"),
}
_ATTRIBUTES = {"a": {"href"}, "th": {"scope"}}
_SCHEMES = {"http", "https"}


class CardMarkup:
    """Renders GitHub Flavored Markdown without raw HTML; no class, style, image or handler comes out of it."""

    def __init__(self) -> None:
        """Prepare both libraries once."""
        self._markdown = MarkdownIt("commonmark", {"html": False}).enable(["table", "strikethrough"])
        self._cleaner = nh3.Cleaner(
            tags=_ELEMENTS,
            attributes=_ATTRIBUTES,
            url_schemes=_SCHEMES,
            link_rel="noopener noreferrer",
            set_tag_attribute_values={"a": {"target": "_blank"}},
        )

    def render(self, text: str) -> str:
        """Return `text` as HTML of the allowed elements alone."""
        return self._cleaner.clean(self._markdown.render(text).replace("<th>", '<th scope="col">'))
