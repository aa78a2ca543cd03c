"""Every setting of the service, read once from the environment and then frozen."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path

from pydantic import Field, ValidationError, field_validator
from pydantic_settings import BaseSettings, SettingsConfigDict

from cds_service.errors import SettingsError

RELEASE = "2026.12.0"
"""Release of the shipped content; the knowledge version adds the hash of the content itself."""

MEBIBYTE = 1024 * 1024


class Mode(StrEnum):
    """Development opens what production refuses."""

    DEVELOPMENT = "development"
    PRODUCTION = "production"


def default_cards_folder() -> Path:
    """Return the content of the installed package, or of the source checkout."""
    package = Path(__file__).parent
    installed = package / "_cards"
    return installed if installed.is_dir() else package.parent / "cards"


class Settings(BaseSettings):
    """Settings with their defaults: `make run` needs none of them."""

    model_config = SettingsConfigDict(env_prefix="CDS_", frozen=True, extra="ignore")

    mode: Mode = Mode.DEVELOPMENT
    public_base_url: str | None = None
    """Absolute address under which clients reach the service, without a trailing slash."""
    cards_folder: Path = Field(default_factory=default_cards_folder)
    allowed_origins: str = "*"
    """Origins for CORS: `*` (development only) or a comma-separated list."""
    most_body_bytes: int = Field(default=5 * MEBIBYTE, ge=1024, le=20 * MEBIBYTE)
    host: str = Field(default="127.0.0.1", validation_alias="HOST")
    port: int = Field(default=8000, ge=1, le=65535, validation_alias="PORT")
    workers: int = Field(default=1, ge=1, le=64, validation_alias="WORKERS")

    @field_validator("public_base_url")
    @classmethod
    def _no_trailing_slash(cls, value: str | None) -> str | None:
        return value.rstrip("/") if value else None

    @property
    def base_url(self) -> str:
        """The public address; in development the address that is listened on."""
        return self.public_base_url or f"http://{self.host}:{self.port}"

    @property
    def origins(self) -> frozenset[str]:
        """The allowed origins, one by one."""
        return frozenset(part.strip() for part in self.allowed_origins.split(",") if part.strip())


def read_settings() -> Settings:
    """Return the settings of the environment. Raises `SettingsError`, which names the variable."""
    try:
        settings = Settings()
    except ValidationError as error:
        faults = [f"{'.'.join(str(part) for part in one['loc'])}: {one['msg']}" for one in error.errors()]
        raise SettingsError("A setting cannot be used. " + "; ".join(faults)) from None
    if settings.mode is Mode.PRODUCTION:
        _refuse_unsafe(settings)
    return settings


def _refuse_unsafe(settings: Settings) -> None:
    faults = []
    if settings.public_base_url is None or not settings.public_base_url.startswith("https://"):
        faults.append("CDS_PUBLIC_BASE_URL must be an https address")
    if "*" in settings.origins:
        faults.append("CDS_ALLOWED_ORIGINS must name the origins")
    if faults:
        raise SettingsError("Production refuses to start: " + "; ".join(faults) + ".")
