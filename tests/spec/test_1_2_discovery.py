"""CDS Hooks 2.0.1, discovery: what this server offers and what it asks for."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import parse_qs, urlsplit

import pytest

from tests.spec.calls import (
    DISCOVERY,
    JSON,
    PROBLEM,
    Ask,
    Message,
    all_advertised,
    cards,
    detail,
    draft_medicine,
    drafted,
    empty_members,
    refusal,
    starting,
    story,
    strict_json,
    viewing,
)
from tests.support.schemas import schema_faults

HOOKS = {
    "muscle-spasm-problem": "problem-list-item-create",
    "muscle-spasm-patient-view": "patient-view",
    "muscle-spasm-encounter-start": "encounter-start",
    "muscle-spasm-order-select": "order-select",
    "muscle-spasm-order-sign": "order-sign",
}
CALL: dict[str, Callable[[], Message]] = {
    "muscle-spasm-problem": story,
    "muscle-spasm-patient-view": viewing,
    "muscle-spasm-encounter-start": starting,
    "muscle-spasm-order-select": lambda: drafted(draft_medicine("furosemide"), hook="order-select"),
    "muscle-spasm-order-sign": lambda: drafted(draft_medicine("furosemide")),
}


def test_the_document_keeps_the_schema(ask: Ask) -> None:
    """Discovery is answered with 200 and a document that keeps the schema, without empty members."""
    answer = ask(DISCOVERY, method="GET")
    assert (answer.status, answer.headers["content-type"]) == (200, JSON)
    document = strict_json(answer.body)
    assert schema_faults("cds-discovery", document) == []
    assert empty_members(document) == []


def test_each_hook_has_a_service_of_its_own(ask: Ask) -> None:
    """All hooks are offered, each under one id, with a title and with what the service needs."""
    services = strict_json(ask(DISCOVERY, method="GET").body)["services"]
    assert {service["id"]: service["hook"] for service in services} == HOOKS
    assert len(services) == len(HOOKS)
    for service in services:
        assert {"title", "description", "usageRequirements", "prefetch"} <= set(service)


@pytest.mark.parametrize("service_id", HOOKS)
def test_the_id_is_the_path_of_the_service(ask: Ask, service_id: str) -> None:
    """A service answers under the id that discovery names, for its own hook."""
    assert cards(ask(f"{DISCOVERY}/{service_id}", CALL[service_id]()))


@pytest.mark.parametrize("path", ["/.well-known/cds-services", "/cds-services/", "/CDS-Services"])
def test_discovery_stands_at_one_path_only(ask: Ask, path: str) -> None:
    """The path of drafts before 1.0 and other spellings are not found."""
    assert refusal(ask(path, method="GET"), 404, "not-found") == []


def test_discovery_needs_no_header(ask: Ask) -> None:
    """Discovery is open to any Accept header and to none."""
    bodies = {ask(DISCOVERY, None, {"Accept": kind}, "GET").body for kind in ("*/*", "text/html", JSON)}
    assert bodies == {ask(DISCOVERY, method="GET").body}


def test_head_is_get_without_a_body(ask: Ask) -> None:
    """HEAD gives the headers of GET."""
    head, get = (ask(DISCOVERY, method=method) for method in ("HEAD", "GET"))
    assert (head.status, head.body) == (200, b"")
    assert head.headers["content-type"] == get.headers["content-type"]
    assert head.headers["content-length"] == str(len(get.body))


@pytest.mark.parametrize("service_id", HOOKS)
def test_the_templates_use_plain_tokens_only(ask: Ask, service_id: str) -> None:
    """Each template holds `context.patientId` once, a root-level field, and no other token, of today or of old."""
    for template in all_advertised(ask)[service_id].values():
        assert re.findall(r"\{\{(.*?)\}\}", template) == ["context.patientId"]


@pytest.mark.parametrize("service_id", HOOKS)
def test_the_templates_keep_to_the_query_subset(ask_app: Ask, service_id: str) -> None:
    """Each template is an instance read or a search with the parameters that every server knows."""
    plain = {"patient", "category", "status", "_count", "_sort"}
    for template in all_advertised(ask_app)[service_id].values():
        query = urlsplit(template)
        assert re.fullmatch(r"Patient/\{\{context\.patientId\}\}|[A-Z][A-Za-z]+", query.path)
        assert set(parse_qs(query.query, strict_parsing=bool(query.query))) <= plain


def test_every_advertised_key_is_missed_when_it_is_absent(ask_app: Ask) -> None:
    """Each key that is asked for is one that the service reads: without it the card names it as not checked."""
    for key in all_advertised(ask_app)["muscle-spasm-problem"]:
        message = story()
        del message["prefetch"][key]
        assert re.search(rf"\b{key}\b", detail(ask_app(PROBLEM, message))), key


def test_only_advertised_keys_are_needed(ask_app: Ask) -> None:
    """With the advertised keys and no other, nothing is named as not checked."""
    advertised = set(all_advertised(ask_app)["muscle-spasm-problem"])
    message = story()
    message["prefetch"] = {key: message["prefetch"][key] for key in advertised}
    shown = detail(ask_app(PROBLEM, message))
    assert not {key for key in advertised if re.search(rf"not \w+[^.]*\b{key}\b", shown)}


def test_all_services_ask_for_the_same(ask_app: Ask) -> None:
    """A client that caches prefetch answers can use them for every hook."""
    first, *others = all_advertised(ask_app).values()
    assert all(one == first for one in others)


def test_the_services_do_not_answer_for_each_other(ask: Ask) -> None:
    """Each service refuses the calls of all others."""
    for service_id in HOOKS:
        for other, call in CALL.items():
            if other != service_id:
                assert refusal(ask(f"{DISCOVERY}/{service_id}", call()), 400, "structure") == ["hook"]
