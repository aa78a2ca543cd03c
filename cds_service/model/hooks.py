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


class Indicator(StrEnum):
    """Urgency of a card, in rising order."""

    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"

    @property
    def rank(self) -> int:
        """0 for info, 1 for warning, 2 for critical."""
        return ("info", "warning", "critical").index(self.value)


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
        built: dict[str, Any] = msgspec.to_builtins(self)
        return built


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


class Action(_Noun, frozen=True):
    """One change to the record: `create` and `update` carry a whole resource, `delete` a relative reference."""

    type: str
    description: str
    resource: dict[str, Any] | None = None
    resource_id: str | None = None

    def __post_init__(self) -> None:
        """Refuse an action that no client could carry out."""
        if self.type not in {"create", "update", "delete"}:
            raise InvalidCardError("An action's type is create, update or delete.", "action.type")
        if self.type == "delete" and (self.resource_id is None or self.resource is not None):
            raise InvalidCardError("A delete names resourceId and carries no resource.", "action.resourceId")
        if self.type != "delete" and not (self.resource and self.resource.get("resourceType")):
            raise InvalidCardError("A create or update carries a whole resource.", "action.resource")


class Suggestion(_Noun, frozen=True):
    """A set of actions (all of them) that the clinician can accept with one click."""

    label: str
    uuid: str | None = None
    is_recommended: bool | None = None
    actions: tuple[Action, ...] = ()

    def __post_init__(self) -> None:
        """Refuse an empty label."""
        if not self.label.strip():
            raise InvalidCardError("A suggestion needs a label.", "suggestion.label")


class Link(_Noun, frozen=True):
    """A link to a page (`absolute`) or a SMART app (`smart`)."""

    label: str
    url: str
    type: str
    app_context: str | None = None
    autolaunchable: bool | None = None

    def __post_init__(self) -> None:
        """`appContext` belongs to SMART links only."""
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
        if not self.summary.strip() or len(self.summary) > SUMMARY_LIMIT or "\n" in self.summary:
            raise InvalidCardError("A summary is one line of 1 to 139 characters.", "card.summary")
        if self.uuid is not None and not _UUID.fullmatch(self.uuid):
            raise InvalidCardError("A card's uuid is a UUID.", "card.uuid")
        self._refuse_bad_choices()
        for url in (self.source.url, self.source.icon):
            if url is not None and not _ABSOLUTE_URL.fullmatch(url):
                raise InvalidCardError("source.url and source.icon are absolute.", "card.source")

    def _refuse_bad_choices(self) -> None:
        if self.suggestions and self.selection_behavior is None:
            raise InvalidCardError("Suggestions need a selectionBehavior.", "card.selectionBehavior")
        recommended = sum(1 for suggestion in self.suggestions if suggestion.is_recommended)
        if recommended > 1 and self.selection_behavior is not SelectionBehavior.ANY:
            raise InvalidCardError(
                "Several recommended suggestions need selectionBehavior any.", "card.suggestions"
            )
        if any(not reason.display for reason in self.override_reasons):
            raise InvalidCardError("Every override reason has a display.", "card.overrideReasons")


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


class FHIRAuthorization(_Noun, frozen=True):
    """The bearer token for the client's FHIR server; transient, never stored or logged.

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
    """What became of one card. `outcome_timestamp` is RFC 3339."""

    card: str
    outcome: str
    outcome_timestamp: str
    accepted_suggestions: tuple[AcceptedSuggestion, ...] = ()
    override_reason: OverrideReason | None = None


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
