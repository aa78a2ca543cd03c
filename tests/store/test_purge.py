"""Retention: what is past its time goes, whole and on both databases; what is not stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from click.testing import CliRunner
from sqlalchemy import func, select

from cds_service.cli.main import cli
from cds_service.store.database import Database
from cds_service.store.feedback import KeptFeedback, keeping_feedback
from cds_service.store.purge import Purged, purge
from cds_service.store.shown import ShownCard, keeping_shown
from cds_service.store.store import Store
from cds_service.store.tables import METADATA, feedback, shown_card

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
DAY = timedelta(days=1)


def show(store: Store, name: str, days: int, moment: datetime = NOW) -> None:
    """Have a card shown so many days ago, with a suggestion."""
    card = ShownCard(
        name, "ehr", "problem", "t", "info", (), ((f"s-{name}", "x"),), "v", "p", "a", moment - days * DAY
    )
    store.writer.commit(keeping_shown([card]), 5)


def answer(store: Store, name: str, days: int, moment: datetime = NOW) -> None:
    """Have an answer arrive so many days ago."""
    item = KeptFeedback(name, "accepted", moment, (f"s-{name}",), has_comment=True, comment="text")
    store.writer.commit(keeping_feedback("ehr", "problem", [item], moment - days * DAY), 5)


def left(database: Database) -> tuple[set[str], set[str]]:
    """Return the cards that are left, and those of the answers that are."""
    with database.reading() as connection:
        return (
            set(connection.execute(select(shown_card.c.card)).scalars()),
            set(connection.execute(select(feedback.c.card)).scalars()),
        )


def test_what_is_past_its_time_goes(store: Store) -> None:
    """Old answers, old cards and, sooner, answers about unknown cards; nothing hangs on to what is gone."""
    for name, days in (("new", 1), ("old", 366), ("oldest", 401)):
        show(store, name, days)
        answer(store, name, days)
    answer(store, "unknown", 31)
    answer(store, "unknown-new", 29)
    done = purge(
        store.database,
        feedback_before=NOW - 365 * DAY,
        quarantine_before=NOW - 30 * DAY,
        shown_before=NOW - 400 * DAY,
    )
    assert done == Purged(comments=3, feedback=3, shown_cards=1)
    assert left(store.database) == ({"new", "old"}, {"new", "unknown-new"})
    with store.database.reading() as connection:
        rows = {
            name: connection.execute(select(func.count()).select_from(METADATA.tables[name])).scalar()
            for name in ("accepted_suggestion", "shown_suggestion")
        }
    assert rows == {"accepted_suggestion": 2, "shown_suggestion": 2}


def test_more_than_one_batch_goes(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """A long past is deleted piece by piece."""
    monkeypatch.setattr("cds_service.store.purge._AT_ONCE", 2)
    for number in range(5):
        answer(store, f"c{number}", 500)
    before = NOW - 365 * DAY
    done = purge(store.database, feedback_before=before, quarantine_before=before, shown_before=before)
    assert done.feedback == 5


def test_the_command_follows_the_settings(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Days come from the environment; the moment is now."""
    moment = datetime.now(UTC)
    for name, days in (("young", 5), ("old", 15)):
        show(store, name, days, moment)
        answer(store, name, days, moment)
    monkeypatch.setenv("DATABASE_URL", store.database.url.render_as_string(hide_password=False))
    monkeypatch.setenv("CDS_FEEDBACK_DAYS", "10")
    told = CliRunner().invoke(cli, ["purge"])
    assert told.output == "Erased 1 comments; deleted 1 answers, 0 shown cards and 0 audit records.\n"
    monkeypatch.setenv("CDS_SHOWN_DAYS", "10")
    monkeypatch.setenv("CDS_QUIET_DAYS", "10")
    CliRunner().invoke(cli, ["purge"])
    assert left(store.database) == ({"young"}, {"young"})
