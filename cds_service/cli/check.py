"""`cds-service check`: prints every fault of every content file with its remedy; it repairs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds_service.examples import example_faults
from cds_service.knowledge.library import Inspection
from cds_service.knowledge.yaml_reader import with_line
from cds_service.model.faults import Fault
from cds_service.settings import RELEASE, default_cards_folder
from cds_service.web.clock import now


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
def check(folder: Path | None) -> None:
    """Check the content in FOLDER (default: the shipped one) through all four gates.

    Prints `file:line: path [check] what is wrong. remedy`. Exits with 1 when there is an error.
    """
    folder = folder or default_cards_folder()
    inspection = Inspection(folder, RELEASE, now().date())
    faults = list(inspection.faults)
    if inspection.knowledge is not None:
        from cds_service.knowledge.fhir_check import draft_faults  # noqa: PLC0415 - loads fhir.resources

        later = [*example_faults(inspection.knowledge), *draft_faults(inspection.knowledge)]
        faults += [with_line(fault, folder) for fault in later]
    for fault in faults:
        click.echo(f"{folder.name}/{fault}")
    _summarise(inspection, faults)
    if any(not fault.is_warning for fault in faults):
        sys.exit(1)


def _summarise(inspection: Inspection, faults: list[Fault]) -> None:
    counts = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in inspection.counts.items() if count
    )
    click.echo(f"{inspection.folder.name}: {counts}")
    errors = sum(not fault.is_warning for fault in faults)
    click.echo(f"{errors} errors, {len(faults) - errors} warnings")
    if inspection.knowledge is not None and not errors:
        knowledge = inspection.knowledge
        examples = sum(
            len(getattr(definition, "examples", ()))
            for kind in ("presentations", "value_sets", "labs", "rules", "red_flags", "causes")
            for definition in getattr(knowledge, kind).values()
        )
        click.echo(f"{examples} examples hold; knowledge version {knowledge.version}")
