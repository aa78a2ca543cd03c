"""Says in words why a cause stands as it does, from the findings or the explanation; it weighs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from cds_service.cards.markdown import clean
from cds_service.model.decision import Decision, Reading
from cds_service.model.definitions import Cause, Evidence, Knowledge
from cds_service.model.facts import Fact
from cds_service.model.findings import Outcome, State

Reasons = Callable[[str, bool], str]
"""Says of a cause why it stands as it does: what speaks for it when asked with True, else what it lacks."""

_MOST_REASONS = 4
"""More reasons than this would hide the difference that they are to explain."""
_MOST_FACTS = 2
_NOTHING: Outcome = (State.UNKNOWN, ())


def reasons_of(explained: Mapping[str, Any]) -> Reasons:
    """Return what an explanation alone tells of why its causes stand as they do."""
    ranked = {entry["cause"]: entry for entry in explained.get("ranking", ())}
    silent = {entry["cause"]: entry for entry in explained.get("not_assessed", ())}

    def tell(cause: str, held: bool) -> str:  # noqa: FBT001 - the signature of `Reasons`
        entry = ranked.get(cause) or silent.get(cause) or {}
        side = "for" if held else "against"
        present = [f"{argument['finding']} is present" for argument in entry.get(side, ())]
        missing = [] if held else [f"{finding} is unknown" for finding in entry.get("missing", ())]
        return _joined([*present, *missing])

    return tell


def reasons_in(decision: Decision, knowledge: Knowledge) -> Reasons:
    """Return what the findings of a decision tell of why its causes stand as they do."""
    words = FindingWords(decision, knowledge)

    def tell(cause: str, held: bool) -> str:  # noqa: FBT001 - the signature of `Reasons`
        known = knowledge.causes.get(cause)
        if known is None:
            return f"the content has no cause {cause}"
        return _joined(words.of(one.finding) for one in _bearing(known, decision, held=held))

    return tell


def _bearing(cause: Cause, decision: Decision, *, held: bool) -> list[Evidence]:
    """Return the evidence that holds for a cause, or that against it which holds and that for it which does not."""

    def holds(one: Evidence) -> bool:
        return decision.findings.get(one.finding, _NOTHING)[0] is State.PRESENT

    if held:
        return [one for one in cause.evidence if one.weight.is_for and holds(one)]
    against = [one for one in cause.evidence if not one.weight.is_for and holds(one)]
    return against + [one for one in cause.evidence if one.weight.is_for and not holds(one)]


class FindingWords:
    """Words for the findings of one decision, with the facts behind them."""

    def __init__(self, decision: Decision, knowledge: Knowledge) -> None:
        """Index which lab each finding of a result belongs to."""
        self._decision = decision
        self._knowledge = knowledge

    def of(self, finding: str) -> str:
        """Return `<finding> is unknown: no result within 90 days`, or the state with its facts."""
        state, facts = self._decision.findings.get(finding, _NOTHING)
        if state is State.UNKNOWN:
            return f"{finding} is unknown: {self._why_unknown(finding)}"
        return f"{finding} is {state.value}{shown_facts(facts)}"

    def _why_unknown(self, finding: str) -> str:
        lab = self._lab_of(finding)
        if lab is None:
            return "nothing on record tells"
        reading = self._decision.readings.get(lab)
        days = self._knowledge.labs[lab].fresh_days
        return _why_silent(reading, f"no result within {days} days")

    def _lab_of(self, finding: str) -> str | None:
        """Return the lab whose band a finding is; the longest name wins, as the name of one can begin another's."""
        owners = [lab for lab in self._knowledge.labs if finding.startswith(f"{lab}-")]
        return max(owners, key=len, default=None)


def _why_silent(reading: Reading | None, no_result: str) -> str:
    if reading is None or (reading.current is None and reading.stale is None):
        return no_result
    if reading.current is not None:
        return f"the result cannot be judged{shown_facts((reading.current.fact,))}"
    return f"the newest result is too old{shown_facts((reading.stale.fact,) if reading.stale else ())}"


def shown_facts(facts: Iterable[Fact]) -> str:
    """Return ` (<lab> 3.4 mmol/L, 2026-06-12)`, or nothing where there is no fact."""
    shown = [_shown_fact(fact) for fact in [*facts][:_MOST_FACTS]]
    return f" ({'; '.join(shown)})" if shown else ""


def _shown_fact(fact: Fact) -> str:
    value = " ".join(part for part in (fact.what, fact.value, fact.unit) if part)
    return clean(", ".join(part for part in (value, fact.on) if part))


def _joined(reasons: Iterable[str]) -> str:
    return "; ".join([*reasons][:_MOST_REASONS])
