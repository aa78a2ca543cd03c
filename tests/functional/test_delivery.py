"""Delivery: what was shown is kept and told, and a store that is lost, locked or slow costs no answer."""

from __future__ import annotations

import json
import logging
import sqlite3
import threading
import time
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select

from cds_service.app import create_app
from cds_service.errors import StoreUnavailableError
from cds_service.settings import Settings
from cds_service.store.database import Database
from cds_service.store.tables import shown_card
from cds_service.web.delivery import Delivered, FeedbackTaken
from tests.support.feedback import message, overridden
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
REQUEST = json.loads((SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_text("utf-8"))
NOT_KEPT_WITHIN_S = 5.0


class Watcher:
    """Keeps what it is told."""

    def __init__(self) -> None:
        """Have been told nothing yet."""
        self.answered: list[Delivered] = []
        self.taken: list[FeedbackTaken] = []
        self.lost: list[int] = []

    def delivered(self, one: Delivered) -> None:
        """Keep an answer."""
        self.answered.append(one)

    def feedback_taken(self, one: FeedbackTaken) -> None:
        """Keep feedback."""
        self.taken.append(one)

    def not_kept(self, cards: int) -> None:
        """Keep how many were lost."""
        self.lost.append(cards)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Return where the store is."""
    return tmp_path / "store.sqlite3"


@pytest.fixture
def watcher() -> Watcher:
    """Return an observer."""
    return Watcher()


@pytest.fixture
def app(tmp_path: Path, file: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch) -> Flask:
    """Return an application with a store of its own."""
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{file}")
    return create_app(Settings(state_folder=tmp_path), [watcher])


def ask(app: Flask, request: dict[str, Any] = REQUEST) -> list[dict[str, Any]]:
    """Return the cards of one call."""
    reply = app.test_client().post(HOOK, json=request)
    assert reply.status_code == 200
    cards: list[dict[str, Any]] = reply.get_json()["cards"]
    return cards


def shown_in(file: Path) -> list[Any]:
    """Return the rows of shown cards, once they are written."""
    database = Database(f"sqlite:///{file}")
    deadline = time.monotonic() + NOT_KEPT_WITHIN_S
    rows: list[Any] = []
    while not rows and time.monotonic() < deadline:
        with database.reading() as connection:
            rows = [*connection.execute(select(shown_card)).all()]
    database.close()
    return rows


def until_lost(watcher: Watcher) -> list[int]:
    """Return what the observer was told is lost, once it was."""
    deadline = time.monotonic() + NOT_KEPT_WITHIN_S
    while not watcher.lost and time.monotonic() < deadline:
        time.sleep(0.01)
    return watcher.lost


def test_every_card_is_kept_without_a_word_of_the_chart(app: Flask, file: Path) -> None:
    """uuid, kind, rules and digests are kept; neither the patient's id nor a value or name of the record is."""
    cards = ask(app)
    rows = shown_in(file)
    assert sorted(row.card for row in rows) == sorted(card["uuid"] for card in cards)
    kept = {row.card: row for row in rows}[cards[0]["uuid"]]
    assert (kept.template, kept.indicator, kept.client) == (
        "differential",
        cards[0]["indicator"],
        "anonymous",
    )
    assert "hypokalemia" in kept.rules
    written = json.dumps([[str(value) for value in row] for row in rows])
    patient = REQUEST["context"]["patientId"]
    for text in (patient, REQUEST["hookInstance"], "2.8", "0.62", "hydrochlorothiazide"):
        assert text not in written.lower()


def test_observers_are_told_of_an_answer(app: Flask, watcher: Watcher) -> None:
    """One plain object per call: who, what, by which knowledge; the suggestions with their orders."""
    cards = ask(app)
    (told,) = watcher.answered
    assert (told.hook, told.service) == ("problem-list-item-create", "muscle-spasm-problem")
    assert told.hook_instance == REQUEST["hookInstance"]
    assert [one.uuid for one in told.cards] == [card["uuid"] for card in cards]
    offered = dict(told.cards[0].offers)
    assert [*offered] == [one["uuid"] for one in cards[0]["suggestions"]]
    assert {"magnesium", "recommended-together", "muscle-spasm-history"} <= set(offered.values())
    explanation = cards[0]["extension"]["org.spasm-cds.explanation"]
    assert told.complete is explanation["complete"]
    assert told.knowledge_version == explanation["knowledge_version"]


def test_observers_are_told_of_an_answer_without_cards(app: Flask, watcher: Watcher, file: Path) -> None:
    """Nothing to say is an answer too; there is nothing to keep."""
    request = json.loads(json.dumps(REQUEST))
    for entry in request["context"]["conditions"]["entry"]:
        entry["resource"]["code"] = {"text": "Ingrowing toenail"}
    assert ask(app, request) == []
    assert [one.cards for one in watcher.answered] == [()]
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM shown_card").fetchone() == (0,)


def test_observers_are_told_of_feedback_that_is_stored(app: Flask, watcher: Watcher) -> None:
    """Refused feedback is not told."""
    client = app.test_client()
    assert client.post(f"{HOOK}/feedback", json=message()).status_code == 400
    assert client.post(f"{HOOK}/feedback", json=message(overridden("c"))).status_code == 200
    (taken,) = watcher.taken
    assert (taken.client, taken.service) == ("anonymous", "muscle-spasm-problem")
    assert (taken.cards, taken.outcomes) == (("c",), ("overridden",))


def test_a_locked_store_costs_no_answer(
    app: Flask, file: Path, watcher: Watcher, caplog: pytest.LogCaptureFixture
) -> None:
    """While another program holds the store the answer goes out at once; the log and the observers are told."""
    ask(app)
    shown_in(file)
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        cards = ask(app)
        assert time.monotonic() - begun < 0.9  # the database itself would wait for a second
        assert until_lost(watcher) == [len(cards)]
    lines = [vars(record) for record in caplog.records if record.levelno == logging.ERROR]
    (line,) = [one for one in lines if one["msg"] == "shown cards were not kept"]
    assert (line["fault"], line["count"]) == ("StoreUnavailableError", len(cards))
    assert line["request_id"]
    assert REQUEST["context"]["patientId"] not in caplog.text


def test_feedback_waits_for_a_short_lock_and_gives_up_on_a_long_one(app: Flask, file: Path) -> None:
    """Held for a moment: 200. Held for long: 503 within the deadline, and the retry afterwards stores it once."""
    client, body = app.test_client(), message(overridden("c"))
    with closing(sqlite3.connect(file, check_same_thread=False)) as other:
        other.execute("BEGIN EXCLUSIVE")
        threading.Timer(0.1, other.rollback).start()
        assert client.post(f"{HOOK}/feedback", json=message(overridden("d"))).status_code == 200
    with closing(sqlite3.connect(file)) as other:
        other.execute("BEGIN EXCLUSIVE")
        begun = time.monotonic()
        reply = client.post(f"{HOOK}/feedback", json=body)
        assert time.monotonic() - begun < Settings().deadline_seconds + 0.2
        assert (reply.status_code, reply.headers["Retry-After"]) == (503, "1")
        assert reply.get_json()["issue"][0]["code"] == "transient"
    assert client.post(f"{HOOK}/feedback", json=body).status_code == 200
    with closing(sqlite3.connect(file)) as connection:
        assert connection.execute("SELECT count(*) FROM feedback").fetchone() == (2,)


def test_what_is_refused_was_never_shown(
    app: Flask, file: Path, watcher: Watcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An observer whose duty to record cannot be met turns the answer into a 503, and none of its cards is kept."""

    def refuse(_one: Delivered) -> None:
        raise StoreUnavailableError("Temporarily unavailable")

    with monkeypatch.context() as patch:
        patch.setattr(watcher, "delivered", refuse)
        assert app.test_client().post(HOOK, json=REQUEST).status_code == 503
    sent = {card["uuid"] for card in ask(app)}
    assert {row.card for row in shown_in(file)} == sent
