"""The settings one by one, with their defaults and what each may be; it does not know how they belong together."""

from __future__ import annotations

import re
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path

from pydantic import Field, SecretStr, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds_service.folders import (
    default_cards_folder,
    default_proven_folder,
    default_samples_folder,
    default_state_folder,
)

MEBIBYTE = 1024 * 1024

_ORIGIN = r"https?://(?:[A-Za-z0-9\-.]+|\[[0-9A-Fa-f:.]+\])(?::\d{1,5})?"
_ONE_ORIGIN = re.compile(_ORIGIN)
_BASE_URL = re.compile(_ORIGIN + r"(?:/[A-Za-z0-9\-._~]+)*")
_SHORTEST_TOKEN = 16
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


class SettingFields(BaseSettings):
    """Every setting as the environment gives it; `make run` needs none of them."""

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
    open: bool | None = None
    """Whether calls without a token are answered; left out: in development alone."""
    trust_public_sandbox: bool = False
    """Whether the public CDS Hooks sandbox is a client, whose private key is public too; development only."""
    allow_256_bit_algorithms: bool = False
    """Whether clients may be registered with ES256 and RS256, which CDS Hooks does not recommend."""
    allow_loopback_fhir: bool = False
    """Whether FHIR servers on this machine may be called, without registration; development only."""
    deadline_seconds: float = Field(default=1.8, ge=0.2, le=4.5)
    """How long a hook call may take, what is fetched for it included."""
    sandbox: bool | None = None
    """Whether the sandbox page is served; unless said, it is in development and is not in production."""
    samples_folder: Path = Field(default_factory=default_samples_folder)
    """The stories that the sandbox offers; without the folder there are none."""
    database_url: str = Field(default="", validation_alias="DATABASE_URL")
    """Where feedback, shown cards and audit are kept; empty: an SQLite file in the state folder."""
    state_folder: Path = Field(default_factory=default_state_folder)
    """Folder of the embedded store and of the secret that development makes for itself."""
    secret_key_file: Path | None = None
    """File with at least 32 random bytes, from which all keys of the store are derived; production needs it."""
    quiet: bool | None = None
    """Whether the same advice is not repeated; without a word, in production only."""
    quiet_days: int = Field(default=30, ge=1, le=365)
    """For how many days advice that was seen is not repeated."""
    feedback_days: int = Field(default=365, ge=1, le=3_660)
    """For how many days feedback is kept; `cds-service purge` deletes older."""
    shown_days: int = Field(default=400, ge=1, le=3_660)
    """For how many days it is kept that a card was shown."""
    keep_comments: bool = False
    """Whether the free text of feedback is kept; it may name a patient."""
    audit_required: bool | None = None
    """Whether a decision that cannot be recorded is refused with 503; unset: in production."""
    audit_checkpoints: Path | None = None
    """File, best on another machine's disk, to which signed checkpoints of the audit are appended."""
    audit_days: int = Field(default=2_192, ge=365, le=36_600)
    """For how many days, six years unless said, audit records are kept; `cds-service purge` deletes older."""
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
        "sandbox",
        "quiet",
        "open",
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
        if any(part != "*" and not _ONE_ORIGIN.fullmatch(part) for part in parts_of(value)):
            raise ValueError("must be * or origins such as https://ehr.example.org, parted by commas")
        return value


def parts_of(text: str) -> Iterator[str]:
    """Yield the parts of a list that is parted by commas."""
    return (part.strip() for part in text.split(",") if part.strip())
