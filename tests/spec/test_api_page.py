"""docs/api.md lists what the application answers, and what can be imported; it is read, never trusted."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
from typing import Any, NamedTuple

import pytest
from flask import Flask

from cds_service.app import create_app
from cds_service.settings import Settings
from tests.spec.calls import STORY, story
from tests.support.documented import table_rows
from tests.support.places import ROOT

PAGE = (ROOT / "docs" / "api.md").read_text("utf-8")
TOKEN = "a token of nobody, for tests"
OPTIONS: dict[str, dict[str, Any]] = {
    "always": {"sandbox": False},
    "CDS_SANDBOX": {"sandbox": True},
    "CDS_METRICS_TOKEN": {"sandbox": False, "metrics_token": TOKEN},
}
SENT: dict[str, Any] = {
    "/cds-services/{service_id}": story(STORY),
    "/cds-services/{service_id}/feedback": {
        "feedback": [
            {
                "card": "9368d37b-283f-44a0-93ea-547cebab93ed",
                "outcome": "overridden",
                "outcomeTimestamp": "2026-06-20T10:06:02Z",
            }
        ]
    },
    "/sandbox/render": {"texts": ["**bold**"]},
    "/sandbox/validate/{kind}": story(STORY),
}
BROUGHT_ELSEWHERE: dict[str, frozenset[int]] = {
    "/cds-services/{service_id}": frozenset({401, 429}),
    "/cds-services/{service_id}/feedback": frozenset({401, 429}),
    "/health/ready": frozenset({503}),
    "/sandbox/fhir": frozenset({200, 412}),
}
"""Statuses that need registered clients, a limit, a lost store or a FHIR server: other tests bring them about."""
ELSEWHERE = {"Origin": "https://elsewhere.example"}


class Route(NamedTuple):
    """One row of the page."""

    method: str
    path: str
    on: str
    answers: frozenset[int]
    media_type: str

    @property
    def address(self) -> str:
        """The path with a name that exists in place of each variable."""
        start = self.path.partition("{")[0]
        path = self.path.replace("{service_id}", "muscle-spasm-problem").replace("{kind}", "request")
        return path.replace("{name}", dict(STEMS).get(start, ""))

    @property
    def first(self) -> int:
        """The answer when all is well."""
        return min(self.answers)


STEMS = (
    ("/fhir/Questionnaire/", "muscle-spasm-history"),
    ("/sandbox/stories/", STORY),
    ("/sandbox/static/", "main.js"),
)


def routes() -> list[Route]:
    """Return the rows of the page."""
    return [
        Route(
            method,
            path.strip("`"),
            on.strip("`"),
            frozenset(map(int, answers.split(", "))),
            media_type.strip("`"),
        )
        for method, path, on, answers, media_type, _what in table_rows(PAGE, "Method")
    ]


@pytest.fixture(scope="module")
def apps() -> dict[str, Flask]:
    """Return an application for each thing that can be on."""
    return {on: create_app(Settings(**chosen)) for on, chosen in OPTIONS.items()}


@pytest.mark.parametrize("on", OPTIONS)
def test_the_page_lists_what_the_application_answers(on: str, apps: dict[str, Flask]) -> None:
    """Method by method and path by path, with each setting as it is named."""
    served = {
        (method, re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule.rule))
        for rule in apps[on].url_map.iter_rules()
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }
    assert served == {(one.method, one.path) for one in routes() if one.on in {"always", on}}


def observed(route: Route, app: Flask) -> dict[int, str | None]:
    """Return the answers to a good call and to several bad ones, by status, with the media type."""
    client = app.test_client()
    headers = {"Authorization": f"Bearer {TOKEN}"} if route.on == "CDS_METRICS_TOKEN" else {}
    good: dict[str, Any] = {"headers": headers}
    calls = [good]
    if route.method == "POST":
        good["json"] = SENT.get(route.path, {"fhirServer": "https://unknown.example.org", "patientId": "p1"})
        calls += [
            {"data": b"{", "content_type": "application/json"},
            {"data": b"x" * (6 * 1024 * 1024), "content_type": "application/json"},
            {"data": b"{}", "content_type": "text/plain"},
        ]
    if route.path == "/cds-services/{service_id}":
        calls.append({"json": story(STORY) | {"prefetch": {}}})
    if route.on == "CDS_SANDBOX":
        calls.append({"headers": ELSEWHERE})
    if route.on == "CDS_METRICS_TOKEN":
        calls.append({})
    replies = [client.open(route.address, method=route.method, **one) for one in calls]
    if "{name}" in route.path or "{service_id}" in route.path:
        nobody = re.sub(r"\{\w+\}", "nobody", route.path)
        replies.append(client.open(nobody, method=route.method, **good))
    for reply in replies:
        reply.close()  # else the file that it sends stays open
    return {reply.status_code: reply.mimetype for reply in replies}


@pytest.mark.parametrize("route", routes(), ids=lambda route: f"{route.method} {route.path}")
def test_each_address_answers_as_the_page_says(route: Route, apps: dict[str, Flask]) -> None:
    """The good call has the first status and the media type; bad calls have no status that is not listed."""
    found = observed(route, apps[route.on])
    assert set(found) <= route.answers
    assert route.answers - set(found) == BROUGHT_ELSEWHERE.get(route.path, frozenset())
    if route.first in found:
        assert route.media_type in {found[route.first], "by file"}
    assert {found[status] for status in set(found) - {route.first}} <= {"application/fhir+json"}


def test_only_the_metrics_tell_their_refusal(apps: dict[str, Flask]) -> None:
    """Without the token the figures are 401."""
    reply = apps["CDS_METRICS_TOKEN"].test_client().get("/metrics")
    assert (reply.status_code, reply.headers["WWW-Authenticate"]) == (401, "Bearer")


def test_every_module_of_types_is_listed() -> None:
    """Each module of cds_service.model has a row, and each row can be imported."""
    listed = {row[0].strip("`") for row in table_rows(PAGE, "Module")}
    folder = ROOT / "cds_service" / "model"
    assert listed == {
        f"cds_service.model.{path.stem}" for path in folder.glob("*.py") if path.stem != "__init__"
    }
    assert all(importlib.import_module(name).__doc__ for name in listed)


def test_every_noun_is_shown() -> None:
    """Each public class and function of hooks stands among the members that the page draws."""
    (members,) = re.findall(r":members: (.+)", PAGE)
    hooks = importlib.import_module("cds_service.model.hooks")
    public = {
        name
        for name, one in vars(hooks).items()
        if (inspect.isclass(one) or inspect.isfunction(one))
        and one.__module__ == hooks.__name__
        and not name.startswith("_")
    }
    assert set(members.split(", ")) == public


def test_the_nouns_can_be_imported_alone() -> None:
    """Neither the web framework nor the clinical content comes along."""
    code = "import sys, cds_service.model.hooks; print(*sorted(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    loaded = done.stdout.split()
    assert not [name for name in loaded if name.partition(".")[0] in {"flask", "yaml", "pydantic", "orjson"}]
    assert [name for name in loaded if name.startswith("cds_service") and ".model" not in name] == [
        "cds_service",
        "cds_service.errors",
    ]


def test_the_example_of_the_page_runs() -> None:
    """It prints what its comment says."""
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    told = code.rpartition("# ")[2].strip()
    module: dict[str, Any] = {}
    exec(code, module)  # noqa: S102 - the page's own code
    assert module["card"].to_dict() == ast.literal_eval(told)
