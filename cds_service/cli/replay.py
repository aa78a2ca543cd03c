"""`cds-service replay`: decides hook requests and plain Bundles from files and prints the cards; it stores nothing."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import click
import msgspec
from rich.console import Console

from cds_service.app import reasoner_for
from cds_service.cards.markdown import clean
from cds_service.cli.audit import record_command
from cds_service.cli.bundles import hook_request, patients_in, resources_of
from cds_service.cli.show import show_cards
from cds_service.errors import AnswerError, CDSError
from cds_service.fhir.dates import read_when
from cds_service.fhir.envelope import decode_request
from cds_service.model.decision import Decision
from cds_service.model.definitions import Service
from cds_service.model.hooks import ascii_json
from cds_service.pipeline import Reasoner, decide, is_decidable, moment_of
from cds_service.settings import read_settings
from cds_service.web.clock import now
from cds_service.web.problems import fault_place

_STORY = "request.json"
_SKIPPED = frozenset({"feedback.json"})
_MOST_BYTES = 64 * 1024 * 1024
_JSON = msgspec.json.Decoder(float_hook=Decimal)
"""Keeps the digits of a result as the laboratory printed them: 0.70 stays 0.70."""
_REQUEST = msgspec.json.Encoder(decimal_format="number")


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
@click.option(
    "--overlay",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A site's own folder, laid over the content (default: CDS_CARDS_OVERLAY).",
)
def replay(  # noqa: PLR0913 - one argument for each option of the command
    paths: tuple[Path, ...],
    record: str | None,
    as_of: str | None,
    overlay: Path | None,
    *,
    as_json: bool,
    summary: bool,
) -> None:
    """Replay hook requests and plain FHIR Bundles from files or folders.

    A Bundle needs --record, for example --record fasciculation. Exits with 1 when a file could not be answered.
    """
    settings = read_settings()
    files = [*_files(paths)]
    if settings.is_production:  # who looks at records of patients there does not do so unseen
        record_command(settings, "replay", {"files": len(files)})
    if overlay is not None:
        settings = settings.model_copy(update={"cards_overlay": overlay})
    reasoner = reasoner_for(settings)
    pinned = _moment(as_of)
    console = Console()
    failed = 0
    for path in files:
        for item in _items(path, reasoner, record, pinned):
            answer = item.trouble if item.body is None else _answer(item.body, reasoner, pinned)
            if isinstance(answer, Decision):
                _print(console, item.name, answer, as_json=as_json, summary=summary)
            else:
                failed += 1
                _print_trouble(item.name, answer or "", as_json=as_json)
    if failed:
        sys.exit(1)


def _moment(as_of: str | None) -> datetime | None:
    if as_of is None:
        return None
    when = read_when(as_of)
    if when is not None:
        day = when.latest
        moment = when.at or datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
        if is_decidable(moment):
            return moment
    raise CDSError("--as-of must be a date or date-time of our age, such as 2026-06-15.")


def _files(paths: tuple[Path, ...]) -> Iterator[Path]:
    """Yield files; of a folder with a story only its request, so that each patient is answered once.

    A folder without any file is yielded itself, so that it is told and not passed over.
    """
    for path in paths:
        if not path.is_dir():
            yield path
            continue
        found = sorted(one for one in path.rglob("*.json") if one.name not in _SKIPPED)
        stories = {one.parent for one in found if one.name == _STORY}
        yield from [one for one in found if one.name == _STORY or one.parent not in stories] or [path]


def _items(path: Path, reasoner: Reasoner, record: str | None, pinned: datetime | None) -> Iterator[Item]:
    name = clean(str(path).encode(errors="replace").decode())
    try:
        body = _read(path)
        value = _JSON.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        yield Item(name, None, "The file is not JSON that can be read.")
        return
    except OSError as error:
        yield Item(name, None, f"The file cannot be read: {error.strerror}.")
        return
    except CDSError as error:
        yield Item(name, None, error.text)
        return
    if isinstance(value, dict) and "hook" in value:
        yield Item(name, body)
        return
    yield from _bundle_items(name, value, reasoner, record, pinned)


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise CDSError("The folder holds no JSON file.")
    if not path.is_file():  # reading a pipe or a device might never end
        raise CDSError("This is neither a file nor a folder.")
    if path.stat().st_size > _MOST_BYTES:
        raise CDSError("The file is over 64 MiB.")
    return path.read_bytes()


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
        yield Item(name + suffix, _REQUEST.encode(request))


def _answer(body: bytes, reasoner: Reasoner, pinned: datetime | None) -> Decision | str:
    """Return the decision, or why there is none; one patient's trouble never keeps the others from an answer."""
    try:
        return _decide(body, reasoner, pinned)
    except AnswerError as error:
        where = f" ({', '.join(clean(place) for place in error.where)})" if error.where else ""
        return f"{error.http_status} {error.text}{where}"
    except Exception as error:  # noqa: BLE001 - a fault of ours; its message may hold a value of the chart
        return f"500 Internal error ({fault_place(error)})"


def _decide(body: bytes, reasoner: Reasoner, pinned: datetime | None) -> Decision:
    service = _service_for(body, reasoner)
    request = decode_request(body, service.hook)
    if pinned is not None:
        return decide(request, service, reasoner, pinned)
    request, as_of = moment_of(request, now(), may_replay=True)
    return decide(request, service, reasoner, as_of)


def _service_for(body: bytes, reasoner: Reasoner) -> Service:
    """Return the service that is advertised for the request's hook, else the first, whose check then tells."""
    hook = _JSON.decode(body).get("hook")
    services = list(reasoner.knowledge.services.values())
    return next((service for service in services if service.hook == hook), services[0])


def _print_json(line: dict[str, Any]) -> None:
    """Print one line of JSON; DEL is the one control character that JSON lets stand unescaped."""
    click.echo(ascii_json(line).replace(b"\x7f", b"\\u007f"))


def _print_trouble(name: str, trouble: str, *, as_json: bool) -> None:
    if as_json:
        _print_json({"file": name, "error": trouble})
    else:
        click.echo(f"{name}: {trouble}", err=True)


def _print(console: Console, name: str, decision: Decision, *, as_json: bool, summary: bool) -> None:
    if as_json:
        cards = [card.to_dict() for card in decision.cards]
        notes = [note.code for note in decision.notes]
        _print_json({"file": name, "cards": cards, "notes": notes})
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
