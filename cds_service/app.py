"""create_app(): the one place where the parts are joined. Start reading here; nothing is decided here."""

from __future__ import annotations

import gc
import signal
from collections.abc import Collection, Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util as processes

from flask import Blueprint, Flask
from sqlalchemy import Connection

from cds_service.errors import KnowledgeError
from cds_service.fetch.addresses import Base, Policy
from cds_service.gathering import Gatherer, Registry
from cds_service.knowledge.library import load
from cds_service.knowledge.overlay import Layers
from cds_service.knowledge.proven import proof_of, recall, remember, without_examples
from cds_service.model.definitions import Knowledge
from cds_service.pipeline import Reasoner
from cds_service.registrations import clients_for, identity_for
from cds_service.settings import RELEASE, Mode, Settings, read_settings
from cds_service.store.audit import Audit
from cds_service.store.database import Database
from cds_service.store.moments import to_milliseconds
from cds_service.store.schema import require_current
from cds_service.store.seen_tokens import StoredTokens
from cds_service.store.store import Store, open_store
from cds_service.web import (
    about,
    calls,
    cds_services,
    client_keys,
    clock,
    discovery,
    feedback,
    headers,
    health,
    hook_request,
    icon,
    log_lines,
    metrics,
    problems,
    questionnaires,
)
from cds_service.web.admission import Gate, Rates, Readers
from cds_service.web.client_trust import ClientTrust
from cds_service.web.delivery import Delivery, Observer
from cds_service.web.lifecycle import Lifecycle, store_checks
from cds_service.web.quiet import Quiet
from cds_service.web.recorder import Recorder

THREADS = 256
"""Per worker: a client that sends its body slowly holds one thread, so there are many more than the work needs."""

_BEFORE_LOGGING_ENDS = 10
_SLOW_BODIES = THREADS * 3 // 4
"""So many threads may wait for bodies; the others are for everybody else."""


def create_app(settings: Settings | None = None, observers: Sequence[Observer] = ()) -> Flask:
    """Return the WSGI app; `observers` are told of what is delivered and of feedback.

    Raises `KnowledgeError`, `SettingsError`, `StoreError` or `StoreUnavailableError` when the service cannot start.
    """
    settings = settings or read_settings()
    gatherer = gatherer_for(settings)
    reasoner = reasoner_for(settings)
    sandbox = sandbox_for(settings, reasoner, gatherer)
    reasoner.release_tables()
    store = store_for(settings)
    audit = audit_for(settings, store, reasoner.knowledge.version)
    meter = metrics.Meter(reasoner.knowledge, store)
    passed = calls_for(settings, store, meter, reasoner.knowledge.services)
    recorder = Recorder(audit, reasoner.knowledge.version)
    told: tuple[Observer, ...] = (recorder, meter, calls.Witness(), *observers)
    identity = identity_for(settings, reasoner.knowledge.services, StoredTokens(store.database))
    passed.lifecycle.add(client_keys.NAME, client_keys.ClientKeys(identity).are_usable)
    trust = ClientTrust(identity, settings.base_url)
    delivery = Delivery(store, reasoner.knowledge, quiet_for(settings, store, reasoner.knowledge), told)
    app = Flask("cds_service", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.merge_slashes = False  # else a doubled slash is answered with a redirect
    calls.install(app, passed)
    headers.install(app, settings.origins)
    problems.install(app)
    hook_request.install(app, settings.most_body_bytes)
    app.register_blueprint(discovery.blueprint(reasoner))
    app.register_blueprint(cds_services.blueprint(reasoner, settings, trust, gatherer, delivery))
    app.register_blueprint(feedback.blueprint(reasoner, settings, trust, store, told))
    app.register_blueprint(health.blueprint(reasoner, passed.lifecycle))
    app.register_blueprint(about.blueprint(reasoner.knowledge, has_sandbox=settings.has_sandbox))
    app.register_blueprint(icon.blueprint())
    app.register_blueprint(questionnaires.blueprint(reasoner.knowledge))
    if settings.metrics_token is not None:
        app.register_blueprint(metrics.blueprint(meter, settings.metrics_token.get_secret_value()))
    if sandbox is not None:
        app.register_blueprint(sandbox)
    return app


def sandbox_for(settings: Settings, reasoner: Reasoner, gatherer: Gatherer) -> Blueprint | None:
    """Return the routes of the sandbox; None where it is off, and then none of its libraries is loaded."""
    if not settings.has_sandbox:
        return None
    from cds_service.web.sandbox import routes  # noqa: PLC0415 - production has no use for them

    return routes.blueprint(reasoner, settings, gatherer, settings.samples_folder)


def audit_for(settings: Settings, store: Store, knowledge_version: str) -> Audit:
    """Return the audit of this process, opened; it is closed, and the store with it, when the process ends."""
    audit = Audit(
        store,
        settings.audit_folder,
        is_required=settings.requires_audit,
        checkpoints=settings.audit_checkpoints,
    )
    opening = {"release": RELEASE, "knowledge": knowledge_version, "mode": settings.mode.value}
    audit.begin(to_milliseconds(clock.now()), opening)

    def end() -> None:
        audit.close(to_milliseconds(clock.now()))
        store.close()

    processes.Finalize(None, end, exitpriority=_BEFORE_LOGGING_ENDS)  # runs in forked workers too
    return audit


def calls_for(
    settings: Settings, store: Store, meter: metrics.Meter, services: Collection[str]
) -> calls.Calls:
    """Return what every request passes: limits, counters and the state of readiness."""
    return calls.Calls(
        gate=Gate(settings.most_in_flight),
        rates=Rates(settings.calls_per_minute),
        readers=Readers(_SLOW_BODIES),
        meter=meter,
        lifecycle=Lifecycle(settings.run_folder, store_checks(store)),
        services=frozenset(services),
    )


def reasoner_for(settings: Settings) -> Reasoner:
    """Return the reasoner of these settings, the same for the service and for a replay. Raises `KnowledgeError`."""
    with collection_paused():
        return Reasoner(
            load_knowledge(settings),
            about_url=settings.about_url,
            critical_as=settings.critical_as,
            questionnaires_url=settings.questionnaires_url,
            icon_url=settings.icon_url,
        )


def store_for(settings: Settings) -> Store:
    """Return the store of these settings. Raises `StoreError` or `StoreUnavailableError` when it cannot be used."""
    may_make = settings.mode is Mode.DEVELOPMENT
    return open_store(settings.store_url, settings.secret_file, may_make=may_make)


@contextmanager
def store_reader(settings: Settings) -> Iterator[Connection]:
    """Open the store to read, for a report. Raises `StoreError` or `StoreUnavailableError`; it never makes a store."""
    database = Database(settings.store_url)
    try:
        require_current(database)
        with database.reading() as connection:
            yield connection
    finally:
        database.close()


def quiet_for(settings: Settings, store: Store, knowledge: Knowledge) -> Quiet | None:
    """Return what keeps the same advice from being repeated, or None where each answer stands alone."""
    return Quiet(store, knowledge.override_reasons, settings.quiet_days) if settings.is_quiet else None


def gatherer_for(settings: Settings) -> Gatherer:
    """Return what fetches from the registered FHIR servers. Raises `SettingsError` for a faulty file of clients."""
    registry = registry_for(settings)
    if registry.is_empty:
        return Gatherer(None, registry)
    from cds_service.fetch.client import FHIRClient  # noqa: PLC0415 - loads an HTTP library, which takes its time

    return Gatherer(FHIRClient(), registry)


def registry_for(settings: Settings) -> Registry:
    """Return which servers may be called, and how. Raises `SettingsError` for a faulty file of clients."""
    registered = [(one, one.fhir_base) for one in clients_for(settings).clients if one.fhir_base is not None]
    policies = {
        base: Policy(
            private=client.private_network,
            loopback=settings.allow_loopback_fhir and Base(base).is_loopback,
            ca_file=str(client.ca_file) if client.ca_file is not None else None,
        )
        for client, base in registered
    }
    bases = {client.id: base for client, base in registered}
    return Registry(policies, loopback=settings.allow_loopback_fhir, bases=bases)


def load_knowledge(settings: Settings) -> Knowledge:
    """Return the content that passed all four gates, without its examples. Raises `KnowledgeError` with every fault.

    What was proven before, of the very same files by the very same code, is not proven again.
    """
    proof = proof_of(settings.cards_folder, settings.cards_overlay)
    known = recall(proof, settings.proven_folder)
    if known is not None:
        return known
    with collection_paused():
        knowledge = without_examples(prove_knowledge(settings))
    remember(knowledge, proof, settings.proven_folder)
    return knowledge


def prove_knowledge(settings: Settings) -> Knowledge:
    """Return the whole content after it has passed all four gates. Raises `KnowledgeError` with every fault."""
    from cds_service.examples import example_faults  # noqa: PLC0415 - proven content needs none

    folder, overlay = settings.cards_folder, settings.cards_overlay
    knowledge = load(folder, RELEASE, clock.now().date(), overlay)
    faults = example_faults(knowledge)
    if faults:
        layers = Layers(folder, overlay)
        raise KnowledgeError(
            f"{len(faults)} examples of the content fail; correct them and start again.",
            *(str(layers.placed(fault)) for fault in faults),
        )
    return knowledge


def application() -> Flask:
    """Return the app for a WSGI server's worker, with garbage collection tuned to short-lived requests."""
    # The handler that came along with the fork belongs to the parent: until the server sets its own, just end.
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    settings = read_settings()
    log_lines.install(settings.logs_as)
    app = create_app(settings)
    tune_collection()
    return app


@contextmanager
def collection_paused() -> Iterator[None]:
    """Leave garbage collection out while much is made that stays: it would only look at it all again and again."""
    was_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_on:
            gc.enable()


def tune_collection() -> None:
    """Keep the loaded knowledge out of garbage collection, and collect the short-lived rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
