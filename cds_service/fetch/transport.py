"""HTTP for one server at pinned addresses, with sockets that a deadline can close; it follows nothing."""

from __future__ import annotations

import contextlib
import socket
import threading
from http.cookiejar import DefaultCookiePolicy
from typing import Any, Self

import requests
from requests.adapters import HTTPAdapter
from requests.cookies import RequestsCookieJar
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.exceptions import NewConnectionError
from urllib3.poolmanager import PoolManager

from cds_service.fetch.addresses import Base, Policy, Resolver, pinned_addresses, resolve

_POOLED = 16
_call = threading.local()


class Call:
    """One HTTP exchange under way; `abort` closes its socket from another thread, whatever it is waiting for."""

    def __init__(self) -> None:
        """Nothing is connected yet."""
        self._lock = threading.Lock()
        self._socket: socket.socket | None = None
        self._is_over = False

    def __enter__(self) -> Self:
        """Be the call of this thread."""
        _call.current = self
        return self

    def __exit__(self, *_raised: object) -> None:
        """End: from now on nothing of another call can be closed."""
        _call.current = None
        with self._lock:
            self._is_over = True
            self._socket = None

    def uses(self, one: socket.socket | None) -> None:
        """Know the socket. Raises `TimeoutError` when the call was aborted already: nothing more is begun."""
        with self._lock:
            self._socket = one
            if self._is_over:
                if one is not None:
                    _shut(one)
                raise TimeoutError

    def abort(self) -> None:
        """Close the socket, so that whoever waits on it gets an error now."""
        with self._lock:
            self._is_over = True
            if self._socket is not None:
                _shut(self._socket)


def _shut(one: socket.socket) -> None:
    with contextlib.suppress(OSError):  # closed by the other side already
        one.shutdown(socket.SHUT_RDWR)


def _register(one: socket.socket | None) -> None:
    current: Call | None = getattr(_call, "current", None)
    if current is not None:
        current.uses(one)


class _Pinning:
    """What both connection classes do: resolve, check, connect to a checked address, and tell the call its socket."""

    base: Base
    policy: Policy
    resolver: Resolver

    def _new_conn(self) -> socket.socket:
        timeout = getattr(self, "timeout", None)
        addresses = pinned_addresses(self.base, self.policy, self.resolver)
        for address in addresses:
            family = socket.AF_INET6 if ":" in address else socket.AF_INET
            one = socket.socket(family, socket.SOCK_STREAM)
            try:
                one.settimeout(timeout if isinstance(timeout, int | float) else None)
                _register(one)
                one.connect((address, self.base.port))
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            except OSError:
                one.close()
            else:
                return one
        raise NewConnectionError(self, "no address answered")  # type: ignore[arg-type]  # mixed into a connection

    def request(self, *arguments: Any, **named: Any) -> None:
        """Send over a connection of the pool; its socket belongs to this call now."""
        _register(getattr(self, "sock", None))
        super().request(*arguments, **named)  # type: ignore[misc]  # the connection class stands behind
        _register(getattr(self, "sock", None))


def session_for(base: Base, policy: Policy, resolver: Resolver = resolve) -> requests.Session:
    """Return a session that reaches `base` alone; proxies, cookies, credentials and redirects play no part."""
    members = {"base": base, "policy": policy, "resolver": staticmethod(resolver)}
    plain = type("PinnedHTTP", (_Pinning, HTTPConnection), members)
    secure = type("PinnedHTTPS", (_Pinning, HTTPSConnection), members)
    pools = {
        "http": type("Pool", (HTTPConnectionPool,), {"ConnectionCls": plain}),
        "https": type("SecurePool", (HTTPSConnectionPool,), {"ConnectionCls": secure}),
    }
    session = requests.Session()
    session.trust_env = False
    session.max_redirects = 0
    session.cookies = RequestsCookieJar(policy=DefaultCookiePolicy(allowed_domains=[]))
    session.adapters.clear()
    session.mount(f"{base.text}/", _Adapter(pools))
    session.mount(f"{base.text}?", _Adapter(pools))
    return session


class _Adapter(HTTPAdapter):
    """An adapter whose connections are pinned; it knows no proxy."""

    def __init__(self, pools: dict[str, type]) -> None:
        """Keep the pool classes until the manager is made."""
        self._pools = pools
        super().__init__(pool_connections=1, pool_maxsize=_POOLED, max_retries=0, pool_block=False)

    def init_poolmanager(self, *arguments: Any, **named: Any) -> None:
        """Make the manager with pinned connections."""
        connections, maxsize = arguments[:2]
        self.poolmanager = PoolManager(
            num_pools=connections, maxsize=maxsize, block=named.get("block", False)
        )
        self.poolmanager.pool_classes_by_scheme = self._pools
