"""Asks who is calling before a route reads anything else, and logs a refusal; the checks stand in `trust`."""

from __future__ import annotations

import logging

from flask import request

from cds_service.errors import UnauthorizedError
from cds_service.fetch.limits import Deadline
from cds_service.trust.callers import Caller
from cds_service.trust.identity import Endpoint, Identity
from cds_service.web.caller import be_called_by
from cds_service.web.clock import now
from cds_service.web.headers import request_id

_logger = logging.getLogger("cds_service.trust")


class ClientTrust:
    """Who may call, for routes to ask. Addresses are built from the configured base, never from what a caller sent."""

    def __init__(self, identity: Identity, base_url: str) -> None:
        """Keep who knows the clients, and the public address of the service."""
        self._identity = identity
        self._services_url = f"{base_url}/cds-services"

    def identify(self, service: str, deadline: Deadline, *, is_feedback: bool = False) -> Caller:
        """Return who is calling a service, and keep it for the request.

        A token for feedback may be addressed to the feedback or to the service. Raises as `Identity.identify` does.
        """
        address = f"{self._services_url}/{service}"
        addresses = frozenset({address, f"{address}/feedback"} if is_feedback else {address})
        authorization = request.environ.get("HTTP_AUTHORIZATION")
        try:
            caller = self._identity.identify(authorization, Endpoint(service, addresses), now(), deadline)
        except UnauthorizedError as refusal:
            client = refusal.client_id or "unknown"
            told = {"reason": refusal.why, "client": client, "request_id": request_id()}
            _logger.warning("refused a call", extra=told)
            raise
        be_called_by(caller)
        return caller
