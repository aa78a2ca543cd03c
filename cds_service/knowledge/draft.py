"""All definitions that passed the first two gates, with what each of them names; it finds no fault itself."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import date
from functools import cached_property
from typing import Any

from cds_service.knowledge.codes import Tables
from cds_service.knowledge.expressions import Path, findings_in, leaves_in
from cds_service.knowledge.yaml_reader import Document

BANDS = ("low", "normal", "high", "marked-low", "marked-high", "critical-low", "critical-high")
RESERVED_FINDINGS = ("red-flag", "other-cause-supported")

Documents = Mapping[str, Mapping[str, Document]]


class Draft:
    """All documents that passed the first two gates, with what the checks look up."""

    def __init__(
        self, documents: Documents, tables: Tables, today: date, broken: Mapping[str, set[str]] | None = None
    ) -> None:
        """Keep the documents by kind and id; `broken` are the ids whose files failed and stay nameable."""
        self.documents = documents
        self.tables = tables
        self.today = today
        self._broken = broken or {}

    @property
    def is_partial(self) -> bool:
        """Whether a file failed, so that nothing can be called unused."""
        return any(self._broken.values())

    def known(self, kind: str) -> set[str]:
        """Return every id of one kind that has a file, read or not."""
        return {*self.documents[kind], *self._broken.get(kind, ())}

    def of(self, kind: str) -> Iterator[tuple[str, Document]]:
        """Yield (id, document) of one kind."""
        yield from self.documents[kind].items()

    @cached_property
    def lab_findings(self) -> set[str]:
        """Every finding that a lab file yields."""
        names = {f"{lab}-{band}" for lab in self.known("labs") for band in BANDS}
        lined = {lab for lab, doc in self.of("labs") if "borderline" in doc.value}
        broken = {*self._broken.get("labs", ())}
        derived = {lab for lab, doc in self.of("labs") if "derived" in doc.value}
        names |= {f"{lab}-calculated-only" for lab in derived | broken}
        return names | {f"{lab}-borderline" for lab in lined | broken}

    @cached_property
    def findings(self) -> set[str]:
        """Every finding that exists, without the reserved ones."""
        presented = {f"presents-with-{name}" for name in self.known("presentations")}
        said = {
            f"history-says-{word}"
            for _name, document in self.of("questionnaires")
            for _path, word in asked_words(document.value, "says")
        }
        return self.lab_findings | presented | said | self.known("rules")


def asked_items(
    items: Sequence[Mapping[str, Any]], path: Path = ("items",)
) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every group and question of a questionnaire with its path, each before what it holds."""
    for place, item in enumerate(items):
        yield (*path, place), item
        yield from asked_items(item.get("items", ()), (*path, place, "items"))


def asked_words(value: Mapping[str, Any], *members: str) -> Iterator[tuple[Path, str]]:
    """Yield what the questions of a questionnaire, and their options, name in some members, with the paths."""
    for path, item in asked_items(value["items"]):
        holders = [(path, item), ((*path, "known_by"), item.get("known_by", {}))]
        holders += [((*path, "options", at), option) for at, option in enumerate(item.get("options", ()))]
        for where, holder in holders:
            for member in members:
                named = holder.get(member, ())
                if isinstance(named, str):
                    yield (*where, member), named
                else:
                    yield from (((*where, member, at), name) for at, name in enumerate(named))


def every(draft: Draft) -> Iterator[tuple[str, str, Document]]:
    """Yield (kind, id, document) of everything."""
    for kind, documents in draft.documents.items():
        for name, document in documents.items():
            yield kind, name, document


def references(  # noqa: C901, PLR0912 - a flat list of members reads best
    kind: str, value: Mapping[str, Any]
) -> Iterator[tuple[str, Path, str]]:
    """Yield (what is named, path, name) for every plain reference of one definition."""
    for place, name in enumerate(value.get("workup", ())):
        yield "orders", ("workup", place), name
    for place, name in enumerate(value.get("speaks_for", ())):
        yield "causes", ("speaks_for", place), name
    for place, name in enumerate(value.get("presentations", ())):
        yield "presentations", ("presentations", place), name
    for place, name in enumerate(value.get("settled_by", ())):
        yield "labs", ("settled_by", place), name
    for place, name in enumerate(value.get("covers", ())):
        yield "orders or labs", ("covers", place), name
    for place, name in enumerate(value.get("override_reasons", ())):
        yield "override_reasons", ("override_reasons", place), name
    cites = value.get("cites", ())
    for place, name in enumerate(cites):
        yield "sources", ("cites", place), name
    for member in ("evidence", "remarks", "cautions"):
        for place, part in enumerate(value.get(member, ())):
            yield "sources", (member, place, "cites"), part["cites"]
            yield from _labs_of_remark((member, place), part)
    if "yields_to" in value:
        yield "labs", ("yields_to",), value["yields_to"]
    if kind == "labs" and "derived" in value:
        yield "labs", ("derived", "from"), value["derived"]["from"]
        yield "labs", ("derived", "adjust_by"), value["derived"]["adjust_by"]
    if kind == "questionnaires":
        yield "orders", ("order",), value["order"]
        for path, name in asked_words(value, "signs", "also", "denies", "family", "value_sets"):
            yield "value_sets", path, name
    for place, example in enumerate(value.get("examples", ())):
        yield from _example_references(example, ("examples", place))


def _labs_of_remark(path: Path, remark: Mapping[str, Any]) -> Iterator[tuple[str, Path, str]]:
    """Yield the labs that a remark names, or whose value it gives."""
    for at, lab in enumerate(remark.get("unmeasured", ())):
        yield "labs", (*path, "unmeasured", at), lab
    if "measured" in remark:
        yield "labs", (*path, "measured"), remark["measured"]


_NAMED_IN_EXAMPLES: Mapping[str, tuple[str, str | None]] = {
    "labs": ("labs", "lab"),
    "with": ("labs", "lab"),
    "conditions": ("value_sets", "in"),
    "medications": ("value_sets", "in"),
    "relatives": ("value_sets", None),
    "allergies": ("value_sets", None),
}
"""Member of an example's `given` → (kind that it names, member of each entry that holds the name)."""


def _example_references(example: Mapping[str, Any], path: Path) -> Iterator[tuple[str, Path, str]]:
    given = example.get("given", {})
    for member, (kind, inner) in _NAMED_IN_EXAMPLES.items():
        entries = given.get(member)
        for place, one in enumerate(entries if isinstance(entries, list) else ()):
            here: Path = (*path, "given", member, place)
            yield (kind, here, one) if inner is None else (kind, (*here, inner), one[inner])
    for holder, where in ((example, path), (given, (*path, "given"))):
        if isinstance(holder.get("presenting"), list):
            for place, name in enumerate(holder["presenting"]):
                yield "presentations", (*where, "presenting", place), name


def example_findings(kind: str, value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield every finding that the examples of one definition name, with its path."""
    for place, example in enumerate(value.get("examples", ())):
        path: Path = ("examples", place)
        if kind in {"causes", "red_flags", "treatments"}:
            yield from (((*path, "given", name), name) for name in example["given"])
        if kind in {"labs", "rules"}:
            names = example["given"].get("findings", {})
            yield from (((*path, "given", "findings", name), name) for name in names)
        if kind in {"labs", "causes", "treatments"}:
            for member, names in example["expect"].items():
                if isinstance(names, list):
                    yield from (((*path, "expect", member, at), name) for at, name in enumerate(names))


def code_refs(value: Mapping[str, Any]) -> Iterator[tuple[Path, Mapping[str, Any]]]:
    """Yield every reference into a code table, with its path."""
    for place, ref in enumerate(value.get("codes", ())):
        yield ("codes", place), ref
    if isinstance(value.get("code"), dict):
        yield ("code",), value["code"]


def finding_uses(kind: str, value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield every finding that a definition reads, with its path."""
    for walk in _FINDING_USES.get(kind, ()):
        yield from walk(value)


def _rule_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    yield from findings_in(value["when"], ("when",))


def _red_flag_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for place, level in enumerate(value["levels"]):
        yield from findings_in(level["when"], ("levels", place, "when"))


def _cause_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for place, part in enumerate(value["evidence"]):
        yield ("evidence", place, "finding"), part["finding"]
    for place, part in enumerate(value.get("remarks", ())):
        if "when" in part:
            yield ("remarks", place, "when"), part["when"]


def _presentation_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    for place, need in enumerate(value.get("needs", ())):
        yield ("needs", place, "finding"), need["finding"]


def _order_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    if "not_applicable_when" in value:
        yield from findings_in(value["not_applicable_when"], ("not_applicable_when",))
    if "settled_by_finding" in value:
        yield ("settled_by_finding",), value["settled_by_finding"]


def _questionnaire_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    yield from asked_words(value, "findings")


def caution_finding_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield every finding that an order or a treatment reads for what it says beside itself, with its path."""
    for member in ("when", "active_when", "asked_when"):
        if member in value:
            yield (member,), value[member]
    for member in ("cautions", "remarks"):
        for place, part in enumerate(value.get(member, ())):
            if "when" in part:
                yield (member, place, "when"), part["when"]


def lab_finding_uses(value: Mapping[str, Any]) -> Iterator[tuple[Path, str]]:
    """Yield every finding that limits, windows and gates of a lab depend on, with its path."""
    for member in ("shorter_windows", "longer_windows"):
        for place, window in enumerate(value.get(member, ())):
            yield (member, place, "when"), window["when"]
    for band, limit in value.get("limits", {}).items():
        for place, other in enumerate(limit.get("instead", ())):
            yield ("limits", band, "instead", place, "when"), other["when"]
    for place, name in enumerate(value.get("own_range_when", ())):
        yield ("own_range_when", place), name
    if "only_with" in value:
        yield ("only_with",), value["only_with"]
    for place, name in enumerate(value.get("derived", {}).get("not_when", ())):
        yield ("derived", "not_when", place), name


_FINDING_USES: Mapping[str, tuple[Callable[[Mapping[str, Any]], Iterator[tuple[Path, str]]], ...]] = {
    "rules": (_rule_uses,),
    "red_flags": (_red_flag_uses,),
    "causes": (_cause_uses,),
    "presentations": (_presentation_uses,),
    "orders": (_order_uses, caution_finding_uses),
    "treatments": (caution_finding_uses,),
    "labs": (lab_finding_uses,),
    "questionnaires": (_questionnaire_uses,),
}


def leaves(draft: Draft) -> Iterator[tuple[Document, Path, str, dict[str, Any]]]:
    """Yield every leaf (document, path, operator, operand) of every rule and red flag."""
    for _name, document in draft.of("rules"):
        for path, operator, operand in leaves_in(document.value["when"], ("when",)):
            yield document, path, operator, operand
    for _name, document in draft.of("red_flags"):
        for place, level in enumerate(document.value["levels"]):
            for path, operator, operand in leaves_in(level["when"], ("levels", place, "when")):
                yield document, path, operator, operand
