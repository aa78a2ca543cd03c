"""The registry of clients: who may call, and which FHIR server each of them has; read once, it holds no secret."""

from __future__ import annotations

from pathlib import Path
from typing import Self

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, field_validator, model_validator

from cds_service.errors import BlockedServerError, SettingsError
from cds_service.fetch.addresses import Base

_SETTING = "CDS_CLIENTS"


class Client(BaseModel):
    """One client. Its FHIR base is compared letter by letter with the `fhirServer` of a call."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    id: str
    fhir_base: str | None = None
    private_network: bool = False
    """Whether the FHIR server stands on a private network, whose addresses are refused otherwise."""
    ca_file: Path | None = None
    """Certificates (PEM) of the authorities that its FHIR server is trusted by, instead of the public ones."""

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


class Clients(BaseModel):
    """All clients of one file."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    clients: tuple[Client, ...] = ()

    @model_validator(mode="after")
    def _each_once(self) -> Self:
        for name in ("id", "fhir_base"):
            values = [getattr(client, name) for client in self.clients if getattr(client, name) is not None]
            if len(set(values)) < len(values):
                raise ValueError(f"two clients have the same {name}")
        return self


def read_clients(path: Path | None) -> Clients:
    """Return the clients of a file; none without a file. Raises `SettingsError`, which names members, never values."""
    if path is None:
        return Clients()
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
        faults = [
            f"{'.'.join(map(str, one['loc'])) or 'file'}: {one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError(f"{_SETTING}: " + "; ".join(faults) + ".") from None
