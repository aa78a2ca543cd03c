"""Feedback through a real service on both databases: stored before it is answered, and known with its card at once."""

from __future__ import annotations

import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from cds_service.store.database import Database
from tests.functional.server import LiveServer
from tests.store.serving import FEEDBACK, at_once, first_card, post
from tests.support.feedback import accepted, kept_of, message, overridden


@pytest.fixture
def server(url: str, tmp_path: Path) -> Iterator[LiveServer]:
    """Return a running service that has an empty store to itself."""
    server = LiveServer(
        tmp_path / "server.log", {"DATABASE_URL": url, "CDS_STATE_FOLDER": str(tmp_path / "s")}
    )
    yield server
    assert server.stop() == 0


def test_what_was_answered_is_stored_and_known(server: LiveServer, url: str) -> None:
    """Right after the 200 another connection finds the answer, and with it the card that was just shown."""
    database = Database(url)
    for _ in range(10):
        card = first_card(server)
        suggestion = card["suggestions"][0]["uuid"]
        assert post(server, FEEDBACK, message(accepted(card["uuid"], suggestion))).status == 200
        (kept,) = kept_of(database, card["uuid"])
        assert (kept.is_known, kept.suggestions) == (True, (suggestion,))
    database.close()


def test_fifty_at_once_store_one_answer(server: LiveServer, url: str) -> None:
    """Each of fifty parallel duplicates is answered with 200, at the latest when it comes again, and one is stored.

    Fifty are more than a process works on at once: those beyond are told to come again.
    """
    card = str(uuid.uuid4())
    call = message(overridden(card), overridden(card))
    replies = at_once(server, FEEDBACK, [call] * 50)
    refused = [reply for reply in replies if reply.status != 200]
    assert {reply.status for reply in refused} <= {503}
    assert all(post(server, FEEDBACK, call).status == 200 for _ in refused)
    database = Database(url)
    assert len(kept_of(database, card)) == 1
    database.close()


def test_what_is_shown_is_written_before_the_service_ends(url: str, tmp_path: Path) -> None:
    """A service that is asked to stop right after an answer has kept that the card was shown."""
    changes = {"DATABASE_URL": url, "CDS_STATE_FOLDER": str(tmp_path / "s")}
    server = LiveServer(tmp_path / "server.log", changes)
    card = first_card(server)["uuid"]
    assert server.stop() == 0
    server = LiveServer(tmp_path / "server.log", changes)
    assert post(server, FEEDBACK, message(overridden(card))).status == 200
    assert server.stop() == 0
    database = Database(url)
    assert [one.is_known for one in kept_of(database, card)] == [True]
    database.close()
