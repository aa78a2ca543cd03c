"""Every setting as `doctor` shows it: variable, value and meaning; a secret or a password is never among the values."""

from __future__ import annotations

from typing import NamedTuple

from pydantic import SecretStr

from cds_service.errors import StoreError
from cds_service.settings import Settings, variable_of
from cds_service.store.database import read_url

MEANINGS = {
    "mode": "production refuses unsafe settings by name",
    "public_base_url": "address that cards name; https in production",
    "cards_folder": "the clinical content",
    "cards_overlay": "the site's own limits, codes and texts over it",
    "time_critical_as_warning": "sends time-critical cards as warning",
    "proven_folder": "where proven content is kept for the next start",
    "allowed_origins": "origins for CORS",
    "most_body_bytes": "size limit of a request",
    "clients": "file of the registered clients",
    "open": "answers calls without a token; unset: in development",
    "trust_public_sandbox": "accepts the public CDS Hooks sandbox; development only",
    "allow_256_bit_algorithms": "clients may be registered with ES256 and RS256",
    "allow_loopback_fhir": "calls FHIR servers on this machine; development only",
    "deadline_seconds": "how long a hook call may take",
    "sandbox": "serves the sandbox page; unset: in development",
    "samples_folder": "the stories that the sandbox offers",
    "database_url": "where feedback, shown cards and audit are kept",
    "state_folder": "the embedded store, its secret, and audit records that wait",
    "secret_key_file": "the secret of all digests and of the audit",
    "quiet": "does not repeat the same advice; unset: in production",
    "quiet_days": "for how many days advice that was seen is not repeated",
    "feedback_days": "for how many days `purge` leaves feedback",
    "shown_days": "for how many days `purge` leaves shown cards",
    "keep_comments": "keeps the free text of feedback",
    "audit_required": "refuses decisions that cannot be recorded; unset: in production",
    "audit_days": "for how many days `purge` leaves audit records",
    "audit_checkpoints": "file elsewhere that shows an audit that was cut",
    "metrics_token": "turns on /metrics for whoever has the token",
    "metrics_bind": "turns on metrics on an address of their own",
    "log_format": "plain or json; unset: json in production",
    "drain_seconds": "how long it goes on after SIGTERM; unset: 5 in production, 0 in development",
    "most_in_flight": "calls worked on at the same time, per process",
    "calls_per_minute": "calls per client and process; 0: as many as come",
    "run_folder": "set by serve for its workers",
    "debug": "Flask's debugging; must be off in production",
    "host": "address to listen on",
    "port": "port to listen on",
    "workers": "number of processes",
}
"""Field of the settings → what it does; a test holds that every field is here."""

_HIDDEN, _UNSET = "(set, hidden)", "(not set)"


class Shown(NamedTuple):
    """One setting. `source` is `environment` or `default`."""

    variable: str
    value: str
    source: str
    meaning: str


def shown_settings(settings: Settings) -> list[Shown]:
    """Return all settings in their order."""
    return [
        Shown(
            variable=variable_of(field),
            value=_value(field, getattr(settings, field)),
            source="environment" if field in settings.model_fields_set else "default",
            meaning=MEANINGS[field],
        )
        for field in Settings.model_fields
    ]


def _value(field: str, value: object) -> str:
    if value is None or value == "":
        return _UNSET
    if isinstance(value, SecretStr):
        return _HIDDEN
    if field == "database_url":
        return without_password(str(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def without_password(url: str) -> str:
    """Return the address of a database as it may be shown."""
    try:
        return read_url(url).render_as_string(hide_password=True)
    except StoreError:
        return "(cannot be read)"
