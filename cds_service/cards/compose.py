"""Chooses which cards are shown, in what order, and fills them; every word of a card comes from here or the content."""

from __future__ import annotations

from datetime import datetime
from typing import Any, NamedTuple

from cds_service.cards.details import DetailWriter, Lines
from cds_service.cards.explanation import EXTENSION, ExplanationWriter
from cds_service.cards.markdown import clean
from cds_service.cards.suggestions import SuggestionWriter
from cds_service.cards.wording import fact_cell, is_measured, join, lead_words, short_date, value_words
from cds_service.model.decision import (
    FiredRedFlag,
    NotAssessed,
    RankedCause,
    Reading,
    Standing,
    WorkupItem,
    WorkupStatus,
)
from cds_service.model.definitions import Knowledge, Service, Template
from cds_service.model.facts import Fact, PatientFacts
from cds_service.model.hooks import (
    Card,
    Coding,
    Indicator,
    SelectionBehavior,
    Source,
    Suggestion,
    cut_to_summary,
    fresh_uuid,
)

TOPICS = "https://spasm-cds.org/fhir/CodeSystem/card-topics"
LABEL = "Muscle spasm decision support"


class Stages(NamedTuple):
    """Everything that was decided before the cards."""

    facts: PatientFacts
    as_of: datetime
    readings: dict[str, Reading]
    red_flags: tuple[FiredRedFlag, ...]
    ranking: tuple[RankedCause, ...]
    not_assessed: tuple[NotAssessed, ...]
    workup: tuple[WorkupItem, ...]
    level: Indicator


class CardComposer:
    """Composes the cards of one answer; everything that does not depend on the patient is built once."""

    def __init__(self, knowledge: Knowledge, about_url: str | None) -> None:
        """`about_url` is the absolute address of the page that explains the method, if there is one."""
        self._knowledge = knowledge
        self._details = DetailWriter(knowledge, about_url)
        self._suggestions = SuggestionWriter(knowledge)
        self._explanations = ExplanationWriter(knowledge.version, knowledge.causes)
        self._sources = {
            name: Source(
                label=LABEL,
                url=about_url,
                topic=Coding(system=TOPICS, code=template.topic["code"], display=template.topic["display"]),
            )
            for name, template in knowledge.templates.items()
        }
        self._reasons = tuple(
            Coding(system=reason.system, code=reason.code, display=reason.title)
            for reason in sorted(knowledge.override_reasons.values(), key=lambda one: one.place)
        )

    def compose(self, stages: Stages, service: Service) -> tuple[Card, ...]:
        """Return the cards, red flags first, at most as many as the service allows; none without a presentation."""
        if not stages.facts.presentations:
            return ()
        suggested = [item for item in stages.workup if item.status is WorkupStatus.SUGGESTED]
        cards = self._red_flag_cards(stages, suggested, service.most_cards - 1)
        cards.append(self._main_card(stages, suggested))
        return self._explained(cards, stages)

    def _explained(self, cards: list[Card], stages: Stages) -> tuple[Card, ...]:
        explanation = self._explanations.write(
            stages.facts,
            stages.as_of,
            stages.red_flags,
            stages.ranking,
            stages.not_assessed,
            stages.workup,
            stages.facts.notes,
        )
        first = cards[0].uuid
        extensions: list[Any] = [explanation, *({"see": first} for _ in cards[1:])]
        return tuple(
            _with_extension(card, extension) for card, extension in zip(cards, extensions, strict=True)
        )

    def _red_flag_cards(self, stages: Stages, suggested: list[WorkupItem], places: int) -> list[Card]:
        """One card per flag; those beyond the places share the last one."""
        fired = stages.red_flags
        single = fired if len(fired) <= places else fired[: places - 1]
        cards = [self._red_flag_card((flag,), stages, suggested) for flag in single]
        rest = fired[len(single) :]
        if rest:
            cards.append(self._red_flag_card(rest, stages, suggested))
        return cards

    def _red_flag_card(
        self, flags: tuple[FiredRedFlag, ...], stages: Stages, suggested: list[WorkupItem]
    ) -> Card:
        template = self._knowledge.templates["red-flag"]
        ids = {flag.red_flag.id for flag in flags}
        if len(flags) == 1:
            lead = lead_words(flags[0].facts[0])
            summary = flags[0].red_flag.summary.replace("{lead}", lead)
        else:
            names = ", ".join(flag.red_flag.title for flag in flags)
            summary = template.text["shared_summary"].format(count=len(flags), names=names)
        detail = "\n\n".join([*(_red_flag_detail(flag, template) for flag in flags), template.text["footer"]])
        return self._card(
            template,
            summary,
            detail,
            max((flag.level for flag in flags), key=lambda level: level.rank),
            [self._suggestions.write(item, stages.facts) for item in suggested if item.red_flag in ids],
        )

    def _main_card(self, stages: Stages, suggested: list[WorkupItem]) -> Card:
        """Return the one card that ranks, or says that nothing can be ranked yet."""
        lines = self._details.lines(stages.facts, stages.readings, stages.ranking, stages.workup, stages.red_flags)
        candidates = [one for one in stages.ranking if one.is_candidate and not self._is_hidden(one, stages)]
        remaining = [item for item in suggested if item.red_flag is None]
        if candidates:
            name, summary = "differential", self._differential_summary(candidates, lines)
        elif any(item.order.kind in {"laboratory", "tracing"} for item in suggested):
            name, summary = "workup", self._workup_summary(suggested, lines)
        else:
            name, summary = "insufficient-data", self._insufficient_summary(stages, lines)
        template = self._knowledge.templates[name]
        detail = self._details.write(template, candidates, stages.ranking, stages.facts, lines)
        suggestions = [self._suggestions.write(item, stages.facts) for item in remaining]
        return self._card(template, summary, detail, stages.level, suggestions)

    def _is_hidden(self, one: RankedCause, stages: Stages) -> bool:
        """A trigger is not shown beside a red flag unless a medicine is the trigger: it would reassure."""
        return False if not stages.red_flags else one.cause.group == "trigger" and not _names_medicine(one)

    def _differential_summary(self, candidates: list[RankedCause], lines: Lines) -> str:
        likely = [one for one in candidates if one.standing is Standing.LIKELY] or candidates[:2]
        top = likely[0].cause
        noun = lines.noun
        if top.summary is not None:
            with_ = join(one.cause.title[:1].lower() + one.cause.title[1:] for one in candidates if one.cause is not top)
            return top.summary.format(noun=noun) + (f"; also {with_}" if with_ else "")
        causes = join(_named(one, first=place == 0) for place, one in enumerate(likely[:2]))
        dates = {fact.on for one in likely[:2] for fact in _lead_facts(one)}
        if len(dates) == 1 and (on := dates.pop()) is not None:
            causes += f" ({short_date(on)})"
        medicines = join(
            fact.what for one in likely[:2] for argument in one.arguments_for for fact in argument.facts if _is_medicine(fact)
        )
        if medicines and len(medicines) < 50:
            causes += f" on {clean(medicines)}"
        return self._knowledge.templates["differential"].text["summary"].format(causes=causes, noun=noun)

    def _workup_summary(self, suggested: list[WorkupItem], lines: Lines) -> str:
        tests = [item.order.title for item in suggested if item.order.kind in {"laboratory", "tracing"}]
        names = [title[:1].lower() + title[1:] if title[1:2].islower() else title for title in tests]
        return self._knowledge.templates["workup"].text["summary"].format(
            noun=lines.noun, missing=join([*names[:4], *(["others"] if len(names) > 4 else [])])
        )

    def _insufficient_summary(self, stages: Stages, lines: Lines) -> str:
        text = self._knowledge.templates["insufficient-data"].text
        pending = [item.order.title for item in stages.workup if item.status is WorkupStatus.ALREADY_ORDERED]
        asked = [item.order.title for item in stages.workup if item.status is WorkupStatus.SUGGESTED]
        names = [f"{title[:1].lower()}{title[1:]} pending" for title in pending[:3]]
        names += [f"{title[:1].lower()}{title[1:]} not recorded" for title in asked[:3]]
        if not names:
            return text["summary_plain"].format(noun=lines.noun)
        return text["summary"].format(noun=lines.noun, missing=", ".join(names))

    def _card(
        self, template: Template, summary: str, detail: str, level: Indicator, suggestions: list[Suggestion]
    ) -> Card:
        return Card(
            uuid=fresh_uuid(),
            summary=cut_to_summary(clean(summary)),
            detail=detail,
            indicator=level,
            source=self._sources[template.id],
            suggestions=tuple(suggestions),
            selection_behavior=SelectionBehavior.ANY if suggestions else None,
            override_reasons=self._reasons,
        )


def _red_flag_detail(flag: FiredRedFlag, template: Template) -> str:
    facts = "; ".join(fact_cell(fact, emphasis=True) for fact in flag.facts)
    return "\n\n".join(
        (
            template.text["facts"].format(because=flag.because),
            template.text["data"].format(facts=facts),
            template.text["action"].format(action=flag.red_flag.action),
            template.text["detail"].format(detail=flag.red_flag.detail),
        )
    )


def _with_extension(card: Card, extension: dict[str, Any]) -> Card:
    return Card(
        **{name: getattr(card, name) for name in card.__struct_fields__ if name != "extension"},
        extension={EXTENSION: extension},
    )


def _lead_facts(one: RankedCause) -> list[Fact]:
    """Return the first measured fact that speaks for a cause, if any."""
    for argument in one.arguments_for:
        for fact in argument.facts:
            if is_measured(fact) and fact.on is not None:
                return [fact]
    return []


def _named(one: RankedCause, *, first: bool) -> str:
    """Return `Low potassium 2.8 mmol/L`, or `overactive thyroid (TSH <0.01 mIU/L)` when the title names no test."""
    title = one.cause.title if first else one.cause.title[:1].lower() + one.cause.title[1:]
    facts = _lead_facts(one)
    if not facts:
        return title
    fact = facts[0]
    if fact.what.split(" ")[0].casefold() in title.casefold():
        return f"{title} {value_words(fact)}"
    return f"{title} ({fact.what} {value_words(fact)})"


def _is_medicine(fact: Fact) -> bool:
    return fact.reference is not None and fact.reference.startswith("Medication")


def _names_medicine(one: RankedCause) -> bool:
    return any(_is_medicine(fact) for argument in one.arguments_for for fact in argument.facts)
