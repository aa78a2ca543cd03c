"""Chooses which cards are shown, in what order, and fills them; every word of a card comes from here or the content."""

from __future__ import annotations

from datetime import datetime
from typing import NamedTuple

import msgspec

from cds_service.cards.details import DetailWriter
from cds_service.cards.explanation import EXTENSION, ExplanationWriter
from cds_service.cards.markdown import clean
from cds_service.cards.stages import Stages
from cds_service.cards.suggestions import SuggestionWriter
from cds_service.cards.summaries import differential_summary, insufficient_summary, is_medicine, workup_summary
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
        """Return the cards with the whole explanation on the first and a pointer to it on the others."""
        explanation = self._explanations.write(
            stages.facts,
            stages.as_of,
            stages.red_flags,
            stages.ranking,
            stages.not_assessed,
            stages.workup,
            stages.facts.notes,
        )
        pointer = {EXTENSION: {"see": cards[0].uuid}}
        replace = msgspec.structs.replace
        return (
            replace(cards[0], extension={EXTENSION: explanation}),
            *(replace(card, extension=pointer) for card in cards[1:]),
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
        templates = self._knowledge.templates
        words = self._details.words(stages.facts)
        candidates = [one for one in stages.ranking if one.is_candidate and not _is_hidden(one, stages)]
        if candidates:
            template = templates["differential"]
            summary = differential_summary(candidates, words.noun, template)
        elif any(item.order.kind in {"laboratory", "tracing"} for item in suggested):
            template = templates["workup"]
            summary = workup_summary(suggested, words.noun, template)
        else:
            template = templates["insufficient-data"]
            summary = insufficient_summary(stages.workup, words.noun, template)
        detail = self._details.write(template, candidates, stages, words)
        suggestions = [
            self._suggestions.write(item, stages.facts) for item in suggested if item.red_flag is None
        ]
        return self._card(template, summary, detail, stages.level, suggestions)

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


def _is_hidden(one: RankedCause, stages: Stages) -> bool:
    """A mere trigger is not shown beside a red flag, where it would reassure; a medicine as trigger is."""
    if not stages.red_flags or one.cause.group != "trigger":
        return False
    return not any(is_medicine(fact) for argument in one.arguments_for for fact in argument.facts)
