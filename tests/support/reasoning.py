"""The shipped content, loaded and compiled once for all tests that decide in this process; it decides nothing."""

from __future__ import annotations

from datetime import date
from functools import cache

from cds_service.knowledge.library import load
from cds_service.model.definitions import Service
from cds_service.pipeline import Reasoner
from tests.support.places import CARDS


@cache
def reasoner() -> Reasoner:
    """Return the reasoner of the shipped content."""
    return Reasoner(load(CARDS, "test", date(2026, 11, 25)))


def service_of(hook: str) -> Service:
    """Return the service that answers a hook."""
    return next(one for one in reasoner().knowledge.services.values() if one.hook == hook)
