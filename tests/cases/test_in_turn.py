"""One reasoner answers many patients; what it keeps between two calls holds nothing of either."""

from __future__ import annotations

import re
from datetime import UTC, datetime

import pytest

from cds_service.app import load_knowledge
from cds_service.pipeline import Reasoner, answer
from cds_service.settings import Settings
from tests.support.places import SAMPLES

NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)
SERVICE = "muscle-spasm-problem"
UUID = re.compile(rb"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}")
STORIES = [path.read_bytes() for path in sorted(SAMPLES.glob("*/request.json"))]
CALLS = [body for body in STORIES if b'"problem-list-item-create"' in body]


def words(body: bytes, reasoner: Reasoner) -> bytes:
    """Return the answer without its random uuids."""
    return UUID.sub(b"uuid", answer(body, SERVICE, reasoner, NOW, may_replay=True))


@pytest.fixture(scope="module")
def shared() -> Reasoner:
    """Return the reasoner that answers everybody."""
    return Reasoner(load_knowledge(Settings()))


def test_patients_in_turn_get_what_each_gets_alone(shared: Reasoner) -> None:
    """Forwards, backwards and again, every patient's answer is that of a reasoner which never saw another."""
    alone = [words(body, Reasoner(shared.knowledge)) for body in CALLS[:6]]
    for _ in range(2):
        assert [words(body, shared) for body in CALLS[:6]] == alone
        assert [words(body, shared) for body in reversed(CALLS[:6])] == alone[::-1]


def test_no_answer_names_another_patient(shared: Reasoner) -> None:
    """After all others have been answered, an answer still names its own patient's record only."""
    ids = [re.findall(rb'"patientId": ?"([^"]+)"', body)[0] for body in CALLS]
    assert len(set(ids)) == len(ids) > 1
    for body in CALLS:
        words(body, shared)
    for own, body in zip(ids, CALLS, strict=True):
        told = words(body, shared)
        assert b"Patient/" + own in told
        assert not [other for other in ids if other != own and b"Patient/" + other + b'"' in told]
