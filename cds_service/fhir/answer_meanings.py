"""Says what the answers to one question mean, by the content; what cannot be read leaves the question open.

What a patient says is marked as such wherever it is shown, and a denial is kept apart from silence.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from decimal import Decimal
from typing import NamedTuple

from cds_service.fhir.answers import chosen, day, free_words, number, truth
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import Answer, CodeableConcept
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.model.facts import (
    BY_PATIENT,
    Answered,
    Examination,
    Fact,
    Medication,
    RecordedCondition,
    Relative,
    SocialAmount,
    When,
)
from cds_service.model.questionnaires import NO, YES, AnswerOption, QuestionItem

BY_CLINICIAN = "by questionnaire"
_LONGEST_WORDS = 120
_MOST_MEDICINES = 50
_BETWEEN_MEDICINES = re.compile(r"[,;+&\n]|\band\b", re.IGNORECASE)
_ENDED = re.compile(r"\b(?:stopp?(?:ed|ing)|ended|finished|discontinued|quit|came off|off)\b", re.IGNORECASE)


class Asked(NamedTuple):
    """One question that was answered: where the answer stands, when it was given, the system of its codes."""

    item: QuestionItem
    path: str
    reference: str | None
    when: When | None
    system: str

    def fact(
        self, what: str, value: str | None = None, unit: str | None = None, *, by_text: bool = False
    ) -> Fact:
        """Return a fact of this answer, dated and marked with who says so."""
        return Fact(
            what=what[:_LONGEST_WORDS],
            reference=self.reference,
            value=value,
            unit=unit,
            on=self.when.text if self.when else None,
            by_text=by_text,
            note=BY_CLINICIAN if self.item.by_clinician else BY_PATIENT,
        )

    @property
    def words(self) -> str:
        """How a card names what is asked for."""
        return self.item.words or self.item.text


class AnswerMeanings:
    """Everything that the answers of one request mean."""

    def __init__(self, vocabulary: Vocabulary, intake: Intake, as_of: date) -> None:
        """Keep what is needed to read; nothing is known yet."""
        self._vocabulary = vocabulary
        self._intake = intake
        self._as_of = as_of
        self._told: dict[str, tuple[str, ...]] = {}
        self.answers: dict[str, Answered] = {}
        self.history: dict[str, tuple[bool, Fact]] = {}
        self.denied: dict[str, Fact] = {}
        self.conditions: list[RecordedCondition] = []
        self.medications: list[Medication] = []
        self.examinations: list[Examination] = []
        self.habits: list[SocialAmount] = []
        self.relatives: list[Relative] = []
        self.onset: When | None = None

    def add(self, asked: Asked, answers: list[Answer]) -> None:
        """Enter what the answers to one question mean; those that cannot be read are noted."""
        kind = asked.item.type
        if kind == "boolean":
            self._add_truth(asked, truth(answers))
        elif kind in {"choice", "open-choice"}:
            self._add_choice(asked, answers)
        elif kind in {"integer", "decimal"}:
            self._add_number(asked, number(asked.item, answers))
        elif kind == "date":
            self._add_day(asked, day(answers))
        elif kind == "text":
            self._add_text(asked, free_words(answers))

    def _answer(self, asked: Asked, fact: Fact, *codes: str) -> None:
        self.answers[asked.item.link] = Answered(codes=frozenset(codes), fact=fact)

    def _add_truth(self, asked: Asked, told: bool | None) -> None:  # noqa: FBT001 - the answer itself
        if told is None:
            self._intake.note("warning", "answer-not-understood", asked.path, "Answer yes or no.")
            return
        item = asked.item
        fact = asked.fact(asked.words if told else f"no {asked.words}", YES if told else NO)
        self._answer(asked, fact, YES if told else NO)
        if item.says is not None:
            self._say(item.says, fact, is_said=told)
        if told:
            self._add_signs(asked, (*item.signs, *item.also), fact)
        else:
            self._deny((*item.signs, *item.denies), fact)

    def _add_choice(self, asked: Asked, answers: list[Answer]) -> None:
        item = asked.item
        options = chosen(item, answers, asked.system)
        if options is None:
            words = free_words(answers)
            if item.type == "open-choice" and words:
                self._answer(asked, asked.fact(words))
            else:
                remedy = "Choose one of the answers that are offered."
                self._intake.note("warning", "answer-not-understood", asked.path, remedy)
            return
        facts = {option.code: asked.fact(option.words or option.display) for option in options}
        first = facts[options[0].code]
        self._answer(asked, first, *facts)
        if not any(option.tells_nothing for option in options):
            for one in item.options:
                if one.says is not None:
                    self._say(one.says, facts.get(one.code, first), is_said=one.code in facts)
        for option in options:
            self._add_option(asked, option, facts[option.code])

    def _add_option(self, asked: Asked, option: AnswerOption, fact: Fact) -> None:
        self._add_signs(asked, option.signs, fact)
        self._told[asked.item.link] = (*self._told.get(asked.item.link, ()), *option.signs)
        self._deny(option.denies, fact)
        if option.family:
            self.relatives.append(Relative(value_sets=frozenset(option.family), fact=fact))
        part = asked.item.examination
        if option.finds is not None and part is not None:
            found = asked.fact(f"{part} on examination", option.finds)
            self.examinations.append(Examination(part=part, result=option.finds, fact=found, on=asked.when))

    def _add_number(self, asked: Asked, value: Decimal | str) -> None:
        item = asked.item
        if isinstance(value, str):
            self._intake.note("warning", value, asked.path, f"Send {item.unit or 'a number'} as asked.")
            return
        fact = asked.fact(item.habit or asked.words, format(value, "f"), item.unit)
        self._answer(asked, fact)
        if item.habit is not None:
            self.habits.append(SocialAmount(item=item.habit, amount=value, fact=fact))
        if item.signs_from is not None and value >= item.signs_from:
            self._add_signs(asked, item.signs, fact)
        if item.weeks_of is not None:
            self._add_signs(asked, self._told.get(item.weeks_of, ()), fact, _weeks_before(asked.when, value))

    def _add_day(self, asked: Asked, when: When | None) -> None:
        if when is None or when.earliest > self._as_of:
            self._intake.note("warning", "answer-not-understood", asked.path, "Send a date that has passed.")
            return
        fact = asked.fact(asked.words, when.text)
        self._answer(asked, fact)
        self._add_signs(asked, asked.item.signs, fact, when)
        if asked.item.onset:
            self.onset = when

    def _add_text(self, asked: Asked, words: str) -> None:
        text = self._intake.bounded(words, asked.path)
        if not text:
            self._intake.note("warning", "answer-not-understood", asked.path, "Answer with a text.")
            return
        self._answer(asked, asked.fact(text))
        if asked.item.medicines_within_days is not None:
            for part in _BETWEEN_MEDICINES.split(text)[:_MOST_MEDICINES]:
                self._add_medicine(asked, part)
            named = self._vocabulary.problem_text.find(text)
            signs = frozenset(name for name in named if not name.startswith(PRESENTATION))
            self._add_signs(asked, signs, asked.fact(text, by_text=True))

    def _add_medicine(self, asked: Asked, words: str) -> None:
        """Add a medicine that is named, begun in the time that was asked for, or ended where it is said to have."""
        concept = CodeableConcept(text=" ".join(_ENDED.sub(" ", words).split()))
        sets, name, _by_text = self._vocabulary.medicine_names(concept)
        if not sets:
            return
        is_over = _ENDED.search(words) is not None
        fact = asked.fact(name, "stopped" if is_over else "active", by_text=True)
        span = _days_before(asked.when, asked.item.medicines_within_days or 0)
        self.medications.append(
            Medication(
                value_sets=sets,
                name=name,
                active=not is_over,
                started=None if is_over else span,
                ended=span if is_over else None,
                fact=fact,
            )
        )

    def _add_signs(
        self, asked: Asked, signs: Sequence[str] | frozenset[str], fact: Fact, onset: When | None = None
    ) -> None:
        if signs:
            sets = frozenset(signs)
            self.conditions.append(
                RecordedCondition(
                    value_sets=sets,
                    by_text=sets if fact.by_text else frozenset(),
                    fact=fact,
                    active=True,
                    firm=True,
                    onset=onset,
                    recorded=asked.when,
                )
            )

    def _say(self, word: str, fact: Fact, *, is_said: bool) -> None:
        """Keep what is said; several answers can say one thing, and none takes back what another says."""
        if is_said or word not in self.history:
            self.history[word] = is_said, fact

    def _deny(self, signs: Sequence[str], fact: Fact) -> None:
        for name in signs:
            self.denied.setdefault(name, fact)


def _days_before(when: When | None, days: int) -> When | None:
    """Return some day of the last `days` before an answer; None where nobody knows when it was given."""
    if when is None:
        return None
    return When(when.text, when.earliest - timedelta(days=days), when.latest)


def _weeks_before(when: When | None, weeks: Decimal) -> When | None:
    """Return the day that lies so many full weeks before an answer, as precise as weeks are."""
    if when is None:
        return None
    days = int(weeks * 7)
    first, last = when.earliest - timedelta(days=days + 6), when.latest - timedelta(days=days)
    return When(last.isoformat(), first, last)
