"""`cds-service check`: prints every fault of every content file with its remedy; it repairs nothing."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from cds_service.examples import example_faults
from cds_service.fhir.questionnaire_resource import questionnaire_resource
from cds_service.folders import default_cards_folder
from cds_service.knowledge.codes import summary_of
from cds_service.knowledge.library import Inspection
from cds_service.model.definitions import Knowledge
from cds_service.model.faults import Fault
from cds_service.settings import RELEASE
from cds_service.web.clock import now


@click.command()
@click.argument("folder", type=click.Path(exists=True, file_okay=False, path_type=Path), required=False)
@click.option(
    "--overlay",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A site's own folder, laid over the content before it is checked.",
)
def check(folder: Path | None, overlay: Path | None) -> None:
    """Check the content in FOLDER (default: the shipped one) through all four gates.

    Prints `file:line: path [check] what is wrong. remedy`. Exits with 1 when there is an error.
    """
    folder = folder or default_cards_folder()
    inspection = Inspection(folder, RELEASE, now().date(), overlay)
    faults = list(inspection.faults)
    if inspection.knowledge is not None:
        later = [*example_faults(inspection.knowledge), *fhir_faults(inspection.knowledge)]
        faults += [inspection.layers.placed(fault) for fault in later]
    for fault in faults:
        click.echo(fault if fault.folder else f"{folder.name}/{fault}")
    _summarise(inspection, faults)
    if any(not fault.is_warning for fault in faults):
        sys.exit(1)


def fhir_faults(knowledge: Knowledge) -> list[Fault]:
    """Return what would not be FHIR R4 among the draft orders and the questionnaires."""
    from cds_service.knowledge import fhir_check  # noqa: PLC0415 - loads fhir.resources

    served = {
        name: questionnaire_resource(questionnaire, knowledge.version)
        for name, questionnaire in knowledge.questionnaires.items()
    }
    return [*fhir_check.draft_faults(knowledge), *fhir_check.questionnaire_faults(served)]


def _summarise(inspection: Inspection, faults: list[Fault]) -> None:
    counts = ", ".join(
        f"{count} {kind.replace('_', ' ')}" for kind, count in inspection.counts.items() if count
    )
    click.echo(f"{inspection.folder.name}: {counts}")
    if inspection.layers.overlay is not None:
        click.echo(f"site overlay {inspection.layers.label} changes or adds:")
    for change in inspection.site_changes:
        click.echo(f"  {change}")
    errors = sum(not fault.is_warning for fault in faults)
    click.echo(f"{errors} errors, {len(faults) - errors} warnings")
    if inspection.knowledge is not None and not errors:
        knowledge = inspection.knowledge
        examples = sum(
            len(getattr(definition, "examples", ()))
            for kind in ("presentations", "value_sets", "labs", "rules", "red_flags", "causes")
            for definition in getattr(knowledge, kind).values()
        )
        click.echo(f"codes: {summary_of(knowledge.codes)}")
        click.echo(f"{examples} examples hold; knowledge version {knowledge.version}")
