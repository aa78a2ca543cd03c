"""Says who is calling, from the Authorization header alone; every refusal is the same, whatever its cause.

The order is that of the specification's best practices: issuer, addressee, times, tenant, signature, and only then
whether the token was used before, so that nobody can use up a token that he cannot sign.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime
from typing import NamedTuple

from joserfc import jws
from joserfc.errors import JoseError

from cds_service.errors import UnauthorizedError, UnknownServiceError
from cds_service.fetch.limits import Deadline
from cds_service.trust.callers import Caller, Look, Registration, SeenTokens
from cds_service.trust.keys import PublicKey
from cds_service.trust.tokens import MOST_BYTES, Claims, Token, read_token

LEEWAY_S = 60
"""By how much the clocks of a client and of this service may differ."""
LONGEST_LIFE_S = 3600


class Endpoint(NamedTuple):
    """What is called: the id of the service, and the addresses that a token for it may name."""

    service: str
    addresses: frozenset[str]


class Identity:
    """Identifies callers by the registrations of the clients; what it keeps are their keys."""

    def __init__(self, registrations: Iterable[Registration], seen: SeenTokens, *, is_open: bool) -> None:
        """Know the clients. With `is_open` a call without a token is anybody's."""
        self._by_issuer = {one.issuer: one for one in registrations}
        self._seen = seen
        self._is_open = is_open

    def identify(
        self, authorization: str | None, endpoint: Endpoint, now: datetime, deadline: Deadline
    ) -> Caller:
        """Return who is calling. The token is used up by it.

        Raises `UnauthorizedError`; `UnknownServiceError` for a service that the client was not granted;
        `StoreUnavailableError` when nobody can say whether the token was used before.
        """
        if self._is_open and (authorization is None or not self._by_issuer):
            return Caller()
        if authorization is None:
            raise UnauthorizedError("no-token")
        token = read_token(authorization)
        client = self._by_issuer.get(token.claims.issuer)
        if client is None:
            raise UnauthorizedError("iss")
        try:
            self._admit(token, client, endpoint, now, deadline)
        except UnauthorizedError as refusal:
            refusal.client_id = client.client_id
            raise
        if client.services and endpoint.service not in client.services:
            raise UnknownServiceError("Not found")
        return Caller(client.client_id, token.claims.tenant, client.explanation)

    def looks(self) -> dict[str, Look]:
        """Return what is known of the keys of each client, by its id, without waiting; none where keys open no door."""
        if self._is_open:
            return {}
        return {one.client_id: one.keys.look(one.algorithms) for one in self._by_issuer.values()}

    def _admit(
        self, token: Token, client: Registration, endpoint: Endpoint, now: datetime, deadline: Deadline
    ) -> None:
        _require_header(token, client)
        if not token.claims.audience & (client.audience or endpoint.addresses):
            raise UnauthorizedError("aud")
        _require_in_time(token.claims, now.timestamp())
        if client.tenants and token.claims.tenant not in client.tenants:
            raise UnauthorizedError("tenant")
        key = client.keys.find(token.header.kid, token.header.algorithm, deadline)
        if key is None:
            raise UnauthorizedError("kid")
        if not _is_signed(token, key):
            raise UnauthorizedError("signature")
        expires_at = datetime.fromtimestamp(token.claims.expires_at + LEEWAY_S, UTC)
        if not self._seen.claim(token.claims.issuer, token.claims.jti, expires_at, now):
            raise UnauthorizedError("replayed")


def _require_header(token: Token, client: Registration) -> None:
    if token.header.algorithm not in client.algorithms:
        raise UnauthorizedError("alg")
    if token.header.jku is not None and token.header.jku != client.jku:
        raise UnauthorizedError("jku")


def _require_in_time(claims: Claims, now: float) -> None:
    if not 0 < claims.expires_at - claims.issued_at <= LONGEST_LIFE_S:
        raise UnauthorizedError("lifetime")
    if now >= claims.expires_at + LEEWAY_S:
        raise UnauthorizedError("expired")
    starts_at = max(claims.issued_at, claims.not_before or 0)
    if starts_at > now + LEEWAY_S:
        raise UnauthorizedError("not-yet")


def _is_signed(token: Token, key: PublicKey) -> bool:
    """Whether the signature holds, by the one algorithm that the header names and the client may use."""
    registry = jws.JWSRegistry(algorithms=[token.header.algorithm], strict_check_header=False)
    registry.max_header_length = MOST_BYTES
    registry.max_signature_length = MOST_BYTES
    try:
        jws.deserialize_compact(token.text, key.key, registry=registry)
    except (JoseError, ValueError, TypeError):
        return False
    return True
