"""A service as `make run` starts it and one chromium for the tests of this folder; nothing leaves this machine."""

from __future__ import annotations

import shutil
from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

from tests.browser.desk import Desk
from tests.functional.server import LiveServer


@pytest.fixture(scope="session")
def service(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LiveServer]:
    """Return a service in development mode that may read FHIR servers on this machine."""
    log = tmp_path_factory.mktemp("browser") / "server.log"
    server = LiveServer(log, {"CDS_ALLOW_LOOPBACK_FHIR": "true"})
    yield server
    assert server.stop() == 0


@pytest.fixture(scope="session")
def browser() -> Iterator[Browser]:
    """Return the chromium of the machine."""
    with sync_playwright() as playwright:
        running = playwright.chromium.launch(executable_path=shutil.which("chromium"))
        yield running
        running.close()


@pytest.fixture
def page(browser: Browser, service: LiveServer) -> Iterator[Page]:
    """Return a page in a fresh context. The test fails on a script error and on a request that leaves the origin."""
    context = browser.new_context(
        base_url=f"http://127.0.0.1:{service.port}", viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(10_000)
    opened = context.new_page()
    errors: list[str] = []
    asked: list[str] = []
    opened.on("pageerror", lambda error: errors.append(str(error)))
    opened.on("console", lambda said: errors.append(said.text) if "Content Security" in said.text else None)
    opened.on("dialog", lambda dialog: errors.append(f"a dialog says {dialog.message}"))
    opened.on("request", lambda request: asked.append(request.url))
    yield opened
    context.close()
    assert errors == []
    origin = f"http://127.0.0.1:{service.port}/"
    assert [url for url in asked if not url.startswith((origin, f"blob:{origin}"))] == []


@pytest.fixture
def desk(page: Page) -> Desk:
    """Return the sandbox page, ready for a chart."""
    made = Desk(page)
    made.visit()
    return made
