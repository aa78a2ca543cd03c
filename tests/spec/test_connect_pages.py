"""The pages on connecting a client say what discovery, registry, trust and reading do; no real EHR is asked."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path
from typing import Any, NamedTuple

import orjson
import pytest
import yaml
from flask import Flask

from cds_service.app import create_app
from cds_service.clients import Client, Rules, read_clients
from cds_service.fetch.scopes import is_granted, read_scopes, wanted_scopes
from cds_service.settings import Settings
from tests.spec.calls import EXPLANATION, PROBLEM, Ask, story
from tests.support.documented import table_rows
from tests.support.places import ROOT
from tests.support.production import write_clients
from tests.support.reasoning import reasoner
from tests.support.tokens import BASE, URL, bearer, claims, key_set, signer, token

DOCS = ROOT / "docs"
EXAMPLES = DOCS / "examples"
ENTRIES = {
    "connect.md": "clients.yaml",
    "connect-epic-like.md": "clients-epic-like.yaml",
    "connect-oracle-like.md": "clients-oracle-like.yaml",
}
REQUIRED = ("userId", "patientId", "encounterId", "conditions", "selections", "draftOrders")
SYSTEMS = {
    "standard": "http://terminology.hl7.org/CodeSystem/non-adherence-reason-codes",
    "ours": "https://spasm-cds.org/fhir/CodeSystem/override-reasons",
}
_CLIENTS = re.compile(r"^```yaml\n(clients:\n.*?)^```$", re.MULTILINE | re.DOTALL)


def text_of(page: str) -> str:
    """Return a page of the documentation."""
    return (DOCS / page).read_text("utf-8")


def plain(cell: str) -> str:
    """Return a cell without the marks of code."""
    return cell.replace("`", "")


@pytest.fixture(scope="module")
def services(app: Flask) -> list[dict[str, Any]]:
    """Return what discovery says."""
    found: list[dict[str, Any]] = app.test_client().get("/cds-services").get_json()["services"]
    return found


@pytest.mark.parametrize("page", ENTRIES)
def test_the_prefetch_of_a_page_is_that_of_discovery(page: str, services: list[dict[str, Any]]) -> None:
    """Key by key, in its order, for every service, with scopes that cover the query and would be asked for."""
    rows = [[plain(cell) for cell in row] for row in table_rows(text_of(page), "Key")]
    told = {key: query for key, query, *_ in rows}
    assert all(service["prefetch"] == told for service in services)
    assert list(told) == list(services[0]["prefetch"])
    for _key, query, *scopes in rows:
        assert tuple(scopes) == wanted_scopes(query)
        assert all(is_granted(query, read_scopes(scope)) for scope in scopes)


@pytest.mark.parametrize("page", ENTRIES)
def test_the_hooks_of_a_page_are_those_of_discovery(page: str, services: list[dict[str, Any]]) -> None:
    """Each hook with the service to configure for it."""
    rows = table_rows(text_of(page), "Hook")
    assert {plain(hook): plain(service) for hook, service, *_ in rows} == {
        service["hook"]: service["id"] for service in services
    }


@pytest.mark.parametrize(
    ("name", "hook"),
    [
        ("ms-fasciculation-on-thiazide", "problem-list-item-create"),
        ("ms-fasciculation-on-thiazide", "patient-view"),
        ("ms-fasciculation-on-thiazide", "encounter-start"),
        ("order-select-diuretic-with-twitching", "order-select"),
        ("order-sign-benzodiazepine-with-opioid", "order-sign"),
    ],
)
@pytest.mark.parametrize("page", ENTRIES)
def test_the_context_of_a_page_is_what_a_service_needs(page: str, name: str, hook: str, ask_app: Ask) -> None:
    """With the members that a page names a call is answered; without any one of them it is refused."""
    row = next(row for row in table_rows(text_of(page), "Hook") if plain(row[0]) == hook)
    needed = plain(row[2]).split(", ")
    assert set(needed) <= set(REQUIRED)
    call = story(name)
    context = {member: call["context"][member] for member in needed}
    message = call | {"hook": hook, "context": context}
    path = f"/cds-services/{plain(row[1])}"
    assert ask_app(path, message).status == 200
    for member in needed:
        fewer = {name: value for name, value in context.items() if name != member}
        answer = ask_app(path, message | {"context": fewer})
        assert (answer.status, json.loads(answer.body)["issue"][0]["expression"]) == (
            400,
            [f"context.{member}"],
        )


@pytest.mark.parametrize(("page", "file"), ENTRIES.items())
def test_the_entry_of_a_page_is_accepted_in_production(page: str, file: str, tmp_path: Path) -> None:
    """What a page shows is the entry of the file that it names, and the registry takes both."""
    (block,) = _CLIENTS.findall(text_of(page))
    written = tmp_path / "clients.yaml"
    written.write_text(block, encoding="utf-8")
    (shown,) = read_clients(written, Rules(is_production=True)).clients
    of_file = read_clients(EXAMPLES / file, Rules(is_production=True)).clients
    assert shown == of_file[0]
    assert f"(examples/{file})" in text_of(page)


class Registered(NamedTuple):
    """The client of a page, registered with a key of this run, and the service that knows it."""

    client: Client
    app: Flask
    algorithm: str


@pytest.fixture(scope="module", params=ENTRIES)
def registered(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Registered:
    """Return the entry of a page with the key written down, because nothing is fetched from elsewhere here."""
    folder = tmp_path_factory.mktemp("registered")
    file = EXAMPLES / ENTRIES[request.param]
    client = read_clients(file, Rules(is_production=True)).clients[0]
    algorithm = "RS384" if "RS384" in client.algorithms else client.algorithms[0]
    entry = yaml.safe_load(file.read_text("utf-8"))["clients"][0]
    entry |= {"jwks_url": None, "jwks": key_set(signer(algorithm))}
    chosen: dict[str, Any] = {
        "public_base_url": BASE,
        "open": False,
        "clients": write_clients(folder, entry),
        "DATABASE_URL": f"sqlite:///{folder / 'store.sqlite3'}",
    }
    return Registered(client, create_app(Settings(**chosen)), algorithm)


def status_of(registered: Registered, **changes: Any) -> int:
    """Return the status of a call with a token as the page tells it, changed."""
    audience = registered.client.audience[0] if registered.client.audience else URL
    told = {"iss": registered.client.issuer, "aud": audience, "sub": "anything", "nbf": int(time.time())}
    sent = token(claims(**(told | changes)), signer(registered.algorithm))
    reply = registered.app.test_client().post(
        PROBLEM, json=story("ms-fasciculation-on-thiazide"), headers=bearer(sent)
    )
    return reply.status_code


def test_a_token_as_a_page_tells_it_is_accepted(registered: Registered) -> None:
    """Signed with RS384, with `sub` and `nbf`, and addressed to what the entry says."""
    assert status_of(registered) == 200


@pytest.mark.parametrize(
    "changes",
    [
        {"aud": "https://elsewhere.example.org"},
        {"iss": "https://ehr.example.com"},
        {"jti": ...},
    ],
    ids=lambda changes: next(iter(changes)),
)
def test_any_other_token_is_refused(registered: Registered, changes: dict[str, Any]) -> None:
    """Each claim that a page lists is held to."""
    assert status_of(registered, **changes) == 401


@pytest.mark.parametrize(("claim", "seconds_from_now"), [("nbf", 600), ("exp", 2 * 3600)])
def test_a_token_of_another_time_is_refused(
    registered: Registered, claim: str, seconds_from_now: int
) -> None:
    """One that begins to hold later, and one that holds for longer than an hour."""
    assert status_of(registered, **{claim: int(time.time()) + seconds_from_now}) == 401


def test_an_audience_that_is_registered_replaces_the_address(registered: Registered) -> None:
    """Where the entry names an audience the address that is called is none."""
    assert status_of(registered, aud=URL) == (401 if registered.client.audience else 200)


@pytest.mark.parametrize("page", ENTRIES)
def test_every_reason_of_ours_is_mapped(page: str) -> None:
    """The mapping names each reason of the content with its system, and none that does not exist."""
    known = {one.code: one.system for one in reasoner().knowledge.override_reasons.values()}
    rows = table_rows(text_of(page), "The EHR's reason, in general words")
    assert {
        plain(code): SYSTEMS[system] for _words, code, system in rows if not code.startswith("none")
    } == known
    assert all(f"`{system}`" in text_of(page) for system in SYSTEMS.values())


def test_the_reasons_are_told_as_the_content_has_them() -> None:
    """Code, system, text, and whether the advice then rests."""
    known = reasoner().knowledge.override_reasons.values()
    rows = table_rows(text_of("connect.md"), "Code")
    assert {(plain(code), SYSTEMS[system], title, quiets) for code, system, title, quiets in rows} == {
        (one.code, one.system, one.title, "yes" if one.quiets else "no") for one in known
    }


@pytest.mark.parametrize(
    "told",
    [
        {"reason": {"code": "later", "system": "https://ehr.example.org/reasons"}},
        {"reason": {"code": "action-completed", "system": SYSTEMS["standard"]}},
        {"userComment": "Seen last week"},
    ],
    ids=["a code of the EHR", "a code without its text", "words alone"],
)
def test_every_form_of_a_reason_is_taken(told: dict[str, Any], ask_app: Ask) -> None:
    """What the mapping leaves without a code of ours, and what has one, is stored."""
    item = {"card": "9368d37b-283f-44a0-93ea-547cebab93ed", "outcome": "overridden"}
    sent = item | {"outcomeTimestamp": "2026-06-20T10:06:02Z", "overrideReason": told}
    answer = ask_app(f"{PROBLEM}/feedback", {"feedback": [sent]})
    assert (answer.status, answer.body) == (200, b"{}")


class Reading(NamedTuple):
    """What an answer shows: facts by reference, notes, and the words of the first card."""

    facts: dict[str, dict[str, Any]]
    notes: list[tuple[str, str]]
    detail: str


def reading(ask_app: Ask, name: str) -> Reading:
    """Send the call of a page and return how it was read."""
    answer = ask_app(PROBLEM, orjson.loads((EXAMPLES / f"{name}-request.json").read_bytes()))
    (card,) = json.loads(answer.body)["cards"]
    told = card["extension"][EXPLANATION]
    lines = [
        argument
        for cause in told["ranking"]
        for argument in (*cause.get("for", ()), *cause.get("against", ()))
    ]
    facts = {fact["reference"]: fact for line in lines for fact in line.get("facts", ())}
    notes = [(note["code"], note["path"].removeprefix("prefetch.")) for note in told["notes"]]
    return Reading(facts, notes, card["detail"])


def shown(fact: dict[str, Any]) -> tuple[str | None, ...]:
    """Return what a fact says, and whether words alone told it."""
    return (fact["what"], fact["value"], fact.get("range"), "by text" if fact.get("by_text") else None)


def test_an_epic_like_record_is_read_as_told(ask_app: Ask) -> None:
    """Each shape of the page stands in its call, and is read, or noted, as the page says."""
    found = reading(ask_app, "epic-like")
    assert {reference: shown(fact) for reference, fact in found.facts.items()} == {
        "Condition/e-recorded": ("Twitching of calf", "active", None, None),
        "Condition/e-problem-1": ("Multiple sclerosis", "active", None, None),
        "Observation/e-lab-1": ("potassium", "2.8", "3.5-5.3", None),
        "Observation/e-lab-2": ("eGFR", "84", None, "by text"),
        "MedicationRequest/e-med-1": ("hydrochlorothiazide", "active", None, "by text"),
    }
    assert found.notes == [
        ("unit-missing", "labs.entry[2].resource.valueQuantity"),
        ("medicine-not-named", "medications.entry[1].resource"),
    ]
    assert "2 entries of the record could not be read" in found.detail


def test_an_oracle_like_record_is_read_as_told(ask_app: Ask) -> None:
    """Each shape of the page stands in its call, and is read, or noted, as the page says."""
    found = reading(ask_app, "oracle-like")
    assert {reference: shown(fact) for reference, fact in found.facts.items()} == {
        "Condition/o-recorded": ("Muscle twitching", "active", None, None),
        "Observation/o-lab-1": ("potassium", "2.8", "3.5-5.3", None),
        "Observation/o-lab-2": ("magnesium", "0.62", "0.7-1.0", "by text"),
        "Observation/o-lab-3": ("sodium", "139", None, "by text"),
        "MedicationRequest/o-med-1": ("hydrochlorothiazide", "active", None, None),
    }
    assert found.facts["Observation/o-lab-1"]["note"] == "corrected"
    assert found.notes == [
        ("status-not-usable", "labs.entry[3].resource.status"),
        ("status-not-usable", "labs.entry[4].resource.status"),
    ]
    assert "creatinine 80" in found.detail
