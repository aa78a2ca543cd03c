"""Loads a content folder through the first three gates; it judges no patient and reads no clock."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

import msgspec

from cds_service.errors import KnowledgeError
from cds_service.knowledge.checks import cross_file_faults
from cds_service.knowledge.codes import Tables
from cds_service.knowledge.draft import Draft
from cds_service.knowledge.yaml_reader import Document, read_documents
from cds_service.model.definitions import (
    Cause,
    Definition,
    Knowledge,
    Lab,
    Order,
    OverrideReasonDefinition,
    Presentation,
    RedFlag,
    Rule,
    Service,
    Source,
    Template,
    ValueSet,
)
from cds_service.model.faults import Fault, did_you_mean

KINDS: Mapping[str, tuple[str, type[Definition]]] = {
    "presentations": ("presentation", Presentation),
    "value_sets": ("value_set", ValueSet),
    "labs": ("lab", Lab),
    "rules": ("rule", Rule),
    "red_flags": ("red_flag", RedFlag),
    "orders": ("order", Order),
    "causes": ("cause", Cause),
    "templates": ("template", Template),
    "services": ("service", Service),
    "sources": ("source", Source),
    "override_reasons": ("override_reason", OverrideReasonDefinition),
}
"""Folder → schema and type. This lists kinds of content; the content itself is listed by its folders alone."""

_OTHER_FOLDERS = {"schema", "terminology"}


class Inspection:
    """What a folder holds: every fault of the first three gates and, without errors, the `knowledge`."""

    def __init__(self, folder: Path, release: str, today: date) -> None:
        """Read and check everything; nothing is raised."""
        self.folder = folder
        self.faults: list[Fault] = []
        self.knowledge: Knowledge | None = None
        if not (folder / "schema").is_dir():
            self.faults.append(
                Fault(
                    folder.name, 1, "", "no-content", "This folder holds no content.", "Name a cards folder."
                )
            )
            return
        tables = Tables(folder / "terminology")
        self.faults += tables.faults
        self.faults += self._stray_files()
        documents, broken = self._read_documents()
        draft = Draft(documents, tables, today, broken)
        self.faults += cross_file_faults(draft)
        self.faults.sort()
        if not self.errors:
            values = {
                kind: {name: one.value for name, one in docs.items()} for kind, docs in documents.items()
            }
            self.knowledge = _build(values, tables, version_of(folder, release))

    @property
    def errors(self) -> list[Fault]:
        """The faults that keep the service from starting."""
        return [fault for fault in self.faults if not fault.is_warning]

    @property
    def counts(self) -> dict[str, int]:
        """How many definitions of each kind the folder holds."""
        return {kind: len(list((self.folder / kind).glob("*.yaml"))) for kind in KINDS}

    def _stray_files(self) -> list[Fault]:
        faults = []
        for path in sorted(self.folder.iterdir()):
            if path.is_dir() and path.name not in KINDS and path.name not in _OTHER_FOLDERS:
                remedy = did_you_mean(path.name, [*KINDS, *_OTHER_FOLDERS])
                faults.append(Fault(path.name, 1, "", "unknown-folder", "No kind has this name.", remedy))
        for kind in KINDS:
            for path in sorted((self.folder / kind).glob("*")):
                if path.suffix != ".yaml":
                    where = path.relative_to(self.folder).as_posix()
                    faults.append(
                        Fault(
                            where, 1, "", "unknown-file", "Only .yaml files are read.", "Rename or move it."
                        )
                    )
        return faults

    def _read_documents(self) -> tuple[dict[str, dict[str, Document]], dict[str, set[str]]]:
        """Return the documents that passed the first two gates, and the ids of those that did not, by kind."""
        from cds_service.knowledge.schemas import Schemas  # noqa: PLC0415 - only who checks needs jsonschema

        schemas = Schemas(self.folder / "schema")
        documents: dict[str, dict[str, Document]] = {kind: {} for kind in KINDS}
        broken: dict[str, set[str]] = {kind: set() for kind in KINDS}
        for kind, (schema, _type) in KINDS.items():
            for document in read_documents(self.folder / kind, self.folder):
                name = Path(document.file).stem
                faults = document.faults or schemas.faults(schema, document)
                self.faults += faults
                if faults:
                    broken[kind].add(name)
                else:
                    documents[kind][name] = document
        return documents, broken


def load(folder: Path, release: str, today: date) -> Knowledge:
    """Return the knowledge of `folder`. Raises `KnowledgeError` with every fault when there is an error."""
    inspection = Inspection(folder, release, today)
    if inspection.knowledge is None:
        raise KnowledgeError(
            f"The content in {folder.name}/ has {len(inspection.errors)} errors; correct them and start again.",
            *(str(fault) for fault in inspection.errors),
        )
    return inspection.knowledge


def load_proven(folder: Path, release: str) -> Knowledge:
    """Return content that has passed every gate under its present version; nothing is checked again."""
    values = {
        kind: {Path(document.file).stem: document.value for document in read_documents(folder / kind, folder)}
        for kind in KINDS
    }
    return _build(values, Tables(folder / "terminology"), version_of(folder, release))


def version_of(folder: Path, release: str) -> str:
    """Return `<release>+<first 12 of the SHA-256 over every content file's path and bytes>`."""
    digest = hashlib.sha256()
    for path in sorted(folder.rglob("*")):
        if path.suffix in {".yaml", ".csv", ".json"}:
            content = path.read_bytes()
            digest.update(f"{path.relative_to(folder).as_posix()}\0{len(content)}\0".encode())
            digest.update(content)
    return f"{release}+{digest.hexdigest()[:12]}"


def _build(values: Mapping[str, Mapping[str, Any]], tables: Tables, version: str) -> Knowledge:
    built: dict[str, Any] = {
        kind: {name: _convert(value, wanted) for name, value in values[kind].items()}
        for kind, (_schema, wanted) in KINDS.items()
    }
    return Knowledge(
        version=version,
        codes=tables.codes,
        conversions=tables.conversions,
        spellings=tables.spellings,
        **built,
    )


def _convert(value: Any, wanted: type[Definition]) -> Definition:
    return msgspec.convert(value, wanted)
