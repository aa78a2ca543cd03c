"""`cds-service doctor`: shows every setting with what it does and checks what the service needs; it changes nothing."""

from __future__ import annotations

import json
import sys

import click
from rich.console import Console
from rich.table import Table

from cds_service.cli.doctor_checks import Finding, State, findings
from cds_service.cli.doctor_settings import Shown, shown_settings
from cds_service.errors import SettingsError
from cds_service.settings import Settings, read_settings

_STYLES = {State.OK: "green", State.OFF: "dim", State.NOTE: "yellow", State.FAULT: "bold red"}
_NARROWEST = 100


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print everything as one JSON object.")
def doctor(*, as_json: bool) -> None:
    """Show what is on, off and missing. Exits with 1 when something would keep the service from working."""
    settings, found = _examined()
    if as_json:
        click.echo(json.dumps(_plain(settings, found), indent=2))
    else:
        _print(settings, found)
    if any(one.state is State.FAULT for one in found):
        sys.exit(1)


def _examined() -> tuple[Settings | None, list[Finding]]:
    """Return the settings and what was found; where the settings themselves are refused, why."""
    try:
        settings = read_settings()
    except SettingsError as error:
        return None, [Finding("settings", State.FAULT, error.text)]
    return settings, findings(settings)


def _plain(settings: Settings | None, found: list[Finding]) -> dict[str, object]:
    shown = shown_settings(settings) if settings is not None else []
    return {
        "settings": [one._asdict() for one in shown],
        "checks": [{**one._asdict(), "state": one.state.value} for one in found],
        "healthy": not any(one.state is State.FAULT for one in found),
    }


def _print(settings: Settings | None, found: list[Finding]) -> None:
    console = Console()
    console = console if console.is_terminal else Console(width=max(console.width, _NARROWEST))
    if settings is not None:
        console.print(_settings_table(shown_settings(settings)))
    console.print(_checks_table(found))


def _settings_table(shown: list[Shown]) -> Table:
    table = Table(title="Settings", title_justify="left", box=None, pad_edge=False)
    for heading in ("variable", "value", "from", "meaning"):
        table.add_column(heading, overflow="fold")
    for one in shown:
        style = "bold" if one.source == "environment" else ""
        table.add_row(one.variable, one.value, one.source, one.meaning, style=style)
    return table


def _checks_table(found: list[Finding]) -> Table:
    table = Table(title="Checks", title_justify="left", box=None, pad_edge=False)
    for heading in ("check", "state", "what was found"):
        table.add_column(heading, overflow="fold")
    for one in found:
        table.add_row(one.check, f"[{_STYLES[one.state]}]{one.state.value}[/]", one.text)
    return table
