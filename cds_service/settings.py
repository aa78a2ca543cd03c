"""Every setting of the service, read once from the environment and then frozen; unsafe ones never come to be."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds_service.errors import SettingsError
from cds_service.model.hooks import Indicator

RELEASE = "2026.12.0"
"""Release of the shipped content; the knowledge version adds the hash of the content itself."""

MEBIBYTE = 1024 * 1024

_ORIGIN = r"https?://(?:[A-Za-z0-9\-.]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_ONE_ORIGIN = re.compile(_ORIGIN)
_BASE_URL = re.compile(_ORIGIN + r"(?:/[A-Za-z0-9\-._~]+)*")
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, to be replaced


class Mode(StrEnum):
    """Development opens what production refuses."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def default_cards_folder() -> Path:
    """Return the content of the installed package, or of the source checkout."""
    package = Path(__file__).parent
    installed = package / "_cards"
    return installed if installed.is_dir() else package.parent / "cards"


def default_proven_folder() -> Path:
    """Return the user's folder for what can be made again."""
    cache = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    return Path(cache) / "muscle-spasm-cds"


class Settings(BaseSettings):
    """Settings with their defaults: `make run` needs none of them."""

    model_config = SettingsConfigDict(env_prefix="CDS_", frozen=True, extra="ignore")

    mode: Mode = Mode.DEVELOPMENT
    public_base_url: str | None = None
    """Absolute address under which clients reach the service, without a trailing slash."""
    cards_folder: Path = Field(default_factory=default_cards_folder)
    cards_overlay: Path | None = None
    """A folder of the site's own definitions and codes, laid over the content."""
    time_critical_as_warning: bool = False
    """Whether time-critical cards are sent as `warning`, where a site must not send `critical`."""
    proven_folder: Path = Field(default_factory=default_proven_folder)
    """Where content that has passed every gate is kept for the next start; it may be lost at any time."""
    allowed_origins: str = "*"
    """Origins for CORS: `*` (development only) or a comma-separated list."""
    most_body_bytes: int = Field(default=5 * MEBIBYTE, ge=1024, le=20 * MEBIBYTE)
    clients: Path | None = None
    """YAML file of the registered clients, each with its FHIR base."""
    allow_loopback_fhir: bool = False
    """Whether FHIR servers on this machine may be called, without registration; development only."""
    deadline_seconds: float = Field(default=1.8, ge=0.2, le=4.5)
    """How long a hook call may take, what is fetched for it included."""
    sandbox: bool | None = None
    """Whether the sandbox page is served; unless said, it is in development and is not in production."""
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    port: int = Field(default=8000, ge=1, le=65535, validation_alias="PORT")
    workers: int = Field(default=1, ge=1, le=64, validation_alias="WORKERS")

    @field_validator("public_base_url")
    @classmethod
    def _absolute_without_trailing_slash(cls, value: str | None) -> str | None:
        if not value:
            return None
        address = value.rstrip("/")
        if not _BASE_URL.fullmatch(address):
            raise ValueError("must be an http or https address without user, query or fragment")
        return address

    @field_validator("cards_overlay", "clients", "sandbox", mode="before")
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("cards_overlay")
    @classmethod
    def _existing_folder(cls, value: Path | None) -> Path | None:
        """Without its overlay the service would answer by limits that are not the site's: it refuses to start."""
        if value is not None and not value.is_dir():
            raise ValueError("must name a folder that exists")
        return value

    @field_validator("allowed_origins")
    @classmethod
    def _origins_only(cls, value: str) -> str:
        if any(part != "*" and not _ONE_ORIGIN.fullmatch(part) for part in _parts(value)):
            raise ValueError("must be * or origins such as https://ehr.example.org, parted by commas")
        return value

    @model_validator(mode="after")
    def _safe_in_production(self) -> Self:
        if self.mode is Mode.PRODUCTION:
            faults = list(_unsafe(self))
            if faults:
                raise ValueError("production refuses to start: " + "; ".join(faults))
        return self

    @property
    def base_url(self) -> str:
        """The public address; in development the address that is listened on."""
        return self.public_base_url or self.listening_url

    @property
    def has_sandbox(self) -> bool:
        """Whether the sandbox page is served."""
        return self.mode is Mode.DEVELOPMENT if self.sandbox is None else self.sandbox

    @property
    def critical_as(self) -> Indicator:
        """The indicator that a time-critical card is sent with."""
        return Indicator.WARNING if self.time_critical_as_warning else Indicator.CRITICAL

    @property
    def about_url(self) -> str:
        """The page that explains to a person how cards are made; cards name it."""
        return f"{self.base_url}/about"

    @property
    def questionnaires_url(self) -> str:
        """The address under which the questionnaires are served, by their ids; cards link to them."""
        return f"{self.base_url}/fhir/Questionnaire"

    @property
    def listening_url(self) -> str:
        """The address under which this machine reaches the service."""
        host = _EVERY_ADDRESS.get(self.host, self.host)
        return f"http://{f'[{host}]' if ':' in host else host}:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """The allowed origins, one by one."""
        return frozenset(_parts(self.allowed_origins))


def read_settings() -> Settings:
    """Return the settings of the environment. Raises `SettingsError`, which names the variable and never its value."""
    try:
        return Settings()
    except ValidationError as error:
        faults = [
            f"{_variable(*one['loc'])}{one['msg'].removeprefix('Value error, ')}"
            for one in error.errors(include_input=False, include_url=False)
        ]
        raise SettingsError("The settings cannot be used. " + "; ".join(faults) + ".") from None


def _variable(*field: int | str) -> str:
    """Return the name of the environment variable of a field, ready to stand before what is wrong with it."""
    if not field:
        return ""
    name = str(field[0])
    return f"{f'CDS_{name.upper()}' if name in Settings.model_fields else name}: "


def _parts(text: str) -> Iterator[str]:
    return (part.strip() for part in text.split(",") if part.strip())


def _unsafe(settings: Settings) -> Iterator[str]:
    if settings.public_base_url is None or not settings.public_base_url.startswith("https://"):
        yield "CDS_PUBLIC_BASE_URL must be an https address"
    if settings.allow_loopback_fhir:
        yield "CDS_ALLOW_LOOPBACK_FHIR must be off"
    if settings.sandbox:
        yield "CDS_SANDBOX must be off"
    if "*" in settings.origins:
        yield "CDS_ALLOWED_ORIGINS must name the origins"
    elif not all(origin.startswith("https://") for origin in settings.origins):
        yield "CDS_ALLOWED_ORIGINS must hold https origins only"
