"""From the file of clients to what tokens are checked against; it checks no token itself."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from functools import partial

from cds_service.clients import Client, Clients, Rules, is_public_sandbox, read_clients
from cds_service.errors import SettingsError
from cds_service.fetch.addresses import Location, Policy
from cds_service.fetch.answers import Document
from cds_service.settings import Settings
from cds_service.trust.callers import Keys, Registration, SeenTokens
from cds_service.trust.identity import Identity
from cds_service.trust.key_sources import PublishedKeys, WrittenKeys
from cds_service.trust.keys import read_published
from cds_service.trust.public_sandbox import keys_of_anybody


def clients_for(settings: Settings, services: Collection[str] | None = None) -> Clients:
    """Return the clients that these settings allow.

    Raises `SettingsError` for a faulty file of clients, and, where `services` are given, for one that names others.
    """
    rules = Rules(
        is_production=settings.is_production,
        trusts_public_sandbox=settings.trust_public_sandbox,
        allows_256_bits=settings.allow_256_bit_algorithms,
    )
    clients = read_clients(settings.clients, rules)
    for place, client in enumerate(clients.clients):
        if services is not None and not set(client.services) <= set(services):
            raise SettingsError(
                f"CDS_CLIENTS: clients.{place}.services: names a service that is not offered."
            )
    return clients


def identity_for(settings: Settings, services: Collection[str], seen: SeenTokens) -> Identity:
    """Return what identifies callers. Raises `SettingsError` for a faulty file, or one that names unknown services."""
    clients = clients_for(settings, services)
    return Identity(_registrations(clients), seen, is_open=settings.is_open)


def _registrations(clients: Clients) -> Iterator[Registration]:
    for client in clients.clients:
        if client.issuer is not None:
            yield Registration(
                client_id=client.id,
                issuer=client.issuer,
                keys=_keys(client),
                algorithms=frozenset(client.algorithms),
                jku=client.jwks_url or client.jku,
                audience=frozenset(client.audience),
                tenants=frozenset(client.tenants),
                services=frozenset(client.services),
                explanation=client.explanation,
            )


def _keys(client: Client) -> Keys:
    if client.written_keys is not None:
        return WrittenKeys(client.written_keys)
    location = Location(client.jwks_url or "")
    policy = Policy(
        private=client.private_network,
        loopback=location.base.is_loopback,  # registered by name; production wants https all the same
        ca_file=str(client.ca_file) if client.ca_file is not None else None,
    )
    refused = () if is_public_sandbox(client) else keys_of_anybody()
    return PublishedKeys(partial(_fetch, location, policy), partial(read_published, refused=refused))


def _fetch(location: Location, policy: Policy, seconds: float) -> Document | None:
    """Fetch once; the HTTP library is loaded by the first fetch, because it takes its time."""
    from cds_service.fetch.documents import fetch_document  # noqa: PLC0415 - as told above

    return fetch_document(location, policy, seconds)
