"""create_app(): the one place where the parts are joined. Start reading here; nothing is decided here."""

from __future__ import annotations

import gc

from flask import Flask

from cds_service.errors import KnowledgeError
from cds_service.knowledge.library import load, load_proven, version_of
from cds_service.knowledge.yaml_reader import with_line
from cds_service.model.definitions import Knowledge
from cds_service.pipeline import Reasoner
from cds_service.settings import RELEASE, Settings, read_settings
from cds_service.web import about, cds_services, clock, discovery, headers, health, hook_request, problems


def create_app(settings: Settings | None = None) -> Flask:
    """Return the WSGI app. Raises `KnowledgeError` when the content has an error: the service then does not start."""
    settings = settings or read_settings()
    reasoner = Reasoner(load_knowledge(settings), about_url=settings.about_url)
    reasoner.release_tables()
    app = Flask("cds_service", static_folder=None)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    app.url_map.merge_slashes = False  # else a doubled slash is answered with a redirect
    headers.install(app, settings.origins)
    problems.install(app)
    hook_request.install(app, settings.most_body_bytes)
    app.register_blueprint(discovery.blueprint(reasoner))
    app.register_blueprint(cds_services.blueprint(reasoner, settings))
    app.register_blueprint(health.blueprint(reasoner))
    app.register_blueprint(about.blueprint(reasoner.knowledge))
    return app


def load_knowledge(settings: Settings) -> Knowledge:
    """Return the content that passed all four gates. Raises `KnowledgeError` with every fault.

    A worker does not repeat what the starting process has just proven of the very same files.
    """
    if settings.proven_content == version_of(settings.cards_folder, RELEASE):
        return load_proven(settings.cards_folder, RELEASE)
    from cds_service.examples import example_faults  # noqa: PLC0415 - a worker with proven content needs none

    knowledge = load(settings.cards_folder, RELEASE, clock.now().date())
    faults = example_faults(knowledge)
    if faults:
        raise KnowledgeError(
            f"{len(faults)} examples of the content fail; correct them and start again.",
            *(str(with_line(fault, settings.cards_folder)) for fault in faults),
        )
    return knowledge


def application() -> Flask:
    """Return the app for a WSGI server's worker, with garbage collection tuned to short-lived requests."""
    app = create_app()
    tune_collection()
    return app


def tune_collection() -> None:
    """Keep the loaded knowledge out of garbage collection, and collect the short-lived rest less often."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 50)
