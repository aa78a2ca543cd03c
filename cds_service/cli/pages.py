"""Prints, writes or checks a page that is made from the content; the content itself is never changed."""

from __future__ import annotations

import sys
from pathlib import Path

import click


def deliver(page: str, write: Path | None, check: Path | None, command: str) -> None:
    """Write `page`, or compare it with the file and exit with 1 when that is out of date, or else print it."""
    if check is not None:
        if not check.is_file() or check.read_text("utf-8") != page:
            click.echo(f"{check} is out of date; run: cds-service {command} --write {check}", err=True)
            sys.exit(1)
        click.echo(f"{check} is up to date.")
    elif write is not None:
        write.parent.mkdir(parents=True, exist_ok=True)
        write.write_text(page, "utf-8")
        click.echo(f"{write} is written.")
    else:
        click.echo(page, nl=False)
