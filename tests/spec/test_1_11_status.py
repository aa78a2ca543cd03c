"""CDS Hooks 2.0.1, HTTP statuses: which fault gets which answer, and what no answer reveals."""

from __future__ import annotations

import gzip
import json
import logging
import uuid
from collections.abc import Iterator
from typing import Any

import pytest
from flask import Flask

from tests.functional.server import LiveServer
from tests.spec.calls import (
    DISCOVERY,
    PROBLEM,
    VIEW,
    Answer,
    Ask,
    Message,
    asking_in_process,
    cards,
    recording,
    refusal,
    replaced,
    story,
    viewing,
)

RAW = json.dumps(story())
PLACES = {
    "top": '"hook": ',
    "context": '"userId": ',
    "resource": '"resourceType": "Observation",',
    "element": '"valueQuantity": {',
    "extension": '"org.spasm-cds.as-of"',
}


def _planted(place: str, text: str) -> bytes:
    """Return the sample request with a member planted at a place."""
    mark = PLACES[place]
    assert mark in RAW
    member = f'"zzPlanted": {text}'
    if mark.endswith("{"):
        return RAW.replace(mark, f"{mark}{member}, ", 1).encode()
    return RAW.replace(mark, f"{member}, {mark}", 1).encode()


NOT_JSON: dict[str, bytes] = {
    "empty": b"",
    "blank": b" \n",
    "word": b"hello",
    "html": b"<html></html>",
    "array": b"[]",
    "string": b'"x"',
    "number": b"7",
    "null": b"null",
    "unclosed": RAW[:-1].encode(),
    "half": RAW[: len(RAW) // 2].encode(),
    "two": (RAW + RAW).encode(),
    "trailing comma": (RAW[:-1] + ",}").encode(),
    "comment": ("/* x */" + RAW).encode(),
    "single quotes": b"{'hook': 'problem-list-item-create'}",
    "byte order mark": b"\xef\xbb\xbf" + RAW.encode(),
    "utf-16": RAW.encode("utf-16"),
    "broken utf-8": RAW.encode().replace(b"Fasciculation", b"Fasci\xff"),
    "overlong utf-8": RAW.encode().replace(b"Fasciculation", b"Fasci\xc0\xaf"),
    "raw surrogate": RAW.encode().replace(b"Fasciculation", b"Fasci\xed\xa0\x80"),
    "raw control character": RAW.encode().replace(b"Fasciculation", b"Fasci\x01"),
    "gzip": gzip.compress(RAW.encode()),
}


@pytest.mark.parametrize("name", NOT_JSON)
def test_a_body_that_is_no_json_object_is_400(ask: Ask, name: str) -> None:
    """What cannot be read as one JSON object is refused as a whole."""
    assert refusal(ask(PROBLEM, NOT_JSON[name]), 400, "structure") == ["$"]


@pytest.mark.parametrize("cut", range(1, len(RAW), len(RAW) // 40))
def test_a_truncated_body_is_400(ask_app: Ask, cut: int) -> None:
    """Wherever a body ends too early, it is refused."""
    assert refusal(ask_app(PROBLEM, RAW[:cut].encode()), 400, "structure") == ["$"]


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "text",
    ["NaN", "Infinity", "-Infinity", r'"\ud800"', r'"\udc00\ud800"', r'"\x41"', "01", "+1", "tru", "'a'"],
)
def test_what_json_forbids_is_400_everywhere(ask_app: Ask, place: str, text: str) -> None:
    """NaN, lone surrogates and their like are refused wherever they stand, read or not."""
    assert refusal(ask_app(PROBLEM, _planted(place, text)), 400, "structure")


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("opening", ["[", '{"a":'])
def test_deep_nesting_is_400(ask: Ask, place: str, opening: str) -> None:
    """A hundred thousand levels are refused, wherever they stand."""
    closing = "]" if opening == "[" else "}"
    text = opening * 100_000 + "1" + closing * 100_000
    assert refusal(ask(PROBLEM, _planted(place, text)), 400, "structure")


@pytest.mark.parametrize("levels", [10, 63, 64, 65, 200, 500, 900, 990, 1_000, 1_024, 1_500, 3_000])
@pytest.mark.parametrize("opening", ["[", '{"resource":', '{"contained":[', '{"entry":[{"resource":'])
def test_no_depth_is_a_fault_of_ours(ask_app: Ask, levels: int, opening: str) -> None:
    """Around every limit of every parser the answer is cards or 400."""
    closing = "".join({"[": "]", "{": "}"}[char] for char in reversed(opening) if char in "[{")
    text = opening * levels + "{}" + closing * levels
    for place in ("top", "resource", "element"):
        assert ask_app(PROBLEM, _planted(place, text)).status in {200, 400}
    planted = RAW.replace('"labs": {', f'"labs": {text}, "labs2": {{', 1).encode()
    assert ask_app(PROBLEM, planted).status in {200, 400}


@pytest.mark.parametrize(
    ("where", "raw"),
    [
        ("$", RAW[:-1] + ', "hook": "problem-list-item-create"}'),
        ("$", RAW[:-1] + ', "zz": 1, "zz": 1}'),
        ("$", RAW[:-1] + r', "\u0068ook": "problem-list-item-create"}'),
        ("context", RAW.replace('"context": {', '"context": {"patientId": "x", ')),
        ("context", RAW.replace('"context": {', r'"context": {"patient\u0049d": "x", ')),
        (
            "fhirAuthorization",
            RAW[:-1] + ', "fhirAuthorization": {"access_token": "a", "access_token": "b"}}',
        ),
    ],
)
def test_a_member_that_stands_twice_is_400(ask: Ask, where: str, raw: str) -> None:
    """Where two parsers could see different requests, the request is refused, escapes included."""
    assert refusal(ask(PROBLEM, raw.encode()), 400, "structure") == [where]


@pytest.mark.parametrize(
    "content_type",
    [
        "text/plain",
        "text/html",
        "application/xml",
        "application/fhir+xml",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/jsonp",
        "application/json-patch+json",
        "json",
        "*/*",
        "",
        "application/json; charset=utf-16",
        "application/json; charset=iso-8859-1",
    ],
)
def test_another_media_type_is_415(ask: Ask, content_type: str) -> None:
    """Only JSON in UTF-8 is read."""
    assert refusal(ask(PROBLEM, story(), {"Content-Type": content_type}), 415, "not-supported") == []


@pytest.mark.parametrize("encoding", ["gzip", "br", "deflate", "zstd", "GZIP", "identity, gzip", "x"])
def test_a_compressed_body_is_415(ask: Ask, encoding: str) -> None:
    """Nothing is ever unpacked."""
    body = gzip.compress(RAW.encode())
    assert refusal(ask(PROBLEM, body, {"Content-Encoding": encoding}), 415, "not-supported") == []


@pytest.mark.parametrize("encoding", ["identity", "Identity", ""])
def test_an_uncompressed_body_may_say_so(ask_app: Ask, encoding: str) -> None:
    """`identity` is no compression."""
    assert cards(ask_app(PROBLEM, story(), {"Content-Encoding": encoding}))


@pytest.mark.parametrize(
    "path",
    [
        "/cds-services/unknown",
        "/cds-services/muscle-spasm-problem/",
        "/cds-services/muscle-spasm-problem/x",
        "/cds-services/Muscle-Spasm-Problem",
        "/cds-services/muscle-spasm-problem%00",
        "/cds-services/%2e%2e%2fabout",
        "/cds-services/../about",
        "/cds-services//muscle-spasm-problem",
        "/",
        "/nowhere",
        "/cds-services/\u00fc".encode().decode("latin-1"),
        "/cds-services/%ff%fe",
    ],
)
def test_an_unknown_path_is_404(ask_app: Ask, path: str) -> None:
    """An unknown service is not found, whatever was sent to it, and nothing is redirected."""
    method = "PUT" if path == "/" else "POST"
    answer = ask_app(path, b"not even JSON", {"Content-Type": "text/plain"}, method)
    assert answer.status in ({405} if path == "/" else {404})
    assert "location" not in answer.headers


@pytest.mark.parametrize(
    "path",
    ["/cds-services//x", "//evil.example/x", "/cds-services/%zz", "/a%2fb", "/%00", "/cds-services/%ff"],
)
def test_an_odd_path_is_404_over_http(ask_server: Ask, path: str) -> None:
    """Doubled slashes and odd escapes are not found, and nothing is redirected."""
    assert refusal(ask_server(path, b"{}"), 404, "not-found") == []


@pytest.mark.parametrize(
    ("path", "method", "allowed"),
    [
        (PROBLEM, "GET", {"POST", "OPTIONS"}),
        (PROBLEM, "PUT", {"POST", "OPTIONS"}),
        (PROBLEM, "DELETE", {"POST", "OPTIONS"}),
        (PROBLEM, "PATCH", {"POST", "OPTIONS"}),
        (PROBLEM, "TRACE", {"POST", "OPTIONS"}),
        (PROBLEM, "PROPFIND", {"POST", "OPTIONS"}),
        (DISCOVERY, "POST", {"GET", "HEAD", "OPTIONS"}),
        (DISCOVERY, "DELETE", {"GET", "HEAD", "OPTIONS"}),
        ("/health/live", "POST", {"GET", "HEAD", "OPTIONS"}),
        ("/about", "PUT", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_a_wrong_method_is_405_and_names_the_right_ones(
    ask: Ask, path: str, method: str, allowed: set[str]
) -> None:
    """A known path with another method says which methods it knows."""
    answer = ask(path, None, None, method)
    assert refusal(answer, 405, "not-supported") == []
    assert set(answer.headers["allow"].split(", ")) == allowed


def test_head_on_a_service_is_405_without_a_body(ask: Ask) -> None:
    """HEAD is no method of a service, and a HEAD answer has no body."""
    answer = ask(PROBLEM, None, None, "HEAD")
    assert (answer.status, answer.body) == (405, b"")


@pytest.mark.parametrize("over", [1, 1_000_000])
def test_a_body_over_the_limit_is_413(ask_app: Ask, over: int) -> None:
    """More than five mebibytes are refused, however valid they are."""
    body = RAW.encode() + b" " * (5 * 1024 * 1024 - len(RAW) + over)
    assert refusal(ask_app(PROBLEM, body), 413, "too-long") == []


def test_a_body_at_the_limit_is_read(ask: Ask) -> None:
    """Exactly five mebibytes are still read."""
    assert cards(ask(PROBLEM, RAW.encode() + b" " * (5 * 1024 * 1024 - len(RAW))))


def _every_kind_of_answer(ask: Ask) -> Iterator[tuple[int, Answer]]:
    yield 200, ask(DISCOVERY, method="GET")
    yield 200, ask(PROBLEM, story())
    yield 200, ask(VIEW, viewing())
    yield 200, ask("/about", method="GET")
    yield 200, ask("/about.css", method="GET")
    yield 200, ask("/health/live", method="GET")
    yield 200, ask("/health/ready", method="GET")
    yield 302, ask("/", method="GET")
    yield 204, ask(PROBLEM, method="OPTIONS")
    yield 400, ask(PROBLEM, b"{")
    yield 404, ask("/nowhere", method="GET")
    yield 405, ask(PROBLEM, method="GET")
    yield 412, ask(PROBLEM, recording())
    yield 413, ask(PROBLEM, b" " * (5 * 1024 * 1024 + 1))
    yield 415, ask(PROBLEM, b"{}", {"Content-Type": "text/plain"})


def test_every_answer_wears_the_headers_of_the_contract(ask: Ask) -> None:
    """No answer is sniffed, cached, or names the server software; each has a request id of its own."""
    seen = set()
    for status, answer in _every_kind_of_answer(ask):
        assert answer.status == status
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["server"] == "cds-service"
        seen.add(str(uuid.UUID(answer.headers["x-request-id"])))
    assert len(seen) == len(list(_every_kind_of_answer(ask)))


def test_no_answer_names_the_software(ask: Ask) -> None:
    """Neither headers nor error bodies name the language, a library or a version."""
    for status, answer in _every_kind_of_answer(ask):
        shown = json.dumps(dict(answer.headers)).lower()
        if status >= 400:
            shown += answer.body.decode().lower()
        for name in (
            "granian",
            "werkzeug",
            "flask",
            "python",
            "msgspec",
            "hyper",
            "traceback",
            "site-packages",
        ):
            assert name not in shown


def test_error_bodies_are_constant(ask: Ask) -> None:
    """The same fault gets the same bytes, whatever was sent."""
    pairs: list[tuple[Any, Any]] = [
        (ask(PROBLEM, b"{"), ask(PROBLEM, b"nonsense")),
        (ask("/nowhere", method="GET"), ask("/cds-services/unknown", story())),
        (ask(PROBLEM, recording()), ask(PROBLEM, recording({"x": None}))),
        (
            ask(PROBLEM, replaced(story(), "hook", "order-sign")),
            ask(PROBLEM, replaced(story(), "hook", "x")),
        ),
    ]
    for one, other in pairs:
        assert one.status >= 400
        assert one.body == other.body


CANARY = "Xanthippe"
KEPT = ("hook", "resourceType")


def _canaries(value: Any, name: str = "") -> Any:
    """Return a copy in which every string but the few that steer the call is a canary."""
    if isinstance(value, dict):
        return {key: _canaries(member, key) for key, member in value.items()}
    if isinstance(value, list):
        return [_canaries(member, name) for member in value]
    return f"{CANARY}-{name}" if isinstance(value, str) and name not in KEPT else value


def _canary_recording() -> Message:
    """Return a call full of canaries that still records a presentation for its patient."""
    message: Message = _canaries(recording())
    condition = message["context"]["conditions"]["entry"][0]["resource"]
    condition["code"]["text"] = f"Fasciculation {CANARY}"
    condition["subject"]["reference"] = f"Patient/{message['context']['patientId']}"
    del condition["clinicalStatus"]
    del condition["verificationStatus"]
    del message["extension"]
    return message


def _canary_faults() -> Iterator[tuple[int, bytes, dict[str, str]]]:
    whole: Message = _canaries(story())
    for member in ("hookInstance", "context", "context.userId", "context.patientId", "context.conditions"):
        for value in ([CANARY], {CANARY: CANARY}, None):
            yield 400, json.dumps(replaced(_canaries(story()), member, value)).encode(), {}
    yield 400, json.dumps(replaced(_canaries(story()), "hook", CANARY)).encode(), {}
    yield (
        400,
        json.dumps(replaced(_canaries(story()), "context.patientId", f"{CANARY} {CANARY}")).encode(),
        {},
    )
    yield 400, json.dumps({**whole, "fhirAuthorization": {CANARY: CANARY}}).encode(), {}
    yield 400, json.dumps({**story(), "extension": {"org.spasm-cds.as-of": CANARY}}).encode(), {}
    yield 400, json.dumps({**whole, "prefetch": [CANARY]}).encode(), {}
    for cut in range(1, 40):
        yield 400, json.dumps(whole).encode()[: -cut * 7], {}
    deep = "[" * 100_000 + "]" * 100_000
    yield 400, json.dumps(whole).replace('"prefetch": {', f'"prefetch": {{"{CANARY}": {deep}, ').encode(), {}
    for levels in (100, 400, 900):
        nested = '{"contained": [' * levels + f'{{"id": 5, "text": "{CANARY}"}}' + "]}" * levels
        text = f'"prefetch": {{"{CANARY}": {nested}, '
        yield 0, json.dumps(whole).replace('"prefetch": {', text).encode(), {}
    yield 400, json.dumps(whole).encode()[:-1] + f', "{CANARY}": 1, "{CANARY}": 1}}'.encode(), {}
    yield 412, json.dumps(_canary_recording()).encode(), {}
    yield 412, json.dumps({**_canary_recording(), "prefetch": {CANARY: {CANARY: CANARY}}}).encode(), {}
    yield 415, json.dumps(whole).encode(), {"Content-Type": f"text/{CANARY}"}
    yield 415, json.dumps(whole).encode(), {"Content-Encoding": CANARY}
    yield 413, json.dumps(whole).encode() + b" " * 5 * 1024 * 1024, {}


def test_no_error_repeats_what_was_sent(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    """A name planted in every string of a faulty call is in no error answer and in no line of the log."""
    ask = asking_in_process(app)
    with caplog.at_level(logging.DEBUG):
        for status, body, headers in _canary_faults():
            answer = ask(PROBLEM, body, headers)
            assert answer.status in ({status} if status else {200, 400})
            if answer.status != 200:
                assert CANARY.encode() not in answer.body
            assert CANARY not in json.dumps(dict(answer.headers))
        for path in (f"/cds-services/{CANARY}", f"/{CANARY}?{CANARY}={CANARY}"):
            answer = ask(path, story(), {"Origin": f"https://{CANARY}.example", "X-Request-Id": CANARY})
            assert CANARY not in answer.body.decode() + json.dumps(dict(answer.headers))
    assert CANARY not in caplog.text


def test_no_error_of_the_running_service_repeats_what_was_sent(
    ask_server: Ask, live_server: LiveServer
) -> None:
    """The same holds for the bytes that a running service sends and for all that it prints."""
    for status, body, headers in _canary_faults():
        answer = ask_server(PROBLEM, body, headers)
        assert answer.status in ({status} if status else {200, 400})
        if answer.status != 200:
            assert CANARY.encode() not in answer.body
    cards(ask_server(PROBLEM, _canary_recording() | {"prefetch": _canaries(story()["prefetch"])}))
    assert CANARY not in live_server.printed


class _PlantedError(RuntimeError):
    """A fault of ours whose message holds a value of the chart."""


def test_a_fault_of_ours_is_a_constant_500(
    ask_app: Ask, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """An unforeseen fault is told as such; the log names its kind, place and request, and never its message."""

    def fail(*_: Any) -> None:
        raise _PlantedError(CANARY)

    monkeypatch.setattr("cds_service.pipeline.read_facts", fail)
    answer = ask_app(PROBLEM, story())
    assert refusal(answer, 500, "exception") == []
    (record,) = caplog.records
    assert CANARY not in caplog.text
    told = vars(record)
    assert "_PlantedError" in told["fault"]
    assert "fail" in told["place"]
    assert told["request_id"] == answer.headers["x-request-id"]
    assert record.exc_info is None
