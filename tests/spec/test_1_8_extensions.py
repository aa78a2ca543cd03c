"""CDS Hooks 2.0.1, extensions: ours in the answer, other people's in the request, and the moment of reading."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

import pytest

from tests.spec.calls import (
    AS_OF,
    EXPLANATION,
    PROBLEM,
    STORIES,
    Ask,
    Message,
    cards,
    notes,
    refusal,
    removed,
    replaced,
    story,
    without_uuids,
)

EXPLANATION_MEMBERS = {
    "knowledge_version",
    "as_of",
    "complete",
    "presentation",
    "red_flags",
    "ranking",
    "not_assessed",
    "treatment",
    "drug_safety",
    "workup",
    "notes",
}


@pytest.mark.parametrize("name", STORIES)
def test_the_explanation_stands_whole_on_the_first_card(ask: Ask, name: str) -> None:
    """The first card carries the whole argument, every other card points to the first."""
    first, *others = cards(ask(PROBLEM, story(name)))
    assert set(first["extension"]) == {EXPLANATION}
    assert set(first["extension"][EXPLANATION]) == EXPLANATION_MEMBERS
    for card in others:
        assert card["extension"] == {EXPLANATION: {"see": first["uuid"]}}


def test_extension_names_are_reverse_domains(ask_app: Ask) -> None:
    """Names are globally unique, so that no other service's extension is mistaken for ours."""
    for name in STORIES:
        for card in cards(ask_app(PROBLEM, story(name))):
            assert all(re.fullmatch(r"[a-z]+\.[a-z-]+\.[a-z-]+", key) for key in card["extension"])


@pytest.mark.parametrize(
    "extension",
    [{}, {"com.example.timestamp": "2026-06-15"}, {"a": {"b": [None, "", {}]}}, [], "x", 5, True, [{"a": 1}]],
    ids=repr,
)
def test_any_extension_of_a_client_is_tolerated(ask: Ask, extension: Any) -> None:
    """An extension that is not ours changes nothing, whatever its form."""
    assert cards(ask(PROBLEM, replaced(story(), "extension", extension)))


def _at(moment: Any) -> Message:
    message = story()
    message["extension"][AS_OF] = moment
    return message


def _as_of(answer_cards: list[dict[str, Any]]) -> datetime:
    return datetime.fromisoformat(answer_cards[0]["extension"][EXPLANATION]["as_of"])


@pytest.mark.parametrize(
    "moment", ["2026-06-15T10:00:00Z", "2026-06-15T12:00:00+02:00", "2024-02-29T23:59:59Z"]
)
def test_development_decides_at_the_moment_that_is_asked_for(ask: Ask, moment: str) -> None:
    """In development a request may say at which moment it stands, so that samples answer alike on any day."""
    assert _as_of(cards(ask(PROBLEM, _at(moment)))) == datetime.fromisoformat(moment)


def test_the_moment_decides_what_is_stale(ask: Ask) -> None:
    """The same record read years later no longer supports what it supported."""
    now, later = cards(ask(PROBLEM, story())), cards(ask(PROBLEM, _at("2031-06-15T10:00:00Z")))
    assert now[0]["summary"] != later[0]["summary"]


@pytest.mark.parametrize(
    "moment",
    [
        "",
        "yesterday",
        "2026-06-15",
        "2026-13-01T00:00:00Z",
        "2026-06-15T25:00:00Z",
        5,
        True,
        [],
        {},
        "0",
        "T",
    ],
    ids=repr,
)
def test_a_moment_that_is_none_is_refused(ask: Ask, moment: Any) -> None:
    """In development a malformed moment is 400 with its path: an answer for another day would mislead."""
    assert refusal(ask(PROBLEM, _at(moment)), 400, "structure") == [f"extension[{AS_OF}]"]


@pytest.mark.parametrize("moment", ["0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z", "1492-10-12T00:00:00Z"])
def test_a_moment_outside_the_age_of_records_is_refused(ask_app: Ask, moment: str) -> None:
    """No record was read then, and dates around it could not be computed."""
    assert refusal(ask_app(PROBLEM, _at(moment)), 400, "structure") == [f"extension[{AS_OF}]"]


def test_without_a_moment_it_is_now(ask: Ask) -> None:
    """A request that names no moment is decided at the present one."""
    before = datetime.now(UTC)
    found = _as_of(cards(ask(PROBLEM, removed(story(), "extension"))))
    assert before.replace(microsecond=0) <= found <= datetime.now(UTC)


@pytest.mark.parametrize("moment", ["2026-06-15T10:00:00Z", "0001-01-01T00:00:00Z", "yesterday", 5])
def test_production_leaves_the_moment_aside(ask_production: Ask, moment: Any) -> None:
    """In production every call is decided now, and the explanation says that the wish was not followed."""
    before = datetime.now(UTC)
    answer = ask_production(PROBLEM, _at(moment))
    assert notes(answer)[f"extension[{AS_OF}]"] == "as-of-ignored"
    assert before.replace(microsecond=0) <= _as_of(cards(answer)) <= datetime.now(UTC)


def test_production_answers_like_development_but_for_the_moment(ask_app: Ask, ask_production: Ask) -> None:
    """The mode changes no clinical word."""
    message = removed(story(), "extension")
    here, there = (without_uuids(cards(ask(PROBLEM, message))) for ask in (ask_app, ask_production))
    assert [card["summary"] for card in here] == [card["summary"] for card in there]
