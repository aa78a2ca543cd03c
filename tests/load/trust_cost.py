"""`make bench`: what knowing clients and keeping records adds to a hook call, side by side; it asserts nothing.

Two applications in one process answer the same call by turns: one as in production (an RS384 token for each call,
audit and shown cards in SQLite, advice not repeated), one that knows nobody and keeps nothing. Once with a pause before
each call, as clients that do not wait for each other make them, and once back to back, where what is kept after an
answer falls into the next call. Beside them stands what the disk alone takes to commit one small row.
"""

from __future__ import annotations

import argparse
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import orjson
from flask import Flask
from sqlalchemy import text

from cds_service.app import create_app, gatherer_for, reasoner_for, tune_collection
from cds_service.pipeline import Considered, respond
from cds_service.settings import read_settings
from cds_service.store.database import Database
from cds_service.trust.callers import Caller
from cds_service.web import cds_services
from tests.load.bench import STORY
from tests.support.production import CLIENT, PUBLIC, production_environment, write_clients
from tests.support.tokens import bearer, claims, key_set, signer, token

PATH = "/cds-services/muscle-spasm-problem"
GOAL_MS = 1.0
PAUSE_S = 0.01
_IN_TURN = 20


class _Nobody:
    """Stands for trust and delivery that are off: takes every call, and keeps nothing of what it sends."""

    def identify(self, _service: str, _deadline: object) -> Caller:
        """Return a caller of whom nothing is known."""
        return Caller()

    def deliver(self, considered: Considered, _caller: Caller, _body: bytes) -> bytes:
        """Return the response bytes."""
        return respond(considered.decision.cards, considered.decision.extension)


@contextmanager
def _applications() -> Iterator[tuple[Flask, Flask, Path]]:
    """Yield the application with trust and store, the one without, and the folder of the store."""
    with tempfile.TemporaryDirectory(prefix="cds-bench-") as name:
        folder = Path(name)
        os.environ.update(production_environment(folder), CDS_STATE_FOLDER=name)
        write_clients(folder, CLIENT | {"jwks": key_set(signer("RS384"))})
        settings = read_settings()
        whole, bare = create_app(settings), create_app(settings)
        nobody, reasoner = _Nobody(), reasoner_for(settings)
        routes = Flask("bench")
        routes.register_blueprint(
            cds_services.blueprint(reasoner, settings, nobody, gatherer_for(settings), nobody)  # type: ignore[arg-type]  # stand-ins
        )
        (endpoint,) = (rule.endpoint for rule in routes.url_map.iter_rules() if rule.rule.startswith("/cds"))
        bare.view_functions[endpoint] = routes.view_functions[endpoint]
        tune_collection()
        yield whole, bare, folder


def _caller(application: Flask, body: bytes) -> Callable[[], float]:
    """Return what calls once and returns the milliseconds, each time about another patient with another token."""
    client = application.test_client()
    patient = orjson.loads(body)["context"]["patientId"].encode()
    numbers = itertools.count()

    def call() -> float:
        asked = body.replace(patient, b"bench-%d" % next(numbers))
        headers = bearer(token(claims(aud=f"{PUBLIC}{PATH}"), signer("RS384")))
        started = time.perf_counter()
        reply = client.post(PATH, data=asked, content_type="application/json", headers=headers)
        taken = (time.perf_counter() - started) * 1e3
        if reply.status_code != 200 or not (reply.json or {}).get("cards"):
            raise SystemExit(f"the call was answered with {reply.status_code}")
        return taken

    return call


def _commits(folder: Path, rounds: int) -> float:
    """Return the median milliseconds of one durable commit of one small row."""
    database = Database(f"sqlite:///{folder / 'disk.sqlite3'}")
    taken = []
    with database.durable() as connection:
        connection.execute(text("create table row (value integer)"))
    for number in range(rounds):
        started = time.perf_counter()
        with database.durable() as connection:
            connection.execute(text("insert into row values (:value)"), {"value": number})
        taken.append((time.perf_counter() - started) * 1e3)
    database.close()
    return statistics.median(taken)


def _added(calls: Sequence[Callable[[], float]], rounds: int, pause: float) -> str:
    """Return the medians of both applications, called by turns, in words."""
    taken: list[list[float]] = [[] for _ in calls]
    for turn in range(rounds + 2):
        for place, call in enumerate(calls):
            for _ in range(_IN_TURN):
                time.sleep(pause)
                one = call()
                if turn > 1:  # what comes before warms up
                    taken[place].append(one)
    on, off = map(statistics.median, taken)
    return f"{on:.2f} ms with, {off:.2f} ms without, {on - off:.2f} ms added (budget {GOAL_MS} ms)"


def main() -> None:
    """Measure, and print the medians."""
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--rounds", type=int, default=20)
    rounds = arguments.parse_args().rounds
    body = orjson.dumps(orjson.loads(STORY.read_bytes()))
    with _applications() as (whole, bare, folder):
        calls = _caller(whole, body), _caller(bare, body)
        print(f"trust and store, {PAUSE_S * 1e3:.0f} ms between calls: {_added(calls, rounds, PAUSE_S)}")
        print(f"trust and store, back to back: {_added(calls, rounds, 0)}")
        print(f"one durable commit alone: {_commits(folder, rounds * 10):.2f} ms")


if __name__ == "__main__":
    main()
