"""The few FHIR elements that are read, as lean structs; what is not named here is skipped while decoding.

One flat `Resource` serves every type, because the type of a prefetch value is only known from its content and a
tagged union would refuse a whole message for one unknown type. Unions take in the versions and mistakes of FHIR.
"""

from __future__ import annotations

from decimal import Decimal

import msgspec


class Shape(msgspec.Struct, gc=False, rename="camel", omit_defaults=True):
    """A part of a resource; every element is optional."""


class Coding(Shape, gc=False):
    """A code."""

    system: str | None = None
    code: str | None = None
    display: str | None = None


class CodeableConcept(Shape, gc=False):
    """Codes and a text for one thing."""

    coding: list[Coding] | None = None
    text: str | None = None
    concept: CodeableConcept | None = None  # R5 wraps some codes once more (`ServiceRequest.code`)


class CategoryCode(Shape, gc=False):
    """The code of a category; only the code is ever read."""

    code: str | None = None


class Category(Shape, gc=False):
    """What kind of Observation it is."""

    coding: list[CategoryCode] | None = None
    text: str | None = None


class Reference(Shape, gc=False):
    """A reference to another resource."""

    reference: str | None = None
    display: str | None = None


class CodeableReference(Shape, gc=False):
    """R5's `medication`: a concept or a reference; in DSTU2 an ingredient is a bare reference."""

    concept: CodeableConcept | None = None
    reference: Reference | str | None = None


class DeviceReference(Shape, gc=False):
    """Which device was used: a reference, wrapped once more in R5."""

    reference: Reference | str | None = None


class Quantity(Shape, gc=False):
    """A number with a unit; numbers in strings are read as numbers."""

    value: Decimal | None = None
    comparator: str | None = None
    unit: str | None = None
    system: str | None = None
    code: str | None = None


class Ingredient(Shape, gc=False):
    """What a Medication contains; R5 says `item`."""

    item_codeable_concept: CodeableConcept | None = None
    item: CodeableReference | None = None


class Product(Shape, gc=False):
    """What a Medication of DSTU2 is made of."""

    ingredient: list[Ingredient] | None = None


class Adherence(Shape, gc=False):
    """R5's word for whether a medicine is taken."""

    code: CodeableConcept | None = None


class Event(Shape, gc=False):
    """Something that happened to a DiagnosticOrder of DSTU2."""

    date_time: str | None = None


class Period(Shape, gc=False):
    """A time span."""

    start: str | None = None
    end: str | None = None


class ReferenceRange(Shape, gc=False):
    """A laboratory's range."""

    low: Quantity | None = None
    high: Quantity | None = None
    text: str | None = None
    type: CodeableConcept | None = None
    meaning: CodeableConcept | None = None  # what DSTU2 calls the type


class Component(Shape, gc=False):
    """One part of an Observation."""

    code: CodeableConcept | None = None
    value_quantity: Quantity | None = None
    value_string: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_integer: int | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    reference_range: list[ReferenceRange] | None = None
    data_absent_reason: CodeableConcept | None = None


class FamilyCondition(Shape, gc=False):
    """A condition of a relative."""

    code: CodeableConcept | None = None


class Repeat(Shape, gc=False):
    """How often and how long; only the span is read."""

    bounds_period: Period | None = None


class Timing(Shape, gc=False):
    """When a medicine is taken."""

    repeat: Repeat | None = None


class Dosage(Shape, gc=False):
    """Directions for a medicine; only their span is read, never an amount."""

    timing: Timing | None = None


class Answer(Shape, gc=False):
    """One answer to a question, in one of the forms that FHIR gives it."""

    value_boolean: bool | None = None
    value_coding: Coding | None = None
    value_string: str | None = None
    value_integer: int | None = None
    value_decimal: Decimal | None = None
    value_date: str | None = None
    value_date_time: str | None = None
    value_quantity: Quantity | None = None
    item: list[QuestionnaireItem] | None = None
    group: list[QuestionnaireItem] | None = None


class QuestionnaireItem(Shape, gc=False):
    """A question that was answered, or a group of them; DSTU2 tells `group` and `question` apart."""

    link_id: str | None = None
    answer: list[Answer] | None = None
    item: list[QuestionnaireItem] | None = None
    group: list[QuestionnaireItem] | None = None
    question: list[QuestionnaireItem] | None = None
    code: list[CodeableConcept] | CodeableConcept | None = None  # what a DiagnosticOrder of DSTU2 asks for


class Link(Shape, gc=False):
    """A link of a Bundle."""

    relation: str | None = None
    url: str | None = None


class Entry(Shape, gc=False):
    """An entry of a Bundle."""

    full_url: str | None = None
    resource: Resource | None = None


class Observation(Shape, gc=False):
    """What is read of an Observation; by far most resources of a long record are one."""

    resource_type: str | None = None
    id: str | None = None
    status: str | None = None
    category: list[Category | str] | Category | str | None = None
    code: CodeableConcept | None = None
    subject: Reference | None = None
    patient: Reference | None = None
    effective_date_time: str | None = None
    issued: str | None = None
    value_quantity: Quantity | None = None
    effective_period: Period | None = None
    effective_instant: str | None = None
    value_string: str | None = None
    value_codeable_concept: CodeableConcept | None = None
    value_integer: int | None = None
    value_boolean: bool | None = None
    interpretation: list[CodeableConcept] | CodeableConcept | None = None
    reference_range: list[ReferenceRange] | None = None
    component: list[Component] | None = None
    specimen: Reference | None = None
    data_absent_reason: CodeableConcept | None = None
    device: DeviceReference | None = None


class Resource(Observation, gc=False):
    """Any resource. Which elements mean something depends on `resource_type`."""

    # Condition
    clinical_status: CodeableConcept | str | None = None
    verification_status: CodeableConcept | str | None = None
    onset_date_time: str | None = None
    onset_period: Period | None = None
    abatement_date_time: str | None = None
    abatement_period: Period | None = None
    abatement_string: str | None = None
    abatement_boolean: bool | None = None
    recorded_date: str | None = None
    asserted_date: str | None = None
    # MedicationRequest, MedicationStatement, ServiceRequest, Procedure
    intent: str | None = None
    priority: CodeableConcept | str | None = None
    do_not_perform: bool | None = None
    authored_on: str | None = None
    date_asserted: str | None = None
    medication_codeable_concept: CodeableConcept | None = None
    medication_reference: Reference | None = None
    medication: CodeableReference | None = None
    occurrence_date_time: str | None = None
    dosage_instruction: list[Dosage] | None = None
    dosage: list[Dosage] | None = None
    performed_date_time: str | None = None
    performed_period: Period | None = None
    # Patient, FamilyMemberHistory
    birth_date: str | None = None
    gender: str | None = None
    relationship: CodeableConcept | None = None
    condition: list[FamilyCondition] | None = None
    # QuestionnaireResponse
    questionnaire: Reference | str | None = None
    authored: str | None = None
    item: list[QuestionnaireItem] | None = None
    # Bundle and containers
    type: CodeableConcept | list[CodeableConcept] | str | None = None
    entry: list[Entry] | None = None
    link: list[Link] | None = None
    total: int | None = None
    contained: list[Resource] | None = None
    # What other versions than R4 call these things
    date_recorded: str | None = None
    date_written: str | None = None
    date_ended: str | None = None
    onset_string: str | None = None
    onset_age: Quantity | None = None
    taken: str | None = None
    was_not_taken: bool | None = None
    adherence: Adherence | None = None
    not_done: bool | None = None
    not_performed: bool | None = None
    occurrence_period: Period | None = None
    substance: CodeableConcept | None = None
    ingredient: list[Ingredient] | None = None
    event: list[Event] | None = None
    product: Product | None = None
    group: QuestionnaireItem | None = None
    service_requested: list[CodeableConcept] | CodeableConcept | None = None
    ordered_on: str | None = None
    date: str | None = None
    timing_period: Period | None = None
    when_used: Period | None = None
    effective_time_date_time: str | None = None
    effective_time_period: Period | None = None
    occurence_date_time: str | None = None  # R5 spells it so for a MedicationAdministration
    occurence_period: Period | None = None
    not_given: bool | None = None
    was_not_given: bool | None = None
