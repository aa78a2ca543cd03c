"""The detail of the main card: opening, table of causes, what was done, what is not known; it ranks nothing."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple

from cds_service.cards.citations import Citations
from cds_service.cards.imaging import before_lines
from cds_service.cards.markdown import escape
from cds_service.cards.results import ResultLines
from cds_service.cards.rows import MOST_ROWS, TableWriter
from cds_service.cards.stages import Stages
from cds_service.cards.wording import (
    FindingNames,
    fact_cell,
    fact_key,
    join,
    lower_first,
    short_date,
    value_words,
)
from cds_service.model.decision import RankedCause, Standing, WorkupStatus
from cds_service.model.definitions import Knowledge, Template
from cds_service.model.facts import PatientFacts

_ASKED_KINDS = frozenset({"laboratory", "examination"})
_PARTIAL = frozenset({"more-pages", "more-found"})
"""Notes that tell that a key was answered in part."""


class Words(NamedTuple):
    """The noun of the presentation ("twitching") and the sentence that opens the detail."""

    noun: str
    opening: str


class DetailWriter:
    """Writes the Markdown of the main card."""

    def __init__(self, knowledge: Knowledge, about_url: str | None) -> None:
        """Keep the words of the content."""
        self._presentations = knowledge.presentations
        self._text = knowledge.templates["differential"].text
        self._citations = Citations(knowledge.sources, self._text)
        self._names = FindingNames(knowledge)
        self._table = TableWriter(self._text, self._names)
        self._results = ResultLines(self._text, knowledge.labs, self._names)
        self._footer = (
            self._text["footer"].format(what=about_url)
            if about_url is not None
            else self._text["footer_plain"]
        )

    def words(self, facts: PatientFacts) -> Words:
        """Return how this presentation is named."""
        types = dict.fromkeys(name for one in facts.presentations for name in one.types)
        noun = join(self._presentations[name].noun for name in types)
        return Words(noun, self._opening(facts))

    def write(
        self,
        template: Template,
        candidates: list[RankedCause],
        stages: Stages,
        words: Words,
        more: Iterable[str] = (),
    ) -> str:
        """Return the whole detail as GitHub Flavored Markdown; `more` are lines that others wrote."""
        shown = _shown(candidates, stages.ranking)
        parts = [template.text["opening"].format(presentation=words.opening, noun=words.noun)]
        if candidates:
            parts.append(self._table.write(shown, _in_range(stages)))
        parts += self._remarks(shown, stages)
        parts += self._examination_line(stages, shown)
        parts += self._results.write(stages.readings, _references(shown, stages))
        parts += self._order_lines(stages)
        parts += self._insufficient_line(stages, words.noun)
        parts += before_lines(
            (item for item in stages.workup if item.red_flag is None), self._text["imaging"]
        )
        parts += more
        parts += self._unknown_lines(stages)
        if any(one.by_text for one in stages.facts.presentations):
            parts.append(self._text["by_text"])
        if stages.facts.relatives:
            parts.append(self._text["family"])
        parts.append(self._footer)
        return "\n\n".join(parts)

    def _opening(self, facts: PatientFacts) -> str:
        """Return what was recorded and when, e.g. fasciculation recorded 15 Jun 2026, since 1 Jun 2026."""
        said = []
        for one in facts.presentations:
            titles = join(self._presentations[name].title for name in one.types)
            words = titles[:1].upper() + titles[1:].lower()
            if one.recorded is not None:
                words += f" recorded {short_date(one.recorded.text)}"
            if one.onset is not None:
                words += f", since {short_date(one.onset.text)}"
            said.append(f"{words}.")
        return " ".join(dict.fromkeys(said))

    def _remarks(self, shown: list[RankedCause], stages: Stages) -> list[str]:
        """Return the remarks of the shown causes whose finding is present, each once, with their sources."""
        said = {
            words: remark["cites"]
            for one in shown
            for remark in one.cause.remarks
            if ("when" not in remark or stages.is_present(remark["when"]))
            and (words := self._remark_words(remark, stages)) is not None
        }
        return [self._citations.grouped(said.items())] if said else []

    def _remark_words(self, remark: Mapping[str, Any], stages: Stages) -> str | None:
        """Return a remark; one about tests never done names those, and is not made once all were measured.

        One about a measurement names its value, and is not made without one.
        """
        text: str = remark["text"]
        if "measured" in remark:
            reading = stages.readings.get(remark["measured"])
            if reading is None or reading.current is None:
                return None
            return text.format(value=value_words(reading.current.fact).replace(" /", "/"))
        if "unmeasured" not in remark:
            return text
        never = [
            self._names.of(f"{lab}-normal")
            for lab in remark["unmeasured"]
            if (reading := stages.readings.get(lab)) is None or not (reading.current or reading.stale)
        ]
        return text.format(missing=join(never)) if never else None

    def _examination_line(self, stages: Stages, shown: list[RankedCause]) -> list[str]:
        """Say which parts of an examination were abnormal, unless the table or a red flag says so already."""
        told = [argument.facts for one in shown for argument in one.arguments_for]
        told += [flag.facts for flag in stages.red_flags]
        known = {id(fact) for facts in told for fact in facts}
        abnormal = [
            fact_cell(one.fact, emphasis=False)
            for one in stages.facts.examinations
            if one.result == "abnormal" and id(one.fact) not in known
        ]
        return [self._text["examined"].format(names="; ".join(dict.fromkeys(abnormal)))] if abnormal else []

    def _order_lines(self, stages: Stages) -> list[str]:
        ordered = [
            item.order.title + (f" ({short_date(item.on)})" if item.on else "")
            for item in stages.workup
            if item.status is WorkupStatus.ALREADY_ORDERED
        ]
        return [self._text["ordered"].format(names=join(ordered))] if ordered else []

    def _insufficient_line(self, stages: Stages, noun: str) -> list[str]:
        """Say what must be on record before the symptom can be called benign, while nothing explains it."""
        if stages.red_flags or any(one.standing is Standing.LIKELY for one in stages.ranking):
            return []
        types = dict.fromkeys(name for one in stages.facts.presentations for name in one.types)
        needs = [need for name in types for need in self._presentations[name].needs]
        missing = [need.name for need in needs if not stages.is_present(need.finding)]
        return [self._text["insufficient"].format(noun=noun, missing=join(missing))] if missing else []

    def _unknown_lines(self, stages: Stages) -> list[str]:
        """Say what is not in the record, what was not received and what could not be read."""
        lines = []
        never = [
            lower_first(item.order.title)
            for item in stages.workup
            if item.status is WorkupStatus.SUGGESTED and not item.repeat and item.order.kind in _ASKED_KINDS
        ]
        never += [lower_first(title) for title in stages.unrecorded]
        if never:
            lines.append(self._text["missing"].format(missing=join(never)))
        if stages.facts.missing_keys:
            lines.append(self._text["unchecked"].format(keys=", ".join(stages.facts.missing_keys)))
        partial = _partial(stages.facts)
        if partial:
            lines.append(self._text["partial"].format(keys=", ".join(partial)))
        costly = _costly(stages.facts)
        if costly:
            kinds = ", ".join(f"{code.replace('-', ' ')}: {count}" for code, count in costly.items())
            lines.append(self._text["unreadable"].format(count=sum(costly.values()), names=escape(kinds)))
        return lines


def _shown(candidates: list[RankedCause], ranking: tuple[RankedCause, ...]) -> list[RankedCause]:
    """Candidates, then conditions that are on record but outweighed, at most as many rows as a glance takes in."""
    weak = [
        one
        for one in ranking
        if one.standing is Standing.LESS_LIKELY and one.arguments_for and one.cause.group == "condition"
    ]
    return [*candidates, *weak][:MOST_ROWS]


def _in_range(stages: Stages) -> set[str | int]:
    """Return the keys of the results that lie in range."""
    return {
        fact_key(reading.current.fact)
        for reading in stages.readings.values()
        if reading.current is not None and reading.bands is not None and "normal" in reading.bands
    }


def _references(shown: list[RankedCause], stages: Stages) -> set[str | int]:
    """Return the keys of all facts that stand in the table or on a red-flag card."""
    arguments = [argument.facts for one in shown for argument in one.arguments_for]
    flagged = [flag.facts for flag in stages.red_flags]
    return {fact_key(fact) for facts in (*arguments, *flagged) for fact in facts}


def _partial(facts: PatientFacts) -> list[str]:
    """Return the keys of which only a part was read."""
    paths = (note.path for note in facts.notes if note.code in _PARTIAL)
    return list(dict.fromkeys(path.removeprefix("prefetch.").removesuffix(".total") for path in paths))


def _costly(facts: PatientFacts) -> dict[str, int]:
    """Count the notes by code that cost a fact; a key that was not read, or only in part, has its own line."""
    unread = {f"prefetch.{key}" for key in facts.missing_keys}
    counts: dict[str, int] = {}
    for note in facts.notes:
        if note.severity != "information" and note.path not in unread and note.code not in _PARTIAL:
            counts[note.code] = counts.get(note.code, 0) + 1
    return counts
