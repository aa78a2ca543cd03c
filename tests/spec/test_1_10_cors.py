"""CDS Hooks 2.0.1, CORS: what a client in a browser needs, and what production withholds."""

from __future__ import annotations

import pytest

from tests.spec.calls import DISCOVERY, PROBLEM, VIEW, Answer, Ask, recording, story
from tests.spec.conftest import ORIGIN

ROUTES = [DISCOVERY, PROBLEM, VIEW, "/cds-services/unknown", "/health/ready", "/about", "/nowhere"]
SANDBOX = "https://sandbox.cds-hooks.org"


def _preflight(ask: Ask, path: str, origin: str, method: str = "POST") -> Answer:
    return ask(
        path,
        None,
        {
            "Origin": origin,
            "Access-Control-Request-Method": method,
            "Access-Control-Request-Headers": "authorization,content-type",
        },
        "OPTIONS",
    )


@pytest.mark.parametrize("path", ROUTES)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_preflight_is_answered_before_anything_else(ask: Ask, path: str, method: str) -> None:
    """Every route answers a preflight with 2xx and allows what a hook call needs, also one that does not exist."""
    answer = _preflight(ask, path, SANDBOX, method)
    assert (answer.status, answer.body) == (204, b"")
    assert "content-type" not in answer.headers
    assert answer.headers["access-control-allow-origin"] == "*"
    assert {"GET", "POST", "OPTIONS"} <= set(answer.headers["access-control-allow-methods"].split(", "))
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert {"authorization", "content-type"} <= set(allowed)


def test_options_without_an_origin_is_answered_too(ask: Ask) -> None:
    """A plain OPTIONS request is no fault, and says nothing of CORS."""
    answer = ask(PROBLEM, method="OPTIONS")
    assert (answer.status, answer.body) == (204, b"")
    assert not [name for name in answer.headers if name.startswith("access-control")]


def test_answers_and_errors_name_the_origin(ask: Ask) -> None:
    """The browser may read every answer: cards, discovery and each refusal."""
    origin = {"Origin": SANDBOX}
    answers = [
        ask(DISCOVERY, None, origin, "GET"),
        ask(PROBLEM, story(), origin),
        ask(PROBLEM, recording(), origin),
        ask(PROBLEM, b"{", origin),
        ask(PROBLEM, b"{}", {**origin, "Content-Type": "text/plain"}),
        ask("/cds-services/unknown", story(), origin),
        ask(PROBLEM, None, origin, "GET"),
    ]
    assert [answer.status for answer in answers] == [200, 200, 412, 400, 415, 404, 405]
    assert {answer.headers["access-control-allow-origin"] for answer in answers} == {"*"}


def test_an_internal_fault_names_the_origin(ask_app: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even a fault of ours can be read by the client in the browser."""
    monkeypatch.setattr("cds_service.pipeline.read_facts", None)
    answer = ask_app(PROBLEM, story(), {"Origin": SANDBOX})
    assert answer.status == 500
    assert answer.headers["access-control-allow-origin"] == "*"


def test_no_answer_allows_credentials(ask: Ask, ask_production: Ask) -> None:
    """Cookies and the like are never asked for."""
    for asked in (ask, ask_production):
        for answer in (_preflight(asked, PROBLEM, ORIGIN), asked(PROBLEM, story(), {"Origin": ORIGIN})):
            assert "access-control-allow-credentials" not in answer.headers


@pytest.mark.parametrize("path", ROUTES)
def test_production_allows_a_registered_origin(ask_production: Ask, path: str) -> None:
    """A named origin is echoed, and caches are told that the answer depends on it."""
    for answer in (
        _preflight(ask_production, path, ORIGIN),
        ask_production(path, None, {"Origin": ORIGIN}, "GET"),
    ):
        assert answer.headers["access-control-allow-origin"] == ORIGIN
        assert answer.headers["vary"] == "Origin"
    assert _preflight(ask_production, path, "https://b.example").status == 204


@pytest.mark.parametrize(
    "origin",
    [
        "https://evil.example",
        "null",
        "http://ehr.example.org",
        "https://ehr.example.org.evil.example",
        "https://ehr.example.org:444",
        "https://EHR.example.org/",
        "*",
    ],
)
def test_production_allows_no_other_origin(ask_production: Ask, origin: str) -> None:
    """An origin that is not named gets an answer without permission to read it, preflight included."""
    for answer in (
        _preflight(ask_production, PROBLEM, origin),
        ask_production(PROBLEM, story(), {"Origin": origin}),
        ask_production(PROBLEM, b"{", {"Origin": origin}),
    ):
        assert not [name for name in answer.headers if name.startswith("access-control")]
        assert answer.headers["vary"] == "Origin"
