"""The nouns of CDS Hooks 2.0.1 as typed, frozen objects; this module knows nothing of medicine or of our service.

Importable on its own. Field names are the specification's, in snake case; `to_dict` writes the
specification's camelCase and leaves out what has no value, because 2.0.1 forbids null and empty
attributes. Builders refuse a card that a client would reject (`InvalidCardError`).
"""

from __future__ import annotations

import codecs
import re
import uuid as uuid_module
from enum import StrEnum
from typing import Any, Self

import msgspec

from cds_service.errors import InvalidCardError

SUMMARY_LIMIT = 139
"""CDS Hooks 2.0.1: a summary has fewer than 140 characters."""

_UUID = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
_ENCODER = msgspec.json.Encoder()
_ESCAPE = "cds-json-escape"
"""Name of the codec error handler that writes JSON escapes: the fastest way to a few odd characters."""
_ABSOLUTE_URL = re.compile(r"https?://\S+")
_ANY_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:\S+")
_NEEDED = {"create": ("resourceType",), "update": ("resourceType", "id"), "delete": ()}
_RELATIVE_REFERENCE = re.compile(r"[A-Z][A-Za-z]+/[A-Za-z0-9.-]{1,64}")


class Indicator(StrEnum):
    """Urgency of a card, in rising order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return _RANKS[self]


_RANKS = {level: place for place, level in enumerate(Indicator)}


class SelectionBehavior(StrEnum):
    """How many suggestions of a card may be accepted."""

    AT_MOST_ONE = "at-most-one"
    ANY = "any"


class _Noun(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Shared (de)serialisation: camelCase names, absent instead of null or empty."""

    @classmethod
    def from_dict(cls, value: Any) -> Self:
        """Build from parsed JSON; unknown members are ignored. Raises `msgspec.ValidationError`."""
        return msgspec.convert(value, cls)

    def to_dict(self) -> dict[str, Any]:
        """Return plain JSON types ready to serialise, without empty members."""
        return dict(msgspec.json.decode(_ENCODER.encode(self)))


class Coding(_Noun, frozen=True):
    """A code from a code system; `display` is REQUIRED in override reasons."""

    code: str
    system: str
    display: str | None = None


class Source(_Noun, frozen=True):
    """Where the guidance of a card comes from."""

    label: str
    url: str | None = None
    icon: str | None = None
    topic: Coding | None = None

    def __post_init__(self) -> None:
        """Refuse a source without a label, and addresses that lead nowhere."""
        _refuse_blank("source", label=self.label)
        for url in (self.url, self.icon):
            if url is not None and not _ABSOLUTE_URL.fullmatch(url):
                raise InvalidCardError("source.url and source.icon are absolute.", "card.source")
        if self.topic is not None:
            _refuse_blank("source.topic", **msgspec.structs.asdict(self.topic))


class Action(_Noun, frozen=True):
    """One change to the record: `create` and `update` carry a whole resource, `delete` a relative reference."""

    type: str
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse an action that no client could carry out."""
        _refuse_blank("action", description=self.description)
        needed = _NEEDED.get(self.type)
        if needed is None:
            raise InvalidCardError("An action's type is create, update or delete.", "action.type")
        is_bad = self.resource_id is not None and not _RELATIVE_REFERENCE.fullmatch(self.resource_id)
        if is_bad or (self.type == "delete" and (self.resource_id is None or self.resource is not None)):
            raise InvalidCardError("A delete names a relative resourceId alone.", "action.resourceId")
        if not all((self.resource or {}).get(name) for name in needed):
            raise InvalidCardError("A create or update carries a whole resource.", "action.resource")


class Suggestion(_Noun, frozen=True):
    """A set of actions (all of them) that the clinician can accept with one click."""

    label: str
    uuid: str | None = None
    is_recommended: bool | None = None
    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty label, and a uuid that no feedback could name."""
        _refuse_blank("suggestion", label=self.label)
        _refuse_bad_uuid("suggestion", self.uuid)


class Link(_Noun, frozen=True):
    """A link to a page (`absolute`) or a SMART app (`smart`)."""

    label: str
    url: str
    type: str
    app_context: str | None = None
    autolaunchable: bool | None = None

    def __post_init__(self) -> None:
        """Refuse a link that leads nowhere; `appContext` belongs to SMART links only."""
        _refuse_blank("link", label=self.label, appContext=self.app_context)
        if not _ANY_URL.fullmatch(self.url):
            raise InvalidCardError("A link's url is absolute.", "link.url")
        if self.type not in {"absolute", "smart"}:
            raise InvalidCardError("A link's type is absolute or smart.", "link.type")
        if self.type == "absolute" and self.app_context is not None:
            raise InvalidCardError("appContext is for smart links only.", "link.appContext")


class Card(_Noun, frozen=True):
    """One card. `summary` is one line of at most 139 characters, `detail` is GitHub Flavored Markdown."""

    summary: str
    indicator: Indicator
    source: Source
    uuid: str | None = None
    detail: str | None = None
    suggestions: tuple[Suggestion, ...] = ()
    selection_behavior: SelectionBehavior | None = None
    override_reasons: tuple[Coding, ...] = ()
    links: tuple[Link, ...] = ()
    extension: dict[str, Any] | None = None

    def __post_init__(self) -> None:
        """Refuse what a conforming client must treat as an error."""
        if not self.summary.strip() or len(self.summary) > SUMMARY_LIMIT or self.summary.splitlines()[1:]:
            raise InvalidCardError("A summary is one line of 1 to 139 characters.", "card.summary")
        _refuse_bad_uuid("card", self.uuid)
        _refuse_blank("card", detail=self.detail)
        if self.extension is not None and not self.extension:
            raise InvalidCardError("An empty extension is left out.", "card.extension")
        self._refuse_bad_choices()

    def _refuse_bad_choices(self) -> None:
        if self.suggestions and self.selection_behavior is None:
            raise InvalidCardError("Suggestions need a selectionBehavior.", "card.selectionBehavior")
        recommended = sum(1 for suggestion in self.suggestions if suggestion.is_recommended)
        if recommended > 1 and self.selection_behavior is not SelectionBehavior.ANY:
            raise InvalidCardError("Several recommended ones need selectionBehavior any.", "card.suggestions")
        for one in self.override_reasons:
            _refuse_blank("overrideReason", code=one.code, system=one.system, display=one.display or "")


class CDSResponse(_Noun, frozen=True, omit_defaults=False):
    """The answer of a service: `cards` is always present, also when empty."""

    cards: tuple[Card, ...]
    extension: dict[str, Any] | msgspec.UnsetType = msgspec.UNSET

    def to_json(self) -> bytes:
        """Return the answer as ASCII-safe JSON bytes."""
        return ascii_json(self)


class CDSService(_Noun, frozen=True):
    """One entry of the discovery document."""

    hook: str
    id: str
    description: str
    title: str | None = None
    prefetch: dict[str, str] | None = None
    usage_requirements: str | None = None


class FHIRAuthorization(_Noun, frozen=True, rename="lower"):
    """The bearer token for the client's FHIR server; transient, never stored or logged.

    Its members are OAuth's and keep their underscores, unlike all others of the specification.
    `expires_in` (seconds) is REQUIRED by the specification and missing in real requests, so it is tolerated.
    """

    access_token: str
    token_type: str = "Bearer"  # noqa: S105 - the fixed value of the specification, not a secret
    scope: str | None = None
    subject: str | None = None
    expires_in: int | None = None
    patient: str | None = None

    def __repr__(self) -> str:
        """Never print the token."""
        return "FHIRAuthorization(access_token=<hidden>)"


class CDSRequest(_Noun, frozen=True):
    """The body of a hook call, as parsed JSON; `context` and `prefetch` keep the client's members whole."""

    hook: str
    hook_instance: str
    context: dict[str, Any]
    fhir_server: str | None = None
    fhir_authorization: FHIRAuthorization | None = None
    prefetch: dict[str, Any] | None = None
    extension: dict[str, Any] | None = None


class AcceptedSuggestion(_Noun, frozen=True):
    """The uuid of a suggestion that was accepted."""

    id: str


class OverrideReason(_Noun, frozen=True):
    """Why a card was overridden; `user_comment` may hold patient data."""

    reason: Coding | None = None
    user_comment: str | None = None


class Feedback(_Noun, frozen=True):
    """What became of one card. The service reads it leniently in web/feedback_message.py: clients leave parts out."""

    card: str
    outcome: str
    outcome_timestamp: str  # RFC 3339
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = ()
    override_reason: OverrideReason | None = None


def _refuse_blank(where: str, **texts: str | None) -> None:
    for name, text in texts.items():
        if text is not None and not text.strip():
            raise InvalidCardError("A text is left out or says something.", f"{where}.{name}")


def _refuse_bad_uuid(where: str, uuid: str | None) -> None:
    if uuid is not None and not _UUID.fullmatch(uuid):
        raise InvalidCardError("A uuid is a UUID.", f"{where}.uuid")


def ascii_json(value: Any) -> bytes:
    """Return JSON in which every character beyond ASCII is escaped, so that no proxy can garble it."""
    body = _ENCODER.encode(value)
    return body if body.isascii() else body.decode().encode("ascii", _ESCAPE)


def _escaped(error: UnicodeError) -> tuple[str, int]:
    """Return the JSON escapes (UTF-16 code units) of a run of characters that ASCII lacks, and where it ends."""
    if not isinstance(error, UnicodeEncodeError):
        raise error
    units = error.object[error.start : error.end].encode("utf-16-be")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2)), error.end


codecs.register_error(_ESCAPE, _escaped)


def fresh_uuid() -> str:
    """Return a new random UUID: the only thing in which two runs over the same input differ."""
    return str(uuid_module.uuid4())


def cut_to_summary(text: str, limit: int = SUMMARY_LIMIT) -> str:
    """Return `text` on one line, cut at a word to at most `limit` characters, with an ellipsis when cut."""
    line = " ".join(text.split())
    if len(line) <= limit:
        return line
    head = line[: limit - 1]
    cut = head.rfind(" ")
    return (head[:cut] if cut > limit // 2 else head).rstrip(" ,;:·(") + "…"
