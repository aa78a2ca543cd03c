"""Lays a site's own folder over the content, member by member; it judges nothing and changes no file."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import msgspec

from cds_service.knowledge.codes import Tables
from cds_service.knowledge.yaml_reader import Document, read_document, read_documents, steps_of
from cds_service.model.faults import Fault, did_you_mean
from cds_service.model.site import SiteChange

TERMINOLOGY = "terminology"
_OWN_EXAMPLES = "Write examples that hold into this file: they replace the shipped ones."
_NOTHING_READ = "Nothing here is read."


class Overlaid(Document):
    """A shipped definition with a site's file of the same id laid over it; a fault stands where its cause is."""

    def __init__(self, base: Document, over: Document) -> None:
        """Merge the two; with a fault in either there is no value."""
        self.file, self.folder = base.file, over.folder
        self.faults = [*base.faults, *over.faults]
        self.base, self.over = base, over
        self.value = None if self.faults else _reviewed(merge(base.value, over.value), over.value)

    def line_of(self, path: Sequence[str | int]) -> int:
        """Return the line in the file that gave `path` its value."""
        return self.owner(path).line_of(path)

    def fault(self, path: Sequence[str | int], check: str, text: str, remedy: str) -> Fault:
        """Build a fault that points at `path` in the file that gave it its value."""
        return self.owner(path).fault(path, check, text, remedy)

    def owner(self, path: Sequence[str | int]) -> Document:
        """Return the document that says what stands at `path`; what both say belongs to the overlay."""
        base, over = self.base.value, self.over.value
        for step in path:
            if not isinstance(base, dict) or not isinstance(over, dict) or step not in {*base, *over}:
                break
            if step not in over:
                return self.base
            base, over = base.get(step), over[step]
        return self.over


def merge(base: Any, over: Any) -> Any:
    """Return `base` with `over` laid over it: mappings merge, anything else replaces, null takes a member away."""
    if not isinstance(base, dict) or not isinstance(over, dict):
        return over
    merged = dict(base)
    for name, value in over.items():
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = merge(merged[name], value) if name in merged else value
    return merged


def _reviewed(merged: Any, over: Any) -> Any:
    """Return the definition as unsigned unless the site signs it: nobody checked the shipped one with this change."""
    if not isinstance(merged, dict) or not isinstance(merged.get("review"), dict):
        return merged
    own = over.get("review")
    signed = own.get("checked_by") if isinstance(own, dict) else None
    return {**merged, "review": {**merged["review"], "checked_by": signed}}


def changed_members(base: Any, merged: Any, path: str = "") -> Iterator[str]:
    """Yield the dotted path of every member that differs, as deep as both are mappings."""
    if isinstance(base, dict) and isinstance(merged, dict):
        for name in dict.fromkeys((*base, *merged)):
            where = f"{path}.{name}" if path else str(name)
            if name not in merged:
                yield f"{where} (taken away)"
            elif name not in base:
                yield where
            else:
                yield from changed_members(base[name], merged[name], where)
    elif base != merged:
        yield path


class Layers:
    """The content folder and, over it, the folder of a site if there is one."""

    def __init__(self, folder: Path, overlay: Path | None = None) -> None:
        """`label` is what faults call the overlay: its name, or its path where the content has the same name."""
        self.folder = folder
        self.overlay = overlay
        self.label = "" if overlay is None else overlay.name
        if overlay is not None and overlay.name in {"", folder.name}:
            self.label = overlay.as_posix()

    def files(self, kind: str) -> list[str]:
        """Return the names of all files of one kind, in order."""
        folders = [self.folder] if self.overlay is None else [self.folder, self.overlay]
        return sorted({path.name for one in folders for path in (one / kind).glob("*.yaml")})

    def documents(self, kind: str) -> Iterator[Document]:
        """Yield every definition of one kind as it holds here."""
        if self.overlay is None:
            yield from read_documents(self.folder / kind, self.folder)
        else:
            yield from (self._document(f"{kind}/{name}") for name in self.files(kind))

    def tables(self) -> Tables:
        """Return the code tables as they hold here."""
        site = None if self.overlay is None else self.overlay / TERMINOLOGY
        return Tables(self.folder / TERMINOLOGY, site, self.label)

    def placed(self, fault: Fault) -> Fault:
        """Return a fault of the later gates with the file and line of its path, read from the file once more."""
        document, path = self._document(fault.file), steps_of(fault.path)
        if fault.check == "example" and self.overlay is not None:
            if isinstance(document, Overlaid) and document.owner(path) is document.base:
                return msgspec.structs.replace(fault, folder=self.label, remedy=_OWN_EXAMPLES)
            if not document.folder:
                remedy = f"Correct the overlay, or put examples that hold into {self.label}/{fault.file}."
                return msgspec.structs.replace(fault, line=document.line_of(path), remedy=remedy)
        found = document.fault(path, fault.check, fault.text, fault.remedy)
        return msgspec.structs.replace(fault, line=found.line, folder=found.folder)

    def changes(
        self, documents: Mapping[str, Iterable[Document]], rows: Mapping[str, int]
    ) -> tuple[SiteChange, ...]:
        """Return what the overlay does, one entry for each definition and each table."""
        found = [
            SiteChange(where=one.file.removesuffix(".yaml"), title=str(one.value.get("title", "")), what=what)
            for of_kind in documents.values()
            for one in of_kind
            if one.folder and isinstance(one.value, dict)
            for what in [_what(one)]
        ]
        tables = [
            SiteChange(
                where=f"{TERMINOLOGY}/{table}", title="Codes", what=f"{count} row{'s' * (count != 1)} added"
            )
            for table, count in rows.items()
        ]
        return (*found, *tables)

    def stray_files(self, kinds: Sequence[str]) -> list[Fault]:
        """Return a fault for everything in the overlay that would be left unread, and for an empty overlay."""
        if self.overlay is None:
            return []
        faults = [*self._stray(self.overlay, [*kinds, TERMINOLOGY])]
        wanted = [*((kind, "*.yaml") for kind in kinds), (TERMINOLOGY, "*.csv")]
        if not faults and not any(any((self.overlay / kind).glob(form)) for kind, form in wanted):
            text = "The overlay holds no definition and no table."
            faults.append(self._fault(".", "no-content", text, "Name the site's folder, or leave it out."))
        return faults

    def _stray(self, overlay: Path, known: Sequence[str]) -> Iterator[Fault]:
        for path in sorted(overlay.iterdir()):
            if path.is_dir() and path.name not in known and not path.name.startswith("."):
                yield self._fault(path.name, "unknown-folder", _NOTHING_READ, did_you_mean(path.name, known))
            elif path.suffix in {".yaml", ".yml", ".csv"}:
                yield self._fault(path.name, "unknown-file", _NOTHING_READ, "Move it into its folder.")
        for kind in known:
            allowed = {".csv", ".md"} if kind == TERMINOLOGY else {".yaml"}
            for path in sorted((overlay / kind).glob("*")):
                if path.suffix not in allowed:
                    where = path.relative_to(overlay).as_posix()
                    yield self._fault(where, "unknown-file", _NOTHING_READ, "Rename or move it.")

    def _fault(self, file: str, check: str, text: str, remedy: str) -> Fault:
        return Fault(file, 1, "", check, text, remedy, folder=self.label)

    def _document(self, file: str) -> Document:
        if self.overlay is None or not (self.overlay / file).is_file():
            return read_document(self.folder / file, self.folder)
        over = read_document(self.overlay / file, self.overlay, self.label)
        if not (self.folder / file).is_file():
            return over
        return Overlaid(read_document(self.folder / file, self.folder), over)


def _what(document: Document) -> str:
    if not isinstance(document, Overlaid):
        return "added"
    members = [*changed_members(document.base.value, document.value)]
    return f"changes {', '.join(members)}" if members else "changes nothing"
