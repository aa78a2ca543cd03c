"""`cds-service`: the commands and their exit statuses; each command lives in its own module."""

from __future__ import annotations

import sys

import click

from cds_service import __version__
from cds_service.cli.audit import audit
from cds_service.cli.check import check
from cds_service.cli.doctor import doctor
from cds_service.cli.load_atc import load_atc
from cds_service.cli.load_samples import load_samples
from cds_service.cli.migrate import migrate_store
from cds_service.cli.purge import purge_store
from cds_service.cli.replay import replay
from cds_service.cli.report import report
from cds_service.cli.review import review
from cds_service.cli.serve import serve
from cds_service.cli.trace import trace
from cds_service.errors import CDSError


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(__version__, prog_name="cds-service")
def cli() -> None:
    """Muscle spasm decision support over CDS Hooks."""


cli.add_command(serve)
cli.add_command(check)
cli.add_command(doctor)
cli.add_command(audit)
cli.add_command(load_atc)
cli.add_command(load_samples)
cli.add_command(migrate_store)
cli.add_command(purge_store)
cli.add_command(replay)
cli.add_command(trace)
cli.add_command(review)
cli.add_command(report)


def main() -> None:
    """Run the command line; a known fault is told in words, with its own exit status."""
    try:
        cli()
    except CDSError as error:
        click.echo(error.text, err=True)
        for place in error.where:
            click.echo(f"  {place}", err=True)
        sys.exit(error.exit_status)


if __name__ == "__main__":
    main()
