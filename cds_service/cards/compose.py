"""Chooses which cards are shown, in what order, and fills them; every word of a card comes from here or the content."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cds_service.cards.basis import (
    main_basis,
    offers,
    order_basis,
    red_flag_basis,
    safety_basis,
    treatment_basis,
)
from cds_service.cards.citations import Citations
from cds_service.cards.details import DetailWriter
from cds_service.cards.explanation import EXTENSION, ExplanationWriter
from cds_service.cards.imaging import before_lines
from cds_service.cards.markdown import clean
from cds_service.cards.order_advice import OrderAdviceWriter, is_drafted, level_of_checks
from cds_service.cards.questions import QuestionWriter
from cds_service.cards.stages import Stages
from cds_service.cards.suggestions import SuggestionWriter
from cds_service.cards.summaries import (
    differential_summary,
    insufficient_summary,
    is_medicine,
    with_alarm,
    workup_summary,
)
from cds_service.cards.treatment import TreatmentWriter, Written, remark_lines
from cds_service.cards.wording import fact_cell, lead_words
from cds_service.model.decision import (
    CardBasis,
    ComposedCard,
    FiredRedFlag,
    RankedCause,
    Standing,
    WorkupItem,
    WorkupStatus,
)
from cds_service.model.definitions import TESTS, Knowledge, Service, Template
from cds_service.model.explanation import ExplanationExtent
from cds_service.model.hooks import (
    Card,
    Coding,
    Indicator,
    Link,
    SelectionBehavior,
    Source,
    Suggestion,
    cut_to_summary,
    fresh_uuid,
)
from cds_service.model.order_advice import OrderAdvice
from cds_service.model.treatments import TreatmentPlan

TOPICS = "https://spasm-cds.org/fhir/CodeSystem/card-topics"
LABEL = "Muscle spasm decision support"
ABOUT_LABEL = "How this was worked out"


class _Draft(NamedTuple):
    """What differs between two cards."""

    template: Template
    summary: str
    detail: str
    level: Indicator
    suggestions: list[Suggestion]
    basis: CardBasis
    links: tuple[Link, ...] = ()


class CardComposer:
    """Composes the cards of one answer; everything that does not depend on the patient is built once."""

    def __init__(
        self,
        knowledge: Knowledge,
        about_url: str | None,
        critical_as: Indicator = Indicator.CRITICAL,
        questionnaires_url: str | None = None,
        icon_url: str | None = None,
    ) -> None:
        """`about_url` is the absolute address of the page that explains the method, if there is one.

        `icon_url` is that of a PNG of 100 by 100 pixels.

        `critical_as` is the indicator that a critical card is sent with; nothing else depends on it. Under
        `questionnaires_url` the questionnaires are served.
        """
        self._critical_as = critical_as
        self._knowledge = msgspec.structs.replace(knowledge, codes={})  # the tables are not needed to compose
        self._details = DetailWriter(knowledge, about_url)
        self._suggestions = SuggestionWriter(knowledge)
        self._questions = QuestionWriter(knowledge, questionnaires_url)
        self._treatment = TreatmentWriter(knowledge.templates, knowledge.sources)
        self._orders = OrderAdviceWriter(knowledge.templates, knowledge.sources)
        self._explanations = ExplanationWriter(knowledge)
        self._citations = Citations(knowledge.sources, knowledge.templates["red-flag"].text)
        self._sources = {
            name: Source(
                label=LABEL,
                url=about_url,
                icon=icon_url,
                topic=Coding(system=TOPICS, code=template.topic["code"], display=template.topic["display"]),
            )
            for name, template in knowledge.templates.items()
        }
        self._about = (
            (Link(label=ABOUT_LABEL, url=about_url, type="absolute"),) if about_url is not None else ()
        )
        self._reasons = {name: _reasons(one, knowledge) for name, one in knowledge.templates.items()}

    def compose(
        self, stages: Stages, service: Service, extent: ExplanationExtent = ExplanationExtent.FULL
    ) -> tuple[ComposedCard, ...]:
        """Return the cards, at most as many as the service allows; none without a presentation.

        `extent` tells how much of the explanation travels with them.
        """
        if not stages.facts.presentations:
            return ()
        suggested = [item for item in stages.workup if item.status is WorkupStatus.SUGGESTED]
        if stages.advice is not None:
            drafts = self._order_cards(stages, stages.advice, suggested, service)
        else:
            stages, drafts = self._chart_cards(stages, suggested, service)
        if not drafts:
            return ()
        first = fresh_uuid()
        explanation = self._explanations.of(stages, extent)
        pointer = {EXTENSION: {"see": first}} if explanation else None
        return (
            ComposedCard(self._card(drafts[0], first, explanation), drafts[0].basis),
            *(ComposedCard(self._card(draft, fresh_uuid(), pointer), draft.basis) for draft in drafts[1:]),
        )

    def _order_cards(
        self, stages: Stages, advice: OrderAdvice, suggested: list[WorkupItem], service: Service
    ) -> list[_Draft]:
        """Return red flags, less the suggestions that are in draft already, then what there is to say of the drafts."""
        noun = self._details.words(stages.facts).noun
        told = self._orders.cards(advice, noun, stages.facts.notes)
        safety = self._treatment.safety_card(TreatmentPlan(warnings=advice.checks))
        others = [
            *_plain(safety, level_of_checks(advice.checks), safety_basis(stages, advice.checks)),
            *(_Draft(*one.written, one.level, [], order_basis(one, stages)) for one in told),
        ]
        if not stages.red_flags:
            return others[: service.most_cards]
        open_items = [item for item in suggested if not is_drafted(item, stages.facts)]
        places = max(service.most_cards - len(others), 1)
        return [*self._red_flag_cards(stages, open_items, places), *others][: service.most_cards]

    def _chart_cards(
        self, stages: Stages, suggested: list[WorkupItem], service: Service
    ) -> tuple[Stages, list[_Draft]]:
        """Return red flags, drug safety, the main card and treatment, and the stages as they are shown.

        Without room for its own card, a drug-safety warning stands on the main card.
        """
        drafts = self._red_flag_cards(stages, suggested, max(service.most_cards - 1, 1))
        plan, has_room = stages.treatment, len(drafts) + 1 < service.most_cards
        safety = self._treatment.safety_card(plan) if has_room else None
        drafts += _plain(safety, Indicator.WARNING, safety_basis(stages, plan.warnings))
        lines = remark_lines(plan) if has_room else [*self._treatment.safety_lines(plan), *remark_lines(plan)]
        drafts.append(self._main_card(stages, suggested, lines))
        if len(drafts) < service.most_cards:
            drafts += _plain(self._treatment.options_card(plan), Indicator.INFO, treatment_basis(stages))
        else:
            stages = stages._replace(treatment=msgspec.structs.replace(plan, options=()))
        return stages, drafts[: service.most_cards]

    def _red_flag_cards(self, stages: Stages, suggested: list[WorkupItem], places: int) -> list[_Draft]:
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
    ) -> _Draft:
        template = self._knowledge.templates["red-flag"]
        ids = {flag.red_flag.id for flag in flags}
        if len(flags) == 1:
            lead = lead_words(flags[0].facts[0])
            summary = flags[0].red_flag.summary.replace("{lead}", lead)
        else:
            names = ", ".join(flag.red_flag.title for flag in flags)
            summary = template.text["shared_summary"].format(count=len(flags), names=names)
        asked = [item for item in stages.workup if item.red_flag in ids]
        parts = [self._red_flag_detail(flag, template) for flag in flags]
        parts += [*before_lines(asked, template.text["imaging"]), template.text["footer"]]
        own = [item for item in suggested if item.red_flag in ids]
        suggestions = self._suggestions.write_all(own, stages.facts)
        return _Draft(
            template,
            summary,
            "\n\n".join(parts),
            max((flag.level for flag in flags), key=lambda level: level.rank),
            suggestions,
            red_flag_basis(flags, stages, offers(own, len(suggestions))),
        )

    def _red_flag_detail(self, flag: FiredRedFlag, template: Template) -> str:
        facts = "; ".join(fact_cell(fact, emphasis=True) for fact in flag.facts)
        return "\n\n".join(
            (
                template.text["facts"].format(because=flag.because),
                template.text["data"].format(facts=facts),
                template.text["action"].format(action=flag.red_flag.action),
                template.text["detail"].format(detail=flag.red_flag.detail),
                self._citations.line(flag.red_flag.cites),
            )
        )

    def _main_card(self, stages: Stages, suggested: list[WorkupItem], lines: list[str]) -> _Draft:
        """Return the one card that ranks, or says that nothing can be ranked yet."""
        templates = self._knowledge.templates
        words = self._details.words(stages.facts)
        candidates = [one for one in stages.ranking if one.is_candidate and not _is_hidden(one, stages)]
        if any(one.standing is Standing.LIKELY or not _is_lifestyle(one) for one in candidates):
            template = templates["differential"]
            summary = differential_summary(candidates, words.noun, template)
        elif any(item.order.kind in TESTS for item in suggested):
            template = templates["workup"]
            summary = workup_summary(suggested, words.noun, template)
        else:
            template = templates["insufficient-data"]
            summary = insufficient_summary(stages.workup, words.noun, template)
        summary = with_alarm(summary, stages, candidates, self._knowledge)
        detail = self._details.write(template, candidates, stages, words, lines)
        own = [item for item in suggested if item.red_flag is None]
        tests = [item for item in own if item.questionnaire is None]
        drafts = self._suggestions.write_all(tests, stages.facts)
        asked = [item for item in own if item.questionnaire is not None]
        offered = (*offers(tests, len(drafts)), *(item.order.id for item in asked))
        return _Draft(
            template,
            summary,
            detail,
            stages.level,
            [*drafts, *self._questions.write_all(asked, stages.facts)],
            main_basis(template.id, stages, candidates, offered),
            self._questions.links(own),
        )

    def _card(self, draft: _Draft, uuid: str, extension: dict[str, Any] | None) -> Card:
        return Card(
            uuid=uuid,
            summary=cut_to_summary(clean(draft.summary)),
            detail=draft.detail,
            indicator=self._critical_as if draft.level is Indicator.CRITICAL else draft.level,
            source=self._sources[draft.template.id],
            suggestions=tuple(draft.suggestions),
            selection_behavior=SelectionBehavior.ANY if draft.suggestions else None,
            override_reasons=self._reasons[draft.template.id],
            links=(*draft.links, *self._about),
            extension=extension,
        )


def _reasons(template: Template, knowledge: Knowledge) -> tuple[Coding, ...]:
    """Return the reasons for dismissing a kind of card: those that it names, else the general ones."""
    known = knowledge.override_reasons
    chosen = [known[name] for name in template.override_reasons if name in known]
    if not template.override_reasons:
        chosen = [one for one in known.values() if one.general]
    return tuple(
        Coding(system=reason.system, code=reason.code, display=reason.title)
        for reason in sorted(chosen, key=lambda one: one.place)
    )


def _plain(written: Written | None, level: Indicator, basis: CardBasis) -> list[_Draft]:
    """Return a card without suggestions, if there is one."""
    return [] if written is None else [_Draft(*written, level, [], basis)]


def _is_hidden(one: RankedCause, stages: Stages) -> bool:
    """A mere trigger is not shown beside a red flag, where it would reassure; a medicine as trigger is."""
    return bool(stages.red_flags) and _is_lifestyle(one)


def _is_lifestyle(one: RankedCause) -> bool:
    """Whether a cause is a trigger that is no medicine: while merely possible it never leads a card."""
    if one.cause.group != "trigger":
        return False
    return not any(is_medicine(fact) for argument in one.arguments_for for fact in argument.facts)
