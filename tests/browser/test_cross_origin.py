"""A browser on a page of another origin finds the services, calls one and reports feedback, where it may."""

from __future__ import annotations

import http.server
import json
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, sync_playwright

from cds_service.store.database import Database
from tests.functional.server import LiveServer
from tests.support.feedback import AT, kept_of
from tests.support.places import SAMPLES

pytestmark = pytest.mark.browser

REQUEST = json.loads((SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_text("utf-8"))
SCRIPT = """
async ([service, request, at]) => {
  const send = (path, body) => fetch(service + path, {
    method: body ? "POST" : "GET",
    headers: {"Authorization": "Bearer of-nobody", ...(body ? {"Content-Type": "application/json"} : {})},
    body: body ? JSON.stringify(body) : undefined,
  });
  const found = await (await send("/cds-services")).json();
  const one = found.services.find((each) => each.hook === request.hook);
  const path = "/cds-services/" + one.id;
  const {cards} = await (await send(path, request)).json();
  const suggestion = cards[0].suggestions[0].uuid;
  const feedback = [{card: cards[0].uuid, outcome: "accepted", acceptedSuggestions: [{id: suggestion}],
                     outcomeTimestamp: at}];
  const stored = await send(path + "/feedback", {feedback});
  const refused = await send(path + "/feedback", {feedback: [{}]});
  return {card: cards[0].uuid, stored: stored.status, body: await stored.json(),
          refused: refused.status, issue: (await refused.json()).issue[0].code};
}
"""


class _OnePage(http.server.BaseHTTPRequestHandler):
    """Serves one empty page, whatever is asked for."""

    def do_GET(self) -> None:
        """Answer with the page."""
        body = b"<!doctype html><title>Another origin</title>"
        self.send_response(http.HTTPStatus.OK)
        self.send_header("Content-Type", "text/html")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_parts: object) -> None:
        """Print nothing."""


@pytest.fixture
def other_origin() -> Iterator[str]:
    """Return the address of a page that does not come from the service."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _OnePage)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def page(other_origin: str) -> Iterator[Page]:
    """Return a browser's page of another origin."""
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=shutil.which("chromium"), args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(other_origin)
        yield page
        browser.close()


def serve(folder: Path, **changes: str) -> LiveServer:
    """Return a running service with a store of its own."""
    return LiveServer(
        folder / "server.log", {"DATABASE_URL": f"sqlite:///{folder / 'store.sqlite3'}", **changes}
    )


def run(page: Page, server: LiveServer) -> Any:
    """Run the whole round in the browser."""
    return page.evaluate(SCRIPT, [f"http://127.0.0.1:{server.port}", REQUEST, AT])


@pytest.mark.parametrize("named", [False, True])
def test_discovery_call_and_feedback_work_across_origins(
    page: Page, other_origin: str, tmp_path: Path, *, named: bool
) -> None:
    """With every origin allowed, and with this one named, all three calls go through, a refusal is readable too."""
    server = serve(tmp_path, **({"CDS_ALLOWED_ORIGINS": other_origin} if named else {}))
    told = run(page, server)
    assert server.stop() == 0
    card = told.pop("card")
    assert told == {"stored": 200, "body": {}, "refused": 400, "issue": "required"}
    database = Database(f"sqlite:///{tmp_path / 'store.sqlite3'}")
    (kept,) = kept_of(database, card)
    database.close()
    assert (kept.outcome, kept.is_known, len(kept.suggestions)) == ("accepted", True, 1)


def test_an_origin_that_is_not_named_is_kept_out(page: Page, tmp_path: Path) -> None:
    """The browser gives such a page nothing of the answers."""
    server = serve(tmp_path, CDS_ALLOWED_ORIGINS="https://ehr.example.org")
    with pytest.raises(Exception, match="Failed to fetch"):
        run(page, server)
    assert server.stop() == 0
