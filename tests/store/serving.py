"""A real service on a store of its own, asked over HTTP by many at once; it judges nothing."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

from tests.functional.server import LiveServer
from tests.support.places import SAMPLES

HOOK = "/cds-services/muscle-spasm-problem"
FEEDBACK = f"{HOOK}/feedback"
STORY = (SAMPLES / "ms-fasciculation-on-thiazide" / "request.json").read_bytes()


class Reply(NamedTuple):
    """What came back; header names in lower case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


def post(server: LiveServer, path: str, body: Mapping[str, Any] | bytes) -> Reply:
    """Send one call on a connection of its own. Raises `OSError` when the service breaks it off."""
    sent = body if isinstance(body, bytes) else json.dumps(body).encode()
    connection = server.connection()
    try:
        connection.request("POST", path, sent, {"Content-Type": "application/json"})
        reply = connection.getresponse()
        return Reply(reply.status, {name.lower(): text for name, text in reply.getheaders()}, reply.read())
    finally:
        connection.close()


def at_once(server: LiveServer, path: str, bodies: list[Mapping[str, Any]]) -> list[Reply]:
    """Send many calls at the same time."""
    with ThreadPoolExecutor(len(bodies)) as pool:
        return list(pool.map(lambda body: post(server, path, body), bodies))


def first_card(server: LiveServer) -> dict[str, Any]:
    """Return the first card of a new answer."""
    reply = post(server, HOOK, STORY)
    assert reply.status == 200, reply.body
    card: dict[str, Any] = json.loads(reply.body)["cards"][0]
    return card
