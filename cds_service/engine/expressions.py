"""Compiles the `when` expressions of the content into functions, once; evaluation reads facts and nothing else."""

from __future__ import annotations

from typing import Any

from cds_service.engine.leaves import LEAVES, condition
from cds_service.engine.logic import UNKNOWN, any_of, at_least, merge, negation, unless
from cds_service.engine.view import Evaluator, View
from cds_service.model.facts import Fact
from cds_service.model.findings import Outcome, State


def compile_expression(  # noqa: PLR0911 - one return per operator reads best
    expression: Any, sign_sets: frozenset[str]
) -> Evaluator:
    """Return the function of an expression. `sign_sets` are the value sets whose silence means unknown."""
    if isinstance(expression, str):
        return _finding(expression)
    operator, operand = next(iter(expression.items()))
    if operator in {"all", "any"}:
        parts = [part if isinstance(part, str) else compile_expression(part, sign_sets) for part in operand]
        return _all(parts) if operator == "all" else _any(parts)
    if operator == "count":
        return _count(operand["at_least"], [compile_expression(part, sign_sets) for part in operand["of"]])
    if operator == "not":
        return _not(compile_expression(operand, sign_sets))
    if operator == "unless":
        return _unless(compile_expression(operand, sign_sets))
    if operator == "condition":
        return condition(operand, silence_is_unknown=bool(sign_sets.intersection(operand["in"])))
    return LEAVES[operator](operand)


def _finding(finding: str) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        return view.outcomes[finding]

    return evaluate


def _all(parts: list[str | Evaluator]) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        """Stop at the first part that is absent; `logic.all_of` says the same of outcomes at hand."""
        facts: tuple[Fact, ...] = ()
        unknown = False
        outcomes = view.outcomes
        for part in parts:
            state, behind = outcomes[part] if isinstance(part, str) else part(view)
            if state is State.ABSENT:
                return State.ABSENT, behind
            if state is State.UNKNOWN:
                unknown = True
            else:
                facts = merge(facts, behind)
        return UNKNOWN if unknown else (State.PRESENT, facts)

    return evaluate


def _any(parts: list[str | Evaluator]) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        outcomes = view.outcomes
        return any_of([outcomes[part] if isinstance(part, str) else part(view) for part in parts])

    return evaluate


def _count(count: int, parts: list[Evaluator]) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        return at_least(count, [part(view) for part in parts])

    return evaluate


def _not(part: Evaluator) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        return negation(part(view))

    return evaluate


def _unless(part: Evaluator) -> Evaluator:
    def evaluate(view: View) -> Outcome:
        return unless(part(view))

    return evaluate
