"""Public keys of clients, checked for what they may be used for; no private or shared key ever passes."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping
from types import MappingProxyType
from typing import Any, NamedTuple

from joserfc.errors import JoseError
from joserfc.jwk import ECKey, RSAKey

from cds_service.trust.strict_json import strict_object

STANDARD_ALGORITHMS = ("ES384", "RS384")
"""Those that CDS Hooks recommends."""
ALGORITHMS_WITH_256_BITS = ("ES256", "RS256")

_FITTING: Mapping[str, tuple[str, str | None]] = MappingProxyType(
    {"ES384": ("EC", "P-384"), "ES256": ("EC", "P-256"), "RS384": ("RSA", None), "RS256": ("RSA", None)}
)
"""Algorithm → key type and curve."""
_PUBLIC_MEMBERS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {"EC": ("crv", "x", "y"), "RSA": ("n", "e")}
)
_PRIVATE_MEMBERS = frozenset({"d", "p", "q", "dp", "dq", "qi", "oth", "k"})
_BASE64URL = re.compile(r"[A-Za-z0-9_-]+", re.ASCII)
_FEWEST_RSA_BITS = 2048
_MOST_RSA_BITS = 8192
_EXPONENTS = range(3, 2**32)
_LONGEST_ID = 256
_MOST_KEYS = 100


class KeyFaultError(ValueError):
    """A key that cannot be used; the text names the member and never its value."""


class PublicKey(NamedTuple):
    """One key. `algorithm` is the only one that it may be used with, where it names one."""

    kid: str
    kind: str
    curve: str | None
    algorithm: str | None
    material: tuple[str, ...]
    """The public members as they were written: two keys with the same are one key, whatever they are called."""
    key: ECKey | RSAKey

    def fits(self, algorithm: str) -> bool:
        """Whether signatures of this algorithm may be checked with it."""
        fitting = _FITTING.get(algorithm) == (self.kind, self.curve)
        return fitting and self.algorithm in {None, algorithm}


class KeySet:
    """The keys of one client at one moment."""

    def __init__(self, keys: Iterable[PublicKey]) -> None:
        """Keep them by id and kind; two that share both are told apart by nobody, and neither is kept."""
        self._keys: dict[tuple[str, str], PublicKey] = {}
        doubled = set()
        for one in keys:
            name = (one.kid, one.kind)
            if name in self._keys:
                doubled.add(name)
            self._keys[name] = one
        for name in doubled:
            del self._keys[name]

    def find(self, kid: str, algorithm: str) -> PublicKey | None:
        """Return the key of this id for this algorithm, if there is one."""
        kind, _curve = _FITTING.get(algorithm, ("", None))
        found = self._keys.get((kid, kind))
        return found if found is not None and found.fits(algorithm) else None

    def __iter__(self) -> Any:
        """Return the keys one by one."""
        return iter(self._keys.values())


def read_key(jwk: object) -> PublicKey:
    """Return the public key of a JWK. Raises `KeyFaultError`."""
    if not isinstance(jwk, dict):
        raise KeyFaultError("must be an object")
    members: dict[Any, Any] = jwk
    if _PRIVATE_MEMBERS & set(members):
        raise KeyFaultError("holds members of a private or a shared key; give the public key alone")
    kind = members.get("kty")
    if not isinstance(kind, str) or kind not in _PUBLIC_MEMBERS:
        raise KeyFaultError("kty: must be EC or RSA")
    kid = members.get("kid")
    if not isinstance(kid, str) or not 0 < len(kid) <= _LONGEST_ID:
        raise KeyFaultError(f"kid: must be a text of 1 to {_LONGEST_ID} characters")
    _require_signing(members)
    curve = members.get("crv") if kind == "EC" else None
    algorithm = members.get("alg")
    if algorithm is not None and (not isinstance(algorithm, str) or _FITTING.get(algorithm) != (kind, curve)):
        raise KeyFaultError(f"alg: must be one of {', '.join(_FITTING)} that fits kty and crv")
    if kind == "EC" and (kind, curve) not in _FITTING.values():
        raise KeyFaultError("crv: must be P-384 or P-256")
    material = tuple(_text(members, name) for name in _PUBLIC_MEMBERS[kind])
    return PublicKey(kid, kind, curve, algorithm, material, _imported(kind, material))


def read_registered(jwks: object) -> KeySet:
    """Return the keys that an operator wrote down, all of them. Raises `KeyFaultError` for one that is not sound."""
    keys = []
    for place, jwk in enumerate(_list_of_keys(jwks)):
        try:
            keys.append(read_key(jwk))
        except KeyFaultError as fault:
            raise KeyFaultError(f"keys.{place}.{fault}") from None
    if not keys:
        raise KeyFaultError("keys: must hold one key at least")
    if len({one.kid for one in keys}) < len(keys):
        raise KeyFaultError("keys: two keys have the same kid")
    return KeySet(keys)


def read_published(body: bytes, refused: Collection[PublicKey]) -> KeySet:
    """Return the usable keys of a published JWK Set; others, of which real sets are full, are passed over.

    `refused` are keys that are known to be anybody's. Raises `ValueError` when it is no JWK Set.
    """
    keys = []
    for jwk in _list_of_keys(strict_object(body)):
        try:
            one = read_key(jwk)
        except KeyFaultError:
            continue
        if not is_among(one, refused):
            keys.append(one)
    return KeySet(keys)


def is_among(one: PublicKey, others: Iterable[PublicKey]) -> bool:
    """Whether a key is one of these, by its id or by what it is made of."""
    return any(one.kid == other.kid or one.material == other.material for other in others)


def _list_of_keys(jwks: object) -> list[object]:
    keys = jwks.get("keys") if isinstance(jwks, dict) else None
    if not isinstance(keys, list) or len(keys) > _MOST_KEYS:
        raise KeyFaultError(f"keys: must be a list of at most {_MOST_KEYS} keys")
    return keys


def _require_signing(members: Mapping[Any, Any]) -> None:
    if members.get("use", "sig") != "sig":
        raise KeyFaultError("use: must be sig, or be left out")
    operations = members.get("key_ops", ["verify"])
    if not isinstance(operations, list) or "verify" not in operations:
        raise KeyFaultError("key_ops: must hold verify, or be left out")


def _text(members: Mapping[Any, Any], name: str) -> str:
    value = members.get(name)
    if not isinstance(value, str) or (name != "crv" and not _BASE64URL.fullmatch(value)):
        raise KeyFaultError(f"{name}: must be base64url without padding")
    return value


def _imported(kind: str, material: tuple[str, ...]) -> ECKey | RSAKey:
    """Return the key as the library wants it, with the public members alone, so that nothing else is looked at."""
    members: dict[str, Any] = {"kty": kind, **dict(zip(_PUBLIC_MEMBERS[kind], material, strict=True))}
    try:
        if kind == "EC":
            point = ECKey.import_key(members)
            point.public_key.public_numbers()  # a point that is not on the curve is refused here at the latest
            return point
        key = RSAKey.import_key(members)
        numbers = key.public_key.public_numbers()
    except (JoseError, ValueError, TypeError):
        raise KeyFaultError("is no public key") from None
    if not _FEWEST_RSA_BITS <= numbers.n.bit_length() <= _MOST_RSA_BITS:
        raise KeyFaultError(f"n: must have {_FEWEST_RSA_BITS} to {_MOST_RSA_BITS} bits")
    if numbers.e not in _EXPONENTS or numbers.e % 2 == 0:
        raise KeyFaultError("e: must be an odd number that is in use")
    return key
