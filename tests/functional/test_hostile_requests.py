"""Valid requests spoilt by machine: whatever arrives, the answer is one of the contract's and never a fault of ours."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from cds_service.app import create_app
from cds_service.errors import MalformedRequestError
from cds_service.replay.bundles import hook_request, patients_in, resources_of
from cds_service.settings import Settings
from tests.functional.server import LiveServer
from tests.spec.calls import (
    PROBLEM,
    STORIES,
    VIEW,
    Answer,
    Ask,
    Message,
    asking_in_process,
    asking_over_http,
    bundle_of,
    cards,
    story,
    strict_json,
    viewing,
)
from tests.support.places import SAMPLES

TEMPLATES = {
    "patient": "Patient/{{context.patientId}}",
    "problems": "Condition?patient={{context.patientId}}&_count=200",
    "medications": "MedicationRequest?patient={{context.patientId}}&status=active",
    "labs": "Observation?patient={{context.patientId}}&category=laboratory&_sort=-date",
}
CONTRACT = {200, 400, 412, 413, 415}
VALUES: list[Any] = [
    None,
    True,
    False,
    0,
    -1,
    10**30,
    -(10**400),
    0.1,
    1e-300,
    "",
    " ",
    "0",
    "x",
    "\x00",
    "\u202e\u200b",
    "\U0001f9b5",
    "null",
    "<script>",
    "|",
    "../..",
    "#",
    "Patient/",
    "urn:uuid:",
    "0001-01-01",
    "9999-12-31",
    "2026-02-30",
    "2026",
    "2026-06-15T24:00:00Z",
    "0001-01-01T00:00:00+14:00",
    "9999-12-31T23:59:59-12:00",
    "2026-06-15T10:00:00.999999999999Z",
    "1e400",
    "NaN",
    "<5",
    "5-",
    "mmol/l",
    "{",
    "a" * 5_000,
    "no " * 2_000,
    "fasciculation, " * 300,
    [],
    {},
    [[]],
    [None],
    [{}],
    {"": None},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": []}}]},
    {"resourceType": "OperationOutcome"},
    {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
    {"value": "2.8", "unit": "mmol/L"},
    {"reference": "#"},
    {"start": "9999-12-31", "end": "0001-01-01"},
]
OPERATIONS = ("replace", "remove", "wrap", "graft", "rename", "repeat")
HEADERS: list[dict[str, str]] = [
    {},
    {"Content-Type": "application/fhir+json"},
    {"Content-Type": "application/json; charset=utf-16"},
    {"Content-Type": ""},
    {"Content-Type": "application/json;;;charset"},
    {"Content-Type": 'application/json; charset="utf-8'},
    {"Content-Encoding": "gzip"},
    {"Content-Encoding": "identity"},
    {"Accept": "text/html", "Accept-Charset": "x", "Accept-Encoding": "gzip"},
    {"Origin": "null", "Cookie": "a=b", "Authorization": "Bearer x", "Range": "bytes=0-1"},
    {"X-HTTP-Method-Override": "DELETE", "If-None-Match": "*", "Forwarded": "for=x"},
]

Change = tuple[int, str, Any]
changes = st.lists(
    st.tuples(st.integers(0, 100_000), st.sampled_from(OPERATIONS), st.sampled_from(VALUES)),
    min_size=1,
    max_size=4,
)
originals = st.tuples(st.sampled_from(STORIES), st.booleans())


def _places(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a message as its holder and its name or number there."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _places(value[name])


def _apply(message: Message, change: Change) -> None:
    """Spoil one place of a message; a place that is gone is passed over."""
    number, operation, value = change
    places = list(_places(message))
    if not places:
        return
    holder, name = places[number % len(places)]
    if operation == "remove":
        del holder[name]
    elif operation == "wrap":
        holder[name] = [holder[name]]
    elif operation == "graft":
        other, elsewhere = places[(number * 31) % len(places)]
        holder[name] = json.loads(json.dumps(other[elsewhere]))
    elif operation == "rename" and isinstance(holder, dict):
        holder[f"{name}\u00df"] = holder.pop(name)
    elif operation == "repeat" and isinstance(holder, list):
        holder.extend(holder[:] * 3)
    else:
        holder[name] = json.loads(json.dumps(value))


def _original(name: str, *, is_view: bool) -> tuple[str, Message]:
    return (VIEW, viewing(name)) if is_view else (PROBLEM, story(name))


def _check(answer: Answer) -> None:
    """Hold the contract: cards that keep every rule, or an OperationOutcome, and nothing else."""
    assert answer.status in CONTRACT, answer
    if answer.status == 200:
        cards(answer)
    else:
        assert strict_json(answer.body)["resourceType"] == "OperationOutcome"


@pytest.fixture(scope="module")
def here() -> Ask:
    """Return a way to ask the application in process."""
    return asking_in_process(create_app(Settings()))


@pytest.fixture(scope="module")
def there(live_server: LiveServer) -> Ask:
    """Return a way to ask the running service."""
    return asking_over_http(live_server)


@settings(max_examples=300)
@given(original=originals, spoilt=changes)
@example(original=(STORIES[0], False), spoilt=[(0, "remove", None)])
def test_a_spoilt_message_gets_an_answer_of_the_contract(
    here: Ask, original: tuple[str, bool], spoilt: list[Change]
) -> None:
    """Members replaced, removed, wrapped, grafted, renamed and repeated anywhere never lead to a fault of ours."""
    path, message = _original(original[0], is_view=original[1])
    for change in spoilt:
        _apply(message, change)
    _check(here(path, message))


@settings(max_examples=200)
@given(
    original=originals,
    cuts=st.lists(st.tuples(st.integers(0, 200_000), st.integers(0, 20), st.binary(max_size=8)), max_size=4),
    keep=st.integers(1, 1_000),
    headers=st.sampled_from(HEADERS),
)
def test_spoilt_bytes_get_an_answer_of_the_contract(
    here: Ask,
    original: tuple[str, bool],
    cuts: list[tuple[int, int, bytes]],
    keep: int,
    headers: dict[str, str],
) -> None:
    """Bytes cut out, put in and cut off, under any header, never lead to a fault of ours."""
    path, message = _original(original[0], is_view=original[1])
    body = json.dumps(message, ensure_ascii=False).encode()
    for place, length, planted in cuts:
        at = place % (len(body) + 1)
        body = body[:at] + planted + body[at + length :]
    body = body if keep > 300 else body[: len(body) * keep // 300]
    _check(here(path, body, headers))


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=20,
)


@settings(max_examples=150)
@given(
    value=json_values,
    member=st.sampled_from(
        ["hook", "hookInstance", "context", "prefetch", "extension", "fhirServer", "fhirAuthorization"]
    ),
)
def test_any_value_for_a_member_gets_an_answer_of_the_contract(here: Ask, value: Any, member: str) -> None:
    """Each top-level member may hold any JSON whatever."""
    _check(here(PROBLEM, {**story(), member: value}))


@settings(max_examples=150)
@given(value=json_values, key=st.sampled_from(list(story()["prefetch"])))
def test_any_value_for_a_key_is_answered_with_cards(here: Ask, value: Any, key: str) -> None:
    """A prefetch key may hold any JSON: the call is still answered from the others."""
    message = story()
    message["prefetch"][key] = value
    assert cards(here(PROBLEM, message))


@settings(max_examples=150)
@given(name=st.sampled_from(STORIES), spoilt=changes)
def test_a_spoilt_bundle_is_replayed_without_a_fault(here: Ask, name: str, spoilt: list[Change]) -> None:
    """A plain Bundle, spoilt anywhere, becomes requests that the contract answers, or is refused in words."""
    bundle: Message = json.loads((SAMPLES / name / "bundle.json").read_text(encoding="utf-8"))
    for change in spoilt:
        _apply(bundle, change)
    resources = resources_of(bundle)
    for patient in patients_in(resources):
        try:
            request = hook_request(resources, patient, TEMPLATES, "cramp", "2026-06-15T10:00:00Z")
        except MalformedRequestError:
            continue
        assert here(PROBLEM, request).status in {200, 412}


@pytest.mark.parametrize(
    "words", ["no ", "no fasciculation, ", "twitching; ", "- ", "\n", "\u00df", "(", "denies "]
)
def test_endless_text_is_read_in_time(here: Ask, words: str) -> None:
    """A hundred and fifty thousand characters in a text that is searched for phrases do not hold the service up."""
    text = words * (150_000 // len(words))
    message = story()
    message["context"]["conditions"]["entry"][0]["resource"]["code"]["text"] = f"fasciculation {text}"
    for entry in (*message["prefetch"]["medications"]["entry"], *message["prefetch"]["labs"]["entry"]):
        entry["resource"]["note"] = [{"text": text[:20_000]}]
        entry["resource"]["code"] = {"text": text[:20_000]}
    exam = {"resourceType": "Observation", "status": "final", "code": {"text": text}, "valueString": text}
    message["prefetch"]["exam"] = bundle_of(exam)
    began = time.monotonic()
    assert here(PROBLEM, message).status == 200
    assert time.monotonic() - began < 5


@settings(max_examples=60, suppress_health_check=[HealthCheck.too_slow])
@given(original=originals, spoilt=changes, headers=st.sampled_from(HEADERS))
def test_the_running_service_keeps_the_contract_too(
    there: Ask, original: tuple[str, bool], spoilt: list[Change], headers: dict[str, str]
) -> None:
    """The same holds over HTTP, where the server itself might stumble."""
    path, message = _original(original[0], is_view=original[1])
    for change in spoilt:
        _apply(message, change)
    _check(there(path, message, headers))
