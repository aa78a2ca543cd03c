"""`cds-service replay`: decides hook requests and plain Bundles from files and prints the cards; it stores nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, NamedTuple

import click
import orjson
from rich.console import Console

from cds_service.app import load_knowledge
from cds_service.cli.bundles import hook_request, patients_in, resources_of
from cds_service.cli.show import show_cards
from cds_service.errors import AnswerError, CDSError
from cds_service.fhir.dates import read_when
from cds_service.fhir.envelope import decode_request
from cds_service.model.decision import Decision
from cds_service.model.definitions import Service
from cds_service.pipeline import Reasoner, decide, moment_of
from cds_service.settings import read_settings
from cds_service.web.clock import now

_SKIPPED = frozenset({"feedback.json"})
_MOST_BYTES = 64 * 1024 * 1024


class Item(NamedTuple):
    """One thing to replay: where it came from, the request, and what kept it from being one."""

    name: str
    body: bytes | None
    trouble: str | None = None


@click.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option("--record", default=None, help="For plain Bundles: the problem that the clinician records.")
@click.option(
    "--as-of",
    "as_of",
    default=None,
    help="Decide at this date or date-time (default: the request's, else now).",
)
@click.option(
    "--json", "as_json", is_flag=True, help="Print one JSON line per patient instead of readable cards."
)
@click.option("--summary", is_flag=True, help="Print one line per patient.")
def replay(
    paths: tuple[Path, ...], record: str | None, as_of: str | None, *, as_json: bool, summary: bool
) -> None:
    """Replay hook requests and plain FHIR Bundles from files or folders.

    A Bundle needs --record, for example --record fasciculation. Exits with 1 when a file could not be answered.
    """
    reasoner = Reasoner(load_knowledge(read_settings()))
    pinned = _moment(as_of)
    console = Console()
    failed = 0
    for path in _files(paths):
        for item in _items(path, reasoner, record, pinned):
            if item.body is None:
                failed += 1
                _print_trouble(item, as_json=as_json)
                continue
            try:
                decision = _decide(item.body, reasoner, pinned)
            except AnswerError as error:
                failed += 1
                where = f" ({', '.join(error.where)})" if error.where else ""
                _print_trouble(
                    Item(item.name, None, f"{error.http_status} {error.text}{where}"), as_json=as_json
                )
                continue
            _print(console, item.name, decision, as_json=as_json, summary=summary)
    if failed:
        sys.exit(1)


def _moment(as_of: str | None) -> datetime | None:
    if as_of is None:
        return None
    when = read_when(as_of)
    if when is None:
        raise CDSError("--as-of must be a date or date-time, such as 2026-06-15.")
    if when.at is not None:
        return when.at
    day: date = when.latest
    return datetime(day.year, day.month, day.day, 12, tzinfo=UTC)


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Yield files; of a folder of stories only the requests, so that each patient is answered once."""
    for path in paths:
        if path.is_file():
            yield path
            continue
        requests = sorted(path.rglob("request.json"))
        yield from requests or (one for one in sorted(path.rglob("*.json")) if one.name not in _SKIPPED)


def _items(path: Path, reasoner: Reasoner, record: str | None, pinned: datetime | None) -> Iterator[Item]:
    name = str(path)
    if path.stat().st_size > _MOST_BYTES:
        yield Item(name, None, "The file is over 64 MiB.")
        return
    body = path.read_bytes()
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError:
        yield Item(name, None, "The file is not JSON.")
        return
    if isinstance(value, dict) and "hook" in value:
        yield Item(name, body)
        return
    yield from _bundle_items(name, value, reasoner, record, pinned)


def _bundle_items(
    name: str, value: Any, reasoner: Reasoner, record: str | None, pinned: datetime | None
) -> Iterator[Item]:
    resources = resources_of(value) if isinstance(value, dict) else []
    patients = patients_in(resources)
    if not resources:
        yield Item(name, None, "The file is neither a hook request nor a FHIR resource.")
    elif record is None:
        yield Item(name, None, "A plain Bundle needs --record, for example --record fasciculation.")
    elif not patients:
        yield Item(name, None, "No resource names a patient.")
    if record is None:
        return
    for patient in patients:
        moment = pinned.isoformat() if pinned else None
        try:
            request = hook_request(resources, patient, reasoner.templates, record, moment)
        except AnswerError as error:
            yield Item(name, None, error.text)
            continue
        suffix = f" {patient}" if len(patients) > 1 else ""
        yield Item(name + suffix, orjson.dumps(request))


def _decide(body: bytes, reasoner: Reasoner, pinned: datetime | None) -> Decision:
    service = _service_for(body, reasoner)
    request = decode_request(body, service.hook)
    if pinned is not None:
        return decide(request, service, reasoner, pinned)
    request, as_of = moment_of(request, now(), may_replay=True)
    return decide(request, service, reasoner, as_of)


def _service_for(body: bytes, reasoner: Reasoner) -> Service:
    """Return the service that is advertised for the request's hook, else the first, whose check then tells."""
    hook = orjson.loads(body).get("hook")
    services = list(reasoner.knowledge.services.values())
    return next((service for service in services if service.hook == hook), services[0])


def _print_trouble(item: Item, *, as_json: bool) -> None:
    if as_json:
        click.echo(orjson.dumps({"file": item.name, "error": item.trouble}).decode())
    else:
        click.echo(f"{item.name}: {item.trouble}", err=True)


def _print(console: Console, name: str, decision: Decision, *, as_json: bool, summary: bool) -> None:
    if as_json:
        cards = [card.to_dict() for card in decision.cards]
        notes = [note.code for note in decision.notes]
        click.echo(orjson.dumps({"file": name, "cards": cards, "notes": notes}).decode())
    elif summary:
        level = max((card.indicator.rank for card in decision.cards), default=-1)
        word = ("none", "info", "warning", "critical")[level + 1]
        causes = ", ".join(
            f"{one.cause.id} {one.standing.value}" for one in decision.ranking if one.is_candidate
        )
        costly = sum(note.severity != "information" for note in decision.notes)
        click.echo(f"{name}: {word}; {causes or 'no candidate'}; {costly} notes")
    else:
        show_cards(console, name, decision)
