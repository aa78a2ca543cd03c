"""The settings that a production service needs at least, with a store and a secret of its own; it starts nothing."""

from __future__ import annotations

from pathlib import Path

from cds_service.store.database import Database
from cds_service.store.schema import migrate

PUBLIC = "https://cds.example.org"
ORIGINS = "https://ehr.example.org, https://b.example"


def production_environment(folder: Path, *, public: str = PUBLIC) -> dict[str, str]:
    """Return the environment of a safe production service whose store, made here, stands in `folder`."""
    secret = folder / "production.key"
    secret.write_bytes(b"a secret of nobody, for tests only")
    secret.chmod(0o600)
    url = f"sqlite:///{folder / 'production.sqlite3'}"
    database = Database(url)
    migrate(database)
    database.close()
    return {
        "CDS_MODE": "production",
        "CDS_PUBLIC_BASE_URL": public,
        "CDS_ALLOWED_ORIGINS": ORIGINS,
        "CDS_SECRET_KEY_FILE": str(secret),
        "DATABASE_URL": url,
    }
