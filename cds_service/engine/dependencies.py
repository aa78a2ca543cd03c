"""Which facts each finding can depend on, so that a finding that no received fact touches need not be made anew."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from cds_service.model.definitions import Lab, Rule

PERSON = "person"
ONSET = "onset"
"""Atoms that every record is taken to hold: age, sex, and when the presentation began."""

_KINDS = {
    "condition": "in",
    "medication": "in",
    "examination": "part",
    "habit": "item",
    "family": "in",
    "allergy": "in",
}


def dependents(
    rules: Mapping[str, Rule], labs: Mapping[str, Lab], lab_findings: Mapping[str, tuple[str, str]]
) -> dict[str, frozenset[str]]:
    """Return atom → every finding that can change when a fact of that atom is received.

    Atoms are value sets, labs, parts of an examination, habits and presentations, by prefixed name, besides
    `PERSON` and `ONSET`.
    """
    known: dict[str, frozenset[str]] = {
        finding: _lab_atoms(labs[lab]) for finding, (lab, _band) in lab_findings.items()
    }
    for name in rules:
        _atoms_of(name, rules, known)
    found: dict[str, set[str]] = {}
    for finding, atoms in known.items():
        for atom in atoms:
            found.setdefault(atom, set()).add(finding)
    return {atom: frozenset(findings) for atom, findings in found.items()}


def _lab_atoms(lab: Lab) -> frozenset[str]:
    """Without a result of its own, or one to calculate from, a lab says nothing, whatever else is known."""
    derived = lab.derived
    return frozenset({f"lab:{lab.id}"} if derived is None else {f"lab:{lab.id}", f"lab:{derived.from_lab}"})


def _atoms_of(finding: str, rules: Mapping[str, Rule], known: dict[str, frozenset[str]]) -> frozenset[str]:
    atoms = known.get(finding)
    if atoms is None:
        rule = rules.get(finding)
        atoms = frozenset({finding}) if rule is None else frozenset(_walk(rule.when, rules, known))
        known[finding] = atoms
    return atoms


def _walk(expression: Any, rules: Mapping[str, Rule], known: dict[str, frozenset[str]]) -> Iterator[str]:
    if isinstance(expression, str):
        yield from _atoms_of(expression, rules, known)
        return
    operator, operand = next(iter(expression.items()))
    if operator in _KINDS:
        named = operand[_KINDS[operator]]
        yield from (f"{operator}:{name}" for name in ([named] if isinstance(named, str) else named))
    elif operator == "patient":
        yield PERSON
    elif operator == "onset":
        yield ONSET
    elif operator in {"result", "measured"}:
        yield from known[f"{operand['lab']}-normal"]
    elif operator in {"not", "unless"}:
        yield from _walk(operand, rules, known)
    else:
        for part in operand["of"] if operator == "count" else operand:
            yield from _walk(part, rules, known)
