"""Every setting of the service, read once from the environment and then frozen; unsafe ones never come to be."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Self

from pydantic import ValidationError, model_validator

from cds_service.errors import SettingsError
from cds_service.model.hooks import Indicator
from cds_service.setting_fields import MEBIBYTE, LogFormat, Mode, SettingFields, parts_of

__all__ = ["MEBIBYTE", "RELEASE", "LogFormat", "Mode", "Settings", "read_settings", "refusals", "variable_of"]

RELEASE = "2026.12.0"
"""Release of the shipped content; the knowledge version adds the hash of the content itself."""

_EVERY_ADDRESS = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - named, to be replaced
_OFF = frozenset({"", "0", "false", "no"})
_OTHERS = 0o077
_PRODUCTION_DRAINS_SECONDS = 5.0


class Settings(SettingFields):
    """Settings with their defaults, and what follows from them."""

    @model_validator(mode="after")
    def _shown_cards_outlast_what_rests_on_them(self) -> Self:
        if self.shown_days < max(self.feedback_days, self.quiet_days):
            raise ValueError("CDS_SHOWN_DAYS must not be less than CDS_FEEDBACK_DAYS and CDS_QUIET_DAYS")
        return self

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
    def has_sandbox(self) -> bool:
        """Whether the sandbox page is served."""
        return self.mode is Mode.DEVELOPMENT if self.sandbox is None else self.sandbox

    @property
    def is_open(self) -> bool:
        """Whether anybody may call."""
        return self.mode is Mode.DEVELOPMENT if self.open is None else self.open

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
    def is_quiet(self) -> bool:
        """Whether the same advice is not repeated; in development a sample answers alike each time."""
        return self.is_production if self.quiet is None else self.quiet

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
    def icon_url(self) -> str:
        """The icon that stands beside every card."""
        return f"{self.base_url}/icon-100.png"

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
        return frozenset(parts_of(self.allowed_origins))


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
    if settings.clients is None:
        yield "CDS_CLIENTS must name the file of the registered clients"
    if settings.is_open:
        yield "CDS_OPEN must be off"
    if settings.trust_public_sandbox:
        yield "CDS_TRUST_PUBLIC_SANDBOX must be off"
    if settings.sandbox:
        yield "CDS_SANDBOX must be off"
    if settings.allow_loopback_fhir:
        yield "CDS_ALLOW_LOOPBACK_FHIR must be off"
    if settings.debug.lower() not in _OFF:
        yield "FLASK_DEBUG must be off"
