"""A hook call without prefetch, and a FHIR server behind it: the same answer, in time, whatever the server does."""

from __future__ import annotations

import json
import logging
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient

from cds_service.app import create_app, registry_for
from cds_service.clients import read_clients
from cds_service.errors import SettingsError
from cds_service.replay.card_text import explanation, told
from cds_service.settings import Settings
from tests.functional.server import LiveServer, clean_environment
from tests.support import fhir_server as served
from tests.support import resources
from tests.support.case_files import Case, whole_patients
from tests.support.fhir_server import FHIRServer, fhir_server
from tests.support.json_text import to_json
from tests.support.patients import hook_request, record, recorded_conditions, subject_of
from tests.support.production import write_clients
from tests.support.timing import best_of_three

CASE = next(case for case in whole_patients() if case["id"] == "P02")
EXAMPLE = Path(__file__).parents[2] / "docs" / "examples" / "clients.yaml"
SERVICE = "/cds-services/muscle-spasm-problem"
SHORT = 0.8
IN_TIME = SHORT + 0.2
"""The contract: every fault is answered within the deadline and 200 ms."""
KEYS = tuple(hook_request(CASE)["prefetch"])
TOKEN = "token-that-nobody-else-may-see"
AUTHORIZATION = {
    "access_token": TOKEN,
    "token_type": "Bearer",
    "expires_in": 300,
    "scope": "patient/*.rs",
    "subject": "cds-service",
}


def chart(case: Case) -> list[dict[str, Any]]:
    """Return everything that a FHIR server holds of a case."""
    held = [resource for found in record(case).values() for resource in found]
    person = resources.patient(case["patient"], subject_of(case), case["id"])
    return [person, *recorded_conditions(case), *held]


@pytest.fixture
def server() -> Iterator[FHIRServer]:
    """Return a server that holds the chart of the case."""
    with fhir_server(*chart(CASE)) as running:
        yield running


def made(**settings: Any) -> FlaskClient:
    """Return a client of an application with these settings."""
    return create_app(Settings(**settings)).test_client()


@pytest.fixture(scope="module")
def client() -> FlaskClient:
    """Return a client of an application that may call this machine."""
    return made(allow_loopback_fhir=True, deadline_seconds=4.5)


@pytest.fixture(scope="module")
def hasty() -> FlaskClient:
    """Return a client of one with a short deadline; what it learns of a server goes by the port, which is used once."""
    return made(allow_loopback_fhir=True, deadline_seconds=SHORT)


@pytest.fixture(scope="module")
def closed(tmp_path_factory: pytest.TempPathFactory) -> FlaskClient:
    """Return a client of one that may not call this machine; a server elsewhere is registered."""
    client = {"id": "ehr", "fhir_base": "https://ehr.example.org/fhir"}
    return made(clients=write_clients(tmp_path_factory.mktemp("clients"), client))


def call(server: FHIRServer, *kept: str, **members: Any) -> dict[str, Any]:
    """Return the hook call with these prefetch keys alone, and the server to ask for the rest."""
    body = hook_request(CASE)
    body["prefetch"] = {key: body["prefetch"][key] for key in kept}
    return {**body, "fhirServer": server.base, "fhirAuthorization": AUTHORIZATION, **members}


def ask(client: FlaskClient, body: dict[str, Any], status: int = 200) -> dict[str, Any]:
    """Return the answer."""
    reply = client.post(SERVICE, data=to_json(body).encode(), content_type="application/json")
    assert reply.status_code == status, reply.get_data(as_text=True)
    answer: dict[str, Any] = reply.get_json()
    return answer


def notes(answer: dict[str, Any]) -> list[tuple[str, str]]:
    """Return (code, path) of every note of an answer."""
    found = explanation(answer)
    assert found is not None
    return [(note["code"], note["path"]) for note in found["notes"]]


def test_what_is_fetched_is_worth_what_was_sent(client: FlaskClient, server: FHIRServer) -> None:
    """The cards are the same, word for word, whether the chart came along or had to be fetched."""
    sent = ask(client, hook_request(CASE))
    fetched = ask(client, call(server))
    assert told(fetched) == told(sent)
    assert {code for code, _path in notes(fetched)} == {"fetched"}
    assert {seen.headers["authorization"] for seen in server.seen} == {f"Bearer {TOKEN}"}


def test_only_what_is_absent_is_fetched(client: FlaskClient, server: FHIRServer) -> None:
    """Null, an empty Bundle and a failure that the client reports are answers: nobody asks again."""
    body = call(server, "labs", "patient")
    body["prefetch"] |= {
        "exam": None,
        "vitals": {"resourceType": "Bundle"},
        "familyHistory": {"resourceType": "OperationOutcome"},
    }
    answer = ask(client, body)
    asked = {(seen.path, seen.query.get("category")) for seen in server.seen}
    assert ("/fhir/Observation", "laboratory") not in asked
    assert not {path for path, _category in asked} & {
        "/fhir/Patient/p02-patient",
        "/fhir/FamilyMemberHistory",
    }
    assert not {category for _path, category in asked} & {"exam", "vital-signs"}
    assert ("prefetch-failed", "prefetch.familyHistory") in notes(answer)


def test_pages_are_followed(client: FlaskClient, server: FHIRServer) -> None:
    """An answer in pages of one entry is read to its end."""
    server.page_size = 1
    assert told(ask(client, call(server))) == told(ask(client, hook_request(CASE)))


def endless(server: FHIRServer) -> served.Fault:
    """Return pages that point at one another for ever."""

    def fault(handler: Any) -> None:
        other = "2" if "page=1" in handler.path else "1"
        link = [{"relation": "next", "url": f"{server.base}/Condition?page={other}"}]
        handler.send(200, {"resourceType": "Bundle", "type": "searchset", "link": link})

    return fault


def test_pages_that_never_end_are_left(client: FlaskClient, server: FHIRServer) -> None:
    """A loop is found, and the answer counts as incomplete."""
    server.faults["Condition"] = endless(server)
    answer = ask(client, call(server))
    assert ("more-pages", "prefetch.problems") in notes(answer)
    assert sum(seen.path == "/fhir/Condition" for seen in server.seen) <= 10


def test_a_next_page_elsewhere_is_not_fetched(client: FlaskClient, server: FHIRServer) -> None:
    """A link off the registered base never sees the token."""
    with fhir_server() as other:
        link = [{"relation": "next", "url": f"{other.base}/Condition?page=2"}]
        server.faults["Condition"] = served.status(
            200, {"resourceType": "Bundle", "type": "searchset", "link": link}
        )
        answer = ask(client, call(server))
        assert other.seen == []
        assert ("more-pages", "prefetch.problems") in notes(answer)


FAULTS = {
    "500": served.status(500),
    "401": served.status(401),
    "403": served.status(403),
    "404": served.status(404),
    "html": served.html(),
    "xml": served.text(b"<Bundle/>", "application/fhir+xml"),
    "not-json": served.text(b"{"),
    "empty": served.text(b""),
    "array": served.text(b"[]"),
    "nan": served.text(b'{"resourceType": "Bundle", "total": NaN}'),
    "deep": served.text(b"[" * 100_000),
    "outcome": served.text(b'{"resourceType": "OperationOutcome", "issue": []}'),
    "another type": served.text(b'{"resourceType": "Organization", "id": "o1"}'),
    "latin-1": served.text(b'{"resourceType": "Bundle", "id": "\xff"}'),
    "metadata": served.redirect("http://169.254.169.254/latest/meta-data"),
    "gzip": served.compressed(),
    "huge": served.huge(30, with_length=False),
    "hang": served.hang(2),
    "hang-after-headers": served.hang_after_headers(2),
    "drip": served.drip(0.1, 20),
    "drip-headers": served.drip(0.1, 20, headers=True),
}


@pytest.mark.parametrize("name", FAULTS)
def test_when_everything_fails_the_answer_is_412(hasty: FlaskClient, name: str) -> None:
    """In time, with key names alone: neither the server, nor its words, nor what went wrong is told."""

    def attempt() -> float:
        with fhir_server() as server:
            server.faults["*"] = FAULTS[name]
            began = time.monotonic()
            answer = ask(hasty, call(server), 412)
            took = time.monotonic() - began
        (issue,) = answer["issue"]
        assert issue["code"] == "incomplete"
        assert issue["details"] == {"text": "Required data not available"}
        assert all(path.startswith("prefetch.") for path in issue["expression"])
        assert "SECRET" not in str(answer)
        return took

    assert best_of_three(attempt, IN_TIME) < IN_TIME


@pytest.mark.parametrize("name", FAULTS)
def test_when_one_query_fails_the_rest_is_used(hasty: FlaskClient, name: str) -> None:
    """What arrived makes cards; what did not is named on the card and in the notes."""

    def attempt() -> float:
        with fhir_server(*chart(CASE)) as server:
            server.faults["ServiceRequest"] = FAULTS[name]
            began = time.monotonic()
            reply = hasty.post(SERVICE, data=to_json(call(server)).encode(), content_type="application/json")
            took = time.monotonic() - began
        if reply.status_code == 412:  # not one query came back in time, as on a machine that stood still
            return float("inf")
        answer = reply.get_json()
        assert "Not checked serviceRequests: not received." in told(answer)
        assert "Not used" not in told(answer), "one failure is not told twice"
        codes = {code for code, path in notes(answer) if path.startswith("prefetch.serviceRequests")}
        assert "fetch-failed" in codes
        assert "fetched" not in codes
        assert "SECRET" not in str(answer)
        return took

    assert best_of_three(attempt, IN_TIME) < IN_TIME


def test_another_patients_resources_are_dropped(client: FlaskClient, server: FHIRServer) -> None:
    """A server that mixes patients up costs those resources, with a note of the graver kind."""
    stranger = [one for one in chart(CASE) if one["resourceType"] == "Condition"]
    for one in stranger:
        one["subject"] = {"reference": "Patient/somebody-else"}
    entries = [{"resource": one} for one in stranger]
    server.faults["Condition"] = served.status(
        200, {"resourceType": "Bundle", "type": "searchset", "entry": entries}
    )
    assert "other-patient" in {code for code, _path in notes(ask(client, call(server)))}


def test_another_patient_is_not_believed(client: FlaskClient, server: FHIRServer) -> None:
    """A read that returns somebody else costs age and sex, with a note of the graver kind."""
    server.faults["Patient"] = served.status(
        200, {"resourceType": "Patient", "id": "somebody-else", "birthDate": "1911-01-01", "gender": "male"}
    )
    answer = ask(client, call(server))
    assert ("other-patient", "prefetch.patient") in notes(answer)
    assert "Not checked patient: not received." in told(answer)


def test_numbers_beyond_all_bounds_are_no_results(client: FlaskClient, server: FHIRServer) -> None:
    """A number that no computer holds and a resource that refers to itself: noted, and valid JSON leaves."""
    lab = next(one for one in chart(CASE) if one["resourceType"] == "Observation" and "valueQuantity" in one)
    sent = to_json({**lab, "contained": [{"resourceType": "Observation", "id": "x"}], "hasMember": "#x"})
    value = str(lab["valueQuantity"]["value"])
    bundle = f'{{"resourceType": "Bundle", "entry": [{{"resource": {sent.replace(value, "1e400")}}}]}}'
    server.faults["Observation"] = served.text(bundle.encode())
    answer = ask(client, call(server))
    assert "Infinity" not in to_json(answer)
    assert {code for code, _path in notes(answer)} - {"fetched"}


def test_a_token_for_another_patient_is_not_used(client: FlaskClient, server: FHIRServer) -> None:
    """Nothing is fetched with it."""
    body = call(server, "labs", fhirAuthorization={**AUTHORIZATION, "patient": "somebody-else"})
    assert ("other-patient", "fhirAuthorization.patient") in notes(ask(client, body))
    assert server.seen == []


def test_a_token_that_has_expired_is_not_used(client: FlaskClient, server: FHIRServer) -> None:
    """Its life is over before the call is."""
    ask(client, call(server, fhirAuthorization={**AUTHORIZATION, "expires_in": 0}), 412)
    assert server.seen == []


def test_nothing_is_fetched_where_nothing_is_recorded(client: FlaskClient, server: FHIRServer) -> None:
    """A problem that is none of ours needs no chart."""
    body = call(server)
    body["context"]["conditions"] = {
        "resourceType": "Bundle",
        "entry": [{"resource": {"resourceType": "Condition", "code": {"text": "Asthma"}}}],
    }
    assert ask(client, body) == {"cards": []}
    assert server.seen == []


HOSTILE = [
    "http://169.254.169.254/latest",
    "https://ehr.example.org/fhir",
    "file:///etc/passwd",
    "gopher://127.0.0.1:{port}/fhir",
    "//127.0.0.1:{port}/fhir",
    "HTTP://127.0.0.1:{port}/fhir",
    "http://LOCALHOST:{port}/fhir",
    "http://localhost.:{port}/fhir",
    "http://user@127.0.0.1:{port}/fhir",
    "http://user:word@127.0.0.1:{port}/fhir",
    "http://127.0.0.1:{port}\\@ehr.example.org/fhir",
    "http://ehr.example.org\\@127.0.0.1:{port}/fhir",
    "http://ehr.example.org@127.0.0.1:{port}/fhir",
    "http://ehr.example.org#@127.0.0.1:{port}/fhir",
    "http://127.0.0.1:{port}/fhir?x=",
    "http://127.0.0.1:{port}/fhir#x",
    "http://127.0.0.1:{port}/fhir/../admin",
    "http://127.0.0.1:{port}/%66hir",
    "http://%31%32%37.0.0.1:{port}/fhir",
    "http://2130706433:{port}/fhir",
    "http://0177.0.0.1:{port}/fhir",
    "http://0x7f000001:{port}/fhir",
    "http://127.1:{port}/fhir",
    "http://0.0.0.0:{port}/fhir",
    "http://[::]:{port}/fhir",
    "http://[::ffff:127.0.0.1]:{port}/fhir",
    "http://[::ffff:7f00:1]:{port}/fhir",
    "http://[::1%25lo]:{port}/fhir",
    "http://127.0.0.1.nip.example:{port}/fhir",
    "http://①②⑦.0.0.1:{port}/fhir",
    "http://127。0。0。1:{port}/fhir",
    "http://127.0.0.1:0{port}/fhir",
    "http://127.0.0.1:{port}:80/fhir",
    "http://127.0.0.1:{port}/fhir\r\nX: y",
    "http://127.0.0.1:{port}/fhir\u200b",
    " http://127.0.0.1:{port}/fhir",
    "http:127.0.0.1:{port}/fhir",
    "http:///127.0.0.1:{port}/fhir",
]


@pytest.mark.parametrize("base", HOSTILE)
def test_a_server_that_is_not_registered_is_not_called(
    client: FlaskClient, server: FHIRServer, base: str
) -> None:
    """The same 412 as when it fails; with a usable key the cards come with a note that names no address."""
    hostile = base.replace("{port}", str(server.port))
    ask(client, call(server, fhirServer=hostile), 412)
    answer = ask(client, call(server, "labs", fhirServer=hostile))
    assert ("fhir-server-not-registered", "fhirServer") in notes(answer)
    assert server.seen == []
    assert str(server.port) not in str(explanation(answer))
    assert "ehr.example" not in str(explanation(answer))


@pytest.mark.parametrize("patient", ["..", ".", "-"])
def test_a_patient_id_leads_nowhere_else(client: FlaskClient, server: FHIRServer, patient: str) -> None:
    """An id that is a path of its own is not put into a URL that climbs."""
    body = call(server)
    body["context"]["patientId"] = patient
    client.post(SERVICE, data=to_json(body).encode(), content_type="application/json")
    assert not [seen for seen in server.seen if seen.path != "/fhir/Patient/-" and "/Patient/" in seen.path]


def test_loopback_is_refused_unless_it_is_allowed(closed: FlaskClient, server: FHIRServer) -> None:
    """Without the setting this machine is not called."""
    ask(closed, call(server), 412)
    assert server.seen == []


def test_a_registered_server_needs_a_token(closed: FlaskClient, server: FHIRServer) -> None:
    """Only loopback in development is read without one."""
    body = call(server, "labs", fhirServer="https://ehr.example.org/fhir")
    del body["fhirAuthorization"]
    assert ("fhir-not-authorized", "fhirAuthorization") in notes(ask(closed, body))


def test_a_registered_server_elsewhere_needs_a_token_where_loopback_does_not(
    tmp_path: Path, server: FHIRServer
) -> None:
    """The setting for loopback opens nothing else."""
    bases = {"a": server.base, "b": "https://ehr.example.org"}
    clients = write_clients(tmp_path, *({"id": name, "fhir_base": base} for name, base in bases.items()))
    registry = registry_for(Settings(allow_loopback_fhir=True, clients=clients))
    assert [registry.policies[base].loopback for base in (server.base, "https://ehr.example.org")] == [
        True,
        False,
    ]
    registry = registry_for(Settings(clients=clients))
    assert not registry.policies[server.base].loopback


def test_this_machine_is_read_without_a_token_where_that_is_allowed(
    client: FlaskClient, server: FHIRServer
) -> None:
    """As the public sandbox calls: a server and no authorization."""
    body = call(server)
    del body["fhirAuthorization"]
    assert told(ask(client, body)) == told(ask(client, hook_request(CASE)))
    assert all("authorization" not in seen.headers for seen in server.seen)


def test_a_life_of_the_token_may_be_left_out(client: FlaskClient, server: FHIRServer) -> None:
    """Real clients do; so they do with the type of the token, and write it in small letters."""
    wished = {key: value for key, value in AUTHORIZATION.items() if key not in {"expires_in", "token_type"}}
    assert ("fetched", "prefetch.labs") in notes(ask(client, call(server, fhirAuthorization=wished)))
    wished["token_type"] = "bearer"
    assert ("fetched", "prefetch.labs") in notes(ask(client, call(server, fhirAuthorization=wished)))


def test_a_token_of_another_type_is_not_sent(client: FlaskClient, server: FHIRServer) -> None:
    """It would not be what the server expects, nor what the client agreed to."""
    body = call(server, "labs", fhirAuthorization={**AUTHORIZATION, "token_type": "DPoP"})
    assert ("fhir-not-authorized", "fhirAuthorization") in notes(ask(client, body))
    assert server.seen == []


@pytest.mark.parametrize("patient", ["{}", "Patient/{}"])
def test_a_token_for_this_patient_is_used(client: FlaskClient, server: FHIRServer, patient: str) -> None:
    """With or without the type before the id."""
    wished = {**AUTHORIZATION, "patient": patient.format(hook_request(CASE)["context"]["patientId"])}
    assert ("fetched", "prefetch.labs") in notes(ask(client, call(server, fhirAuthorization=wished)))


def test_a_paginated_prefetch_is_read_to_its_end(client: FlaskClient, server: FHIRServer) -> None:
    """The client sent the first page; the rest is fetched, and no note of more pages is left."""
    body = hook_request(CASE)
    (first, *rest) = body["prefetch"]["problems"]["entry"]
    page = {"resourceType": "Bundle", "type": "searchset", "entry": rest}
    server.faults["Condition"] = served.status(200, page)
    link = [{"relation": "next", "url": f"{server.base}/Condition?page=2"}]
    body["prefetch"]["problems"] = {**body["prefetch"]["problems"], "entry": [first], "link": link}
    whole = {**body, "fhirServer": server.base, "fhirAuthorization": AUTHORIZATION}
    assert told(ask(client, whole)) == told(ask(client, hook_request(CASE)))
    assert [seen.path for seen in server.seen] == ["/fhir/Condition"]


def test_a_paginated_prefetch_without_access_is_told(client: FlaskClient, server: FHIRServer) -> None:
    """What came is used, the card names the key, and nothing is followed without a registered server."""
    body = hook_request(CASE)
    link = [{"relation": "next", "url": f"{server.base}/Observation?page=2"}]
    body["prefetch"]["labs"] = {**body["prefetch"]["labs"], "link": link}
    answer = ask(client, body)
    assert ("more-pages", "prefetch.labs") in notes(answer)
    assert "Not complete labs: only the first pages were read" in told(answer)
    assert "Not used" not in told(answer), "one failure is not told twice"
    assert server.seen == []


@pytest.mark.parametrize(
    "link",
    [
        "Condition?page=2",
        "?page=2",
        "./Condition?page=2",
        "../fhir/Condition?page=2",
        "/fhir/Condition?page=2",
        "//127.0.0.1:{port}/fhir/Condition?page=2",
        "{base}/Condition?page=2",
    ],
)
def test_a_relative_link_is_followed_below_the_base(
    client: FlaskClient, server: FHIRServer, link: str
) -> None:
    """It is resolved against the address that was asked, whether the first page was sent or fetched."""
    body = hook_request(CASE)
    (first, *rest) = body["prefetch"]["problems"]["entry"]
    page = {"resourceType": "Bundle", "type": "searchset", "entry": rest}
    server.faults["Condition"] = served.status(200, page)
    links = [{"relation": "next", "url": link.format(base=server.base, port=server.port)}]
    body["prefetch"]["problems"] = {**body["prefetch"]["problems"], "entry": [first], "link": links}
    whole = {**body, "fhirServer": server.base, "fhirAuthorization": AUTHORIZATION}
    assert told(ask(client, whole)) == told(ask(client, hook_request(CASE)))
    assert [(seen.path, seen.query) for seen in server.seen] == [("/fhir/Condition", {"page": "2"})]


@pytest.mark.parametrize(
    "link",
    [
        "//evil.example.org/fhir/Condition",
        "../Condition?page=2",
        "../../etc/passwd",
        "/Condition?page=2",
        "http://localhost:{port}/fhir/Condition",
        "{base}/../Condition",
        "{base}/%2e%2e/Condition",
        "\\\\evil.example.org\\Condition",
        "http://[::1/Condition",
        "javascript:alert(1)",
        "file:///etc/passwd",
    ],
)
def test_a_link_that_leads_out_of_the_base_is_not_followed(
    client: FlaskClient, server: FHIRServer, link: str
) -> None:
    """However it is written; the answer counts as incomplete, and the token goes nowhere else."""
    body = hook_request(CASE)
    links = [{"relation": "next", "url": link.format(base=server.base, port=server.port)}]
    body["prefetch"]["problems"] = {**body["prefetch"]["problems"], "link": links}
    answer = ask(client, {**body, "fhirServer": server.base, "fhirAuthorization": AUTHORIZATION})
    assert ("more-pages", "prefetch.problems") in notes(answer)
    assert server.seen == []


def test_ten_pages_are_the_most(client: FlaskClient, server: FHIRServer) -> None:
    """A server with ten thousand of them is asked for ten, and the answer counts as incomplete."""

    def fault(handler: Any) -> None:
        page = int(handler.path.rpartition("page=")[2] or 1) if "page=" in handler.path else 1
        link = [{"relation": "next", "url": f"{server.base}/Condition?page={page + 1}"}]
        handler.send(200, {"resourceType": "Bundle", "type": "searchset", "link": link})

    server.faults["Condition"] = fault
    answer = ask(client, call(server))
    assert sum(seen.path == "/fhir/Condition" for seen in server.seen) == 10
    assert ("more-pages", "prefetch.problems") in notes(answer)


def test_a_bundle_of_failures_is_no_answer(client: FlaskClient, server: FHIRServer) -> None:
    """An outcome inside a Bundle is a failure like one that stands alone, and is not an empty result."""
    entry = [{"resource": {"resourceType": "OperationOutcome", "issue": [{"severity": "error"}]}}]
    bundle = {"resourceType": "Bundle", "type": "searchset", "entry": entry}
    server.faults["ServiceRequest"] = served.status(200, bundle)
    answer = ask(client, call(server))
    assert ("prefetch-failed", "prefetch.serviceRequests") in notes(answer)
    assert "Not checked serviceRequests: not received." in told(answer)


@pytest.mark.parametrize(
    ("scope", "refused"),
    [
        ("patient/*.read", set()),
        ("patient/*.rs", set()),
        ("user/*.*", set()),
        ("launch openid", set()),
        ("patient/Observation.odd", set()),
        ("patient/*.s", {"patient"}),
        ("patient/*.rs?category=laboratory", {"vitals", "exam", "socialHistory"}),
        (
            "patient/Patient.read patient/Condition.read patient/Observation.read patient/MedicationRequest.read",
            {
                "medicationStatements",
                "serviceRequests",
                "familyHistory",
                "procedures",
                "questionnaireResponses",
            },
        ),
    ],
)
def test_what_no_scope_covers_is_not_fetched(
    client: FlaskClient, server: FHIRServer, scope: str, refused: set[str]
) -> None:
    """A key of another type is neither asked for nor taken for empty, and its note names the scope that lacks."""
    answer = ask(client, call(server, fhirAuthorization={**AUTHORIZATION, "scope": scope}))
    told = notes(answer)
    assert {path for code, path in told if code == "scope-not-granted"} == {
        f"prefetch.{key}" for key in refused
    }
    fetched = {path for code, path in told if code == "fetched"}
    assert len(fetched) + len(refused) == len(KEYS)
    assert len(server.seen) == len(fetched)


def test_the_note_names_the_scope_in_both_spellings(client: FlaskClient, server: FHIRServer) -> None:
    """Who grants scopes reads which one is wanted, by v1 and by v2."""
    sent = {**AUTHORIZATION, "scope": "patient/Patient.r patient/Condition.rs"}
    explained = explanation(ask(client, call(server, fhirAuthorization=sent)))
    assert explained is not None
    remedies = {
        note["path"]: note["remedy"] for note in explained["notes"] if note["code"] == "scope-not-granted"
    }
    wanted = "Grant patient/Procedure.read (SMART v1) or patient/Procedure.s (v2)."
    assert remedies["prefetch.procedures"] == wanted


def test_further_pages_need_the_scope_as_well(client: FlaskClient, server: FHIRServer) -> None:
    """The next page of what was sent is not fetched with a token that does not cover it."""
    body = call(server, *KEYS, fhirAuthorization={**AUTHORIZATION, "scope": "patient/Patient.r"})
    body["prefetch"]["labs"]["link"] = [{"relation": "next", "url": f"{server.base}/Observation?page=2"}]
    told = notes(ask(client, body))
    assert ("scope-not-granted", "prefetch.labs") in told
    assert ("more-pages", "prefetch.labs") in told
    assert server.seen == []


def test_the_token_is_in_no_log_line(
    client: FlaskClient, server: FHIRServer, caplog: pytest.LogCaptureFixture
) -> None:
    """Not even at the finest level, and no address of the server below our own loggers either."""
    caplog.set_level(logging.DEBUG)
    server.faults["ServiceRequest"] = served.status(401)
    ask(client, call(server))
    ask(client, call(server, fhirServer="https://ehr.example.org/fhir"), 412)
    assert TOKEN not in caplog.text
    assert not [one for one in caplog.records if one.name.startswith("cds_service") and one.msg != "call"]
    assert "ehr.example.org" not in str([vars(one) for one in caplog.records])


def test_a_running_service_fetches_and_logs_no_token(tmp_path: Path, server: FHIRServer) -> None:
    """Over the wire as in the tests above; what it prints holds neither token, nor patient, nor server."""
    service = LiveServer(tmp_path / "server.log", {"CDS_ALLOW_LOOPBACK_FHIR": "true"})
    try:
        connection = service.connection()
        for fault in (None, served.status(401), served.hang(3)):
            server.faults = {} if fault is None else {"Observation": fault}
            headers = {"Content-Type": "application/json"}
            connection.request("POST", SERVICE, to_json(call(server)).encode(), headers)
            reply = connection.getresponse()
            answer = json.loads(reply.read())
            assert reply.status == 200
            assert ("Not checked labs" in told(answer)) is (fault is not None)
        connection.close()
    finally:
        status = service.stop()
    assert status == 0
    for secret in (TOKEN, str(server.port), "p02-patient"):
        assert secret not in service.printed


def test_the_http_library_is_loaded_only_where_a_server_is_registered() -> None:
    """A service without clients starts without it."""
    script = (
        "import sys\n"
        "from cds_service.app import gatherer_for\n"
        "from cds_service.settings import Settings\n"
        "gatherer_for(Settings())\n"
        "print('requests' in sys.modules)\n"
        "gatherer_for(Settings(allow_loopback_fhir=True))\n"
        "print('requests' in sys.modules)\n"
    )
    outcome = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=clean_environment()
    )
    assert outcome.stdout.split() == ["False", "True"]


def test_the_example_file_of_clients_is_read() -> None:
    """What the documents show is what the service takes."""
    clients = read_clients(EXAMPLE).clients
    assert [client.private_network for client in clients] == [False, True]
    assert all(client.fhir_base for client in clients)


@pytest.mark.parametrize(
    ("text", "wrong"),
    [
        ("clients: [", "no YAML at line 1"),
        ("clients: [{fhir_base: 'https://a.example'}]", "clients.0.id"),
        ("clients: [{id: a, fhir_base: 'https://A.example/'}]", "clients.0.fhir_base: must be an https"),
        ("clients: [{id: a, fhirbase: x}]", "clients.0.fhirbase"),
        ("clients: [{id: a, fhir_base: 'http://ehr.example.org'}]", "clients.0.fhir_base: must be an https"),
        ("clients: [{id: a, ca_file: nowhere.pem}]", "clients.0.ca_file: must name a file"),
        ("clients: [{id: a}, {id: a}]", "two clients have the same id"),
    ],
)
def test_a_faulty_file_of_clients_stops_the_start(tmp_path: Path, text: str, wrong: str) -> None:
    """The error names the setting and the member."""
    path = tmp_path / "faulty.yaml"
    path.write_text(text, "utf-8")
    with pytest.raises(SettingsError) as refused:
        create_app(Settings(clients=path))
    assert "CDS_CLIENTS" in refused.value.text
    assert wrong in refused.value.text


def test_a_missing_file_of_clients_stops_the_start(tmp_path: Path) -> None:
    """It is named by its setting."""
    with pytest.raises(SettingsError, match="CDS_CLIENTS: the file cannot be read"):
        create_app(Settings(clients=tmp_path / "none.yaml"))


def test_an_empty_name_of_the_file_of_clients_is_none(monkeypatch: pytest.MonkeyPatch) -> None:
    """A compose file passes a variable on even where nobody set it."""
    monkeypatch.setenv("CDS_CLIENTS", "")
    assert registry_for(Settings()).is_empty


@pytest.mark.parametrize(
    ("scope", "narrowed"),
    [
        ("patient/*.rs", set()),
        ("patient/*.rs patient/Condition.rs?category=encounter-diagnosis", set()),
        ("patient/Patient.r patient/Procedure.rs?status=completed", {"procedures"}),
        ("patient/Patient.r patient/Condition.rs?code=1 patient/Condition.rs?recorder=2", {"problems"}),
    ],
)
def test_an_answer_that_a_scope_narrows_shows_no_absence(
    client: FlaskClient, server: FHIRServer, scope: str, narrowed: set[str]
) -> None:
    """The server leaves out what is not granted and says nothing of it: it is noted, and the answer is not complete."""
    answer = ask(client, call(server, fhirAuthorization={**AUTHORIZATION, "scope": scope}))
    told = {path for code, path in notes(answer) if code == "scope-narrows"}
    assert told == {f"prefetch.{key}" for key in narrowed}
    explained = explanation(answer)
    assert explained is not None
    if narrowed:
        assert explained["complete"] is False
