"""Says what proves each statement and each definition, and what nothing proves yet; it runs no example."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from cds_service.knowledge.whole_patients import WholePatient
from cds_service.model.definitions import Definition, Knowledge
from cds_service.model.trust import Statement

DEFINITIONS, CASES = "definitions", "cases"
_PARTS_OF_OTHERS = frozenset({"value_sets", "rules"})
"""Kinds that are proven through what reads them."""
_PROVEN_BOTH_WAYS = ("causes", "red_flags", "labs")
_SILENT = frozenset(
    {"absent", "unknown", "none", "less-likely", "excluded", "not-assessed", "silent", "ruled-out"}
)
_VERDICTS = frozenset({"standing", "outcome"})


class Proof(NamedTuple):
    """What proves one id: definitions as (kind, id), examples that fire and that do not, and cases."""

    definitions: tuple[tuple[str, str], ...]
    firing: int
    silent: int
    cases: tuple[WholePatient, ...]
    left_out_by: tuple[WholePatient, ...] = ()


def traced_kinds(knowledge: Knowledge) -> dict[str, Mapping[str, Definition]]:
    """Return the kinds whose ids are traced one by one: all that carry examples and stand for themselves."""
    found = {}
    for name in knowledge.__struct_fields__:
        group = getattr(knowledge, name)
        if name in _PARTS_OF_OTHERS or not isinstance(group, Mapping):
            continue
        if any(hasattr(one, "examples") for one in group.values()):
            found[name] = group
    return found


def proof_of(kind: str, one: Definition, patients: Iterable[WholePatient]) -> Proof:
    """Return the examples of one definition and the whole patients that name it."""
    firing, silent = count_examples(one)
    names = {(kind, one.id)} | {("codes", f"{ref.table}/{ref.key}") for ref in getattr(one, "codes", ())}
    if kind != "presentations":
        names = {(kind, one.id)}
    showing = tuple(patient for patient in patients if names & patient.shows or one.id in patient.proves)
    refusing = tuple(patient for patient in patients if (kind, one.id) in patient.leaves_out)
    return Proof(((kind, one.id),), firing, silent, showing, refusing)


def proof_of_statement(statement: Statement, knowledge: Knowledge, patients: Iterable[WholePatient]) -> Proof:
    """Return what proves one statement of the source document; a statement in parts is proven by its parts."""
    ids = {statement.id, *parts_of(statement, knowledge)}
    found = [
        (kind, one)
        for kind, group in traced_kinds(knowledge).items()
        for one in group.values()
        if ids & set(getattr(one, "in_source_document", ()))
    ]
    counts = [count_examples(one) for _kind, one in found]
    return Proof(
        tuple((kind, one.id) for kind, one in found),
        sum(firing for firing, _silent in counts),
        sum(silent for _firing, silent in counts),
        tuple(patient for patient in patients if ids & patient.proves),
    )


def parts_of(statement: Statement, knowledge: Knowledge) -> list[str]:
    """Return the ids of the lettered parts of a statement: S12 has S12a to S12j."""
    return [name for name in knowledge.statements if name[:-1] == statement.id and name[-1].isalpha()]


def count_examples(one: Definition) -> tuple[int, int]:
    """Return how many examples of a definition fire and how many do not."""
    expected = [example.get("expect") for example in getattr(one, "examples", ())]
    firing = sum(_fires(expect) for expect in expected)
    return firing, len(expected) - firing


def _fires(expect: Any) -> bool:
    if isinstance(expect, str):
        return expect not in _SILENT
    if not isinstance(expect, Mapping):
        return bool(expect)
    for verdict in _VERDICTS & set(expect):
        return expect[verdict] not in _SILENT
    present = expect.get("present", ())
    if "present" in expect or _SILENT & set(expect):
        return any(not str(finding).endswith("-normal") for finding in present)
    return any(_fires(part) for part in expect.values())


def gaps(knowledge: Knowledge, patients: Iterable[WholePatient]) -> Iterator[str]:
    """Yield one line for each statement, cause, red flag and lab that lacks a proof it needs."""
    patients = tuple(patients)
    for statement in knowledge.statements.values():
        proof = proof_of_statement(statement, knowledge, patients)
        if DEFINITIONS in statement.proof and not proof.definitions:
            yield f"statements/{statement.id}: no definition names it in in_source_document"
        if CASES in statement.proof and not proof.cases:
            yield f"statements/{statement.id}: no whole patient names it in proves"
    kinds = traced_kinds(knowledge)
    for kind in _PROVEN_BOTH_WAYS:
        for one in kinds.get(kind, {}).values():
            proof = proof_of(kind, one, patients)
            if not proof.firing:
                yield f"{kind}/{one.id}: no example fires"
            if not proof.silent:
                yield f"{kind}/{one.id}: no example stays silent"
            if kind == "red_flags" and not proof.cases:
                yield f"{kind}/{one.id}: no whole patient expects it"
