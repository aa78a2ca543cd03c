"""Bytes that no honest client sends: each is refused as malformed, or read, and nothing else ever comes out."""

from __future__ import annotations

import json
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.errors import AnswerError, MalformedRequestError, MissingElementError
from cds_service.fhir.envelope import HookRequest, decode_request
from tests.unit.fhir.json_values import NAMES, json_objects, json_values
from tests.unit.fhir.records import PROBLEM_HOOK, body, bundle, encoded, result

SOUND = json.dumps(
    body(
        prefetch={"labs": bundle(result("o1", value=None))},
        fhirServer="https://ehr.example.org/fhir",
        extension={"a": 1},
    )
)
CONTEXT = (
    '"context": {"userId": "Practitioner/u1", "patientId": "p1", "conditions": {"resourceType": "Bundle"}}'
)
HEAD = f'"hook": "{PROBLEM_HOOK}", "hookInstance": "i1"'
REQUIRED = ("hook", "hookInstance", "context", "context.userId", "context.patientId", "context.conditions")
DEEP = 2000
PLACES = {
    "top level": f"{{{HEAD}, {CONTEXT}, %s}}",
    "context": f"{{{HEAD}, {CONTEXT[:-1]}, %s}}}}",
    "recorded condition": f'{{{HEAD}, {CONTEXT[:-2]}, "entry": [{{"resource": {{%s}}}}]}}}}}}',
    "prefetch": f'{{{HEAD}, {CONTEXT}, "prefetch": {{%s}}}}',
    "resource": f'{{{HEAD}, {CONTEXT}, "prefetch": {{"labs": {{"resourceType": "Observation", %s}}}}}}',
    "broken resource": f'{{{HEAD}, {CONTEXT}, "prefetch": {{"labs": {{"status": 1, %s}}}}}}',
    "authorization": f'{{{HEAD}, {CONTEXT}, "fhirAuthorization": {{%s}}}}',
    "extension": f'{{{HEAD}, {CONTEXT}, "extension": {{%s}}}}',
}


def outcome(content: bytes) -> HookRequest | AnswerError:
    """Return the request, or the error of the answer contract; any other exception is a failure of the test."""
    try:
        return decode_request(content, PROBLEM_HOOK)
    except (MalformedRequestError, MissingElementError) as error:
        return error


def is_malformed(content: bytes | str) -> bool:
    """Whether these bytes are refused as malformed."""
    return isinstance(
        outcome(content.encode() if isinstance(content, str) else content), MalformedRequestError
    )


@pytest.mark.parametrize("place", [place for place in PLACES if place != "authorization"])
def test_the_places_of_these_tests_are_sound(place: str) -> None:
    """With a harmless member each of the calls below is read, so that only the planted fault can be refused."""
    member = '"a": null' if place == "prefetch" else '"a": 1'
    assert isinstance(outcome((PLACES[place] % member).encode()), HookRequest)


@pytest.mark.parametrize(
    "content",
    [
        *(b"", b" ", b"{", b"}", b"[]", b"[{}]", b'"x"', b"null", b"true", b"1", b"hook", b"<xml/>", b"\x00"),
        SOUND.encode() + b"x",
        SOUND.encode() + b"}",
        SOUND.encode() + SOUND.encode(),
        b"[" + SOUND.encode() + b"]",
        b"\xef\xbb\xbf" + SOUND.encode(),
        SOUND.encode("utf-16"),
        SOUND.encode("utf-32"),
        SOUND.replace('"', "'").encode(),
        SOUND[:-1].encode() + b",}",
        SOUND[:-1].encode() + b', "a": 01}',
        SOUND[:-1].encode() + b', "a": .5}',
        SOUND[:-1].encode() + b', "a": "\x01"}',
        SOUND[:-1].encode() + b', "a": "\\x"}',
        SOUND[:-1].encode() + b" // note\n}",
    ],
    ids=lambda content: repr(content[-24:]),
)
def test_what_is_no_json_object_is_malformed(content: bytes) -> None:
    """The body is one JSON object in UTF-8 without a byte order mark, and nothing stands behind it."""
    assert is_malformed(content)


def test_space_around_the_object_is_allowed() -> None:
    """JSON allows white space before and behind a value."""
    assert isinstance(outcome(b" \r\n\t" + SOUND.encode() + b"\n \t"), HookRequest)


def test_every_truncation_is_malformed() -> None:
    """A body that was cut off anywhere is never taken for a shorter message."""
    content = SOUND.encode()
    assert all(is_malformed(content[:length]) for length in range(len(content)))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(
    "wrong", ["NaN", "Infinity", "-Infinity", "undefined", "'x'", "+1", "0x1", "1e", "tru"]
)
def test_no_literal_beyond_json_is_read(place: str, wrong: str) -> None:
    """NaN and its like are refused wherever they stand, read or not."""
    assert is_malformed(PLACES[place] % f'"a": {wrong}')


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("wrong", [r"\ud800", r"\udc00", r"\ud800\ud800", r"\udbffx", r"\ud83d \ude00"])
def test_lone_surrogates_are_malformed(place: str, wrong: str) -> None:
    """Half a character is refused in names and in values; a whole pair is a character."""
    assert is_malformed(PLACES[place] % f'"a": "{wrong}"')
    assert is_malformed(PLACES[place] % f'"{wrong}": 1')


def test_an_escaped_pair_is_one_character() -> None:
    r"""`\ud83d\ude00` is a letter like any other."""
    read = outcome((PLACES["extension"] % r'"a": "\ud83d\ude00"').encode())
    assert isinstance(read, HookRequest)
    assert read.extension == {"a": "\U0001f600"}


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("wrong", [b"\xff", b"\xc3", b"\xed\xa0\x80", b"\xc0\xaf", b"\xf4\x90\x80\x80"])
def test_bytes_that_are_no_utf_8_are_malformed(place: str, wrong: bytes) -> None:
    """Latin-1, encoded surrogates and overlong forms are refused wherever they stand."""
    assert is_malformed((PLACES[place] % '"a": "@"').encode().replace(b"@", wrong))


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize(("opening", "closing"), [("[", "]"), ('{"a":', "}"), ('{"contained":[', "]}")])
def test_deep_nesting_is_malformed(place: str, opening: str, closing: str) -> None:
    """2000 levels are refused wherever they stand, and do not exhaust the stack."""
    deep = opening * DEEP + "1" + closing * DEEP
    assert is_malformed(PLACES[place] % f'"a": {deep}')
    assert is_malformed(PLACES[place] % f'"contained": {deep}')


@pytest.mark.parametrize("place", PLACES)
def test_nested_bundles_are_malformed_when_deep(place: str) -> None:
    """Resources inside entries inside resources are followed while decoding, and refused when there are too many."""
    deep = '{"entry":[{"resource":' * DEEP + "{}" + "}]}" * DEEP
    assert is_malformed(PLACES[place] % f'"entry": [{{"resource": {deep}}}]')
    assert is_malformed(PLACES[place] % f'"labs": {deep}')


@pytest.mark.parametrize("place", ["top level", "context", "recorded condition", "resource", "extension"])
def test_modest_nesting_is_read(place: str) -> None:
    """Thirty levels occur in real records and are read or skipped."""
    assert isinstance(outcome((PLACES[place] % f'"a": {"[" * 30}{"]" * 30}').encode()), HookRequest)


def test_a_broken_resource_is_followed_to_sixty_four_levels() -> None:
    """The lenient reader stops at the cap of what is read."""
    for levels, is_read in ((30, True), (63, True), (64, False), (200, False)):
        inside = '{"contained":[' * levels + '{"status": 1}' + "]}" * levels
        read = outcome((PLACES["prefetch"] % f'"labs": {inside}').encode())
        assert isinstance(read, HookRequest) is is_read
        if not isinstance(read, HookRequest):
            assert (read.text, read.where) == ("The JSON is nested too deeply.", ("prefetch",))


@pytest.mark.parametrize("place", [place for place in PLACES if place != "authorization"])
@pytest.mark.parametrize(
    "number", ["1e400", "-1e400", "1e-400", "1e999999999999999999999", "9" * 5000, "-" + "9" * 30]
)
def test_numbers_beyond_a_float_cost_at_most_their_element(place: str, number: str) -> None:
    """A number that no float holds is no reason to refuse a message, in a sound resource or in a broken one."""
    name = "valueInteger" if "resource" in place else "a"
    assert isinstance(outcome((PLACES[place] % f'"{name}": {number}').encode()), HookRequest)
    assert isinstance(
        outcome((PLACES[place] % f'"valueQuantity": {{"value": {number}}}').encode()), HookRequest
    )


def test_a_huge_number_stays_a_decimal() -> None:
    """1e400 is read as the number it is; nothing turns it into infinity."""
    read = outcome((PLACES["broken resource"] % '"valueQuantity": {"value": 1e400}').encode())
    assert isinstance(read, HookRequest)
    assert read.prefetch is not None
    resource = read.prefetch["labs"]
    assert resource is not None
    assert resource.value_quantity is not None
    assert resource.value_quantity.value == Decimal("1e400")


@pytest.mark.parametrize(
    "call",
    [
        f'{{{HEAD}, {CONTEXT}, "hook": "{PROBLEM_HOOK}"}}',
        f'{{{HEAD}, {CONTEXT}, "hook": "patient-view"}}',
        f'{{"hook": null, {HEAD}, {CONTEXT}}}',
        f"{{{HEAD}, {CONTEXT}, {CONTEXT}}}",
        f'{{{HEAD}, {CONTEXT}, "h\\u006fok": "{PROBLEM_HOOK}"}}',
        f'{{{HEAD}, {CONTEXT}, "\\u0068\\u006f\\u006f\\u006b": 1}}',
        f'{{{HEAD}, {CONTEXT}, "unknown": 12, "unknown": 1}}',
        f'{{{HEAD}, {CONTEXT}, "unknown": 1, "unknown": 12}}',
        f'{{"": 1, {HEAD}, {CONTEXT}, "": 1}}',
        f'{{{HEAD}, {CONTEXT}, "prefetch": null , "prefetch" :{{}}}}',
    ],
)
def test_a_name_that_stands_twice_is_malformed(call: str) -> None:
    """Two members of one name have no one meaning, however the name is written and whatever the values are."""
    error = outcome(call.encode())
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("$",)


@pytest.mark.parametrize(
    "more",
    [
        '"patientId": "p1"',
        '"patientId": "p2"',
        '"patient\\u0049d": "p2"',
        '"userId" : null',
        '"a": 300, "a": 30',
        '"conditions": {"resourceType": "Bundle"}',
    ],
)
def test_a_name_that_stands_twice_in_the_context_is_malformed(more: str) -> None:
    """Which of two patients is meant must never be a guess."""
    error = outcome((PLACES["context"] % more).encode())
    assert isinstance(error, MalformedRequestError)
    assert error.where == ("context",)


@pytest.mark.parametrize(
    "more", ['"access_token": "b"', '"access\\u005ftoken": "a"', '"expires_in": 300, "expires_in": 30']
)
def test_a_name_that_stands_twice_in_the_authorization_is_malformed(more: str) -> None:
    """Two tokens, or two lifetimes of one, are refused as a repetition and not as something mistyped."""
    error = outcome((PLACES["authorization"] % f'"access_token": "a", {more}').encode())
    assert isinstance(error, MalformedRequestError)
    assert (error.text, error.where) == ("A member name stands twice.", ("fhirAuthorization",))


LAYOUTS = [{"indent": 3}, {"indent": "\t"}, {"separators": (",", ":")}, {"ensure_ascii": False}]


@given(st.dictionaries(NAMES, json_values(), max_size=6), st.sampled_from(LAYOUTS))
def test_names_that_stand_once_are_never_taken_for_repeated(
    members: dict[str, Any], layout: dict[str, Any]
) -> None:
    """However members are named, nested and spaced, a message without repetition is not refused for one."""
    call = {**members, **body()}
    content = json.dumps(call, **layout).encode(errors="surrogatepass")
    read = outcome(content)
    assert isinstance(read, HookRequest) or "twice" not in read.text


@given(
    st.lists(st.tuples(NAMES, json_values(4)), min_size=1, max_size=5, unique_by=lambda pair: pair[0]),
    st.data(),
)
def test_any_repeated_name_is_found(members: list[tuple[str, Any]], choose: st.DataObject) -> None:
    """Wherever the second copy stands, and whatever its value is, the repetition is seen."""
    parts = [f"{json.dumps(name)}: {json.dumps(value)}" for name, value in members]
    name = choose.draw(st.sampled_from(members))[0]
    again = f"{json.dumps(name)}: {json.dumps(choose.draw(json_values(2)))}"
    parts.insert(choose.draw(st.integers(0, len(parts))), again)
    assert is_malformed(f"{{{HEAD}, {CONTEXT}, {', '.join(parts)}}}")


@settings(max_examples=60)
@pytest.mark.parametrize("path", REQUIRED)
@given(value=json_values())
def test_any_value_in_a_required_member_is_read_or_refused(path: str, value: Any) -> None:
    """Every REQUIRED member replaced by any JSON value gives a request, or an error that names that member."""
    call = body()
    *outer, last = path.split(".")
    target = call[outer[0]] if outer else call
    target[last] = value
    read = outcome(json.dumps(call).encode())
    assert isinstance(read, HookRequest) or read.where[0].startswith((path, "$"))


@settings(max_examples=60)
@given(json_objects(), json_objects(), st.dictionaries(NAMES, json_values(12), max_size=3), json_values(12))
def test_any_json_around_a_sound_core_is_read_or_refused(
    top: dict[str, Any], context: dict[str, Any], prefetch: dict[str, Any], recorded: Any
) -> None:
    """Whatever else a client puts into the message, only the two errors of the contract or a request come out."""
    call = body(prefetch=prefetch)
    call["context"] |= {"conditions": {"resourceType": "Bundle", "entry": recorded}, **context}
    assert outcome(json.dumps({**call, **top}).encode()) is not None


@settings(max_examples=200)
@given(st.binary(max_size=40))
def test_any_bytes_are_malformed_or_missing_something(content: bytes) -> None:
    """No short run of bytes is a call, and none raises anything but the errors of the contract."""
    assert not isinstance(outcome(content), HookRequest)


@settings(max_examples=300)
@given(st.integers(0, 10**6), st.binary(min_size=0, max_size=2), st.integers(0, 3))
def test_a_damaged_call_is_read_or_refused(place: int, planted: bytes, taken: int) -> None:
    """Some bytes changed, taken out or put in anywhere give a request or an error of the contract."""
    content = encoded(body(prefetch={"labs": bundle(result("o1"), result("o2", status=None))}))
    place %= len(content)
    assert outcome(content[:place] + planted + content[place + taken :]) is not None
