"""Says in which points two decisions about one patient differ, and why; it judges neither of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from difflib import unified_diff

from cds_service.cards.markdown import clean
from cds_service.model.decision import Decision, RankedCause
from cds_service.model.definitions import Knowledge
from cds_service.model.findings import State
from cds_service.model.hooks import Card
from cds_service.replay.card_text import plain
from cds_service.replay.reasons import FindingWords, shown_facts

_NOT_RANKED = "not ranked"
_NOT_OFFERED = "not offered"
_MOST_REASONS = 8

Sided = tuple[Decision, Knowledge]


def moved(one: Sided, other: Sided, *, worded: bool) -> Iterator[str]:
    """Yield what is otherwise in the `other` decision, then why: findings whose state or weight differs.

    With `worded` the changed text of the cards follows as a unified diff. Nothing is yielded for equal answers.
    """
    changes = [*_changes(one[0], other[0])]
    yield from changes
    before, after = _text_of(one[0].cards), _text_of(other[0].cards)
    if changes:
        yield from _reasons(one, other)
    if before == after:
        return
    if worded:
        lines = unified_diff(before, after, "this content", "other content", lineterm="", n=0)
        yield from (clean(line) for line in lines)
    else:
        yield "text: the cards are worded otherwise (--text shows it)"


def _changes(one: Decision, other: Decision) -> Iterator[str]:
    yield from _red_flags(one, other)
    yield from _standings(one, other)
    yield from _orders(one, other)
    levels = [_level(side) for side in (one, other)]
    if levels[0] != levels[1]:
        yield f"level: {levels[0]} → {levels[1]}"
    if len(one.cards) != len(other.cards):
        yield f"cards: {len(one.cards)} → {len(other.cards)}"
    codes = [sorted({note.code for note in side.notes}) for side in (one, other)]
    for code in sorted(set(codes[0]) ^ set(codes[1])):
        yield f"note {code}: {'gone' if code in codes[0] else 'new'}"


def _red_flags(one: Decision, other: Decision) -> Iterator[str]:
    before, after = ({flag.red_flag.id: flag.level.value for flag in side.red_flags} for side in (one, other))
    for flag in dict.fromkeys([*before, *after]):
        if flag not in after:
            yield f"red flag {flag}: gone"
        elif flag not in before:
            yield f"red flag {flag}: new, {after[flag]}"
        elif before[flag] != after[flag]:
            yield f"red flag {flag}: {before[flag]} → {after[flag]}"


def _standings(one: Decision, other: Decision) -> Iterator[str]:
    before, after = ({cause.cause.id: cause for cause in side.ranking} for side in (one, other))
    steps = {
        name: f"{_standing(before.get(name))} → {_standing(after.get(name))}"
        for name in dict.fromkeys([*before, *after])
        if _standing(before.get(name)) != _standing(after.get(name))
    }
    yield from _together("standing of", steps)
    tops = [_candidates(side) for side in (one, other)]
    if tops[0] != tops[1] and sorted(tops[0]) == sorted(tops[1]):
        yield f"order of the candidates: {', '.join(tops[0])} → {', '.join(tops[1])}"


def _standing(cause: RankedCause | None) -> str:
    return _NOT_RANKED if cause is None else cause.standing.value


def _candidates(decision: Decision) -> list[str]:
    return [one.cause.id for one in decision.ranking if one.is_candidate]


def _orders(one: Decision, other: Decision) -> Iterator[str]:
    before, after = ({item.order.id: item.status.value for item in side.workup} for side in (one, other))
    steps = {
        order: f"{before.get(order, _NOT_OFFERED)} → {after.get(order, _NOT_OFFERED)}"
        for order in dict.fromkeys([*before, *after])
        if before.get(order) != after.get(order)
    }
    yield from _together("order", steps)


def _together(what: str, steps: Mapping[str, str]) -> Iterator[str]:
    """Yield one line for all that took the same step."""
    for step in dict.fromkeys(steps.values()):
        yield f"{what} {', '.join(name for name, taken in steps.items() if taken == step)}: {step}"


def _level(decision: Decision) -> str:
    level = max((card.indicator for card in decision.cards), key=lambda one: one.rank, default=None)
    return "no card" if level is None else level.value


def _reasons(one: Sided, other: Sided) -> Iterator[str]:
    """Yield why the answers differ: other findings first, then the same findings with another weight."""
    reasons = [*_findings(one, other), *_weights(one[0], other[0])]
    yield from (f"because {reason}" for reason in reasons[:_MOST_REASONS])
    if len(reasons) > _MOST_REASONS:
        yield f"because of {len(reasons) - _MOST_REASONS} more findings"
    if not reasons:
        yield "because the definitions differ: every finding and every weight is the same"


def _findings(one: Sided, other: Sided) -> Iterator[str]:
    before, after = one[0].findings, other[0].findings
    words = FindingWords(*other)
    for finding in sorted(set(before) | set(after)):
        states = [side[finding][0] if finding in side else None for side in (before, after)]
        if states[0] is states[1]:
            continue
        if None in states and State.PRESENT not in states:
            continue  # asked for by one of them only, and it bears on nothing
        facts = (after.get(finding) or before[finding])[1] or before.get(
            finding, after.get(finding, ("", ()))
        )[1]
        now = words.of(finding) if states[1] is State.UNKNOWN else _state(states[1])
        yield f"{finding}: {_state(states[0])} → {now}{shown_facts(facts) if states[1] is not State.UNKNOWN else ''}"


def _state(state: State | None) -> str:
    return "not asked" if state is None else state.value


def _weights(one: Decision, other: Decision) -> Iterator[str]:
    before, after = (_weighed(side) for side in (one, other))
    for cause, finding in sorted(set(before) & set(after)):
        words = [side[cause, finding] for side in (before, after)]
        if words[0] != words[1]:
            yield f"{finding} bears on {cause} otherwise: {words[0]} → {words[1]}"


def _weighed(decision: Decision) -> Mapping[tuple[str, str], str]:
    return {
        (ranked.cause.id, argument.evidence.finding): argument.evidence.weight.value
        for ranked in decision.ranking
        for argument in (*ranked.arguments_for, *ranked.arguments_against)
    }


def _text_of(cards: tuple[Card, ...]) -> list[str]:
    """Return the lines of the cards as they read on a page."""
    return [
        plain(line)
        for card in cards
        for line in (card.summary, *(card.detail or "").splitlines())
        if line.strip()
    ]
