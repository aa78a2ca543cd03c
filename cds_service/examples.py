"""Gate four: runs every example of the content through the real reading and reasoning; it invents no example."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import msgspec

from cds_service.engine.findings import FindingBook
from cds_service.engine.ranking import prepared, weigh
from cds_service.engine.treatment import summary_of
from cds_service.fhir.dates import read_when
from cds_service.fhir.envelope import HookContext, HookRequest
from cds_service.fhir.reader import read_facts
from cds_service.fhir.resources import KIND_OF_KEY
from cds_service.fhir.shapes import CodeableConcept, Coding, Entry, Quantity, ReferenceRange, Resource
from cds_service.fhir.vocabulary import PRESENTATION, Vocabulary
from cds_service.model.decision import NotAssessed
from cds_service.model.definitions import Cause, Definition, Knowledge, Lab, RedFlag, Rule
from cds_service.model.facts import (
    Allergy,
    Examination,
    Fact,
    Medication,
    PatientFacts,
    RecordedCondition,
    RecordedPresentation,
    Relative,
    SocialAmount,
)
from cds_service.model.faults import Fault
from cds_service.model.findings import State
from cds_service.model.parts import CodeRow
from cds_service.model.treatments import Treatment
from cds_service.pipeline import Reasoner

AS_OF = datetime(2026, 6, 15, 10, tzinfo=UTC)
"""The moment at which every example stands."""
_DEFAULT_DATE = "2026-06-14"
_ALL_KINDS = frozenset(KIND_OF_KEY.values())
_DEFAULT_AGE = 50


def example_faults(knowledge: Knowledge) -> list[Fault]:
    """Return a fault for every example whose result is not the expected one."""
    return [*Examples(Reasoner(knowledge)).faults()]


class Examples:
    """The examples of one knowledge, run through the reasoner that was made of it."""

    def __init__(self, reasoner: Reasoner) -> None:
        """Keep the reasoner."""
        self._reasoner = reasoner
        self._knowledge = reasoner.knowledge

    def faults(self) -> Iterator[Fault]:
        """Yield a fault for every example of every definition that does not hold."""
        knowledge = self._knowledge
        for folder, definitions in (
            ("presentations", knowledge.presentations),
            ("value_sets", knowledge.value_sets),
            ("labs", knowledge.labs),
            ("rules", knowledge.rules),
            ("red_flags", knowledge.red_flags),
            ("causes", knowledge.causes),
            ("treatments", knowledge.treatments),
        ):
            for definition in definitions.values():
                for place, text in self.differences(definition):
                    yield Fault(
                        f"{folder}/{definition.id}.yaml",
                        1,
                        f"examples[{place}]",
                        "example",
                        text,
                        "Correct the definition or the example.",
                    )

    def differences(self, definition: Definition) -> Iterator[tuple[int, str]]:
        """Yield (place, what came instead) for every example of one definition that does not hold."""
        for place, example in enumerate(getattr(definition, "examples", ())):
            got = self._got(definition, example)
            if got is not None:
                yield place, f"{example['name']!r}: {got}."

    def _got(self, definition: Definition, example: Mapping[str, Any]) -> str | None:
        """Return what differs from the expectation, or None."""
        if isinstance(definition, Lab):
            return self._lab_difference(definition, example)
        if isinstance(definition, Cause):
            return self._cause_difference(definition, example)
        if isinstance(definition, Treatment):
            return self._treatment_difference(definition, example)
        if isinstance(definition, RedFlag):
            return self._red_flag_difference(definition, example)
        if isinstance(definition, Rule):
            book = self._book(example["given"], frozenset(example["given"].get("not_received", ())))
            got = book.outcome(definition.id)[0].value
        else:
            got = self._word(definition.id, example)
        return None if got == example["expect"] else f"expected {example['expect']}, came {got}"

    def _word(self, name: str, example: Mapping[str, Any]) -> str:
        vocabulary = self._reasoner.vocabulary
        concept = CodeableConcept(text=example.get("text"))
        if "code" in example:
            concept = CodeableConcept(coding=[Coding(**example["code"])])
        found = vocabulary.medicine_names(concept)[0] | vocabulary.problem_codes.names(concept)
        found |= vocabulary.problem_text.find(concept.text)
        return "present" if name in found or PRESENTATION + name in found else "absent"

    def _lab_difference(self, lab: Lab, example: Mapping[str, Any]) -> str | None:
        given = example["given"]
        results = [{**given, "lab": lab.id}] if "value" in given else []
        facts = {
            "labs": [*results, *given.get("with", ())],
            "age": given.get("age", _DEFAULT_AGE),
            "findings": given.get("findings", {}),
            **{name: given[name] for name in ("sex", "onset") if name in given},
        }
        book = self._book(facts, frozenset())
        differences = [
            f"{finding} is {state.value}, not {wanted}"
            for wanted, findings in example["expect"].items()
            for finding in findings
            if (state := book.outcome(finding)[0]).value != wanted
        ]
        return "; ".join(differences) or None

    def _red_flag_difference(self, flag: RedFlag, example: Mapping[str, Any]) -> str | None:
        """Compare level and, where an example names it, which of the levels fired: two may bear the same word."""
        book = self._book({"findings": example["given"]}, _ALL_KINDS, age=None)
        fired = next((one for one in self._reasoner.red_flags.fire(book) if one.red_flag.id == flag.id), None)
        got = fired.level.value if fired else "none"
        if got != example["expect"]:
            return f"expected {example['expect']}, came {got}"
        wanted = example.get("level")
        if (
            wanted is None
            or fired is None
            or [fired.because] == [level.because for level in flag.levels[wanted : wanted + 1]]
        ):
            return None
        return f"another level fired than number {wanted}"

    def _cause_difference(self, cause: Cause, example: Mapping[str, Any]) -> str | None:
        presenting = example.get("presenting", [cause.presentations[0]])
        book = self._book({"findings": example["given"], "presenting": presenting}, _ALL_KINDS, age=None)
        weighed = weigh(cause, prepared(cause)[2], book)
        standing = "not-assessed" if isinstance(weighed, NotAssessed) else weighed.standing.value
        expected = example["expect"]
        if standing != expected["standing"]:
            return f"expected {expected['standing']}, came {standing}"
        lacking = [finding for finding in expected.get("missing", ()) if finding not in weighed.missing]
        return f"not among the missing: {', '.join(lacking)}" if lacking else None

    def _treatment_difference(self, treatment: Treatment, example: Mapping[str, Any]) -> str | None:
        book = self._book({"findings": example["given"]}, _ALL_KINDS, age=None)
        got = summary_of(treatment, book)
        wanted = {member: [] if member != "outcome" else "" for member in got} | example["expect"]
        found = (
            f"{name} {_words(got[name])}, not {_words(wanted[name])}"
            for name in got
            if sorted(got[name]) != sorted(wanted[name])
        )
        return "; ".join(found) or None

    def _book(
        self, given: Mapping[str, Any], not_received: frozenset[str], age: int | None = _DEFAULT_AGE
    ) -> FindingBook:
        facts = build_facts(given, self._reasoner.vocabulary, self._knowledge, not_received, age)
        states = {name: State(state) for name, state in given.get("findings", {}).items()}
        return FindingBook(self._reasoner.findings, facts, AS_OF.date(), states, now=AS_OF)


def _words(value: str | list[str]) -> str:
    return value if isinstance(value, str) else ", ".join(value) or "none"


def build_facts(
    given: Mapping[str, Any],
    vocabulary: Vocabulary,
    knowledge: Knowledge,
    not_received: frozenset[str] = frozenset(),
    age: int | None = _DEFAULT_AGE,
) -> PatientFacts:
    """Return the facts of one example; results go through the real reading of Observations."""
    request = HookRequest(
        hook="example",
        hook_instance="example",
        context=HookContext("example", "Practitioner/example", None, None),
        prefetch={"labs": _results(given.get("labs", ()), knowledge)},
        fhir_server=None,
        authorization=None,
        extension={},
        notes=(),
    )
    read = read_facts(request, vocabulary, (), "recorded-now", AS_OF)
    onset = read_when(given.get("onset"))
    presenting = tuple(given.get("presenting", ["fasciculation"]))
    return msgspec.structs.replace(
        read,
        age=given.get("age", age),
        sex=given.get("sex", "female"),
        presentations=(
            RecordedPresentation(
                types=presenting,
                reference=None,
                text="example",
                onset=onset,
                recorded=read_when(AS_OF.date().isoformat()),
                by_text=False,
                fact=Fact(what="recorded presentation", on=given.get("onset")),
            ),
        ),
        conditions=tuple(_condition(one) for one in given.get("conditions", ())),
        medications=tuple(_medication(one) for one in given.get("medications", ())),
        examinations=tuple(_examination(*one) for one in given.get("examination", {}).items()),
        habits=tuple(_habit(*one) for one in given.get("habits", {}).items()),
        relatives=tuple(
            Relative(value_sets=frozenset({name}), fact=Fact(what=name, value="relative"))
            for name in given.get("relatives", ())
        ),
        allergies=tuple(
            Allergy(value_sets=frozenset({name}), fact=Fact(what=name)) for name in given.get("allergies", ())
        ),
        arrived=_ALL_KINDS - not_received,
    )


def _results(results: Any, knowledge: Knowledge) -> Resource:
    return Resource(
        resource_type="Bundle",
        entry=[
            Entry(resource=_observation(place, one, knowledge.labs[one["lab"]], knowledge))
            for place, one in enumerate(results)
        ],
    )


def _observation(place: int, given: Mapping[str, Any], lab: Lab, knowledge: Knowledge) -> Resource:
    rows = [row for ref in lab.codes for row in knowledge.codes[ref.table, ref.key] if ref.selects(row)]
    unit = given.get("unit")
    bounds = [
        Quantity(value=Decimal(given[side]), unit=unit) if side in given else None for side in ("low", "high")
    ]
    return Resource(
        resource_type="Observation",
        id=f"r{place}",
        status=given.get("status", "final"),
        code=_test_code(given, rows),
        effective_date_time=given.get("on", _DEFAULT_DATE),
        value_quantity=Quantity(value=Decimal(given["value"]), unit=unit, comparator=given.get("comparator")),
        interpretation=CodeableConcept(coding=[Coding(code=given["flag"])]) if "flag" in given else None,
        reference_range=[ReferenceRange(low=bounds[0], high=bounds[1])] if any(bounds) else None,
    )


def _test_code(given: Mapping[str, Any], rows: list[CodeRow]) -> CodeableConcept:
    """Return the code of the lab, or the example's own words in its place."""
    if "text" in given:
        return CodeableConcept(text=given["text"])
    return CodeableConcept(coding=[Coding(system=row.system, code=row.code) for row in rows[:1]])


def _condition(given: Mapping[str, Any]) -> RecordedCondition:
    return RecordedCondition(
        value_sets=frozenset({given["in"]}),
        fact=Fact(what=given["in"], value=given.get("status", "active"), on=given.get("onset")),
        active=given.get("status", "active") == "active",
        firm="provisional" not in given,
        onset=read_when(given.get("onset")),
        recorded=read_when(given.get("recorded")),
    )


def _medication(given: Mapping[str, Any]) -> Medication:
    return Medication(
        value_sets=frozenset({given["in"]}),
        name=given["in"],
        fact=Fact(what=given["in"], on=given.get("started")),
        active=given.get("status", "active") == "active",
        started=read_when(given.get("started")),
        ended=read_when(given.get("ended")),
    )


def _examination(part: str, given: str | Mapping[str, str]) -> Examination:
    result, on = (given, _DEFAULT_DATE) if isinstance(given, str) else (given["result"], given["on"])
    fact = Fact(what=f"examination: {part}", value=result)
    return Examination(part=part, result=result, fact=fact, on=read_when(on))


def _habit(item: str, amount: str) -> SocialAmount:
    return SocialAmount(item=item, amount=Decimal(amount), fact=Fact(what=item, value=amount))
