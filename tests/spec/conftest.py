"""Two ways to ask the same service for the tests of this folder: in process and over HTTP."""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings, read_settings
from tests.functional.server import LiveServer, clean_environment
from tests.spec.calls import Ask, asking_in_process, asking_over_http
from tests.support.production import authorized, production_environment

ORIGIN = "https://ehr.example.org"
PUBLIC = "https://cds.example.org/spasm"


@pytest.fixture(scope="session", autouse=True)
def _no_settings_from_outside() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in set(os.environ) - set(clean_environment()):
            if not name.startswith("CDS_TEST"):  # these are for the tests that come later in this run
                patch.delenv(name)
        yield


@pytest.fixture(scope="session")
def app() -> Flask:
    """Return the application in development mode."""
    return create_app(Settings())


@pytest.fixture(scope="session")
def production_app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """Return the application as an operator would run it, but for repeating: tests ask about the same patients."""
    environment = production_environment(tmp_path_factory.mktemp("store"), public=PUBLIC)
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**environment, "CDS_QUIET": "false"}.items():
            patch.setenv(name, value)
        return create_app(read_settings())


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Return a running service in development mode."""
    server = LiveServer(tmp_path_factory.mktemp("live") / "server.log")
    yield server
    assert server.stop() == 0


@pytest.fixture(params=["in-process", "over-http"])
def ask(request: pytest.FixtureRequest) -> Ask:
    """Return a way to ask; each test runs once in process and once against a running service."""
    if request.param == "in-process":
        return asking_in_process(request.getfixturevalue("app"))
    return asking_over_http(request.getfixturevalue("live_server"))


@pytest.fixture
def ask_app(app: Flask) -> Ask:
    """Return a way to ask in process, for what does not depend on the server."""
    return asking_in_process(app)


@pytest.fixture
def ask_server(live_server: LiveServer) -> Ask:
    """Return a way to ask the running service."""
    return asking_over_http(live_server)


@pytest.fixture
def ask_production(production_app: Flask) -> Ask:
    """Return a way to ask the application in production mode, as its one client, with a new token for each call."""
    return asking_in_process(production_app, lambda path: authorized(path, public=PUBLIC))
