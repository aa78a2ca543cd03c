"""The nouns of CDS Hooks: what is built validates, what would not validate is refused, and nothing is sent empty."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.errors import InvalidCardError
from cds_service.model.hooks import (
    AcceptedSuggestion,
    Action,
    Card,
    CDSRequest,
    CDSResponse,
    CDSService,
    Coding,
    Feedback,
    FHIRAuthorization,
    Indicator,
    Link,
    OverrideReason,
    SelectionBehavior,
    Source,
    Suggestion,
    fresh_uuid,
)
from tests.support.schemas import schema_faults

UUID = "3f2504e0-4f89-41d3-9a0c-0305e82c3301"
SOURCE = Source(label="Handbook")
ORDER = {"resourceType": "ServiceRequest"}
CREATE = Action(type="create", description="Draft it", resource=ORDER)
PLAIN = Suggestion(label="Do it", actions=(CREATE,))
RECOMMENDED = Suggestion(label="Do it", is_recommended=True)
ANY = SelectionBehavior.ANY


def card(**members: Any) -> Card:
    """Return a card with the three members that every card has."""
    given: dict[str, Any] = {"summary": "Look", "indicator": Indicator.INFO, "source": SOURCE}
    return Card(**given | members)


@pytest.mark.parametrize(
    ("build", "where"),
    [
        (lambda: card(summary=""), "card.summary"),
        (lambda: card(summary="  "), "card.summary"),
        (lambda: card(summary="x" * 140), "card.summary"),
        (lambda: card(summary="two\nlines"), "card.summary"),
        (lambda: card(summary="two\rlines"), "card.summary"),
        (lambda: card(summary="two\u2028lines"), "card.summary"),
        (lambda: card(uuid="not-a-uuid"), "card.uuid"),
        (lambda: card(uuid=UUID + "\n"), "card.uuid"),
        (lambda: card(detail=""), "card.detail"),
        (lambda: card(extension={}), "card.extension"),
        (lambda: card(suggestions=(PLAIN,)), "card.selectionBehavior"),
        (
            lambda: card(
                suggestions=(RECOMMENDED, RECOMMENDED), selection_behavior=SelectionBehavior.AT_MOST_ONE
            ),
            "card.suggestions",
        ),
        (lambda: card(override_reasons=(Coding(code="a", system="b"),)), "overrideReason.display"),
        (
            lambda: card(override_reasons=(Coding(code="a", system="b", display=" "),)),
            "overrideReason.display",
        ),
        (lambda: card(override_reasons=(Coding(code="", system="b", display="c"),)), "overrideReason.code"),
        (lambda: card(override_reasons=(Coding(code="a", system="", display="c"),)), "overrideReason.system"),
        (lambda: Source(label=" "), "source.label"),
        (lambda: Source(label="x", url="about"), "card.source"),
        (lambda: Source(label="x", url="https://example.org/a b"), "card.source"),
        (lambda: Source(label="x", icon="/icon.png"), "card.source"),
        (lambda: Source(label="x", topic=Coding(code="", system="b")), "source.topic.code"),
        (lambda: Source(label="x", topic=Coding(code="a", system="")), "source.topic.system"),
        (lambda: Source(label="x", topic=Coding(code="a", system="b", display="")), "source.topic.display"),
        (lambda: Suggestion(label="\t"), "suggestion.label"),
        (lambda: Suggestion(label="x", uuid="1"), "suggestion.uuid"),
        (lambda: Action(type="Create", description="x", resource=ORDER), "action.type"),
        (lambda: Action(type="create", description="", resource=ORDER), "action.description"),
        (lambda: Action(type="create", description="x"), "action.resource"),
        (lambda: Action(type="create", description="x", resource={"id": "1"}), "action.resource"),
        (lambda: Action(type="update", description="x", resource=ORDER), "action.resource"),
        (lambda: Action(type="delete", description="x"), "action.resourceId"),
        (lambda: Action(type="delete", description="x", resource_id="1"), "action.resourceId"),
        (
            lambda: Action(type="delete", description="x", resource_id="ServiceRequest/1", resource=ORDER),
            "action.resourceId",
        ),
        (lambda: Link(label="x", url="https://example.org", type="web"), "link.type"),
        (lambda: Link(label="", url="https://example.org", type="smart"), "link.label"),
        (lambda: Link(label="x", url="launch", type="smart"), "link.url"),
        (lambda: Link(label="x", url="https://e.org", type="absolute", app_context="c"), "link.appContext"),
        (lambda: Link(label="x", url="https://e.org", type="smart", app_context=""), "link.appContext"),
    ],
)
def test_what_a_client_would_reject_is_refused(build: Any, where: str) -> None:
    """An invalid card cannot be built, and the error names the member."""
    with pytest.raises(InvalidCardError) as refusal:
        build()
    assert refusal.value.where == (where,)


def test_several_recommended_suggestions_need_any() -> None:
    """More than one preselected suggestion goes with `any`, one goes with both."""
    both = card(suggestions=(RECOMMENDED, RECOMMENDED), selection_behavior=ANY)
    one = card(suggestions=(RECOMMENDED, PLAIN), selection_behavior=SelectionBehavior.AT_MOST_ONE)
    assert [len(made.suggestions) for made in (both, one)] == [2, 2]


texts = st.sampled_from(["", " ", "a", "a b", "a\nb", "x" * 139, "x" * 140, "<b>&", "µ", "\U0001f9ea"])
maybe_texts = st.none() | texts
urls = st.sampled_from([None, "", "about", "https://example.org/a", "http://example.org/a b", "ftp://x"])
uuids = st.sampled_from([None, UUID, UUID.upper(), "1", ""])
codings = st.fixed_dictionaries({"code": texts, "system": texts, "display": maybe_texts})
resources = st.sampled_from([None, {}, {"id": "1"}, ORDER, ORDER | {"id": "1"}])
actions = st.fixed_dictionaries(
    {
        "type": st.sampled_from(["create", "update", "delete", "drop"]),
        "description": texts,
        "resource": resources,
        "resource_id": st.sampled_from([None, "1", "ServiceRequest/1", "ServiceRequest/1/2"]),
    }
)
suggestions = st.fixed_dictionaries(
    {
        "label": texts,
        "uuid": uuids,
        "is_recommended": st.none() | st.booleans(),
        "actions": st.lists(actions, max_size=2),
    }
)
links = st.fixed_dictionaries(
    {
        "label": texts,
        "url": urls.filter(lambda url: url is not None),
        "type": st.sampled_from(["absolute", "smart", "web"]),
        "app_context": maybe_texts,
        "autolaunchable": st.none() | st.booleans(),
    }
)
sources = st.fixed_dictionaries({"label": texts, "url": urls, "icon": urls, "topic": st.none() | codings})
one_odd_member = st.one_of(
    texts.map(lambda text: {"summary": text}),
    maybe_texts.map(lambda text: {"detail": text}),
    uuids.map(lambda uuid: {"uuid": uuid}),
    sources.map(lambda source: {"source": source}),
    st.lists(codings, max_size=2).map(lambda found: {"override_reasons": found}),
    st.lists(links, max_size=2).map(lambda found: {"links": found}),
    st.tuples(st.lists(suggestions, max_size=2), st.sampled_from([None, "any", "at-most-one"])).map(
        lambda found: {"suggestions": found[0], "selection_behavior": found[1]}
    ),
    st.sampled_from([None, {}, {"a": 1}]).map(lambda found: {"extension": found}),
)


def build_card(members: dict[str, Any]) -> Card:
    """Build a card with all its parts from plain members. Raises `InvalidCardError`."""
    made = {"summary": "Look", "indicator": Indicator.INFO, "source": {"label": "x"}} | members
    source = dict(made["source"])
    if source.get("topic"):
        source["topic"] = Coding(**source["topic"])
    made["source"] = Source(**source)
    made["override_reasons"] = tuple(Coding(**one) for one in made.get("override_reasons", ()))
    made["links"] = tuple(Link(**one) for one in made.get("links", ()))
    made["suggestions"] = tuple(
        Suggestion(**one | {"actions": tuple(Action(**action) for action in one["actions"])})
        for one in made.get("suggestions", ())
    )
    if made.get("selection_behavior"):
        made["selection_behavior"] = SelectionBehavior(made["selection_behavior"])
    return Card(**made)


@given(one_odd_member)
def test_a_card_that_can_be_built_validates(members: dict[str, Any]) -> None:
    """Whatever the members: the builder refuses, or the response meets the schema of the standard."""
    try:
        built = build_card(members)
    except InvalidCardError:
        return
    assert schema_faults("cds-response", CDSResponse(cards=(built,)).to_dict()) == []


def test_nothing_empty_is_sent() -> None:
    """Members without a value are left out; names are the standard's."""
    full = card(
        uuid=UUID,
        suggestions=(Suggestion(label="x", is_recommended=True, actions=(CREATE,)),),
        selection_behavior=ANY,
    )
    assert full.to_dict() == {
        "summary": "Look",
        "indicator": "info",
        "source": {"label": "Handbook"},
        "uuid": UUID,
        "suggestions": [
            {
                "label": "x",
                "isRecommended": True,
                "actions": [{"type": "create", "description": "Draft it", "resource": ORDER}],
            }
        ],
        "selectionBehavior": "any",
    }


def test_an_answer_without_cards_says_so() -> None:
    """`cards` is there even when it is empty, and an extension only when there is one."""
    assert CDSResponse(cards=()).to_json() == b'{"cards":[]}'
    assert CDSResponse(cards=(), extension={"a": 1}).to_dict() == {"cards": [], "extension": {"a": 1}}


NOUNS: list[tuple[Any, dict[str, Any]]] = [
    (
        CDSService,
        {
            "hook": "patient-view",
            "id": "x",
            "description": "y",
            "usageRequirements": "z",
            "prefetch": {"a": "b"},
        },
    ),
    (
        CDSRequest,
        {"hook": "patient-view", "hookInstance": UUID, "context": {"patientId": "1"}, "prefetch": {}},
    ),
    (Feedback, {"card": UUID, "outcome": "accepted", "outcomeTimestamp": "2026-06-15T10:00:00Z"}),
    (OverrideReason, {"userComment": "no", "reason": {"code": "a", "system": "b"}}),
    (AcceptedSuggestion, {"id": UUID}),
    (Link, {"label": "x", "url": "https://example.org", "type": "smart", "appContext": "c"}),
]


@pytest.mark.parametrize(("noun", "value"), NOUNS, ids=[noun.__name__ for noun, _value in NOUNS])
def test_nouns_are_read_and_written_in_the_names_of_the_standard(noun: Any, value: dict[str, Any]) -> None:
    """What is read is written back; members nobody knows are ignored, a missing or mistyped one is an error."""
    assert noun.from_dict(value | {"unheardOf": 1}).to_dict() == value
    first = next(iter(value))
    for wrong in ({}, value | {first: 5}):
        with pytest.raises(msgspec.ValidationError):
            noun.from_dict(wrong | {"reason": 5} if noun is OverrideReason else wrong)


def test_a_token_is_never_printed() -> None:
    """Neither repr nor str shows the access token."""
    secret = FHIRAuthorization.from_dict({"access_token": "s3cr3t", "expires_in": 300})
    assert "s3cr3t" not in f"{secret!r} {secret}"
    assert secret.token_type == "Bearer"


def test_uuids_are_uuids_and_never_repeat() -> None:
    """Each is fresh, and good for a card."""
    made = {fresh_uuid() for _ in range(50)}
    assert len(made) == 50
    assert all(card(uuid=one).uuid == one for one in made)


@pytest.mark.parametrize(("indicator", "rank"), [("info", 0), ("warning", 1), ("critical", 2)])
def test_indicators_rise(indicator: str, rank: int) -> None:
    """Info is the lowest, critical the highest."""
    assert Indicator(indicator).rank == rank
