"""What a questionnaire asks and what its answers mean, as frozen types; no answer of any patient stands here."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal

import msgspec

from cds_service.model.trust import Definition, Review

CANONICAL = "https://spasm-cds.org/fhir/Questionnaire/"
"""What every canonical address begins with; it names the questionnaire wherever a copy of it is kept."""

YES, NO = "yes", "no"
"""The codes of the two answers to a boolean question."""


class AnswerOption(msgspec.Struct, frozen=True, kw_only=True):
    """One answer that can be chosen. `words` is how a card says it, `finds` the result of an examination.

    `signs` are then there and `denies` are not; `family` stands for a relative. `says` yields a finding
    `history-says-<says>`, which is absent when the question was answered otherwise, unless the answer is one that
    `tells_nothing`, such as not being sure.
    """

    code: str
    display: str
    words: str | None = None
    signs: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    family: tuple[str, ...] = ()
    says: str | None = None
    finds: str | None = None
    tells_nothing: bool = False


class OnlyIf(msgspec.Struct, frozen=True, kw_only=True):
    """The question is asked only where another one was answered in one of these ways."""

    link: str
    answers: tuple[str, ...]


class AskedOf(msgspec.Struct, frozen=True, kw_only=True):
    """Whom a question concerns; who is not known to be somebody else is asked."""

    sex: str | None = None
    age_at_least: int | None = None
    age_below: int | None = None


class KnownBy(msgspec.Struct, frozen=True, kw_only=True):
    """What in the record answers the question already, beside the facts that its own answer would give."""

    findings: tuple[str, ...] = ()
    value_sets: tuple[str, ...] = ()


class QuestionItem(msgspec.Struct, frozen=True, kw_only=True):
    """A question, or a group of them. `link` is its FHIR linkId and never changes.

    For a boolean, `signs` and `also` are there after yes; after no neither `signs` nor `denies` are. Of a number the
    signs are there from `signs_from` on. `habit` and `examination` name what an amount or a result is of, `onset`
    dates the presentation, `weeks_of` dates in weeks what another question told. Medicines that a text names were
    begun or ended within `medicines_within_days` before the answer.
    """

    link: str
    text: str
    type: str
    words: str | None = None
    repeats: bool = False
    options: tuple[AnswerOption, ...] = ()
    signs: tuple[str, ...] = ()
    also: tuple[str, ...] = ()
    denies: tuple[str, ...] = ()
    says: str | None = None
    signs_from: Decimal | None = None
    weeks_of: str | None = None
    habit: str | None = None
    unit: str | None = None
    least: Decimal | None = None
    most: Decimal | None = None
    examination: str | None = None
    onset: bool = False
    medicines_within_days: int | None = None
    by_clinician: bool = False
    known_by: KnownBy = KnownBy()
    asked_of: AskedOf | None = None
    only_if: OnlyIf | None = None
    items: tuple[QuestionItem, ...] = ()

    @property
    def is_group(self) -> bool:
        """Whether it only holds questions together."""
        return self.type == "group"


class Questionnaire(Definition, frozen=True, kw_only=True):
    """A set of questions. `order` is what offers it; answers speak for `fresh_days`."""

    name: str
    description: str
    order: str
    fresh_days: int
    cites: tuple[str, ...]
    items: tuple[QuestionItem, ...]
    review: Review

    @property
    def url(self) -> str:
        """The canonical address."""
        return CANONICAL + self.id

    @property
    def answer_system(self) -> str:
        """The code system of the answers that can be chosen."""
        return f"{CANONICAL.replace('/Questionnaire/', '/CodeSystem/')}{self.id}-answers"

    def every_item(self) -> Iterator[QuestionItem]:
        """Yield every group and question, each before what it holds."""
        yield from _every(self.items)


def _every(items: tuple[QuestionItem, ...]) -> Iterator[QuestionItem]:
    for item in items:
        yield item
        yield from _every(item.items)
