"""CDS Hooks 2.0.1, use of JSON: what is sent and what is read."""

from __future__ import annotations

import json

import pytest

from tests.spec.calls import (
    DISCOVERY,
    FHIR_JSON,
    JSON,
    PROBLEM,
    STORIES,
    VIEW,
    Ask,
    cards,
    empty_members,
    members,
    recording,
    replaced,
    story,
    strict_json,
    viewing,
    without_presentation,
    without_uuids,
)


@pytest.mark.parametrize("name", STORIES)
def test_every_sample_is_answered_by_the_schema(ask: Ask, name: str) -> None:
    """A sample request is answered with cards that keep the response schema, without null or empty members."""
    assert cards(ask(PROBLEM, story(name)))


@pytest.mark.parametrize("name", STORIES)
def test_every_sample_opens_as_a_chart_too(ask: Ask, name: str) -> None:
    """The same patient's patient-view call is answered with cards that keep the schema."""
    assert cards(ask(VIEW, viewing(name)))


@pytest.mark.parametrize("name", STORIES)
def test_both_ways_to_ask_give_the_same_answer(ask_app: Ask, ask_server: Ask, name: str) -> None:
    """In process and over HTTP the cards differ in nothing but their uuids and the address of this server."""
    here, there = (without_uuids(cards(ask(PROBLEM, story(name)))) for ask in (ask_app, ask_server))
    text = json.dumps(there)
    port = there[0]["source"]["url"].removesuffix("/about").rpartition(":")[2]
    assert json.dumps(here) == text.replace(f"127.0.0.1:{port}", "127.0.0.1:8000")


def test_no_cards_is_an_empty_array_and_nothing_else(ask: Ask) -> None:
    """The one empty value that may be sent is `cards`."""
    assert ask(PROBLEM, without_presentation(story())).body == b'{"cards":[]}'


@pytest.mark.parametrize(
    "planted", [{"a": None}, {"a": ""}, {"a": []}, {"a": {}}, {"cards": [{"links": []}]}, {"cards": [None]}]
)
def test_a_planted_empty_member_is_found(planted: dict[str, object]) -> None:
    """The search for empty members sees each kind, and lets `cards` be empty."""
    assert empty_members(planted)
    assert empty_members({"cards": []}) == []


@pytest.mark.parametrize(
    "content_type",
    [
        JSON,
        "application/json; charset=utf-8",
        'application/json;charset="UTF-8"',
        "Application/JSON",
        FHIR_JSON,
        "application/fhir+json; charset=utf-8; fhirVersion=4.0",
    ],
)
def test_json_is_accepted_under_its_names(ask: Ask, content_type: str) -> None:
    """JSON and FHIR JSON are read, with or without a charset."""
    assert cards(ask(PROBLEM, story(), {"Content-Type": content_type}))


def test_text_beyond_ascii_is_read_and_sent_escaped(ask: Ask) -> None:
    """A name in any script comes back legible, and every byte of the answer is ASCII."""
    message = story()
    words = "Zuckungen der Wade \u2013 \u00fc\u00df\u4e2d\U0001f9b5"
    replaced(message, "context.conditions.entry.0.resource.code.text", words)
    raw = json.dumps(message, ensure_ascii=False).encode()
    answer = ask(PROBLEM, raw)
    recorded = cards(answer)[0]["extension"]["org.spasm-cds.explanation"]["presentation"]["recorded"]
    assert recorded[0]["text"] == words


@pytest.mark.parametrize("number", ["1e400", "-1e400", "1e-400", "9" * 400, "0." + "1" * 400, "-0", "1E+2"])
def test_no_number_leaves_as_infinity(ask_app: Ask, number: str) -> None:
    """A number beyond any machine's range is read without a fault and never comes back as NaN or Infinity."""
    raw = json.dumps(story()).replace('"value": 2.8', f'"value": {number}').encode()
    assert number.encode() in raw
    assert cards(ask_app(PROBLEM, raw))


def test_unknown_members_are_ignored_everywhere(ask_app: Ask) -> None:
    """A member that the standard does not know changes nothing, wherever it stands."""
    plain = without_uuids(cards(ask_app(PROBLEM, story())))
    message = story()
    objects = [message, *(value for _, value in members(message) if isinstance(value, dict))]
    for one in objects:
        if one is not message["prefetch"] and one is not message["extension"]:
            one["zzUnknown"] = {"value": [1, {"text": "fasciculation"}], "resourceType": 7}
    assert without_uuids(cards(ask_app(PROBLEM, message))) == plain


@pytest.mark.parametrize("name", STORIES)
def test_the_same_request_gets_the_same_answer(ask_app: Ask, name: str) -> None:
    """Two answers to one request differ in their uuids only."""
    first, second = (cards(ask_app(PROBLEM, story(name))) for _ in range(2))
    assert first != second
    assert without_uuids(first) == without_uuids(second)


def test_every_answer_is_json_ascii(ask: Ask) -> None:
    """Discovery, cards, refusals and health are ASCII JSON."""
    answers = [
        ask(DISCOVERY, method="GET"),
        ask("/health/live", method="GET"),
        ask("/health/ready", method="GET"),
        ask("/nowhere", method="GET"),
        ask(PROBLEM, b"{"),
        ask(PROBLEM, recording()),
    ]
    assert [answer.status for answer in answers] == [200, 200, 200, 404, 400, 412]
    for answer in answers:
        assert isinstance(strict_json(answer.body), dict)
