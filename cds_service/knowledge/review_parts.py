"""The parts that each section of the review page is made of: sources, thresholds, open questions, signature."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.knowledge.disclosure import GRADES
from cds_service.knowledge.expressions import findings_in, leaves_in
from cds_service.knowledge.lab_words import band_of, limit_lines
from cds_service.knowledge.plain_words import PlainWords
from cds_service.model.definitions import Knowledge, Review, Rule
from cds_service.model.trust import ADDED, Source, origin_of

CARDS = "../cards"
_UNSURE: Mapping[str, str] = {
    "own": "our own judgment; a clinician has to decide",
    "K": "general knowledge; a source is to be found",
    "L": "the page was found and its passage not read; to be checked there",
    "2nd": "read through a secondary page; to be checked at the original",
}


class Reason(NamedTuple):
    """A sentence of the content with the source that it rests on."""

    words: str
    cites: str


class ReviewParts:
    """Writes parts of sections from one body of content."""

    def __init__(self, knowledge: Knowledge) -> None:
        """Keep the content; findings in the words point at their own headings."""
        self.knowledge = knowledge
        self.words = PlainWords(knowledge, linked=True)

    def set_title(self, name: str) -> str:
        """Return the title of a value set as it stands inside a sentence."""
        return self.words.inside(self.knowledge.value_sets[name].title)

    def cited(self, name: str) -> str:
        """Return a source as a table cell: its short name, id, how it was read, and whether it was added."""
        source = self.knowledge.sources[name]
        added = ", added" if origin_of(name) == ADDED else ""
        return (
            f"{source.name} ({name}, {GRADES[source.grade]}{added})" if source.grade != "own" else source.name
        )

    def sources(self, cites: Iterable[str]) -> Iterator[str]:
        """Yield the sources of a section with grade and link, each once."""
        yield "**Sources**"
        yield ""
        for name in dict.fromkeys(cites):
            yield f"- {self.source(self.knowledge.sources[name])}"
        yield ""

    def source(self, source: Source) -> str:
        """Return one source with its grade and its link."""
        if source.grade == "own":
            return f"**{source.id}**: {GRADES[source.grade]}."
        link = f" <{source.url}>" if source.url else ""
        added = "" if origin_of(source.id) != ADDED else " (added)"
        return f"**{source.id}** {source.title}, {source.publisher}: {GRADES[source.grade]}{added}.{link}"

    def open_questions(self, reasons: Iterable[Reason], cites: Iterable[str] = ()) -> Iterator[str]:
        """Yield what is to be checked: every sentence on a weak source, and weak sources of the whole section."""
        found = [
            f"- “{reason.words.rstrip('.')}” rests on {why}."
            for reason in dict.fromkeys(reasons)
            if (why := self.doubt(reason.cites)) is not None
        ]
        found += [
            f"- It rests in part on {why}."
            for name in dict.fromkeys(cites)
            if (why := self.doubt(name)) is not None
        ]
        yield "**Open questions**"
        yield ""
        yield from found or ["- None: every source was read."]
        yield ""

    def doubt(self, name: str) -> str | None:
        """Return what is to be checked about a source, if it is a weak one."""
        source = self.knowledge.sources[name]
        why = _UNSURE.get(source.grade)
        return why if why is None or source.grade == "own" else f"{source.name} ({name}): {why}"

    def rests_on(self, findings: Iterable[str]) -> Iterator[str]:
        """Yield, one level deep, what the findings of a section rest on."""
        rules = [
            self.knowledge.rules[name] for name in dict.fromkeys(findings) if name in self.knowledge.rules
        ]
        if rules:
            yield "**What the findings rest on**"
            yield ""
            for rule in rules:
                yield from self.definition(rule)
            yield ""

    def definition(self, rule: Rule) -> Iterator[str]:
        """Yield one finding and what makes it present."""
        bullets = self.words.bullets(rule.when, 1)
        name = f"- {self.words.finding(rule.id)}"
        yield f"{name}: {bullets[0].removeprefix('  - ')}"
        yield from bullets[1:]

    def thresholds(self, expressions: Iterable[Any]) -> Iterator[str]:
        """Yield the limits of every measurement that these expressions, or what they name, depend on."""
        labs = dict.fromkeys(name for one in expressions for name in self._labs_of(one, set()))
        if labs:
            yield "**Thresholds**"
            yield ""
            for name in labs:
                lab = self.knowledge.labs[name]
                limits = "; ".join(
                    f"{self.words.inside(what)} {words}"
                    for what, words in limit_lines(lab)
                    if what != "Believed only"
                )
                yield f"- [{lab.title}]({CARDS}/labs/{name}.yaml): {limits}"
            yield ""

    def _labs_of(self, expression: Any, seen: set[str]) -> Iterator[str]:
        """Yield the measurements behind an expression, however many findings lie between."""
        for _path, operator, operand in leaves_in(expression):
            if operator in {"result", "measured"} and operand["lab"] in self.knowledge.labs:
                yield operand["lab"]
        for _path, finding in findings_in(expression):
            band = band_of(finding, self.knowledge.labs)
            rule = self.knowledge.rules.get(finding)
            if band is not None:
                yield band[0]
            elif rule is not None and finding not in seen:
                seen.add(finding)
                yield from self._labs_of(rule.when, seen)


def signature(review: Review | None) -> Iterator[str]:
    """Yield the block that a clinician signs; it is empty until one has."""
    signed = (review.checked_by if review is not None else None) or ""
    yield "| Read by | Role | Date | Decision and remarks |"
    yield "|---|---|---|---|"
    yield f"| {signed} | | | |"
    yield ""


def row(*cells: str) -> str:
    """Return one row of a Markdown table."""
    return f"| {' | '.join(cell.replace('|', '&#124;').replace(chr(10), ' ') for cell in cells)} |"
