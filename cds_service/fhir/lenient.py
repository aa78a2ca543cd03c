"""Reads one resource that breaks FHIR, element by element; it repairs nothing and drops only what does not fit.

Each element is decoded from its own bytes, so that the many that fit cost as little as in a resource that fits.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, NamedTuple, get_args

import msgspec

from cds_service.fhir.members import Raws, is_null
from cds_service.fhir.shapes import Entry, Reference, Resource, Shape
from cds_service.model.facts import ReadingNote

EntryDecoder = msgspec.json.Decoder[Any]

_RESOURCE = msgspec.json.Decoder(Resource)
_MEMBERS = msgspec.json.Decoder(Raws)
_ITEMS = msgspec.json.Decoder(list[msgspec.Raw])
_TEXT = msgspec.json.Decoder(str)
ANY_ENTRY: EntryDecoder = msgspec.json.Decoder(Entry)
_MOST_NOTES = 200
_IN_FORM = "Send the element in the form that FHIR gives it."
_SOMEBODY = "unreadable"
"""Stands for a reference that cannot be read; no patient has it."""


class _Element(NamedTuple):
    """One element of a shape.

    `shape` is the struct that its value holds, if any; `many` when structs can stand in a list, `single` when one
    can stand alone.
    """

    field: str
    decoder: msgspec.json.Decoder[Any]
    shape: type[Shape] | None
    many: bool
    single: bool


def soft_resource(
    raw: bytes, path: str, notes: list[ReadingNote], deepest: int, usual_entry: EntryDecoder = ANY_ENTRY
) -> Resource | None:
    """Return the resource in `raw`; each element that does not fit is left out with a note.

    `usual_entry` decodes the entries that are expected in a Bundle; others are read as any entry is. Returns None,
    with a note, when `raw` is no JSON object or when its entries cannot be read at all: what was not understood is
    no empty answer. Raises `RecursionError` beyond `deepest` levels.
    """
    try:
        return _RESOURCE.decode(raw)
    except msgspec.ValidationError:
        pass
    members = _members(raw)
    if members is None:
        _note(notes, path)
        return None
    entries = _items(members.get("entry"))
    if entries is not None:
        del members["entry"]
    resource: Resource = _soft(members, Resource, path, notes, deepest)
    if entries is not None:
        resource.entry = _entries(entries, path, notes, deepest, usual_entry)
    sent = members.get("entry")
    return None if resource.entry is None and sent is not None and not is_null(sent) else resource


def _entries(
    raws: list[msgspec.Raw], path: str, notes: list[ReadingNote], deepest: int, usual_entry: EntryDecoder
) -> list[Entry]:
    """Return the entries of a Bundle, of which only those that do not fit are read the slow way."""
    entries: list[Entry] = []
    for place, raw in enumerate(raws):
        entry = _fitting(raw, usual_entry)
        if entry is None:
            where, members = f"{path}.entry[{place}]", _members(raw)
            if members is None:
                _note(notes, where)
                continue
            entry = _soft(members, Entry, where, notes, deepest - 1)
        entries.append(entry)
    return entries


def _fitting(raw: msgspec.Raw, usual_entry: EntryDecoder) -> Entry | None:
    for decoder in dict.fromkeys((usual_entry, ANY_ENTRY)):
        try:
            entry: Entry = decoder.decode(raw)
        except msgspec.ValidationError:
            continue
        return entry
    return None


def _members(raw: bytes | msgspec.Raw) -> Raws | None:
    """Return the raw members of an object; None where it is none."""
    try:
        return _MEMBERS.decode(raw)
    except msgspec.ValidationError:
        return None


def _items(raw: msgspec.Raw | None) -> list[msgspec.Raw] | None:
    """Return the raw items of a list; None where it is none."""
    if raw is None:
        return None
    try:
        return _ITEMS.decode(raw)
    except msgspec.ValidationError:
        return None


def _note(notes: list[ReadingNote], path: str) -> None:
    """Keep a note; after many a last one says that there are more."""
    if len(notes) > _MOST_NOTES:
        return
    is_last = len(notes) == _MOST_NOTES
    notes.append(
        ReadingNote(
            severity="warning",
            code="unreadable-element",
            path="(more)" if is_last else path,
            remedy="There are more of these than are listed." if is_last else _IN_FORM,
        )
    )


def _soft(sent: Raws, shape: type[Any], path: str, notes: list[ReadingNote], depth: int) -> Any:
    if depth <= 0:
        raise RecursionError
    read: dict[str, Any] = {}
    elements = _ELEMENTS[shape]
    for name, raw in sent.items():
        element = elements.get(name)
        if element is None or is_null(raw):
            continue
        value = _soft_element(raw, element, f"{path}.{name}", notes, depth)
        if value is not None:
            read[element.field] = value
    for name in ("subject", "patient") if shape is Resource else ():
        if _is_lost(sent.get(name), read.get(name)):
            read[name] = Reference(reference=_SOMEBODY)
    return shape(**read)


def _is_lost(given: msgspec.Raw | None, read: Reference | None) -> bool:
    """Whether a resource said whose it is, but not readably: it must not be taken for the patient's."""
    if given is None or is_null(given) or (read is not None and read.reference is not None):
        return False
    members = _members(given)
    if members is None:
        return True
    named = members.get("reference")
    return named is not None and not is_null(named)


def _soft_element(
    raw: msgspec.Raw, element: _Element, path: str, notes: list[ReadingNote], depth: int
) -> Any:
    try:
        return element.decoder.decode(raw)
    except (msgspec.ValidationError, ValueError, OverflowError):
        return _soft_shape(raw, element, path, notes, depth)


def _soft_shape(raw: msgspec.Raw, element: _Element, path: str, notes: list[ReadingNote], depth: int) -> Any:
    """Read what stands in a list where FHIR has none, alone where FHIR has a list, or has a part that does not fit."""
    items, shape = _items(raw), element.shape
    if not element.many and items is not None and len(items) == 1 and _items(items[0]) is None:
        return None if is_null(items[0]) else _soft_element(items[0], element, f"{path}[0]", notes, depth - 1)
    if shape is Reference and (text := _text(raw)) is not None:
        return Reference(reference=text)
    if shape is not None and (members := _members(raw)) is not None:
        soft = _soft(members, shape, path, notes, depth - 1)
        return [soft] if element.many and not element.single else soft
    if shape is not None and element.many and items is not None:
        return _soft_items(items, shape, path, notes, depth)
    _note(notes, path)
    return None


def _soft_items(
    items: list[msgspec.Raw], shape: type[Shape], path: str, notes: list[ReadingNote], depth: int
) -> list[Any]:
    read = []
    for place, item in enumerate(items):
        where, members = f"{path}[{place}]", _members(item)
        if members is None:
            _note(notes, where)
        else:
            read.append(_soft(members, shape, where, notes, depth - 1))
    return read


def _text(raw: msgspec.Raw) -> str | None:
    try:
        return _TEXT.decode(raw)
    except msgspec.ValidationError:
        return None


def _element(field: msgspec.structs.FieldInfo) -> _Element:
    shape, many = _shape_in(field.type)
    decoder = msgspec.json.Decoder(field.type, strict=False)
    return _Element(field.name, decoder, shape, many, _takes_single(field.type))


def _shape_in(wanted: Any) -> tuple[type[Shape] | None, bool]:
    """Return the struct that an annotation holds, and whether it can stand in a list."""
    shape: type[Shape] | None = None
    many = False
    for part in get_args(wanted) or (wanted,):
        if isinstance(part, type) and issubclass(part, Shape):
            shape = part
        for inner in get_args(part):
            for kind in get_args(inner) or (inner,):
                if isinstance(kind, type) and issubclass(kind, Shape):
                    shape, many = kind, True
    return shape, many


def _takes_single(wanted: Any) -> bool:
    return any(isinstance(part, type) and issubclass(part, Shape) for part in get_args(wanted))


_SHAPES: list[type[Shape]] = [*Shape.__subclasses__(), Resource]
_ELEMENTS: Mapping[type[Any], Mapping[str, _Element]] = {
    shape: {field.encode_name: _element(field) for field in msgspec.structs.fields(shape)}
    for shape in _SHAPES
}
"""Shape → name in FHIR → element. Worked out once: it takes longer than reading a resource."""
