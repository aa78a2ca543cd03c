"""`cds-service load-atc`: puts the codes of a site's own ATC list into its overlay; it ships and fetches none."""

from __future__ import annotations

from pathlib import Path

import click

from cds_service.errors import CDSError
from cds_service.folders import default_cards_folder
from cds_service.knowledge.atc import (
    TABLE,
    known_ingredients,
    match_list,
    read_list,
    systemic_only_keys,
    write_matches,
)
from cds_service.knowledge.codes import Tables

_FOLDER = click.Path(file_okay=False, path_type=Path)


@click.command("load-atc")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option(
    "--into", "overlay", required=True, type=_FOLDER, help="The site overlay; it is made if need be."
)
@click.option("--cards", type=_FOLDER, default=None, help="The content (default: the shipped one).")
@click.option(
    "--systemic",
    multiple=True,
    help="Beginning of the ATC codes whose medicines act on the whole body; may be given several times.",
)
@click.option("--missing", is_flag=True, help="Also print the known ingredients that got no code.")
def load_atc(
    file: Path, overlay: Path, cards: Path | None, systemic: tuple[str, ...], *, missing: bool
) -> None:
    """Read the ATC list FILE, CSV with the columns code and name, into a site overlay.

    A code is taken when its name is a known ingredient, or a combination of known ones. Codes loaded before are
    replaced.
    """
    folder = cards or default_cards_folder()
    tables = Tables(folder / "terminology")
    if tables.faults:
        raise CDSError("The code tables have faults: see `cds-service check`.", *map(str, tables.faults))
    codes = read_list(file.read_bytes())
    found = match_list(codes, known_ingredients(tables), systemic_only_keys(folder), systemic)
    if not found.matches:
        raise CDSError(
            f"None of the {len(codes)} names of the list is a known ingredient: nothing is written."
        )
    rows = write_matches(overlay, found.matches, f"ATC list of this site: {file.name}")
    click.echo(f"{len(found.matches)} matched, {found.unmatched} unmatched")
    if found.left_out:
        click.echo(
            f"{found.left_out} left out: they have several forms, and only those that act on the whole body"
        )
        click.echo("  count. Name the beginnings of such codes with --systemic.")
    click.echo(f"{len(found.without_code)} known ingredients have no code in the list")
    if missing:
        for name in found.without_code:
            click.echo(f"  {name}")
    click.echo(f"{overlay}/terminology/{TABLE}.csv now holds {rows} rows")
    click.echo(f"Next: cds-service check --overlay {overlay}")
