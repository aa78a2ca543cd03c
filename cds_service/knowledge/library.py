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
from cds_service.knowledge.overlay import Layers
from cds_service.knowledge.yaml_reader import Document
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
    Template,
    ValueSet,
)
from cds_service.model.faults import Fault, did_you_mean
from cds_service.model.questionnaires import Questionnaire
from cds_service.model.site import SiteChange
from cds_service.model.treatments import Treatment
from cds_service.model.trust import Attribute, Source, Statement

KINDS: Mapping[str, tuple[str, type[Definition]]] = {
    "presentations": ("presentation", Presentation),
    "value_sets": ("value_set", ValueSet),
    "labs": ("lab", Lab),
    "rules": ("rule", Rule),
    "red_flags": ("red_flag", RedFlag),
    "orders": ("order", Order),
    "causes": ("cause", Cause),
    "treatments": ("treatment", Treatment),
    "templates": ("template", Template),
    "services": ("service", Service),
    "sources": ("source", Source),
    "override_reasons": ("override_reason", OverrideReasonDefinition),
    "statements": ("statement", Statement),
    "attributes": ("attribute", Attribute),
    "questionnaires": ("questionnaire", Questionnaire),
}
"""Folder → schema and type. This lists kinds of content; the content itself is listed by its folders alone."""

_OTHER_FOLDERS = {"schema", "terminology"}


class Inspection:
    """What a folder holds: every fault of the first three gates and, without errors, the `knowledge`."""

    def __init__(self, folder: Path, release: str, today: date, overlay: Path | None = None) -> None:
        """Read and check everything, with a site's `overlay` laid over it if there is one; nothing is raised."""
        self.folder = folder
        self.layers = Layers(folder, overlay)
        self.faults: list[Fault] = []
        self.knowledge: Knowledge | None = None
        self.site_changes: tuple[SiteChange, ...] = ()
        if not (folder / "schema").is_dir():
            self.faults.append(
                Fault(
                    folder.name, 1, "", "no-content", "This folder holds no content.", "Name a cards folder."
                )
            )
            return
        tables = self.layers.tables()
        self.faults += tables.faults
        self.faults += self._stray_files()
        self.faults += self.layers.stray_files([*KINDS])
        documents, broken = self._read_documents()
        self.site_changes = self.layers.changes(
            {kind: documents[kind].values() for kind in KINDS}, tables.added
        )
        draft = Draft(documents, tables, today, broken)
        self.faults += cross_file_faults(draft)
        self.faults.sort()
        if not self.errors:
            values = {
                kind: {name: one.value for name, one in docs.items()} for kind, docs in documents.items()
            }
            self.knowledge = _build(values, tables, version_of(folder, release, overlay), self.site_changes)

    @property
    def errors(self) -> list[Fault]:
        """The faults that keep the service from starting."""
        return [fault for fault in self.faults if not fault.is_warning]

    @property
    def counts(self) -> dict[str, int]:
        """How many definitions of each kind the folder holds."""
        return {kind: len(self.layers.files(kind)) for kind in KINDS}

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
            for document in self.layers.documents(kind):
                name = Path(document.file).stem
                faults = document.faults or schemas.faults(schema, document)
                self.faults += faults
                if faults:
                    broken[kind].add(name)
                else:
                    documents[kind][name] = document
        return documents, broken


def load(folder: Path, release: str, today: date, overlay: Path | None = None) -> Knowledge:
    """Return the knowledge of `folder`, with a site's `overlay` laid over it if there is one.

    Raises `KnowledgeError` with every fault when there is an error.
    """
    inspection = Inspection(folder, release, today, overlay)
    if inspection.knowledge is None:
        raise KnowledgeError(
            f"The content in {folder.name}/ has {len(inspection.errors)} errors; correct them and start again.",
            *(str(fault) for fault in inspection.errors),
        )
    return inspection.knowledge


def version_of(folder: Path, release: str, overlay: Path | None = None) -> str:
    """Return `<release>+<first 12 of the hash of the content>`."""
    return f"{release}+{content_digest(folder, overlay)[:12]}"


def content_digest(folder: Path, overlay: Path | None = None) -> str:
    """Return the SHA-256 over every content file's path and bytes, those of a site's overlay included."""
    digest = hashlib.sha256()
    for base in (folder, overlay) if overlay else (folder,):
        if base is overlay:
            digest.update(b"site overlay\0")
        for path in sorted(base.rglob("*")):
            if path.suffix in {".yaml", ".csv", ".json"} and path.is_file():
                content = path.read_bytes()
                digest.update(f"{path.relative_to(base).as_posix()}\0{len(content)}\0".encode())
                digest.update(content)
    return digest.hexdigest()


def _build(
    values: Mapping[str, Mapping[str, Any]],
    tables: Tables,
    version: str,
    site_changes: tuple[SiteChange, ...],
) -> Knowledge:
    built: dict[str, Any] = {
        kind: {name: _convert(value, wanted) for name, value in values[kind].items()}
        for kind, (_schema, wanted) in KINDS.items()
    }
    return Knowledge(
        version=version,
        codes=tables.codes,
        conversions=tables.conversions,
        spellings=tables.spellings,
        site_changes=site_changes,
        **built,
    )


def _convert(value: Any, wanted: type[Definition]) -> Definition:
    return msgspec.convert(value, wanted)
