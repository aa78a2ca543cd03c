"""The detail of the main card: opening, table of causes, what was done, what is not known; it ranks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from cds_service.cards.markdown import escape, table
from cds_service.cards.wording import FindingNames, fact_cell, join, short_date, unit_words
from cds_service.model.decision import FiredRedFlag, RankedCause, Reading, Standing, WorkupItem, WorkupStatus
from cds_service.model.definitions import Knowledge, Template
from cds_service.model.facts import Fact, Measurement, PatientFacts, ReadingNote

_MOST_ROWS = 6
_MOST_RESULTS = 12
_STANDING = {
    Standing.LIKELY: "likely",
    Standing.POSSIBLE: "possible",
    Standing.LESS_LIKELY: "less likely",
    Standing.EXCLUDED: "excluded",
}
_REMARK_LINES = {
    "flag-disagrees": "conflict",
    "before-onset": "before_onset",
    "not-by-itself": "not_by_itself",
    "not-calculated": "not_by_itself",
}


class Lines(NamedTuple):
    """The finished lines below the table, in order, and the noun of the presentation."""

    noun: str
    opening: str
    below: tuple[str, ...]


class DetailWriter:
    """Writes the Markdown of the main card."""

    def __init__(self, knowledge: Knowledge, about_url: str | None) -> None:
        """Keep the words of the content."""
        self._knowledge = knowledge
        self._text = knowledge.templates["differential"].text
        self._names = FindingNames(knowledge)
        self._footer = (
            self._text["footer"].format(what=about_url) if about_url is not None else self._text["footer_plain"]
        )

    def lines(
        self,
        facts: PatientFacts,
        readings: Mapping[str, Reading],
        ranking: tuple[RankedCause, ...],
        workup: tuple[WorkupItem, ...],
        red_flags: tuple[FiredRedFlag, ...],
    ) -> Lines:
        """Return everything around the table."""
        shown = {
            fact.reference
            for arguments in (
                *((argument.facts for one in ranking if one.is_candidate for argument in one.arguments_for)),
                *(flag.facts for flag in red_flags),
            )
            for fact in arguments
        }
        below = [
            *self._result_lines(readings, shown),
            *self._order_lines(workup),
            *self._unknown_lines(workup, readings, facts),
        ]
        return Lines(noun=self._noun(facts), opening=self._opening(facts), below=tuple(below))

    def write(
        self,
        template: Template,
        candidates: list[RankedCause],
        ranking: tuple[RankedCause, ...],
        facts: PatientFacts,
        lines: Lines,
    ) -> str:
        """Return the whole detail as GitHub Flavored Markdown."""
        shown = self._shown(candidates, ranking)
        opening = template.text["opening"].format(presentation=lines.opening, noun=lines.noun)
        parts = [opening]
        if candidates:
            parts.append(self._table(shown))
        parts += self._remarks(shown)
        parts += lines.below
        if any(one.by_text for one in facts.presentations):
            parts.append(self._text["by_text"])
        if facts.family_history:
            parts.append(self._text["family"])
        parts.append(self._footer)
        return "\n\n".join(parts)

    def _shown(self, candidates: list[RankedCause], ranking: tuple[RankedCause, ...]) -> list[RankedCause]:
        """Candidates, then conditions that are on record but speak against themselves, at most six rows."""
        weak = [
            one
            for one in ranking
            if one.standing is Standing.LESS_LIKELY and one.arguments_for and one.cause.group == "condition"
        ]
        return [*candidates, *weak][:_MOST_ROWS]

    def _table(self, shown: list[RankedCause]) -> str:
        head = tuple(
            self._text[name] for name in ("column_cause", "column_for", "column_against", "column_missing")
        )
        return table(head, [self._row(one) for one in shown])

    def _row(self, one: RankedCause) -> tuple[str, ...]:
        title = f"**{one.cause.title}**" if one.standing is Standing.LIKELY else one.cause.title
        if not one.cause.in_source_document:
            title += " (added)"
        facts = dict.fromkeys(fact for argument in one.arguments_for for fact in argument.facts)
        words = dict.fromkeys(fact_cell(fact, emphasis=True) for fact in facts)
        against = dict.fromkeys(argument.evidence.because.rstrip(".") for argument in one.arguments_against)
        return (
            f"{title} · {_STANDING[one.standing]}",
            " · ".join(words),
            " · ".join(against),
            escape(self._names.some(one.missing)),
        )

    def _remarks(self, shown: Iterable[RankedCause]) -> list[str]:
        """Return the remarks of the shown causes whose condition was met, each once."""
        said: dict[str, None] = {}
        for one in shown:
            met = {argument.evidence.finding for argument in (*one.arguments_for, *one.arguments_against)}
            for remark in one.cause.remarks:
                if "when" not in remark or remark["when"] in met:
                    said.setdefault(remark["text"])
        return [" ".join(said)] if said else []

    def _noun(self, facts: PatientFacts) -> str:
        types = dict.fromkeys(name for one in facts.presentations for name in one.types)
        return join(self._knowledge.presentations[name].noun for name in types)

    def _opening(self, facts: PatientFacts) -> str:
        """Return what was recorded and when, e.g. `Fasciculation recorded 15 Jun 2026, since 1 Jun 2026.`"""
        said = []
        for one in facts.presentations:
            titles = join(self._knowledge.presentations[name].title for name in one.types)
            words = titles[:1].upper() + titles[1:].lower()
            if one.recorded is not None:
                words += f" recorded {short_date(one.recorded.text)}"
            if one.onset is not None:
                words += f", since {short_date(one.onset.text)}"
            said.append(f"{words}.")
        return " ".join(dict.fromkeys(said))

    def _result_lines(self, readings: Mapping[str, Reading], shown: set[str | None]) -> list[str]:
        normal: dict[str, list[str]] = {}
        other: list[str] = []
        remarked: dict[str, list[str]] = {}
        stale: list[str] = []
        unrepeated: list[str] = []
        for name, reading in readings.items():
            title = self._names.of(f"{name}-normal")
            if reading.stale is not None and reading.stale_bands & {"low", "high"}:
                words = _result(title, reading.stale)
                is_recent = (reading.stale_days or 0) <= self._knowledge.labs[name].unrepeated_days
                severe = any(band.startswith(("marked", "critical")) for band in reading.stale_bands)
                (unrepeated if is_recent and severe else stale).append(words)
            for remark in reading.remarks:
                if remark in _REMARK_LINES and reading.current is not None:
                    remarked.setdefault(_REMARK_LINES[remark], []).append(_result(title, reading.current))
            current = reading.current
            if current is None or reading.bands is None or current.fact.reference in shown:
                continue
            if "normal" in reading.bands:
                normal.setdefault(short_date(current.fact.on), []).append(_short_result(title, current))
            else:
                other.append(_result(title, current))
        lines = []
        if other:
            lines.append(self._text["other"].format(labs="; ".join(other)))
        if normal:
            lines.append(self._text["done"].format(labs=_by_date(normal)))
        lines += [self._text[line].format(labs="; ".join(words)) for line, words in remarked.items()]
        if unrepeated:
            lines.append(self._text["unrepeated"].format(labs="; ".join(unrepeated)))
        if stale:
            lines.append(self._text["historical"].format(labs="; ".join(stale)))
        return lines

    def _order_lines(self, workup: tuple[WorkupItem, ...]) -> list[str]:
        ordered = [
            item.order.title + (f" ({short_date(item.on)})" if item.on else "")
            for item in workup
            if item.status is WorkupStatus.ALREADY_ORDERED
        ]
        return [self._text["ordered"].format(names=join(ordered))] if ordered else []

    def _unknown_lines(
        self, workup: tuple[WorkupItem, ...], readings: Mapping[str, Reading], facts: PatientFacts
    ) -> list[str]:
        lines = []
        never = [
            item.order.title
            for item in workup
            if item.status is WorkupStatus.SUGGESTED
            and not item.measured
            and (item.order.kind in {"laboratory", "examination"})
            and not any(readings[lab].stale for lab in item.order.settled_by if lab in readings)
        ]
        if never:
            names = [title[:1].lower() + title[1:] if title[1:2].islower() else title for title in never]
            lines.append(self._text["missing"].format(missing=join(names)))
        if facts.missing_keys:
            lines.append(self._text["unchecked"].format(keys=", ".join(facts.missing_keys)))
        costly = _costly(facts.notes)
        if costly:
            kinds = ", ".join(f"{code.replace('-', ' ')}: {count}" for code, count in costly.items())
            lines.append(self._text["unreadable"].format(count=sum(costly.values()), names=escape(kinds)))
        return lines


def _costly(notes: tuple[ReadingNote, ...]) -> dict[str, int]:
    """Count the notes by code that cost a fact."""
    counts: dict[str, int] = {}
    for note in notes:
        if note.severity != "information":
            counts[note.code] = counts.get(note.code, 0) + 1
    return counts


def _result(title: str, measurement: Measurement) -> str:
    fact = measurement.fact
    named = Fact(
        what=title,
        value=fact.value,
        unit=fact.unit,
        on=fact.on,
        canonical=fact.canonical,
        range=fact.range,
        note=fact.note,
    )
    return fact_cell(named, emphasis=False)


def _short_result(title: str, measurement: Measurement) -> str:
    fact = measurement.fact
    words = f"{escape(title)} {escape(fact.value or '')} {escape(unit_words(fact.unit))}".strip()
    if fact.canonical is not None and measurement.calculated:
        words += f" (calculated {escape(fact.canonical.value)})"
    if not measurement.certain or measurement.status == "preliminary":
        words += f" ({escape(measurement.status)})"
    return words


def _by_date(results: Mapping[str, list[str]]) -> str:
    said, left = [], _MOST_RESULTS
    for on, words in results.items():
        kept = words[:left]
        left -= len(kept)
        if kept:
            said.append(f"{', '.join(kept)}, in range, {on}" if on else f"{', '.join(kept)}, in range")
    return "; ".join(said)

