"""A message is split into raw members in one pass; where it is not of the usual form, in the general way."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cds_service.errors import MalformedRequestError
from cds_service.fhir.envelope import decode_request
from cds_service.fhir.members import Message, members_of, split_message
from tests.unit.fhir.records import PROBLEM_HOOK, body, bundle, result

PREFETCH = {"patient": None, "labs": bundle(result("r1", value=None))}


def told(message: Message) -> tuple[dict[str, Any], dict[str, Any] | None]:
    """Return the members and the answers of the prefetch as JSON says them."""
    members = {name: json.loads(bytes(raw)) for name, raw in message.members.items()}
    if message.prefetch is None:
        return members, None
    return members, {name: json.loads(bytes(raw)) for name, raw in message.prefetch.items()}


@pytest.mark.parametrize("indent", [None, 1])
def test_a_usual_message_is_split_down_to_the_keys_of_its_prefetch(indent: int | None) -> None:
    """Members and answers are those of the message, however it is laid out."""
    call = body(prefetch=PREFETCH, fhirServer="https://x.example/f", extension={"a": [1, "}"]})
    members, prefetch = told(split_message(json.dumps(call, indent=indent).encode()))
    assert prefetch == call.pop("prefetch")
    assert members == call


@pytest.mark.parametrize(
    "call",
    [
        body(prefetch=PREFETCH, vendor=1),
        body(prefetch=None),
        body(prefetch=[1]),
    ],
)
def test_an_unusual_message_is_split_at_the_top_only(call: dict[str, Any]) -> None:
    """A member of a vendor, or a prefetch that is no object, leaves the prefetch among the members."""
    assert told(split_message(json.dumps(call).encode())) == (call, None)


def test_of_a_key_that_stands_twice_the_last_answer_is_read() -> None:
    """Inside the prefetch a repeated key is no fault, as in any JSON; the general way takes it in."""
    twice = json.dumps(body(prefetch={"labs": None})).replace('"labs": null', '"labs": {}, "labs": null')
    assert split_message(twice.encode()).prefetch is None
    assert decode_request(twice.encode(), PROBLEM_HOOK).prefetch == {"labs": None}


def test_a_repeated_member_is_refused_though_its_last_value_begins_like_the_first() -> None:
    """Where a value ends is told by its text, so that no shorter one can pass for it."""
    for repeated in (b'{"a": 12, "a": 1}', b'{"a": [1], "b": {}, "a": [1]}', b'{"a":1,"\\u0061":1}'):
        with pytest.raises(MalformedRequestError, match="twice"):
            members_of(repeated, "")
