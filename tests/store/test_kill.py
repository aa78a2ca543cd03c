"""A service that is killed under load loses no feedback that it answered, and a retry doubles none.

`CDS_KILLS` says how often it is killed (5 by default); every tenth time one worker, which the service replaces, else
all of its processes at once.
"""

from __future__ import annotations

import http.client
import os
import random
import threading
import uuid
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import select, text

from cds_service.store.database import Database
from cds_service.store.tables import accepted_suggestion, feedback
from tests.functional.server import LiveServer
from tests.store.serving import FEEDBACK, HOOK, STORY, post
from tests.support.feedback import accepted, message

KILLS = int(os.environ.get("CDS_KILLS", "5"))
CLIENTS = 4
ITEMS = 3
ONE_WORKER_EVERY = 10


class Load:
    """Clients that send feedback, one call after another, until one is not answered or they are told to end.

    `stored` are the calls that were answered with 200, `open` those that were not: they will be sent again.
    """

    def __init__(self, server: LiveServer) -> None:
        """Begin at once."""
        self.stored: list[tuple[str, ...]] = []
        self.open: list[tuple[str, ...]] = []
        self._ends = threading.Event()
        self._server = server
        self._threads = [threading.Thread(target=self._send) for _ in range(CLIENTS)]
        self._threads.append(threading.Thread(target=self._ask))
        for thread in self._threads:
            thread.start()

    def end(self) -> None:
        """Let every client come to its end."""
        self._ends.set()
        for thread in self._threads:
            thread.join()

    def _send(self) -> None:
        while not self._ends.is_set():
            cards = tuple(str(uuid.uuid4()) for _ in range(ITEMS))
            if not is_stored(self._server, cards):
                self.open.append(cards)
                return
            self.stored.append(cards)

    def _ask(self) -> None:
        """Have cards shown meanwhile, which the same writer writes."""
        while not self._ends.is_set():
            try:
                post(self._server, HOOK, STORY)
            except (OSError, http.client.HTTPException):
                self._ends.wait(0.01)


def is_stored(server: LiveServer, cards: tuple[str, ...]) -> bool:
    """Send one call about these cards; whether it was answered with 200."""
    try:
        reply = post(server, FEEDBACK, message(*(accepted(card, f"of-{card}") for card in cards)))
    except (OSError, http.client.HTTPException):
        return False
    return reply.status == http.HTTPStatus.OK


def kept(database: Database) -> Counter[str]:
    """Return how often each card has an answer, which has its suggestion."""
    asked = (
        select(feedback.c.card)
        .join(accepted_suggestion, accepted_suggestion.c.feedback == feedback.c.id)
        .where(accepted_suggestion.c.suggestion == "of-" + feedback.c.card)
    )
    with database.reading() as connection:
        return Counter(connection.execute(asked).scalars())


def is_whole(database: Database) -> bool:
    """Whether SQLite finds its file sound; PostgreSQL, which was not killed, has no such check."""
    if not database.is_sqlite:
        return True
    with database.reading() as connection:
        return connection.execute(text("PRAGMA integrity_check")).scalar() == "ok"


@pytest.fixture
def changes(url: str, tmp_path: Path) -> dict[str, str]:
    """Return the environment of the service."""
    return {"DATABASE_URL": url, "CDS_STATE_FOLDER": str(tmp_path / "state"), "WORKERS": "1"}


@pytest.fixture
def running() -> Iterator[list[LiveServer]]:
    """Return the list of what is running, which is killed at the end."""
    servers: list[LiveServer] = []
    yield servers
    for server in servers:
        server.kill()


def test_no_acknowledged_feedback_is_lost_and_none_doubled(
    changes: dict[str, str], url: str, tmp_path: Path, running: list[LiveServer]
) -> None:
    """After each kill all that was answered is there, nothing is there in part, and a retry stores the rest once."""
    chance = random.Random(7)  # noqa: S311 - when to kill is no secret
    log = tmp_path / "server.log"
    running.append(LiveServer(log, changes))
    database = Database(url)
    counts = Counter({"stored": 0, "open": 0, "of those kept": 0})
    expected: set[str] = set()
    for trial in range(KILLS):
        load = Load(running[0])
        threading.Event().wait(chance.uniform(0.05, 0.6))
        one_worker = trial % ONE_WORKER_EVERY == ONE_WORKER_EVERY - 1
        (running[0].kill_a_worker if one_worker else running[0].kill)()
        load.end()
        found = kept(database)
        expected |= {card for cards in load.stored for card in cards}
        assert expected <= found.keys(), f"lost in trial {trial}"
        assert all({found[card] for card in cards} in ({0}, {1}) for cards in load.open), "stored in part"
        assert is_whole(database)
        counts.update(stored=len(load.stored), open=len(load.open))
        counts["of those kept"] += sum(found[cards[0]] for cards in load.open)
        if one_worker:
            running[0].wait_until_ready()
        else:
            running[0] = LiveServer(log, changes)
        assert all(is_stored(running[0], cards) for cards in load.open)
        assert all(is_stored(running[0], cards) for cards in load.stored[:CLIENTS])
        expected |= {card for cards in load.open for card in cards}
    found = kept(database)
    assert found.keys() == expected
    assert set(found.values()) == {1}
    database.close()
    assert counts["stored"] > 0
    print(f"{KILLS} kills: {dict(counts)}")  # noqa: T201 - the figures of a long run
