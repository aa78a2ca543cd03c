"""From the Authorization header to a token that is well formed; it verifies nothing."""

from __future__ import annotations

import base64
import re
from typing import Any, NamedTuple

from cds_service.errors import UnauthorizedError
from cds_service.trust.strict_json import strict_object

MOST_BYTES = 8 * 1024
_BEARER = re.compile(r"bearer ([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)\.([A-Za-z0-9_-]+)", re.ASCII | re.IGNORECASE)
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f]")
_LONGEST_TEXT = 256
_LONGEST_ADDRESS = 2_000
_MOST_AUDIENCES = 20
_MOMENTS = range(253_402_300_800)
"""Seconds since 1970 to the end of the year 9999."""
_CHANGE_THE_MEANING = ("crit", "b64", "zip", "enc", "cty")
"""Header members that make of a token something else than signed claims."""


class Header(NamedTuple):
    """What the header says of the signature. `jwk`, `x5c`, `x5u` and the like are not even read."""

    algorithm: str
    kid: str
    jku: str | None


class Claims(NamedTuple):
    """What the token says; moments are whole seconds since 1970."""

    issuer: str
    audience: frozenset[str]
    expires_at: int
    issued_at: int
    not_before: int | None
    jti: str
    tenant: str | None


class Token(NamedTuple):
    """A well-formed token. It never shows itself."""

    text: str
    header: Header
    claims: Claims

    def __repr__(self) -> str:
        """Never print the token."""
        return "Token(<hidden>)"


def read_token(authorization: str) -> Token:
    """Return the token of an Authorization header. Raises `UnauthorizedError`."""
    if len(authorization) > MOST_BYTES:
        raise UnauthorizedError("too-long")
    found = _BEARER.fullmatch(authorization)
    if found is None:
        raise UnauthorizedError("no-bearer-token")
    header, claims, _signature = (_decoded(part) for part in found.groups())
    return Token(".".join(found.groups()), _header(_members(header)), _claims(_members(claims)))


def _decoded(part: str) -> bytes:
    """Return the bytes of one part; of all ways to write them only the canonical one is taken."""
    try:
        decoded = base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
    except ValueError:
        raise UnauthorizedError("not-base64url") from None
    if base64.urlsafe_b64encode(decoded).rstrip(b"=") != part.encode():
        raise UnauthorizedError("not-base64url")
    return decoded


def _members(part: bytes) -> dict[str, Any]:
    try:
        return strict_object(part)
    except ValueError:
        raise UnauthorizedError("not-strict-json") from None


def _header(members: dict[str, Any]) -> Header:
    if members.get("typ") != "JWT":
        raise UnauthorizedError("typ")
    if any(name in members for name in _CHANGE_THE_MEANING):
        raise UnauthorizedError("header-member")
    jku = _address(members, "jku") if "jku" in members else None
    return Header(_text(members, "alg"), _text(members, "kid"), jku)


def _claims(members: dict[str, Any]) -> Claims:
    return Claims(
        issuer=_address(members, "iss"),
        audience=_audience(members.get("aud")),
        expires_at=_moment(members, "exp"),
        issued_at=_moment(members, "iat"),
        not_before=_moment(members, "nbf") if "nbf" in members else None,
        jti=_text(members, "jti"),
        tenant=_text(members, "tenant") if "tenant" in members else None,
    )


def _audience(value: Any) -> frozenset[str]:
    listed = value if isinstance(value, list) else [value]
    if not 0 < len(listed) <= _MOST_AUDIENCES or not all(isinstance(one, str) for one in listed):
        raise UnauthorizedError("aud")
    return frozenset(listed)


def _moment(members: dict[str, Any], name: str) -> int:
    value = members.get(name)
    if type(value) is not int or value not in _MOMENTS:  # no text, no fraction, no truth value
        raise UnauthorizedError(name)
    return value


def _text(members: dict[str, Any], name: str, longest: int = _LONGEST_TEXT) -> str:
    value = members.get(name)
    if not isinstance(value, str) or not 0 < len(value) <= longest or _CONTROL.search(value):
        raise UnauthorizedError(name)
    return value


def _address(members: dict[str, Any], name: str) -> str:
    return _text(members, name, _LONGEST_ADDRESS)
