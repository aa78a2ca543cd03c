"""Prints cards for a person at a terminal; chart text cannot move the cursor or colour the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cds_service.cards.markdown import clean
from cds_service.model.facts import ReadingNote

COLORS = {"info": "blue", "warning": "yellow", "critical": "red"}


def show_cards(
    console: Console, name: str, cards: Iterable[Mapping[str, Any]], notes: Iterable[ReadingNote]
) -> None:
    """Print every card of an answer, then the notes that cost something."""
    console.rule(Text(clean(name)))
    shown = [_panel(card) for card in cards]
    for panel in shown:
        console.print(panel)
    if not shown:
        console.print("No card.")
    for note in notes:
        if note.severity != "information":
            console.print(Text(f"note {note.code} at {clean(note.path)}: {note.remedy}"), style="dim")


def _panel(card: Mapping[str, Any]) -> Panel:
    lines = "\n".join(
        f"- {'(recommended) ' if suggestion.get('isRecommended') else ''}{suggestion['label']}"
        for suggestion in card.get("suggestions", ())
    )
    body = f"**{card['summary']}**\n\n{card.get('detail') or ''}" + (
        f"\n\n**Suggestions**\n\n{lines}" if lines else ""
    )
    level = card["indicator"]
    return Panel(Markdown(body), title=level, border_style=COLORS[level], title_align="left")
