"""Finds the results of each lab among the Observations, by code or else by words; it reads no value."""

from __future__ import annotations

from decimal import Decimal

import msgspec

from cds_service.fhir.dates import read_when
from cds_service.fhir.notebook import Placed
from cds_service.fhir.quantities import quantity_in
from cds_service.fhir.resources import Intake
from cds_service.fhir.shapes import Category, CodeableConcept, Component, Quantity, Resource
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.fhir.words import category_codes

_LABORATORY = frozenset({"laboratory", "lab"})
_NO_LABORATORY = frozenset(
    {"exam", "social-history", "vital-signs", "imaging", "survey", "procedure", "therapy", "activity"}
)
_AMBIGUOUS = "Send a LOINC code; the words name more than one measurement."


class Result(msgspec.Struct, frozen=True, gc=False):
    """One value of an Observation, with its place; nothing of it has been read yet."""

    lab: str
    part: Resource | Component
    placed: Placed
    inner: str = ""
    by_text: bool = False

    @property
    def whole(self) -> Resource:
        """The Observation."""
        return self.placed.resource

    @property
    def path(self) -> str:
        """Where the value stands."""
        return self.placed.path + self.inner

    @property
    def status(self) -> str:
        """The status as a bare lower-case word; empty when there is none."""
        return (self.whole.status or "").strip().lower()


def results_by_lab(
    vocabulary: Vocabulary, intake: Intake, others: list[Placed]
) -> dict[str, list[tuple[str, Result]]]:
    """Return by lab every result with its day as written, which sorts like the date.

    Observations that are no result of a known lab are laid aside in `others`.
    """
    found: dict[str, list[tuple[str, Result]]] = {}
    days: dict[str, str] = {}
    names = vocabulary.lab_codes.names
    lonely: dict[tuple[str | None, str | None], tuple[frozenset[str], bool]] = {}
    for placed in intake.of("Observation"):
        resource = placed.resource
        labs, has_words = _means(resource.code, vocabulary, lonely)
        if labs:
            day = _day(resource, days)
            for lab in labs:
                results = found.get(lab)
                if results is None:
                    results = found[lab] = []
                results.append((day, Result(lab, resource, placed)))
        else:
            _note_unnamed(intake, placed)
            lab_in_words = _in_words(vocabulary, intake, resource, placed, "") if has_words else None
            if lab_in_words is None:
                others.append(placed)
            else:
                result = Result(lab_in_words, resource, placed, by_text=True)
                found.setdefault(lab_in_words, []).append((_day(resource, days), result))
        if resource.component:
            for place, component in enumerate(resource.component):
                inner = f".component[{place}]"
                for lab in names(component.code):
                    result = Result(lab, component, placed, inner)
                    found.setdefault(lab, []).append((_day(resource, days), result))
                if not labs and (lab := _in_words(vocabulary, intake, component, placed, inner) or ""):
                    result = Result(lab, component, placed, inner, by_text=True)
                    found.setdefault(lab, []).append((_day(resource, days), result))
    return found


def _note_unnamed(intake: Intake, placed: Placed) -> None:
    """Note an Observation, or a part of one, that has a value and does not say of what."""
    resource = placed.resource
    if resource.code is not None or _has_value(resource) or resource.component:
        intake.is_named(placed, "code", resource.code)
    if resource.component:
        for place, component in enumerate(resource.component):
            intake.is_named(placed, f"component[{place}].code", component.code)


def _has_value(part: Resource | Component) -> bool:
    return not (
        part.value_quantity is None
        and part.value_string is None
        and part.value_codeable_concept is None
        and part.value_integer is None
    )


def _means(
    concept: CodeableConcept | None,
    vocabulary: Vocabulary,
    lonely: dict[tuple[str | None, str | None], tuple[frozenset[str], bool]],
) -> tuple[frozenset[str], bool]:
    """Return the labs that the codes of a concept mean, and whether its words may mean one.

    A long record repeats a few codes a thousand times: what a code says that stands alone is kept in `lonely`.
    """
    codings = concept.coding if concept is not None else None
    if concept is None or not codings or len(codings) > 1:
        return vocabulary.lab_codes.names(concept), True
    key = (codings[0].system, codings[0].code)
    meant = lonely.get(key)
    if meant is None:
        meant = vocabulary.lab_codes.names(concept), vocabulary.may_be_named_in_words(concept)
        lonely[key] = meant
    return meant


def _in_words(
    vocabulary: Vocabulary, intake: Intake, part: Resource | Component, placed: Placed, inner: str
) -> str | None:
    """Return the one lab that the words of a value with a number name, where no code tells what it is."""
    concept: CodeableConcept | None = part.code
    if concept is None or not vocabulary.may_be_named_in_words(concept):
        return None
    if stated_quantity(part) is None or not _may_be_laboratory(placed.resource.category):
        return None
    labs = vocabulary.labs_in_words(concept)
    if len(labs) > 1:
        intake.note("information", "lab-ambiguous", f"{placed.path}{inner}.code", _AMBIGUOUS)
    return next(iter(labs)) if len(labs) == 1 else None


def stated_quantity(part: Resource | Component) -> Quantity | None:
    """Return the number of a value: of valueQuantity, else what valueInteger or the whole of valueString says."""
    quantity = part.value_quantity
    if quantity is not None:
        return quantity
    if part.value_integer is not None:
        return Quantity(value=Decimal(part.value_integer))
    return quantity_in(part.value_string) if part.value_string is not None else None


def _may_be_laboratory(category: list[Category | str] | Category | str | None) -> bool:
    codes = {code.strip().lower() for code in category_codes(category)}
    return bool(codes & _LABORATORY) or not codes & _NO_LABORATORY


def is_dated(resource: Resource) -> bool:
    """Whether an Observation says in any form when it was made, be it a date or not."""
    return any(_dates(resource))


def _dates(resource: Resource) -> tuple[str | None, ...]:
    """Return what an Observation says of when it was made, the time of the sample first."""
    period = resource.effective_period
    span = (period.end or period.start) if period else None
    return resource.effective_date_time, resource.effective_instant, span, resource.issued


def _day(resource: Resource, days: dict[str, str]) -> str:
    """Return the day of a result as written; those that have none come last.

    `days` keeps what was found to be one: the results of a sample share it.
    """
    day = days.get((resource.effective_date_time or "")[:10])
    if day:  # the usual case, and cheap
        return day
    for written in _dates(resource):
        if written:
            start = written[:10]
            day = days.get(start)
            if day is None:
                day = days[start] = start if read_when(start) is not None else ""
            if day:
                return day
    return ""
