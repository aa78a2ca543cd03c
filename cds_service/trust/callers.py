"""What is known of a client that may call, and of a caller once it is identified; it checks nothing."""

from __future__ import annotations

from collections.abc import Collection
from datetime import datetime
from typing import NamedTuple, Protocol

from cds_service.fetch.limits import Deadline
from cds_service.model.explanation import ExplanationExtent
from cds_service.trust.keys import PublicKey

ANYBODY = "anonymous"
"""The id of whoever calls an open service without a token; no client may have it."""


class Look(NamedTuple):
    """What a process knows of the keys of a client: whether it has one to use, and whether it has asked at all."""

    is_usable: bool
    was_tried: bool


class Keys(Protocol):
    """Where the keys of a client come from."""

    def find(self, kid: str, algorithm: str, deadline: Deadline) -> PublicKey | None:
        """Return the key of this id for this algorithm, within the deadline; None when there is none to be had."""
        ...

    def look(self, algorithms: Collection[str]) -> Look:
        """Tell what is known of keys for these algorithms at this moment, without waiting."""
        ...


class Registration(NamedTuple):
    """What tokens of one client must fit. An empty `tenants` or `services` allows each of them."""

    client_id: str
    issuer: str
    keys: Keys
    algorithms: frozenset[str]
    jku: str | None = None
    audience: frozenset[str] = frozenset()
    """What a token may be addressed to, instead of the address that is called."""
    tenants: frozenset[str] = frozenset()
    services: frozenset[str] = frozenset()
    explanation: ExplanationExtent = ExplanationExtent.FULL


class Caller(NamedTuple):
    """Who is calling: a registered client for one of its tenants, or anybody."""

    client_id: str = ANYBODY
    tenant: str | None = None
    explanation: ExplanationExtent = ExplanationExtent.FULL

    @property
    def is_known(self) -> bool:
        """Whether a token proved who it is."""
        return self.client_id != ANYBODY


class SeenTokens(Protocol):
    """Remembers, for all processes together, which tokens were used."""

    def claim(self, issuer: str, jti: str, expires_at: datetime, now: datetime) -> bool:
        """Use a token up: true for exactly one of any number of callers, false for all others until it expires.

        Raises `StoreUnavailableError` when that cannot be said.
        """
        ...
