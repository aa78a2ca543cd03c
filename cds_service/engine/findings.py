"""Findings of one patient, made on demand from compiled rules; a rule is compiled once and holds no patient."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, date, datetime, time
from typing import Any

from cds_service.engine.dependencies import ONSET, PERSON, dependents
from cds_service.engine.expressions import compile_expression
from cds_service.engine.logic import ABSENT, UNKNOWN
from cds_service.engine.readings import Readings, fixed_limits
from cds_service.engine.view import Evaluator
from cds_service.model.definitions import Knowledge
from cds_service.model.facts import Fact, PatientFacts, When
from cds_service.model.findings import Outcome, State

_BANDS = (
    "critical-low",
    "critical-high",
    "marked-low",
    "marked-high",
    "borderline",
    "calculated-only",
    "low",
    "normal",
    "high",
)
PRESENTS_WITH = "presents-with-"
HISTORY_SAYS = "history-says-"


class FindingRules:
    """Everything that can make a finding, compiled from the content."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Compile every rule and index every lab finding."""
        self.labs = knowledge.labs
        self.fixed_limits = fixed_limits(knowledge.labs)
        self.sign_sets = frozenset(name for name, item in knowledge.value_sets.items() if item.kind == "sign")
        self.rules: Mapping[str, Evaluator] = {
            name: compile_expression(rule.when, self.sign_sets) for name, rule in knowledge.rules.items()
        }
        self.lab_findings: Mapping[str, tuple[str, str]] = {
            f"{lab}-{band}": (lab, band) for lab in knowledge.labs for band in _BANDS
        }
        self.presentations = frozenset(PRESENTS_WITH + name for name in knowledge.presentations)
        self._dependents = dependents(knowledge.rules, knowledge.labs, self.lab_findings)
        self._untouched: dict[frozenset[str], dict[str, Outcome]] = {}

    def outcomes_of_silence(self, arrived: frozenset[str]) -> dict[str, Outcome]:
        """Return every finding of a record in which these kinds of facts were asked for and none was there.

        Made once per set of kinds. They hold no fact, so they can serve every patient.
        """
        made = self._untouched.get(arrived)
        if made is None:
            book = FindingBook(self, _silence(arrived), date.min, {})
            made = {finding: book.outcome(finding) for finding in (*self.rules, *self.lab_findings)}
            self._untouched[arrived] = made
        return made

    def touched(self, atoms: Iterable[str]) -> set[str]:
        """Return the findings that can change when facts of these atoms are there."""
        dependents = self._dependents
        return set().union(*(dependents[atom] for atom in atoms if atom in dependents))


class Outcomes(dict[str, Outcome]):
    """Findings with their outcomes; one that is looked up for the first time is made, and kept."""

    def __init__(self, known: Mapping[str, Outcome], make: Callable[[str], Outcome]) -> None:
        """Start from what is `known`; `make` returns the outcome of any other finding."""
        super().__init__(known)
        self._make = make

    def __missing__(self, finding: str) -> Outcome:
        """Make a finding, and whatever it rests on."""
        outcome = self[finding] = self._make(finding)
        return outcome


class FindingBook:
    """All findings of one patient. `given` states stand before the record and serve examples."""

    def __init__(
        self,
        rules: FindingRules,
        facts: PatientFacts,
        today: date,
        given: Mapping[str, State] | None = None,
        *,
        now: datetime | None = None,
    ) -> None:
        """Lay the facts out; nothing is evaluated yet. Without `now` the day has just begun."""
        self.facts = facts
        self.today = today
        self.now = now or datetime.combine(today, time(), UTC)
        self.onset, self.onset_facts = _onset_of(facts)
        self.conditions = _by_name(facts.conditions, lambda item: item.value_sets)
        self.medications = _by_name(facts.medications, lambda item: item.value_sets)
        self.examinations = _by_name(facts.examinations, lambda item: (item.part,))
        self.habits = _by_name(facts.habits, lambda item: (item.item,))
        self.readings = Readings(
            rules.labs,
            facts,
            today,
            self.onset,
            self.is_present,
            facts_behind=self.facts_behind,
            fixed=rules.fixed_limits,
        )
        self._rules = rules
        self.failed: dict[str, str] = {}
        """Rules that could not be evaluated, with the kind of fault; their findings are unknown."""
        self._presented = {
            PRESENTS_WITH + name: presentation.fact
            for presentation in reversed(facts.presentations)
            for name in presentation.types
        }
        self._history = {HISTORY_SAYS + word: said for word, said in facts.history.items()}
        self._touched: set[str] | None = None
        if given is None:
            self.outcomes = Outcomes(rules.outcomes_of_silence(facts.arrived), self._make)
            self._touched = rules.touched(self._atoms())
            self._touched.update(self._presented, self._history)  # atoms that are findings themselves
            for finding in self._touched:
                self.outcomes.pop(finding, None)
        else:
            states = {
                finding: (state, (_given_fact(finding),) if state is not State.UNKNOWN else ())
                for finding, state in given.items()
            }
            self.outcomes = Outcomes(states, self._make)

    def _atoms(self) -> Iterator[str]:
        """Yield the atoms of everything that was received."""
        yield PERSON
        yield ONSET
        yield from self._presented
        yield from self._history
        yield from (f"condition:{name}" for name in self.conditions)
        yield from (f"condition:{name}" for name in self.facts.denied)
        yield from (f"medication:{name}" for name in self.medications)
        yield from (f"examination:{part}" for part in self.examinations)
        yield from (f"habit:{item}" for item in self.habits)
        yield from (f"family:{name}" for one in self.facts.relatives for name in one.value_sets)
        yield from (f"allergy:{name}" for one in self.facts.allergies for name in one.value_sets)
        yield from (f"lab:{lab}" for lab in self.facts.measurements)

    def outcome(self, finding: str) -> Outcome:
        """Return the state of a finding with the facts behind it."""
        return self.outcomes[finding]

    def is_present(self, finding: str) -> bool:
        """Whether a finding is present."""
        return self.outcomes[finding][0] is State.PRESENT

    def facts_behind(self, finding: str) -> tuple[Fact, ...]:
        """Return the facts of a finding, whatever its state."""
        return self.outcomes[finding][1]

    def is_silent_about(self, findings: frozenset[str]) -> bool:
        """Whether no received fact can bear on any of these findings, so that they stand as in an empty record."""
        return self._touched is not None and self._touched.isdisjoint(findings)

    def settle(self, finding: str, outcome: Outcome) -> None:
        """Enter a finding that only a later stage can know."""
        self.outcomes[finding] = outcome

    def made(self) -> Mapping[str, Outcome]:
        """Return every finding that was asked for so far, with its state and facts."""
        return dict(self.outcomes)

    def _make(self, finding: str) -> Outcome:
        rule = self._rules.rules.get(finding)
        if rule is not None:
            try:
                return rule(self)
            except Exception as error:  # noqa: BLE001 - whatever goes wrong, it costs one finding and is told
                self.failed[finding] = type(error).__name__
                return UNKNOWN
        of_lab = self._rules.lab_findings.get(finding)
        if of_lab is not None:
            return self._lab_outcome(*of_lab)
        if finding in self._rules.presentations:
            fact = self._presented.get(finding)
            return (State.PRESENT, (fact,)) if fact is not None else ABSENT
        said = self._history.get(finding)
        if said is not None:
            return (State.PRESENT if said[0] else State.ABSENT), (said[1],)
        return UNKNOWN

    def _lab_outcome(self, lab: str, band: str) -> Outcome:
        if not self.readings.has_results(lab):
            return UNKNOWN
        reading = self.readings.of(lab)
        bands = reading.bands
        if bands is None or reading.current is None:
            return UNKNOWN
        if band in bands:
            return State.PRESENT, (reading.current.fact,)
        if "borderline" in bands and band in {"low", "normal"}:
            return UNKNOWN
        return State.ABSENT, (reading.current.fact,)


def _silence(arrived: frozenset[str]) -> PatientFacts:
    """Return the facts of nobody: the kinds that arrived, and nothing in them."""
    return PatientFacts(
        patient_id="",
        age=None,
        sex=None,
        presentations=(),
        conditions=(),
        medications=(),
        measurements={},
        examinations=(),
        habits=(),
        placed_orders=(),
        relatives=(),
        arrived=arrived,
        notes=(),
    )


def _onset_of(facts: PatientFacts) -> tuple[When | None, tuple[Fact, ...]]:
    """Return the earliest known onset among the recorded presentations."""
    dated = [item for item in facts.presentations if item.onset is not None]
    if not dated:
        return None, ()
    first = min(dated, key=lambda item: item.onset.earliest if item.onset else date.max)
    return first.onset, (first.fact,)


def _given_fact(finding: str) -> Fact:
    return Fact(what=finding, value="given")


def _by_name(items: Iterable[Any], names_of: Callable[[Any], Iterable[str]]) -> dict[str, list[Any]]:
    """Return items grouped under each of their names."""
    grouped: dict[str, list[Any]] = {}
    for item in items:
        for name in names_of(item):
            grouped.setdefault(name, []).append(item)
    return grouped
