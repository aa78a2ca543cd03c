"""The registry of clients: who may call, by which keys, and which FHIR server each has; it holds no secret."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple, Self

import orjson
import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from cds_service.errors import BlockedServerError, SettingsError
from cds_service.fetch.addresses import Base, Location
from cds_service.model.explanation import ExplanationExtent
from cds_service.trust import public_sandbox
from cds_service.trust.callers import ANYBODY
from cds_service.trust.keys import (
    ALGORITHMS_WITH_256_BITS,
    STANDARD_ALGORITHMS,
    KeySet,
    is_among,
    read_registered,
)

_SETTING = "CDS_CLIENTS"
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_PLAIN = re.compile(r"[!-~]{1,500}")
_KEY_MEMBERS = ("jwks_url", "jwks", "jwks_file")


class Client(BaseModel):
    """One client. Issuer, addresses and FHIR base are compared letter by letter with what a call says."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    id: str
    issuer: str | None = None
    """The `iss` of its tokens. Without one it cannot prove who it is."""
    jwks_url: str | None = None
    jwks: KeySet | None = None
    jwks_file: KeySet | None = None
    jku: str | None = None
    """The `jku` that its tokens may carry where the keys are not read from there; nothing is fetched from it."""
    audience: tuple[str, ...] = ()
    """What its tokens are addressed to, where that is not the address that is called."""
    algorithms: tuple[str, ...] = STANDARD_ALGORITHMS
    tenants: tuple[str, ...] = ()
    services: tuple[str, ...] = ()
    explanation: ExplanationExtent = ExplanationExtent.FULL
    fhir_base: str | None = None
    private_network: bool = False
    """Whether its servers stand on a private network, whose addresses are refused otherwise."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authorities that its servers are trusted by, instead of the public ones."""

    @field_validator("id")
    @classmethod
    def _plain_id(cls, value: str) -> str:
        if not _ID.fullmatch(value) or value == ANYBODY:
            raise ValueError(
                f"must be 1 to 64 letters, digits, dots, dashes or underscores, and not {ANYBODY}"
            )
        return value

    @field_validator("issuer", "jku")
    @classmethod
    def _printable(cls, value: str | None) -> str | None:
        if value is not None and not _PLAIN.fullmatch(value):
            raise ValueError("must be 1 to 500 printable ASCII characters without spaces")
        return value

    @field_validator("audience", "tenants", "services", mode="before")
    @classmethod
    def _one_or_several(cls, value: object) -> object:
        return (value,) if isinstance(value, str) else value

    @field_validator("audience", "tenants", "services", "algorithms")
    @classmethod
    def _not_empty(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        """An empty list would allow everything where someone meant nothing."""
        if not value or not all(value):
            raise ValueError("must hold one entry at least, none of them empty; or leave the member out")
        return value

    @field_validator("algorithms")
    @classmethod
    def _known_algorithms(cls, value: tuple[str, ...]) -> tuple[str, ...]:
        known = (*STANDARD_ALGORITHMS, *ALGORITHMS_WITH_256_BITS)
        if not set(value) <= set(known):
            raise ValueError(f"must be some of {', '.join(known)}")
        return value

    @field_validator("jwks_url")
    @classmethod
    def _plain_location(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            location = Location(value)
        except BlockedServerError:
            location = None
        if location is None or (location.base.scheme != "https" and not location.base.is_loopback):
            raise ValueError("must be an https address with a plain path, without user, query or fragment")
        return value

    @field_validator("jwks", mode="before")
    @classmethod
    def _sound_keys(cls, value: object) -> KeySet:
        return read_registered(value)

    @field_validator("jwks_file", mode="before")
    @classmethod
    def _sound_file(cls, value: object) -> KeySet:
        try:
            found = orjson.loads(Path(str(value)).read_bytes())
        except (OSError, ValueError):
            raise ValueError("must name a file that holds a JWK Set in JSON") from None
        return read_registered(found)

    @field_validator("fhir_base")
    @classmethod
    def _plainly_written(cls, value: str | None) -> str | None:
        if value is None:
            return None
        try:
            base = Base(value)
        except BlockedServerError:
            base = None
        if base is None or (base.scheme != "https" and not base.is_loopback):
            raise ValueError(
                "must be an https address in lower case, without user, query, fragment or escapes"
            )
        return base.text

    @field_validator("ca_file")
    @classmethod
    def _existing_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError("must name a file that exists")
        return value

    @model_validator(mode="after")
    def _provable(self) -> Self:
        """An issuer needs keys, and keys an issuer; every key must be of use."""
        given = [name for name in _KEY_MEMBERS if getattr(self, name) is not None]
        if self.issuer is None and (given or self.jku):
            raise ValueError("issuer: is needed beside keys")
        if self.issuer is not None and len(given) != 1:
            raise ValueError(f"issuer: needs exactly one of {', '.join(_KEY_MEMBERS)}")
        if self.jku is not None and self.jwks_url is not None:
            raise ValueError("jku: is the jwks_url already; leave it out")
        if any(not any(key.fits(one) for one in self.algorithms) for key in self.written_keys or ()):
            raise ValueError(f"{given[0]}: holds a key that fits none of the algorithms of the client")
        return self

    @property
    def written_keys(self) -> KeySet | None:
        """The keys that stand in the file, or in one that it names."""
        return self.jwks if self.jwks is not None else self.jwks_file


class Clients(BaseModel):
    """All clients of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clients: tuple[Client, ...] = Field(default=())

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("id", "issuer", "fhir_base"):
            values = [getattr(client, name) for client in self.clients if getattr(client, name) is not None]
            if len(set(values)) < len(values):
                raise ValueError(f"two clients have the same {name}")
        return self


class Rules(NamedTuple):
    """What the settings allow of clients."""

    is_production: bool = False
    trusts_public_sandbox: bool = False
    allows_256_bits: bool = False


def read_clients(path: Path | None, rules: Rules = Rules()) -> Clients:  # noqa: B008 - a tuple, which never changes
    """Return the clients of a file; none without a file. Raises `SettingsError`, which names members, never values."""
    clients = Clients() if path is None else _read(path)
    faults = [*_not_allowed(clients, rules)]
    if faults:
        raise SettingsError(f"{_SETTING}: " + "; ".join(faults) + ".")
    return _with_sandbox(clients) if rules.trusts_public_sandbox else clients


def _read(path: Path) -> Clients:
    try:
        found = yaml.safe_load(path.read_text("utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise SettingsError(f"{_SETTING}: the file cannot be read ({type(error).__name__}).") from None
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        where = f" at line {mark.line + 1}" if mark is not None else ""
        raise SettingsError(f"{_SETTING}: the file is no YAML{where}.") from None
    try:
        return Clients.model_validate(found or {})
    except ValidationError as error:
        faults = [_fault(one) for one in error.errors(include_input=False, include_url=False)]
        raise SettingsError(f"{_SETTING}: " + "; ".join(faults) + ".") from None


def _fault(one: Any) -> str:
    where = ".".join(map(str, one["loc"])) or "file"
    return f"{where}: {one['msg'].removeprefix('Value error, ')}"


def _not_allowed(clients: Clients, rules: Rules) -> Iterator[str]:
    """Yield what is sound in itself and still not allowed here, with the member and the setting."""
    for place, client in enumerate(clients.clients):
        where = f"clients.{place}"
        if set(client.algorithms) & set(ALGORITHMS_WITH_256_BITS) and not rules.allows_256_bits:
            yield f"{where}.algorithms: ES256 and RS256 need CDS_ALLOW_256_BIT_ALGORITHMS"
        if is_public_sandbox(client) and not (rules.trusts_public_sandbox and not rules.is_production):
            yield (
                f"{where}: is the public sandbox, as which anybody can sign; "
                "it needs CDS_TRUST_PUBLIC_SANDBOX, which production refuses"
            )
        if rules.is_production:
            yield from _unsafe(client, where)
    if rules.is_production and not any(client.issuer for client in clients.clients):
        yield "production needs a client with an issuer"


def _unsafe(client: Client, where: str) -> Iterator[str]:
    if client.issuer is None:
        yield f"{where}.issuer: production needs an issuer and keys for every client"
    if client.jwks_url is not None and not client.jwks_url.startswith("https://"):
        yield f"{where}.jwks_url: production needs an https address"


def is_public_sandbox(client: Client) -> bool:
    """Whether a client is the public sandbox by its issuer, its address or its key."""
    addresses = {client.jwks_url, client.jku}
    known = public_sandbox.keys_of_anybody()
    return (
        client.issuer == public_sandbox.ISSUER
        or public_sandbox.JKU in addresses
        or any(is_among(key, known) for key in client.written_keys or ())
    )


def _with_sandbox(clients: Clients) -> Clients:
    """Add the public sandbox, unless the file describes it itself."""
    if any(client.issuer == public_sandbox.ISSUER for client in clients.clients):
        return clients
    sandbox = Client.model_construct(
        id=public_sandbox.CLIENT_ID,
        issuer=public_sandbox.ISSUER,
        jwks=public_sandbox.sandbox_keys(),
        jku=public_sandbox.JKU,
    )
    if any(client.id == sandbox.id for client in clients.clients):
        raise SettingsError(f"{_SETTING}: clients: the id {sandbox.id} is that of the public sandbox.")
    return Clients.model_construct(clients=(*clients.clients, sandbox))
