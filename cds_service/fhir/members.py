"""Splits a message into its members, each still raw JSON; it refuses a name that stands twice and reads no value."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from cds_service.errors import MalformedRequestError

Raws = dict[str, msgspec.Raw]

_KEY = re.compile(rb'[\s,{]*+("(?:[^"\\]++|\\.)*+")\s*+:\s*+')
"""A name with what stands around it; possessive throughout, so that no text makes it try again."""
_CLOSE = re.compile(rb"[\s{]*\}")
_TEXT = msgspec.json.Decoder(str)
_RAW_MEMBERS = msgspec.json.Decoder(Raws)
_ABSENT = msgspec.Raw()
_NULL = b"null"


class _Usual(msgspec.Struct, rename="camel", forbid_unknown_fields=True, gc=False):
    """A message with the members of the standard and no other; its prefetch is split in the same pass."""

    hook: msgspec.Raw = _ABSENT
    hook_instance: msgspec.Raw = _ABSENT
    fhir_server: msgspec.Raw = _ABSENT
    fhir_authorization: msgspec.Raw = _ABSENT
    context: msgspec.Raw = _ABSENT
    prefetch: Raws | msgspec.UnsetType = msgspec.UNSET
    extension: msgspec.Raw = _ABSENT


_USUAL = msgspec.json.Decoder(_Usual)
_NAMES = tuple((field.name, field.encode_name) for field in msgspec.structs.fields(_Usual))


class Message(NamedTuple):
    """The raw members of a message. `prefetch` holds its answers by key, or is None where they were not split."""

    members: Raws
    prefetch: Raws | None


def split_message(body: bytes) -> Message:
    """Return the members of a message. Raises `MalformedRequestError` like `members_of`."""
    _refuse_bad_text(body, "")
    try:
        usual = _USUAL.decode(body)
    except (msgspec.MsgspecError, RecursionError):
        return Message(members_of(body, ""), None)
    sent = {name: value for field, name in _NAMES if _is_sent(value := getattr(usual, field))}
    if not _stands_once(body, sent):
        return Message(members_of(body, ""), None)
    prefetch = sent.pop("prefetch", None)
    return Message(sent, prefetch)


def members_of(body: bytes, where: str) -> Raws:
    """Return the raw members of a JSON object.

    Raises `MalformedRequestError` for a name that stands twice, bad UTF-8 and deep nesting.
    """
    _refuse_bad_text(body, where)
    try:
        members = _RAW_MEMBERS.decode(body)
    except RecursionError as error:
        raise MalformedRequestError("The JSON is nested too deeply.", where or "$") from error
    except msgspec.MsgspecError as error:
        raise MalformedRequestError("The body is not a JSON object.", where or "$") from error
    if not _stands_once(body, members):
        raise MalformedRequestError("A member name stands twice.", where or "$")
    return members


def is_null(raw: msgspec.Raw) -> bool:
    """Whether a value is null, without copying a long one."""
    return memoryview(raw).nbytes == len(_NULL) and bytes(raw) == _NULL


def _refuse_bad_text(body: bytes, where: str) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError as error:
        raise MalformedRequestError("The body is not a JSON object.", where or "$") from error


def _is_sent(value: msgspec.Raw | Raws | msgspec.UnsetType) -> bool:
    return value is not _ABSENT and value is not msgspec.UNSET


def _stands_once(body: bytes, members: Mapping[str, msgspec.Raw | Raws]) -> bool:
    """Whether every name of the object occurs once: msgspec keeps the last, so each value must stand at its name."""
    end = _end_of_object(body, 0, members)
    return end >= 0 and not body[end:].strip()


def _end_of_object(body: bytes, position: int, members: Mapping[str, msgspec.Raw | Raws]) -> int:
    """Return where the object that stands at `position` ends; -1 where it is not made of these members alone."""
    seen = 0
    while found := _KEY.match(body, position):
        value, position = members[_TEXT.decode(found[1])], found.end()
        if isinstance(value, dict):
            position = _end_of_object(body, position, value)
        else:
            text = bytes(value)
            position = position + len(text) if body.startswith(text, position) else -1
        if position < 0:
            return -1
        seen += 1
    close = _CLOSE.match(body, position)
    return close.end() if close is not None and seen == len(members) else -1
