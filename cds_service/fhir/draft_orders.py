"""Decodes what an order hook says: the drafts, why they are ordered and which were selected; it reads no chart."""

from __future__ import annotations

from typing import Any, NamedTuple

import msgspec

from cds_service.errors import MalformedRequestError, MissingElementError
from cds_service.fhir.shapes import CodeableConcept, Entry, Reference, Resource
from cds_service.model.facts import ReadingNote

DRAFTS, SELECTIONS = "context.draftOrders", "context.selections"
_SELECTIONS = msgspec.json.Decoder(list[Any])
_ANYTHING = msgspec.json.Decoder(Any)
_MOST_REASONS = 20
"""Reasons of one draft that are read."""


class Reasons(NamedTuple):
    """Why one draft is ordered: in codes or words, and by reference."""

    concepts: tuple[CodeableConcept, ...] = ()
    references: tuple[Reference, ...] = ()


class Drafted(NamedTuple):
    """The drafts of one call, why each is ordered (by its place in the Bundle), and the references selected.

    `selections` is None where the hook knows none: then all drafts are meant.
    """

    bundle: Resource
    reasons: dict[int, Reasons]
    selections: frozenset[str] | None

    def selects(self, entry: Entry) -> bool:
        """Whether a draft is meant; a selection may be a reference, an address or a bare id."""
        if self.selections is None:
            return True
        names = {_relative(entry.full_url)} if entry.full_url else set()
        resource = entry.resource
        if resource is not None and resource.id:
            names |= {resource.id, f"{resource.resource_type}/{resource.id}"}
        return not names.isdisjoint(self.selections)


def read_selections(raw: msgspec.Raw | None, notes: list[ReadingNote]) -> frozenset[str]:
    """Return the selected references, without base and version.

    Raises `MissingElementError` where there are none, `MalformedRequestError` where they are no array.
    """
    if raw is None or bytes(raw) == b"null":
        raise MissingElementError("Required element missing", SELECTIONS)
    try:
        sent = _SELECTIONS.decode(raw)
    except (msgspec.MsgspecError, RecursionError) as error:
        raise MalformedRequestError("The element must be an array of references.", SELECTIONS) from error
    for place, one in enumerate(sent):
        if not isinstance(one, str):
            notes.append(_unreadable(f"{SELECTIONS}[{place}]", "Send a reference such as Type/id."))
    return frozenset(_relative(one) for one in sent if isinstance(one, str))


def read_reasons(raw: bytes, notes: list[ReadingNote]) -> dict[int, Reasons]:
    """Return why each draft is ordered, by its place; a reason that cannot be read is left out with a note."""
    try:
        bundle = _ANYTHING.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return {}
    entries = bundle.get("entry") if isinstance(bundle, dict) else None
    found = {}
    for place, entry in enumerate(entries if isinstance(entries, list) else ()):
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if isinstance(resource, dict):
            reasons = _reasons_of(resource, f"{DRAFTS}.entry[{place}].resource", notes)
            if reasons.concepts or reasons.references:
                found[place] = reasons
    return found


def _reasons_of(resource: dict[str, Any], path: str, notes: list[ReadingNote]) -> Reasons:
    """Read the reasons of any version of FHIR: R5 wraps both kinds in one, DSTU2 knows single ones."""
    concepts: list[CodeableConcept] = []
    references: list[Reference] = []
    for name in ("reasonCode", "reasonReference", "reasonCodeableConcept", "reason", "indication"):
        sent = resource.get(name)
        each = (sent if isinstance(sent, list) else [sent])[:_MOST_REASONS]
        unread = [one for one in each if one is not None and not _read_reason(one, concepts, references)]
        if unread:
            notes.append(_unreadable(f"{path}.{name}", "Send the reason in the form that FHIR gives it."))
    return Reasons(tuple(concepts), tuple(references))


def _read_reason(one: Any, concepts: list[CodeableConcept], references: list[Reference]) -> bool:
    """Keep one reason where it can be read; a bare string is taken for its words."""
    if isinstance(one, str):
        concepts.append(CodeableConcept(text=one))
        return True
    if not isinstance(one, dict):
        return False
    try:
        for concept in (one, one.get("concept")):
            if isinstance(concept, dict) and ("coding" in concept or "text" in concept):
                concepts.append(msgspec.convert(concept, CodeableConcept, strict=False))
                return True
        inner = one.get("reference")
        references.append(msgspec.convert(inner if isinstance(inner, dict) else one, Reference, strict=False))
    except (msgspec.ValidationError, ValueError):
        return False
    return True


def _relative(reference: str) -> str:
    """Return `Type/id`, or the bare id, of a reference in any form."""
    bare = reference.strip().split("/_history/", maxsplit=1)[0]
    return "/".join(bare.removeprefix("urn:uuid:").split("/")[-2:])


def _unreadable(path: str, remedy: str) -> ReadingNote:
    return ReadingNote(severity="warning", code="unreadable-element", path=path, remedy=remedy)
