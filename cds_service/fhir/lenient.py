"""Reads one resource that breaks FHIR, element by element; it repairs nothing and drops only what does not fit."""

from __future__ import annotations

import json
from decimal import Decimal, InvalidOperation
from typing import Any, get_args

import msgspec

from cds_service.fhir.shapes import Entry, Reference, Resource, Shape
from cds_service.model.facts import ReadingNote

_RESOURCE = msgspec.json.Decoder(Resource)
_MEMBERS = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ENTRIES = msgspec.json.Decoder(list[msgspec.Raw])
_ENTRY = msgspec.json.Decoder(Entry)
_SHAPES: list[type[Shape]] = [*Shape.__subclasses__(), Resource]
_FIELDS = {shape: {field.encode_name: field for field in msgspec.structs.fields(shape)} for shape in _SHAPES}
"""Shape → name in FHIR → field. Worked out once: it takes longer than reading a resource."""
_MOST_NOTES = 200
_IN_FORM = "Send the element in the form that FHIR gives it."
_SOMEBODY = "unreadable"
"""Stands for a reference that cannot be read; no patient has it."""
_LONGEST_INTEGER = 18
"""Digits; a longer whole number is kept as a decimal, because only a measured value could be so long."""


def soft_resource(raw: bytes, path: str, notes: list[ReadingNote], deepest: int) -> Resource | None:
    """Return the resource in `raw`; each element that does not fit is left out with a note.

    Returns None, with a note, when `raw` is no JSON object or when its entries cannot be read at all: what was not
    understood is no empty answer. Raises `RecursionError` beyond `deepest` levels.
    """
    try:
        return _RESOURCE.decode(raw)
    except msgspec.ValidationError:
        pass
    if (bundle := _bundle_by_entry(raw, path, notes, deepest)) is not None:
        return bundle
    value = _value(raw)
    if not isinstance(value, dict):
        _note(notes, path)
        return None
    resource: Resource = _soft(value, Resource, path, notes, deepest)
    return None if resource.entry is None and value.get("entry") is not None else resource


def _bundle_by_entry(raw: bytes, path: str, notes: list[ReadingNote], deepest: int) -> Resource | None:
    """Return the Bundle in `raw`, of which only the entries that do not fit are read the slow way.

    Returns None where there is no list of entries.
    """
    try:
        members = _MEMBERS.decode(raw)
        entries = _ENTRIES.decode(members.pop("entry"))
    except (msgspec.MsgspecError, KeyError):
        return None
    rest = {name: _value(bytes(value)) for name, value in members.items()}
    bundle: Resource = _soft(rest, Resource, path, notes, deepest)
    bundle.entry = []
    for place, entry in enumerate(entries):
        try:
            bundle.entry.append(_ENTRY.decode(entry))
        except msgspec.ValidationError:
            where, value = f"{path}.entry[{place}]", _value(bytes(entry))
            if isinstance(value, dict):
                bundle.entry.append(_soft(value, Entry, where, notes, deepest - 1))
            else:
                _note(notes, where)
    return bundle


def _value(raw: bytes) -> Any:
    return json.loads(raw, parse_float=_decimal, parse_int=_integer)


def _decimal(text: str) -> Decimal | str:
    """Return the number with its digits as printed; beyond every exponent it stays text, which fits no element."""
    try:
        return Decimal(text)
    except InvalidOperation:
        return text


def _integer(text: str) -> int | Decimal | str:
    return int(text) if len(text) <= _LONGEST_INTEGER else _decimal(text)


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


def _soft(value: dict[str, Any], shape: type[Any], path: str, notes: list[ReadingNote], depth: int) -> Any:
    if depth <= 0:
        raise RecursionError
    members: dict[str, Any] = {}
    fields = _FIELDS[shape]
    for name, part in value.items():
        field = fields.get(name)
        if field is None:
            continue
        read = _soft_member(part, field.type, f"{path}.{name}", notes, depth)
        if read is not None:
            members[field.name] = read
    for name in ("subject", "patient") if shape is Resource else ():
        if _is_lost(value.get(name), members.get(name)):
            members[name] = Reference(reference=_SOMEBODY)
    return shape(**members)


def _is_lost(given: Any, read: Reference | None) -> bool:
    """Whether a resource said whose it is, but not readably: it must not be taken for the patient's."""
    if given is None:
        return False
    names_somebody = not isinstance(given, dict) or given.get("reference") is not None
    return names_somebody and (read is None or read.reference is None)


def _soft_member(value: Any, wanted: Any, path: str, notes: list[ReadingNote], depth: int) -> Any:
    if value is None:
        return None
    try:
        return msgspec.convert(value, wanted, strict=False)
    except (msgspec.ValidationError, ValueError, OverflowError):
        pass
    return _soft_shape(value, wanted, path, notes, depth)


def _soft_shape(value: Any, wanted: Any, path: str, notes: list[ReadingNote], depth: int) -> Any:
    """Read what stands in a list where FHIR has none, alone where FHIR has a list, or has a part that does not fit."""
    shape, many = _shape_in(wanted)
    if not many and isinstance(value, list) and len(value) == 1 and not isinstance(value[0], list):
        return _soft_member(value[0], wanted, f"{path}[0]", notes, depth - 1)
    if shape is Reference and isinstance(value, str):
        return Reference(reference=value)
    if shape is not None and isinstance(value, dict):
        soft = _soft(value, shape, path, notes, depth - 1)
        return [soft] if many and not _takes_single(wanted) else soft
    if shape is not None and many and isinstance(value, list):
        items = []
        for place, item in enumerate(value):
            where = f"{path}[{place}]"
            if isinstance(item, dict):
                items.append(_soft(item, shape, where, notes, depth - 1))
            else:
                _note(notes, where)
        return items
    _note(notes, path)
    return None


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
