"""Writes the page on which a clinician can read every rule in plain words and sign it; it signs nothing itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from cds_service.knowledge.disclosure import reviews, sign_off
from cds_service.knowledge.expressions import findings_in
from cds_service.knowledge.lab_words import limit_lines, window_lines
from cds_service.knowledge.plain_words import listed
from cds_service.knowledge.review_parts import CARDS, Reason, ReviewParts, row, signature
from cds_service.knowledge.review_tables import (
    order_lines,
    presentation_lines,
    question_lines,
    treatment_lines,
)
from cds_service.model.definitions import Cause, Knowledge, Lab, RedFlag, Rule

_OPENING = """\
# For clinical review

This page says in plain words what the content under `cards/` makes the service do. It is written by
`cds-service review --write docs/clinical-review.md`; a test fails while it is out of date. Change the content, never
this page.

**{sign_off}**

Each section ends with a block to be filled in by whoever read the section and its sources. A signature counts once the
name stands in `checked_by` of the definition's own file; a change of meaning takes it away. Which codes and words of a
record mean a condition or a medicine stands in `cards/value_sets`.

How to read it:

- A finding is **present**, **absent** or **unknown**. What nobody measured or wrote down is unknown. "Known not to be
  so" needs an entry that says so; "unless" silences only what is present.
- A diagnosis or medicine that is missing from a list that arrived is absent; a sign that nobody recorded is unknown.
- **Above**, **below** and **in range** follow the laboratory's own flag first, then its range, then the default.
- Weights: strong counts 4, moderate 2, weak 1, for or against. **Likely** needs a strong argument for and more for than
  against; **possible** needs some support that is not outweighed; what excludes rules the cause out.
- **Added** marks what the source document does not say.
"""


def review_page(knowledge: Knowledge) -> str:
    """Return the whole page as Markdown."""
    parts = ReviewParts(knowledge)
    chapters: tuple[tuple[str, Callable[[ReviewParts], Iterator[str]]], ...] = (
        ("Red flags", _red_flags),
        ("Causes", _causes),
        ("Treatment options", treatment_lines),
        ("Measurements", _labs),
        ("Presentations", presentation_lines),
        ("Orders", order_lines),
        ("History questions", question_lines),
        ("Findings", _rules),
        ("Source attributes", _attributes),
        ("Sources", _sources),
    )
    written = [(title, [*write(parts)]) for title, write in chapters]
    lines = [
        _OPENING.format(sign_off=sign_off([*reviews(knowledge)])),
        "Contents: " + _contents([title for title, body in written if body]),
    ]
    for title, body in written:
        if body:
            lines += ["", f"## {title}", "", *body]
    return "\n".join(lines).rstrip() + "\n"


def _contents(titles: list[str]) -> str:
    return " · ".join(f"[{title}](#{title.lower().replace(' ', '-')})" for title in titles)


def _number(flag: RedFlag) -> int:
    return int("".join(char for char in flag.id if char.isdigit()) or 0)


def _red_flags(parts: ReviewParts) -> Iterator[str]:
    for flag in sorted(parts.knowledge.red_flags.values(), key=_number):
        yield f"### {flag.id}: {flag.title}"
        yield ""
        yield f"[{flag.id}.yaml]({CARDS}/red_flags/{flag.id}.yaml) · {_from_document('r1' in flag.cites)}"
        yield ""
        for level in flag.levels:
            yield f"**{level.level.value.capitalize()}** when:"
            yield ""
            yield from parts.words.bullets(level.when)
            yield ""
            yield f"because: {level.because}"
            yield ""
        yield f"The card opens with “{flag.summary.replace('{lead}', '…')}”."
        yield f"It offers to consider: {flag.action} {flag.detail}"
        yield ""
        yield f"Tests and referrals: {_orders(parts, flag.workup)}."
        if flag.yields_to_critical:
            yield "It is silent while another critical flag fires."
        if flag.speaks_for:
            yield f"It speaks for: {', '.join(parts.knowledge.causes[name].title for name in flag.speaks_for)}."
        yield ""
        expressions = [level.when for level in flag.levels]
        yield from parts.rests_on(name for one in expressions for name in _names_in(one))
        yield from parts.thresholds(expressions)
        yield from parts.sources(flag.cites)
        yield from parts.open_questions((), flag.cites)
        yield from signature(flag.review)


def _causes(parts: ReviewParts) -> Iterator[str]:
    for cause in sorted(parts.knowledge.causes.values(), key=lambda one: one.title):
        yield f"### {cause.title}"
        yield ""
        yield _cause_head(cause, parts)
        yield ""
        yield "| When | It speaks | Because | Source |"
        yield "|---|---|---|---|"
        for part in cause.evidence:
            weight = part.weight.value.replace("-", " ")
            yield row(parts.words.finding(part.finding), weight, part.because, parts.cited(part.cites))
        yield ""
        if cause.workup:
            yield f"Tests and referrals: {_orders(parts, cause.workup)}."
            yield ""
        for remark in cause.remarks:
            when = _said_when(remark, parts)
            yield f"- Said on the card {when}: “{remark['text']}” Source: {parts.cited(remark['cites'])}."
        if cause.remarks:
            yield ""
        findings = [part.finding for part in cause.evidence]
        yield from parts.rests_on(findings)
        yield from parts.thresholds(findings)
        reasons = [Reason(part.because, part.cites) for part in cause.evidence]
        reasons += [Reason(remark["text"], remark["cites"]) for remark in cause.remarks]
        yield from parts.sources(reason.cites for reason in reasons)
        yield from parts.open_questions(reasons)
        yield from signature(cause.review)


def _said_when(remark: Mapping[str, Any], parts: ReviewParts) -> str:
    """Return under which conditions a remark is made."""
    said = [f"when {parts.words.finding(remark['when'])}"] if "when" in remark else []
    for member, words in (
        ("unmeasured", "when one of {} was never measured"),
        ("measured", "with a result of {}"),
    ):
        if member in remark:
            value = remark[member]
            said.append(words.format(value if isinstance(value, str) else listed(value)))
    return " and ".join(said) or "whenever it is shown"


def _cause_head(cause: Cause, parts: ReviewParts) -> str:
    nouns = listed((parts.knowledge.presentations[name].noun for name in cause.presentations), "and")
    said = [
        f"[{cause.id}.yaml]({CARDS}/causes/{cause.id}.yaml)",
        _from_document(is_in_document=bool(cause.in_source_document), statements=cause.in_source_document),
        f"considered for {nouns}",
        f"urgency: {cause.urgency}",
    ]
    if cause.group == "trigger":
        said.append("a trigger, never named beside a red flag unless it is a medicine")
    return " · ".join(said)


def _from_document(is_in_document: bool, statements: tuple[str, ...] = ()) -> str:  # noqa: FBT001 - one plain question
    if not is_in_document:
        return "**added**"
    return f"source document {', '.join(statements)}".strip()


def _orders(parts: ReviewParts, names: tuple[str, ...]) -> str:
    return ", ".join(parts.knowledge.orders[name].title for name in names) or "none"


def _names_in(expression: object) -> Iterator[str]:
    yield from (finding for _path, finding in findings_in(expression))


def _labs(parts: ReviewParts) -> Iterator[str]:
    for lab in sorted(parts.knowledge.labs.values(), key=lambda one: one.title):
        yield from _lab(lab, parts)


def _lab(lab: Lab, parts: ReviewParts) -> Iterator[str]:
    yield f"### Measurement: {lab.title}"
    yield ""
    yield f"[{lab.id}.yaml]({CARDS}/labs/{lab.id}.yaml) · **added**: the source document gives no limits"
    yield ""
    yield "| What | Limit |"
    yield "|---|---|"
    for what, words in limit_lines(lab):
        yield row(what, words)
    yield ""
    yield from (f"- {line}" for line in window_lines(lab))
    if not lab.marked_raises:
        yield "- A marked result does not raise the level of a card by itself."
    yield ""
    yield from parts.sources(lab.cites)
    yield from parts.open_questions((), lab.cites)
    yield from signature(lab.review)


def _rules(parts: ReviewParts) -> Iterator[str]:
    yield "Every finding that red flags, causes and other findings read, with what makes it present."
    yield ""
    for rule in sorted(parts.knowledge.rules.values(), key=lambda one: one.id):
        yield from _rule(rule, parts)
    yield from signature(None)


def _rule(rule: Rule, parts: ReviewParts) -> Iterator[str]:
    yield f"### {rule.id}"
    yield ""
    raises = f" It raises the card to {rule.raises.value}." if rule.raises is not None else ""
    yield f"[{rule.title}]({CARDS}/rules/{rule.id}.yaml).{raises} Present when:"
    yield ""
    yield from parts.words.bullets(rule.when)
    yield ""
    yield f"Sources: {'; '.join(parts.cited(name) for name in rule.cites)}."
    doubts = [doubt for name in rule.cites if (doubt := parts.doubt(name)) is not None]
    if doubts:
        yield f"Open: {'; '.join(doubts)}."
    yield ""


def _attributes(parts: ReviewParts) -> Iterator[str]:
    yield "What decision support that rests on evidence discloses about itself; the same stands at `/about`."
    yield ""
    for one in sorted(parts.knowledge.attributes.values(), key=lambda one: one.place):
        yield f"- **{one.title}**: {one.text}"
    yield ""
    yield from signature(None)


def _sources(parts: ReviewParts) -> Iterator[str]:
    for source in sorted(parts.knowledge.sources.values(), key=lambda one: (len(one.id), one.id)):
        yield f"- {parts.source(source)}"
