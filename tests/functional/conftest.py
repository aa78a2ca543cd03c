"""A running service for the tests of this folder, started once and only when a test asks for it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.functional.server import LiveServer


@pytest.fixture(scope="session")
def live_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Return a service in development mode; its log fails the run if it does not start."""
    server = LiveServer(tmp_path_factory.mktemp("live") / "server.log")
    yield server
    assert server.stop() == 0
