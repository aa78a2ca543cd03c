"""Which server may be called: a strictly written, registered base at an allowed address; it connects nowhere."""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Callable

from cds_service.errors import BlockedServerError

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_BASE = re.compile(
    rf"(?P<scheme>https?)://(?P<host>{_LABEL}(?:\.{_LABEL})*|\[[0-9a-f:.]+\])(?::(?P<port>[1-9][0-9]{{0,4}}))?"
    r"(?P<path>(?:/[A-Za-z0-9_~-][A-Za-z0-9._~-]*)*)"
)
"""Lower-case ASCII host, optional port, plain path: no user, query, fragment, escape, backslash or dot segment."""
_LOCATION = re.compile(r"(?P<origin>https?://[^/?#]+)(?P<path>(?:/(?!\.{1,2}(?:/|$))[A-Za-z0-9._~-]+)+)")
"""As a base, but with a path, whose segments may begin with a dot, as in `/.well-known/jwks.json`."""
_LONGEST_BASE = 500
_HIGHEST_PORT = 65535
_PORTS = {"https": 443, "http": 80}
_TRICKS = frozenset("\\#")
_LOOPBACK_HOSTS = frozenset({"localhost", "127.0.0.1", "::1"})

_DENIED = tuple(
    ipaddress.ip_network(network)
    for network in (
        *("0.0.0.0/8", "100.64.0.0/10", "168.63.129.16/32", "169.254.0.0/16", "192.0.0.0/24", "192.0.2.0/24"),
        *(
            "192.88.99.0/24",
            "198.18.0.0/15",
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
        *("::/96", "64:ff9b::/96", "64:ff9b:1::/48", "100::/64", "2001::/23", "2001:db8::/32", "2002::/16"),
        *("3fff::/20", "5f00::/16", "fe80::/10", "fec0::/10", "ff00::/8"),
    )
)
"""Never called: metadata services, tunnels that hide an IPv4 address, documentation, multicast, reserved."""
_PRIVATE = tuple(
    ipaddress.ip_network(network) for network in ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")
)
"""Called only for a client that is registered as being on a private network."""
_LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"), ipaddress.ip_network("::1/128"))

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolver = Callable[[str, int], list[str]]


class Base:
    """A FHIR base that is written in the one accepted way; two texts are one base only if they are equal."""

    __slots__ = ("host", "port", "scheme", "text")

    def __init__(self, text: str) -> None:
        """Read `text`, one trailing slash aside. Raises `BlockedServerError`, which never names it."""
        bare = text.removesuffix("/")
        found = _BASE.fullmatch(bare) if len(bare) <= _LONGEST_BASE and bare.isascii() else None
        if found is None:
            raise BlockedServerError("The address of the FHIR server is not written in the accepted way.")
        self.text = bare
        self.scheme = found["scheme"]
        self.host = found["host"].strip("[]")
        self.port = int(found["port"] or _PORTS[self.scheme])
        if self.port > _HIGHEST_PORT:
            raise BlockedServerError("The address of the FHIR server is not written in the accepted way.")

    @property
    def is_loopback(self) -> bool:
        """Whether it names this machine, in one of the three usual ways."""
        return self.host in _LOOPBACK_HOSTS

    @property
    def origin(self) -> str:
        """Scheme, host and port, for what is kept per server."""
        return f"{self.scheme}://{self.host}:{self.port}"

    def holds(self, url: str) -> bool:
        """Whether a URL that the server itself gave lies below this base, written without tricks."""
        if not url.startswith(self.text) or not (url.isascii() and url.isprintable()) or _TRICKS & set(url):
            return False
        rest = url[len(self.text) :]
        path = rest.partition("?")[0]
        return rest[:1] in {"/", "?"} and "/.." not in path and "/." not in path and "%" not in path


class Location:
    """The address of one document, written in the one accepted way: the origin like a base, then a plain path."""

    __slots__ = ("base", "text")

    def __init__(self, text: str) -> None:
        """Read `text`. Raises `BlockedServerError`, which never names it."""
        found = _LOCATION.fullmatch(text) if len(text) <= _LONGEST_BASE and text.isascii() else None
        if found is None:
            raise BlockedServerError("The address of the document is not written in the accepted way.")
        self.text = text
        self.base = Base(found["origin"])


class Policy:
    """What a client may be called at: loopback in development, a private network where it is registered so."""

    __slots__ = ("ca_file", "loopback", "private")

    def __init__(self, *, loopback: bool = False, private: bool = False, ca_file: str | None = None) -> None:
        """Allow nothing special unless said; `ca_file` holds the authorities that are trusted instead of the usual."""
        self.loopback = loopback
        self.private = private
        self.ca_file = ca_file

    def allows(self, text: str) -> bool:
        """Whether one resolved address may be called."""
        try:
            address = _unwrapped(ipaddress.ip_address(text.partition("%")[0]))
        except ValueError:
            return False
        if _is_in(address, _LOOPBACK):
            return self.loopback
        if _is_in(address, _DENIED):
            return False
        return self.private or not _is_in(address, _PRIVATE)

    def allows_scheme(self, base: Base, addresses: list[str]) -> bool:
        """Plain http is for loopback alone."""
        if base.scheme == "https":
            return True
        return self.loopback and all(
            _is_in(_unwrapped(ipaddress.ip_address(one)), _LOOPBACK) for one in addresses
        )


def resolve(host: str, port: int) -> list[str]:
    """Return the addresses of a host in the order of the system. Raises `OSError`."""
    found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(one[4][0]) for one in found))


def pinned_addresses(base: Base, policy: Policy, resolver: Resolver = resolve) -> list[str]:
    """Return the addresses to connect to. Raises `BlockedServerError` when a single one is denied.

    One denied address among several is a sign of rebinding: then none is called.
    """
    try:
        addresses = resolver(base.host, base.port)
    except (OSError, UnicodeError):
        raise BlockedServerError("The FHIR server cannot be found.") from None
    if not addresses or not all(policy.allows(one) for one in addresses):
        raise BlockedServerError("The address of the FHIR server is not allowed.")
    if not policy.allows_scheme(base, addresses):
        raise BlockedServerError("The FHIR server is not reached by https.")
    return addresses


def _unwrapped(address: Address) -> Address:
    """Return the IPv4 address that an IPv6 address merely wraps."""
    mapped = address.ipv4_mapped if isinstance(address, ipaddress.IPv6Address) else None
    return mapped or address


def _is_in(address: Address, networks: tuple[ipaddress.IPv4Network | ipaddress.IPv6Network, ...]) -> bool:
    return any(address.version == network.version and address in network for network in networks)
