"""What an expression may look at; it evaluates nothing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date, datetime
from typing import Protocol

from cds_service.model.decision import Reading
from cds_service.model.facts import (
    Examination,
    Fact,
    Medication,
    PatientFacts,
    RecordedCondition,
    SocialAmount,
    When,
)
from cds_service.model.findings import Outcome


class ReadResults(Protocol):
    """How each lab stands."""

    def has_results(self, lab_id: str) -> bool:
        """Whether anything of this lab was received, or can be calculated."""
        ...

    def of(self, lab_id: str) -> Reading:
        """Return how one lab stands."""
        ...


class View(Protocol):
    """What an expression may look at: findings by id, and the facts laid out for look-up."""

    facts: PatientFacts
    today: date
    now: datetime
    onset: When | None
    onset_facts: tuple[Fact, ...]

    @property
    def readings(self) -> ReadResults:
        """How each lab stands."""
        ...

    @property
    def conditions(self) -> Mapping[str, list[RecordedCondition]]:
        """Conditions by value set."""
        ...

    @property
    def medications(self) -> Mapping[str, list[Medication]]:
        """Medications by value set."""
        ...

    @property
    def examinations(self) -> Mapping[str, list[Examination]]:
        """Examinations by part."""
        ...

    @property
    def habits(self) -> Mapping[str, list[SocialAmount]]:
        """Habits by item."""
        ...

    @property
    def outcomes(self) -> Mapping[str, Outcome]:
        """The state of every finding with its facts, made when it is looked up."""
        ...


Evaluator = Callable[[View], Outcome]
