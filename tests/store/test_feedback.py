"""Feedback in the store: kept once, whole or not at all, the same on both databases."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from sqlalchemy import func, select

from cds_service.store.database import Database
from cds_service.store.feedback import KeptFeedback, digest_of, keeping_feedback
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.store.tables import accepted_suggestion, feedback, shown_suggestion
from tests.support.feedback import kept_of

AT = datetime(2026, 6, 20, 10, 5, 31, 520_000, tzinfo=UTC)
ITEM = KeptFeedback("card", "accepted", AT, ("s1", "s2"), "http://system", "code", has_comment=True)
CARD = ShownCard(
    card="card",
    client="ehr",
    service="problem",
    template="differential",
    indicator="info",
    rules=("hypokalemia",),
    offers=(("s1", "potassium"), ("s2", "magnesium")),
    knowledge_version="v",
    patient="p",
    advice="a",
    shown_at=AT,
)


def keep(store: Store, *items: KeptFeedback, client: str = "ehr", service: str = "problem") -> None:
    """Write answers as the route does."""
    store.writer.commit(keeping_feedback(client, service, items, AT), 5)


def count(database: Database) -> int:
    """Return how many answers there are."""
    with database.reading() as connection:
        return connection.execute(select(func.count()).select_from(feedback)).scalar_one()


def test_an_answer_is_kept_once(store: Store) -> None:
    """The same answer in one call, in the next and beside a new one is there once, with its suggestions once."""
    keep(store, ITEM, ITEM)
    keep(store, ITEM, ITEM._replace(outcome="overridden"))
    assert [one.outcome for one in kept_of(store.database, "card")] == ["accepted", "overridden"]
    with store.database.reading() as connection:
        assert connection.execute(select(func.count()).select_from(accepted_suggestion)).scalar() == 4


@pytest.mark.parametrize(
    "other",
    [
        ITEM._replace(card="other"),
        ITEM._replace(outcome="overridden"),
        ITEM._replace(outcome_at=AT + timedelta(milliseconds=1)),
        ITEM._replace(suggestions=("s1",)),
        ITEM._replace(reason_code="other"),
        ITEM._replace(reason_system=None),
    ],
)
def test_what_differs_is_another_answer(store: Store, other: KeptFeedback) -> None:
    """Card, outcome, moment, suggestions and reason tell answers apart."""
    keep(store, ITEM, other)
    assert count(store.database) == 2


def test_client_and_service_tell_answers_apart(store: Store) -> None:
    """Two clients that report the same do not hide one another's answers."""
    keep(store, ITEM)
    keep(store, ITEM, client="other")
    keep(store, ITEM, service="other")
    assert count(store.database) == 3


@pytest.mark.parametrize(
    "same",
    [
        ITEM._replace(suggestions=("s2", "s1")),
        ITEM._replace(comment="x", has_comment=False),
        ITEM._replace(outcome_at=AT.astimezone(timezone(timedelta(hours=5)))),
        ITEM._replace(outcome_at=AT + timedelta(microseconds=999)),
    ],
)
def test_what_says_the_same_is_the_same_answer(same: KeptFeedback) -> None:
    """Neither order, zone, a comment nor less than a millisecond makes another answer."""
    assert digest_of("ehr", "problem", same) == digest_of("ehr", "problem", ITEM)


def test_a_failing_answer_takes_its_call_with_it_and_no_other(store: Store) -> None:
    """A call is stored whole or not at all."""
    nameless = ITEM._replace(card="zz", outcome=None)  # type: ignore[arg-type]  # planted: the table wants one
    bad = keeping_feedback("ehr", "problem", [ITEM, nameless], AT)
    done = store.writer.submit(bad)
    keep(store, ITEM._replace(card="good"))
    assert done.exception(5) is not None
    assert count(store.database) == 1


def test_a_card_is_known_to_its_client_and_service_only(store: Store) -> None:
    """The answer of a stranger is kept, and joined to nothing."""
    store.writer.commit(keeping_shown([CARD]), 5)
    keep(store, ITEM)
    keep(store, ITEM, client="other")
    keep(store, ITEM, service="other")
    assert [one.is_known for one in kept_of(store.database, "card")] == [True, False, False]


def test_an_answer_before_its_card_becomes_known_with_it(store: Store) -> None:
    """Another process may write the card a moment later."""
    keep(store, ITEM)
    assert [one.is_known for one in kept_of(store.database, "card")] == [False]
    store.writer.commit(keeping_shown([CARD]), 5)
    assert [one.is_known for one in kept_of(store.database, "card")] == [True]


def test_the_suggestions_of_a_card_are_kept_with_their_orders(store: Store) -> None:
    """An accepted suggestion can be told by its order later."""
    store.writer.commit(keeping_shown([CARD, CARD._replace(card="B", offers=())]), 5)
    with store.database.reading() as connection:
        rows = connection.execute(select(shown_suggestion).order_by(shown_suggestion.c.suggestion)).all()
    assert [tuple(row) for row in rows] == [("s1", "card", "potassium"), ("s2", "card", "magnesium")]


@pytest.mark.parametrize("text", ["\U0001f9b5", "Ω’é", "x" * 300, "'; DROP TABLE feedback; --", "\ufffd"])
def test_texts_are_kept_alike(store: Store, text: str) -> None:
    """Both databases give back what was written."""
    keep(store, ITEM._replace(reason_code=text, comment=text * 10))
    (kept,) = kept_of(store.database, "card")
    assert (kept.reason, kept.comment) == (text, text * 10)
