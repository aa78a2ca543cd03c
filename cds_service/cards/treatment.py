"""The words of the treatment card and the drug-safety card; it offers nothing by itself and names no amount."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from cds_service.cards.markdown import clean, escape, table
from cds_service.cards.wording import fact_cell, is_measured, join, lower_first
from cds_service.model.definitions import Template
from cds_service.model.facts import Fact
from cds_service.model.treatments import NotedCaution, TreatmentOption, TreatmentPlan
from cds_service.model.trust import Source

TREATMENT, DRUG_SAFETY = "treatment", "drug-safety"


class Written(NamedTuple):
    """Summary and detail of one card."""

    template: Template
    summary: str
    detail: str


class TreatmentWriter:
    """Writes what a treatment plan asks for; it keeps nothing of a patient."""

    def __init__(self, templates: Mapping[str, Template], sources: Mapping[str, Source]) -> None:
        """Keep the words of both cards and the names of sources; content without the words shows no card."""
        self._names = {name: source.name for name, source in sources.items()}
        self._treatment = templates.get(TREATMENT)
        self._safety = templates.get(DRUG_SAFETY)

    def options_card(self, plan: TreatmentPlan) -> Written | None:
        """Return the treatment card, or None when there is nothing to consider."""
        if self._treatment is None or not plan.options:
            return None
        text = self._treatment.text
        steps = [one for one in plan.options if not one.treatment.medicine and one.is_offered]
        medicines = [one for one in plan.options if one.treatment.medicine and one.is_offered]
        parts = [text["opening"], *(self._step(one, text["sources"]) for one in steps)]
        if medicines:
            head = (text["column_option"], text["column_what"], text["column_cautions"])
            parts.append(table(head, [self._row(one, text) for one in medicines]))
        parts += self._ruled_out(plan.options, text, any_left=bool(medicines))
        parts += _taken_anyway(plan.options, text["taken_anyway"])
        parts.append(text["footer"])
        return Written(self._treatment, text["summary"], "\n\n".join(parts))

    def safety_card(self, plan: TreatmentPlan) -> Written | None:
        """Return the one card for all pairs that must not be overlooked, or None."""
        if self._safety is None or not plan.warnings:
            return None
        text = self._safety.text
        shorts = dict.fromkeys(
            _named(one.noted.caution.short or one.treatment.title, one.noted.facts, clean)
            for one in plan.warnings
        )
        parts = [*self.safety_lines(plan), text["footer"]]
        return Written(self._safety, text["summary"].format(names="; ".join(shorts)), "\n\n".join(parts))

    def safety_lines(self, plan: TreatmentPlan) -> list[str]:
        """Return the paragraphs of the drug-safety card, for a card that has to carry them."""
        if self._safety is None:
            return []
        line = self._safety.text["line"]
        return [
            line.format(
                title=one.treatment.title,
                text=_said(one.noted),
                facts=_facts((*one.active, *one.noted.facts)),
                names=self._named_sources([one.noted.caution.cites]),
            )
            for one in plan.warnings
        ]

    def _step(self, one: TreatmentOption, sources: str) -> str:
        title = f"**{one.treatment.title}{_added(one)}**"
        return " ".join([title, one.treatment.text, *_cautions(one.cautions), self._sources(one, sources)])

    def _row(self, one: TreatmentOption, text: Mapping[str, str]) -> tuple[str, ...]:
        title = f"{one.treatment.title}{_added(one)}"
        if one.active:
            title += f" · {text['taken'].format(facts=_facts(one.active))}"
        cautions = " · ".join([*_cautions(one.cautions), self._sources(one, text["sources"])])
        return title, one.treatment.text, cautions

    def _sources(self, one: TreatmentOption, line: str) -> str:
        """Return the names of all sources behind an option and what is said beside it."""
        cited = [*one.treatment.cites, *(noted.caution.cites for noted in one.cautions)]
        return line.format(names=self._named_sources(cited))

    def _named_sources(self, cited: Iterable[str]) -> str:
        return join(self._names[name] for name in cited)

    def _ruled_out(
        self, options: Iterable[TreatmentOption], text: Mapping[str, str], *, any_left: bool
    ) -> list[str]:
        """Return one line for each reason, with the options that it takes off and its source.

        Without any medicine left, only what takes all of them off is said, and none is named.
        """
        reasons: dict[tuple[str, str], list[str]] = {}
        for one in options:
            for noted in one.ruled_out:
                reason = " ".join(_cautions([noted])), self._named_sources([noted.caution.cites])
                reasons.setdefault(reason, []).append(lower_first(one.treatment.title))
        least = 1 if any_left else max(map(len, reasons.values()), default=0)
        line = text["ruled_out" if any_left else "no_medicine"]
        return [
            line.format(names=join(names), because=because, title=cited)
            for (because, cited), names in reasons.items()
            if len(names) >= least
        ]


def remark_lines(plan: TreatmentPlan) -> list[str]:
    """Return the lines about treatment that stand on the main card, each once."""
    return [*dict.fromkeys(remark.text for remark in plan.remarks)]


def _added(one: TreatmentOption) -> str:
    return "" if one.treatment.in_source_document else " (added)"


def _cautions(cautions: Iterable[NotedCaution]) -> list[str]:
    """Return what is said beside an option, what this chart asks for first; a fact is shown once."""
    told: set[Fact] = set()
    words = []
    for one in sorted(cautions, key=lambda each: (not each.facts, each.known)):
        facts = _facts(fact for fact in one.facts if fact not in told)
        told.update(one.facts)
        words.append(f"{_said(one).rstrip('.')} ({facts})." if facts else _said(one))
    return words


def _taken_anyway(options: Iterable[TreatmentOption], line: str) -> list[str]:
    """Return what must be known about a medicine that is taken although it would not be offered."""
    return [
        line.format(
            title=one.treatment.title, facts=_facts(one.active), text=" ".join(_cautions(one.cautions))
        )
        for one in options
        if one.active and not one.is_offered
    ]


def _said(one: NotedCaution) -> str:
    return _named(one.words, one.facts, escape)


def _named(words: str, facts: Iterable[Fact], safely: Callable[[str], str]) -> str:
    """Return `words` with what the facts are called in the place that is kept for it."""
    return words.replace("{what}", join(safely(fact.what) for fact in facts))


def _facts(facts: Iterable[Fact]) -> str:
    """Return facts in words; of what is known of the person only numbers are worth repeating."""
    shown = (
        fact_cell(fact, emphasis=True)
        for fact in facts
        if is_measured(fact) or not (fact.reference or "").startswith("Patient/")
    )
    return "; ".join(dict.fromkeys(shown))
