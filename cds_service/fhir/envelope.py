"""From the bytes of a hook call to a checked `HookRequest`; it looks into no clinical element and fetches nothing.

A well-formed answer is decoded straight into lean structs. Where one resource does not fit, the answer is decoded
again entry by entry, so that the fault costs that element only and leaves a note.
"""

from __future__ import annotations

import re
from typing import Any, NamedTuple

import msgspec

from cds_service.errors import MalformedRequestError, MissingElementError
from cds_service.fhir.draft_orders import Drafted, read_reasons, read_selections
from cds_service.fhir.lenient import ANY_ENTRY, EntryDecoder, soft_resource
from cds_service.fhir.members import Raws, is_null, members_of, split_message
from cds_service.fhir.observations import LISTED_ENTRY, OBSERVATION_KEYS, observations_in
from cds_service.fhir.shapes import Resource
from cds_service.model.facts import ReadingNote
from cds_service.model.hooks import FHIRAuthorization

_DEEPEST = 64
_RAW_MEMBERS = msgspec.json.Decoder(Raws)
_TEXT = msgspec.json.Decoder(str)
_OBJECT = msgspec.json.Decoder(dict[str, Any])
_AUTHORIZATION = msgspec.json.Decoder(FHIRAuthorization)
FHIR_ID = re.compile(r"[A-Za-z0-9\-.]{1,64}")
"""What FHIR allows as the id of a resource."""

_NEED_ENCOUNTER = frozenset({"encounter-start"})
_ORDER_HOOKS = frozenset({"order-select", "order-sign"})

AS_OF_EXTENSION = "org.spasm-cds.as-of"


class HookContext(NamedTuple):
    """What the hook says happened: ids without resource type, Conditions that were recorded, orders in draft."""

    patient_id: str
    user_id: str
    encounter_id: str | None
    conditions: Resource | None
    drafted: Drafted | None = None


class HookRequest(NamedTuple):
    """One hook call, checked. `prefetch` is None when the member was absent."""

    hook: str
    hook_instance: str
    context: HookContext
    prefetch: dict[str, Resource | None] | None
    fhir_server: str | None
    authorization: FHIRAuthorization | None
    extension: dict[str, Any]
    notes: tuple[ReadingNote, ...]
    in_part: frozenset[str] = frozenset()
    """Keys whose answer may lack something, although it does not say so: they show no absence."""


def decode_request(body: bytes, hook: str) -> HookRequest:
    """Return the checked request for the service of `hook`.

    Raises `MalformedRequestError` or `MissingElementError`, which name the member and never its value.
    """
    members, answers = split_message(body)
    if _string(members, "hook") != hook:
        raise MalformedRequestError("This service is for another hook.", "hook")
    hook_instance = _string(members, "hookInstance")
    notes: list[ReadingNote] = []
    context = _context(members, hook, notes)
    prefetch = _prefetch(members.get("prefetch"), answers, notes)
    return HookRequest(
        hook=hook,
        hook_instance=hook_instance,
        context=context,
        prefetch=prefetch,
        fhir_server=_optional_string(members, "fhirServer"),
        authorization=_authorization(members.get("fhirAuthorization")),
        extension=_extension(members.get("extension")),
        notes=tuple(notes),
    )


def _string(members: Raws, name: str, where: str = "") -> str:
    path = f"{where}.{name}" if where else name
    raw = members.get(name)
    if raw is None or is_null(raw):
        raise MissingElementError("Required element missing", path)
    try:
        text = _TEXT.decode(raw)
    except msgspec.MsgspecError as error:
        raise MalformedRequestError("The element must be a string.", path) from error
    if not text.strip():
        raise MissingElementError("Required element missing", path)
    return text


def _optional_string(members: Raws, name: str, where: str = "") -> str | None:
    """Return the string, or None where it is absent, null or blank: nothing rests on an optional member."""
    try:
        return _string(members, name, where)
    except MissingElementError:
        return None


def _context(members: Raws, hook: str, notes: list[ReadingNote]) -> HookContext:
    raw = members.get("context")
    if raw is None or is_null(raw):
        raise MissingElementError("Required element missing", "context")
    inner = members_of(bytes(raw), "context")
    user = _string(inner, "userId", "context")
    patient = _bare_id(_string(inner, "patientId", "context"), "context.patientId", notes)
    read_encounter = _string if hook in _NEED_ENCOUNTER else _optional_string
    encounter = read_encounter(inner, "encounterId", "context")
    conditions = drafted = None
    if hook == "problem-list-item-create":
        conditions = _bundle(inner, "conditions", notes)
    elif hook in _ORDER_HOOKS:
        drafted = _drafted(inner, hook, notes)
    bare = _bare_id(encounter, "context.encounterId", notes) if encounter else None
    return HookContext(patient, user, bare, conditions, drafted)


def _drafted(inner: Raws, hook: str, notes: list[ReadingNote]) -> Drafted:
    selections = read_selections(inner.get("selections"), notes) if hook == "order-select" else None
    bundle = _bundle(inner, "draftOrders", notes)
    return Drafted(bundle, read_reasons(bytes(inner["draftOrders"]), notes), selections)


def _bundle(inner: Raws, name: str, notes: list[ReadingNote]) -> Resource:
    """Return a Bundle of the context; some clients leave its `type` or its `resourceType` out."""
    path, raw = f"context.{name}", inner.get(name)
    if raw is None or is_null(raw):
        raise MissingElementError("Required element missing", path)
    bundle = _one_resource(raw, path, notes)
    if bundle is None or (bundle.resource_type != "Bundle" and bundle.entry is None):
        raise MalformedRequestError("The element must be a Bundle.", path)
    return bundle


def _bare_id(text: str, path: str, notes: list[ReadingNote]) -> str:
    """Return the id; real clients also send `Patient/123`, which is used and noted."""
    bare = text.split("/_history/", maxsplit=1)[0].rsplit("/", maxsplit=1)[-1]
    if bare != text:
        notes.append(
            ReadingNote(severity="information", code="id-with-type", path=path, remedy="Send the bare id.")
        )
    if not FHIR_ID.fullmatch(bare):
        raise MalformedRequestError("The element must be a FHIR id.", path)
    return bare


def _authorization(raw: msgspec.Raw | None) -> FHIRAuthorization | None:
    if raw is None or is_null(raw):
        return None
    members_of(bytes(raw), "fhirAuthorization")
    try:
        return _AUTHORIZATION.decode(raw)
    except msgspec.MsgspecError as error:
        raise MalformedRequestError("A member is missing or mistyped.", "fhirAuthorization") from error


def _extension(raw: msgspec.Raw | None) -> dict[str, Any]:
    if raw is None:
        return {}
    try:
        return _OBJECT.decode(raw)
    except (msgspec.MsgspecError, RecursionError):
        return {}


def _prefetch(
    raw: msgspec.Raw | None, answers: Raws | None, notes: list[ReadingNote]
) -> dict[str, Resource | None] | None:
    """Return the answers of the prefetch by key, from `answers` where the message was split that far."""
    if answers is None:
        if raw is None or is_null(raw):
            return None
        try:
            answers = _RAW_MEMBERS.decode(raw)
        except msgspec.MsgspecError as error:
            raise MalformedRequestError("The element must be an object.", "prefetch") from error
    prefetch: dict[str, Resource | None] = {}
    for name, value in answers.items():
        resource = None if is_null(value) else _answer(name, value, notes)
        if resource is not None or is_null(value):  # a value that is no object is absent, not "none found"
            prefetch[name] = resource
    return prefetch


def _answer(key: str, raw: msgspec.Raw, notes: list[ReadingNote]) -> Resource | None:
    """Return the resource that answers a prefetch key; None when it is no object at all."""
    try:
        if key in OBSERVATION_KEYS:
            return observations_in(raw) or _one_resource(raw, f"prefetch.{key}", notes, LISTED_ENTRY)
        return _one_resource(raw, f"prefetch.{key}", notes)
    except msgspec.DecodeError as error:
        raise MalformedRequestError("The element must be an object.", "prefetch") from error


def decode_resource(body: bytes, path: str, notes: list[ReadingNote]) -> Resource | None:
    """Return the resource that a FHIR server sent, read softly where it breaks FHIR.

    None, with a note, when it is no JSON object or nested too deeply: then nothing was answered.
    """
    try:
        return soft_resource(body, path, notes, _DEEPEST)
    except (ValueError, RecursionError, msgspec.MsgspecError):
        notes.append(
            ReadingNote(
                severity="warning",
                code="unreadable-element",
                path=path,
                remedy="Send a FHIR resource as JSON.",
            )
        )
        return None


def _one_resource(
    raw: msgspec.Raw, path: str, notes: list[ReadingNote], usual_entry: EntryDecoder = ANY_ENTRY
) -> Resource | None:
    """Return the resource of one value, read softly where it breaks FHIR; None when it is no object at all."""
    try:
        return soft_resource(bytes(raw), path, notes, _DEEPEST, usual_entry)
    except RecursionError as error:  # the rest of the path may be a name of the client's own making
        raise MalformedRequestError("The JSON is nested too deeply.", path.partition(".")[0]) from error
