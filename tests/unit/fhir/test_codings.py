"""Codes are looked up by system and code alone: no display, no hierarchy, and no code of an unnamed system."""

from __future__ import annotations

import time

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service.fhir.codings import CodeIndex
from cds_service.fhir.shapes import CodeableConcept, Coding
from cds_service.fhir.vocabulary import Vocabulary
from cds_service.model.definitions import Knowledge, ValueSet
from cds_service.model.parts import CodeRow
from tests.unit.fhir.content import define
from tests.unit.fhir.records import ICD10CM, LOINC, RXNORM, SNOMED

INDEX = CodeIndex(
    {
        "spasm": [
            CodeRow(system=SNOMED, code="45352006", display="Spasm"),
            CodeRow(system=ICD10CM, code="M62.83", display="Muscle spasm", prefix=True),
            CodeRow(system=ICD10CM, code="R25.2", display="Cramp and spasm"),
        ],
        "cramp": [CodeRow(system=ICD10CM, code="R25.2", display="Cramp and spasm")],
        "muscle": [CodeRow(system=ICD10CM, code="M62", display="Disorders of muscle", prefix=True)],
        "potassium": [CodeRow(system=LOINC, code="2823-3", display="Potassium")],
        "furosemide": [CodeRow(system=RXNORM, code="4603", display="furosemide")],
    }
)
ICD10CM_OID = "urn:oid:2.16.840.1.113883.6.90"


def names(*codings: tuple[str | None, str | None]) -> set[str]:
    """Return what a concept of these (system, code) pairs means."""
    return set(
        INDEX.names(CodeableConcept(coding=[Coding(system=system, code=code) for system, code in codings]))
    )


@pytest.mark.parametrize(
    ("system", "code", "name"),
    [
        (SNOMED, "45352006", "spasm"),
        ("urn:oid:2.16.840.1.113883.6.96", "45352006", "spasm"),
        (LOINC, "2823-3", "potassium"),
        ("urn:oid:2.16.840.1.113883.6.1", "2823-3", "potassium"),
        (RXNORM, "4603", "furosemide"),
        ("urn:oid:2.16.840.1.113883.6.88", "4603", "furosemide"),
        (SNOMED, " 45352006 ", "spasm"),
        (LOINC, "\t\n2823-3", "potassium"),
    ],
)
def test_a_system_is_known_by_its_url_and_by_its_oid(system: str, code: str, name: str) -> None:
    """Both forms of a system name the same codes, and white space around a code is none of it."""
    assert names((system, code)) == {name}


@pytest.mark.parametrize("system", [ICD10CM, "http://hl7.org/fhir/sid/icd-10", ICD10CM_OID])
@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("R25.2", {"spasm", "cramp"}),
        ("R252", {"spasm", "cramp"}),
        ("r25.2", {"spasm", "cramp"}),
        (" R25.2 ", {"spasm", "cramp"}),
        ("R25", set()),
        ("R25.20", set()),
        ("M62.83", {"spasm", "muscle"}),
        ("M62.831", {"spasm", "muscle"}),
        ("M62831", {"spasm", "muscle"}),
        ("M62.8", {"muscle"}),
        ("M62", {"muscle"}),
        ("M6", set()),
        ("M63.83", set()),
        ("XM62.83", set()),
    ],
)
def test_icd_codes_are_read_without_their_dot_and_by_prefix(
    system: str, code: str, expected: set[str]
) -> None:
    """A prefix row means every longer code, an exact row only itself; dot, case and space do not matter."""
    assert names((system, code)) == expected


@pytest.mark.parametrize(
    ("system", "code"),
    [
        (None, "45352006"),
        ("", "45352006"),
        ("http://example.org", "45352006"),
        ("SNOMED", "45352006"),
        (SNOMED, None),
        (SNOMED, ""),
        (SNOMED, "4535200"),
        (SNOMED, "453520060"),
        (LOINC, "45352006"),
        (LOINC, "28233"),
        (RXNORM, "2823-3"),
        ("http://hl7.org/fhir/sid/icd-9-cm", "R25.2"),
    ],
)
def test_a_code_means_nothing_outside_its_system(system: str | None, code: str | None) -> None:
    """A code without its system, of another system, or with a digit more or less is not known."""
    assert names((system, code)) == set()


def test_all_codings_of_a_concept_count() -> None:
    """Local and foreign codings stand beside a known one, and two known ones mean both."""
    local = ("http://example.org/codes", "K")
    assert names(local, (None, None), (LOINC, "2823-3")) == {"potassium"}
    assert names((SNOMED, "45352006"), (LOINC, "2823-3"), local) == {"spasm", "potassium"}


@pytest.mark.parametrize(
    "concept", [None, CodeableConcept(), CodeableConcept(coding=[]), CodeableConcept(text="Spasm")]
)
def test_no_code_means_nothing(concept: CodeableConcept | None) -> None:
    """Words are not read here, and a display least of all."""
    assert INDEX.names(concept) == frozenset()
    assert INDEX.names(CodeableConcept(coding=[Coding(display="Spasm")])) == frozenset()


def test_a_code_of_a_hundred_thousand_characters_costs_nothing() -> None:
    """A code longer than any of its system is not searched prefix by prefix to its end."""
    started = time.process_time()
    assert names((ICD10CM, "M62" + "1" * 100_000)) == {"muscle"}
    assert names((ICD10CM, "Q" * 100_000)) == set()
    assert time.process_time() - started < 0.1


@given(
    st.none() | st.text(max_size=10) | st.sampled_from([SNOMED, ICD10CM]), st.none() | st.text(max_size=10)
)
def test_any_coding_is_looked_up(system: str | None, code: str | None) -> None:
    """Nothing that stands where a code should stand raises."""
    assert names((system, code)) <= {"spasm", "cramp", "muscle"}


def test_every_code_of_the_fixture_means_its_thing(knowledge: Knowledge, vocabulary: Vocabulary) -> None:
    """Every row of the tables that a value set names is found under it, by its own spelling."""
    for name, value_set in knowledge.value_sets.items():
        index = vocabulary.medicine_codes if value_set.kind == "medication" else vocabulary.problem_codes
        for ref in value_set.codes:
            for row in knowledge.codes[ref.table, ref.key]:
                if row.role not in ref.without_roles:
                    concept = CodeableConcept(coding=[Coding(system=row.system, code=row.code)])
                    assert name in index.names(concept), row


def test_roles_and_single_codes_narrow_a_table(knowledge: Knowledge) -> None:
    """A row whose role says that it does not mean the thing by itself is left out, and `only` picks single codes."""
    rows = (
        CodeRow(system=SNOMED, code="1", display="root"),
        CodeRow(system=SNOMED, code="2", display="vague", role="nonspecific"),
        CodeRow(system=SNOMED, code="3", display="old", role="legacy"),
    )
    kept: dict[str, dict[str, list[str]]] = {
        "all": {},
        "picked": {"only": ["1", "2"]},
        "strict": {"without_roles": ["nonspecific", "legacy"]},
    }
    found = narrowed(knowledge, rows, kept)
    assert found == {"all": {"1", "3"}, "picked": {"1"}, "strict": {"1"}}


def narrowed(
    knowledge: Knowledge, rows: tuple[CodeRow, ...], refs: dict[str, dict[str, list[str]]]
) -> dict[str, set[str]]:
    """Return by name the codes that value sets with these references over `rows` know."""
    sets = {
        name: define(ValueSet, name, kind="sign", codes=[{"table": "t", "key": "k", **ref}])
        for name, ref in refs.items()
    }
    codes = {**knowledge.codes, ("t", "k"): rows}
    made = msgspec.structs.replace(knowledge, value_sets=sets, presentations={}, codes=codes)
    index = Vocabulary(made).problem_codes
    concepts = {row.code: CodeableConcept(coding=[Coding(system=row.system, code=row.code)]) for row in rows}
    return {
        name: {code for code, concept in concepts.items() if name in index.names(concept)} for name in refs
    }
