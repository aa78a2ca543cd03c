"""What was shown before, and how it was answered, is found alike on both databases, and through a running service."""

from __future__ import annotations

import json
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from cds_service.settings import Settings
from cds_service.store.feedback import KeptFeedback, keeping_feedback
from cds_service.store.repeats import Earlier, earlier_of
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.store.tables import shown_card, shown_suggestion
from tests.functional.server import LiveServer
from tests.store.serving import FEEDBACK, HOOK, post
from tests.support.feedback import message, overridden
from tests.support.places import SAMPLES
from tests.support.production import production_environment

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
CARD = ShownCard("c1", "ehr", "problem", "differential", "info", ("x",), (), "v", "patient", "advice", NOW)
REASON = ("http://system", "done")


def is_silent(server: LiveServer, body: bytes) -> bool:
    """Whether six answers in a row, by whichever process, have no card, before it is given up."""
    deadline, silent = time.monotonic() + 20, 0
    while silent < 6 and time.monotonic() < deadline:
        silent = 0 if json.loads(post(server, HOOK, body).body)["cards"] else silent + 1
    return silent == 6


def show(store: Store, *cards: ShownCard) -> None:
    """Write shown cards."""
    store.writer.commit(keeping_shown(cards), 5)


def answer(store: Store, outcome: str, hours: int, card: str = "c1", client: str = "ehr") -> None:
    """Write one answer, so many hours after the card was shown."""
    item = KeptFeedback(card, outcome, NOW + timedelta(hours=hours), (), *REASON)
    store.writer.commit(keeping_feedback(client, "problem", [item], NOW), 5)


def earlier(
    store: Store, *advices: str, patient: str = "patient", as_of: datetime = NOW
) -> dict[str, Earlier]:
    """Return what was shown before."""
    with store.database.reading() as connection:
        return earlier_of(connection, patient, advices or ("advice",), as_of)


def test_the_last_time_counts(store: Store) -> None:
    """Of several cards with one advice the newest until the moment that is asked about is told."""
    show(store, CARD, CARD._replace(card="c2", shown_at=NOW - timedelta(days=3)))
    show(store, CARD._replace(card="c3", shown_at=NOW + timedelta(days=3)))
    assert earlier(store) == {"advice": Earlier(NOW, None)}
    assert earlier(store, as_of=NOW - timedelta(days=1)) == {"advice": Earlier(NOW - timedelta(days=3), None)}
    assert earlier(store, as_of=NOW - timedelta(days=9)) == {}


def test_each_advice_and_patient_is_told_alone(store: Store) -> None:
    """Several advices are asked about at once; another patient's are none of it."""
    show(store, CARD, CARD._replace(card="c2", advice="other"), CARD._replace(card="c3", patient="else"))
    assert set(earlier(store, "advice", "other", "never")) == {"advice", "other"}
    assert earlier(store, "other", patient="else") == {}


def test_the_last_answer_counts(store: Store) -> None:
    """By the moment of its outcome, not by that of its arrival; an acceptance takes an override back."""
    show(store, CARD)
    answer(store, "overridden", hours=2)
    assert earlier(store)["advice"].reason == REASON
    answer(store, "accepted", hours=1)
    assert earlier(store)["advice"].reason == REASON
    answer(store, "accepted", hours=3)
    assert earlier(store)["advice"].reason is None


def test_an_answer_of_a_stranger_counts_for_nothing(store: Store) -> None:
    """Only the client that was shown the card answers it."""
    show(store, CARD)
    answer(store, "overridden", hours=1, client="stranger")
    assert earlier(store)["advice"].reason is None


def test_a_service_with_several_processes_remembers(url: str, tmp_path: Path) -> None:
    """Whichever process answers, what was shown or answered before is not repeated, also after a restart.

    A store that is slow to tell withholds nothing, so a busy machine may have to be asked again.
    """
    changes = {
        "DATABASE_URL": url,
        "CDS_STATE_FOLDER": str(tmp_path / "s"),
        "CDS_QUIET": "true",
        "WORKERS": "2",
    }
    body = (SAMPLES / "benign-twitch-with-caffeine" / "request.json").read_bytes()
    server = LiveServer(tmp_path / "server.log", changes)
    (card,) = json.loads(post(server, HOOK, body).body)["cards"]
    assert post(server, FEEDBACK, message(overridden(card["uuid"]))).status == 200
    assert is_silent(server, body)
    assert server.stop() == 0
    server = LiveServer(tmp_path / "server.log", changes)
    assert is_silent(server, body)
    assert server.stop() == 0


def test_production_is_quiet_by_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Quiet is the default of production, loud that of development; the setting overrules both."""
    assert not Settings().is_quiet
    assert Settings(quiet=True).is_quiet
    for name, value in {**production_environment(tmp_path), "CDS_QUIET": ""}.items():
        monkeypatch.setenv(name, value)
    assert Settings().is_quiet
    monkeypatch.setenv("CDS_QUIET", "false")
    assert not Settings().is_quiet


def test_a_card_that_is_written_twice_stands_once(store: Store) -> None:
    """A commit whose end is unknown is tried again; what was kept by the first one is no fault."""
    twice = CARD._replace(offers=(("s1", "magnesium"),))
    show(store, twice)
    show(store, twice, CARD._replace(card="c2", offers=(("s2", "tsh"),)))
    with store.database.reading() as connection:
        assert sorted(connection.execute(select(shown_card.c.card)).scalars()) == ["c1", "c2"]
        assert sorted(connection.execute(select(shown_suggestion.c.suggestion)).scalars()) == ["s1", "s2"]
