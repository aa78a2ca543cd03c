"""Compares an answer of the service with what is expected of it; pure, and silent only when all of it holds."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Any

from cds_service.replay import card_text
from cds_service.replay.answer import Answer
from cds_service.replay.card_text import Response
from cds_service.replay.reasons import Reasons, reasons_of

_LEVELS = ("info", "warning", "critical")
_SUPPORTED = ("likely", "possible")
_NOT_RANKED = "not-ranked"
_ORDER = ("likely", "possible", "not-ranked", "less-likely", "excluded")
"""Standings from the one that most speaks for a cause to the one that most speaks against it."""


_Check = Callable[[Any, Answer], Iterable[str]]


def _listed(found: Iterable[str]) -> str:
    return ", ".join(found) or "none"


def _standing_text(answer: Answer) -> str:
    return _listed(f"{cause} ({standing})" for cause, standing in answer.standings.items())


def _check_rank(groups: Sequence[Sequence[str]], answer: Answer) -> Iterator[str]:
    places = {cause: place for place, cause in enumerate(answer.standings)}
    for cause in [cause for group in groups for cause in group]:
        if cause not in places:
            why = answer.why(cause, held=False)
            yield f"rank: expected {cause} in the ranking, which is {_standing_text(answer)}{why}"
        elif answer.standings[cause] == "excluded":
            why = answer.why(cause, held=False)
            yield f"rank: expected {cause} to be ranked, but it is excluded{why}"
    for better, worse in pairwise(groups):
        for first in better:
            yield from (
                f"rank: expected {first} before {second}, the ranking is {_standing_text(answer)}"
                for second in worse
                if first in places and second in places and places[first] > places[second]
            )


def _check_first(groups: Sequence[Sequence[str]], answer: Answer) -> Iterator[str]:
    if groups:
        top = list(answer.standings)[: len(groups[0])]
        if set(top) != set(groups[0]):
            yield f"rank: expected {_listed(groups[0])} at the top, the ranking is {_standing_text(answer)}"


def _check_top(wanted: str, answer: Answer) -> Iterator[str]:
    found = next(iter(answer.standings), "none")
    if found != wanted:
        why = answer.why(wanted, held=False)
        yield f"top: expected {wanted} first, the ranking is {_standing_text(answer)}{why}"


def _check_standings(wanted: Mapping[str, str], answer: Answer) -> Iterator[str]:
    for cause, standing in wanted.items():
        found = answer.standings.get(cause, _NOT_RANKED)
        if found != standing:
            held = _ORDER.index(found) < _ORDER.index(standing)
            yield (
                f"standings: standing of {cause}: expected {standing}, got {found}"
                f"{answer.why(cause, held=held)}"
            )


def _check_standing(word: str, refused: Sequence[str]) -> _Check:
    def check(causes: Sequence[str], answer: Answer) -> Iterator[str]:
        for cause in causes:
            if answer.standings.get(cause) in refused:
                why = answer.why(cause, held=True)
                yield f"{word}: {cause} must not be {answer.standings[cause]}{why}"

    return check


def _check_not_candidates(causes: Sequence[str], answer: Answer) -> Iterator[str]:
    yield from _check_standing("not_candidates", _SUPPORTED)(causes, answer)
    shown = card_text.shown(answer.response)
    for cause in causes:
        for name in answer.names.get(cause, (cause.replace("-", " "),)):
            if re.search(rf"(?<!\w){re.escape(name)}(?!\w)", shown, re.IGNORECASE):
                yield f"not_candidates: {cause} must not be named, but a card says {name!r}"


def _check_none_likely(wanted: bool, answer: Answer) -> Iterator[str]:  # noqa: FBT001 - the signature of `_Check`
    likely = [cause for cause, standing in answer.standings.items() if standing == "likely"]
    if wanted and likely:
        yield f"none_likely: expected no likely cause, got {_listed(likely)}"


def _check_status(key: str, status: str) -> _Check:
    def check(orders: Sequence[str | Sequence[str]], answer: Answer) -> Iterator[str]:
        found = answer.with_status(status)
        for entry in orders:
            any_of = [entry] if isinstance(entry, str) else entry
            if not set(any_of) & set(found):
                yield f"{key}: expected {' or '.join(any_of)} to be {status}, {status} are {_listed(found)}"

    return check


def _check_no_orders(wanted: bool, answer: Answer) -> Iterator[str]:  # noqa: FBT001 - the signature of `_Check`
    suggested = [order for order in answer.with_status("suggested") if order not in answer.questionnaires]
    if wanted and suggested:
        yield f"no_orders: expected no suggested order, got {_listed(suggested)}"
    for action in card_text.actions(answer.response) if wanted else ():
        if action.get("resource", {}).get("resourceType") == "ServiceRequest":
            yield f"no_orders: a suggestion would place one: {action.get('description')!r}"


def _check_not_orders(orders: Sequence[str], answer: Answer) -> Iterator[str]:
    for order in sorted(set(orders) & set(answer.with_status("suggested"))):
        yield f"not_orders: {order} must not be suggested"


def _check_level(wanted: str, answer: Answer) -> Iterator[str]:
    found = max(
        (card["indicator"] for card in answer.response["cards"]), key=_LEVELS.index, default="no card"
    )
    if found != wanted:
        yield f"level: expected {wanted}, got {found}"


def _check_red_flags(wanted: Sequence[str], answer: Answer) -> Iterator[str]:
    found = [flag["id"] for flag in answer.explained.get("red_flags", ())]
    if sorted(found) != sorted(wanted):
        yield f"red_flags: expected {_listed(wanted)}, got {_listed(found)}"


def _check_text(patterns: Sequence[str], answer: Answer) -> Iterator[str]:
    told = card_text.told(answer.response)
    for pattern in patterns:
        if not re.search(pattern, told, re.IGNORECASE):
            yield f"text: no card says {pattern!r}; they say: {told}"


def _check_not_text(patterns: Sequence[str], answer: Answer) -> Iterator[str]:
    shown = card_text.shown(answer.response)
    for pattern in patterns:
        for found in re.finditer(pattern, shown, re.IGNORECASE):
            around = shown[max(found.start() - 40, 0) : found.end() + 40]
            yield f"not_text: a card says what {pattern!r} forbids: …{around}…"


def _shows(fact: Mapping[str, Any], wanted: Mapping[str, Any]) -> bool:
    return all(fact.get(name) == value for name, value in wanted.items())


def _check_facts(facts: Sequence[Mapping[str, Any]], answer: Answer) -> Iterator[str]:
    found = list(answer.facts)
    for wanted in facts:
        if not any(_shows(fact, wanted) for fact in found):
            values = _listed(f"{fact.get('what')} {fact.get('value')} {fact.get('unit')}" for fact in found)
            yield f"facts: no fact shows {dict(wanted)}; the facts are {values}"


def _check_not_facts(facts: Sequence[Mapping[str, Any]], answer: Answer) -> Iterator[str]:
    found = list(answer.facts)
    for refused in facts:
        if any(_shows(fact, refused) for fact in found):
            yield f"not_facts: a fact shows {dict(refused)}"


def _check_notes(codes: Sequence[str], answer: Answer) -> Iterator[str]:
    found = [note["code"] for note in answer.explained.get("notes", ())]
    for code in codes:
        if code not in found:
            yield f"notes: expected the reading note {code}, got {_listed(found)}"


def _check_topics(wanted: Sequence[str], answer: Answer) -> Iterator[str]:
    found = [card["source"]["topic"]["code"] for card in answer.response["cards"]]
    if found != list(wanted):
        yield f"topics: expected {_listed(wanted)}, got {_listed(found)}"


def _check_drafts(key: str, member: str, name: str) -> _Check:
    def check(wanted: Sequence[str], answer: Answer) -> Iterator[str]:
        told = answer.explained.get("drafts", {}).get(member, ())
        found = sorted({one[name] for one in told})
        if found != sorted(wanted):
            yield f"{key}: expected {_listed(sorted(wanted))}, got {_listed(found)}"

    return check


def _check_cautions(wanted: Sequence[str], answer: Answer) -> Iterator[str]:
    found = sorted({one["option"] for one in answer.explained.get("drug_safety", ())})
    if found != sorted(wanted):
        yield f"checks: expected {_listed(sorted(wanted))}, got {_listed(found)}"


def _check_offered(wanted: Sequence[str], answer: Answer) -> Iterator[str]:
    labels = [one["label"] for card in answer.response["cards"] for one in card.get("suggestions", ())]
    if labels != list(wanted):
        yield f"offered: expected {_listed(wanted)}, got {_listed(labels)}"


def _check_count(key: str, holds: Callable[[int, int], bool]) -> _Check:
    def check(wanted: int, answer: Answer) -> Iterator[str]:
        found = len(answer.response["cards"])
        if not holds(found, wanted):
            summaries = _listed(repr(card["summary"]) for card in answer.response["cards"])
            yield f"{key}: expected {wanted}, got {found}: {summaries}"

    return check


_CHECKS: Mapping[str, _Check] = {
    "cards": _check_count("cards", lambda found, wanted: found == wanted),
    "cards_min": _check_count("cards_min", lambda found, wanted: found >= wanted),
    "cards_max": _check_count("cards_max", lambda found, wanted: found <= wanted),
    "level": _check_level,
    "red_flags": _check_red_flags,
    "top": _check_top,
    "standings": _check_standings,
    "rank": _check_rank,
    "none_likely": _check_none_likely,
    "not_likely": _check_standing("not_likely", ("likely",)),
    "no_standing": _check_standing("no_standing", _SUPPORTED),
    "not_candidates": _check_not_candidates,
    "orders": _check_status("orders", "suggested"),
    "already_done": _check_status("already_done", "already-done"),
    "already_ordered": _check_status("already_ordered", "already-ordered"),
    "no_orders": _check_no_orders,
    "not_orders": _check_not_orders,
    "text": _check_text,
    "not_text": _check_not_text,
    "facts": _check_facts,
    "not_facts": _check_not_facts,
    "notes": _check_notes,
    "topics": _check_topics,
    "answered": _check_drafts("answered", "answered", "order"),
    "could_add": _check_drafts("could_add", "could_add", "cause"),
    "checks": _check_cautions,
    "offered": _check_offered,
}
KNOWN_KEYS = frozenset({*_CHECKS, "rank_exact_first"})
_WITHOUT_EXPLANATION = frozenset(
    {"cards", "cards_min", "cards_max", "level", "text", "not_text", "topics", "offered"}
)


def differences(
    expect: Mapping[str, Any],
    response: Response,
    names: Mapping[str, Sequence[str]] | None = None,
    questionnaires: Collection[str] = (),
    reasons: Reasons | None = None,
) -> list[str]:
    """Return one line for everything in which `response` is not what `expect` says; empty when all holds.

    `names` maps a cause id to the words that would name it on a card; a cause without an entry is looked for
    by the words of its id. `questionnaires` are the orders that ask a patient questions: `no_orders` lets them be
    suggested. `reasons` tells why a cause stands as it does; without it the explanation tells what is
    missing. Raises `KeyError` on an expectation that nobody checks.
    """
    unknown = set(expect) - KNOWN_KEYS
    if unknown:
        raise KeyError(f"nobody checks {_listed(sorted(unknown))}")
    explained = card_text.explanation(response)
    if explained is None and set(expect) - _WITHOUT_EXPLANATION:
        return ["explanation: expected one, the response has none"]
    answer = Answer(
        response, explained or {}, names or {}, questionnaires, reasons or reasons_of(explained or {})
    )
    found = [line for key, check in _CHECKS.items() if key in expect for line in check(expect[key], answer)]
    if expect.get("rank_exact_first", False):
        found += _check_first(expect.get("rank", ()), answer)
    return found
