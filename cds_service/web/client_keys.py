"""Whether callers can be told apart: the readiness check of the clients' keys, and a log line when one has none.

It fetches nothing itself and waits for nobody. A client whose server is away loses its own calls and no one else's, so
that only the loss of every client's keys takes this process out of service.
"""

from __future__ import annotations

import logging
import threading

from cds_service.trust.identity import Identity

NAME = "client-keys"

_logger = logging.getLogger("cds_service.trust")


class ClientKeys:
    """The keys of all clients as one process has them."""

    def __init__(self, identity: Identity) -> None:
        """Keep who knows the clients."""
        self._identity = identity
        self._lock = threading.Lock()
        self._without: frozenset[str] = frozenset()

    def are_usable(self) -> bool:
        """Whether every client's keys were asked for, and those of one client at least are there to use.

        Asking has keys fetched that are missing or no longer fresh, at the pace at which tokens would have it done.
        """
        looks = self._identity.looks()
        if not all(look.was_tried for look in looks.values()):
            return False
        without = frozenset(client for client, look in looks.items() if not look.is_usable)
        self._tell(without)
        return not looks or len(without) < len(looks)

    def _tell(self, without: frozenset[str]) -> None:
        """Log whose keys were lost, or came, since the last time."""
        with self._lock:
            before, self._without = self._without, without
        for client in sorted(without - before):
            _logger.error("a client has no usable key: its calls are refused", extra={"client": client})
        for client in sorted(before - without):
            _logger.warning("a client has usable keys again", extra={"client": client})
