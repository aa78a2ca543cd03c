"""`cds-service trace`: from every statement and id to its files and proofs, as a page; it runs no example."""

from __future__ import annotations

from pathlib import Path

import click

from cds_service.app import prove_knowledge
from cds_service.cli.pages import deliver
from cds_service.errors import CDSError
from cds_service.knowledge.trace import trace_page
from cds_service.knowledge.whole_patients import read_whole_patients
from cds_service.settings import read_settings

_FILE = click.Path(dir_okay=False, path_type=Path)


@click.command()
@click.option(
    "--cases",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="Folder of whole-patient cases (default: tests/cases of the source checkout).",
)
@click.option("--write", type=_FILE, help="Write the page to this file.")
@click.option("--check", type=_FILE, help="Exit with 1 when this file is not the page.")
def trace(cases: Path | None, write: Path | None, check: Path | None) -> None:
    """Trace each statement of the source document and each id to its definitions, examples and cases."""
    settings = read_settings()
    folder = cases or settings.cards_folder.parent / "tests" / "cases"
    if not folder.is_dir():
        raise CDSError("No whole-patient cases lie beside the content; name their folder with --cases.")
    deliver(trace_page(prove_knowledge(settings), read_whole_patients(folder)), write, check, "trace")
