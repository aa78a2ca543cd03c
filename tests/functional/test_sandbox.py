"""The routes of the sandbox: on in development only, strict with browsers, closed to other origins."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from cds_service.app import create_app, gatherer_for, reasoner_for
from cds_service.errors import SettingsError
from cds_service.settings import Settings, read_settings
from cds_service.web.sandbox import routes
from tests.functional.server import LiveServer
from tests.spec.calls import HOOK_OF_STORY, STORIES
from tests.support.fhir_server import fhir_server, slow
from tests.support.places import SAMPLES
from tests.support.production import production_environment

PAGES = ("/sandbox", "/sandbox/gallery", "/sandbox/explain")


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """Return a client of the service as development starts it."""
    return create_app(Settings()).test_client()


@pytest.fixture(scope="module")
def loopback_client() -> FlaskClient:
    """Return a client of a service that may call FHIR servers on this machine."""
    return create_app(Settings(allow_loopback_fhir=True)).test_client()


@pytest.fixture(params=["production", "off"])
def without(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """Return settings with which the sandbox is off: those of production, and development that says so."""
    if request.param == "off":
        return Settings(sandbox=False)
    for name, value in production_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    return read_settings()


def test_it_is_on_in_development_and_told_at_the_start(live_server: LiveServer) -> None:
    """The service says where the sandbox is, and it answers there."""
    assert f"http://127.0.0.1:{live_server.port}/sandbox\n" in live_server.printed
    connection = live_server.connection()
    connection.request("GET", "/sandbox")
    reply = connection.getresponse()
    assert (reply.status, b"Record a problem" in reply.read()) == (200, True)
    connection.close()


def test_where_it_is_off_nothing_of_it_is_found(without: Settings) -> None:
    """In production, and where it is turned off, every address of it is unknown, and the method page names none."""
    off = create_app(without).test_client()
    for path in (*PAGES, "/sandbox/words", "/sandbox/static/main.js", f"/sandbox/stories/{STORIES[0]}"):
        assert off.get(path).status_code == 404
    assert off.post("/sandbox/fhir", json={}).status_code == 404
    assert "/sandbox" not in off.get("/about").get_data(as_text=True)


def test_production_refuses_to_start_with_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The setting is named; off, or not set, production starts."""
    for name, value in production_environment(tmp_path).items():
        monkeypatch.setenv(name, value)
    for value in ("false", ""):
        monkeypatch.setenv("CDS_SANDBOX", value)
        assert not read_settings().has_sandbox
    monkeypatch.setenv("CDS_SANDBOX", "true")
    with pytest.raises(SettingsError, match="CDS_SANDBOX must be off"):
        read_settings()


@pytest.mark.parametrize("page", PAGES)
def test_the_policy_of_its_pages_is_strict(page: str, client: FlaskClient) -> None:
    """Nothing but own scripts and styles runs; markup becomes HTML through one named policy alone."""
    answer = client.get(page)
    policy = answer.headers["Content-Security-Policy"]
    parts = dict(part.strip().partition(" ")[::2] for part in policy.split(";"))
    assert parts["default-src"] == parts["base-uri"] == parts["form-action"] == "'none'"
    assert parts["script-src"] == parts["style-src"] == parts["connect-src"] == "'self'"
    assert parts["trusted-types"] == "cleaned-cards"
    assert "unsafe" not in policy
    assert answer.headers["Cache-Control"] == "no-store"
    text = answer.get_data(as_text=True)
    assert " style=" not in text
    assert "<script>" not in text
    assert " onclick" not in text


def test_its_files_are_kept_and_asked_about(client: FlaskClient) -> None:
    """A file has a tag; asked again with it, the answer is 304; what is no file of it is unknown."""
    with client.get("/sandbox/static/main.js") as first:
        assert first.mimetype == "text/javascript"
        assert first.headers["Cache-Control"] == "no-cache"
        tag = first.headers["ETag"]
    with client.get("/sandbox/static/main.js", headers={"If-None-Match": tag}) as again:
        assert (again.status_code, again.get_data()) == (304, b"")
    for name in ("../routes.py", "%2e%2e/routes.py", "nothing.js", ""):
        assert client.get(f"/sandbox/static/{name}").status_code == 404


def test_other_origins_are_refused_and_read_nothing(client: FlaskClient) -> None:
    """A page of another origin is refused, and no answer of the sandbox is shared, though CORS is open for hooks."""
    own, other = {"Origin": "http://localhost"}, {"Origin": "https://elsewhere.example"}
    assert client.get("/sandbox/words", headers=own).status_code == 200
    for headers in (own, other):
        answer = client.get("/sandbox/words", headers=headers)
        assert "Access-Control-Allow-Origin" not in answer.headers
        assert answer.headers["Cross-Origin-Resource-Policy"] == "same-origin"
    for path in ("/sandbox/fhir", "/sandbox/render"):
        assert client.post(path, json={"texts": []}, headers=other).status_code == 403
    assert client.get("/cds-services", headers=other).headers["Access-Control-Allow-Origin"] == "*"


def test_a_story_is_the_sample_byte_for_byte(client: FlaskClient) -> None:
    """Each sample that starts with a recorded problem is listed; all are served as they are, and nothing else is."""
    page = client.get("/sandbox").get_data(as_text=True)
    for name in HOOK_OF_STORY:
        assert (f'<option value="{name}"' in page) == (name in STORIES)
        assert (
            client.get(f"/sandbox/stories/{name}").get_data()
            == (SAMPLES / name / "request.json").read_bytes()
        )
    assert "Multiple sclerosis with new fasciculation on a thiazide" in page
    assert client.get("/sandbox/stories/nobody").status_code == 404


def test_without_the_samples_it_says_so_and_works(tmp_path: Path) -> None:
    """Where the folder is missing, as in an installed package, the pages say so and uploading is still offered."""
    settings = Settings()
    app = Flask("without_samples")
    reasoner = reasoner_for(settings)
    app.register_blueprint(routes.blueprint(reasoner, settings, gatherer_for(settings), tmp_path / "none"))
    bare = app.test_client()
    page = bare.get("/sandbox").get_data(as_text=True)
    assert "fhir_samples is missing" in page
    assert "Open a FHIR file" in page
    assert "an installed package does not carry it" in bare.get("/sandbox/gallery").get_data(as_text=True)


def test_the_gallery_shows_every_story_with_its_cards(client: FlaskClient) -> None:
    """Each story stands there with the summaries that its hook call is answered with."""
    text = client.get("/sandbox/gallery").get_data(as_text=True)
    for name in HOOK_OF_STORY:
        assert f'<section class="story" id="{name}"' in text
    body = (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_bytes()
    answer = client.post("/cds-services/muscle-spasm-problem", data=body, content_type="application/json")
    for card in answer.get_json()["cards"]:
        assert f"<h3>{card['summary']}</h3>" in text


def rendered(client: FlaskClient, text: str) -> str:
    """Return the HTML for one Markdown text."""
    answer = client.post("/sandbox/render", json={"texts": [text]})
    assert answer.status_code == 200
    html: str = answer.get_json()["html"][0]
    return html


class Elements(HTMLParser):
    """Gathers the elements of a page and their attributes."""

    def __init__(self) -> None:
        """Nothing has been read yet."""
        super().__init__()
        self.names: set[str] = set()
        self.attributes: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep one element."""
        self.names.add(tag)
        self.attributes |= {name: value or "" for name, value in attrs}


def test_markdown_is_rendered_with_its_tables(client: FlaskClient) -> None:
    """Emphasis and tables become HTML, and a link leads out without a referrer."""
    assert "<strong>K</strong>" in rendered(client, "**K** low")
    assert '<th scope="col">For</th>' in rendered(client, "| For |\n|---|\n| x |")
    cells = rendered(client, "| For | <Against> |\n|---|:--|\n| **x** | |\n\n| For |\n|---|\n| y |")
    assert '<td data-column="For"><strong>x</strong></td>' in cells
    assert '<td data-column="&lt;Against&gt;"></td>' in cells
    assert '<th scope="col" data-empty="">&lt;Against&gt;</th>' in cells
    assert cells.count("data-empty") == 1
    assert '<td data-column="For">y</td>' in cells
    link = rendered(client, "[how](http://127.0.0.1/about)")
    assert 'href="http://127.0.0.1/about"' in link
    assert 'rel="noopener noreferrer"' in link


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "[x](javascript:alert(1))",
        "[x](data:text/html,x)",
        "![x](https://elsewhere.example/x.png)",
        "<style>*{display:none}</style>",
        '<a href="https://x" onclick="x()" style="x" class="x">x</a>',
        "<iframe src=x></iframe>",
        "<svg/onload=alert(1)>",
    ],
)
def test_nothing_else_comes_out_of_markdown(text: str, client: FlaskClient) -> None:
    """No element or attribute that runs, loads, styles or leads anywhere but to the web is left."""
    page = Elements()
    page.feed(rendered(client, text))
    page.close()
    assert page.names <= {"p", "a", "em", "br"}
    assert page.attributes.keys() <= {"href", "rel", "target"}
    assert re.match(r"https?://", page.attributes.get("href", "https://"))


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"texts": "x"}', b'{"texts": [1]}', b'{"texts":["\xff"]}'])
def test_a_malformed_wish_to_render_is_refused(body: bytes, client: FlaskClient) -> None:
    """What is no list of texts is answered with 400 and an OperationOutcome."""
    answer = client.post("/sandbox/render", data=body, content_type="application/json")
    assert (answer.status_code, answer.get_json()["resourceType"]) == (400, "OperationOutcome")


def faults(client: FlaskClient, kind: str, message: Any) -> list[str]:
    """Return what is told of a message."""
    found: list[str] = client.post(f"/sandbox/validate/{kind}", json=message).get_json()["faults"]
    return found


def test_messages_are_held_against_the_standard(client: FlaskClient) -> None:
    """A sample and its answer are sound; a missing member, a long summary and an unknown level are told."""
    request = json.loads((SAMPLES / STORIES[0] / "request.json").read_bytes())
    answer = client.post("/cds-services/muscle-spasm-problem", json=request).get_json()
    assert faults(client, "request", request) == []
    assert faults(client, "response", answer) == []
    assert "hookInstance" in faults(client, "request", {"hook": "x", "context": {}})[0]
    card = answer["cards"][0]
    assert "139" in faults(client, "response", {"cards": [{**card, "summary": "x" * 140}]})[0]
    assert "indicator" in faults(client, "response", {"cards": [{**card, "indicator": "hard-stop"}]})[0]
    assert client.post("/sandbox/validate/card", json={}).status_code == 400
    broken = client.post("/sandbox/validate/request", data=b"{", content_type="application/json")
    assert broken.status_code == 400


PATIENT = {"resourceType": "Patient", "id": "p1", "gender": "female"}
POTASSIUM = {
    "resourceType": "Observation",
    "id": "k1",
    "subject": {"reference": "Patient/p1"},
    "category": [{"coding": [{"code": "laboratory"}]}],
    "effectiveDateTime": "2026-06-01",
}


def wish(base: str, **other: str) -> dict[str, str]:
    """Return the wish for the chart of the one patient."""
    return {"fhirServer": base, "patientId": "p1", **other}


def test_a_chart_is_read_from_a_server_on_this_machine(loopback_client: FlaskClient) -> None:
    """Where that is allowed, every key is asked for once; what the server does not answer is named."""
    with fhir_server(PATIENT, POTASSIUM) as server:
        answer = loopback_client.post("/sandbox/fhir", json=wish(server.base))
        found = answer.get_json()
        asked = len(server.seen)
    assert answer.status_code == 200
    assert found["prefetch"]["patient"] == PATIENT
    assert [entry["resource"]["id"] for entry in found["prefetch"]["labs"]["entry"]] == ["k1"]
    assert found["failed"] == []
    assert asked == len(found["prefetch"])


def test_what_a_server_does_not_answer_is_named(loopback_client: FlaskClient) -> None:
    """A kind that fails is listed, the rest is read; a server that answers nothing is a 412."""
    with fhir_server(PATIENT) as server:
        server.faults["Condition"] = lambda handler: handler.send(500, {})
        found = loopback_client.post("/sandbox/fhir", json=wish(server.base)).get_json()
        assert found["failed"] == ["problems"]
        server.faults["*"] = lambda handler: handler.send(404, {})
        assert loopback_client.post("/sandbox/fhir", json=wish(server.base)).status_code == 412


def test_a_server_that_has_just_been_started_is_waited_for(loopback_client: FlaskClient) -> None:
    """A person waits for the chart: an answer that comes too late for a hook call is still in it."""
    with fhir_server(PATIENT) as server:
        server.faults["Condition"] = slow(Settings().deadline_seconds + 0.5)
        found = loopback_client.post("/sandbox/fhir", json=wish(server.base)).get_json()
    assert found["failed"] == []


def test_it_is_no_way_to_other_servers(client: FlaskClient, loopback_client: FlaskClient) -> None:
    """An unregistered server is not called, nor any by a trick in its address, nor by a foreign host name."""
    with fhir_server(PATIENT) as server:
        assert client.post("/sandbox/fhir", json=wish(server.base)).status_code == 400
        tricks = (
            "https://ehr.example.org/fhir",
            f"{server.base}/../x",
            f"http://x@127.0.0.1:{server.port}/fhir",
            "",
        )
        for base in tricks:
            assert loopback_client.post("/sandbox/fhir", json=wish(base)).status_code == 400
        for patient in ("../Patient/p1", "p1?x=y", ""):
            body = {**wish(server.base), "patientId": patient}
            assert loopback_client.post("/sandbox/fhir", json=body).status_code == 400
        foreign = {"Host": "rebound.example", "Origin": "http://rebound.example"}
        assert (
            loopback_client.post("/sandbox/fhir", json=wish(server.base), headers=foreign).status_code == 403
        )
        assert server.seen == []


@pytest.mark.parametrize("body", [b"{", b"[]", b'{"fhirServer": 1, "patientId": "p1"}', b"{}"])
def test_a_malformed_wish_for_a_chart_is_refused(body: bytes, client: FlaskClient) -> None:
    """What names no server and patient is answered with 400, without its value."""
    answer = client.post("/sandbox/fhir", data=body, content_type="application/json")
    assert answer.status_code == 400


def test_every_id_of_an_explanation_has_words(client: FlaskClient) -> None:
    """Causes, findings, orders, red flags and sources that any story names can be said in words."""
    words = client.get("/sandbox/words").get_json()
    named: dict[str, set[str]] = {
        kind: set() for kind in ("causes", "findings", "orders", "red_flags", "sources")
    }
    for name in STORIES:
        body = (SAMPLES / name / "request.json").read_bytes()
        answer = client.post("/cds-services/muscle-spasm-problem", data=body, content_type="application/json")
        explanation = answer.get_json()["cards"][0]["extension"]["org.spasm-cds.explanation"]
        named["red_flags"] |= {flag["id"] for flag in explanation["red_flags"]}
        named["orders"] |= {item["order"] for item in explanation["workup"]}
        for cause in (*explanation["ranking"], *explanation["not_assessed"]):
            named["causes"].add(cause["cause"])
            named["findings"] |= set(cause["missing"])
            arguments = [*cause.get("for", ()), *cause.get("against", ())]
            named["findings"] |= {argument["finding"] for argument in arguments}
            named["sources"] |= {argument["cites"] for argument in arguments}
    for kind, ids in named.items():
        assert ids
        assert ids <= words[kind].keys()


def test_terms_can_be_recorded(client: FlaskClient) -> None:
    """Every presentation, and the conditions and medicines of the content, are offered with a coding."""
    words, terms = client.get("/sandbox/words").get_json(), client.get("/sandbox/terms").get_json()
    assert all(one["codings"] for one in words["presentations"])
    medicines = {one["name"]: one for one in terms["medications"]}
    assert medicines["Hydrochlorothiazide"]["system"] == "http://www.nlm.nih.gov/research/umls/rxnorm"
    assert "Multiple sclerosis" in {one["name"] for one in terms["conditions"]}
    assert words["ranges"]["2823-3"] == {"unit": "mmol/L", "low": "3.5", "high": "5.3"}


@pytest.mark.parametrize("origin", ["http://[", "https://[x]", "null", "//", "http://localhost:99999999", ""])
def test_an_odd_origin_is_refused_and_no_fault(client: FlaskClient, origin: str) -> None:
    """Whatever stands there, it is another origin."""
    assert client.get("/sandbox", headers={"Origin": origin}).status_code == 403


@pytest.mark.parametrize("host", ["[::1", "localhost:port", "[1.2.3.4]:80"])
def test_an_odd_host_is_refused_and_no_fault(client: FlaskClient, host: str) -> None:
    """A host that names nobody reaches no FHIR server."""
    reply = client.post("/sandbox/fhir", json={}, environ_overrides={"HTTP_HOST": host})
    assert reply.status_code in {400, 403}


def test_a_fault_in_a_message_is_told_by_its_place_alone(client: FlaskClient) -> None:
    """The validation of a response with a made-up indicator names the element and not what stood in it."""
    body = {"cards": [{"summary": "x", "indicator": "CANARY", "source": {"label": "x"}}]}
    told = client.post("/sandbox/validate/response", json=body).get_data(as_text=True)
    assert "$.cards[0].indicator" in told
    assert "CANARY" not in told
