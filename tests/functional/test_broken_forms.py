"""One place of a sound call breaks the form of FHIR: no fault of ours, and no fact or conclusion lost in silence.

`make fuzz` runs ten thousand examples; the number is that of `CDS_FUZZ_EXAMPLES`.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from datetime import UTC, datetime
from functools import cache
from typing import Any, NamedTuple

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cds_service.errors import AnswerError
from cds_service.fhir.envelope import decode_request
from cds_service.model.decision import Decision
from cds_service.pipeline import decide, moment_of, respond
from tests.spec.calls import STORIES, Message, story, viewing
from tests.support.broken_forms import Damage, damaged, damages
from tests.support.reasoning import reasoner, service_of

EXAMPLES = int(os.environ.get("CDS_FUZZ_EXAMPLES", "400"))
NOW = datetime(2026, 6, 15, 10, tzinfo=UTC)


class Outcome(NamedTuple):
    """What a call led to: facts, conclusions and notes, or the paths that a refusal names."""

    facts: frozenset[str]
    conclusion: str
    notes: frozenset[tuple[str, str]]
    refused: tuple[str, ...] | None = None


def _outcome(message: Message) -> Outcome:
    """Decide a call; whatever is not of the answer contract is raised and fails the test."""
    hook = message["hook"]
    try:
        request, as_of = moment_of(decode_request(json.dumps(message).encode(), hook), NOW, may_replay=True)
        decision = decide(request, service_of(hook), reasoner(), as_of)
    except AnswerError as error:
        return Outcome(frozenset(), "", frozenset(), error.where)
    respond(decision.cards, decision.extension)
    notes = frozenset((note.code, note.path) for note in decision.notes)
    return Outcome(frozenset(_facts(decision)), _conclusion(decision), notes)


_NO_FACTS = {"notes", "arrived", "missing_keys", "unread_recorded"}


def _facts(decision: Decision) -> Iterator[str]:
    """Yield every fact that was read, as text."""
    for name, value in json.loads(msgspec.json.encode(decision.facts, order="deterministic")).items():
        if name in _NO_FACTS:
            continue
        parts = value if isinstance(value, list) else value.items() if isinstance(value, dict) else [value]
        for part in parts:
            if isinstance(part, tuple) and isinstance(part[1], list):
                yield from (f"{name} {part[0]} {json.dumps(each)}" for each in part[1])
            elif part is not None:
                yield f"{name} {json.dumps(part)}"


def _conclusion(decision: Decision) -> str:
    """Return what the call comes to: presentations, ranking, red flags, workup, treatment and level."""
    return repr(
        (
            [one.types for one in decision.facts.presentations],
            [(one.cause.id, one.standing, one.score) for one in decision.ranking],
            [(one.red_flag.id, one.level) for one in decision.red_flags],
            [(one.order.id, one.status) for one in decision.workup],
            [one.treatment.id for one in decision.treatment.options],
            decision.level,
        )
    )


@cache
def _sound(name: str, *, is_view: bool) -> tuple[Message, tuple[Damage, ...], Outcome]:
    message = viewing(name) if is_view else story(name)
    outcome = _outcome(message)
    assert outcome.refused is None
    return message, tuple(damages(message)), outcome


def _is_told(damage: Damage, before: Outcome, after: Outcome) -> bool:
    """Whether a note or a refusal names the broken place, its entry, or what holds it."""
    places = (
        after.refused if after.refused is not None else [path for _code, path in after.notes - before.notes]
    )
    return any(
        place.startswith((damage.entry, "prefetch (")) or damage.path.startswith(place) for place in places
    )


def lost_in_silence(damage: Damage, before: Outcome, after: Outcome) -> list[str]:
    """Return what a damage cost, facts or the conclusion, unless it is told."""
    lost = sorted(before.facts - after.facts) if after.refused is None else ["the answer"]
    if after.conclusion != before.conclusion:
        lost.append("the conclusion")
    return [] if not lost or _is_told(damage, before, after) else lost


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(name=st.sampled_from(STORIES), is_view=st.booleans(), place=st.integers(0, 2**20))
def test_a_broken_form_is_told_where_it_costs_anything(name: str, is_view: bool, place: int) -> None:
    """Where a fact or the conclusion is another than without the damage, a note or a 4xx names the place."""
    message, every, before = _sound(name, is_view=is_view)
    damage = every[place % len(every)]
    after = _outcome(damaged(message, damage))
    assert lost_in_silence(damage, before, after) == [], damage


_HOSTILE: list[Any] = [
    *(None, True, 0, -1, 10**30, 1e-300, "", " ", "\x00", "\u202e", "null", "<script>", "|", "../..", "#"),
    *("Patient/", "urn:uuid:", "0001-01-01", "9999-12-31", "2026-02-30", "1e400", "NaN", "<5", "mmol/l"),
    *("a" * 3_000, "no " * 1_000, [], {}, [[]], [None], [{}], {"": None}, {"reference": "#"}),
    {"resourceType": "OperationOutcome"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Bundle", "entry": []}}]},
    {"coding": [{"system": "http://loinc.org", "code": "2823-3"}]},
    {"start": "9999-12-31", "end": "0001-01-01"},
]
_OPERATIONS = ("remove", "duplicate", "replace", "move", "swap", "truncate", "wrap", "unwrap")


def _spots(value: Any) -> Iterator[tuple[Any, Any]]:
    """Yield every place of a message as its holder and its name or number there."""
    names = list(value) if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield value, name
        yield from _spots(value[name])


def _mutate(message: Message, operation: str, one: int, other: int, value: Any) -> None:
    """Change a message in place, at two of its places at most."""
    spots = list(_spots(message))
    if not spots:
        return
    (holder, name), (there, elsewhere) = spots[one % len(spots)], spots[other % len(spots)]
    here = holder[name]
    copies = json.loads(json.dumps([here, there[elsewhere], value]))
    if operation == "duplicate" and isinstance(holder, list):
        holder.insert(name, copies[0])
    elif operation == "move":
        del holder[name]
        if isinstance(there, dict):
            there[elsewhere] = copies[0]
    elif operation == "swap":
        holder[name], there[elsewhere] = copies[1], copies[0]
    elif operation == "truncate" and isinstance(here, str):
        holder[name] = here[: other % (len(here) + 1)]
    elif operation == "remove":
        del holder[name]
    elif operation == "wrap":
        holder[name] = [copies[0]]
    elif operation == "unwrap" and isinstance(here, list) and here:
        holder[name] = copies[0][0]
    else:
        holder[name] = copies[2]


_changes = st.tuples(
    st.sampled_from(_OPERATIONS), st.integers(0, 2**20), st.integers(0, 2**20), st.sampled_from(_HOSTILE)
)


@settings(max_examples=EXAMPLES, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(
    name=st.sampled_from(STORIES), is_view=st.booleans(), changes=st.lists(_changes, min_size=1, max_size=5)
)
def test_no_mutation_leads_to_a_fault_of_ours(
    name: str, is_view: bool, changes: list[tuple[str, int, int, Any]]
) -> None:
    """Removed, duplicated, replaced, moved, swapped, cut, wrapped and unwrapped anywhere: cards or a named refusal."""
    message: Message = json.loads(json.dumps(_sound(name, is_view=is_view)[0]))
    hook = message["hook"]
    for change in changes:
        _mutate(message, *change)
    assert _outcome({**message, "hook": hook}).refused != ()


def test_the_oracle_sees_what_is_lost_in_silence() -> None:
    """A fact that is gone without a note is found, and one that is told is none."""
    _message, every, before = _sound(STORIES[0], is_view=False)
    damage = next(one for one in every if ".labs.entry[0]" in one.path)
    silent = before._replace(facts=frozenset(list(before.facts)[1:]))
    assert lost_in_silence(damage, before, silent)
    told = silent._replace(notes=before.notes | {("unreadable-element", damage.path)})
    assert lost_in_silence(damage, before, told) == []
    elsewhere = silent._replace(notes=before.notes | {("unreadable-element", "prefetch.problems.entry[0]")})
    assert lost_in_silence(damage, before, elsewhere)
