"""The short chapters of the review page: presentations, orders, treatment options, questions; it judges none."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from cds_service.knowledge.plain_words import listed
from cds_service.knowledge.review_parts import CARDS, Reason, ReviewParts, row, signature
from cds_service.model.definitions import Order

_ANSWER_IS = {
    "habit": "habit: {}",
    "examination": "examination: {}",
    "onset": "onset of the complaint",
    "weeks_of": "weeks of {}",
    "medicines_within_days": "medicines taken within {} days",
}
"""What the answer itself is, by the member that says so."""


def presentation_lines(parts: ReviewParts) -> Iterator[str]:
    """Yield the symptoms that start a differential, the words that name them and those that do not."""
    yield "| Presentation | Recognized words | Not these | Base workup | Source document |"
    yield "|---|---|---|---|---|"
    for one in parts.knowledge.presentations.values():
        text = one.text
        yield row(
            f"[{one.title}]({CARDS}/presentations/{one.id}.yaml)",
            ", ".join(text.match).replace("*", "…") if text else "by code only",
            ", ".join(text.unless).replace("*", "…") if text else "",
            ", ".join(parts.knowledge.orders[name].title for name in one.workup),
            ", ".join(one.in_source_document) or "added",
        )
    yield ""
    for one in parts.knowledge.presentations.values():
        needs = [need.name for need in _members(one, "needs")]
        if needs:
            yield f"- {one.title} is called benign only with these on record: {listed(needs, 'and')}."
    yield ""
    yield from signature(None)


def order_lines(parts: ReviewParts) -> Iterator[str]:
    """Yield the tests and referrals that can be offered, and what makes one of them superfluous."""
    yield "Offered as drafts that a clinician may accept; never an order for a medicine."
    yield ""
    yield "| Order | Kind | Answered by | Pending for | Note on the draft | From |"
    yield "|---|---|---|---|---|---|"
    for one in sorted(parts.knowledge.orders.values(), key=lambda one: one.title):
        if one.offered:
            yield row(
                f"[{one.title}]({CARDS}/orders/{one.id}.yaml)",
                one.kind,
                _answered_by(one, parts),
                f"{one.pending_days} days",
                one.note or "",
                ", ".join(one.in_source_document) or "added",
            )
    yield ""
    cautions = [
        (one, caution) for one in parts.knowledge.orders.values() for caution in _members(one, "cautions")
    ]
    for order, caution in cautions:
        when = parts.words.finding(caution.when)
        yield f"- Said with {order.title} when {when}: “{caution.text}” Source: {parts.cited(caution.cites)}."
    if cautions:
        yield ""
        yield from parts.open_questions(Reason(caution.text, caution.cites) for _order, caution in cautions)
    yield from signature(None)


def _answered_by(order: Order, parts: ReviewParts) -> str:
    labs = [parts.knowledge.labs[name].title for name in order.settled_by]
    if order.settled_by_finding is not None:
        labs.append(parts.words.finding(order.settled_by_finding))
    return ", ".join(labs)


def treatment_lines(parts: ReviewParts) -> Iterator[str]:
    """Yield each treatment option with when it is named, its cautions and what rules it out."""
    options: Any = _members(parts.knowledge, "treatments")
    for one in sorted(options.values(), key=lambda one: one.place) if options else ():
        yield f"### Option: {one.title}"
        yield ""
        origin = (
            f"source document {', '.join(one.in_source_document)}" if one.in_source_document else "**added**"
        )
        yield f"[{one.id}.yaml]({CARDS}/treatments/{one.id}.yaml) · {origin}"
        yield ""
        named = f"when {parts.words.finding(one.when)}" if one.when else "never by itself"
        yield f"{one.text} Named on the treatment card {named}."
        yield ""
        yield "| When | What is said | Effect | Source |"
        yield "|---|---|---|---|"
        for caution in one.cautions:
            effect = "rules it out" if caution.rules_out else caution.level.value
            effect += f"; a draft order: {caution.on_order.value}" if caution.on_order else ""
            when = parts.words.finding(caution.when) if caution.when else "always"
            unknown = f" While unknown: {caution.if_unknown}" if caution.if_unknown else ""
            yield row(when, caution.text + unknown, effect, parts.cited(caution.cites))
        for remark in one.remarks:
            when = parts.words.finding(remark.when)
            yield row(when, remark.text, "line on the main card", parts.cited(remark.cites))
        yield ""
        findings = [part.when for part in (*one.cautions, *one.remarks) if part.when]
        yield from parts.rests_on(findings)
        yield from parts.thresholds(findings)
        reasons = [Reason(part.text, part.cites) for part in (*one.cautions, *one.remarks)]
        yield from parts.sources((*one.cites, *(reason.cites for reason in reasons)))
        yield from parts.open_questions(reasons, one.cites)
        yield from signature(one.review)


def question_lines(parts: ReviewParts) -> Iterator[str]:
    """Yield the questions about the history, their answers and what these tell."""
    forms: Any = _members(parts.knowledge, "questionnaires")
    for form in forms.values() if forms else ():
        yield f"### Questionnaire: {form.title}"
        yield ""
        yield f"[{form.id}.yaml]({CARDS}/questionnaires/{form.id}.yaml): {form.description}"
        yield f"Answers speak for {form.fresh_days} days."
        yield ""
        yield "| No. | Question | Answers | What it tells |"
        yield "|---|---|---|---|"
        for item in form.every_item():
            answers = "; ".join(option.display for option in item.options) or item.type
            yield row(item.link, item.text, answers, "; ".join(_told_by(item, parts)))
        yield ""
        yield from parts.sources(form.cites)
        yield from parts.open_questions((), form.cites)
        yield from signature(form.review)


def _told_by(item: Any, parts: ReviewParts) -> Iterator[str]:
    for option in item.options:
        told = [*map(parts.set_title, option.signs)]
        told += [option.says.replace("-", " ")] if option.says else []
        told += [f"a relative with {listed(map(parts.set_title, option.family))}"] if option.family else []
        told += [f"examination {option.finds}"] if option.finds else []
        if told:
            yield f"{option.display}: {', '.join(told)}"
    told = [*map(parts.set_title, (*item.signs, *_members(item, "also")))]
    if told:
        least = _members(item, "signs_from")
        answer = "yes" if item.type == "boolean" else f"{least} or more" if least else "any answer"
        yield f"{answer}: {', '.join(told)}"
    for name, words in _ANSWER_IS.items():
        value = _members(item, name)
        if value:
            yield words.format(str(value).replace("-", " "))


def _members(owner: object, name: str) -> Any:
    """Return a member that not every body of content has."""
    return getattr(owner, name, ())
