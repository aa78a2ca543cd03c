"""Writes the trace: every statement and id, the definitions behind it and what proves them; it decides nothing."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from cds_service.knowledge.proofs import Proof, gaps, parts_of, proof_of, proof_of_statement, traced_kinds
from cds_service.knowledge.whole_patients import WholePatient
from cds_service.model.definitions import Definition, Knowledge
from cds_service.model.trust import Statement, origin_of

_MOST_CASES = 8
_CARDS, _PATIENTS = "../cards", "../tests/cases"
_OPENING = """\
# Trace

From each statement of the source document, and from each id of the content, to the files that hold it and to what
proves it. Written by `cds-service trace --write docs/trace.md`; a test fails while it is out of date. Examples run
through the real reading and reasoning; cases are whole patients, asked over HTTP in every test run.
"""


def trace_page(knowledge: Knowledge, patients: Sequence[WholePatient]) -> str:
    """Return the whole page as Markdown."""
    missing = list(gaps(knowledge, patients))
    lines = [_OPENING, *_gap_lines(missing), *_statement_lines(knowledge, patients)]
    for kind, group in traced_kinds(knowledge).items():
        lines += _kind_lines(kind, group.values(), patients)
    lines += _question_lines(knowledge, patients)
    return "\n".join(lines) + "\n"


def _gap_lines(missing: list[str]) -> list[str]:
    if not missing:
        return ["Every statement, cause, red flag and lab has its proof.", ""]
    return ["**Without proof:**", "", *(f"- {line}" for line in missing), ""]


def _statement_lines(knowledge: Knowledge, patients: Sequence[WholePatient]) -> Iterator[str]:
    yield "## Statements of the source document"
    yield ""
    yield "| Id | What it says | What the service does | Definitions | Examples (fire / stay silent) | Cases |"
    yield "|---|---|---|---|---|---|"
    for statement in sorted(knowledge.statements.values(), key=_statement_order):
        proof = proof_of_statement(statement, knowledge, patients)
        parts = parts_of(statement, knowledge)
        definitions = f"its parts {parts[0]} to {parts[-1]}" if parts else _links(proof.definitions)
        yield _row(
            f"[{statement.id}]({_CARDS}/statements/{statement.id}.yaml)",
            statement.title,
            statement.required,
            definitions,
            _examples(proof),
            _cases(proof.cases),
        )
    yield ""


def _kind_lines(kind: str, group: Iterable[Definition], patients: Sequence[WholePatient]) -> Iterator[str]:
    title = kind.replace("_", " ").capitalize()
    yield f"## {title}"
    yield ""
    yield "| Id | What it is | From | Examples (fire / stay silent) | Named by cases | Kept down or out by cases |"
    yield "|---|---|---|---|---|---|"
    for one in sorted(group, key=_order):
        proof = proof_of(kind, one, patients)
        yield _row(
            f"[{one.id}]({_CARDS}/{kind}/{one.id}.yaml)",
            one.title,
            _origin(one),
            _examples(proof),
            _cases(proof.cases),
            _cases(proof.left_out_by),
        )
    yield ""


def _question_lines(knowledge: Knowledge, patients: Sequence[WholePatient]) -> Iterator[str]:
    """Yield the questions about the history, where the content has any, with the cases that answer them."""
    forms: Any = getattr(knowledge, "questionnaires", {})
    for form in forms.values():
        yield f"## Questions of {form.title}"
        yield ""
        yield "| No. | Question | File | Answered in cases |"
        yield "|---|---|---|---|"
        for item in form.every_item():
            answering = [one for one in patients if ("questions", item.link) in one.shows]
            file = f"[{form.id}]({_CARDS}/questionnaires/{form.id}.yaml)"
            yield _row(item.link, item.text, file, _cases(answering))
        yield ""


def _order(one: Definition) -> tuple[str, int, str]:
    """Sort RF2 before RF10."""
    head = one.id.rstrip("0123456789")
    number = one.id[len(head) :]
    return head, int(number or 0), one.id


def _statement_order(statement: Statement) -> tuple[int, str]:
    return int("".join(char for char in statement.id if char.isdigit())), statement.id


def _origin(one: Definition) -> str:
    if hasattr(one, "in_source_document"):
        return ", ".join(one.in_source_document) or "added"
    cites = tuple(getattr(one, "cites", ()))
    return origin_of(*cites).replace("-", " ") if cites else ""


def _links(definitions: Iterable[tuple[str, str]]) -> str:
    return ", ".join(f"[{name}]({_CARDS}/{kind}/{name}.yaml)" for kind, name in definitions)


def _examples(proof: Proof) -> str:
    return f"{proof.firing} / {proof.silent}" if proof.firing + proof.silent else ""


def _cases(patients: Sequence[WholePatient]) -> str:
    said = [f"[{one.id}]({_PATIENTS}/{one.file})" for one in patients[:_MOST_CASES]]
    if len(patients) > _MOST_CASES:
        said.append(f"and {len(patients) - _MOST_CASES} more")
    return ", ".join(said)


def _row(*cells: str) -> str:
    return f"| {' | '.join(cell.replace('|', '&#124;') for cell in cells)} |"
