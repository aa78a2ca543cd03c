"""Reads cards as a person would: Markdown marks and entities off, spaces single; judges nothing."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.cards.explanation import EXTENSION

_ESCAPED = re.compile(r"\\([!-/:-@\[-`{-~])")
_MARKS = re.compile(r"\*\*|__|`")

Response = Mapping[str, Any]


def plain(text: str) -> str:
    """Return `text` as it reads on a page."""
    return " ".join(_MARKS.sub("", _ESCAPED.sub(r"\1", html.unescape(text))).split())


def told(response: Response) -> str:
    """Return the summaries and details of all cards as one plain text."""
    parts = [part for card in response["cards"] for part in (card["summary"], card.get("detail", ""))]
    return plain(" \n ".join(parts))


def actions(response: Response) -> Iterator[Mapping[str, Any]]:
    """Return every action that a click on a suggestion would carry out."""
    for card in response["cards"]:
        for suggestion in card.get("suggestions", ()):
            yield from suggestion.get("actions", ())
    yield from response.get("systemActions", ())


def shown(response: Response) -> str:
    """Return all that the clinician can read: the cards' texts and the labels of their suggestions."""
    labels = [suggestion["label"] for card in response["cards"] for suggestion in card.get("suggestions", ())]
    described = [action.get("description", "") for action in actions(response)]
    return " ".join([told(response), plain(" \n ".join([*labels, *described]))])


def explanation(response: Response) -> dict[str, Any] | None:
    """Return the explanation: on the first card, or beside the cards when all were withheld, or None."""
    holder = response["cards"][0] if response["cards"] else response
    found: dict[str, Any] | None = holder.get("extension", {}).get(EXTENSION)
    return found
