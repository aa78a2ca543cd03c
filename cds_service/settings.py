"""Every setting of the service, read once from the environment and then frozen; unsafe ones never come to be."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Self

from pydantic import Field, SecretStr, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds_service.errors import SettingsError
from cds_service.folders import default_cards_folder, default_proven_folder, default_state_folder
from cds_service.model.hooks import Indicator

RELEASE = "2026.12.0"
"""Release of the shipped content; the knowledge version adds the hash of the content itself."""

MEBIBYTE = 1024 * 1024

_ORIGIN = r"https?://(?:[A-Za-z0-9\-.]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_ONE_ORIGIN = re.compile(_ORIGIN)
_BASE_URL = re.compile(_ORIGIN + r"(?:/[A-Za-z0-9\-._~]+)*")
_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, to be replaced
_OFF = frozenset({"", "0", "false", "no"})
_OTHERS = 0o077
_SHORTEST_TOKEN = 16
_PRODUCTION_DRAINS_SECONDS = 5.0
_ADDRESS = re.compile(r"(?P<host>[A-Za-z0-9.\-]+|\[[0-9A-Fa-f:]+\]):(?P<port>\d{1,5})")
_PORTS = range(1, 65_536)


class Mode(StrEnum):
    """Development opens what production refuses."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


class LogFormat(StrEnum):
    """How a log line looks: for a person, or for a program."""

    PLAIN = "plain"
    JSON = "json"


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
    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    """Where feedback, shown cards and audit are kept; empty: an SQLite file in the state folder."""
    state_folder: Path = Field(default_factory=default_state_folder)
    """Folder of the embedded store and of the secret that development makes for itself."""
    secret_key_file: Path | None = None
    """File with at least 32 random bytes, from which all keys of the store are derived; production needs it."""
    keep_comments: bool = False
    """Whether the free text of feedback is kept; it may name a patient."""
    audit_required: bool | None = None
    """Whether a decision that cannot be recorded is refused with 503; unset: in production."""
    audit_checkpoints: Path | None = None
    """File, best on another machine's disk, to which signed checkpoints of the audit are appended."""
    metrics_token: SecretStr | None = None
    """The bearer token for `/metrics`; without it the route does not exist."""
    metrics_bind: str = ""
    """`host:port` on which metrics are served without a token, apart from the service itself; empty: nowhere."""
    log_format: LogFormat | None = None
    """Unset: JSON in production, plain text in development."""
    drain_seconds: float | None = Field(default=None, ge=0, le=60)
    """How long the service answers on after SIGTERM while it says that it is not ready; unset: 5 in production."""
    most_in_flight: int = Field(default=32, ge=1, le=256)
    """How many calls one process works on at the same time."""
    calls_per_minute: int = Field(default=0, ge=0, le=1_000_000)
    """How many calls of one client each process answers in a minute; 0: as many as come."""
    run_folder: Path | None = None
    """Set by `serve` for its workers: a folder that lives as long as they do."""
    debug: str = Field(default="", validation_alias="FLASK_DEBUG")
    """Flask's own debugging; production refuses it."""
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

    @field_validator(
        "cards_overlay",
        "clients",
        "secret_key_file",
        "audit_required",
        "audit_checkpoints",
        "metrics_token",
        "log_format",
        "drain_seconds",
        "run_folder",
        mode="before",
    )
    @classmethod
    def _empty_is_none(cls, value: object) -> object:
        return None if value == "" else value

    @field_validator("metrics_token")
    @classmethod
    def _hard_to_guess(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None and len(value.get_secret_value()) < _SHORTEST_TOKEN:
            raise ValueError(f"must have at least {_SHORTEST_TOKEN} characters")
        return value

    @field_validator("metrics_bind")
    @classmethod
    def _address_with_port(cls, value: str) -> str:
        found = _ADDRESS.fullmatch(value)
        if value and (found is None or int(found["port"]) not in _PORTS):
            raise ValueError("must be an address and a port such as 127.0.0.1:9464")
        return value

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
        if self.is_production:
            faults = refusals(self)
            if faults:
                raise ValueError("production refuses to start: " + "; ".join(faults))
        return self

    @property
    def base_url(self) -> str:
        """The public address; in development the address that is listened on."""
        return self.public_base_url or self.listening_url

    @property
    def store_url(self) -> str:
        """The address of the database; it may hold a password."""
        return self.database_url or f"sqlite:///{self.state_folder / 'store.sqlite3'}"

    @property
    def audit_folder(self) -> Path:
        """Where audit records wait on disk while the store is away."""
        return self.state_folder / "audit"

    @property
    def secret_file(self) -> Path:
        """The file of the secret; without the setting one in the state folder."""
        return self.secret_key_file or self.state_folder / "secret.key"

    @property
    def is_production(self) -> bool:
        """Whether this is production mode."""
        return self.mode is Mode.PRODUCTION

    @property
    def requires_audit(self) -> bool:
        """Whether a decision that cannot be recorded is refused."""
        return self.is_production if self.audit_required is None else self.audit_required

    @property
    def logs_as(self) -> LogFormat:
        """How log lines look."""
        return self.log_format or (LogFormat.JSON if self.is_production else LogFormat.PLAIN)

    @property
    def drains_seconds(self) -> float:
        """How long the service goes on after it was asked to end."""
        if self.drain_seconds is not None:
            return self.drain_seconds
        return _PRODUCTION_DRAINS_SECONDS if self.is_production else 0.0

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


def refusals(settings: Settings) -> tuple[str, ...]:
    """Return for which of these settings production would refuse to start."""
    return tuple(_unsafe(settings))


def variable_of(field: str) -> str:
    """Return the name of the environment variable of a field."""
    alias = Settings.model_fields[field].validation_alias
    return alias if isinstance(alias, str) else f"CDS_{field.upper()}"


def _unsafe(settings: Settings) -> Iterator[str]:
    """Yield what production refuses: one generator per topic."""
    yield from _unsafe_addresses(settings)
    yield from _unsafe_secrets(settings)
    yield from _unsafe_openings(settings)


def _unsafe_addresses(settings: Settings) -> Iterator[str]:
    if settings.public_base_url is None or not settings.public_base_url.startswith("https://"):
        yield "CDS_PUBLIC_BASE_URL must be an https address"
    if "*" in settings.origins:
        yield "CDS_ALLOWED_ORIGINS must name the origins"
    elif not all(origin.startswith("https://") for origin in settings.origins):
        yield "CDS_ALLOWED_ORIGINS must hold https origins only"


def _unsafe_secrets(settings: Settings) -> Iterator[str]:
    if settings.secret_key_file is None:
        yield "CDS_SECRET_KEY_FILE must name a file with at least 32 random bytes"
    elif settings.secret_key_file.is_file() and settings.secret_key_file.stat().st_mode & _OTHERS:
        yield "CDS_SECRET_KEY_FILE must be closed to other users of the machine (chmod 600)"


def _unsafe_openings(settings: Settings) -> Iterator[str]:
    if settings.allow_loopback_fhir:
        yield "CDS_ALLOW_LOOPBACK_FHIR must be off"
    if settings.debug.lower() not in _OFF:
        yield "FLASK_DEBUG must be off"
