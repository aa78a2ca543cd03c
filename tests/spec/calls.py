"""Hook calls and their answers, in process and over HTTP alike; checks what every answer must keep, and no more."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from typing import Any, NamedTuple, NoReturn, Protocol

from flask import Flask

from tests.functional.server import LiveServer
from tests.support.places import SAMPLES
from tests.support.schemas import schema_faults

DISCOVERY = "/cds-services"
PROBLEM = "/cds-services/muscle-spasm-problem"
VIEW = "/cds-services/muscle-spasm-patient-view"
START = "/cds-services/muscle-spasm-encounter-start"
SELECT = "/cds-services/muscle-spasm-order-select"
SIGN = "/cds-services/muscle-spasm-order-sign"
SERVICES = (PROBLEM, VIEW, START, SELECT, SIGN)
JSON = "application/json"
FHIR_JSON = "application/fhir+json"
HOOK_OF_STORY: dict[str, str] = {
    path.parent.name: json.loads(path.read_text(encoding="utf-8"))["hook"]
    for path in sorted(SAMPLES.glob("*/request.json"))
}
STORIES = [name for name, hook in HOOK_OF_STORY.items() if hook == "problem-list-item-create"]
STORY = "ms-fasciculation-on-thiazide"
AS_OF = "org.spasm-cds.as-of"
EXPLANATION = "org.spasm-cds.explanation"

Message = dict[str, Any]


class Answer(NamedTuple):
    """What came back; header names are in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Ask(Protocol):
    """Sends one request; a message is sent as JSON, bytes as they are."""

    def __call__(
        self,
        path: str = PROBLEM,
        message: Message | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Answer:
        """Return the answer."""
        ...


def _body(message: Message | bytes | None) -> bytes:
    if isinstance(message, dict):
        return json.dumps(message).encode()
    return message or b""


def asking_in_process(app: Flask, headers_for: Callable[[str], Mapping[str, str]] = lambda _path: {}) -> Ask:
    """Return a way to ask the application without a server, with the headers for a path where none are given."""

    def ask(
        path: str = PROBLEM,
        message: Message | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Answer:
        given = {**headers_for(path), **(headers or {})}
        sent = {"Content-Type": JSON, **given} if method == "POST" else given
        reply = app.test_client().open(path, method=method, data=_body(message), headers=sent)
        return Answer(
            reply.status_code, {name.lower(): text for name, text in reply.headers.items()}, reply.data
        )

    return ask


def asking_over_http(server: LiveServer) -> Ask:
    """Return a way to ask a running service, one connection per request."""

    def ask(
        path: str = PROBLEM,
        message: Message | bytes | None = None,
        headers: Mapping[str, str] | None = None,
        method: str = "POST",
    ) -> Answer:
        sent = {"Content-Type": JSON, **(headers or {})} if method == "POST" else dict(headers or {})
        connection = server.connection()
        try:
            connection.request(
                method, path, body=_body(message) if method in {"POST", "PUT"} else None, headers=sent
            )
            reply = connection.getresponse()
            return Answer(
                reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read()
            )
        finally:
            connection.close()

    return ask


def story(name: str = STORY) -> Message:
    """Return a fresh copy of a sample request."""
    message: Message = json.loads((SAMPLES / name / "request.json").read_text(encoding="utf-8"))
    return message


def recording(prefetch: Mapping[str, Any] | None = None) -> Message:
    """Return a request in which fasciculation is recorded, with this prefetch and nothing else."""
    message = story()
    message["prefetch"] = dict(prefetch or {})
    return message


def viewing(name: str = STORY) -> Message:
    """Return the patient-view call for a sample patient, with the recorded problems on the problem list."""
    message = story(name)
    recorded = message["context"].pop("conditions")
    message["hook"] = "patient-view"
    message["prefetch"]["problems"]["entry"] = [
        *recorded["entry"],
        *message["prefetch"]["problems"].get("entry", []),
    ]
    return message


def starting() -> Message:
    """Return the encounter-start call for a sample patient, with the recorded problems on the problem list."""
    return replaced(viewing(), "hook", "encounter-start")


def drafted(*drafts: Mapping[str, Any], hook: str = "order-sign", name: str = STORY) -> Message:
    """Return an order call for a sample patient, with the recorded problems on the problem list.

    While orders are selected, the first draft is.
    """
    message = replaced(viewing(name), "hook", hook)
    message["context"]["draftOrders"] = {
        "resourceType": "Bundle",
        "type": "collection",
        "entry": [{"resource": dict(draft)} for draft in drafts],
    }
    if hook == "order-select":
        message["context"]["selections"] = [f"{one['resourceType']}/{one['id']}" for one in drafts[:1]]
    return message


def draft_medicine(text: str | None, **members: Any) -> Message:
    """Return a MedicationRequest in draft."""
    named = {"medicationCodeableConcept": {"text": text}} if text is not None else {}
    return {"resourceType": "MedicationRequest", "id": "m1", "status": "draft", **named, **members}


def draft_test(text: str, **members: Any) -> Message:
    """Return a ServiceRequest in draft."""
    return {
        "resourceType": "ServiceRequest",
        "id": "s1",
        "status": "draft",
        "code": {"text": text},
        **members,
    }


def without_presentation(message: Message) -> Message:
    """Return the message with what is recorded, or on the problem list, turned into another problem."""
    context = message["context"]
    bundle = context.get("conditions") or message["prefetch"]["problems"]
    for entry in bundle.get("entry", ()):
        entry["resource"]["code"] = {"text": "Ingrowing toenail"}
    return message


def outcome_resource() -> dict[str, Any]:
    """Return what a client puts in place of a prefetch value that it could not fetch."""
    return {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]}


def bundle_of(*resources: Mapping[str, Any]) -> dict[str, Any]:
    """Return a searchset Bundle."""
    return {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(resources),
        "entry": [{"resource": dict(resource)} for resource in resources],
    }


def replaced(message: Message, path: str, value: Any) -> Message:
    """Return the message with the member at a dotted path set to `value`."""
    *parents, last = path.split(".")
    place: Any = message
    for name in parents:
        place = place[int(name) if isinstance(place, list) else name]
    place[int(last) if isinstance(place, list) else last] = value
    return message


def removed(message: Message, path: str) -> Message:
    """Return the message without the member at a dotted path."""
    *parents, last = path.split(".")
    place: Any = message
    for name in parents:
        place = place[name]
    del place[last]
    return message


def _no_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not JSON")


def strict_json(body: bytes) -> Any:
    """Return the value of a body that is ASCII JSON without NaN, Infinity or duplicate names."""
    assert body.isascii()

    def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        assert len(dict(pairs)) == len(pairs), "a member name stands twice"
        return dict(pairs)

    return json.loads(body, parse_constant=_no_constant, object_pairs_hook=once)


def members(value: Any, path: str = "$") -> Iterator[tuple[str, Any]]:
    """Yield every value inside `value` with its path."""
    inner: Iterator[tuple[str, Any]] = iter(())
    if isinstance(value, dict):
        inner = ((f"{path}.{name}", member) for name, member in value.items())
    elif isinstance(value, list):
        inner = ((f"{path}[{place}]", member) for place, member in enumerate(value))
    for where, member in inner:
        yield where, member
        yield from members(member, where)


def empty_members(answer: Mapping[str, Any]) -> list[str]:
    """Return the paths of what is null or empty; our own extension may hold empty lists, and only those."""
    return [
        path
        for path, value in members(answer)
        if value is None
        or (value in ("", {}, []) and path != "$.cards" and not (value == [] and ".extension." in path))
    ]


def cards(answer: Answer) -> list[dict[str, Any]]:
    """Return the cards of a 200 that keeps every rule for answers."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == JSON
    message = strict_json(answer.body)
    assert schema_faults("cds-response", message) == []
    assert empty_members(message) == []
    found: list[dict[str, Any]] = message["cards"]
    return found


def refusal(answer: Answer, status: int, code: str) -> list[str]:
    """Return the field paths of an error answer that is an OperationOutcome of the contract, and nothing more."""
    assert answer.status == status, answer.body
    assert answer.headers["content-type"] == FHIR_JSON
    outcome = strict_json(answer.body)
    assert set(outcome) == {"resourceType", "issue"}
    assert outcome["resourceType"] == "OperationOutcome"
    (issue,) = outcome["issue"]
    assert set(issue) - {"expression"} == {"severity", "code", "details"}
    assert (issue["severity"], issue["code"], set(issue["details"])) == ("error", code, {"text"})
    assert empty_members(outcome) == []
    expression: list[str] = issue.get("expression", [])
    return expression


def notes(answer: Answer) -> dict[str, str]:
    """Return path → code of what the explanation says could not be used."""
    explanation = cards(answer)[0]["extension"][EXPLANATION]
    return {note["path"]: note["code"] for note in explanation["notes"]}


def detail(answer: Answer) -> str:
    """Return the details of all cards."""
    return "\n".join(card.get("detail", "") for card in cards(answer))


def without_uuids(value: Any) -> Any:
    """Return a copy in which each card and suggestion uuid is replaced by its order of appearance."""
    names: dict[str, str] = {}
    return _renamed(value, names)


def _renamed(value: Any, names: dict[str, str]) -> Any:
    if isinstance(value, dict):
        return {
            key: names.setdefault(member, f"uuid-{len(names)}")
            if key in {"uuid", "see"}
            else _renamed(member, names)
            for key, member in value.items()
        }
    return [_renamed(member, names) for member in value] if isinstance(value, list) else value


def all_advertised(ask: Ask) -> dict[str, dict[str, str]]:
    """Return service id → prefetch templates, as the discovery document has them."""
    services = strict_json(ask(DISCOVERY, method="GET").body)["services"]
    return {service["id"]: service["prefetch"] for service in services}


Change = Callable[[Message], Message]
