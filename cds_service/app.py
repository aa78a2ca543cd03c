"""create_app(): the one place where the parts are joined. Start reading here; nothing is decided here."""

from __future__ import annotations

import gc
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from multiprocessing import util as processes

from flask import Flask
from sqlalchemy import Connection

from cds_service.clients import read_clients
from cds_service.errors import KnowledgeError
from cds_service.fetch.addresses import Base, Policy
from cds_service.gathering import Gatherer, Registry
from cds_service.knowledge.library import load
from cds_service.knowledge.overlay import Layers
from cds_service.knowledge.proven import proof_of, recall, remember, without_examples
from cds_service.model.definitions import Knowledge
from cds_service.pipeline import Reasoner
from cds_service.settings import RELEASE, Mode, Settings, read_settings
from cds_service.store.database import Database
from cds_service.store.schema import require_current
from cds_service.store.store import Store, open_store
from cds_service.web import (
    about,
    cds_services,
    clock,
    discovery,
    feedback,
    headers,
    health,
    hook_request,
    icon,
    problems,
    questionnaires,
)
from cds_service.web.delivery import Delivery, Observer
from cds_service.web.quiet import Quiet

_BEFORE_LOGGING_ENDS = 10


def create_app(settings: Settings | None = None, observers: Sequence[Observer] = ()) -> Flask:
    """Return the WSGI app; `observers` are told of what is delivered and of feedback.

    Raises `KnowledgeError`, `SettingsError`, `StoreError` or `StoreUnavailableError` when the service cannot start.
    """
    settings = settings or read_settings()
    gatherer = gatherer_for(settings)
    reasoner = reasoner_for(settings)
    reasoner.release_tables()
    store = store_for(settings)
    processes.Finalize(None, store.close, exitpriority=_BEFORE_LOGGING_ENDS)  # runs in forked workers too
    delivery = Delivery(store, reasoner.knowledge, quiet_for(settings, store, reasoner.knowledge), observers)
    app = Flask("cds_service", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.merge_slashes = False  # else a doubled slash is answered with a redirect
    headers.install(app, settings.origins)
    problems.install(app)
    hook_request.install(app, settings.most_body_bytes)
    app.register_blueprint(discovery.blueprint(reasoner))
    app.register_blueprint(cds_services.blueprint(reasoner, settings, gatherer, delivery))
    app.register_blueprint(feedback.blueprint(reasoner, settings, store, tuple(observers)))
    app.register_blueprint(health.blueprint(reasoner))
    app.register_blueprint(about.blueprint(reasoner.knowledge))
    app.register_blueprint(icon.blueprint())
    app.register_blueprint(questionnaires.blueprint(reasoner.knowledge))
    return app


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
    policies = {
        client.fhir_base: Policy(
            private=client.private_network,
            loopback=settings.allow_loopback_fhir and Base(client.fhir_base).is_loopback,
            ca_file=str(client.ca_file) if client.ca_file is not None else None,
        )
        for client in read_clients(settings.clients).clients
        if client.fhir_base is not None
    }
    return Registry(policies, loopback=settings.allow_loopback_fhir)


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
    app = create_app()
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
