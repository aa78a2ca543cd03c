"""Checks of what definitions name: every name must exist, and every definition must be named."""

from __future__ import annotations

from collections.abc import Iterator

from cds_service.knowledge.codes import ICD10CM, SYSTEMS
from cds_service.knowledge.draft import (
    RESERVED_FINDINGS,
    Draft,
    code_refs,
    every,
    example_findings,
    finding_uses,
    leaves,
    references,
)
from cds_service.model.faults import Fault, did_you_mean


def file_name(draft: Draft) -> Iterator[Fault]:
    """The id is the file's name."""
    for _kind, name, document in every(draft):
        if document.value["id"] != name:
            remedy = f"Write id: {name}, or rename the file."
            yield document.fault(("id",), "file-name", "The id is not the file's name.", remedy)


def unknown_reference(draft: Draft) -> Iterator[Fault]:
    """Orders, causes, labs, presentations and sources that are named exist."""
    for kind, _name, document in every(draft):
        for wanted, path, name in references(kind, document.value):
            known = {known for folder in wanted.split(" or ") for known in draft.known(folder)}
            if name not in known:
                text = f"There is no {name!r} among the {wanted}."
                yield document.fault(path, "unknown-reference", text, did_you_mean(name, sorted(known)))
            elif path[0] in {"workup", "order"} and not _is_offered(draft, name):
                text = f"The order {name!r} is not offered."
                yield document.fault(path, "unknown-reference", text, "Name one that is, or leave it out.")


def unknown_statement(draft: Draft) -> Iterator[Fault]:
    """A statement of the source document that a definition names has its file."""
    known = draft.known("statements")
    for _kind, _name, document in every(draft):
        for place, name in enumerate(document.value.get("in_source_document", ())):
            if name not in known:
                text = f"There is no statement {name!r}."
                remedy = did_you_mean(name, sorted(known))
                yield document.fault(("in_source_document", place), "unknown-statement", text, remedy)


def _is_offered(draft: Draft, order: str) -> bool:
    document = draft.documents["orders"].get(order)
    return document is None or document.value.get("offered", True)


def unknown_code_key(draft: Draft) -> Iterator[Fault]:
    """A code table has the key that is named, and under it every code that the key is narrowed to."""
    known = {f"{table}/{key}" for table, key in draft.tables.codes}
    for _kind, _name, document in every(draft):
        for path, ref in code_refs(document.value):
            wanted = f"{ref['table']}/{ref['key']}"
            if wanted not in known:
                text = f"No code table has {wanted}."
                yield document.fault(path, "unknown-code-key", text, did_you_mean(wanted, sorted(known)))
                continue
            codes = [row.code for row in draft.tables.codes[ref["table"], ref["key"]]]
            for place, code in enumerate(ref.get("only", ())):
                if code not in codes:
                    text = f"{wanted} has no code {code}."
                    remedy = did_you_mean(code, codes)
                    yield document.fault((*path, "only", place), "unknown-code-key", text, remedy)


def unknown_code(draft: Draft) -> Iterator[Fault]:
    """A code that an example gives stands in a table, by itself or under a prefix; other systems are not ours."""
    known = {(row.system, _bare(row.code)) for rows in draft.tables.codes.values() for row in rows}
    starts = {_bare(row.code) for rows in draft.tables.codes.values() for row in rows if row.prefix}
    for _kind, _name, document in every(draft):
        for place, example in enumerate(document.value.get("examples", ())):
            given = example.get("code", {})
            system, code = given.get("system"), _bare(given.get("code", ""))
            under_prefix = system == ICD10CM and any(code[:size] in starts for size in range(3, len(code)))
            if system in SYSTEMS and (system, code) not in known and not under_prefix:
                text = f"No code table has the code {given['code']}."
                remedy = "Take one of a table, or add its row."
                yield document.fault(("examples", place, "code"), "unknown-code", text, remedy)


def _bare(code: str) -> str:
    return code.replace(".", "")


def unknown_finding(draft: Draft) -> Iterator[Fault]:
    """Something yields every finding that is read."""
    for kind, _name, document in every(draft):
        uses = (*finding_uses(kind, document.value), *example_findings(kind, document.value))
        for path, finding in uses:
            is_open = kind == "causes" and path[0] in {"evidence", "examples"}
            allowed = draft.findings | (set(RESERVED_FINDINGS) if is_open else set())
            if finding not in allowed:
                text = f"Nothing yields the finding {finding!r}."
                yield document.fault(path, "unknown-finding", text, did_you_mean(finding, sorted(allowed)))


def unknown_value_set(draft: Draft) -> Iterator[Fault]:
    """A value set that a rule names exists and is of the right kind."""
    known = sorted(draft.known("value_sets"))
    read = draft.documents["value_sets"]
    for document, path, operator, operand in leaves(draft):
        wanted = operand.get("in", ())
        for place, name in enumerate(wanted):
            if name not in known:
                text = f"There is no value set {name!r}."
                yield document.fault(
                    (*path, "in", place), "unknown-value-set", text, did_you_mean(name, known)
                )
            elif (
                operator in {"condition", "medication"}
                and name in read
                and (read[name].value["kind"] == "medication") != (operator == "medication")
            ):
                text = f"{name!r} is not a value set for a {operator}."
                yield document.fault((*path, "in", place), "wrong-value-set", text, "Use the right operator.")


def unknown_result(draft: Draft) -> Iterator[Fault]:
    """A lab and its bands that a rule asks a result of exist."""
    labs = sorted(draft.known("labs"))
    for document, path, operator, operand in leaves(draft):
        if operator not in {"result", "measured"}:
            continue
        lab = operand["lab"]
        if lab not in labs:
            yield document.fault(
                (*path, "lab"), "unknown-result", f"There is no lab {lab!r}.", did_you_mean(lab, labs)
            )
            continue
        for place, band in enumerate(operand.get("bands", ())):
            if f"{lab}-{band}" not in draft.lab_findings:
                text = f"The lab {lab} has no band {band!r}."
                yield document.fault((*path, "bands", place), "unknown-result", text, "Name one that it has.")


def uncited_source(draft: Draft) -> Iterator[Fault]:
    """A source that nothing cites is dead; with files that cannot be read nobody knows."""
    if draft.is_partial:
        return
    cited = {
        name
        for kind, _n, doc in every(draft)
        for wanted, _p, name in references(kind, doc.value)
        if wanted == "sources"
    }
    for name, document in draft.of("sources"):
        if name not in cited:
            yield document.fault(
                (), "uncited-source", "Nothing cites this source.", "Cite it or delete the file."
            )


def unused_definition(draft: Draft) -> Iterator[Fault]:
    """A rule or value set that nothing reads is dead; with files that cannot be read nobody knows."""
    if draft.is_partial:
        return
    used = {finding for kind, _n, doc in every(draft) for _p, finding in finding_uses(kind, doc.value)}
    sets = {name for _d, _p, _op, operand in leaves(draft) for name in operand.get("in", ())}
    for name, document in draft.of("rules"):
        if name not in used and "raises" not in document.value:
            yield document.fault(
                (), "unused-definition", "Nothing reads this finding.", "Use it or delete the file."
            )
    for name, document in draft.of("value_sets"):
        if name not in sets:
            yield document.fault(
                (), "unused-definition", "No rule uses this value set.", "Use it or delete it."
            )


def duplicate_finding(draft: Draft) -> Iterator[Fault]:
    """A finding has one maker."""
    for name, document in draft.of("rules"):
        if name in draft.lab_findings or name in RESERVED_FINDINGS or name.startswith("presents-with-"):
            text = f"The finding {name!r} is already made elsewhere."
            yield document.fault(("id",), "duplicate-finding", text, "Choose another id.")
