"""`cds-service review`: all rules in plain words, as a page that a clinician can read and sign; it signs nothing."""

from __future__ import annotations

from pathlib import Path

import click

from cds_service.app import prove_knowledge
from cds_service.cli.pages import deliver
from cds_service.knowledge.review_page import review_page
from cds_service.settings import read_settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option("--write", type=_FILE, help="Write the page to this file.")
@click.option("--check", type=_FILE, help="Exit with 1 when this file is not the page.")
def review(write: Path | None, check: Path | None) -> None:
    """Say in plain words what the content makes the service do, for a clinician to read and sign."""
    deliver(review_page(prove_knowledge(read_settings())), write, check, "review")
