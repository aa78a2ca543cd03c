"""The table of causes: one row a cause, its arguments as facts; it ranks nothing and leaves an empty cell empty."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.cards.markdown import escape, table
from cds_service.cards.wording import FindingNames, fact_cell, fact_key
from cds_service.model.decision import Argument, RankedCause, Standing
from cds_service.model.facts import Fact
from cds_service.model.trust import ADDED, origin_of

MOST_ROWS = 6
_MOST_FACTS = 6
_LONG_ARGUMENT = 3
"""The facts of an argument that rests on so many are shown once in a table, with the first cause."""

_STANDING = {
    Standing.LIKELY: "likely",
    Standing.POSSIBLE: "possible",
    Standing.LESS_LIKELY: "less likely",
    Standing.EXCLUDED: "excluded",
}


class TableWriter:
    """Writes the table of one card after another; it keeps nothing of a patient."""

    def __init__(self, text: Mapping[str, str], names: FindingNames) -> None:
        """Keep the head of the table and the names of findings."""
        self._head = tuple(
            text[name] for name in ("column_cause", "column_for", "column_against", "column_missing")
        )
        self._names = names

    def write(self, shown: list[RankedCause], in_range: set[str | int]) -> str:
        """Return the table; values of the results in `in_range` are not emphasised."""
        said: set[int] = set()
        return table(self._head, [self._row(one, in_range, said) for one in shown])

    def _row(self, one: RankedCause, in_range: set[str | int], said: set[int]) -> tuple[str, ...]:
        title = f"**{one.cause.title}**" if one.standing is Standing.LIKELY else one.cause.title
        if not one.cause.in_source_document:
            title += " (added)"
        facts = _facts_to_show(one.arguments_for, said)
        words = [fact_cell(fact, emphasis=fact_key(fact) not in in_range) for fact in facts[:_MOST_FACTS]]
        if len(facts) > _MOST_FACTS:
            words.append(f"and {len(facts) - _MOST_FACTS} more")
        against = dict.fromkeys(_against(argument, one) for argument in one.arguments_against)
        return (
            f"{title} · {_STANDING[one.standing]}",
            " · ".join(dict.fromkeys(words)) or _first_reason(one),
            " · ".join(against),
            escape(self._names.some(one.missing, told=[part.evidence.finding for part in one.arguments_for])),
        )


def _against(argument: Argument, one: RankedCause) -> str:
    """Return why not, marked where the cause is from the source document and the reason is not."""
    words = argument.evidence.because.rstrip(".")
    is_added = one.cause.in_source_document and origin_of(argument.evidence.cites) == ADDED
    return f"{words} (added)" if is_added else words


def _facts_to_show(arguments: tuple[Argument, ...], said: set[int]) -> list[Fact]:
    """Return the facts of a row, short arguments first; of a long one only what no earlier row has shown."""
    facts: dict[int | tuple[str | None, str, str | None], Fact] = {}
    for argument in sorted(arguments, key=lambda one: len(one.facts) >= _LONG_ARGUMENT):
        is_long = len(argument.facts) >= _LONG_ARGUMENT
        for fact in argument.facts:
            if not is_long or id(fact) not in said:
                _keep(fact, facts)
        if is_long:
            said.update(id(fact) for fact in argument.facts)
    return list(facts.values())


def _keep(fact: Fact, facts: dict[int | tuple[str | None, str, str | None], Fact]) -> None:
    """Keep a fact once: the same entry read by its code and by its words counts as read by its code."""
    key = (fact.reference, fact.what, fact.on) if fact.reference else id(fact)
    if key not in facts or (facts[key].by_text and not fact.by_text):
        facts[key] = fact


def _first_reason(one: RankedCause) -> str:
    """Return what the facts mean for a cause, for a row whose facts all stand in an earlier one."""
    return one.arguments_for[0].evidence.because.rstrip(".") if one.arguments_for else ""
