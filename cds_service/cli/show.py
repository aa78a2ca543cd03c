"""Prints cards for a person at a terminal; chart text cannot move the cursor or colour the screen."""

from __future__ import annotations

from rich.console import Console
from rich.markdown import Markdown
from rich.panel import Panel
from rich.text import Text

from cds_service.cards.markdown import clean
from cds_service.model.decision import Decision
from cds_service.model.hooks import Card

_COLORS = {"info": "blue", "warning": "yellow", "critical": "red"}


def show_cards(console: Console, name: str, decision: Decision) -> None:
    """Print every card of a decision, then the notes that cost something."""
    console.rule(Text(clean(name)))
    if not decision.cards:
        console.print("No card.")
    for card in decision.cards:
        console.print(_panel(card))
    for note in decision.notes:
        if note.severity != "information":
            console.print(Text(f"note {note.code} at {clean(note.path)}: {note.remedy}"), style="dim")


def _panel(card: Card) -> Panel:
    lines = "\n".join(
        f"- {'(recommended) ' if suggestion.is_recommended else ''}{suggestion.label}"
        for suggestion in card.suggestions
    )
    body = f"**{card.summary}**\n\n{card.detail or ''}" + (f"\n\n**Suggestions**\n\n{lines}" if lines else "")
    color = _COLORS[card.indicator.value]
    return Panel(Markdown(body), title=card.indicator.value, border_style=color, title_align="left")
