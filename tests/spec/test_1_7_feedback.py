"""CDS Hooks 2.0.1, feedback: items 33 and 34 of the contract, in process and over HTTP."""

from __future__ import annotations

import json
import uuid
from collections.abc import Iterator
from typing import Any

import pytest

from cds_service.settings import Settings
from cds_service.store.database import Database
from tests.spec.calls import PROBLEM, VIEW, Answer, Ask, cards, refusal, removed, replaced, story, strict_json
from tests.support.feedback import AT, DONE, accepted, kept_of, message, overridden
from tests.support.schemas import schema_faults

FEEDBACK = f"{PROBLEM}/feedback"
FIRST = "feedback.0"
MILLISECONDS = 1_781_949_931_000
"""`AT` in milliseconds since 1970."""


@pytest.fixture
def database() -> Iterator[Database]:
    """Return the store of the running service, which all ways to ask share."""
    database = Database(Settings().store_url)
    yield database
    database.close()


def a_card() -> str:
    """Return the uuid of a card that nobody was shown."""
    return str(uuid.uuid4())


def shown(ask: Ask) -> dict[str, Any]:
    """Return the first card of a new answer."""
    return cards(ask(PROBLEM, story()))[0]


def taken(answer: Answer) -> None:
    """Require the one answer that stored feedback gets."""
    assert answer.status == 200, answer.body
    assert answer.headers["content-type"] == "application/json"
    assert strict_json(answer.body) == {}


def test_33_an_acceptance_is_stored_with_its_suggestion(ask: Ask, database: Database) -> None:
    """The body of the specification is taken, its card is known, and the accepted suggestion is kept."""
    card = shown(ask)
    suggestion = card["suggestions"][0]["uuid"]
    body = message(accepted(card["uuid"], suggestion))
    assert schema_faults("cds-feedback", body) == []
    taken(ask(FEEDBACK, body))
    (kept,) = kept_of(database, card["uuid"])
    assert (kept.outcome, kept.outcome_at, kept.suggestions) == ("accepted", MILLISECONDS, (suggestion,))
    assert (kept.client, kept.service, kept.is_known) == ("anonymous", "muscle-spasm-problem", True)


def test_33_an_override_is_stored_with_its_reason(ask: Ask, database: Database) -> None:
    """The reason is kept by its code; the words of the clinician are not, only that there were some."""
    card = shown(ask)["uuid"]
    item = overridden(card)
    item["overrideReason"]["userComment"] = "Mr Nobody has had it"
    taken(ask(FEEDBACK, message(item)))
    (kept,) = kept_of(database, card)
    assert (kept.outcome, kept.reason, kept.comment, kept.has_comment) == ("overridden", DONE, None, True)


def test_33_the_cards_of_both_services_are_known_to_their_own_only(ask: Ask, database: Database) -> None:
    """Feedback that names a card of another service is kept in quarantine and answered alike."""
    card = shown(ask)["uuid"]
    taken(ask(f"{VIEW}/feedback", message(overridden(card))))
    (kept,) = kept_of(database, card)
    assert (kept.service, kept.is_known) == ("muscle-spasm-patient-view", False)


def test_34_several_cards_in_one_call(ask: Ask, database: Database) -> None:
    """Each item is kept with its own outcome."""
    one, other = a_card(), a_card()
    taken(ask(FEEDBACK, message(accepted(one, a_card()), overridden(other))))
    assert [kept.outcome for card in (one, other) for kept in kept_of(database, card)] == [
        "accepted",
        "overridden",
    ]


def test_34_repeated_feedback_is_stored_once(ask: Ask, database: Database) -> None:
    """The same answer again, in another call or in the same one, changes nothing."""
    card = a_card()
    for _ in range(3):
        taken(ask(FEEDBACK, message(overridden(card), overridden(card))))
    assert len(kept_of(database, card)) == 1


def test_34_accept_then_override_are_both_kept(ask: Ask, database: Database) -> None:
    """A clinician may change her mind: nothing is overwritten."""
    card = a_card()
    taken(ask(FEEDBACK, message(accepted(card, a_card()))))
    taken(ask(FEEDBACK, message(overridden(card, at="2026-06-21T08:00:00Z"))))
    assert [kept.outcome for kept in kept_of(database, card)] == ["accepted", "overridden"]


def test_34_feedback_long_after_is_taken(ask: Ask, database: Database) -> None:
    """A card of years ago may still be answered."""
    card = a_card()
    taken(ask(FEEDBACK, message(overridden(card, at="2019-01-01T00:00:00Z"))))
    assert len(kept_of(database, card)) == 1


def test_34_an_unknown_card_is_no_error_and_stays_in_quarantine(ask: Ask, database: Database) -> None:
    """The answer does not tell a card that exists from one that does not."""
    card = a_card()
    taken(ask(FEEDBACK, message(overridden(card))))
    (kept,) = kept_of(database, card)
    assert not kept.is_known


@pytest.mark.parametrize(
    "changes",
    [
        {"overrideReason": {"reason": {"code": DONE}}},
        {"overrideReason": {"code": DONE, "system": "http://example.org"}},
        {"overrideReason": {"reason": {"code": DONE, "system": "http://example.org", "display": "x"}}},
        {"overrideReason": {"reason": {"code": DONE}, "userComment": " "}, "extra": {"deep": [1]}},
    ],
)
def test_34_reasons_of_real_clients_are_taken(ask: Ask, database: Database, changes: dict[str, Any]) -> None:
    """Without display, without system, as a bare Coding, with other members: the code is what counts."""
    card = a_card()
    taken(ask(FEEDBACK, {**message({**overridden(card, None), **changes}), "hookInstance": "x"}))
    (kept,) = kept_of(database, card)
    assert (kept.reason, kept.has_comment) == (DONE, False)


@pytest.mark.parametrize("reason", [None, {}, {"userComment": "no reason picked"}])
def test_34_an_override_needs_no_reason(ask: Ask, database: Database, reason: Any) -> None:
    """The reason is optional."""
    card = a_card()
    taken(ask(FEEDBACK, message({**overridden(card, None), "overrideReason": reason})))
    (kept,) = kept_of(database, card)
    assert kept.reason is None


@pytest.mark.parametrize("suggestions", ["absent", None, []])
def test_34_an_acceptance_without_suggestions_is_taken(
    ask: Ask, database: Database, suggestions: Any
) -> None:
    """Some clients do not say which suggestion it was."""
    card = a_card()
    item = accepted(card)
    if suggestions == "absent":
        del item["acceptedSuggestions"]
    else:
        item["acceptedSuggestions"] = suggestions
    taken(ask(FEEDBACK, message(item)))
    (kept,) = kept_of(database, card)
    assert (kept.outcome, kept.suggestions) == ("accepted", ())


def test_34_ids_are_the_same_in_upper_case_and_as_urn(ask: Ask, database: Database) -> None:
    """Clients that write UUIDs in another way mean the same card and suggestion."""
    card = shown(ask)
    suggestion = card["suggestions"][0]["uuid"]
    for name in (card["uuid"], card["uuid"].upper(), f"urn:uuid:{card['uuid']}"):
        taken(ask(FEEDBACK, message(accepted(name, suggestion.upper()))))
    (kept,) = kept_of(database, card["uuid"])
    assert (kept.suggestions, kept.is_known) == ((suggestion,), True)


@pytest.mark.parametrize(
    "at",
    [
        "2026-06-20T10:05:31.000Z",
        "2026-06-20t10:05:31z",
        "2026-06-20T12:05:31+02:00",
        "2026-06-20T05:05:31.000000000-05:00",
        "2026-06-20T10:05:31",
    ],
)
def test_34_a_moment_is_the_same_however_it_is_written(ask: Ask, database: Database, at: str) -> None:
    """Offset, fraction and lower case change neither the moment nor what counts as repeated."""
    card = a_card()
    taken(ask(FEEDBACK, message(overridden(card))))
    taken(ask(FEEDBACK, message(overridden(card, at=at))))
    assert [kept.outcome_at for kept in kept_of(database, card)] == [MILLISECONDS]


FAULTS: dict[str, tuple[str, Any, str, str]] = {
    "no list": ("feedback", {}, "structure", "feedback"),
    "empty list": ("feedback", [], "required", "feedback"),
    "too many": ("feedback", [overridden("c")] * 201, "structure", "feedback"),
    "no object": (FIRST, "x", "structure", "feedback[0]"),
    "null item": (FIRST, None, "structure", "feedback[0]"),
    "no card": (f"{FIRST}.card", None, "required", "feedback[0].card"),
    "card no string": (f"{FIRST}.card", 7, "structure", "feedback[0].card"),
    "card blank": (f"{FIRST}.card", " ", "required", "feedback[0].card"),
    "card only a prefix": (f"{FIRST}.card", "urn:uuid:", "structure", "feedback[0].card"),
    "card too long": (f"{FIRST}.card", "x" * 201, "structure", "feedback[0].card"),
    "card with NUL": (f"{FIRST}.card", "x\0y", "structure", "feedback[0].card"),
    "outcome unknown": (f"{FIRST}.outcome", "ignored", "structure", "feedback[0].outcome"),
    "outcome empty": (f"{FIRST}.outcome", "", "required", "feedback[0].outcome"),
    "no moment": (f"{FIRST}.outcomeTimestamp", None, "required", "feedback[0].outcomeTimestamp"),
    "only a day": (f"{FIRST}.outcomeTimestamp", "2026-06-20", "structure", "feedback[0].outcomeTimestamp"),
    "moment in words": (f"{FIRST}.outcomeTimestamp", "today", "structure", "feedback[0].outcomeTimestamp"),
    "no such day": (
        f"{FIRST}.outcomeTimestamp",
        "2026-02-30T10:00:00Z",
        "structure",
        "feedback[0].outcomeTimestamp",
    ),
    "year 9999": (
        f"{FIRST}.outcomeTimestamp",
        "9999-12-31T23:59:59-10:00",
        "structure",
        "feedback[0].outcomeTimestamp",
    ),
    "suggestions no list": (
        f"{FIRST}.acceptedSuggestions",
        "x",
        "structure",
        "feedback[0].acceptedSuggestions",
    ),
    "suggestion no object": (
        f"{FIRST}.acceptedSuggestions",
        [7],
        "structure",
        "feedback[0].acceptedSuggestions[0]",
    ),
    "suggestion without id": (
        f"{FIRST}.acceptedSuggestions",
        [{}],
        "required",
        "feedback[0].acceptedSuggestions[0].id",
    ),
    "reason no object": (f"{FIRST}.overrideReason", "x", "structure", "feedback[0].overrideReason"),
    "reason without code": (
        f"{FIRST}.overrideReason",
        {"reason": {"display": "x"}},
        "required",
        "feedback[0].overrideReason.reason.code",
    ),
    "code too long": (
        f"{FIRST}.overrideReason",
        {"reason": {"code": "x" * 301}},
        "structure",
        "feedback[0].overrideReason.reason.code",
    ),
    "comment no string": (
        f"{FIRST}.overrideReason",
        {"userComment": 7},
        "structure",
        "feedback[0].overrideReason.userComment",
    ),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_33_a_bad_body_is_refused_and_names_the_member(ask: Ask, fault: str) -> None:
    """The answer names the element, never its value."""
    path, value, code, where = FAULTS[fault]
    body = replaced(message(overridden(a_card())), path, value)
    assert refusal(ask(FEEDBACK, body), 400, code) == [where]


@pytest.mark.parametrize("member", ["card", "outcome", "outcomeTimestamp"])
def test_33_each_required_member_is_required(ask: Ask, member: str) -> None:
    """What is left out is named."""
    body = message(overridden(a_card()))
    del body["feedback"][0][member]
    assert refusal(ask(FEEDBACK, body), 400, "required") == [f"feedback[0].{member}"]


def test_33_a_bare_list_is_refused(ask: Ask) -> None:
    """The array stands in `feedback`: a body without that wrapper is none (mistake 15 of real services)."""
    bare = json.dumps([overridden(a_card())]).encode()
    assert refusal(ask(FEEDBACK, bare), 400, "structure") == ["$"]
    assert refusal(ask(FEEDBACK, removed(message(), "feedback")), 400, "required") == ["feedback"]


def test_33_one_bad_item_stores_nothing(ask: Ask, database: Database) -> None:
    """A client need not guess which part was taken."""
    card = a_card()
    body = message(overridden(card), {**overridden(card), "outcome": "maybe"})
    assert refusal(ask(FEEDBACK, body), 400, "structure") == ["feedback[1].outcome"]
    assert kept_of(database, card) == []


RAW = json.dumps(message(overridden("9368d37b-283f-44a0-93ea-547cebab93ed")))
NOT_JSON = {
    "empty": b"",
    "word": b"hello",
    "null": b"null",
    "not a number": RAW.replace(f'"{AT}"', "NaN").encode(),
    "infinity elsewhere": RAW.replace("{", '{"x": -Infinity, ', 1).encode(),
    "twice at the top": RAW.replace("{", '{"feedback": [], ', 1).encode(),
    "twice in an item": RAW.replace('"card":', '"card": "x", "card":', 1).encode(),
    "twice in what is not read": RAW.replace("{", '{"x": {"a": 1, "a": 1}, ', 1).encode(),
    "deep": RAW.replace("{", '{"x": ' + "[" * 90_000 + "]" * 90_000 + ", ", 1).encode(),
    "not UTF-8": RAW.replace("hl7", "hl\u00e9").encode("latin-1"),
    "UTF-16": RAW.encode("utf-16"),
    "byte order mark": RAW.encode("utf-8-sig"),
    "huge number": RAW.replace("{", '{"x": ' + "9" * 5_000 + ", ", 1).encode(),
}


@pytest.mark.parametrize("fault", NOT_JSON)
def test_33_what_is_not_strict_json_is_refused(ask: Ask, fault: str) -> None:
    """One strict parser for all calls: nothing can be read in two ways."""
    assert refusal(ask(FEEDBACK, NOT_JSON[fault]), 400, "structure") == ["$"]


@pytest.mark.parametrize("half", [r"\ud800", r"\udc00", r"\udfff\ud800"])
@pytest.mark.parametrize("member", ["card", "code", "system", "userComment"])
def test_33_half_a_character_is_refused(ask: Ask, half: str, member: str) -> None:
    """A lone surrogate cannot be kept, so it is told before anything is stored."""
    item = overridden(a_card())
    item["overrideReason"]["userComment"] = "x"
    place = item if member == "card" else item["overrideReason"]
    place = place["reason"] if member in {"code", "system"} else place
    place[member] = "HALF"
    body = json.dumps(message(item)).replace("HALF", f"x{half}").encode()
    (where,) = refusal(ask(FEEDBACK, body), 400, "structure")
    assert where.endswith(member)


def test_33_other_answers_are_those_of_the_hook_route(ask: Ask) -> None:
    """Unknown service 404, wrong method 405, another media type 415, over 256 KiB 413."""
    body = message(overridden(a_card()))
    assert refusal(ask("/cds-services/unknown/feedback", body), 404, "not-found") == []
    wrong = ask(FEEDBACK, method="GET")
    assert refusal(wrong, 405, "not-supported") == []
    assert wrong.headers["allow"] == "OPTIONS, POST"
    assert refusal(ask(FEEDBACK, body, {"Content-Type": "text/plain"}), 415, "not-supported") == []
    large = {**body, "padding": "x" * 256 * 1024}
    assert refusal(ask(FEEDBACK, large), 413, "too-long") == []
    assert refusal(ask(f"{FEEDBACK}/x", body), 404, "not-found") == []


def test_34_long_and_odd_texts_are_taken_or_refused_but_never_a_fault(ask: Ask, database: Database) -> None:
    """Characters beyond the basic plane, NUL and long comments: the answer is stored."""
    card = a_card()
    item = overridden(card, code="\U0001f9b5 é")
    item["overrideReason"]["userComment"] = "\0" * 10 + "x" * 10_000
    taken(ask(FEEDBACK, message(item)))
    (kept,) = kept_of(database, card)
    assert (kept.reason, kept.has_comment) == ("\U0001f9b5 é", True)
