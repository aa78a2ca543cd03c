"""What `doctor` looks at: content, store, secret, clients, audit, metrics and mode; it mends nothing."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import text

from cds_service.app import load_knowledge
from cds_service.cli.doctor_settings import without_password
from cds_service.errors import CDSError
from cds_service.registrations import clients_for
from cds_service.settings import Mode, Settings, refusals
from cds_service.store.chain import chain_heads
from cds_service.store.database import Database
from cds_service.store.keys import read_keys
from cds_service.store.schema import HEAD, revision_of

_SYNCHRONOUS = {0: "off", 1: "normal", 2: "full", 3: "extra"}


class State(StrEnum):
    """How a check ended; a fault would keep the service from working."""

    OK = "ok"
    OFF = "off"
    NOTE = "note"
    FAULT = "fault"


class Finding(NamedTuple):
    """One line of the doctor."""

    check: str
    state: State
    text: str


def findings(settings: Settings) -> list[Finding]:
    """Return what every check found. A check that fails is a fault and does not end the others."""
    found: list[Finding] = []
    for name, check in _CHECKS.items():
        try:
            found += check(settings)
        except CDSError as error:
            found.append(Finding(name, State.FAULT, " ".join((error.text, *error.where[:3]))))
    return found


def _mode(settings: Settings) -> Iterator[Finding]:
    if settings.is_production:
        yield Finding("mode", State.OK, "production; no setting is refused")
        return
    who = "any client may call" if settings.is_open else "only registered clients may call"
    yield Finding("mode", State.NOTE, f"development: {who}")
    for refusal in refusals(settings):
        yield Finding("mode", State.NOTE, f"production would refuse: {refusal}")


def _content(settings: Settings) -> Iterator[Finding]:
    knowledge = load_knowledge(settings)
    yield Finding("content", State.OK, f"passes all four gates; knowledge {knowledge.version}")
    count = len(knowledge.site_changes)
    if settings.cards_overlay is not None:
        yield Finding("site overlay", State.OK, f"{count} changes of the site")
    else:
        yield Finding("site overlay", State.OFF, "CDS_CARDS_OVERLAY is not set")


def _secret(settings: Settings) -> Iterator[Finding]:
    if settings.secret_key_file is None and not settings.secret_file.exists():
        yield Finding("secret", State.NOTE, "none yet; development makes one at the first start")
        return
    read_keys(settings.secret_file)
    yield Finding("secret", State.OK, "readable for its owner alone")


def _store(settings: Settings) -> Iterator[Finding]:
    database = Database(settings.store_url)
    try:
        yield from _store_of(settings, database)
    finally:
        database.close()


def _store_of(settings: Settings, database: Database) -> Iterator[Finding]:
    where = without_password(settings.store_url)
    found = revision_of(database)
    if found is None:
        is_made = settings.mode is Mode.DEVELOPMENT
        told = "development makes it at the first start" if is_made else "make one with `cds-service migrate`"
        yield Finding("store", State.NOTE if is_made else State.FAULT, f"{where}: no tables yet; {told}")
        return
    if found != HEAD:
        told = (
            f"{where}: the tables are in state {found}, this release needs {HEAD}; run `cds-service migrate`"
        )
        yield Finding("store", State.FAULT, told)
        return
    yield Finding("store", State.OK, f"{where}: reachable, tables in state {HEAD}")
    yield _durability(database)
    yield from _audit_of(settings, database)


def _durability(database: Database) -> Finding:
    with database.reading() as connection:
        if database.is_sqlite:
            journal = connection.execute(text("PRAGMA journal_mode")).scalar()
            level = _SYNCHRONOUS.get(int(connection.execute(text("PRAGMA synchronous")).scalar() or 0), "?")
            is_safe = journal == "wal" and level in {"full", "extra"}
            told = f"journal {journal}, synchronous {level}; one machine only"
        else:
            level = str(connection.execute(text("SHOW synchronous_commit")).scalar())
            is_safe = level != "off"
            told = f"synchronous_commit {level}"
    return Finding("store durability", State.OK if is_safe else State.FAULT, told)


def _audit_of(settings: Settings, database: Database) -> Iterator[Finding]:
    chains = chain_heads(database)
    count = sum(head.sequence for head in chains.values())
    yield Finding(
        "audit",
        State.OK,
        f"{count} records in {len(chains)} chains; `cds-service audit verify` checks them",
    )
    waiting = sum(1 for file in settings.audit_folder.glob("*.spool") if file.stat().st_size)
    if waiting:
        yield Finding("audit", State.NOTE, f"{waiting} files of records wait for the store")


def _audit(settings: Settings) -> Iterator[Finding]:
    if settings.requires_audit:
        yield Finding("audit required", State.OK, "a decision that cannot be recorded is answered with 503")
    else:
        yield Finding(
            "audit required", State.OFF, "a decision that cannot be recorded is answered and logged"
        )
    if settings.audit_checkpoints is None:
        yield Finding("audit checkpoints", State.OFF, "an end that was cut off would not be seen")
    else:
        yield Finding("audit checkpoints", State.OK, "appended every 1000 records or 5 minutes")


def _clients(settings: Settings) -> Iterator[Finding]:
    registered = clients_for(settings).clients
    if not registered:
        yield Finding("clients", State.OFF, "none registered; nothing is fetched")
    for client in registered:
        keys = f"keys at {client.jwks_url}" if client.jwks_url else "keys in the file"
        who = f"issuer {client.issuer}, {keys}" if client.issuer else "no issuer: it cannot show who it is"
        yield Finding(f"client {client.id}", State.OK, f"{who}; {client.fhir_base or 'no FHIR server'}")


def _metrics(settings: Settings) -> Iterator[Finding]:
    if settings.metrics_token is not None:
        yield Finding("metrics", State.OK, "/metrics, with the token")
    if settings.metrics_bind:
        yield Finding(
            "metrics", State.OK, f"http://{settings.metrics_bind}/metrics, open to whoever reaches it"
        )
    if settings.metrics_token is None and not settings.metrics_bind:
        yield Finding("metrics", State.OFF, "set CDS_METRICS_TOKEN or CDS_METRICS_BIND")


def _limits(settings: Settings) -> Iterator[Finding]:
    told = (
        f"{settings.most_in_flight} calls at a time and process, bodies to {settings.most_body_bytes} bytes"
    )
    yield Finding("limits", State.OK, told)
    if settings.calls_per_minute:
        yield Finding("rate limit", State.OK, f"{settings.calls_per_minute} a minute, client and process")
    else:
        yield Finding("rate limit", State.OFF, "CDS_CALLS_PER_MINUTE is 0")


_CHECKS: dict[str, Callable[[Settings], Iterator[Finding]]] = {
    "mode": _mode,
    "content": _content,
    "secret": _secret,
    "store": _store,
    "audit": _audit,
    "clients": _clients,
    "metrics": _metrics,
    "limits": _limits,
}
"""Name of a check → what makes its lines; another part of the service adds its own here."""
