"""The shipped tables, and the definitions of these tests over them; nothing is taken from the other content."""

from __future__ import annotations

import pytest

from cds_service.fhir.vocabulary import Vocabulary
from cds_service.knowledge.codes import Tables
from cds_service.model.definitions import Knowledge
from tests.support.places import TERMINOLOGY
from tests.unit.fhir.content import knowledge_over


@pytest.fixture(scope="session")
def tables() -> Tables:
    """The shipped code and unit tables."""
    return Tables(TERMINOLOGY)


@pytest.fixture(scope="session")
def knowledge(tables: Tables) -> Knowledge:
    """The definitions of these tests over the shipped tables."""
    assert tables.faults == []
    return knowledge_over(tables)


@pytest.fixture(scope="session")
def vocabulary(knowledge: Knowledge) -> Vocabulary:
    """The same, compiled for reading."""
    return Vocabulary(knowledge)
