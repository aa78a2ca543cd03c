"""The table of causes: one row a cause, its arguments as facts; it ranks nothing and leaves an empty cell empty."""

from __future__ import annotations

from collections.abc import Mapping

from cds_service.cards.markdown import escape, table
from cds_service.cards.wording import FindingNames, fact_cell, fact_key
from cds_service.model.decision import Argument, RankedCause, Standing
from cds_service.model.facts import Fact

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
        against = dict.fromkeys(argument.evidence.because.rstrip(".") for argument in one.arguments_against)
        return (
            f"{title} · {_STANDING[one.standing]}",
            " · ".join(dict.fromkeys(words)),
            " · ".join(against),
            escape(self._names.some(one.missing, told=[part.evidence.finding for part in one.arguments_for])),
        )


def _facts_to_show(arguments: tuple[Argument, ...], said: set[int]) -> list[Fact]:
    """Return the facts of a row, short arguments first; of a long one only what no earlier row has shown."""
    facts: dict[int, Fact] = {}
    for argument in sorted(arguments, key=lambda one: len(one.facts) >= _LONG_ARGUMENT):
        is_long = len(argument.facts) >= _LONG_ARGUMENT
        for fact in argument.facts:
            if not is_long or id(fact) not in said:
                facts.setdefault(id(fact), fact)
        if is_long:
            said.update(id(fact) for fact in argument.facts)
    return list(facts.values())
