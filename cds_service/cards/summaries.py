"""The one line that a clinician reads first: what, value, unit, date, and why it matters, within 139 characters."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.cards.markdown import clean
from cds_service.cards.stages import Stages
from cds_service.cards.wording import (
    fact_key,
    is_measured,
    join,
    lead_words,
    lower_first,
    short_date,
    value_words,
)
from cds_service.model.decision import RankedCause, Reading, Standing, WorkupItem, WorkupStatus
from cds_service.model.definitions import TESTS, Knowledge, Lab, Template
from cds_service.model.facts import Fact, Measurement
from cds_service.model.hooks import SUMMARY_LIMIT, Indicator
from cds_service.model.parts import MARKED

_MOST_NAMES = 4
_MOST_LEADING = 4
_NOTHING: frozenset[str] = frozenset()
_TAKEN = frozenset({"active", "stopped"})
"""What stands as the value of a medicine that a patient named."""


def differential_summary(candidates: list[RankedCause], noun: str, template: Template) -> str:
    """Return the summary of the leading causes, shortened by whole parts until it fits."""
    leading = [one for one in candidates if one.standing is Standing.LIKELY] or candidates[:2]
    top = leading[0].cause
    if top.summary is not None:
        triggers = join(lower_first(one.cause.title) for one in candidates if one.cause.group == "trigger")
        return top.summary.format(noun=noun) + (f"; possible triggers: {triggers}" if triggers else "")
    words = ""
    for causes in _phrasings(leading):
        words = template.text["summary"].format(causes=causes, noun=noun)
        if len(words) <= SUMMARY_LIMIT:
            break
    return words


def _phrasings(leading: list[RankedCause]) -> Iterator[str]:
    """Yield ways to name the causes, the fullest first."""
    two = leading[:2]
    medicines = clean(join(_medicines(two)))
    if medicines:
        yield f"{_named(two)} on {medicines}"
    yield _named(two)
    yield f"{_named(leading[:1])} and {lower_first(two[-1].cause.title)}" if len(two) > 1 else _named(two)
    yield _named(leading[:1])
    yield leading[0].cause.title


def _named(causes: list[RankedCause]) -> str:
    """Return `Low potassium 2.8 mmol/L and low magnesium 0.62 mmol/L (12 Jun 2026)`."""
    facts = [_lead_fact(one) for one in causes]
    dates = {fact.on for fact in facts if fact is not None}
    common = short_date(next(iter(dates))) if len(dates) == 1 else ""
    named = [
        _cause_words(one, fact, "" if common else short_date(fact.on) if fact else "")
        for one, fact in zip(causes, facts, strict=True)
    ]
    words = join([named[0], *(lower_first(name) for name in named[1:])])
    if not common:
        return words
    return (
        f"{words[:-1]}, {common})" if words.endswith(")") and words.count("(") == 1 else f"{words} ({common})"
    )


def _cause_words(one: RankedCause, fact: Fact | None, on: str) -> str:
    title = one.cause.title
    if fact is None:
        return title
    value = clean(value_words(fact))
    if fact.what.casefold() in title.casefold():
        return f"{title} {value}" + (f" ({on})" if on else "")
    return f"{title} ({clean(fact.what)} {value}" + (f", {on})" if on else ")")


def _lead_fact(one: RankedCause) -> Fact | None:
    """Return the first measured and dated fact that speaks for a cause, if any.

    An argument that rests on many facts has none that leads: a result in range among them would mislead.
    """
    for argument in one.arguments_for:
        if len(argument.facts) > _MOST_LEADING:
            continue
        for fact in argument.facts:
            if is_measured(fact) and fact.on is not None and fact.reference is not None:
                return fact
    return None


def _medicines(causes: list[RankedCause]) -> list[str]:
    return [
        fact.what
        for one in causes
        for argument in one.arguments_for
        for fact in argument.facts
        if is_medicine(fact)
    ]


def is_medicine(fact: Fact) -> bool:
    """Whether a fact is a medicine on record, or one that the patient named."""
    if fact.reference is None:
        return False
    is_named = fact.reference.startswith("QuestionnaireResponse/") and fact.value in _TAKEN
    return is_named or fact.reference.startswith("Medication")


def with_alarm(summary: str, stages: Stages, candidates: list[RankedCause], knowledge: Knowledge) -> str:
    """Open the summary of a raised card with the result that raised it, where no cause or red flag names that."""
    if stages.level is Indicator.INFO:
        return summary
    told = [argument.facts for one in candidates for argument in one.arguments_for]
    told += [flag.facts for flag in stages.red_flags]
    known = {fact_key(fact) for facts in told for fact in facts}
    text = knowledge.templates["differential"].text
    for reading in stages.readings.values():
        result, line = _alarm_of(reading, knowledge.labs[reading.lab])
        if result is None or fact_key(result.fact) in known:
            continue
        lead = lead_words(result.fact)
        words = text[line].format(
            lead=lead if line == "alarm" else lower_first(lead), text=lower_first(summary)
        )
        return words if len(words) <= SUMMARY_LIMIT else words.rpartition("; ")[0]
    return summary


def _alarm_of(reading: Reading, lab: Lab) -> tuple[Measurement | None, str]:
    """Return a marked result that raises a card, with the text that names it; an old one while it is pointed out."""
    if lab.marked_raises and reading.current is not None and (reading.bands or _NOTHING) & MARKED:
        return reading.current, "alarm"
    is_recent = (reading.stale_days or 0) <= lab.unrepeated_days
    if lab.marked_raises and reading.current is None and is_recent and reading.stale_bands & MARKED:
        return reading.stale, "unrepeated_alarm"
    return None, ""


def workup_summary(suggested: list[WorkupItem], noun: str, template: Template) -> str:
    """Return the summary of a card that has tests to offer but no cause to name."""
    names = [lower_first(item.order.title) for item in suggested if item.order.kind in TESTS]
    shown = [*names[:_MOST_NAMES], *(["others"] if len(names) > _MOST_NAMES else [])]
    return template.text["summary"].format(noun=noun, missing=join(shown))


def insufficient_summary(workup: tuple[WorkupItem, ...], noun: str, template: Template) -> str:
    """Return the summary of a card that can neither name a cause nor offer a test."""
    names = [
        f"{lower_first(i.order.title)} pending" for i in workup if i.status is WorkupStatus.ALREADY_ORDERED
    ][:3]
    names += [
        f"{lower_first(item.order.title)} not recorded"
        for item in workup
        if item.status is WorkupStatus.SUGGESTED and item.order.kind == "examination"
    ]
    if not names:
        return template.text["summary_plain"].format(noun=noun)
    return template.text["summary"].format(noun=noun, missing=", ".join(names))
